//! The rules that no order of events may break.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Arm(u64, bool),
    Feed(u64),
    Disarm(u64),
    Ask(u64, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let session = 1_u64..4;
    let step = prop_oneof![
        4 => (0_u64..1_500).prop_map(Step::Wait),
        1 => (10_000_u64..2_000_000).prop_map(Step::Wait),
        3 => (session.clone(), any::<bool>()).prop_map(|(session, operator)| Step::Arm(session, operator)),
        4 => session.clone().prop_map(Step::Feed),
        1 => session.clone().prop_map(Step::Disarm),
        2 => (session, any::<bool>()).prop_map(|(session, signed)| Step::Ask(session, signed)),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Aim: whatever happens in whatever order, the line goes low only while armed and after half of
    /// the time without a feed of the armed run, stays low for exactly its time, and "fenced" is
    /// said only after a reset that is over.
    #[test]
    fn rules_hold(steps in steps()) {
        let mut bench = Bench::new();
        let other = Key::new(Method::Md5, b"other").unwrap();
        let mut last_feed = [0_u64; 4];
        for step in steps {
            let before = bench.state();
            let from = bench.done.len();
            match step {
                Step::Wait(millis) => { let to = bench.now + millis; bench.until(to); }
                Step::Arm(session, operator) => {
                    bench.arm_with(session, (TIMEOUT, HOLD), operator);
                    if bench.state().phase == Phase::Armed && bench.state().session == session {
                        last_feed[usize::try_from(session).unwrap()] = bench.now;
                    }
                }
                Step::Feed(session) => {
                    bench.feed(session);
                    last_feed[usize::try_from(session).unwrap()] = bench.now;
                }
                Step::Disarm(session) => { bench.disarm(session); }
                Step::Ask(session, signed) => {
                    let key = if signed { key() } else { other.clone() };
                    bench.ask(session, &key);
                }
            }
            let lows: Vec<u64> = bench.done[from..].iter().filter_map(|(at, action)| {
                matches!(action, GuardAction::ResetLine { low: true }).then_some(*at)
            }).collect();
            prop_assert!(lows.len() <= 1);
            for low in lows {
                prop_assert!(matches!(before.phase, Phase::Armed | Phase::Late), "{:?}", before);
                let fed = last_feed[usize::try_from(before.session).unwrap()];
                prop_assert!(low >= fed + TIMEOUT / 2, "low at {low}, fed at {fed}");
            }
            for (at, action) in &bench.done[from..] {
                if let GuardAction::TellPeer(FenceAnswer { verdict: Verdict::Fenced, .. }) = action {
                    let line = bench.line();
                    prop_assert!(line.iter().any(|(end, low)| !low && end <= at));
                }
            }
        }
        let to = bench.now + HOLD;
        bench.until(to);
        let line = bench.line();
        for pair in line.chunks(2) {
            if let [(low, true), (high, false)] = pair {
                prop_assert_eq!(high - low, HOLD);
            } else {
                // The last one may have gone low just now.
                prop_assert!(pair.len() == 1 && pair[0].1 && bench.now - pair[0].0 < HOLD);
            }
        }
    }
}
