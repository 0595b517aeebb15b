//! nginx without a script or a unit: started by its binary, stopped by signals.

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
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
    pub(super) fn main_process(&self) -> Option<Pid> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid: i32 = text.trim().parse().ok().filter(|pid| *pid > 1)?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        // After a power cut the file may name any process.
        (name.trim_end() == "nginx" && alive(pid)).then_some(Pid::from_raw(pid))
    }

    /// Ends the main process and its workers; well when none runs.
    pub(super) async fn stop(&self) -> Result<(), Failure> {
        let Some(main_process) = self.main_process() else {
            return Ok(());
        };
        for (signal, patience) in STOP {
            // The main process leads a group of its own; killed alone it would leave its
            // workers behind, with the listening sockets.
            let to = if signal == Signal::SIGKILL {
                -main_process.as_raw()
            } else {
                main_process.as_raw()
            };
            let sent = kill(Pid::from_raw(to), signal);
            if sent.is_err() {
                break;
            }
            let looks = patience.as_millis() / LOOK.as_millis();
            for _ in 0..looks {
                if !alive(main_process.as_raw()) {
                    return Ok(());
                }
                sleep(LOOK).await;
            }
        }
        if alive(main_process.as_raw()) {
            Err(Failure::Immortal(main_process.as_raw()))
        } else {
            Ok(())
        }
    }
}

/// Whether a process runs. One that has ended but was not yet reaped does not.
fn alive(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The name in parentheses may hold anything, so the state is searched from the end.
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
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
}
