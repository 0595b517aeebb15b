//! The conversation with the kernel about addresses: rtnetlink in, our own types out. The netlink
//! crates break with every release, so none of their types leave this file.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the netlink enums are non-exhaustive and list far more than an address needs"
)]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::sync::Arc;

use futures_util::TryStreamExt;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, CacheInfo,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType,
};
use nix::errno::Errno;
use rtnetlink::{AddressAddRequest, Handle, LinkUnspec, RouteMessageBuilder};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::error::ServiceIpError;
use super::lease::Lease;
use super::ledger::MARK;
use super::plan::{Held, Interface, Machine, Plan, Route};

/// Between two tries to have lists made while an earlier one is still being read.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Such tries; together a second.
const BUSY_TRIES_MAX: u32 = 200;

/// A connection to the kernel; its task ends when this is dropped.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    handle: Handle,
    /// The kernel makes one list at a time for a connection, and refuses a second one meanwhile.
    lists: Arc<Mutex<()>>,
}

/// What the picture of the machine has to show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub(super) routes_v4: bool,
    pub(super) routes_v6: bool,
}

impl Kernel {
    /// Needs a tokio runtime.
    pub(super) fn open() -> Result<Self, ServiceIpError> {
        let (connection, handle, _) =
            rtnetlink::new_connection().map_err(|error| ServiceIpError::Netlink {
                what: "talk to the kernel about addresses".to_owned(),
                text: error.to_string(),
            })?;
        tokio::spawn(connection);
        Ok(Self {
            handle,
            lists: Arc::default(),
        })
    }

    /// A picture of this machine.
    pub(super) async fn machine(&self, view: View) -> Result<Machine, ServiceIpError> {
        let _turn = self.lists.lock().await;
        for _ in 1..BUSY_TRIES_MAX {
            match self.lists(view).await {
                // Whoever wanted the list before us was broken off, and its rest is still coming.
                Err(ServiceIpError::Kernel {
                    errno: Errno::EBUSY,
                    ..
                }) => {
                    sleep(BUSY_PAUSE).await;
                }
                done => return done,
            }
        }
        self.lists(view).await
    }

    async fn lists(&self, view: View) -> Result<Machine, ServiceIpError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error| failure(what, &error)
        };
        let interfaces = self.handle.link().get().execute();
        let interfaces: Vec<_> = interfaces
            .try_filter_map(async |message| Ok(interface(message)))
            .try_collect()
            .await
            .map_err(failed("list the interfaces"))?;
        let held = self.handle.address().get().execute();
        let held: Vec<_> = held
            .try_filter_map(async |message| Ok(held_address(message)))
            .try_collect()
            .await
            .map_err(failed("list the addresses"))?;
        let mut routes = Vec::new();
        let v4 = RouteMessageBuilder::<Ipv4Addr>::new().build();
        let v6 = RouteMessageBuilder::<Ipv6Addr>::new().build();
        for (wanted, filter) in [(view.routes_v4, v4), (view.routes_v6, v6)] {
            if wanted {
                let found = self.handle.route().get(filter).execute();
                let found: Vec<_> = found
                    .try_filter_map(async |message| Ok(route(&message)))
                    .try_collect()
                    .await
                    .map_err(failed("list the routes"))?;
                routes.extend(found);
            }
        }
        Ok(Machine {
            interfaces,
            held,
            routes,
        })
    }

    /// Adds an address, with our mark.
    pub(super) async fn add(
        &self,
        plan: &Plan,
        lease: Option<Lease>,
    ) -> Result<(), ServiceIpError> {
        let request = self.put(plan, lease, AddressFlags::empty());
        let what = || format!("add {}/{} to {}", plan.address, plan.prefix, plan.interface);
        match request.execute().await {
            Err(error) if errno(&error) == Some(Errno::EEXIST) => Err(ServiceIpError::Foreign {
                address: plan.address,
                prefix: plan.prefix,
                interface: plan.interface.clone(),
            }),
            other => other.map_err(|error| failure(what(), &error)),
        }
    }

    /// Starts the lease of an address that is here anew; without a lease it stays from now on.
    /// Never adds one: says false when it is not here.
    ///
    /// The kernel has no such request: it ignores that `NLM_F_CREATE` is missing and adds the address.
    /// But before it adds one with `IFA_F_MCAUTOJOIN` it joins that multicast group, which fails for
    /// an address that is none. One that is here is changed all the same (IPv6 shows it as `autojoin`
    /// afterwards, without any effect).
    pub(super) async fn extend(
        &self,
        plan: &Plan,
        lease: Option<Lease>,
    ) -> Result<bool, ServiceIpError> {
        let request = self.put(plan, lease, AddressFlags::Mcautojoin).replace();
        let what = || {
            format!(
                "renew {}/{} on {}",
                plan.address, plan.prefix, plan.interface
            )
        };
        match request.execute().await {
            Ok(()) => Ok(true),
            Err(error) if matches!(errno(&error), Some(Errno::EINVAL | Errno::ENODEV)) => Ok(false),
            Err(error) => Err(failure(what(), &error)),
        }
    }

    fn put(&self, plan: &Plan, lease: Option<Lease>, flags: AddressFlags) -> AddressAddRequest {
        let mut request = self
            .handle
            .address()
            .add(plan.index, plan.address, plan.prefix);
        let attributes = &mut request.message_mut().attributes;
        attributes.retain(|attribute| !matches!(attribute, AddressAttribute::Broadcast(_)));
        attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(MARK)));
        attributes.extend(plan.broadcast.map(AddressAttribute::Broadcast));
        attributes.extend(plan.label.clone().map(AddressAttribute::Label));
        // Duplicate detection would keep the address unusable for a second or more.
        let nodad = AddressFlags::Nodad;
        let flags = flags
            | if plan.address.is_ipv6() {
                nodad
            } else {
                AddressFlags::empty()
            };
        attributes.push(AddressAttribute::Flags(flags));
        let seconds = lease.map_or(u32::MAX, Lease::seconds);
        let mut lifetime = CacheInfo::default();
        (lifetime.ifa_valid, lifetime.ifa_preferred) = (seconds, seconds);
        attributes.push(AddressAttribute::CacheInfo(lifetime));
        request
    }

    /// Removes an address. One that has gone meanwhile, perhaps with its interface, is removed.
    pub(super) async fn remove(&self, held: &Held, interface: &str) -> Result<(), ServiceIpError> {
        let mut message = AddressMessage::default();
        message.header.family = match held.address {
            IpAddr::V4(_) => AddressFamily::Inet,
            IpAddr::V6(_) => AddressFamily::Inet6,
        };
        message.header.prefix_len = held.prefix;
        message.header.index = held.index;
        message.attributes = vec![
            AddressAttribute::Local(held.address),
            AddressAttribute::Address(held.address),
        ];
        let removed = self.handle.address().del(message).execute().await;
        match removed {
            Err(error)
                if matches!(
                    errno(&error),
                    Some(Errno::EADDRNOTAVAIL | Errno::ENODEV | Errno::ENXIO)
                ) =>
            {
                Ok(())
            }
            other => other.map_err(|error| {
                let what = format!("remove {}/{} from {interface}", held.address, held.prefix);
                failure(what, &error)
            }),
        }
    }

    /// Brings an interface up.
    pub(super) async fn raise(&self, interface: &Interface) -> Result<(), ServiceIpError> {
        let message = LinkUnspec::new_with_index(interface.index).up().build();
        let raised = self.handle.link().set(message).execute().await;
        raised.map_err(|error| failure(format!("bring {} up", interface.name), &error))
    }
}

