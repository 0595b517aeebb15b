//! Messages with a meaning: what the fields of the original say, and our five more.
//!
//! A field that is used here and cannot be read makes the message `Malformed`; fields that are not
//! used here are passed over.

mod emit;
mod parse;

pub use emit::emit;
pub use parse::parse;

pub use super::writer::EmitError;

use crate::hold::Hold;
use crate::report::NodeStatus;
use crate::time::Duration;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who says it, to whom, when.
    pub header: Header<'a>,
    /// What it says.
    pub body: Body<'a>,
}

/// What every message carries. Node names are as they came: compare them without regard to case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// `src`: the sender's name.
    pub src: &'a str,
    /// `srcuuid`: the sender's identity.
    pub src_uuid: Option<[u8; 16]>,
    /// `dest`: the name of the node it is meant for; `None` is everybody.
    pub dest: Option<&'a str>,
    /// `destuuid`: that node's identity. Comes before the name when it is there; all zero counts as
    /// absent, and is sent with a `dest` whose identity is not known.
    pub dest_uuid: Option<[u8; 16]>,
    /// `seq`: from 1 upwards in one run of the sender; absent in types that begin with `NS_`.
    pub seq: Option<u64>,
    /// `hg`: the sender's generation, higher at each of its starts; 0 when absent.
    pub generation: u64,
    /// `ts`: the sender's wall clock in seconds since 1970, above zero.
    pub unix_time: u64,
    /// `ld`: the text of the original's /proc/loadavg. We leave it out.
    pub load: Option<&'a str>,
    /// `ttl`: nodes in ha.cf plus `hopfudge`. Nobody evaluates it, so an unreadable one is absent.
    pub ttl: Option<u8>,
    /// `sid`: the random identity of this run of the sender. The original has none.
    pub session: Option<u64>,
    /// `echo`: the `sid` that the sender last heard from us on this link.
    pub echo: Option<u64>,
    /// `probe`: the `sid` of a run of ours that has not proved itself to the sender yet. It proves the
    /// sender's life, and no more: the sender may still take us for dead.
    pub probe: Option<u64>,
    /// `own`: what the sender holds, in its own terms, and whether it is settled.
    pub own: Option<(Hold, bool)>,
    /// `gave`: what the sender has released in a standby, in its own terms. It does not take these
    /// groups back until the receiver has reported itself settled.
    pub gave: Option<Hold>,
    /// `going`: what of the sender's is still there only to be released, in its own terms.
    pub going: Option<Hold>,
    /// `rsc`: the checksum of the sender's haresources.
    pub resources_digest: Option<u32>,
}

/// What a message says (`t` and the fields that belong to it; hb306: `include/hb_api_core.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body<'a> {
    /// `status`: the heartbeat.
    Status {
        /// `st`: the sender's own status.
        status: NodeStatus,
        /// `dt`: after how long a silence the receiver shall declare the sender dead.
        deadtime: Option<Duration>,
        /// `protocol`: whether the sender takes part in acknowledgement and `reqnodes`.
        protocol: bool,
    },
    /// `NS_ackmsg`: everything up to this sequence number has arrived.
    Ack {
        /// `ackseq`.
        sequence: u64,
    },
    /// `NS_rexmit`: send these again.
    Rexmit {
        /// `firstseq`.
        first: u64,
        /// `lastseq`, not below the first.
        last: u64,
    },
    /// `NS_nak_rexmit`: this one cannot be sent again.
    NakRexmit {
        /// `firstseq`.
        first: u64,
    },
    /// `reqnodes`: asks for the list of nodes.
    Reqnodes,
    /// `repnodes`: the list of nodes. The original goes active on it.
    Repnodes {
        /// `nodelist`: its first two names; empty where there are fewer.
        nodes: [&'a str; 2],
    },
    /// `starting`: the sender has become active and asks what the receiver holds.
    Starting,
    /// `resource`: what the sender holds, in its own terms.
    Resource {
        /// `rsc_hold`.
        hold: Option<Hold>,
        /// `rtype=full`: replaces what was known instead of adding to it.
        full: bool,
        /// `isstable`: whether the sender is settled.
        stable: Option<bool>,
        /// `info`: why it says so (`shutdown`, `standby`, `mach_down`).
        info: Option<&'a str>,
    },
    /// `ip-request`: asks the receiver to give up a group (`auto_failback legacy`).
    IpRequest {
        /// `ipaddr`: the group's name.
        group: &'a str,
    },
    /// `ip-request-resp`: the addressed node may acquire a group.
    IpRequestResp {
        /// `ipaddr`: the group's name.
        group: &'a str,
        /// `weown`: whether haresources prefers the addressed node.
        we_own: bool,
        /// `ok`: whether the group was given up.
        ok: bool,
    },
    /// `ask_resources`: one phase of a standby.
    AskResources {
        /// `rsc_hold`: the groups that move, in the giving node's terms.
        hold: Hold,
        /// `info`: the phase.
        stage: Stage,
    },
    /// `hb_takeover`: asks the receiver to go standby.
    HbTakeover {
        /// `rsc_hold`: the groups to take, in the sender's terms.
        hold: Hold,
    },
    /// `shutdone`: the sender has released everything and is stopping.
    Shutdone,
    /// Any other type, and a `status` whose word is not a node's. Counts for the sequence, no more.
    Other(&'a str),
}

/// The phases of a standby (`info` of `ask_resources`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// `me`: the sender wants to give.
    Me,
    /// `other`: the receiver of `me` agrees to take.
    Other,
    /// `done`: the giver has released; then, the taker has acquired.
    Done,
}

impl Stage {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::Other => "other",
            Self::Done => "done",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"me" => Some(Self::Me),
            b"other" => Some(Self::Other),
            b"done" => Some(Self::Done),
            _ => None,
        }
    }
}

impl<'a> Body<'a> {
    /// The type on the wire (`t`).
    #[must_use]
    pub const fn kind(&self) -> &'a str {
        match self {
            Self::Status { .. } => "status",
            Self::Ack { .. } => "NS_ackmsg",
            Self::Rexmit { .. } => "NS_rexmit",
            Self::NakRexmit { .. } => "NS_nak_rexmit",
            Self::Reqnodes => "reqnodes",
            Self::Repnodes { .. } => "repnodes",
            Self::Starting => "starting",
            Self::Resource { .. } => "resource",
            Self::IpRequest { .. } => "ip-request",
            Self::IpRequestResp { .. } => "ip-request-resp",
            Self::AskResources { .. } => "ask_resources",
            Self::HbTakeover { .. } => "hb_takeover",
            Self::Shutdone => "shutdone",
            Self::Other(kind) => kind,
        }
    }

    /// Whether a message of this type carries a sequence number.
    #[must_use]
    pub fn is_sequenced(&self) -> bool {
        !self.kind().starts_with("NS_")
    }
}

#[cfg(test)]
mod tests;
