//! B1 and B2: work and frames are bounded, and after every event the node waits.

use systole_core::action::Action;

use super::{Checker, Rules};
use crate::clock::{Micros, SECOND};
use crate::fact::{Fact, What};

/// Frames that events may cause within a second on a link, beyond the heartbeats: 50 resends in each
/// 240 ms, and the exchanges around a few changes.
const BURST: u64 = 300;

/// Reports, operations and announcements that can wait at once, before the frames.
const WAITING: usize = 65 + 3 * 64;

/// Messages that can wait at once: the outbox and one request's resends.
const MESSAGES: usize = 16 + 50 + 1;

/// Counts frames and actions.
#[derive(Debug)]
pub struct Bounds {
    per_second: u64,
    per_drain: usize,
    /// The begin of the second that is being counted, and the frames in it, per node.
    counted: [(Micros, u64); 2],
}

impl Bounds {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let links = rules.links as u64;
        let heartbeats = SECOND / rules.keepalive.max(1) + 1;
        Self {
            // A heartbeat, a probe, an acknowledgement and two requests to resend in each interval.
            per_second: links * (5 * heartbeats + BURST),
            per_drain: WAITING + rules.links * MESSAGES,
            counted: [(0, 0); 2],
        }
    }
}

impl Checker for Bounds {
    fn name(&self) -> &'static str {
        "B1 bounded work, B2 a deadline ahead"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        let node = fact.node;
        match fact.what {
            What::Act {
                action: Action::Transmit { .. },
                ..
            } => {
                let (since, count) = &mut self.counted[node];
                if fact.at.saturating_sub(*since) >= SECOND {
                    (*since, *count) = (fact.at, 0);
                }
                *count += 1;
                if *count > self.per_second {
                    return Err(format!(
                        "B1: node {node} sends more than {} frames a second",
                        self.per_second
                    ));
                }
            }
            What::Drained { actions, .. } if actions > self.per_drain => {
                return Err(format!(
                    "B1: node {node} has {actions} actions after one event"
                ));
            }
            What::Drained {
                deadline,
                waits: true,
                ..
            } if deadline.is_none_or(|at| at <= fact.local) => {
                return Err(format!(
                    "B2: node {node} waits for {deadline:?} at {}",
                    fact.local
                ));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::testing::{RULES, act, fact, first_wrong};
    use systole_core::id::LinkId;

    fn wrong(facts: &[Fact]) -> Option<usize> {
        first_wrong(
            &mut Bounds::new(&Rules {
                keepalive: SECOND,
                ..RULES
            }),
            facts,
        )
    }

    fn drained(deadline: Option<Micros>, actions: usize) -> Fact {
        fact(
            50,
            0,
            What::Drained {
                deadline,
                actions,
                waits: true,
            },
        )
    }

    /// Aim: frames are counted by the second.
    #[test]
    fn frames_per_second() {
        let send = Action::Transmit {
            link: LinkId(0),
            len: 1,
        };
        let slow: Vec<Fact> = (0..1_000)
            .map(|count| act(count * 10_000, 0, send))
            .collect();
        assert_eq!(wrong(&slow), None);
        let fast: Vec<Fact> = (0..1_000).map(|count| act(count * 100, 0, send)).collect();
        assert_eq!(wrong(&fast), Some(310));
    }

    /// Aim: a deadline that is not ahead, a missing one and a flood of actions are wrong.
    #[test]
    fn drained_nodes_wait() {
        assert_eq!(wrong(&[drained(Some(51), 3)]), None);
        assert_eq!(wrong(&[drained(Some(50), 3)]), Some(0));
        assert_eq!(wrong(&[drained(None, 3)]), Some(0));
        assert_eq!(wrong(&[drained(Some(51), 9_999)]), Some(0));
    }
}
