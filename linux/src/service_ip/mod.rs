//! The service addresses: added to and removed from this machine over netlink, and announced to
//! the neighbours. No address is touched that Systole did not add itself.
//!
//! An interface that is down is brought up, as the original's `IPaddr2` does: an address on it
//! would serve nobody. An interface that is missing is an error.
//!
//! Addresses are here on a [`Lease`] that the heart keeps alive through a [`Pulse`]; the module
//! `lease` says how that keeps two nodes from holding one. All of this lives on a thread of its
//! own: a request to the kernel can wait for its lock on the network, and the heart must not.

use core::net::IpAddr;
use std::io;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use systole_core::time::Instant;
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::clock;
use crate::config::Address;

mod announce;
mod error;
mod frame;
mod hands;
mod kernel;
mod lease;
mod ledger;
mod plan;
mod renewer;

pub use error::ServiceIpError;
pub use lease::Lease;
pub use plan::{ALIASES_MAX, Plan};
pub use renewer::Pulse;

use hands::{Hands, foreign_error};
use ledger::Ledger;
use plan::Held;
use renewer::Leases;

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
    hands: Arc<Hands>,
    leases: Option<Arc<Leases>>,
    /// The thread ends when this is dropped.
    _thread: oneshot::Sender<()>,
}

impl ServiceIp {
    /// Opens the connections to the kernel and starts the thread for them. `runtime_dir` must exist;
    /// on kernels before 5.18 the record of our addresses is there. Without a lease an address stays
    /// until it is removed; with one it stays while the heart beats.
    ///
    /// # Errors
    /// When a capability is missing.
    pub fn new(runtime_dir: &Path, lease: Option<Lease>) -> Result<Self, ServiceIpError> {
        Self::with_ledger(Ledger::choose(runtime_dir), lease)
    }

    fn with_ledger(ledger: Ledger, lease: Option<Lease>) -> Result<Self, ServiceIpError> {
        let (keep, runtime) = start_thread().map_err(|error| ServiceIpError::Netlink {
            what: "start the thread that talks to the kernel about addresses".to_owned(),
            text: error.to_string(),
        })?;
        let _inside = runtime.enter();
        let hands = Arc::new(Hands::open(ledger, lease)?);
        let leases = lease.map(|lease| Arc::new(Leases::new(lease)));
        if let Some(leases) = &leases {
            runtime.spawn(Arc::clone(leases).run(Arc::clone(&hands)));
        }
        Ok(Self {
            hands,
            leases,
            _thread: keep,
        })
    }

    /// What the heart keeps the leases alive with.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse::new(self.leases.clone())
    }

    /// Says where an address would go now. Changes nothing.
    ///
    /// # Errors
    /// When that cannot be decided.
    pub async fn plan(&self, address: &Address) -> Result<Plan, ServiceIpError> {
        let machine = self.hands.machine(core::slice::from_ref(address)).await?;
        machine.plan(address)
    }

    /// Adds an address and announces it. One left over from an earlier run is adopted and announced
    /// again.
    ///
    /// # Errors
    /// When it could not be added, or is here but not ours; nothing has changed then.
    pub async fn add(&self, address: &Address) -> Result<Added, ServiceIpError> {
        let _turn = self.hands.turn().await;
        let since = clock::now();
        let added = self.hands.add(address).await?;
        self.keep(address, &added, since);
        self.announce(core::slice::from_ref(&added.plan));
        Ok(added)
    }

    /// As `add` for several addresses, in order, looking at the machine only once.
    ///
    /// # Errors
    /// When one could not be added: those before it stay, are announced, and must be removed.
    pub async fn add_all(&self, addresses: &[Address]) -> Result<Vec<Added>, ServiceIpError> {
        let _turn = self.hands.turn().await;
        let machine = &mut self.hands.machine(addresses).await?;
        let mut added = Vec::with_capacity(addresses.len());
        let mut failed = None;
        for address in addresses {
            let since = clock::now();
            match self.hands.add_one(machine, address).await {
                Ok(one) => {
                    self.keep(address, &one, since);
                    added.push(one);
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let plans: Vec<_> = added.iter().map(|added| added.plan.clone()).collect();
        self.announce(&plans);
        failed.map_or(Ok(added), Err)
    }

    fn keep(&self, address: &Address, added: &Added, since: Instant) {
        if let Some(leases) = &self.leases {
            leases.insert(address, added, since);
        }
    }

    /// Announces addresses that are here: at once, and again for six seconds or until they are
    /// removed. `add` does so by itself; after a conflict it is needed again.
    pub fn announce(&self, plans: &[Plan]) {
        self.hands.announce(plans);
    }

    /// Removes an address wherever it is, and says whether it was here. One that is not here, or
    /// went with its interface, is fine.
    ///
    /// # Errors
    /// When it is here afterwards: the kernel refused, or it is not ours and was not touched.
    pub async fn remove(&self, address: IpAddr) -> Result<bool, ServiceIpError> {
        if let Some(leases) = &self.leases {
            leases.remove(address);
        }
        self.hands.announcer.stop(address);
        let _turn = self.hands.turn().await;
        let machine = self.hands.machine(&[]).await?;
        let here = machine.held.iter().filter(|held| held.address == address);
        let (ours, foreign): (Vec<_>, Vec<_>) = here.partition(|held| held.ours);
        for held in &ours {
            self.hands.remove_one(&machine, held).await?;
        }
        self.hands.ledger.remove(address)?;
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
        let machine = self.hands.machine(&[]).await?;
        let here = |held: &Held| held.address == address && held.ours && held.usable;
        Ok(machine.held.iter().any(here))
    }

    /// Every address on this machine that we added, in this run or an earlier one.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub async fn owned(&self) -> Result<Vec<IpAddr>, ServiceIpError> {
        let machine = self.hands.machine(&[]).await?;
        let ours = machine.held.iter().filter(|held| held.ours);
        Ok(ours.map(|held| held.address).collect())
    }
}

/// Starts a thread that runs tasks until the sender is dropped.
fn start_thread() -> io::Result<(oneshot::Sender<()>, Handle)> {
    let (keep, kept) = oneshot::channel();
    let (tell, told) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("addresses".to_owned())
        .spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    let _ = tell.send(Ok(runtime.handle().clone()));
                    let _ = runtime.block_on(kept);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            }
        })?;
    let runtime = told.recv().map_err(io::Error::other)??;
    Ok((keep, runtime))
}

#[cfg(test)]
mod tests;
