//! Lets the agent's workers use the kernel's service addresses, and the heart keep their leases.

use core::net::IpAddr;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::agent::{AddressError, Addresses};
use crate::config::{Address, Group, Resource};
use crate::service_ip::{Pulse, ServiceIp};
use systole_core::id::GroupId;

/// The leases of the service addresses, by group.
pub(super) struct Leases {
    pub(super) pulse: Pulse,
    groups: Vec<Vec<IpAddr>>,
}

impl Leases {
    pub(super) fn new(pulse: Pulse, groups: &[Group]) -> Self {
        let addresses = |group: &Group| addresses(group).collect();
        Self {
            pulse,
            groups: groups.iter().map(addresses).collect(),
        }
    }

    /// The group is to be released.
    pub(super) fn forgo(&self, group: GroupId) {
        for address in self.groups.get(usize::from(group.0)).into_iter().flatten() {
            self.pulse.forgo(*address);
        }
    }
}

/// The service addresses of a group.
pub(super) fn addresses(group: &Group) -> impl Iterator<Item = IpAddr> {
    group
        .resources
        .iter()
        .filter_map(|resource| match resource {
            Resource::Address(address) => Some(address.address),
            Resource::Agent { .. } => None,
        })
}

impl Addresses for ServiceIp {
    fn acquire<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        async {
            let added = self.add(address).await?;
            if added.adopted {
                tracing::info!(
                    "{} was here from an earlier run and is kept",
                    address.address
                );
            }
            Ok(())
        }
        .boxed()
    }

    fn release<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        async {
            self.remove(address.address).await?;
            Ok(())
        }
        .boxed()
    }

    fn announce<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>> {
        async {
            let plan = self.plan(address).await?;
            Self::announce(self, &[plan]);
            Ok(())
        }
        .boxed()
    }
}
