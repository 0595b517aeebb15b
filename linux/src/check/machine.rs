//! What the checks look at: the machine's files below a root, and its addresses.

use core::net::IpAddr;
use std::path::{Path, PathBuf};

use nix::sys::socket::SockaddrStorage;

use crate::config::{Address, Parts, Resource, Spanned};

/// Bytes that are read of a file of the machine.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// This machine, or a test's stand-in.
#[derive(Debug)]
pub(super) struct Machine {
    /// `/`.
    pub(super) root: PathBuf,
    /// Every address of every interface.
    pub(super) addresses: Vec<OwnAddress>,
}

/// An address of this machine.
#[derive(Clone, Debug)]
pub(super) struct OwnAddress {
    pub(super) interface: String,
    pub(super) address: IpAddr,
    pub(super) prefix: u32,
}

/// Whether two addresses share their first bits.
pub(super) fn same_network(one: IpAddr, other: IpAddr, prefix: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let shift = 32_u32.saturating_sub(prefix);
            (one.to_bits() ^ other.to_bits())
                .checked_shr(shift)
                .unwrap_or(0)
                == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let shift = 128_u32.saturating_sub(prefix);
            (one.to_bits() ^ other.to_bits())
                .checked_shr(shift)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}

impl Machine {
    /// The machine we run on.
    pub(super) fn this() -> Self {
        let addresses = nix::ifaddrs::getifaddrs()
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                Some(OwnAddress {
                    address: ip(&entry.address?)?,
                    prefix: entry.netmask.as_ref().and_then(ip).map_or(0, ones),
                    interface: entry.interface_name,
                })
            })
            .collect();
        Self {
            root: PathBuf::from("/"),
            addresses,
        }
    }

    /// A path below the root.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a file below the root; empty when it cannot be read.
    pub(super) fn text(&self, path: &str) -> String {
        text(&self.path(path))
    }

    /// The entries of a directory below the root, sorted; none when it cannot be read.
    pub(super) fn list(&self, path: &str) -> Vec<PathBuf> {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(self.path(path))
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        entries.sort();
        entries
    }

    /// Whether systemd runs this machine, as `sd_booted(3)` finds out.
    pub(super) fn has_systemd(&self) -> bool {
        self.path("run/systemd/system").is_dir()
    }

    /// The numbers of processes whose program has this name, without ourselves.
    pub(super) fn processes(&self, program: &str) -> Vec<u32> {
        self.list("proc")
            .iter()
            .filter_map(|path| file_name(path).parse().ok())
            .filter(|pid| *pid != std::process::id())
            .filter(|pid| self.program(*pid) == program)
            .collect()
    }

    /// The name of a process's program.
    pub(super) fn program(&self, pid: u32) -> String {
        self.text(&format!("proc/{pid}/comm")).trim().to_owned()
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

fn ones(mask: IpAddr) -> u32 {
    match mask {
        IpAddr::V4(mask) => mask.to_bits().count_ones(),
        IpAddr::V6(mask) => mask.to_bits().count_ones(),
    }
}

/// The text of a regular file, its beginning if it is very long.
pub(super) fn text(path: &Path) -> String {
    use std::io::Read as _;
    if !path.is_file() {
        return String::new();
    }
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(path) {
        // What cannot be read to its end is judged by its beginning.
        drop(file.take(FILE_BYTES_MAX).read_to_end(&mut bytes));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last part of a path as text.
pub(super) fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// The service addresses and where they stand.
pub(super) fn service_addresses(parts: &Parts) -> impl Iterator<Item = Spanned<&Address>> {
    let resources = parts.groups.iter().flat_map(|group| &group.resources);
    resources.filter_map(|resource| match &resource.value {
        Resource::Address(address) => Some(Spanned::new(address, &resource.span)),
        Resource::Agent { .. } => None,
    })
}

/// The names of scripts and units, each once, and where they stand first.
pub(super) fn agents(parts: &Parts) -> Vec<Spanned<&str>> {
    let mut agents: Vec<Spanned<&str>> = Vec::new();
    for resource in parts.groups.iter().flat_map(|group| &group.resources) {
        if let Resource::Agent { name, .. } = &resource.value
            && agents.iter().all(|agent| agent.value != name)
        {
            agents.push(Spanned::new(name.as_str(), &resource.span));
        }
    }
    agents
}

/// The systemd unit that a resource's name may stand for, without `.service`.
pub(super) fn unit(agent: &str) -> &str {
    let name = agent.strip_prefix("systemd:").unwrap_or(agent);
    name.strip_suffix(".service").unwrap_or(name)
}
