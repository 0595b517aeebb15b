//! Lets the agent's workers use the kernel's service addresses.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::agent::{AddressError, Addresses};
use crate::config::Address;
use crate::service_ip::ServiceIp;

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
