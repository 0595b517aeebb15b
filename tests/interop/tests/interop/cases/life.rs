//! Starting, dying, stopping and coming back.

use core::time::Duration;

use systole::clock::now;
use systole::demo::sample::Host;

use super::show;
use crate::pair::{DEADTIME, Files, Pair, Role};

/// On top of deadtime: the original's check every 250 ms, its scripts, a busy machine.
const MARGIN: Duration = Duration::from_millis(1_500);

/// Aim: ours alone takes everything after initdead; the original joins without a second holder, and has
/// its own group back when that is its due.
pub(super) fn ours_first(role: Role) -> String {
    one_first(role, role.ours())
}

/// Aim: the same with the original first.
pub(super) fn theirs_first(role: Role) -> String {
    one_first(role, role.theirs())
}

fn one_first(role: Role, host: Host) -> String {
    let mut pair = Pair::new(role, &Files::default());
    pair.start(host);
    pair.alone(host);
    let begun = now();
    pair.start(host.peer());
    pair.settled(Host::First);
    let out = pair.outage(begun);
    pair.verdict();
    format!("failback costs {}", show(out))
}

/// Aim: both start at once and agree, each on what prefers it.
pub(super) fn at_once(role: Role) -> String {
    let mut pair = Pair::new(role, &Files::default());
    let begun = now();
    pair.start(role.theirs());
    pair.start(role.ours());
    let served = pair.served_by(Host::First).since(begun);
    pair.settled(Host::First);
    pair.verdict();
    format!("serving after {served}")
}

/// Aim: a dead original is replaced after deadtime; back, it gets what is its due and no more.
pub(super) fn theirs_dies(role: Role) -> String {
    dies(role, role.theirs(), &Files::default(), Host::First)
}

/// Aim: the original replaces a dead Systole, and has it back.
pub(super) fn ours_dies(role: Role) -> String {
    dies(role, role.ours(), &Files::default(), Host::First)
}

/// Aim: without failback whoever has the group keeps it, in both directions.
pub(super) fn dies_without_failback(role: Role) -> String {
    dies(role, Host::First, &Files::failback("off"), Host::Second)
}

fn dies(role: Role, host: Host, files: &Files, after: Host) -> String {
    let mut pair = Pair::running(role, files);
    pair.past_the_first_seconds();
    let cut = now();
    pair.power_cut(host);
    let took = pair.served_by(host.peer()).since(cut);
    pair.alone(host.peer());
    assert!(
        took < systole::clock::duration(DEADTIME + MARGIN),
        "served again only after {took}"
    );
    let quiet = now();
    pair.power_on(host);
    pair.start(host);
    pair.settled(after);
    // It is still so when the original's ten seconds are over.
    pair.quiet(Duration::from_secs(12));
    pair.settled(after);
    let back = pair.outage(quiet);
    pair.verdict();
    format!("serving after {took}, return costs {}", show(back))
}

/// Aim: a clean stop of the original hands over without deadtime; back, it gets its due.
pub(super) fn theirs_stops(role: Role) -> String {
    stops(role, role.theirs(), &Files::default(), Host::First)
}

/// Aim: a clean stop of ours does, too, and the original takes over once.
pub(super) fn ours_stops(role: Role) -> String {
    stops(role, role.ours(), &Files::default(), Host::First)
}

/// Aim: after a clean stop nothing moves back without failback.
pub(super) fn stops_without_failback(role: Role) -> String {
    stops(role, Host::First, &Files::failback("off"), Host::Second)
}

fn stops(role: Role, host: Host, files: &Files, after: Host) -> String {
    let mut pair = Pair::running(role, files);
    let begun = now();
    pair.stop(host);
    pair.alone(host.peer());
    let out = pair.outage(begun);
    pair.start(host);
    pair.settled(after);
    pair.quiet(Duration::from_secs(12));
    pair.settled(after);
    pair.verdict();
    format!("stop costs {}", show(out))
}

/// Aim: the older exchange (`ip-request`) works from both sides: start, clean stop, return, death.
pub(super) fn legacy(role: Role) -> String {
    let mut pair = Pair::new(role, &Files::failback("legacy"));
    pair.start(role.ours());
    pair.start(role.theirs());
    pair.holds(Host::First);
    for host in [role.theirs(), role.ours()] {
        pair.stop(host);
        pair.holds(host.peer());
        pair.start(host);
        pair.holds(Host::First);
    }
    let mut said = Vec::new();
    for host in [role.theirs(), role.ours()] {
        let cut = now();
        pair.power_cut(host);
        let took = pair.served_by(host.peer()).since(cut);
        pair.holds(host.peer());
        pair.power_on(host);
        pair.start(host);
        pair.holds(Host::First);
        said.push(took.to_string());
    }
    pair.verdict();
    format!("deaths cost {}", said.join(" and "))
}
