//! Who is compared: each knows its files, its daemon, and how an operator moves the service by hand.

mod heartbeat;
mod keepalived;
mod systole;

use core::time::Duration;
use std::path::Path;
use std::process::Command;

use ::systole::demo::lab::Lab;
use ::systole::demo::sample::Host;
use anyhow::Result;

pub(crate) use heartbeat::Heartbeat;
pub(crate) use keepalived::Keepalived;
pub(crate) use systole::Systole;

/// The interval between two heartbeats, or adverts, of everybody.
pub(crate) const KEEPALIVE: Duration = Duration::from_millis(100);
/// Silence after which a peer is dead, where that can be configured.
pub(crate) const DEADTIME: Duration = Duration::from_millis(500);

/// Software that keeps a service address alive on two nodes.
pub(crate) trait Contender {
    /// What it is called in the table, with its timings.
    fn name(&self) -> String;

    /// The name of its daemon, for messages.
    fn program(&self) -> &'static str;

    /// Does what installing it on a machine does; the machine has just been switched on.
    fn install(&self, lab: &Lab, host: Host) -> Result<()>;

    /// The daemon, in the foreground.
    fn daemon(&self, lab: &Lab, host: Host) -> Result<Command>;

    /// Whether this node's daemon has taken its place: it knows its peer, and moves nothing.
    fn settled(&self, lab: &Lab, host: Host) -> bool;

    /// The operator asks this node, the holder, to hand over.
    fn standby(&self, lab: &Lab, host: Host) -> Result<()>;

    /// Undoes what keeps the service away from the first node after its standby.
    fn recall(&self, lab: &Lab) -> Result<()>;

    /// How long after a start it has timers of its own running, which nobody can see from outside and
    /// which change what it does next.
    fn warm_up(&self) -> Duration {
        Duration::ZERO
    }

    /// The most that a slow one needs from its start until it serves, or has handed over.
    fn patience(&self) -> Duration {
        Duration::from_secs(15)
    }
}

/// A peer that may not be installed.
struct Peer {
    name: &'static str,
    program: &'static str,
    package: &'static str,
    make: fn() -> Box<dyn Contender>,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "keepalived",
        program: keepalived::PROGRAM,
        package: "keepalived",
        make: || Box::new(Keepalived),
    },
    Peer {
        name: "heartbeat",
        program: heartbeat::PROGRAM,
        package: "heartbeat resource-agents net-tools",
        make: || Box::new(Heartbeat),
    },
];

/// Systole, then the peers that are here, then a sentence about each that is not.
pub(crate) fn all(with_peers: bool) -> (Vec<Box<dyn Contender>>, Vec<String>) {
    let mut contenders: Vec<Box<dyn Contender>> = vec![Box::new(Systole)];
    let mut absent = Vec::new();
    let root = nix::unistd::geteuid().is_root();
    for peer in PEERS.iter().filter(|_| with_peers) {
        if !Path::new(peer.program).exists() {
            absent.push(format!(
                "{} is not installed and not compared; to have it: cargo xtask setup --bench, \
                 or apt-get install {}",
                peer.name, peer.package
            ));
        } else if root {
            contenders.push((peer.make)());
        } else {
            absent.push(format!(
                "{} runs only as root and is not compared",
                peer.name
            ));
        }
    }
    (contenders, absent)
}
