//! A read-only view of a node, for `systole status`.

use super::{Node, Phase, Standby};
use crate::hold::Hold;
use crate::id::{GroupId, LinkId};
use crate::peer::PeerKind;
use crate::report::{GroupStatus, LinkStatus, NodeStatus, Refusal};
use crate::time::Duration;

/// Everything an operator may ask a node about.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a>(&'a Node);

/// The peer as we see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its status word.
    pub status: NodeStatus,
    /// What software it is.
    pub kind: PeerKind,
    /// How long ago any link brought a fresh message.
    pub heard_ago: Option<Duration>,
    /// After which silence it is dead.
    pub deadtime: Duration,
    /// What it holds in its own terms, once it has said so.
    pub hold: Option<Hold>,
    /// Whether it is settled.
    pub stable: bool,
    /// Whether it has stopped cleanly.
    pub stopped: bool,
    /// Whether its haresources differs from ours.
    pub resources_differ: bool,
}

/// One link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// What it brings.
    pub status: LinkStatus,
    /// How long ago it brought a fresh message.
    pub heard_ago: Option<Duration>,
    /// Refused frames, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

/// One group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Where it is on this node.
    pub status: GroupStatus,
    /// For how long.
    pub since: Duration,
}

impl<'a> Status<'a> {
    pub(super) const fn new(node: &'a Node) -> Self {
        Self(node)
    }

    /// Where this node is in its life.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.0.phase
    }

    /// This node's own status word.
    #[must_use]
    pub const fn own_status(&self) -> NodeStatus {
        self.0.own_status
    }

    /// What this node holds, and whether it is settled.
    #[must_use]
    pub fn own_hold(&self) -> (Hold, bool) {
        (self.0.own_hold(), self.0.own_stable())
    }

    /// Whether groups are on the move: being started, stopped, or agreed upon.
    #[must_use]
    pub fn in_transition(&self) -> bool {
        !self.0.own_stable() || !self.0.groups.settled(Hold::All)
    }

    /// Whether a standby is under way, in either direction.
    #[must_use]
    pub fn standby_running(&self) -> bool {
        self.0.standby != Standby::None
    }

    /// The peer.
    #[must_use]
    pub fn peer(&self) -> PeerView {
        let peer = &self.0.peer;
        PeerView {
            status: peer.status,
            kind: peer.kind,
            heard_ago: peer.heard.map(|at| self.0.now.since(at)),
            deadtime: peer.deadtime,
            hold: peer.hold.map(Hold::swapped),
            stable: peer.stable,
            stopped: peer.stopped,
            resources_differ: peer.digest_differs,
        }
    }

    /// One link, if there is such a one.
    #[must_use]
    pub fn link(&self, id: LinkId) -> Option<LinkView> {
        let link = self.0.links.get(id)?;
        Some(LinkView {
            status: link.status(),
            heard_ago: link.heard().map(|at| self.0.now.since(at)),
            refused: Refusal::ALL.map(|reason| link.refused(reason)),
        })
    }

    /// One group, if there is such a one.
    #[must_use]
    pub fn group(&self, id: GroupId) -> Option<GroupView> {
        let group = self.0.groups.get(id)?;
        Some(GroupView {
            status: group.status,
            since: self.0.now.since(group.since),
        })
    }
}
