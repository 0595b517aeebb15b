//! S3: a node that was not running for its deadtime lets go before it does anything else.

use systole_core::action::Action;
use systole_core::event::{Operation, Outcome};

use super::{Checker, Rules};
use crate::clock::Micros;
use crate::fact::{Fact, What};

/// Sees what a node does first after a pause.
#[derive(Debug)]
pub struct Lateness {
    deadtime: [Micros; 2],
    keepalive: Micros,
    /// Held and not being released.
    held: Vec<[bool; 2]>,
    /// Since when a node owes it. A host that does not drain meanwhile merges it with what follows.
    owes: [Option<Micros>; 2],
}

impl Lateness {
    /// Nobody has anything.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self {
            deadtime: rules.deadtime,
            keepalive: rules.keepalive,
            held: vec![[false; 2]; rules.groups],
            owes: [None; 2],
        }
    }
}

impl Checker for Lateness {
    fn name(&self) -> &'static str {
        "S3 let go after a pause"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        let node = fact.node;
        match fact.what {
            What::Resumed(pause) if pause >= self.deadtime[node] => {
                self.owes[node] = Some(fact.at);
            }
            What::LostSight(late) if late + self.keepalive < self.deadtime[node] => {
                return Err(format!(
                    "node {node} lets go although it was late by {late} us only"
                ));
            }
            What::Act {
                action: Action::Release(group),
                ..
            } => {
                self.held[usize::from(group.0)][node] = false;
            }
            What::Act {
                action: Action::Acquire(_) | Action::Transmit { .. },
                ..
            } if self.owes[node] == Some(fact.at) && self.held.iter().any(|group| group[node]) => {
                return Err(format!(
                    "node {node} goes on after a pause before it has let go"
                ));
            }
            What::Act {
                action: Action::Acquire(group),
                ..
            } => {
                self.held[usize::from(group.0)][node] = true;
            }
            What::Drained { .. } => self.owes[node] = None,
            What::Done(group, Operation::Release, Outcome::Failed) => {
                // It is still there, but letting go of it was begun.
                self.held[group][node] = false;
            }
            What::Crashed | What::Ended => {
                self.owes[node] = None;
                for group in &mut self.held {
                    group[node] = false;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::testing::{ACQUIRE, RELEASE, RULES, act, fact, first_wrong};
    use systole_core::id::LinkId;

    const SEND: Action = Action::Transmit {
        link: LinkId(0),
        len: 1,
    };

    /// Aim: a node that was not late may not let go as if it were.
    #[test]
    fn late_with_cause() {
        let late = |late| [fact(9, 0, What::LostSight(late))];
        assert_eq!(first_wrong(&mut Lateness::new(&RULES), &late(900)), None);
        assert_eq!(first_wrong(&mut Lateness::new(&RULES), &late(899)), Some(0));
    }

    /// Aim: after a long pause the release comes before the first frame; a short one asks nothing.
    #[test]
    fn release_first() {
        let good = [
            act(0, 0, ACQUIRE),
            fact(9, 0, What::Resumed(1_000)),
            act(9, 0, RELEASE),
            act(9, 0, SEND),
        ];
        assert_eq!(first_wrong(&mut Lateness::new(&RULES), &good), None);
        let short = [
            act(0, 0, ACQUIRE),
            fact(9, 0, What::Resumed(999)),
            act(9, 0, SEND),
        ];
        assert_eq!(first_wrong(&mut Lateness::new(&RULES), &short), None);
        let bad = [
            act(0, 0, ACQUIRE),
            fact(9, 0, What::Resumed(1_000)),
            act(9, 0, SEND),
        ];
        assert_eq!(first_wrong(&mut Lateness::new(&RULES), &bad), Some(2));
    }
}
