//! The worker of one group: acquires left to right, releases right to left.

use core::error::Error;
use core::future::Future;
use std::sync::Arc;

use systole_core::event::{Operation, Outcome};
use systole_core::id::GroupId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::child::Break;
use super::failure::Failure;
use super::lookup::Found;
use super::operate::{Job, Status};
use super::{AddressError, GroupDone, Settings, Wish};
use crate::clock;
use crate::config::{Address, Group, Resource};

/// Tries to stop one resource in one release. The core asks for another release later.
const STOP_TRIES_MAX: u32 = 5;

/// The worker of one group.
pub(super) struct Worker {
    id: GroupId,
    group: Group,
    settings: Arc<Settings>,
    wishes: watch::Receiver<Wish>,
    announce: Arc<Notify>,
    report: mpsc::UnboundedSender<GroupDone>,
    /// Which resources were started, or may have been, since they were last seen stopped.
    touched: Vec<bool>,
    held: bool,
}

/// How an acquire ended.
enum Acquired {
    Done,
    Failed,
    BrokenOff,
}

impl Worker {
    pub(super) fn new(
        id: GroupId,
        group: Group,
        settings: Arc<Settings>,
        wishes: watch::Receiver<Wish>,
        announce: Arc<Notify>,
        report: mpsc::UnboundedSender<GroupDone>,
    ) -> Self {
        let touched = vec![false; group.resources.len()];
        Self {
            id,
            group,
            settings,
            wishes,
            announce,
            report,
            touched,
            held: false,
        }
    }

    /// Carries out wishes until the handle is dropped.
    pub(super) async fn run(mut self) {
        let mut seen = 0;
        loop {
            let wish = *self.wishes.borrow_and_update();
            if wish.serial == seen {
                let announce = Arc::clone(&self.announce);
                tokio::select! {
                    changed = self.wishes.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    () = announce.notified(), if self.held => self.announce_all().await,
                }
                continue;
            }
            let outcome = match wish.operation {
                Operation::Acquire => self.acquire().await,
                Operation::Release => Some(self.release().await),
            };
            // The same wish again while it was being carried out is the same wish.
            let latest = *self.wishes.borrow();
            seen = if latest.operation == wish.operation {
                latest.serial
            } else {
                wish.serial
            };
            if let Some(outcome) = outcome {
                let done = GroupDone {
                    group: self.id,
                    operation: wish.operation,
                    outcome,
                };
                // Without a receiver the daemon is ending.
                let _ = self.report.send(done);
            }
        }
    }

    async fn acquire(&mut self) -> Option<Outcome> {
        let resources = self.group.resources.clone();
        for (index, resource) in resources.iter().enumerate() {
            if let Some(touched) = self.touched.get_mut(index) {
                *touched = true;
            }
            let acquired = match resource {
                Resource::Address(address) => self.acquire_address(address).await,
                Resource::Agent { text, name, args } => {
                    let settings = Arc::clone(&self.settings);
                    let job = Job {
                        text,
                        name,
                        args,
                        settings: &settings,
                    };
                    let cut = Break::on_release(self.wishes.clone());
                    let acquired = start(job, cut).await;
                    if matches!(acquired, Acquired::Failed) && job.find().is_err() {
                        // What could not even be found was not started.
                        if let Some(touched) = self.touched.get_mut(index) {
                            *touched = false;
                        }
                    }
                    acquired
                }
            };
            match acquired {
                Acquired::Done => {}
                Acquired::Failed => return Some(Outcome::Failed),
                Acquired::BrokenOff => return None,
            }
        }
        self.held = true;
        Some(Outcome::Done)
    }

    async fn acquire_address(&self, address: &Address) -> Acquired {
        let mut cut = Break::on_release(self.wishes.clone());
        let limited = self.limited(self.settings.addresses.acquire(address));
        let ended = tokio::select! {
            ended = limited => ended,
            () = cut.broken() => return Acquired::BrokenOff,
        };
        let resource = address.text.as_str();
        match ended {
            Ok(()) => {
                info!(target: "agent", resource, "service address {} is here", address.address);
                Acquired::Done
            }
            Err(reason) => {
                let reason = chain(&*reason);
                error!(
                    target: "agent", resource, operation = "start",
                    "service address {} could not be added: {reason}; its group cannot run here",
                    address.address
                );
                Acquired::Failed
            }
        }
    }

    /// Goes on past failures: what can be taken away is.
    async fn release(&mut self) -> Outcome {
        self.held = false;
        let mut outcome = Outcome::Done;
        let resources = self.group.resources.clone();
        for (index, resource) in resources.iter().enumerate().rev() {
            let touched = self.touched.get(index).copied().unwrap_or_default();
            let stopped = match resource {
                Resource::Address(address) => self.release_address(address).await,
                Resource::Agent { text, name, args } => {
                    let settings = Arc::clone(&self.settings);
                    stop(
                        Job {
                            text,
                            name,
                            args,
                            settings: &settings,
                        },
                        touched,
                    )
                    .await
                }
            };
            if let Some(touched) = self.touched.get_mut(index) {
                *touched &= !stopped;
            }
            if !stopped {
                outcome = Outcome::Failed;
            }
        }
        outcome
    }

