//! The laboratory: two nodes and a client on three networks, all of it in namespaces of its own.
//!
//! ```text
//!            private 192.168.1.0/24        eth0 .1 .2   heartbeats
//!   rproxy1  admin   172.202.2.0/24        eth1 .1 .2   rproxy2
//!            service 10.8.0.0/24           eth2 .11 .12, client .100, service address .1
//! ```
//!
//! The networks are bridges on the client's machine, where cables can be pulled. Nothing outside is touched
//! but a temporary directory, and all of it ends when the [`Lab`] is dropped or this process ends.

use core::net::Ipv4Addr;
use std::path::Path;

use tempfile::TempDir;

mod error;
mod files;
mod node;
mod space;
mod watch;

pub use error::{LabError, output_within};
pub use files::{KEY, Paths, Service, Settings, authkeys, write};
pub use node::Node;
pub use space::Space;
pub use watch::{Interrupt, Watch};

use super::sample::Host;

/// The service address of the article.
pub const SERVICE_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 1);
/// The port that the service listens on.
pub const SERVICE_PORT: u16 = 80;
/// The client's address.
pub const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 100);

/// The UDP port on which every node echoes: `echo` of /etc/services.
const ECHO_PORT: u16 = 7;
/// The first of the addresses from which the neighbour asks.
const NEIGHBOUR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 200);
/// The start of every hardware address in the lab; node and network follow.
const MAC_START: [u8; 4] = [0x02, 0x73, 0x79, 0x73];

/// One of the three networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The heartbeat segment, `eth0` on the nodes.
    Private,
    /// The administrative network, `eth1`.
    Admin,
    /// Where the service address and the client are, `eth2`.
    Service,
}

impl Network {
    /// All of them, in the order of the nodes' interfaces.
    pub const ALL: [Self; 3] = [Self::Private, Self::Admin, Self::Service];

    /// The bridge on the client's machine.
    #[must_use]
    pub const fn bridge(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }

    /// The nodes' interface.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Private => "eth0",
            Self::Admin => "eth1",
            Self::Service => "eth2",
        }
    }

    /// The port of the bridge that a node's cable is plugged into.
    #[must_use]
    pub fn port(self, host: Host) -> String {
        format!("{}{}", self.bridge(), host.number())
    }

    const fn number(self) -> u8 {
        match self {
            Self::Private => 0,
            Self::Admin => 1,
            Self::Service => 2,
        }
    }

    /// A node's own address on it.
    #[must_use]
    pub const fn address(self, host: Host) -> Ipv4Addr {
        match self {
            Self::Private => Ipv4Addr::new(192, 168, 1, host.number()),
            Self::Admin => Ipv4Addr::new(172, 202, 2, host.number()),
            Self::Service => Ipv4Addr::new(10, 8, 0, 10 + host.number()),
        }
    }
}

/// The node whose service interface has this hardware address.
pub(crate) fn host_of_mac(mac: [u8; 6]) -> Option<Host> {
    Host::BOTH
        .into_iter()
        .find(|host| mac_of(*host, Network::Service) == mac)
}

const fn mac_of(host: Host, network: Network) -> [u8; 6] {
    let [a, b, c, d] = MAC_START;
    [a, b, c, d, host.number(), network.number()]
}

/// Two nodes, their networks and a client.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: the machines end before their files go.
    watch: Watch,
    nodes: [Node; 2],
    hub: Space,
    interrupt: Interrupt,
    binary: std::path::PathBuf,
    directory: TempDir,
}

impl Lab {
    /// Sets up the networks, the files of both nodes and the client; the nodes are off.
    ///
    /// `binary` is the `systole` that plays all parts.
    ///
    /// # Errors
    /// Something is missing on this machine, or it does not let this user make namespaces.
    pub fn new(binary: &Path, settings: &Settings, interrupt: Interrupt) -> Result<Self, LabError> {
        let binary = std::path::absolute(binary).map_err(LabError::file(binary))?;
        let directory = temporary_directory()?;
        let hub = Space::first(&binary, "client")?;
        hub.ip(&hub_lines())?;
        let client = client(&hub, &binary, settings);
        let watch = Watch::start(client, interrupt.clone())?;
        let node = |host| Node::new(directory.path(), host, settings, &binary, interrupt.clone());
        let [first, second] = Host::BOTH;
        let nodes = [node(first)?, node(second)?];
        Ok(Self {
            watch,
            nodes,
            hub,
            interrupt,
            binary,
            directory,
        })
    }

    /// Where the files of the lab are, while it lives.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The client's machine, with the bridges.
    #[must_use]
    pub const fn hub(&self) -> &Space {
        &self.hub
    }

    /// What the client has measured.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Waits that an operator can interrupt.
    #[must_use]
    pub const fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// A node.
    #[must_use]
    pub const fn node(&self, host: Host) -> &Node {
        let [first, second] = &self.nodes;
        match host {
            Host::First => first,
            Host::Second => second,
        }
    }

    /// A node, to do something with it.
    pub const fn node_mut(&mut self, host: Host) -> &mut Node {
        let [first, second] = &mut self.nodes;
        match host {
            Host::First => first,
            Host::Second => second,
        }
    }

