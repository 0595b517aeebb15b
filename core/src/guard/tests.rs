extern crate std;

mod rules;

use std::vec::Vec;

use super::*;
use crate::auth::Method;
use crate::wire::board::{BoardKey, FenceToken, Hello};

const TIMEOUT: u64 = 1_000;
const HOLD: u64 = 200;

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

fn key() -> Key {
    Key::new(Method::Sha1, b"cluster").unwrap()
}

/// A guard, and what it asked for, with times in milliseconds.
struct Bench {
    guard: Guard,
    now: u64,
    done: Vec<(u64, GuardAction)>,
}

impl Bench {
    fn new() -> Self {
        Self {
            guard: Guard::new(at(0)),
            now: 0,
            done: Vec::new(),
        }
    }

    fn armed() -> Self {
        let mut bench = Self::new();
        bench.arm(1);
        bench
    }

    fn drain(&mut self) {
        while let Some(action) = self.guard.poll_action() {
            self.done.push((self.now, action));
        }
    }

    /// Lets time pass, from deadline to deadline.
    fn until(&mut self, millis: u64) -> &mut Self {
        while let Some(due) = self.guard.deadline() {
            let due = due.as_micros().div_ceil(1_000).max(self.now);
            if due > millis {
                break;
            }
            self.now = due;
            self.guard.handle_tick(at(due));
            self.drain();
        }
        self.now = millis;
        self.guard.handle_tick(at(millis));
        self.drain();
        self
    }

    fn host(&mut self, frame: &Frame<'_>) -> Route {
        let route = self.guard.handle_host(at(self.now), frame);
        self.drain();
        route
    }

    fn arm_with(&mut self, session: u64, times: (u64, u64), operator: bool) {
        let key = key();
        let arm = Arm {
            session,
            timeout_ms: u32::try_from(times.0).unwrap(),
            hold_ms: u32::try_from(times.1).unwrap(),
            operator,
            key: BoardKey::new(&key),
        };
        assert_eq!(self.host(&Frame::Arm(arm)), Route::Done);
    }

    fn arm(&mut self, session: u64) {
        self.arm_with(session, (TIMEOUT, HOLD), false);
    }

    fn disarm(&mut self, session: u64) {
        assert_eq!(self.host(&Frame::Disarm { session }), Route::Done);
    }

    fn feed(&mut self, session: u64) {
        assert_eq!(self.host(&Frame::Feed { session }), Route::Done);
    }

    /// The peer asks; gives what it is told, if anything.
    fn ask(&mut self, session: u64, key: &Key) -> Option<Verdict> {
        let mut token = FenceToken::default();
        let request = FenceRequest::new(session, key, &mut token);
        let before = self.done.len();
        let frame = Frame::FenceRequest(request);
        assert_eq!(self.guard.handle_peer(at(self.now), &frame), Route::Done);
        self.drain();
        self.told(before)
    }

    /// What the peer was told since.
    fn told(&self, since: usize) -> Option<Verdict> {
        let mut answers = self.done[since..].iter().filter_map(|(_, action)| {
            if let GuardAction::TellPeer(answer) = action {
                Some(answer.verdict)
            } else {
                None
            }
        });
        answers.next_back()
    }

    /// Every change of the reset line.
    fn line(&self) -> Vec<(u64, bool)> {
        let changes = self.done.iter().filter_map(|(at, action)| {
            if let GuardAction::ResetLine { low } = action {
                Some((*at, *low))
            } else {
                None
            }
        });
        changes.collect()
    }

    fn reports(&self) -> Vec<GuardReport> {
        let reports = self.done.iter().filter_map(|(_, action)| {
            if let GuardAction::Report(report) = action {
                Some(*report)
            } else {
                None
            }
        });
        reports.collect()
    }

    fn state(&self) -> State {
        let none = LineQuality::default();
        self.guard.state(at(0), none, none)
    }
}

/// Aim: an armed host that falls silent is late after half of its time, reset after all of it, and
/// the peer is told once the line was held for its time, not before.
#[test]
fn silence_resets() {
    let mut bench = Bench::armed();
    bench.until(300).feed(1);
    bench.until(10_000);
    assert_eq!(bench.line(), [(1_300, true), (1_500, false)]);
    let told: Vec<_> = bench
        .done
        .iter()
        .filter(|(_, action)| matches!(action, GuardAction::TellPeer(_)))
        .collect();
    let fenced = FenceAnswer {
        session: 1,
        verdict: Verdict::Fenced,
    };
    assert_eq!(told, [&(1_500, GuardAction::TellPeer(fenced))]);
    let expected = [
        GuardReport::Armed,
        GuardReport::Late,
        GuardReport::ResetForSilence,
        GuardReport::ResetDone,
    ];
    assert_eq!(bench.reports(), expected);
    assert_eq!(
        (bench.state().phase, bench.state().resets),
        (Phase::HoldOff, 1)
    );
}

