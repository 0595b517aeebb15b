//! Starting, dying, stopping and coming back.

use core::time::Duration;

use systole::clock::now;
use systole::demo::sample::Host;

use crate::pair::{Files, Pair, Role};

fn show(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// Aim: ours alone takes everything after initdead; the original joins without a second holder, and has
/// its own group back when that is its due.
pub(super) fn ours_first(role: Role) -> String {
    let mut pair = Pair::new(role, &Files::default());
    pair.start(role.ours());
    pair.alone(role.ours());
    let begun = now();
    pair.start(role.theirs());
    pair.settled(Host::First);
    let out = show(pair.outage(begun));
    pair.verdict();
    format!("outage {out}")
}

/// Aim: the same with the original first.
pub(super) fn theirs_first(role: Role) -> String {
    let mut pair = Pair::new(role, &Files::default());
    pair.start(role.theirs());
    pair.alone(role.theirs());
    let begun = now();
    pair.start(role.ours());
    pair.settled(Host::First);
    let out = show(pair.outage(begun));
    pair.verdict();
    format!("outage {out}")
}

/// Aim: both start at once and agree, each on what prefers it.
pub(super) fn at_once(role: Role) -> String {
    let mut pair = Pair::new(role, &Files::default());
    let begun = now();
    pair.start(role.theirs());
    pair.start(role.ours());
    pair.settled(Host::First);
    let took = now().since(begun);
    pair.verdict();
    format!("serving after {took}")
}
