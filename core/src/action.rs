//! Everything a node can ask its host to do.

use crate::id::{GroupId, LinkId};
use crate::report::Report;

/// One request to the host, from `Node::poll_action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send the first `len` bytes of the frame on a link. It need not be reliable.
    Transmit {
        /// The link.
        link: LinkId,
        /// Bytes of the frame that are the message.
        len: usize,
    },
    /// Start the group's resources left to right, then give back `Event::GroupDone`.
    Acquire(GroupId),
    /// Stop the group's resources right to left, then give back `Event::GroupDone`.
    ///
    /// When an acquire of the same group is under way it is broken off first, and not reported.
    Release(GroupId),
    /// Tell the neighbours again where the group's addresses are. Nothing comes back.
    Announce(GroupId),
    /// A fact worth logging, counting or replaying.
    Report(Report),
    /// The node has stopped cleanly: everything is released and the peer knows. End the process.
    Stopped,
}
