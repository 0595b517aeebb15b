//! Loss, partitions, pauses, crashes.

use core::time::Duration;

use nix::sys::signal::Signal;
use systole::clock::now;
use systole::demo::sample::Host;

use super::show;
use crate::original;
use crate::pair::{Files, Pair, Role};

/// Aim: lost messages are asked for again by both, and nobody is thought dead.
pub(super) fn five_percent(role: Role) -> String {
    loss(role, 5)
}

/// Aim: the same where every fifth is lost.
pub(super) fn twenty_percent(role: Role) -> String {
    loss(role, 20)
}

fn loss(role: Role, percent: u32) -> String {
    let pair = Pair::running(role, &Files::default());
    pair.lose(percent);
    let begun = now();
    pair.quiet(Duration::from_secs(20));
    if pair.outage(begun) > Duration::ZERO {
        pair.fail("an outage although nobody died");
    }
    // The exchanges must get through as well.
    for (from, holder) in [(role.ours(), role.theirs()), (role.theirs(), role.ours())] {
        pair.order(from, "standby", "all");
        pair.settled(holder);
    }
    pair.quiet(Duration::from_secs(10));
    pair.settled(role.ours());
    if pair.logged(role.ours(), "is now dead") > 0 {
        pair.fail("ours thought the peer dead");
    }
    if pair.logged(role.theirs(), "is dead") > 0 {
        pair.fail("the original thought ours dead");
    }
    let lost = pair.logged(role.theirs(), "lost packet(s) for");
    pair.verdict_with_loss();
    format!("{lost} gaps seen by Heartbeat")
}

/// Aim: after a partition, in which both must believe themselves alone, the original gives up and
/// restarts as it does; ours keeps serving, and one holder remains.
pub(super) fn partition(role: Role) -> String {
    let mut pair = Pair::running(role, &Files::default());
    pair.allow_two_holders();
    pair.partition(true);
    for host in Host::BOTH {
        pair.wait_until(&format!("{host} believes itself alone"), || {
            let view = pair.view(host)?;
            (view.peer == "dead" && view.holds == "all").then_some(())
        });
    }
    let healed = now();
    pair.partition(false);
    pair.wait_until("the original notices", || {
        (pair.logged(role.theirs(), "returning after partition") > 0).then_some(())
    });
    let only = pair.wait_until("one holder remains", || {
        let theirs = pair.lab().node(role.theirs()).space().ok()?;
        (!original::has_service_address(theirs)).then(now)
    });
    pair.settled(Host::First);
    pair.quiet(Duration::from_secs(3));
    pair.settled(Host::First);
    let out = pair.outage(healed);
    pair.verdict_after_conflict();
    format!(
        "one holder after {}, outage {}",
        only.since(healed),
        show(out)
    )
}

/// The process that beats for the original, as its machine knows it.
fn their_daemon(pair: &Pair) -> String {
    let theirs = pair.lab().node(pair.role.theirs());
    let space = theirs.space().expect("a machine that is on");
    let said = space.run("cat", &["/run/heartbeat.pid"]);
    said.expect("a pid file").trim().to_owned()
}

/// Aim: an original that was frozen knows nothing of the takeover and would go on for good; ours makes
/// it give up.
pub(super) fn theirs_frozen(role: Role) -> String {
    let mut pair = Pair::running(role, &Files::default());
    pair.allow_two_holders();
    let pid = their_daemon(&pair);
    let space = pair
        .lab()
        .node(role.theirs())
        .space()
        .expect("a machine that is on");
    space.run("kill", &["-STOP", &pid]).expect("a pause");
    pair.alone_but(role.ours());
    space.run("kill", &["-CONT", &pid]).expect("its end");
    let woken = now();
    pair.quiet(Duration::from_secs(1));
    pair.settled(Host::First);
    let took = now().since(woken);
    pair.quiet(Duration::from_secs(3));
    pair.settled(Host::First);
    pair.verdict_after_conflict();
    format!("agreed after {took}")
}

/// Aim: a Systole that was frozen lets go at once when it wakes; the original, which restarts itself
/// then, and ours end with one holder.
pub(super) fn ours_frozen(role: Role) -> String {
    let mut pair = Pair::running(role, &Files::default());
    pair.allow_two_holders();
    let send = |signal| {
        let ours = pair.lab().node(role.ours());
        ours.signal(signal).expect("a daemon that runs");
    };
    send(Signal::SIGSTOP);
    pair.alone_but(role.theirs());
    pair.quiet(Duration::from_secs(1));
    send(Signal::SIGCONT);
    let woken = now();
    pair.quiet(Duration::from_secs(1));
    pair.settled(Host::First);
    let took = now().since(woken);
    // It may have agreed before its restart; what counts is what comes after.
    pair.quiet(Duration::from_secs(12));
    pair.settled(Host::First);
    let out = pair.outage(woken);
    pair.verdict_after_conflict();
    format!("agreed after {took}, outage {}", show(out))
}

/// Aim: an original that reads its files anew, silent for seconds, keeps what it has.
pub(super) fn theirs_reloads(role: Role) -> String {
    let pair = Pair::running(role, &Files::default());
    let begun = now();
    pair.quiet(Duration::from_secs(6));
    let space = pair
        .lab()
        .node(role.theirs())
        .space()
        .expect("a machine that is on");
    space
        .run("touch", &["/etc/ha.d/ha.cf"])
        .expect("a newer file");
    pair.tool(original::DAEMON, &["-r"]);
    pair.quiet(Duration::from_secs(6));
    pair.settled(Host::First);
    let out = pair.outage(begun);
    if out > Duration::ZERO {
        pair.fail("the reload cost an outage");
    }
    pair.verdict();
    String::new()
}

/// Aim: a Systole that is killed and started again within deadtime keeps its group, and the original
/// takes its new run for what it is.
pub(super) fn ours_killed(role: Role) -> String {
    let mut pair = Pair::running(role, &Files::default());
    let begun = now();
    pair.kill_ours();
    pair.start(role.ours());
    pair.quiet(Duration::from_secs(1));
    pair.settled(Host::First);
    let out = pair.outage(begun);
    pair.verdict();
    format!("outage {}", show(out))
}