/// Aim: a host that feeds in time is never reset, and one that was late and is back is reported.
#[test]
fn feeding_keeps_the_host_alive() {
    let mut bench = Bench::armed();
    for step in 1..50 {
        bench.until(step * 900).feed(1);
    }
    assert_eq!(bench.line(), []);
    assert_eq!(bench.state().phase, Phase::Armed);
    assert!(bench.reports().contains(&GuardReport::Back));
}

/// Aim: what proves the run alive on another path counts like a feed.
#[test]
fn another_path_counts() {
    let mut bench = Bench::armed();
    for step in 1..10 {
        bench.until(step * 900);
        bench.guard.on_host_heard(at(bench.now));
    }
    assert_eq!(bench.line(), []);
    bench.until(20_000);
    assert_eq!(bench.line().len(), 2);
}

/// Aim: an unarmed board resets nobody, whatever it hears: feeds, requests, other people's disarms.
#[test]
fn unarmed_never_resets() {
    let mut bench = Bench::new();
    bench.feed(1);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::NotArmed));
    bench.arm(1);
    bench.disarm(1);
    bench.feed(1);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::NotArmed));
    bench.until(1_000_000);
    assert_eq!(bench.line(), []);
    assert_eq!(bench.state().phase, Phase::Disarmed);
    assert_eq!(bench.guard.deadline(), None);
}

/// Aim: times outside of their limits, and what is no key, arm nothing.
#[test]
fn unfit_arms_are_refused() {
    let mut bench = Bench::new();
    for times in [(99, HOLD), (600_001, HOLD), (TIMEOUT, 9), (TIMEOUT, 10_001)] {
        bench.arm_with(1, times, false);
    }
    assert_eq!(bench.state().phase, Phase::Disarmed);
    assert_eq!(bench.state().refused.unfit, 4);
    bench.arm_with(1, (100, 10), false);
    assert_eq!(bench.state().phase, Phase::Armed);
}

/// Aim: a signed request resets a host that is silent for half of its time, and no other.
#[test]
fn fencing_on_request() {
    let mut bench = Bench::armed();
    bench.until(400);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::HostLives));
    bench.until(600);
    assert_eq!(
        bench.ask(2, &key()),
        Some(Verdict::NotArmed),
        "another session"
    );
    let other = Key::new(Method::Sha1, b"other").unwrap();
    assert_eq!(
        bench.ask(1, &other),
        None,
        "a wrong signature gets no answer"
    );
    assert_eq!(bench.line(), []);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::UnderWay));
    bench.until(799);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::UnderWay));
    assert_eq!(bench.line(), [(600, true)]);
    bench.until(800);
    assert_eq!(bench.told(0), Some(Verdict::Fenced));
    assert_eq!(bench.line(), [(600, true), (800, false)]);
    assert_eq!(bench.state().refused.unsigned, 1);
    assert_eq!(bench.state().refused.unfenced, 2);
}

/// Aim: a lost answer can be asked for again without another reset, until the host is back.
#[test]
fn fenced_is_repeated() {
    let mut bench = Bench::armed();
    bench.until(5_000);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::Fenced));
    bench.until(6_000).arm(1);
    assert_eq!(
        bench.state().phase,
        Phase::HoldOff,
        "the former run cannot come back"
    );
    bench.arm(2);
    assert_eq!(bench.state().phase, Phase::Armed);
    assert_eq!(bench.ask(1, &key()), Some(Verdict::NotArmed));
    assert_eq!(bench.line().len(), 2);
    let mut gone = Bench::armed();
    gone.until(40_000);
    assert_eq!(gone.state().phase, Phase::Disarmed);
    assert_eq!(
        gone.ask(1, &key()),
        Some(Verdict::NotArmed),
        "it may be back by now"
    );
}

/// Aim: a host that goes on feeding through its reset is not fenced, and the peer hears so; a last
/// feed that was under way when the line went low does not count.
#[test]
fn a_reset_that_does_nothing() {
    let mut bench = Bench::armed();
    bench.until(1_010).feed(1);
    bench.until(1_200);
    assert_eq!(bench.told(0), Some(Verdict::Fenced), "it was under way");
    bench.until(1_300).feed(1);
    assert_eq!(bench.told(0), Some(Verdict::Survived));
    assert_eq!(bench.ask(1, &key()), Some(Verdict::NotArmed));
    let mut held = Bench::armed();
    held.until(1_150).feed(1);
    held.until(1_200);
    assert_eq!(held.told(0), Some(Verdict::Survived));
    assert!(held.reports().contains(&GuardReport::ResetFailed));
}

