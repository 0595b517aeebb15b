//! One node of the laboratory: a machine that can lose its power, with the daemon on it.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::{LabError, output_within};
use super::files::{Paths, Settings};
use super::space::{COMMAND_LIMIT, Space};
use super::watch::Interrupt;
use crate::demo::sample::Host;

/// A node; off until the lab switches it on.
#[derive(Debug)]
pub struct Node {
    host: Host,
    paths: Paths,
    binary: PathBuf,
    interrupt: Interrupt,
    pub(super) space: Option<Space>,
    daemon: Option<Daemon>,
}

#[derive(Debug)]
struct Daemon {
    /// nsenter, which ends with the daemon and as it did.
    child: Child,
    pid: Pid,
}

impl Node {
    pub(super) fn new(
        lab: &Path,
        host: Host,
        settings: &Settings,
        binary: &Path,
        interrupt: Interrupt,
    ) -> Result<Self, LabError> {
        let paths = Paths::new(lab, host);
        paths.write(host, settings, binary)?;
        let binary = binary.to_owned();
        Ok(Self {
            host,
            paths,
            binary,
            interrupt,
            space: None,
            daemon: None,
        })
    }

    /// Where its files are.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The machine, while it is on.
    ///
    /// # Errors
    /// It is off.
    pub fn space(&self) -> Result<&Space, LabError> {
        self.space.as_ref().ok_or(LabError::State {
            host: self.host.name(),
            state: "off",
        })
    }

    /// `systole` with this node's options, to run on it.
    ///
    /// # Errors
    /// It is off.
    pub fn systole(&self, args: &[&str]) -> Result<Command, LabError> {
        let mut command = self.space()?.command(&self.binary);
        command.args(self.options()).args(args);
        Ok(command)
    }

    /// The options that make `systole` use this node's directories.
    #[must_use]
    pub fn options(&self) -> Vec<String> {
        let Paths {
            config,
            state,
            runtime,
            ..
        } = &self.paths;
        let options = [("config", config), ("state", state), ("runtime", runtime)];
        let directories = options
            .into_iter()
            .flat_map(|(name, path)| [format!("--{name}-dir"), path.display().to_string()]);
        directories
            .chain(["--node".to_owned(), self.host.to_string()])
            .collect()
    }

    /// Runs `systole` on it to its end.
    ///
    /// # Errors
    /// It is off, or the command does not end.
    pub fn run_systole(&self, args: &[&str]) -> Result<Output, LabError> {
        output_within(&mut self.systole(args)?, COMMAND_LIMIT)
    }

    /// What `systole status --json` says; `None` when the daemon does not answer.
    #[must_use]
    pub fn status(&self) -> Option<serde_json::Value> {
        let output = self.run_systole(&["status", "--json"]).ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Starts the daemon; it has not got far when this returns.
    ///
    /// # Errors
    /// The node is off, the daemon runs already, or it ended at once.
    pub fn start(&mut self) -> Result<(), LabError> {
        let host = self.host.name();
        if self.daemon.is_some() {
            return Err(LabError::State {
                host,
                state: "running its daemon already",
            });
        }
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(&self.paths.log)
            .map_err(LabError::file(&self.paths.log))?;
        let mut command = self.systole(&["run"])?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut child = command
            .spawn()
            .map_err(|error| LabError::spawn(&command, &error))?;
        let parent = child.id();
        let found =
            self.interrupt
                .wait_until("starting the daemon", COMMAND_LIMIT, || {
                    match child.try_wait() {
                        Ok(None) => child_of(parent).map(Some),
                        Ok(Some(_)) | Err(_) => Some(None),
                    }
                })?;
        let Some(pid) = found else {
            let reason = format!("ended at once; its log says:\n{}", self.log());
            return Err(LabError::Command {
                command: format!("the daemon of {host}"),
                reason,
            });
        };
        self.daemon = Some(Daemon { child, pid });
        Ok(())
    }

    /// The daemon's process id, as seen from outside.
    #[must_use]
    pub fn daemon_pid(&self) -> Option<i32> {
        self.daemon.as_ref().map(|daemon| daemon.pid.as_raw())
    }

    /// Sends the daemon a signal.
    ///
    /// # Errors
    /// It does not run.
    pub fn signal(&self, signal: Signal) -> Result<(), LabError> {
        let gone = LabError::State {
            host: self.host.name(),
            state: "not running its daemon",
        };
        let Some(daemon) = &self.daemon else {
            return Err(gone);
        };
        kill(daemon.pid, signal).map_err(|_| gone)?;
        if signal != Signal::SIGSTOP {
            daemon.wake();
        }
        Ok(())
    }

    /// Fails when the daemon was started and has ended by itself.
    ///
    /// # Errors
    /// It has; the message holds what it printed last.
    pub fn check_daemon(&mut self) -> Result<(), LabError> {
        const LINES: usize = 10;
        let Some(daemon) = &mut self.daemon else {
            return Ok(());
        };
        let Ok(Some(status)) = daemon.child.try_wait() else {
            return Ok(());
        };
        self.daemon = None;
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(LINES)..)
            .unwrap_or_default();
        let reason = format!("ended by itself ({status}):\n{}", last.join("\n"));
        let command = format!("the daemon of {}", self.host);
        Err(LabError::Command { command, reason })
    }

    /// Waits for the daemon to end.
    ///
    /// # Errors
    /// It has not ended within `limit`.
    pub fn wait_daemon(&mut self, limit: Duration) -> Result<Option<ExitStatus>, LabError> {
        let Some(daemon) = &mut self.daemon else {
            return Ok(None);
        };
        let what = format!("the daemon of {} ends", self.host);
        let status = self
            .interrupt
            .wait_until(&what, limit, || daemon.child.try_wait().transpose())?;
        self.daemon = None;
        Ok(status.ok())
    }

    /// Asks the daemon to stop cleanly, and waits until it has.
    ///
    /// # Errors
    /// It does not run, or does not end in time.
    pub fn stop(&mut self, limit: Duration) -> Result<Option<ExitStatus>, LabError> {
        self.signal(Signal::SIGTERM)?;
        self.wait_daemon(limit)
    }

    /// Kills the daemon; the machine, its addresses and its nginx stay.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_daemon(&mut self) -> Result<(), LabError> {
        self.signal(Signal::SIGKILL)?;
        self.wait_daemon(COMMAND_LIMIT).map(drop)
    }

    /// What the daemon has printed, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.paths.log).unwrap_or_default()
    }

    /// Everything on it ends at once.
    pub(super) fn lose_power(&mut self) {
        if let Some(daemon) = &self.daemon {
            daemon.wake();
        }
        self.space = None;
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.child.wait();
        }
    }
}

impl Daemon {
    /// Lets nsenter go on: it stops itself when the daemon is stopped, and then could not reap it.
    fn wake(&self) {
        let nsenter = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        let _ = kill(nsenter, Signal::SIGCONT);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.lose_power();
    }
}

/// The child of a process, from outside: nsenter forks to enter the pid namespace.
fn child_of(parent: u32) -> Option<Pid> {
    let parent = parent.to_string();
    fs::read_dir("/proc")
        .ok()?
        .filter_map(Result::ok)
        .find_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in parentheses, may hold anything; the words after it are: state, parent, ...
            let (_, rest) = stat.rsplit_once(')')?;
            let found = rest.split_whitespace().nth(1)? == parent;
            found
                .then(|| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
                .flatten()
        })
}
