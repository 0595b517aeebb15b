//! Renews the leases of the addresses, beside the heart. What is due when is decided
//! in [`lease`](super::lease).

use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use systole_core::time::Instant;
use tokio::sync::watch;
use tokio::time::timeout;

use super::hands::Hands;
use super::lease::{Beat, Lease, Look, Step, Tenure};
use super::{Added, ServiceIpError};
use crate::clock;
use crate::config::Address;

/// The addresses that are here on a lease.
pub(super) struct Leases {
    lease: Lease,
    beat: watch::Sender<Beat>,
    held: Mutex<BTreeMap<IpAddr, Tenure>>,
}

/// The heart's side of the leases. Nothing here waits.
#[derive(Clone)]
pub struct Pulse(Option<Arc<Leases>>);

impl Pulse {
    pub(super) const fn new(leases: Option<Arc<Leases>>) -> Self {
        Self(leases)
    }

    /// A message to the peer has been sent; `now` was read before. Leases may be renewed.
    pub fn beat(&self, now: Instant) {
        if let Some(leases) = &self.0 {
            leases
                .beat
                .send_modify(|beat| *beat = beat.next(leases.lease, now));
        }
    }

    /// The address is to be removed: if it goes before that, it does not come back. To be called
    /// before the next beat.
    pub fn forgo(&self, address: IpAddr) {
        if let Some(leases) = &self.0
            && let Some(tenure) = leases.held().get_mut(&address)
        {
            tenure.forgo();
        }
    }
}

impl Leases {
    pub(super) fn new(lease: Lease) -> Self {
        Self {
            lease,
            beat: watch::Sender::default(),
            held: Mutex::default(),
        }
    }

    /// Takes an address that was added, or renewed, not before `since`.
    pub(super) fn insert(&self, wanted: &Address, added: &Added, since: Instant) {
        let tenure = Tenure::new(wanted.clone(), added.plan.clone(), since);
        self.held().insert(wanted.address, tenure);
    }

    /// Renews an address no more, and does not bring it back.
    pub(super) fn remove(&self, address: IpAddr) {
        self.held().remove(&address);
    }

    /// Renews until the thread ends, and this is dropped with it.
    pub(super) async fn run(self: Arc<Self>, hands: Arc<Hands>) {
        let mut beats = self.beat.subscribe();
        let every = clock::span(self.lease.look_every());
        loop {
            let mut look = match timeout(every, beats.changed()).await {
                Ok(_) => Look::Beaten,
                Err(_) => Look::Between,
            };
            let addresses: Vec<_> = self.held().keys().copied().collect();
            let to_renew = |address| matches!(self.due(address, look), Some((Step::Renew, _)));
            if addresses.iter().copied().any(to_renew) {
                look = Look::Together;
            }
            for address in addresses {
                self.attend(&hands, address, look).await;
            }
        }
    }

    async fn attend(&self, hands: &Hands, address: IpAddr, look: Look) {
        let mut due = self.due(address, look);
        if let Some((Step::Renew, tenure)) = &due {
            self.renew(hands, tenure).await;
            // It may have been found gone.
            due = self.due(address, Look::Beaten);
        }
        if let Some((Step::Lapsed, _)) = due {
            tracing::error!(
                "{address} was not renewed for more than {}s, because this node was paused or \
                 is too busy, so the kernel has withdrawn it; it is added again as soon as \
                 the peer cannot have taken over",
                self.lease.seconds()
            );
            self.change(address, Tenure::on_gone);
        }
        if let Some((Step::Restore, tenure)) = due {
            self.restore(hands, &tenure).await;
        }
    }

    async fn renew(&self, hands: &Hands, tenure: &Tenure) {
        let address = tenure.plan.address;
        let since = clock::now();
        match hands.extend(&tenure.plan).await {
            Ok(true) => {
                self.change(address, |tenure| tenure.on_renewed(since));
            }
            // While we asked it may have been removed as it should.
            Ok(false) => {
                if self.change(address, Tenure::on_gone) {
                    tracing::error!(
                        "{address} has gone from {}, and not by Systole; it is added again while \
                         its group is here; find out who removes it",
                        tenure.plan.interface
                    );
                }
            }
            Err(error) => self.on_failure(tenure, "renewed", &error),
        }
    }

    /// Adds an address again, unless it was removed or forgone while we waited for our turn.
    async fn restore(&self, hands: &Hands, tenure: &Tenure) {
        let address = tenure.plan.address;
        let _turn = hands.turn().await;
        if !matches!(self.due(address, Look::Beaten), Some((Step::Restore, _))) {
            return;
        }
        let since = clock::now();
        match hands.add(&tenure.wanted).await {
            Ok(added) => {
                tracing::warn!("{address} is on {} again", added.plan.interface);
                hands.announce(core::slice::from_ref(&added.plan));
                self.change(address, |tenure| {
                    tenure.plan = added.plan;
                    tenure.on_renewed(since);
                });
            }
            Err(error) => self.on_failure(tenure, "added again", &error),
        }
    }

    /// Says once that something failed; it is tried again with each beat.
    fn on_failure(&self, tenure: &Tenure, what: &str, error: &ServiceIpError) {
        if !tenure.failing {
            let address = tenure.plan.address;
            tracing::error!("{address} could not be {what}: {error}; this is tried again");
            self.change(address, |tenure| tenure.failing = true);
        }
    }

    /// What an address needs now, if it needs anything.
    fn due(&self, address: IpAddr, look: Look) -> Option<(Step, Tenure)> {
        let beat = *self.beat.borrow();
        let held = self.held();
        let tenure = held.get(&address)?;
        let step = tenure.step(self.lease, beat, look, clock::now())?;
        Some((step, tenure.clone()))
    }

    /// Changes an address, if it is still here.
    fn change(&self, address: IpAddr, change: impl FnOnce(&mut Tenure)) -> bool {
        self.held().get_mut(&address).map(change).is_some()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Tenure>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
