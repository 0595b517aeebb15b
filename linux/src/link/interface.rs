//! What the kernel says about the interfaces of this machine, read in one go.

use core::net::{IpAddr, Ipv4Addr};
use std::io;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{LinkAddr, SockaddrStorage};

/// One interface.
#[derive(Clone, Debug)]
pub(crate) struct Interface {
    /// Its name.
    pub(crate) name: String,
    /// Its number; another one after it was deleted and made again.
    pub(crate) index: u32,
    /// Whether it is administratively up.
    pub(crate) up: bool,
    /// Whether neighbours are found by ARP or neighbour discovery on it.
    pub(crate) neighbours: bool,
    /// Its hardware address, in the form a packet socket takes as a destination.
    pub(crate) hardware: LinkAddr,
    /// Its addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The broadcast address of its first IPv4 address that has one.
    pub(crate) broadcast: Option<Ipv4Addr>,
}

/// Reads all interfaces of this machine.
pub(crate) fn interfaces() -> io::Result<Vec<Interface>> {
    let entries: Vec<_> = getifaddrs()?.collect();
    let mut found: Vec<Interface> = entries
        .iter()
        .filter_map(|entry| {
            let hardware = *entry.address.as_ref()?.as_link_addr()?;
            Some(Interface {
                name: entry.interface_name.clone(),
                index: u32::try_from(hardware.ifindex()).ok()?,
                up: entry.flags.contains(InterfaceFlags::IFF_UP),
                neighbours: !entry
                    .flags
                    .intersects(InterfaceFlags::IFF_NOARP | InterfaceFlags::IFF_LOOPBACK),
                hardware,
                addresses: Vec::new(),
                broadcast: None,
            })
        })
        .collect();
    for entry in entries {
        let Some(address) = entry.address.as_ref().and_then(ip) else {
            continue;
        };
        // An IPv4 entry is listed under its label: eth0:0 belongs to eth0.
        let name = entry.interface_name.split(':').next().unwrap_or_default();
        if let Some(interface) = found.iter_mut().find(|interface| interface.name == name) {
            interface.addresses.push(address);
            if let (None, Some(IpAddr::V4(broadcast))) =
                (interface.broadcast, entry.broadcast.as_ref().and_then(ip))
                && address.is_ipv4()
                && IpAddr::V4(broadcast) != address
            {
                interface.broadcast = Some(broadcast);
            }
        }
    }
    Ok(found)
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(address) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(address.ip()));
    }
    address
        .as_sockaddr_in6()
        .map(|address| IpAddr::V6(address.ip()))
}

/// Every address of this machine, so that `ucast` lines that name ourselves can be dropped and
/// both nodes can have the same ha.cf.
///
/// # Errors
/// When the kernel does not say; nothing was changed.
pub fn own_addresses() -> io::Result<Vec<IpAddr>> {
    Ok(interfaces()?
        .into_iter()
        .flat_map(|interface| interface.addresses)
        .collect())
}
