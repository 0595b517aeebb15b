//! Runs one program with a deadline, in a process group of its own.

use core::time::Duration;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use systole_core::event::Operation;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Wish;
use super::environment::{Environment, WITHHELD};
use super::failure::Failure;
use super::output::Output;

/// Tells a running acquire that a release has come.
#[derive(Clone, Debug)]
pub(super) struct Break(Option<watch::Receiver<Wish>>);

impl Break {
    /// For what cannot be broken off.
    pub(super) const NEVER: Self = Self(None);

    pub(super) const fn on_release(wishes: watch::Receiver<Wish>) -> Self {
        Self(Some(wishes))
    }

    /// Comes back when a release is wanted.
    pub(super) async fn broken(&mut self) {
        if let Some(wishes) = &mut self.0 {
            let release = |wish: &Wish| wish.operation == Operation::Release;
            if wishes.wait_for(release).await.is_ok() {
                return;
            }
        }
        core::future::pending::<()>().await;
    }
}

/// What to run.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) args: Vec<&'a str>,
    /// As written in haresources, for the log.
    pub(super) resource: &'a str,
    pub(super) operation: &'static str,
    pub(super) deadline: Duration,
    pub(super) grace: Duration,
    pub(super) environment: &'a Environment,
}

/// Runs a program to its end, deadline or break, and gives its status and what it printed first.
///
/// Its end is that of the program itself: what it left running in the background may keep the
/// output open and is still read, but not waited for.
pub(super) async fn run(call: Call<'_>, mut cut: Break) -> Result<(ExitStatus, Vec<u8>), Failure> {
    let (mut child, pipe) = spawn(&call).map_err(|source| Failure::Spawn {
        program: call.program.to_owned(),
        source,
    })?;
    let mut output = Output::new(call.resource, call.operation);
    let ended = tokio::select! {
        ended = timeout(call.deadline, wait(&mut child, &mut output, &pipe)) => {
            ended.map_err(|_| Failure::Deadline(call.deadline))
        }
        () = cut.broken() => Err(Failure::BrokenOff),
    };
    if ended.is_err() {
        end_group(&mut child, call.grace).await;
    }
    let still_open = output.drain_rest(&pipe);
    let text = core::mem::take(&mut output.text);
    if still_open {
        tokio::spawn(async move {
            output.collect(&pipe).await;
            output.finish();
        });
    } else {
        output.finish();
    }
    let status = ended?.map_err(|source| Failure::Spawn {
        program: call.program.to_owned(),
        source,
    })?;
    Ok((status, text))
}

/// Starts the child with both outputs in one pipe, so that their lines keep their order.
fn spawn(call: &Call<'_>) -> io::Result<(Child, pipe::Receiver)> {
    let (sender, receiver) = pipe::pipe()?;
    let sender = sender.into_blocking_fd()?;
    let mut command = Command::new(call.program);
    command
        .args(&call.args)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(sender.try_clone()?)
        .stderr(sender)
        .process_group(0)
        .kill_on_drop(true)
        .envs(call.environment.pairs());
    for name in WITHHELD {
        command.env_remove(name);
    }
    Ok((command.spawn()?, receiver))
}

async fn wait(
    child: &mut Child,
    output: &mut Output,
    pipe: &pipe::Receiver,
) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => status,
        () = output.collect(pipe) => child.wait().await,
    }
}

/// SIGTERM to the child's process group, SIGKILL when it does not end within the grace.
async fn end_group(child: &mut Child, grace: Duration) {
    let Some(group) = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .map(Pid::from_raw)
    else {
        return;
    };
    // The group may have ended by itself in this moment; then there is nobody to signal.
    let _ = killpg(group, Signal::SIGTERM);
    if timeout(grace, child.wait()).await.is_err() {
        let _ = killpg(group, Signal::SIGKILL);
        let _ = timeout(grace, child.wait()).await;
    } else {
        // The leader has gone; what it started and left behind goes as well.
        let _ = killpg(group, Signal::SIGKILL);
    }
}