/// Aim: a second host on the line is refused while the first lives, takes over when the first is
/// silent, and when both speak nobody is reset.
#[test]
fn two_hosts_on_one_board() {
    let mut bench = Bench::armed();
    bench.until(400).arm(2);
    assert_eq!(bench.state().session, 1);
    bench.until(600).arm(2);
    assert_eq!(
        bench.state().session,
        2,
        "a restarted daemon is watched in time"
    );
    bench.until(1_100).feed(1);
    bench.disarm(1);
    bench.until(60_000);
    assert_eq!(bench.line(), []);
    assert_eq!(bench.reports().last(), Some(&GuardReport::TwoHosts));
    assert_eq!(bench.state().phase, Phase::Disarmed);
    assert_eq!(bench.state().refused.foreign, 3);
}

/// Aim: the third reset within half an hour ends in quarantine, which only an operator ends.
#[test]
fn quarantine() {
    let mut bench = Bench::new();
    for session in 1..=3 {
        bench.arm(session);
        let after = bench.now + 2_000;
        bench.until(after);
    }
    assert_eq!(bench.state().phase, Phase::Quarantine);
    assert_eq!(bench.ask(3, &key()), Some(Verdict::Fenced));
    bench.until(3_600_000).arm(4);
    assert_eq!(bench.state().phase, Phase::Quarantine);
    assert_eq!(bench.ask(4, &key()), Some(Verdict::NotArmed));
    assert_eq!(bench.line().len(), 6);
    assert_eq!(bench.state().refused.quarantine, 1);
    bench.arm_with(4, (TIMEOUT, HOLD), true);
    assert_eq!(bench.state().phase, Phase::Armed);
    bench.until(3_610_000);
    assert_eq!(bench.state().phase, Phase::HoldOff, "the count begins anew");
}

/// Aim: resets that are far apart are no reason for a quarantine.
#[test]
fn rare_resets() {
    let mut bench = Bench::new();
    for session in 1..=6 {
        bench.arm(session);
        let after = bench.now + 1_000_000;
        bench.until(after);
        assert_eq!(bench.state().phase, Phase::Disarmed);
    }
    assert_eq!(bench.state().resets, 6);
}

/// Aim: each frame has its line; on the other one it has no effect and is told to be counted.
#[test]
fn routes() {
    let mut bench = Bench::armed();
    let hello = Frame::Hello(Hello {
        board: false,
        boot: 1,
        software: "",
    });
    let state = State::default();
    let mut token = FenceToken::default();
    let request = Frame::FenceRequest(FenceRequest::new(1, &key(), &mut token));
    for (frame, route) in [
        (Frame::Heartbeat(b"x"), Route::PassOn),
        (request, Route::PassOn),
        (hello, Route::Local),
        (Frame::SelfTest, Route::Local),
        (Frame::State(state), Route::Misplaced),
        (Frame::PeerState(state), Route::Misplaced),
    ] {
        assert_eq!(bench.host(&frame), route, "{frame:?}");
    }
    let key = key();
    let arm = Arm {
        session: 9,
        timeout_ms: 100,
        hold_ms: 10,
        operator: true,
        key: BoardKey::new(&key),
    };
    for (frame, route) in [
        (Frame::Heartbeat(b"x"), Route::PassOn),
        (Frame::State(state), Route::PassOnState(state)),
        (Frame::Arm(arm), Route::Misplaced),
        (Frame::Feed { session: 1 }, Route::Misplaced),
        (Frame::Disarm { session: 1 }, Route::Misplaced),
        (Frame::SelfTest, Route::Misplaced),
    ] {
        assert_eq!(bench.guard.handle_peer(at(0), &frame), route, "{frame:?}");
    }
    assert_eq!(bench.state().session, 1);
}

/// Aim: a clock that steps back, or reports that nobody takes, do no harm.
#[test]
fn odd_hosts() {
    let mut bench = Bench::armed();
    bench.until(900);
    let fed = bench.guard.handle_host(at(0), &Frame::Feed { session: 1 });
    assert_eq!(fed, Route::Done);
    bench.until(1_800);
    assert_eq!(bench.line(), []);
    for session in 0..100 {
        let frame = Frame::Disarm { session };
        let _ = bench.guard.handle_host(at(1_800), &frame);
    }
    bench.until(10_000);
    assert_eq!(bench.line(), [], "it was disarmed");
}
