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
    /// Whether it has a carrier: without one the kernel drops what is sent.
    pub(crate) carrier: bool,
    /// Whether neighbours are found by ARP or neighbour discovery on it.
    pub(crate) neighbours: bool,
    /// Its hardware address, in the form a packet socket takes as a destination.
    pub(crate) hardware: LinkAddr,
    /// Its addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// The broadcast address of the network of its first IPv4 address that has one.
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
                carrier: entry.flags.contains(InterfaceFlags::IFF_LOWER_UP),
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
            if let IpAddr::V4(address) = address {
                let told = entry.broadcast.as_ref().and_then(ip);
                let mask = entry.netmask.as_ref().and_then(ip);
                let found = broadcast(address, mask, told);
                interface.broadcast = interface.broadcast.or(found);
            }
        }
    }
    Ok(found)
}

/// What the kernel was told, else the highest address of the network: `ip addr add` without `brd +`
/// tells the kernel nothing. Networks of one or two addresses have none.
fn broadcast(address: Ipv4Addr, mask: Option<IpAddr>, told: Option<IpAddr>) -> Option<Ipv4Addr> {
    if let Some(IpAddr::V4(told)) = told
        && told != address
        && !told.is_unspecified()
    {
        return Some(told);
    }
    let Some(IpAddr::V4(mask)) = mask else {
        return None;
    };
    let hosts = !u32::from(mask);
    (hosts > 1).then(|| Ipv4Addr::from(u32::from(address) | hosts))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the broadcast address is the kernel's, else worked out, and none where there is none.
    #[test]
    fn broadcast_address() {
        let address = Ipv4Addr::new(10, 1, 0, 1);
        let mask = |last| Some(IpAddr::from([255, 255, 255, last]));
        let told = Some(IpAddr::from([10, 1, 255, 255]));
        let is = |last| Some(Ipv4Addr::new(10, 1, 0, last));
        assert_eq!(
            broadcast(address, mask(0), told),
            Some(Ipv4Addr::new(10, 1, 255, 255))
        );
        assert_eq!(broadcast(address, mask(0), None), is(255));
        let unspecified = Some(IpAddr::from([0, 0, 0, 0]));
        assert_eq!(broadcast(address, mask(240), unspecified), is(15));
        assert_eq!(broadcast(address, mask(254), None), None);
        assert_eq!(broadcast(address, mask(255), Some(address.into())), None);
    }
}
