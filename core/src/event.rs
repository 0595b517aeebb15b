//! Everything that can happen to a node.

use crate::auth::Keys;
use crate::hold::Hold;
use crate::id::{GroupId, LinkId};

/// One thing that happened. Hosts hand them to `Node::handle` one at a time.
#[derive(Debug)]
pub enum Event<'a> {
    /// The deadline that `Node::deadline` named has come; harmless when it has not.
    Tick,
    /// Bytes arrived on a link: one UDP payload, or one message from a serial line.
    Frame {
        /// The link they arrived on.
        link: LinkId,
        /// The bytes as they came; not trusted.
        bytes: &'a [u8],
    },
    /// A link can no longer send or receive, or can again.
    LinkChanged {
        /// The link.
        link: LinkId,
        /// Whether it works now.
        works: bool,
    },
    /// Something of a group is here already, left by an earlier run of this host. Say so before the
    /// first `Tick`: the group is then taken over as it is, or released, as the start-up decides.
    GroupFound(GroupId),
    /// An `Acquire` or `Release` has ended.
    GroupDone {
        /// The group.
        group: GroupId,
        /// Which of the two.
        operation: Operation,
        /// How it ended.
        outcome: Outcome,
    },
    /// The operator asks for something. `Report::Refused` says when it cannot be done.
    Command(Command),
    /// authkeys was read again.
    Keys(&'a Keys),
}

/// A host operation on a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Start its resources, left to right.
    Acquire,
    /// Stop its resources, right to left.
    Release,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As asked. After a release nothing is left here that the peer must not hold as well.
    Done,
    /// Not as asked. After a failed acquire some resources may run; after a failed release too.
    Failed,
}

/// What an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Give these groups to the peer (`hb_standby`).
    Standby(Hold),
    /// Take these groups from the peer (`hb_takeover`).
    Takeover(Hold),
    /// Release everything, tell the peer, end.
    Stop,
}
