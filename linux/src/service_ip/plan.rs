//! Where a service address goes: the interface, prefix, broadcast address and label that the
//! administrator left out. Pure: a picture of the machine in, a plan out.

use core::cmp::Reverse;
use core::net::{IpAddr, Ipv4Addr};

use super::error::ServiceIpError;
use crate::config::{Address, AddressStyle};

/// `IPaddr` numbers its aliases from 0; the original stops at this many.
pub const ALIASES_MAX: usize = 100;

/// The kernel's `IFNAMSIZ` without the closing NUL.
const LABEL_BYTES_MAX: usize = 15;

/// Everything needed to add a service address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The address.
    pub address: IpAddr,
    /// Bits of its netmask.
    pub prefix: u8,
    /// The interface.
    pub interface: String,
    /// The interface's number.
    pub index: u32,
    /// The full label, `eth0:0`; IPv4 only.
    pub label: Option<String>,
    /// The broadcast address; IPv4 with a prefix below 31 only.
    pub broadcast: Option<Ipv4Addr>,
    /// Only the default route led to the interface: worth a second look by the administrator.
    pub by_default_route: bool,
}

/// What a plan is made from.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) interfaces: Vec<Interface>,
    pub(super) held: Vec<Held>,
    pub(super) routes: Vec<Route>,
}

/// An interface.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) up: bool,
}

/// An address that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) address: IpAddr,
    pub(super) prefix: u8,
    pub(super) index: u32,
    pub(super) label: Option<String>,
    /// Whether we added it.
    pub(super) ours: bool,
    /// Whether it depends on an earlier address of the same network.
    pub(super) secondary: bool,
    /// Whether the kernel uses it: not tentative, not found to be a duplicate.
    pub(super) usable: bool,
}

/// A unicast route of the main table, in the kernel's order.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) to: IpAddr,
    pub(super) prefix: u8,
    pub(super) metric: u32,
    pub(super) index: u32,
}

impl Machine {
    /// Completes an address. The route with the lowest metric decides, the default route last;
    /// of equals the narrower network, then the first in the table. These are the original's rules
    /// (hb306: `findif`), which measures so; it refuses when only the default route is left and no
    /// netmask is given, where we take its interface with a host prefix.
    pub(super) fn plan(&self, wanted: &Address) -> Result<Plan, ServiceIpError> {
        let address = wanted.address;
        let named = match &wanted.interface {
            Some(name) => Some(self.named(address, name)?),
            None if is_link_local(address) => return Err(ServiceIpError::InterfaceNeeded(address)),
            None => None,
        };
        let route = self.route(address, named.map(|interface| interface.index));
        let interface = match (named, route) {
            (Some(interface), _) => interface,
            (None, Some(route)) => self
                .interface(route.index)
                .ok_or(ServiceIpError::NoRoute(address))?,
            (None, None) => return Err(ServiceIpError::NoRoute(address)),
        };
        let network = route.filter(|route| route.prefix > 0);
        let prefix = wanted
            .prefix
            .or(network.map(|route| route.prefix))
            .unwrap_or(width(address));
        let ours = self.ours(address, interface.index, prefix);
        let label = match ours {
            Some(held) => held.label.clone(),
            None => self.label(wanted, &interface.name)?,
        };
        Ok(Plan {
            address,
            prefix,
            interface: interface.name.clone(),
            index: interface.index,
            label,
            broadcast: match address {
                IpAddr::V4(address) => wanted.broadcast.or_else(|| highest(address, prefix)),
                IpAddr::V6(_) => None,
            },
            by_default_route: named.is_none() && network.is_none(),
        })
    }

    /// Our own copy of an address, exactly where it is planned.
    pub(super) fn ours(&self, address: IpAddr, index: u32, prefix: u8) -> Option<&Held> {
        self.held.iter().find(|held| {
            held.ours && held.address == address && held.index == index && held.prefix == prefix
        })
    }

    pub(super) fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.index == index)
    }

    /// The name of an interface, for messages.
    pub(super) fn name(&self, index: u32) -> String {
        self.interface(index).map_or_else(
            || format!("interface {index}"),
            |interface| interface.name.clone(),
        )
    }

    /// Whether removing `held` would make a kernel that does not promote secondaries remove
    /// other addresses with it.
    pub(super) fn carries_others(&self, held: &Held) -> bool {
        !held.secondary
            && held.address.is_ipv4()
            && self.held.iter().any(|other| {
                other.secondary
                    && other.index == held.index
                    && other.prefix == held.prefix
                    && covers(held.address, held.prefix, other.address)
            })
    }

    fn named(&self, address: IpAddr, name: &str) -> Result<&Interface, ServiceIpError> {
        self.interfaces
            .iter()
            .find(|interface| interface.name == name)
            .ok_or_else(|| ServiceIpError::InterfaceMissing {
                address,
                interface: name.to_owned(),
            })
    }

    fn route(&self, address: IpAddr, on: Option<u32>) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| on.is_none_or(|index| index == route.index))
            .filter(|route| covers(route.to, route.prefix, address))
            .min_by_key(|route| (route.prefix == 0, route.metric, Reverse(route.prefix)))
    }

    fn label(&self, wanted: &Address, interface: &str) -> Result<Option<String>, ServiceIpError> {
        let address = wanted.address;
        if address.is_ipv6() {
            return Ok(None);
        }
        let label = match (&wanted.label, wanted.style) {
            (Some(label), _) => format!("{interface}:{label}"),
            (None, AddressStyle::IPaddr) => (0..ALIASES_MAX)
                .map(|number| format!("{interface}:{number}"))
                .find(|label| {
                    !self
                        .held
                        .iter()
                        .any(|held| held.label.as_ref() == Some(label))
                })
                .ok_or_else(|| ServiceIpError::AliasesExhausted {
                    address,
                    interface: interface.to_owned(),
                })?,
            (None, AddressStyle::IPaddr2 | AddressStyle::IPv6addr) => return Ok(None),
        };
        if label.len() > LABEL_BYTES_MAX {
            return Err(ServiceIpError::LabelTooLong { address, label });
        }
        Ok(Some(label))
    }
}

/// Bits of an address.
pub(super) const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// The highest address of the network, which is its broadcast address. Networks of one or two
/// addresses have none (RFC 3021).
fn highest(address: Ipv4Addr, prefix: u8) -> Option<Ipv4Addr> {
    (prefix < 31).then(|| Ipv4Addr::from(u32::from(address) | (u32::MAX >> prefix)))
}

/// Whether the network holds the address.
fn covers(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let shift = |bits: u8| u32::from(bits.saturating_sub(prefix));
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differ = u32::from(network) ^ u32::from(address);
            differ.checked_shr(shift(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differ = u128::from(network) ^ u128::from(address);
            differ.checked_shr(shift(128)).unwrap_or(0) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests;
