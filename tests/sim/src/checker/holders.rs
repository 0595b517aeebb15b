//! S1: two nodes in contact never both begin to hold a group, and stop both holding it in time.

use systole_core::action::Action;
use systole_core::event::{Operation, Outcome};

use super::{Checker, Rules};
use crate::clock::Micros;
use crate::fact::{Fact, What};

/// Sees who has what.
#[derive(Debug)]
pub struct Holders {
    present: Vec<[bool; 2]>,
    releasing: Vec<[bool; 2]>,
    contact_since: Option<Micros>,
    /// Since when both have a group, neither releases it and they are in contact.
    unresolved_since: Vec<Option<Micros>>,
    overlap: Micros,
}

impl Holders {
    /// Nobody has anything.
    #[must_use]
    pub fn new(rules: &Rules) -> Self {
        Self {
            present: vec![[false; 2]; rules.groups],
            releasing: vec![[false; 2]; rules.groups],
            contact_since: None,
            unresolved_since: vec![None; rules.groups],
            overlap: rules.overlap,
        }
    }

    fn follow(&mut self, fact: &Fact) -> Result<(), String> {
        let node = fact.node;
        match fact.what {
            What::Act {
                action: Action::Acquire(group),
                decided,
            } => {
                let group = usize::from(group.0);
                let in_contact = self.contact_since.is_some_and(|since| since <= decided);
                self.present[group][node] = true;
                self.releasing[group][node] = false;
                if in_contact && self.present[group][1 - node] {
                    return Err(format!(
                        "node {node} acquires group {group} while node {} has it and they are in \
                         contact",
                        1 - node
                    ));
                }
            }
            What::Act {
                action: Action::Release(group),
                ..
            } => {
                self.releasing[usize::from(group.0)][node] = true;
            }
            What::Done(group, Operation::Release, Outcome::Done) => {
                self.present[group][node] = false;
                self.releasing[group][node] = false;
            }
            What::Crashed | What::Started => {
                for group in &mut self.present {
                    group[node] = false;
                }
            }
            What::Contact(contact) => self.contact_since = contact.then_some(fact.at),
            _ => {}
        }
        Ok(())
    }
}

impl Checker for Holders {
    fn name(&self) -> &'static str {
        "S1 one holder"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        self.follow(fact)?;
        let groups = self
            .present
            .iter()
            .zip(&self.releasing)
            .zip(&mut self.unresolved_since);
        for (group, ((present, releasing), since)) in groups.enumerate() {
            let unresolved =
                *present == [true; 2] && *releasing == [false; 2] && self.contact_since.is_some();
            if !unresolved {
                *since = None;
            } else if fact.at.saturating_sub(*since.get_or_insert(fact.at)) > self.overlap {
                return Err(format!(
                    "both nodes keep group {group} although they are in contact"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::testing::{ACQUIRE, RELEASE, RULES, act, fact, first_wrong};

    const RELEASED: What = What::Done(0, Operation::Release, Outcome::Done);

    /// Aim: an acquire in contact is wrong from the other's acquire to the end of its release, and
    /// right after it, after a crash, and without contact.
    #[test]
    fn acquire_only_what_is_free() {
        let mut checker = Holders::new(&RULES);
        let facts = [
            fact(0, 0, What::Contact(true)),
            act(1, 0, ACQUIRE),
            act(2, 0, RELEASE),
            fact(3, 0, RELEASED),
            act(4, 1, ACQUIRE),
            fact(5, 1, What::Crashed),
            act(6, 0, ACQUIRE),
            fact(7, 0, What::Contact(false)),
            act(8, 1, ACQUIRE),
        ];
        assert_eq!(first_wrong(&mut checker, &facts), None);
        let mut checker = Holders::new(&RULES);
        let facts = [
            fact(0, 0, What::Contact(true)),
            act(1, 0, ACQUIRE),
            act(2, 0, RELEASE),
            act(3, 1, ACQUIRE),
        ];
        assert_eq!(first_wrong(&mut checker, &facts), Some(3));
    }

    /// Aim: an overlap from before the contact may last for its time and no longer.
    #[test]
    fn overlap_must_end() {
        let mut checker = Holders::new(&RULES);
        let facts = [
            act(0, 0, ACQUIRE),
            act(0, 1, ACQUIRE),
            fact(90_000, 0, What::Contact(true)),
            fact(95_000, 0, What::Heard),
            fact(95_001, 0, What::Heard),
        ];
        assert_eq!(first_wrong(&mut checker, &facts), Some(4));
    }
}
