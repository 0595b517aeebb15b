//! The service addresses: added to and removed from this machine over netlink, and announced to
//! the neighbours. No address is touched that Systole did not add itself.
//!
//! An interface that is down is brought up, as the original's `IPaddr2` does: an address on it
//! would serve nobody. An interface that is missing is an error.

use core::net::IpAddr;
use std::path::Path;

use crate::config::Address;

mod announce;
mod error;
mod frame;
mod kernel;
mod ledger;
mod plan;

pub use error::ServiceIpError;
pub use plan::{ALIASES_MAX, Plan};

use announce::Announcer;
use kernel::{Kernel, View};
use ledger::Ledger;
use plan::{Held, Machine};

/// Where the kernel is told to keep secondary addresses when their primary goes.
const PROMOTE: &str = "promote_secondaries";

/// An address that is on this machine now because we added it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Where and how.
    pub plan: Plan,
    /// It was here from an earlier run; nothing had to be added.
    pub adopted: bool,
}

/// The service addresses of this machine.
pub struct ServiceIp {
    kernel: Kernel,
    announcer: Announcer,
    ledger: Ledger,
}

impl ServiceIp {
    /// Opens the connections to the kernel. Needs a tokio runtime. `runtime_dir` must exist; on
    /// kernels before 5.18 the record of our addresses is there.
    ///
    /// # Errors
    /// When a capability is missing.
    pub fn new(runtime_dir: &Path) -> Result<Self, ServiceIpError> {
        Self::with_ledger(Ledger::choose(runtime_dir))
    }

    fn with_ledger(ledger: Ledger) -> Result<Self, ServiceIpError> {
        Ok(Self {
            kernel: Kernel::open()?,
            announcer: Announcer::open()?,
            ledger,
        })
    }

    /// Says where an address would go now. Changes nothing.
    ///
    /// # Errors
    /// When that cannot be decided.
    pub async fn plan(&self, address: &Address) -> Result<Plan, ServiceIpError> {
        let machine = self.machine(core::slice::from_ref(address)).await?;
        machine.plan(address)
    }

    /// Adds an address and announces it. One left over from an earlier run is adopted and announced
    /// again.
    ///
    /// # Errors
    /// When it could not be added, or is here but not ours; nothing has changed then.
    pub async fn add(&self, address: &Address) -> Result<Added, ServiceIpError> {
        let machine = &mut self.machine(core::slice::from_ref(address)).await?;
        let added = self.add_one(machine, address).await?;
        self.announce(core::slice::from_ref(&added.plan));
        Ok(added)
    }

    /// As `add` for several addresses, in order, looking at the machine only once.
    ///
    /// # Errors
    /// When one could not be added: those before it stay, are announced, and must be removed.
    pub async fn add_all(&self, addresses: &[Address]) -> Result<Vec<Added>, ServiceIpError> {
        let machine = &mut self.machine(addresses).await?;
        let mut added = Vec::with_capacity(addresses.len());
        let mut failed = None;
        for address in addresses {
            match self.add_one(machine, address).await {
                Ok(one) => added.push(one),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let plans = added.iter().map(|added: &Added| &added.plan);
        self.announcer
            .start(plans.map(|plan| (plan.address, plan.interface.as_str())));
        failed.map_or(Ok(added), Err)
    }

    /// Announces addresses that are here: at once, and again for six seconds or until they are
    /// removed. `add` does so by itself; after a conflict it is needed again.
    pub fn announce(&self, plans: &[Plan]) {
        self.announcer.start(
            plans
                .iter()
                .map(|plan| (plan.address, plan.interface.as_str())),
        );
    }

    /// Removes an address wherever it is, and says whether it was here. One that is not here, or
    /// went with its interface, is fine.
    ///
    /// # Errors
    /// When it is here afterwards: the kernel refused, or it is not ours and was not touched.
    pub async fn remove(&self, address: IpAddr) -> Result<bool, ServiceIpError> {
        self.announcer.stop(address);
        let machine = self.machine(&[]).await?;
        let here = machine.held.iter().filter(|held| held.address == address);
        let (ours, foreign): (Vec<_>, Vec<_>) = here.partition(|held| held.ours);
        for held in &ours {
            self.remove_one(&machine, held).await?;
        }
        self.ledger.remove(address)?;
        match foreign.first() {
            Some(held) => Err(foreign_error(&machine, held)),
            None => Ok(!ours.is_empty()),
        }
    }

    /// Whether an address is on this machine, ours, and usable.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub async fn holds(&self, address: IpAddr) -> Result<bool, ServiceIpError> {
        let machine = self.machine(&[]).await?;
        let here = |held: &Held| held.address == address && held.ours && held.usable;
        Ok(machine.held.iter().any(here))
    }

    /// Every address on this machine that we added, in this run or an earlier one.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub async fn owned(&self) -> Result<Vec<IpAddr>, ServiceIpError> {
        let machine = self.machine(&[]).await?;
        let ours = machine.held.iter().filter(|held| held.ours);
        Ok(ours.map(|held| held.address).collect())
    }

