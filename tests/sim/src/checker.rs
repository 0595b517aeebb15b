//! The invariants, one checker each. They see every transition and say in words what is wrong.
//! README.md beside this crate states them in full.

mod bounds;
mod forgery;
mod holders;
mod lateness;
mod operations;
mod takeover;

use crate::clock::Micros;
use crate::fact::Fact;
use crate::setup::Setup;

pub use bounds::Bounds;
pub use forgery::Forgery;
pub use holders::Holders;
pub use lateness::Lateness;
pub use operations::Operations;
pub use takeover::Takeover;

/// What the checkers need to know of the configuration.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Each node's `deadtime`.
    pub deadtime: [Micros; 2],
    /// Each node's `initdead`.
    pub initdead: [Micros; 2],
    /// The shortest `keepalive`.
    pub keepalive: Micros,
    /// How many links.
    pub links: usize,
    /// How many groups.
    pub groups: usize,
    /// How long an overlap may last once the nodes are in contact.
    pub overlap: Micros,
}

impl Rules {
    /// The rules that follow from a set-up. `overlap` is how long two holders may need to sort
    /// themselves out after they have found each other.
    #[must_use]
    pub fn new(setup: &Setup, overlap: Micros) -> Self {
        let nodes = &setup.nodes;
        Self {
            deadtime: [0, 1].map(|node| nodes[node].deadtime),
            initdead: [0, 1].map(|node| nodes[node].initdead),
            keepalive: nodes[0].keepalive.min(nodes[1].keepalive),
            links: setup.links.len(),
            groups: setup.groups.len(),
            overlap,
        }
    }
}

/// One invariant.
pub trait Checker {
    /// Its name, as in README.md.
    fn name(&self) -> &'static str;

    /// Sees one transition.
    ///
    /// # Errors
    /// What is wrong with it.
    fn see(&mut self, fact: &Fact) -> Result<(), String>;
}

/// Every checker, for one run.
#[must_use]
pub fn all(rules: &Rules) -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(Holders::new(rules)),
        Box::new(Lateness::new(rules)),
        Box::new(Forgery),
        Box::new(Operations::new(rules)),
        Box::new(Takeover::new(rules)),
        Box::new(Bounds::new(rules)),
    ]
}

#[cfg(test)]
pub(crate) mod testing {
    //! Short ways to write facts.
    use systole_core::action::Action;
    use systole_core::id::GroupId;

    use super::{Checker, Rules};
    use crate::clock::Micros;
    use crate::fact::{Fact, What};

    pub(crate) const RULES: Rules = Rules {
        deadtime: [1_000, 1_000],
        initdead: [3_000, 3_000],
        keepalive: 100,
        links: 1,
        groups: 2,
        overlap: 5_000,
    };

    pub(crate) const ACQUIRE: Action = Action::Acquire(GroupId(0));
    pub(crate) const RELEASE: Action = Action::Release(GroupId(0));

    pub(crate) fn act(at: Micros, node: usize, action: Action) -> Fact {
        fact(
            at,
            node,
            What::Act {
                action,
                decided: at,
            },
        )
    }

    pub(crate) const fn fact(at: Micros, node: usize, what: What) -> Fact {
        Fact {
            at,
            local: at,
            node,
            what,
        }
    }

    /// Whether the facts are all well, or the number of the first that is not.
    pub(crate) fn first_wrong(checker: &mut dyn Checker, facts: &[Fact]) -> Option<usize> {
        facts.iter().position(|fact| checker.see(fact).is_err())
    }
}
