//! `systole demo`: two nodes, a client and a failover on this machine, with nothing of it touched.
//!
//! The laboratory behind it serves the integration tests and the benchmarks as well.

use nix::time::{ClockId, clock_gettime};
use systole_core::time::Instant;

pub mod analysis;
pub mod lab;
pub mod part;
pub mod sample;

mod command;
mod live;
mod picture;
mod screen;
mod story;
mod table;

pub use command::{Args, run};

/// The machine's monotonic clock: the same for every process and namespace of the lab.
#[must_use]
pub fn now() -> Instant {
    let micros = clock_gettime(ClockId::CLOCK_MONOTONIC).map(|time| {
        u64::try_from(core::time::Duration::from(time).as_micros()).unwrap_or(u64::MAX)
    });
    Instant::from_micros(micros.unwrap_or_default())
}
