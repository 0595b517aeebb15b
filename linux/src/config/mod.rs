//! The three files: ha.cf, haresources, authkeys.
//!
//! [`load`] reads them and says everything that is wrong with them at once; a [`Cluster`] exists
//! only when nothing is.

mod address;
mod authkeys;
pub mod diag;
mod directives;
mod ha_cf;
mod haresources;
mod load;
mod lookup;
mod own;
pub mod render;
mod text;
mod time;

pub use load::{LoadOptions, Loaded, LoadedKeys, load, load_keys};
pub use own::own_name;

pub(crate) use ha_cf::Link;
pub(crate) use load::Parts;
pub(crate) use text::{Spanned, closest};
pub(crate) use time::show as show_time;

use core::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use systole_core::auth::Keys;
use systole_core::config::AutoFailback;
use systole_core::time::Duration;

/// What the three files say, checked; only made when they hold no error.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// This node's name, in lower case.
    pub node: String,
    /// The other node's name, in lower case.
    pub peer: String,
    /// Between two heartbeats.
    pub keepalive: Duration,
    /// Silence after which a node is dead.
    pub deadtime: Duration,
    /// Silence after which a heartbeat is reported as late.
    pub warntime: Duration,
    /// As `deadtime`, for a peer not heard since our start.
    pub initdead: Duration,
    /// When groups return to their preferred node.
    pub auto_failback: AutoFailback,
    /// The wire's `ttl`.
    pub ttl: u8,
    /// All links in the order of ha.cf, also those to this node's own address, since both nodes
    /// may have the same file: see [`Cluster::without_own`].
    pub links: Vec<LinkConfig>,
    /// The lines of haresources.
    pub groups: Vec<Group>,
    /// Checksum of haresources' meaning, the same on both nodes when the files say the same.
    pub resources_digest: u32,
    /// The keys of authkeys; `serial_auth` has been told to them.
    pub keys: Keys,
    /// `serial_auth`: the number of the key that signs on serial lines.
    pub serial_auth: Option<u8>,
    /// Where logs go.
    pub log: LogConfig,
    /// Every recorded directive and its value as written, for `HA_<directive>` in scripts.
    pub directives: Vec<(String, String)>,
}

impl Cluster {
    /// The links that lead to the peer: without those to one of this machine's addresses.
    #[must_use]
    pub fn without_own(&self, own: &[IpAddr]) -> Vec<LinkConfig> {
        let is_own = |link: &&LinkConfig| {
            link.udp()
                .is_some_and(|link| matches!(link.medium, Medium::Ucast(to) if own.contains(&to)))
        };
        self.links
            .iter()
            .filter(|link| !is_own(link))
            .cloned()
            .collect()
    }
}

/// One heartbeat link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkConfig {
    /// Packets over a network.
    Udp(UdpLink),
    /// Messages over a serial line.
    Serial(SerialLink),
}

/// A link over a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpLink {
    /// The interface it is bound to.
    pub interface: String,
    /// How it reaches the peer.
    pub medium: Medium,
    /// The UDP port.
    pub port: u16,
}

/// A link over a serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialLink {
    /// The path of the device.
    pub device: String,
    /// Bits a second, one of [`BAUD_RATES`].
    pub baud: u32,
}

/// The values of `baud`.
pub const BAUD_RATES: [u32; 7] = [9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800];

impl LinkConfig {
    /// Its name in status and log, the line of ha.cf: `ucast eth0 192.168.1.2`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Udp(link) => {
                let interface = &link.interface;
                match &link.medium {
                    Medium::Ucast(to) => format!("ucast {interface} {to}"),
                    Medium::Bcast => format!("bcast {interface}"),
                    Medium::Mcast { group, .. } => format!("mcast {interface} {group}"),
                }
            }
            Self::Serial(link) => format!("serial {}", link.device),
        }
    }

    /// What it leaves this machine by: the interface, or the serial device.
    #[must_use]
    pub fn interface(&self) -> &str {
        match self {
            Self::Udp(link) => &link.interface,
            Self::Serial(link) => &link.device,
        }
    }

    /// The network link, if it is one.
    pub(crate) const fn udp(&self) -> Option<&UdpLink> {
        match self {
            Self::Udp(link) => Some(link),
            Self::Serial(_) => None,
        }
    }

    /// The serial line, if it is one.
    pub(crate) const fn serial(&self) -> Option<&SerialLink> {
        match self {
            Self::Udp(_) => None,
            Self::Serial(link) => Some(link),
        }
    }
}

/// How a network link reaches the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Medium {
    /// To one address.
    Ucast(IpAddr),
    /// To the interface's broadcast address.
    Bcast,
    /// To a multicast group.
    Mcast {
        /// The group's address.
        group: Ipv4Addr,
        /// Hops, 0 to 4.
        ttl: u8,
        /// Whether this machine hears its own packets.
        looped: bool,
    },
}

/// One line of haresources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its first resource as written: its unique name.
    pub name: String,
    /// The preferred node, in lower case.
    pub node: String,
    /// What is acquired left to right and released right to left.
    pub resources: Vec<Resource>,
}

/// One resource of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A service address, built in.
    Address(Address),
    /// A script or a systemd unit, looked up when it is used.
    Agent {
        /// As written, for messages: `Filesystem::/dev/sda1::/srv`.
        text: String,
        /// The first word: `Filesystem`.
        name: String,
        /// The words after `::`.
        args: Vec<String>,
    },
}

/// A service address as written; what is left out is chosen from the routing table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As written, for messages.
    pub text: String,
    /// Which of the original's scripts it stands for.
    pub style: AddressStyle,
    /// The address.
    pub address: IpAddr,
    /// Bits of the netmask.
    pub prefix: Option<u8>,
    /// The interface.
    pub interface: Option<String>,
    /// What follows the `:` of `eth0:0`.
    pub label: Option<String>,
    /// The broadcast address.
    pub broadcast: Option<Ipv4Addr>,
}

/// Which of the original's address scripts is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressStyle {
    /// `IPaddr` or a bare address: a labelled alias `eth0:N`, N from 0, at most 100.
    IPaddr,
    /// `IPaddr2`: a secondary address, labelled only when asked.
    IPaddr2,
    /// `IPv6addr`.
    IPv6addr,
}

/// Where logs go (`use_logd`, `logfile`, `debugfile`, `logfacility`, `debug`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogConfig {
    /// `logfile`.
    pub file: Option<PathBuf>,
    /// `debugfile`: also gets debug lines.
    pub debug_file: Option<PathBuf>,
    /// `logfacility`, a syslog facility in lower case; `None` also for `none`.
    pub facility: Option<String>,
    /// `use_logd` is on, or nothing at all is set: the journal, else syslog's daemon facility.
    pub system: bool,
    /// `debug`, 0 to 255: above zero, debug lines are logged.
    pub debug: u8,
}

#[cfg(test)]
mod tests;
