//! Start, stop and status of one resource, whatever it is.

use core::time::Duration;
use std::path::Path;
use std::process::ExitStatus;

use tracing::warn;

use super::child::{Break, Call, run};
use super::failure::Failure;
use super::lookup::Found;
use super::nginx::Nginx;
use super::{Environment, Settings};

/// How long nginx may take from its start to its pid file.
const APPEAR: Duration = Duration::from_secs(2);

/// The same when its start was broken off, so that most probably nothing comes any more.
const APPEAR_BROKEN_OFF: Duration = Duration::from_millis(500);

/// What a resource says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It runs.
    Running,
    /// It does not run.
    Stopped,
    /// It does not say, or says two things.
    Unknown,
}

/// One resource of a group that is run by a program.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// As written in haresources.
    pub(super) text: &'a str,
    pub(super) name: &'a str,
    pub(super) args: &'a [String],
    pub(super) settings: &'a Settings,
}

impl Job<'_> {
    pub(super) fn find(&self) -> Result<Found, Failure> {
        Ok(self.settings.places.find(self.name, self.args)?)
    }

    pub(super) async fn start(&self, found: &Found, cut: Break) -> Result<(), Failure> {
        let deadline = self.settings.deadlines.start;
        let ended = match found {
            Found::Script(path) => self.script(path, "start", deadline, cut).await,
            Found::Unit(unit) => self.systemctl("start", unit, deadline, cut).await,
            Found::Nginx(nginx) => {
                let args = self.args.iter().map(String::as_str).collect();
                let ended = run(self.call(&nginx.binary, args, "start", deadline), cut).await;
                self.appear(nginx, &ended).await;
                ended
            }
        };
        succeeded(ended?.0)
    }

    /// Waits for what nginx leaves running, also when its start was broken off: it may be too late
    /// for that.
    async fn appear(&self, nginx: &Nginx, ended: &Result<(ExitStatus, Vec<u8>), Failure>) {
        match ended {
            Ok((status, _)) if status.success() => {
                if !nginx.appear(APPEAR).await {
                    warn!(
                        target: "agent", resource = self.text, operation = "start",
                        "{} has started but its pid file does not name it, so it cannot be \
                         stopped; see `pid` in nginx.conf", self.text
                    );
                }
            }
            Err(Failure::BrokenOff | Failure::Deadline(_)) => {
                let _ = nginx.appear(APPEAR_BROKEN_OFF).await;
            }
            Ok(_) | Err(_) => {}
        }
    }

    pub(super) async fn stop(&self, found: &Found) -> Result<(), Failure> {
        let deadline = self.settings.deadlines.stop;
        let ended = match found {
            Found::Script(path) => self.script(path, "stop", deadline, Break::NEVER).await,
            Found::Unit(unit) => self.systemctl("stop", unit, deadline, Break::NEVER).await,
            Found::Nginx(nginx) => return nginx.stop().await,
        };
        succeeded(ended?.0)
    }

    pub(super) async fn status(&self, found: &Found, cut: Break) -> Result<Status, Failure> {
        let deadline = self.settings.deadlines.status;
        match found {
            Found::Script(path) => {
                let (status, text) = self.script(path, "status", deadline, cut).await?;
                Ok(judge_script(status.code(), &text))
            }
            Found::Unit(unit) => {
                let (status, text) = self.systemctl("is-active", unit, deadline, cut).await?;
                Ok(judge_unit(status.code(), &text))
            }
            Found::Nginx(nginx) => Ok(nginx
                .main_process()
                .map_or(Status::Stopped, |_| Status::Running)),
        }
    }

    async fn script(
        &self,
        path: &Path,
        operation: &'static str,
        deadline: Duration,
        cut: Break,
    ) -> Result<(ExitStatus, Vec<u8>), Failure> {
        let args = self
            .args
            .iter()
            .map(String::as_str)
            .chain([operation])
            .collect();
        run(self.call(path, args, operation, deadline), cut).await
    }

    async fn systemctl(
        &self,
        verb: &'static str,
        unit: &str,
        deadline: Duration,
        cut: Break,
    ) -> Result<(ExitStatus, Vec<u8>), Failure> {
        let operation = if verb == "is-active" { "status" } else { verb };
        let program = &self.settings.places.systemctl;
        run(
            self.call(program, vec![verb, unit], operation, deadline),
            cut,
        )
        .await
    }

    fn call<'a>(
        &'a self,
        program: &'a Path,
        args: Vec<&'a str>,
        operation: &'static str,
        deadline: Duration,
    ) -> Call<'a> {
        let environment: &Environment = &self.settings.environment;
        let grace = self.settings.deadlines.grace;
        Call {
            program,
            args,
            resource: self.text,
            operation,
            deadline,
            grace,
            environment,
        }
    }
}

fn succeeded(status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Exit(status))
    }
}

/// The original judges the text alone; LSB scripts answer by their exit code. Both must agree
/// before a start is skipped, and before something is believed to have stopped.
fn judge_script(code: Option<i32>, text: &[u8]) -> Status {
    let text = String::from_utf8_lossy(text);
    let denies = ["not running", "stopped", "inactive", "dead"]
        .iter()
        .any(|word| text.contains(word));
    let claims = !text.contains("not running")
        && ["running", "Running", "OK"]
            .iter()
            .any(|word| text.contains(word));
    match code {
        Some(0) if claims => Status::Running,
        Some(0) if denies => Status::Stopped,
        // LSB: dead with a pid file, dead with a lock, not running.
        Some(1..=3) if !claims => Status::Stopped,
        _ => Status::Unknown,
    }
}

/// `systemctl is-active` says 0 for active, 3 for not active, 4 for no such unit.
fn judge_unit(code: Option<i32>, text: &[u8]) -> Status {
    match (code, text.trim_ascii()) {
        (Some(0), b"active") => Status::Running,
        (Some(3 | 4), b"inactive" | b"failed" | b"unknown") => Status::Stopped,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: text and exit code are believed only as far as they agree.
    #[test]
    fn scripts_are_judged() {
        for (code, text, status) in [
            (0, "nginx is running.", Status::Running),
            (0, "Running", Status::Running),
            (0, "OK", Status::Running),
            (0, "nginx is not running", Status::Stopped),
            (0, "stopped", Status::Stopped),
            (3, "nginx is not running ... failed!", Status::Stopped),
            (3, "", Status::Stopped),
            (1, "dead but pid file exists", Status::Stopped),
            (0, "", Status::Unknown),
            (3, "still running", Status::Unknown),
            (4, "", Status::Unknown),
            (127, "", Status::Unknown),
        ] {
            assert_eq!(
                judge_script(Some(code), text.as_bytes()),
                status,
                "{code} {text:?}"
            );
        }
        assert_eq!(judge_script(None, b"running"), Status::Unknown);
    }

    /// Aim: a unit on its way up or down counts as neither.
    #[test]
    fn units_are_judged() {
        assert_eq!(judge_unit(Some(0), b"active\n"), Status::Running);
        assert_eq!(judge_unit(Some(3), b"inactive\n"), Status::Stopped);
        assert_eq!(judge_unit(Some(3), b"failed\n"), Status::Stopped);
        assert_eq!(judge_unit(Some(3), b"deactivating\n"), Status::Unknown);
        assert_eq!(judge_unit(Some(3), b"activating\n"), Status::Unknown);
        assert_eq!(judge_unit(Some(1), b""), Status::Unknown);
    }
}