    async fn add_one(
        &self,
        machine: &mut Machine,
        wanted: &Address,
    ) -> Result<Added, ServiceIpError> {
        let plan = machine.plan(wanted)?;
        let address = plan.address;
        let mut here = machine.held.iter().filter(|held| held.address == address);
        if let Some(held) = here.clone().find(|held| !held.ours) {
            return Err(foreign_error(machine, held));
        }
        let kept = machine.ours(address, plan.index, plan.prefix);
        if let Some(stray) = here.find(|held| Some(*held) != kept) {
            // Our own from before haresources or the routes were changed.
            self.remove_one(machine, stray).await?;
        }
        let adopted = kept.is_some();
        if let Some(interface) = machine.interface(plan.index).filter(|found| !found.up) {
            self.kernel.raise(interface).await?;
        }
        if !adopted {
            self.ledger.add(address)?;
            if let Err(error) = self.kernel.add(&plan).await {
                self.ledger.remove(address)?;
                return Err(error);
            }
            machine.held.push(Held {
                address,
                prefix: plan.prefix,
                index: plan.index,
                label: plan.label.clone(),
                ours: true,
                secondary: false,
                usable: true,
            });
        }
        Ok(Added { plan, adopted })
    }

    async fn remove_one(&self, machine: &Machine, held: &Held) -> Result<(), ServiceIpError> {
        let interface = machine.name(held.index);
        if machine.carries_others(held) {
            promote_secondaries(&interface);
        }
        self.kernel.remove(held, &interface).await
    }

    /// A picture of the machine: with routes when one of these addresses needs them.
    async fn machine(&self, wanted: &[Address]) -> Result<Machine, ServiceIpError> {
        let open = |address: &&Address| address.interface.is_none() || address.prefix.is_none();
        let mut open = wanted.iter().filter(open);
        let view = View {
            routes_v4: open.clone().any(|wanted| wanted.address.is_ipv4()),
            routes_v6: open.any(|wanted| wanted.address.is_ipv6()),
        };
        let mut machine = self.kernel.machine(view).await?;
        if let Some(record) = self.ledger.read()? {
            for held in &mut machine.held {
                held.ours = record.contains(&held.address);
            }
        }
        Ok(machine)
    }
}

fn foreign_error(machine: &Machine, held: &Held) -> ServiceIpError {
    ServiceIpError::Foreign {
        address: held.address,
        prefix: held.prefix,
        interface: machine.name(held.index),
    }
}

/// The first IPv4 address of a network on an interface is its primary; with it the kernel removes
/// the others of the network, which need not be ours, unless it was told to promote them.
fn promote_secondaries(interface: &str) {
    let path = format!("/proc/sys/net/ipv4/conf/{interface}/{PROMOTE}");
    if let Err(error) = std::fs::write(&path, "1") {
        tracing::warn!(
            "cannot set {path} ({error}): the kernel may remove other addresses of the same \
             network from {interface} together with ours; set net.ipv4.conf.all.{PROMOTE}=1"
        );
    }
}

#[cfg(test)]
mod tests;
