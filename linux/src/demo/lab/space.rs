//! One machine of the laboratory: a set of namespaces, held open by a process 1 of its own.
//!
//! Process 1 ends when its standard input does, that is when this process lets go of it or ends in any
//! way at all; the kernel then ends everything in there and removes the network. Nothing is left to clean up.

use core::time::Duration;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::error::{LabError, output_within, succeed};

/// Enough for any set-up command on a machine that is busy with other things.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// A machine made of namespaces.
#[derive(Debug)]
pub struct Space {
    name: String,
    holder: Child,
    pid: Pid,
    user: bool,
}

impl Space {
    /// Makes the first machine; inside a user namespace when this user needs one to be allowed.
    pub(super) fn first(binary: &Path, name: &str) -> Result<Self, LabError> {
        let user = needs_user_namespace()?;
        let mut command = tool("unshare");
        if user {
            command.args(["--user", "--map-root-user"]);
        }
        Self::hold(command, binary, name, user, None)
    }

    /// Makes another machine that can be connected with this one; it echoes UDP on `echo`.
    pub(super) fn beside(&self, binary: &Path, name: &str, echo: u16) -> Result<Self, LabError> {
        let command = if self.user {
            let mut command = tool("nsenter");
            command.arg(format!("--target={}", self.pid));
            command.args(["--user", "--preserve-credentials", "--", "unshare"]);
            command
        } else {
            tool("unshare")
        };
        Self::hold(command, binary, name, self.user, Some(echo))
    }

    fn hold(
        mut command: Command,
        binary: &Path,
        name: &str,
        user: bool,
        echo: Option<u16>,
    ) -> Result<Self, LabError> {
        command
            .args([
                "--net",
                "--mount",
                "--uts",
                "--ipc",
                "--pid",
                "--fork",
                "--kill-child",
                "--",
            ])
            .arg(binary)
            .args(["demo-part", "space", "--name", name]);
        if let Some(port) = echo {
            command.arg(format!("--echo={port}"));
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut holder = command
            .spawn()
            .map_err(|error| LabError::spawn(&command, &error))?;
        let mut line = String::new();
        if let Some(output) = holder.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let Ok(pid) = line.trim().parse() else {
            drop(holder.stdin.take());
            let reason = holder.wait_with_output().map_or_else(
                |error| error.to_string(),
                |output| String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            );
            return Err(LabError::Command {
                command: format!("setting up {name}"),
                reason,
            });
        };
        let space = Self {
            name: name.to_owned(),
            holder,
            pid: Pid::from_raw(pid),
            user,
        };
        space.ip("link set lo up")?;
        Ok(space)
    }

    /// The id of its process 1, as seen from outside.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// The words before a command that run it in here; `--pid` too, so that it ends with the machine.
    #[must_use]
    pub fn entry(&self) -> Vec<String> {
        let mut words = self.entry_outside_pids();
        words.insert(words.len() - 1, "--pid".to_owned());
        words
    }

    fn entry_outside_pids(&self) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned(), format!("--target={}", self.pid)];
        if self.user {
            words.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        words.extend(["--net", "--mount", "--uts", "--ipc", "--"].map(str::to_owned));
        words
    }

    /// A command that will run in here.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let words = self.entry();
        let mut command = tool("nsenter");
        command.args(words.iter().skip(1)).arg(program);
        command
    }

    /// Runs a program in here that must succeed, and returns what it printed.
    ///
    /// # Errors
    /// It failed, or took too long.
    pub fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        args: &[S],
    ) -> Result<String, LabError> {
        succeed(self.command(program).args(args), COMMAND_LIMIT)
    }

    /// Runs lines of `ip` commands in here in one go.
    ///
    /// # Errors
    /// One of them failed.
    pub fn ip(&self, lines: &str) -> Result<(), LabError> {
        // Process ids in the lines are those of the outer world, so this stays out of the pid namespace.
        let words = self.entry_outside_pids();
        let mut command = tool("nsenter");
        command
            .args(words.iter().skip(1))
            .args(["ip", "-batch", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| LabError::spawn(&command, &error))?;
        if let Some(mut input) = child.stdin.take() {
            // A broken pipe means that `ip` has failed; its own words say why.
            let _ = input.write_all(lines.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|error| LabError::spawn(&command, &error))?;
        if output.status.success() {
            return Ok(());
        }
        let reason = String::from_utf8_lossy(&output.stderr)
            .trim()
            .replace('\n', "; ");
        Err(LabError::Command {
            command: format!("ip on {}", self.name),
            reason,
        })
    }

    /// Ends everything in here at once, as when the power fails.
    pub(super) fn kill(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of the system, also found when the user's search path lacks the sbin directories.
pub(super) fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = std::env::split_paths(&path).collect();
    all.extend(["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from));
    if let Ok(path) = std::env::join_paths(all) {
        command.env("PATH", path);
    }
    command
}

/// Tries what is needed, first without and then with a user namespace.
fn needs_user_namespace() -> Result<bool, LabError> {
    let attempt = |user: &[&str]| {
        let mut command = tool("unshare");
        command
            .args(user)
            .args(["--net", "--mount", "--uts", "--ipc", "--pid", "--fork"]);
        // Changing the network is what a restricted user namespace refuses.
        output_within(
            command.args(["--", "ip", "link", "set", "lo", "up"]),
            COMMAND_LIMIT,
        )
    };
    if attempt(&[])?.status.success() {
        return Ok(false);
    }
    let output = attempt(&["--user", "--map-root-user"])?;
    if output.status.success() {
        return Ok(true);
    }
    Err(LabError::NoNamespaces {
        uid: nix::unistd::geteuid().as_raw(),
        reason: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
