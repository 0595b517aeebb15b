//! What a node needs to know. A [`Config`] can only be built valid.

use core::fmt;

use heapless::Vec;

use crate::auth::Keys;
use crate::hold::{Hold, Side};
use crate::id::{GroupId, GroupName, NodeName};
use crate::limits::{GROUPS_MAX, LINKS_MAX};
use crate::time::Duration;

/// When a group goes back to its preferred node (`auto_failback` in ha.cf).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoFailback {
    /// As soon as that node is back.
    On,
    /// Never by itself.
    Off,
    /// As `On`, by the original's older exchange: the returning node asks with `ip-request`.
    Legacy,
}

/// Which encoding a link speaks; both are read on every link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `###`, netstrings, `%%%`: what the original sends over UDP.
    Netstring,
    /// `>>>`, lines, `<<<`: what it sends over serial lines.
    Classic,
}

/// One line of haresources, as far as the core needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// Its first resource, unique in the file.
    pub name: GroupName,
    /// Whether it prefers this node or the peer.
    pub side: Side,
}

/// Everything a [`Config`] is made from. Times are those of ha.cf(5).
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// This node's name.
    pub node: NodeName,
    /// The other node's name.
    pub peer: NodeName,
    /// This node's identity, from `hb_uuid`.
    pub uuid: [u8; 16],
    /// This start's generation, from `hb_generation`: higher than at every earlier start.
    pub generation: u64,
    /// Wall-clock seconds since 1970 at the moment that is given to `Node::new`, for `ts` on the wire.
    pub unix_time: u64,
    /// Between two heartbeats; above zero.
    pub keepalive: Duration,
    /// Silence after which a node is dead; above twice `keepalive`.
    pub deadtime: Duration,
    /// Silence after which a heartbeat is reported as late; above zero.
    pub warntime: Duration,
    /// As `deadtime`, for a peer not heard since our start; at least `deadtime`.
    pub initdead: Duration,
    /// When groups return to their preferred node.
    pub auto_failback: AutoFailback,
    /// The wire's `ttl`: nodes in ha.cf plus `hopfudge`. Nobody evaluates it.
    pub ttl: u8,
    /// The links in the order of ha.cf.
    pub links: &'a [Encoding],
    /// The groups in the order of haresources.
    pub groups: &'a [GroupConfig],
    /// A checksum of haresources that is the same on both nodes when the files say the same.
    pub resources_digest: u32,
    /// The keys of authkeys.
    pub keys: Keys,
}

/// A valid configuration of one node.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) node: NodeName,
    pub(crate) peer: NodeName,
    pub(crate) uuid: [u8; 16],
    pub(crate) generation: u64,
    pub(crate) unix_time: u64,
    pub(crate) keepalive: Duration,
    pub(crate) deadtime: Duration,
    pub(crate) warntime: Duration,
    pub(crate) initdead: Duration,
    pub(crate) auto_failback: AutoFailback,
    pub(crate) ttl: u8,
    pub(crate) links: Vec<Encoding, LINKS_MAX>,
    pub(crate) groups: Vec<GroupConfig, GROUPS_MAX>,
    pub(crate) resources_digest: u32,
    pub(crate) keys: Keys,
}

/// Why settings make no valid configuration. Nothing was built; mend the named setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Both nodes have the same name.
    SameName,
    /// `keepalive` is zero.
    Keepalive,
    /// `deadtime` is not above twice `keepalive`.
    Deadtime,
    /// `warntime` is zero.
    Warntime,
    /// `initdead` is below `deadtime`.
    Initdead,
    /// No link is configured.
    NoLink,
    /// More links than the limit.
    Links(usize),
    /// More groups than the limit.
    Groups(usize),
    /// Two groups have the same name.
    SameGroup(GroupId),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameName => f.write_str("both nodes have the same name"),
            Self::Keepalive => f.write_str("keepalive must be above zero"),
            Self::Deadtime => f.write_str("deadtime must be above twice keepalive"),
            Self::Warntime => f.write_str("warntime must be above zero"),
            Self::Initdead => f.write_str("initdead must be at least deadtime"),
            Self::NoLink => f.write_str("no link is configured"),
            Self::Links(max) => write!(f, "there are more than {max} links"),
            Self::Groups(max) => write!(f, "there are more than {max} resource groups"),
            Self::SameGroup(group) => {
                write!(f, "line {} of the groups repeats an earlier name", group.0)
            }
        }
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// Checks settings and makes a configuration of them.
    ///
    /// # Errors
    /// The first rule that the settings break.
    pub fn new(settings: Settings<'_>) -> Result<Self, ConfigError> {
        let s = settings;
        if s.node == s.peer {
            return Err(ConfigError::SameName);
        }
        if s.keepalive == Duration::ZERO {
            return Err(ConfigError::Keepalive);
        }
        if s.deadtime <= s.keepalive.times(2) {
            return Err(ConfigError::Deadtime);
        }
        if s.warntime == Duration::ZERO {
            return Err(ConfigError::Warntime);
        }
        if s.initdead < s.deadtime {
            return Err(ConfigError::Initdead);
        }
        if s.links.is_empty() {
            return Err(ConfigError::NoLink);
        }
        for (index, group) in s.groups.iter().enumerate() {
            if s.groups
                .iter()
                .take(index)
                .any(|earlier| earlier.name == group.name)
            {
                return Err(ConfigError::SameGroup(GroupId(
                    u8::try_from(index).unwrap_or(u8::MAX),
                )));
            }
        }
        Ok(Self {
            node: s.node,
            peer: s.peer,
            uuid: s.uuid,
            generation: s.generation,
            unix_time: s.unix_time,
            keepalive: s.keepalive,
            deadtime: s.deadtime,
            warntime: s.warntime,
            initdead: s.initdead,
            auto_failback: s.auto_failback,
            ttl: s.ttl,
            links: Vec::from_slice(s.links).map_err(|_| ConfigError::Links(LINKS_MAX))?,
            groups: Vec::from_slice(s.groups).map_err(|_| ConfigError::Groups(GROUPS_MAX))?,
            resources_digest: s.resources_digest,
            keys: s.keys,
        })
    }

    /// This node's name.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// The other node's name.
    #[must_use]
    pub const fn peer(&self) -> &NodeName {
        &self.peer
    }

    /// The groups in the order of haresources.
    #[must_use]
    pub fn groups(&self) -> &[GroupConfig] {
        &self.groups
    }

    /// When groups return to their preferred node.
    #[must_use]
    pub const fn auto_failback(&self) -> AutoFailback {
        self.auto_failback
    }

    /// Silence after which a node is dead.
    #[must_use]
    pub const fn deadtime(&self) -> Duration {
        self.deadtime
    }

    /// The groups of one side, in the order of haresources.
    pub(crate) fn groups_of(&self, hold: Hold) -> impl Iterator<Item = GroupId> + '_ {
        self.groups
            .iter()
            .zip(0_u8..)
            .filter_map(move |(group, index)| hold.covers(group.side).then_some(GroupId(index)))
    }
}