    /// Switches a node's machine on and connects it; its daemon does not run yet.
    ///
    /// # Errors
    /// It is on already, or a command failed.
    pub fn power_on(&mut self, host: Host) -> Result<(), LabError> {
        if self.node(host).space.is_some() {
            return Err(LabError::State {
                host: host.name(),
                state: "on already",
            });
        }
        self.node(host).paths().forget_runtime()?;
        let space = self.hub.beside(&self.binary, host.name(), ECHO_PORT)?;
        self.hub.ip(&Network::ALL
            .map(|network| cable_lines(host, network, space.pid()))
            .concat())?;
        space.ip(&Network::ALL
            .map(|network| interface_lines(host, network))
            .concat())?;
        self.node_mut(host).space = Some(space);
        Ok(())
    }

    /// Cuts a node's power: the neighbours hear nothing more, and everything on it ends.
    ///
    /// # Errors
    /// It is off, or a command failed.
    pub fn power_cut(&mut self, host: Host) -> Result<(), LabError> {
        self.node(host).space()?;
        // Silence first: whatever its processes still do while they end, nobody hears it.
        let down = |network: Network| format!("link set {} down\n", network.port(host));
        self.hub.ip(&Network::ALL.map(down).concat())?;
        self.node_mut(host).lose_power();
        // The kernel removes a dead machine's network when it finds time, which can be long; whoever of
        // us two is first with a cable, it is gone then.
        for network in Network::ALL {
            let _ = self.remove_cable(host, network);
        }
        let left = self.hub.run("ip", &["-oneline", "link"])?;
        let stays = Network::ALL.map(|network| network.port(host));
        match stays.iter().find(|port| left.contains(&format!("{port}@"))) {
            None => Ok(()),
            Some(port) => Err(LabError::Command {
                command: format!("ip link delete {port}"),
                reason: "it is still there".to_owned(),
            }),
        }
    }

    /// Takes one of a node's interfaces away altogether, with its cable.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove_cable(&self, host: Host, network: Network) -> Result<(), LabError> {
        self.hub
            .ip(&format!("link delete {}\n", network.port(host)))
    }

    /// Gives a node the interface, with its cable and address.
    ///
    /// # Errors
    /// The node is off, or has it.
    pub fn lay_cable(&self, host: Host, network: Network) -> Result<(), LabError> {
        let space = self.node(host).space()?;
        self.hub.ip(&cable_lines(host, network, space.pid()))?;
        space.ip(&interface_lines(host, network))
    }

    /// Pulls one of a node's cables.
    ///
    /// # Errors
    /// The node is off.
    pub fn pull(&self, host: Host, network: Network) -> Result<(), LabError> {
        self.hub
            .ip(&format!("link set {} down\n", network.port(host)))
    }

    /// Plugs it in again.
    ///
    /// # Errors
    /// The node is off.
    pub fn plug(&self, host: Host, network: Network) -> Result<(), LabError> {
        self.hub
            .ip(&format!("link set {} up\n", network.port(host)))
    }
}

fn temporary_directory() -> Result<TempDir, LabError> {
    // The machines of the lab have a /run of their own, so nothing that they need may be there.
    let mut base = std::env::temp_dir();
    if base.starts_with("/run") {
        base = "/tmp".into();
    }
    let made = tempfile::Builder::new()
        .prefix("systole-lab-")
        .tempdir_in(&base);
    made.map_err(LabError::file(&base))
}

/// The bridges, the client's own address, and the neighbour's interface, which the kernel leaves alone.
fn hub_lines() -> String {
    let bridges = Network::ALL.map(|network| {
        let bridge = network.bridge();
        // A fixed hardware address: else it changes with every cable, and the nodes' ARP tables are wrong.
        let mac = format!("02:73:79:73:00:{:02x}", network.number());
        format!("link add {bridge} address {mac} type bridge\nlink set {bridge} up\n")
    });
    let service = Network::Service.bridge();
    format!(
        "{}address add {CLIENT_ADDRESS}/24 dev {service}\n\
         link add neighbour type veth peer name neighbour0\n\
         link set neighbour0 master {service} up\n\
         link set neighbour arp off up\n",
        bridges.concat()
    )
}

fn cable_lines(host: Host, network: Network, pid: i32) -> String {
    let (port, bridge, interface) = (network.port(host), network.bridge(), network.interface());
    let mac = mac_of(host, network)
        .map(|byte| format!("{byte:02x}"))
        .join(":");
    format!(
        "link add {port} type veth peer name {interface} address {mac} netns {pid}\n\
         link set {port} master {bridge} up\n"
    )
}

fn interface_lines(host: Host, network: Network) -> String {
    let (address, interface) = (network.address(host), network.interface());
    format!("address add {address}/24 broadcast + dev {interface}\nlink set {interface} up\n")
}

fn client(hub: &Space, binary: &Path, settings: &Settings) -> std::process::Command {
    let mut command = hub.command(binary);
    command
        .args(["demo-part", "client", "--arp-interface", "neighbour"])
        .args([
            format!("--service={SERVICE_ADDRESS}:{SERVICE_PORT}"),
            format!("--echo={ECHO_PORT}"),
            format!("--arp-sender={NEIGHBOUR_ADDRESS}"),
            format!("--interval={}", settings.probe_interval.as_micros()),
        ]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a node is known by the hardware address of its service interface, and by no other.
    #[test]
    fn hosts_by_mac() {
        for host in Host::BOTH {
            assert_eq!(host_of_mac(mac_of(host, Network::Service)), Some(host));
            assert_eq!(host_of_mac(mac_of(host, Network::Private)), None);
        }
    }
}
