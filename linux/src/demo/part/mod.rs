//! The processes that the lab starts inside its namespaces: hidden subcommands of this same binary.

use core::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;

use clap::Subcommand;

mod arp;
mod client;
mod responder;
mod space;

/// One process of the lab.
#[derive(Clone, Debug, Subcommand)]
pub enum Part {
    /// Process 1 of a namespace: sets it up, holds it open and reaps its orphans.
    Space {
        /// The host name.
        #[arg(long)]
        name: String,
        /// The UDP port on which to echo, with the host name added.
        #[arg(long)]
        echo: Option<u16>,
    },
    /// The client that measures the service address.
    Client {
        /// The service address and its HTTP port.
        #[arg(long)]
        service: SocketAddrV4,
        /// The UDP port of the nodes' echo.
        #[arg(long)]
        echo: u16,
        /// The interface from which to ask by ARP.
        #[arg(long)]
        arp_interface: String,
        /// The sender address of those ARP requests.
        #[arg(long)]
        arp_sender: Ipv4Addr,
        /// Between two probes of a kind, in microseconds.
        #[arg(long)]
        interval: u64,
    },
    /// Plays nginx where there is none.
    Responder {
        /// Where to listen.
        #[arg(long)]
        listen: SocketAddrV4,
        /// What to answer.
        #[arg(long)]
        name: String,
        /// Where to write the process id once it listens.
        #[arg(long)]
        pid_file: PathBuf,
    },
}

/// Runs one of the lab's processes; it ends when the lab ends it.
///
/// # Errors
/// What went wrong in setting it up.
pub fn run(part: &Part) -> anyhow::Result<()> {
    match part {
        Part::Space { name, echo } => space::run(name, *echo),
        Part::Client {
            service,
            echo,
            arp_interface,
            arp_sender,
            interval,
        } => client::run(&client::Settings {
            service: *service,
            echo: *echo,
            arp_interface,
            arp_sender: *arp_sender,
            interval: core::time::Duration::from_micros(*interval),
        }),
        Part::Responder {
            listen,
            name,
            pid_file,
        } => responder::run(*listen, name, pid_file),
    }
}
