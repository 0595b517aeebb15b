//! Every fact worth logging, counting or replaying. The core logs nothing itself.
//!
//! The lists here are complete on purpose: a host that does not know a new fact does not compile.

use crate::event::{Command, Operation};
use crate::hold::Hold;
use crate::id::{GroupId, LinkId};
use crate::time::Duration;

/// A node's status word, as on the wire (hb306: `heartbeat.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeStatus {
    /// Not heard yet.
    #[default]
    Init,
    /// Heard, not yet a member.
    Up,
    /// A member of the cluster.
    Active,
    /// Silent for its deadtime, or stopped.
    Dead,
}

impl NodeStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Up => "up",
            Self::Active => "active",
            Self::Dead => "dead",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"init" => Some(Self::Init),
            b"up" => Some(Self::Up),
            b"active" => Some(Self::Active),
            b"dead" => Some(Self::Dead),
            _ => None,
        }
    }
}

/// What one link brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LinkStatus {
    /// Nothing from the peer for its deadtime, or never.
    #[default]
    Dead,
    /// We hear the peer; it does not hear us.
    OneWay,
    /// Both hear each other. A peer that is the original counts as two-way when it is heard.
    Up,
    /// The host says the link cannot send or receive.
    Failed,
}

/// Where a group is, on this node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupStatus {
    /// Nothing of it is here.
    #[default]
    Released,
    /// Its resources are being started.
    Acquiring,
    /// Its resources are here.
    Held,
    /// Its resources are being stopped.
    Releasing,
    /// An earlier run of this host has left it here; what becomes of it is not decided yet.
    LeftOver,
    /// It could not be released; parts of it may be here. It is tried again.
    Stuck,
}

/// Why a received frame had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Longer than a frame can be.
    Oversize,
    /// Not one of the two encodings, or cut short.
    Envelope,
    /// The signature names a key that is not in authkeys, or one not allowed on this link.
    Key,
    /// The signature does not match.
    Signature,
    /// Signed, but a required field is missing or unreadable.
    Malformed,
    /// From a node that ha.cf does not name.
    UnknownNode,
    /// From an earlier run of the peer, or heard before.
    Replay,
    /// From a run of the peer that has not yet answered ours; it may be a recording.
    Unproven,
}

impl Refusal {
    /// Every reason, in the order of the counters.
    pub const ALL: [Self; 8] = [
        Self::Oversize,
        Self::Envelope,
        Self::Key,
        Self::Signature,
        Self::Malformed,
        Self::UnknownNode,
        Self::Replay,
        Self::Unproven,
    ];
}

/// Why a command was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandRefusal {
    /// The node has not finished starting up.
    Starting,
    /// The node is stopping.
    Stopping,
    /// A standby or takeover is already under way.
    Busy,
    /// The peer is not an active, settled member.
    PeerAbsent,
    /// Nothing was named.
    Nothing,
    /// `auto_failback legacy` knows no standby.
    Legacy,
}

/// How a standby ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StandbyEnd {
    /// The other node has the groups.
    Done,
    /// The peer did not answer the request; we keep the groups.
    NoReply,
    /// The peer died or stopped on the way.
    PeerLost,
    /// A group could not be released, so the peer did not get it.
    ReleaseFailed,
    /// The taking node could not start a group.
    AcquireFailed,
}

/// Why a group operation was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Start-up: the group prefers this node and nobody holds it.
    StartUp,
    /// The peer is dead.
    PeerDead,
    /// The peer has stopped cleanly.
    PeerStopped,
    /// An operator's standby or takeover, or failback.
    Standby,
    /// Nobody held it.
    Orphan,
    /// Both nodes held it.
    Conflict,
    /// It could not be started here.
    AcquireFailed,
    /// We were not running for longer than deadtime, so the peer may have it.
    OwnLateness,
    /// This node is stopping.
    Stop,
    /// The returning peer asked for it (`auto_failback legacy`).
    PeerRequest,
    /// An earlier try failed.
    Retry,
    /// An earlier run of this host has left it here, and it is not ours now.
    LeftOver,
}

/// One fact. `Copy`, without text: the host has the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// This node's own status word has changed.
    OwnStatus(NodeStatus),
    /// The peer's status word has changed.
    PeerStatus {
        /// Before.
        from: NodeStatus,
        /// Now.
        to: NodeStatus,
    },
    /// No heartbeat for warntime.
    PeerLate(Duration),
    /// A heartbeat came after we had reported it late; the gap in full.
    PeerLateEnd(Duration),
    /// No link has brought a heartbeat for the peer's deadtime.
    PeerDead(Duration),
    /// The peer's daemon has been started again.
    PeerRestarted,
    /// The peer is back after it was declared dead, without having restarted.
    PeerReturned,
    /// The peer has stopped cleanly.
    PeerStopped,
    /// The peer is Systole (`true`) or the original (`false`).
    PeerIsSystole(bool),
    /// The peer announces another deadtime than ours.
    DeadtimeDiffers(Duration),
    /// The peer's haresources is not the same as ours.
    ResourcesDiffer,
    /// The peer's uuid is ours: a cloned disk.
    UuidClash,
    /// What a link brings has changed.
    Link {
        /// The link.
        link: LinkId,
        /// What it brings now.
        status: LinkStatus,
    },
    /// What this node holds, and whether it is settled.
    OwnHold {
        /// What it holds.
        hold: Hold,
        /// Whether it is settled.
        stable: bool,
    },
    /// What the peer says it holds, in its own terms, and whether it is settled.
    PeerHold {
        /// What it holds: its local is our foreign.
        hold: Hold,
        /// Whether it is settled.
        stable: bool,
    },
    /// A group's operation begins.
    GroupBegin {
        /// The group.
        group: GroupId,
        /// What is being done.
        operation: Operation,
        /// Why.
        cause: Cause,
    },
    /// A group's operation has ended.
    GroupEnd {
        /// The group.
        group: GroupId,
        /// What was done.
        operation: Operation,
        /// Whether it succeeded.
        done: bool,
        /// How long it took.
        took: Duration,
    },
    /// Both nodes claim these groups, in our terms.
    SplitBrain(Hold),
    /// A standby has begun: these groups, in our terms, leave us (`true`) or come to us.
    StandbyBegin {
        /// The groups.
        hold: Hold,
        /// Whether we give them.
        giving: bool,
    },
    /// A standby has ended.
    StandbyEnd {
        /// Whether we gave, or meant to; else we were to take.
        giving: bool,
        /// How.
        end: StandbyEnd,
    },
    /// A command was taken on.
    Accepted(Command),
    /// A command cannot be carried out now.
    Refused(Command, CommandRefusal),
    /// Frames had no effect: how many of this kind since the last such report.
    FramesRefused {
        /// The link they came on.
        link: LinkId,
        /// Why.
        reason: Refusal,
        /// How many.
        count: u32,
    },
    /// Messages from the peer were lost and are asked for again: how many since the last such report.
    MessagesLost(u64),
    /// We were not running for longer than our own deadtime; everything is let go first.
    OwnLateness(Duration),
    /// The host's clock stepped back; time was held.
    ClockBack(Duration),
    /// Reports were not drained in time and are lost.
    ReportsLost(u32),
    /// authkeys was taken over.
    KeysChanged,
    /// The node is stopping.
    Stopping,
}
