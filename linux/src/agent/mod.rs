//! Carries out `Acquire`, `Release` and `Announce` beside the run loop.
//!
//! It lives on a thread of its own: looking up scripts and starting processes can wait for a
//! disk, and the heart task must not. Each group has one worker there, so groups do not wait for
//! each other; within a group everything is strictly in order. The methods here only leave a
//! note for the worker and never wait.

mod child;
mod environment;
mod failure;
mod group;
mod lookup;
mod nginx;
mod operate;
mod output;
#[cfg(test)]
mod tests;

use core::error::Error;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread;

use futures_util::future::BoxFuture;
use systole_core::event::{Operation, Outcome};
use systole_core::id::GroupId;
use tokio::runtime;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use crate::config::{Address, Group};
pub use environment::Environment;
pub use lookup::{LookupError, Places};

/// What adds, removes and announces service addresses.
///
/// The futures can be dropped half-way; a release follows then.
pub trait Addresses: Send + Sync {
    /// Makes the address work here, also when it is here already, and announces it.
    fn acquire<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>>;

    /// Takes the address away; well when it is not here.
    fn release<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>>;

    /// Tells the neighbours again where the address is.
    fn announce<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, Result<(), AddressError>>;
}

/// Why an address operation failed: a sentence for the log.
pub type AddressError = Box<dyn Error + Send + Sync>;

/// How long things may take. The defaults are those of the daemon.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// For one start.
    pub start: Duration,
    /// For one stop.
    pub stop: Duration,
    /// For one status.
    pub status: Duration,
    /// For one address operation.
    pub address: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Between two tries to stop something.
    pub retry: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            start: Duration::from_mins(1),
            stop: Duration::from_mins(1),
            status: Duration::from_secs(20),
            address: Duration::from_secs(5),
            grace: Duration::from_secs(2),
            retry: Duration::from_secs(1),
        }
    }
}

/// What every worker needs.
pub struct Settings {
    /// Where resources are looked up.
    pub places: Places,
    /// What scripts find in their environment.
    pub environment: Environment,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// What handles service addresses.
    pub addresses: Arc<dyn Addresses>,
}

/// One operation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupDone {
    /// The group.
    pub group: GroupId,
    /// Which operation.
    pub operation: Operation,
    /// How it ended.
    pub outcome: Outcome,
}

/// The handle on the workers, for the run loop.
#[derive(Debug)]
pub struct Agent {
    slots: Vec<Slot>,
    done: mpsc::UnboundedReceiver<GroupDone>,
}

#[derive(Debug)]
struct Slot {
    wish: watch::Sender<Wish>,
    announce: Arc<Notify>,
}

/// What is wanted of a group; a higher serial is a newer wish.
#[derive(Clone, Copy, Debug)]
struct Wish {
    serial: u64,
    operation: Operation,
}

impl Agent {
    /// Starts the workers; nothing is done to the groups yet.
    ///
    /// # Errors
    /// When the thread or its event loop cannot be made.
    pub fn new(groups: Vec<Group>, settings: Settings) -> io::Result<Self> {
        let settings = Arc::new(settings);
        let (report, done) = mpsc::unbounded_channel();
        let mut workers = Vec::new();
        let mut slots = Vec::new();
        for (group, number) in groups.into_iter().zip(0_u8..) {
            let first = Wish {
                serial: 0,
                operation: Operation::Release,
            };
            let (wish, wishes) = watch::channel(first);
            let announce = Arc::new(Notify::new());
            workers.push(group::Worker::new(
                GroupId(number),
                group,
                Arc::clone(&settings),
                wishes,
                Arc::clone(&announce),
                report.clone(),
            ));
            slots.push(Slot { wish, announce });
        }
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("agent".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let mut tasks: JoinSet<()> =
                        workers.into_iter().map(group::Worker::run).collect();
                    while tasks.join_next().await.is_some() {}
                });
            })?;
        Ok(Self { slots, done })
    }

    /// Starts the group's resources left to right.
    pub fn acquire(&self, group: GroupId) {
        self.wish(group, Operation::Acquire);
    }

    /// Stops the group's resources right to left; breaks off an acquire, which is not reported.
    pub fn release(&self, group: GroupId) {
        self.wish(group, Operation::Release);
    }

    /// Announces the group's addresses again, if it is held.
    pub fn announce(&self, group: GroupId) {
        if let Some(slot) = self.slots.get(usize::from(group.0)) {
            slot.announce.notify_one();
        }
    }

    /// Waits for the next operation to end. Nothing is lost when the future is dropped.
    pub async fn done(&mut self) -> GroupDone {
        match self.done.recv().await {
            Some(done) => done,
            None => core::future::pending().await,
        }
    }

    fn wish(&self, group: GroupId, operation: Operation) {
        if let Some(slot) = self.slots.get(usize::from(group.0)) {
            slot.wish.send_modify(|wish| {
                wish.serial += 1;
                wish.operation = operation;
            });
        }
    }
}
