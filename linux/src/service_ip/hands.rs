//! The work on the machine: looking at it, adding and removing one address.

use tokio::sync::{Mutex, MutexGuard};

use super::Added;
use super::announce::Announcer;
use super::error::ServiceIpError;
use super::kernel::{Kernel, View};
use super::lease::Lease;
use super::ledger::Ledger;
use super::plan::{Held, Machine, Plan};
use crate::config::Address;

/// Where the kernel is told to keep secondary addresses when their primary goes.
const PROMOTE: &str = "promote_secondaries";

/// What adds and removes addresses.
pub(super) struct Hands {
    kernel: Kernel,
    pub(super) announcer: Announcer,
    pub(super) ledger: Ledger,
    lease: Option<Lease>,
    turn: Mutex<()>,
}

impl Hands {
    /// Needs a tokio runtime.
    pub(super) fn open(ledger: Ledger, lease: Option<Lease>) -> Result<Self, ServiceIpError> {
        Ok(Self {
            kernel: Kernel::open()?,
            announcer: Announcer::open()?,
            ledger,
            lease,
            turn: Mutex::new(()),
        })
    }

    /// Waits until nobody else adds or removes addresses.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Starts the lease of an address anew; false when it has gone.
    pub(super) async fn extend(&self, plan: &Plan) -> Result<bool, ServiceIpError> {
        self.kernel.extend(plan, self.lease).await
    }

    pub(super) fn announce(&self, plans: &[Plan]) {
        self.announcer.start(
            plans
                .iter()
                .map(|plan| (plan.address, plan.interface.as_str())),
        );
    }

    /// Adds one address.
    pub(super) async fn add(&self, wanted: &Address) -> Result<Added, ServiceIpError> {
        let machine = &mut self.machine(core::slice::from_ref(wanted)).await?;
        self.add_one(machine, wanted).await
    }

    /// As `add`, with a picture of the machine, which is brought up to date.
    pub(super) async fn add_one(
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
        let kept = kept.is_some();
        if let Some(interface) = machine.interface(plan.index).filter(|found| !found.up) {
            self.kernel.raise(interface).await?;
        }
        // The lease of one that is here may end before we have renewed it.
        let adopted = kept && self.extend(&plan).await?;
        if !adopted {
            self.ledger.add(address)?;
            if self.lease.is_some() && address.is_ipv4() {
                // The kernel removes it on its own; then it is too late to say this.
                promote_secondaries(&plan.interface);
            }
            if let Err(error) = self.kernel.add(&plan, self.lease).await {
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

    pub(super) async fn remove_one(
        &self,
        machine: &Machine,
        held: &Held,
    ) -> Result<(), ServiceIpError> {
        let interface = machine.name(held.index);
        if machine.carries_others(held) {
            promote_secondaries(&interface);
        }
        self.kernel.remove(held, &interface).await
    }

    /// A picture of the machine: with routes when one of these addresses needs them.
    pub(super) async fn machine(&self, wanted: &[Address]) -> Result<Machine, ServiceIpError> {
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

pub(super) fn foreign_error(machine: &Machine, held: &Held) -> ServiceIpError {
    ServiceIpError::Foreign {
        address: held.address,
        prefix: held.prefix,
        interface: machine.name(held.index),
    }
}

/// The first IPv4 address of a network on an interface is its primary; with it the kernel removes
/// the others of the network, which need not be ours, unless it was told to promote them.
fn promote_secondaries(interface: &str) {
    let path = |scope: &str| format!("/proc/sys/net/ipv4/conf/{scope}/{PROMOTE}");
    let on = |scope| std::fs::read_to_string(path(scope)).is_ok_and(|text| text.trim() != "0");
    if on("all") || on(interface) {
        return;
    }
    let path = path(interface);
    if let Err(error) = std::fs::write(&path, "1") {
        tracing::warn!(
            "cannot set {path} ({error}): the kernel may remove other addresses of the same \
             network from {interface} together with ours; set net.ipv4.conf.all.{PROMOTE}=1"
        );
    }
}
