//! nginx without a script or a unit: started by its binary, stopped by signals.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::time::sleep;

use super::failure::Failure;

/// Where Debian's nginx reads its configuration.
const CONFIG: &str = "/etc/nginx/nginx.conf";

/// Where it writes its process id unless the configuration says otherwise.
const PID_FILE: &str = "/run/nginx.pid";

/// Signals that end it and how long each gets. QUIT closes the listening sockets at once and lets
/// requests in flight end; a second is enough for a page, and longer keeps the peer waiting.
const STOP: [(Signal, Duration); 3] = [
    (Signal::SIGQUIT, Duration::from_secs(1)),
    (Signal::SIGTERM, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// How often to look whether it has gone. Standby waits for this, so it is short.
const LOOK: Duration = Duration::from_millis(2);

/// An nginx that is run directly.
#[derive(Debug)]
pub(super) struct Nginx {
    pub(super) binary: PathBuf,
    pid_file: PathBuf,
}

impl Nginx {
    /// Takes the pid file from the configuration that the arguments name, or the usual one.
    pub(super) fn new(binary: &Path, args: &[String]) -> Self {
        let after = args.iter().skip_while(|arg| *arg != "-c").nth(1);
        let config = after.map_or(CONFIG, String::as_str);
        let text = fs::read_to_string(config).unwrap_or_default();
        Self {
            binary: binary.to_owned(),
            pid_file: pid_directive(&text).unwrap_or_else(|| PID_FILE.into()),
        }
    }

    /// Its main process, when it runs.
    pub(super) fn main_process(&self) -> Option<Process> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid: i32 = text.trim().parse().ok().filter(|pid| *pid > 1)?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        // After a power cut the file may name any process.
        (name.trim_end() == "nginx").then(|| Process::find(pid))?
    }

    /// Waits until the main process is there. The one that was started ends before the main process
    /// has written its pid file, and without that nobody could stop it.
    pub(super) async fn appear(&self, patience: Duration) -> bool {
        for _ in 0..patience.as_millis() / LOOK.as_millis() {
            if self.main_process().is_some() {
                return true;
            }
            sleep(LOOK).await;
        }
        false
    }

    /// Ends the main process and its workers; well when none runs.
    pub(super) async fn stop(&self) -> Result<(), Failure> {
        match self.main_process() {
            Some(process) => process.end(&STOP).await,
            None => Ok(()),
        }
    }
}

/// A process, told from a later one of the same number by the time of its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pid: i32,
    started: u64,
}

impl Process {
    /// Finds it while it runs. One that has ended but was not yet reaped does not.
    fn find(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, so the rest is searched from the end.
        let (_, rest) = stat.rsplit_once(") ")?;
        let mut fields = rest.split_whitespace();
        let runs = !matches!(fields.next()?, "Z" | "X");
        // Field 22 of proc_pid_stat(5); the state was field 3.
        let started = fields.nth(18)?.parse().ok()?;
        runs.then_some(Self { pid, started })
    }

    fn runs(self) -> bool {
        Self::find(self.pid) == Some(self)
    }

    async fn end(self, signals: &[(Signal, Duration)]) -> Result<(), Failure> {
        let process = Pid::from_raw(self.pid);
        for (signal, patience) in signals {
            // It may have ended by itself in this moment; then there is nobody to signal.
            let _ = kill(process, *signal);
            if *signal == Signal::SIGKILL {
                // The main process leads a group of its own; killed alone it would leave its
                // workers behind, with the listening sockets.
                let _ = killpg(process, Signal::SIGKILL);
            }
            for _ in 0..patience.as_millis() / LOOK.as_millis() {
                if !self.runs() {
                    return Ok(());
                }
                sleep(LOOK).await;
            }
        }
        if self.runs() {
            Err(Failure::Immortal(self.pid))
        } else {
            Ok(())
        }
    }
}

/// The path that a top-level `pid` directive names.
fn pid_directive(config: &str) -> Option<PathBuf> {
    let mut depth = 0_usize;
    let plain: Vec<&str> = config
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect();
    for statement in plain.join("\n").split_inclusive([';', '{', '}']) {
        let (body, end) = statement.split_at(statement.len().saturating_sub(1));
        let mut words = body.split_whitespace();
        if depth == 0 && end == ";" && words.next() == Some("pid") {
            let path = words.next()?.trim_matches(['"', '\'']);
            return path.starts_with('/').then(|| PathBuf::from(path));
        }
        match end {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the pid file is found as nginx itself finds it: top level only, comments left out.
    #[test]
    fn the_pid_directive() {
        let debian = "user www-data;\n# pid /no;\npid /run/nginx.pid; # here\nevents { }\n";
        assert_eq!(pid_directive(debian), Some("/run/nginx.pid".into()));
        assert_eq!(
            pid_directive("events { pid /no; }\npid '/run/a b';"),
            Some("/run/a".into())
        );
        assert_eq!(
            pid_directive("http { server { } }\npid   \"/x\" ;"),
            Some("/x".into())
        );
        assert_eq!(pid_directive("pid relative.pid;"), None);
        assert_eq!(pid_directive(""), None);
    }

    /// Aim: a pid file left by a power cut, naming somebody else, is not taken for nginx.
    #[test]
    fn a_stale_pid_file_names_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("pid");
        let nginx = Nginx {
            binary: "/none".into(),
            pid_file: pid_file.clone(),
        };
        assert_eq!(nginx.main_process(), None);
        for text in [
            std::process::id().to_string(),
            "-1".into(),
            "0".into(),
            "x".into(),
        ] {
            fs::write(&pid_file, text).unwrap();
            assert_eq!(nginx.main_process(), None);
        }
    }

    /// Aim: a number that went to another process meanwhile is not taken for the old one.
    #[test]
    fn a_reused_number_is_another_process() {
        let own = Process::find(std::process::id().cast_signed()).unwrap();
        assert!(own.runs() && own.started > 0);
        let earlier = Process {
            started: own.started - 1,
            ..own
        };
        assert!(!earlier.runs());
    }

    /// Aim: an nginx that shares its group with others is killed too, and alone.
    #[tokio::test]
    async fn killed_without_a_group() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Process::find(child.id().cast_signed()).unwrap();
        let signals = [(Signal::SIGKILL, Duration::from_secs(5))];
        assert!(process.end(&signals).await.is_ok());
        assert!(!child.wait().unwrap().success());
    }
}