fn interface(message: LinkMessage) -> Option<Interface> {
    let (index, up) = (
        message.header.index,
        message.header.flags.contains(LinkFlags::Up),
    );
    message
        .attributes
        .into_iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(Interface { index, name, up }),
            _ => None,
        })
}

fn held_address(message: AddressMessage) -> Option<Held> {
    let mut flags = AddressFlags::from_bits_retain(message.header.flags.bits().into());
    let (mut local, mut remote, mut label, mut ours) = (None, None, None, false);
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(address),
            AddressAttribute::Address(address) => remote = Some(address),
            AddressAttribute::Label(text) => label = Some(text),
            AddressAttribute::Flags(all) => flags = all,
            AddressAttribute::Protocol(protocol) => ours = u8::from(protocol) == MARK,
            _ => {}
        }
    }
    Some(Held {
        // On a point-to-point interface the other attribute is the far end.
        address: local.or(remote)?,
        prefix: message.header.prefix_len,
        index: message.header.index,
        label,
        ours,
        secondary: flags.contains(AddressFlags::Secondary),
        usable: !flags.intersects(AddressFlags::Tentative | AddressFlags::Dadfailed),
    })
}

fn route(message: &RouteMessage) -> Option<Route> {
    let header = &message.header;
    if header.table != RouteHeader::RT_TABLE_MAIN || header.kind != RouteType::Unicast {
        return None;
    }
    let (mut to, mut metric, mut index) = (unspecified(header.address_family)?, 0, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => to = IpAddr::V4(*address),
            RouteAttribute::Destination(RouteAddress::Inet6(address)) => to = IpAddr::V6(*address),
            RouteAttribute::Priority(value) => metric = *value,
            RouteAttribute::Oif(value) => index = Some(*value),
            RouteAttribute::MultiPath(hops) => {
                index = index.or(hops.first().map(|hop| hop.interface_index));
            }
            _ => {}
        }
    }
    Some(Route {
        to,
        prefix: header.destination_prefix_length,
        metric,
        index: index?,
    })
}

const fn unspecified(family: AddressFamily) -> Option<IpAddr> {
    match family {
        AddressFamily::Inet => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        AddressFamily::Inet6 => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => None,
    }
}

fn errno(error: &rtnetlink::Error) -> Option<Errno> {
    let rtnetlink::Error::NetlinkError(message) = error else {
        return None;
    };
    message
        .code
        .map(|code| Errno::from_raw(code.get().saturating_neg()))
}

fn failure(what: String, error: &rtnetlink::Error) -> ServiceIpError {
    match errno(error) {
        Some(errno) => ServiceIpError::kernel(what, errno),
        None => ServiceIpError::Netlink {
            what,
            text: error.to_string(),
        },
    }
}
