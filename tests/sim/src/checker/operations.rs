//! S5: one operation of a group at a time, and nothing after the end.

use systole_core::action::Action;
use systole_core::event::{Operation, Outcome};

use super::{Checker, Rules};
use crate::fact::{Fact, What};

#[derive(Clone, Copy, Debug, Default)]
struct Group {
    running: Option<Operation>,
    present: bool,
    /// Releases that failed one after another.
    failed: u32,
}

/// Sees the operations of every group.
#[derive(Debug)]
pub struct Operations {
    groups: Vec<[Group; 2]>,
    stopped: [bool; 2],
}

impl Operations {
    /// Nobody has anything.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self {
            groups: vec![<[Group; 2]>::default(); rules.groups],
            stopped: [false; 2],
        }
    }

    fn act(&mut self, node: usize, action: Action) -> Result<(), String> {
        if self.stopped[node] {
            return Err(format!("node {node} asks for {action:?} after its end"));
        }
        match action {
            Action::Acquire(id) => {
                let group = &mut self.groups[usize::from(id.0)][node];
                if let Some(running) = group.running {
                    return Err(format!("node {node} acquires {id} during a {running:?}"));
                }
                if group.present && group.failed == 0 {
                    return Err(format!("node {node} acquires {id}, which it has"));
                }
                *group = Group {
                    running: Some(Operation::Acquire),
                    present: true,
                    failed: 0,
                };
            }
            Action::Release(id) => {
                let group = &mut self.groups[usize::from(id.0)][node];
                if group.running == Some(Operation::Release) {
                    return Err(format!("node {node} releases {id} twice at once"));
                }
                if !group.present {
                    return Err(format!(
                        "node {node} releases {id}, of which nothing is here"
                    ));
                }
                group.running = Some(Operation::Release);
            }
            Action::Stopped => {
                self.stopped[node] = true;
                let mut left = self.groups.iter().map(|group| group[node]);
                let given_up = self.groups.iter().any(|group| group[node].failed >= 10);
                if !given_up && left.any(|group| group.present) {
                    return Err(format!("node {node} ends and leaves a group behind"));
                }
            }
            Action::Transmit { .. } | Action::Announce(_) | Action::Report(_) => {}
        }
        Ok(())
    }
}

impl Checker for Operations {
    fn name(&self) -> &'static str {
        "S5 one operation at a time"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        let node = fact.node;
        match fact.what {
            What::Act { action, .. } => return self.act(node, action),
            What::Done(group, operation, outcome) => {
                let group = &mut self.groups[group][node];
                group.running = None;
                match (operation, outcome) {
                    (Operation::Release, Outcome::Done) => {
                        group.present = false;
                        group.failed = 0;
                    }
                    (Operation::Release, Outcome::Failed) => group.failed += 1,
                    (Operation::Acquire, _) => {}
                }
            }
            What::Crashed | What::Started => {
                self.stopped[node] = false;
                for group in &mut self.groups {
                    group[node] = Group::default();
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

    fn wrong(facts: &[Fact]) -> Option<usize> {
        first_wrong(&mut Operations::new(&RULES), facts)
    }

    /// Aim: an acquire may be broken off by a release; nothing else may overlap.
    #[test]
    fn one_at_a_time() {
        let released = fact(3, 0, What::Done(0, Operation::Release, Outcome::Done));
        assert_eq!(
            wrong(&[
                act(0, 0, ACQUIRE),
                act(1, 0, RELEASE),
                released,
                act(4, 0, ACQUIRE)
            ]),
            None
        );
        assert_eq!(wrong(&[act(0, 0, ACQUIRE), act(1, 0, ACQUIRE)]), Some(1));
        assert_eq!(
            wrong(&[act(0, 0, ACQUIRE), act(1, 0, RELEASE), act(2, 0, RELEASE)]),
            Some(2)
        );
        assert_eq!(
            wrong(&[act(0, 0, ACQUIRE), act(1, 0, RELEASE), act(2, 0, ACQUIRE)]),
            Some(2)
        );
        assert_eq!(wrong(&[act(0, 0, RELEASE)]), Some(0));
    }

    /// Aim: nothing comes after the end, and nothing is left behind unless it was tried ten times.
    #[test]
    fn the_end() {
        let acquired = fact(1, 0, What::Done(0, Operation::Acquire, Outcome::Done));
        assert_eq!(
            wrong(&[act(0, 0, Action::Stopped), act(1, 0, ACQUIRE)]),
            Some(1)
        );
        assert_eq!(
            wrong(&[act(0, 0, ACQUIRE), acquired, act(2, 0, Action::Stopped)]),
            Some(2)
        );
        let mut facts = vec![act(0, 0, ACQUIRE), acquired];
        for _ in 0..10 {
            facts.push(act(2, 0, RELEASE));
            facts.push(fact(
                3,
                0,
                What::Done(0, Operation::Release, Outcome::Failed),
            ));
        }
        facts.push(act(4, 0, Action::Stopped));
        assert_eq!(wrong(&facts), None);
    }
}
