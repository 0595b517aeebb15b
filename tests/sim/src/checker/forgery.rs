//! S4: a frame that is unsigned, forged, altered, played back or foreign changes nothing.

use super::Checker;
use crate::fact::{Fact, What};

/// Sees whether a false frame had an effect.
#[derive(Debug)]
pub struct Forgery;

impl Checker for Forgery {
    fn name(&self) -> &'static str {
        "S4 false frames change nothing"
    }

    fn see(&mut self, fact: &Fact) -> Result<(), String> {
        match fact.what {
            What::FalseFrame { effect: true } => Err(format!(
                "a false frame changed something on node {}",
                fact.node
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::testing::{fact, first_wrong};

    /// Aim: only a false frame with an effect is wrong.
    #[test]
    fn effects() {
        let facts = [
            fact(0, 0, What::FalseFrame { effect: false }),
            fact(1, 0, What::Heard),
            fact(2, 0, What::FalseFrame { effect: true }),
        ];
        assert_eq!(first_wrong(&mut Forgery, &facts), Some(2));
    }
}
