//! L3: nobody is declared dead without cause.

use systole_core::action::Action;
use systole_core::report::Report;

use super::{Checker, Rules};
use crate::clock::Micros;
use crate::fact::{Fact, What};

/// The wire carries whole milliseconds, and a drifting clock is read once per side.
const TOLERANCE: Micros = 2_000;

/// Sees every verdict of death.
#[derive(Debug)]
pub struct Takeover {
    patience: [Micros; 2],
    deadtime: [Micros; 2],
    initdead: [Micros; 2],
    stopping: [bool; 2],
    /// Since when the nodes are in contact.
    contact: Option<Micros>,
    /// A verdict that has come in the midst of contact, if it is one of silence.
    rash: [Option<Micros>; 2],
    /// When each node's present wait began, on its clock, and how long it must be.
    since: [(Micros, Micros); 2],
}

impl Takeover {
    /// Nobody runs.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        let least = rules.deadtime[0].min(rules.deadtime[1]);
        Self {
            patience: [0, 1].map(|node| rules.deadtime[1 - node].min(least)),
            deadtime: rules.deadtime,
            initdead: rules.initdead,
            stopping: [false; 2],
            contact: None,
            rash: [None; 2],
            since: [(0, 0); 2],
        }
    }
}

impl Takeover {
    fn is_late(&self, what: &What, node: usize) -> bool {
        match what {
            What::Resumed(pause) => *pause >= self.deadtime[node],
            _ => true,
        }
    }
}

impl Checker for Takeover {
    fn name(&self) -> &'static str {
        "L3 no takeover without cause"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        let node = fact.node;
        match fact.what {
            What::Started => {
                self.stopping[node] = false;
                self.since[node] = (fact.local, self.initdead[node]);
            }
            What::Resumed(_) | What::LostSight(_) if self.is_late(&fact.what, node) => {
                let (_, wait) = self.since[node];
                self.since[node] = (fact.local, wait.min(self.deadtime[node]));
            }
            What::Contact(holds) => self.contact = holds.then_some(fact.at),
            What::Verdict { contact: true } => {
                let lasted = self.contact.map_or(0, |since| fact.at - since);
                let long = lasted > self.patience[node] + TOLERANCE;
                self.rash[node] = long.then_some(fact.at);
            }
            What::Heard => self.since[node] = (fact.local, self.patience[node]),
            // A stopping node takes nothing any more, so its verdicts have no effect.
            What::Act {
                action: Action::Report(Report::Stopping),
                ..
            } => self.stopping[node] = true,
            // A late report tells an old verdict.
            What::Act {
                action: Action::Report(Report::PeerDead(_)),
                decided,
            } if decided == fact.at && !self.stopping[node] => {
                let (since, wait) = self.since[node];
                let silence = fact.local.saturating_sub(since);
                if self.rash[node] == Some(fact.at) {
                    return Err(format!(
                        "node {node} declares its peer dead in the midst of contact"
                    ));
                }
                if silence + TOLERANCE < wait {
                    return Err(format!(
                        "node {node} declares its peer dead after {silence} us; {wait} us is the least"
                    ));
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
    use crate::checker::testing::{RULES, act, fact, first_wrong};
    use crate::clock::SECOND;
    use systole_core::time::Duration;

    const DEAD: Action = Action::Report(Report::PeerDead(Duration::ZERO));

    fn wrong(facts: &[Fact]) -> Option<usize> {
        let rules = Rules {
            deadtime: [SECOND; 2],
            initdead: [3 * SECOND; 2],
            ..RULES
        };
        first_wrong(&mut Takeover::new(&rules), facts)
    }

    /// Aim: whatever the node has heard, contact that has lasted for deadtime forbids the verdict.
    #[test]
    fn verdict_in_contact() {
        let start = fact(0, 0, What::Started);
        for (lasts, expected) in [(SECOND, None), (2 * SECOND, Some(3))] {
            let at = 9 * SECOND;
            let contact = fact(at - lasts, 0, What::Contact(true));
            let verdict = fact(at, 0, What::Verdict { contact: true });
            let facts = [start, contact, verdict, act(at, 0, DEAD)];
            assert_eq!(wrong(&facts), expected);
        }
    }

    /// Aim: the verdict needs initdead after a start, deadtime after the last word.
    #[test]
    fn verdict_needs_silence() {
        let start = fact(0, 0, What::Started);
        let heard = fact(SECOND, 0, What::Heard);
        assert_eq!(wrong(&[start, act(3 * SECOND, 0, DEAD)]), None);
        assert_eq!(wrong(&[start, act(2 * SECOND, 0, DEAD)]), Some(1));
        assert_eq!(wrong(&[start, heard, act(2 * SECOND, 0, DEAD)]), None);
        assert_eq!(
            wrong(&[start, heard, act(2 * SECOND - 9_000, 0, DEAD)]),
            Some(2)
        );
    }
}
