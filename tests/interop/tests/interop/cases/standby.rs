//! Groups on the move by an operator's wish, from either side.

use core::time::Duration;

use systole::clock::now;
use systole::demo::sample::Host;

use super::show;
use crate::pair::{Files, Pair, Role};

/// Aim: the original's `hb_standby` gives to ours in three phases, whatever it names.
pub(super) fn from_theirs(role: Role) -> String {
    standbys(role, role.theirs())
}

/// Aim: ours gives to the original.
pub(super) fn from_ours(role: Role) -> String {
    standbys(role, role.ours())
}

fn standbys(role: Role, giver: Host) -> String {
    let pair = Pair::running(role, &Files::default());
    let mut costs = Vec::new();
    let steps = [
        (giver, "all", giver.peer()),
        (giver.peer(), "all", giver),
        // Whoever gives what prefers it: the group that prefers `rproxy1` is then on the other node.
        (giver, "local", Host::Second),
        (giver.peer(), "foreign", giver),
        (giver.peer(), "all", giver),
        (giver, "foreign", Host::First),
        (giver.peer(), "all", giver),
        (giver, "failback", Host::First),
    ];
    for (from, what, holder) in steps {
        let begun = now();
        pair.order(from, "standby", what);
        pair.settled(holder);
        costs.push(pair.outage(begun));
    }
    pair.verdict();
    worst(&costs)
}

/// Aim: the original's `hb_takeover` has ours give.
pub(super) fn taken_by_theirs(role: Role) -> String {
    takeovers(role, role.theirs())
}

/// Aim: ours takes from the original.
pub(super) fn taken_by_ours(role: Role) -> String {
    takeovers(role, role.ours())
}

fn takeovers(role: Role, taker: Host) -> String {
    let pair = Pair::running(role, &Files::default());
    let mut costs = Vec::new();
    let foreign = if taker == Host::First {
        Host::First
    } else {
        taker
    };
    let steps = [
        (taker, "all", taker),
        (taker.peer(), "all", taker.peer()),
        (
            taker,
            "local",
            if taker == Host::First {
                taker
            } else {
                taker.peer()
            },
        ),
        (taker.peer(), "all", taker.peer()),
        (
            taker,
            "foreign",
            if taker == Host::First {
                taker.peer()
            } else {
                foreign
            },
        ),
    ];
    for (by, what, holder) in steps {
        let begun = now();
        pair.order(by, "takeover", what);
        pair.settled(holder);
        costs.push(pair.outage(begun));
    }
    pair.verdict();
    worst(&costs)
}

fn worst(costs: &[Duration]) -> String {
    let worst = costs.iter().max().copied().unwrap_or_default();
    format!("{} moves, worst {}", costs.len(), show(worst))
}
