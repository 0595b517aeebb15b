//! What the client has measured so far.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{BufRead as _, BufReader};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use systole_core::time::Instant;

use super::error::LabError;
use crate::clock::{duration, now};
use crate::demo::sample::Sample;

/// Longest time for which an interruption goes unnoticed.
const ATTENTION: Duration = Duration::from_millis(20);

/// Set when the operator wants the lab to end; every wait then fails.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks every wait to end.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails when an end was asked for.
    ///
    /// # Errors
    /// [`LabError::Interrupted`].
    pub fn check(&self) -> Result<(), LabError> {
        if self.0.load(Ordering::Relaxed) {
            Err(LabError::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Lets this much time pass.
    ///
    /// # Errors
    /// [`LabError::Interrupted`].
    pub fn sleep(&self, time: Duration) -> Result<(), LabError> {
        let end = now() + duration(time);
        while now() < end {
            self.check()?;
            let left = Duration::from_micros(end.since(now()).as_micros());
            thread::sleep(left.min(ATTENTION));
        }
        Ok(())
    }

    /// Asks again and again until there is an answer.
    ///
    /// # Errors
    /// `limit` has passed, or an interruption.
    pub fn wait_until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut ask: impl FnMut() -> Option<T>,
    ) -> Result<T, LabError> {
        let end = now() + duration(limit);
        loop {
            if let Some(answer) = ask() {
                return Ok(answer);
            }
            self.check()?;
            if now() >= end {
                return Err(timeout(what, limit));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    samples: Mutex<Vec<Sample>>,
    more: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects the samples of a client that runs until its machine ends.
#[derive(Clone, Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    interrupt: Interrupt,
}

impl Watch {
    pub(super) fn start(mut client: Command, interrupt: Interrupt) -> Result<Self, LabError> {
        client.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = client
            .spawn()
            .map_err(|error| LabError::spawn(&client, &error))?;
        let shared = Arc::new(Shared::default());
        if let Some(output) = child.stdout.take() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                collect(output, &shared);
                let _ = child.wait();
            });
        }
        Ok(Self { shared, interrupt })
    }

    /// Everything so far.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.shared.lock().clone()
    }

    /// What was asked since then.
    #[must_use]
    pub fn since(&self, from: Instant) -> Vec<Sample> {
        self.shared
            .lock()
            .iter()
            .filter(|sample| sample.sent >= from)
            .copied()
            .collect()
    }

    /// A sample, asked at `from` or later, that fits.
    pub fn find(&self, from: Instant, fits: impl Fn(&Sample) -> bool) -> Option<Sample> {
        // The newest are at the end, give or take those that were slow.
        self.shared
            .lock()
            .iter()
            .rev()
            .find(|s| s.sent >= from && fits(s))
            .copied()
    }

    /// Waits for a sample, asked at `from` or later, that fits.
    ///
    /// # Errors
    /// `limit` has passed since the call, or an interruption.
    pub fn wait_for(
        &self,
        from: Instant,
        what: &str,
        limit: Duration,
        fits: impl Fn(&Sample) -> bool,
    ) -> Result<Sample, LabError> {
        let end = now() + duration(limit);
        let mut seen = 0;
        let mut samples = self.shared.lock();
        loop {
            let fresh = samples.get(seen..).unwrap_or_default();
            if let Some(found) = fresh.iter().find(|s| s.sent >= from && fits(s)) {
                return Ok(*found);
            }
            seen = samples.len();
            self.interrupt.check()?;
            if now() >= end {
                return Err(timeout(what, limit));
            }
            samples = self
                .shared
                .more
                .wait_timeout(samples, ATTENTION)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

fn collect(output: ChildStdout, shared: &Shared) {
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { break };
        if let Ok(sample) = line.parse() {
            shared.lock().push(sample);
            shared.more.notify_all();
        }
    }
}

fn timeout(what: &str, limit: Duration) -> LabError {
    LabError::Timeout {
        what: what.to_owned(),
        limit_millis: limit.as_millis(),
    }
}
