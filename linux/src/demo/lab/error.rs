//! What can go wrong with the laboratory itself.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use core::time::Duration;

/// Why the laboratory could not do something. What it had set up goes when it is dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A program that it needs is not installed.
    #[error("{tool} is not installed; install the package {package} (Debian's name)")]
    Missing {
        /// The program.
        tool: String,
        /// The package that brings it.
        package: &'static str,
    },
    /// The kernel refuses namespaces to this user.
    #[error(
        "this kernel does not let user {uid} make namespaces: {reason}; run as root, or allow it: \
         sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0, \
         whichever this system has"
    )]
    NoNamespaces {
        /// Who asked.
        uid: u32,
        /// What `unshare` said.
        reason: String,
    },
    /// A command failed.
    #[error("{command}: {reason}")]
    Command {
        /// The command.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A file could not be written or read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// What was waited for did not happen.
    #[error("{what}: not within {limit_millis} ms")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        limit_millis: u128,
    },
    /// The node must be up for this, or down.
    #[error("{host} is {state}")]
    State {
        /// The node.
        host: &'static str,
        /// What it is.
        state: &'static str,
    },
    /// The operator has asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl LabError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }

    pub(super) fn spawn(command: &Command, error: &std::io::Error) -> Self {
        let tool = command.get_program().to_string_lossy().into_owned();
        if error.kind() == std::io::ErrorKind::NotFound {
            let package = if tool == "ip" {
                "iproute2"
            } else {
                "util-linux"
            };
            Self::Missing { tool, package }
        } else {
            Self::Command {
                command: tool,
                reason: error.to_string(),
            }
        }
    }
}

/// Runs a command to its end, or kills it after `limit`.
///
/// # Errors
/// It cannot be started, or has not ended in time.
pub fn output_within(command: &mut Command, limit: Duration) -> Result<Output, LabError> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| LabError::spawn(command, &error))?;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(limit) {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(LabError::spawn(command, &error)),
        Err(_) => {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            Err(LabError::Timeout {
                what: describe(command),
                limit_millis: limit.as_millis(),
            })
        }
    }
}

/// Runs a command that must succeed, and returns what it printed.
pub(super) fn succeed(command: &mut Command, limit: Duration) -> Result<String, LabError> {
    let output = output_within(command, limit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let reason = if reason.is_empty() {
        output.status.to_string()
    } else {
        reason
    };
    Err(LabError::Command {
        command: describe(command),
        reason,
    })
}

/// The command line after nsenter's own words.
fn describe(command: &Command) -> String {
    let all: Vec<_> = core::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    let own = all
        .iter()
        .position(|word| word == "--")
        .map_or(0, |at| at + 1);
    all.get(own..).unwrap_or_default().join(" ")
}