    async fn release_address(&self, address: &Address) -> bool {
        let resource = address.text.as_str();
        let mut reason = String::new();
        for attempt in 0..STOP_TRIES_MAX {
            if attempt > 0 {
                sleep(self.settings.deadlines.retry).await;
            }
            match self.limited(self.settings.addresses.release(address)).await {
                Ok(()) => {
                    info!(target: "agent", resource, "service address {} is gone", address.address);
                    return true;
                }
                Err(error) => reason = chain(&*error),
            }
            warn!(
                target: "agent", resource, operation = "stop",
                "service address {} could not be removed: {reason}", address.address
            );
        }
        error!(
            target: "agent", resource, operation = "stop",
            "service address {} may still be here: {reason}; the peer does not get its group; \
             look at `ip address` and remove it",
            address.address
        );
        false
    }

    /// Announces until a wish comes: a release must not wait for it.
    async fn announce_all(&mut self) {
        let mut wishes = self.wishes.clone();
        let announce = async {
            for resource in &self.group.resources {
                let Resource::Address(address) = resource else {
                    continue;
                };
                let ended = self
                    .limited(self.settings.addresses.announce(address))
                    .await;
                if let Err(reason) = ended {
                    let (reason, resource) = (chain(&*reason), address.text.as_str());
                    warn!(
                        target: "agent", resource,
                        "service address {} could not be announced: {reason}; neighbours may \
                         keep an old answer for a while", address.address
                    );
                }
            }
        };
        tokio::select! {
            () = announce => {}
            _ = wishes.changed() => {}
        }
    }

    async fn limited(
        &self,
        operation: impl Future<Output = Result<(), AddressError>>,
    ) -> Result<(), AddressError> {
        let deadline = self.settings.deadlines.address;
        timeout(deadline, operation).await.unwrap_or_else(|_| {
            Err(format!(
                "the kernel did not answer within {}s",
                deadline.as_secs_f32()
            )
            .into())
        })
    }
}

/// Starts what does not run yet.
async fn start(job: Job<'_>, cut: Break) -> Acquired {
    let began = clock::now();
    let resource = job.text;
    let ended = async {
        let found = job.find()?;
        // A status that fails says nothing, and starting what runs does no harm.
        match job.status(&found, cut.clone()).await {
            Ok(Status::Running) => return Ok(false),
            Err(Failure::BrokenOff) => return Err(Failure::BrokenOff),
            Err(failure) => warn!(
                target: "agent", resource, operation = "status",
                "the status of {resource} is not known: {failure}; starting it"
            ),
            Ok(Status::Stopped | Status::Unknown) => {}
        }
        job.start(&found, cut).await.map(|()| true)
    };
    match ended.await {
        Ok(true) => {
            let took = clock::now().since(began);
            info!(target: "agent", resource, operation = "start", "{resource} started in {took}");
            Acquired::Done
        }
        Ok(false) => {
            info!(
                target: "agent", resource, operation = "start",
                "{resource} runs already; it is left as it is"
            );
            Acquired::Done
        }
        Err(Failure::BrokenOff) => {
            info!(
                target: "agent", resource, operation = "start",
                "the start of {resource} was broken off, because its group is to be released"
            );
            Acquired::BrokenOff
        }
        Err(failure) => {
            error!(
                target: "agent", resource, operation = "start",
                "{resource} could not be started: {failure}; its group cannot run here"
            );
            Acquired::Failed
        }
    }
}

/// Stops a resource; false only when it may still run.
async fn stop(job: Job<'_>, touched: bool) -> bool {
    let began = clock::now();
    let resource = job.text;
    let found = match job.find() {
        Ok(found) => found,
        Err(failure) if touched => {
            error!(
                target: "agent", resource, operation = "stop",
                "{resource} may still run and cannot be stopped: {failure}; the peer does not \
                 get its group until it can be"
            );
            return false;
        }
        Err(failure) => {
            warn!(
                target: "agent", resource, operation = "stop",
                "{resource} was never started here, and cannot be stopped: {failure}"
            );
            return true;
        }
    };
    for attempt in 0..STOP_TRIES_MAX {
        if attempt > 0 {
            sleep(job.settings.deadlines.retry).await;
        }
        let Err(failure) = job.stop(&found).await else {
            let took = clock::now().since(began);
            info!(target: "agent", resource, operation = "stop", "{resource} stopped in {took}");
            return true;
        };
        if stopped_anyway(job, &found).await {
            warn!(
                target: "agent", resource, operation = "stop",
                "stopping {resource} failed: {failure}; but it does not run, so the release goes on"
            );
            return true;
        }
        warn!(
            target: "agent", resource, operation = "stop",
            "stopping {resource} failed: {failure}; try {} of {STOP_TRIES_MAX}", attempt + 1
        );
        // Each try that hangs costs a whole deadline; a second one is not going to help more.
        if clock::span(clock::now().since(began)) >= job.settings.deadlines.stop * 2 {
            break;
        }
    }
    error!(
        target: "agent", resource, operation = "stop",
        "{resource} may still run; the peer does not get its group; stop it by hand"
    );
    false
}

async fn stopped_anyway(job: Job<'_>, found: &Found) -> bool {
    matches!(job.status(found, Break::NEVER).await, Ok(Status::Stopped))
}

/// An error and its causes in one line.
fn chain(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
