//! Why an operation on one resource did not succeed.

use core::time::Duration;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

use nix::sys::signal::Signal;
use thiserror::Error;

use super::lookup::LookupError;

/// Why an operation on one resource did not succeed; reads on after the resource's name.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// There is nothing to run.
    #[error("{0}")]
    Lookup(#[from] LookupError),
    /// It could not be run at all.
    #[error("{} cannot be run: {source}", program.display())]
    Spawn {
        /// What was to be run.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended, and said that it failed.
    #[error("it {}", describe(*.0))]
    Exit(ExitStatus),
    /// It did not end in time and was killed.
    #[error("it took longer than {}s and was killed", .0.as_secs_f32())]
    Deadline(Duration),
    /// The process does not go away, even when killed.
    #[error("process {0} does not end, even when killed")]
    Immortal(i32),
    /// A release came in between.
    #[error("a release came in between")]
    BrokenOff,
}

fn describe(status: ExitStatus) -> String {
    let signal = |number| Signal::try_from(number).map_or("a signal", Signal::as_str);
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(number)) => format!("was killed by {} ({number})", signal(number)),
        (None, None) => status.to_string(),
    }
}
