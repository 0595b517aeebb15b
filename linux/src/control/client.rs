//! The other end of the control socket, for the command line. Nothing here hangs.

use core::time::Duration;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};
use thiserror::Error;

use super::goal::{Goal, Verdict};
use super::{Ask, Reply, socket_path};
use crate::status::StatusReport;

/// How long the daemon may take for an answer. It answers between two heartbeats.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of the longest answer that is read.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// Between two looks at a transition.
const LOOK: Duration = Duration::from_millis(100);

/// How long the peer may take to begin a standby that it was asked for. It is not obliged to: it
/// may be busy, or end before it has heard us. The original answers within ten seconds.
const BEGIN_MAX: Duration = Duration::from_secs(20);

/// How long a standby may take: as long as the original's limit for each half.
const STANDBY_MAX: Duration = Duration::from_hours(1);

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// There is no daemon.
    #[error(
        "systole is not running on this node (no answer at {}): start it with \
         `systemctl start systole`", .0.display()
    )]
    NotRunning(PathBuf),
    /// Not root.
    #[error("only root may control systole: permission denied for {}; use sudo", .0.display())]
    Denied(PathBuf),
    /// The daemon runs, but does not answer.
    #[error(
        "systole has the socket {} but does not answer within {}s; it may be stopped or \
         overloaded: look at `systemctl status systole`", .0.display(), PATIENCE.as_secs()
    )]
    Silent(PathBuf),
    /// The daemon said why not.
    #[error("{0}")]
    Refused(String),
    /// The daemon is of another version, or something else is on the socket.
    #[error("the answer cannot be understood: {0}")]
    Nonsense(String),
    /// Nothing moves, and what was asked for is not so.
    #[error(
        "nothing has come of it within {}s: {state}; look at `systole status` here, and at the log \
         of both nodes for the reason", waited.as_secs()
    )]
    NoEffect {
        /// How long nothing has moved.
        waited: Duration,
        /// Who holds what.
        state: String,
    },
    /// A standby did not end in time.
    #[error("it has not ended after an hour; look at `systole status`")]
    Endless,
}

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When there is no daemon, or it does not want to talk to us.
    pub fn connect(runtime_dir: &Path) -> Result<Self, ClientError> {
        let path = socket_path(runtime_dir);
        match connect(&path) {
            Ok(stream) => Ok(Self {
                stream: BufReader::new(stream),
                path,
            }),
            Err(error) => Err(explain(&error, path)),
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When there is none, or it is a refusal.
    pub fn ask(&mut self, ask: Ask) -> Result<Reply, ClientError> {
        let nonsense = |error: serde_json::Error| ClientError::Nonsense(error.to_string());
        let mut line = serde_json::to_vec(&ask).map_err(nonsense)?;
        line.push(b'\n');
        let mut answer = Vec::new();
        // A daemon that refuses us at once has closed its end already; its reason can be read.
        let sent = self.stream.get_mut().write_all(&line);
        let read = (&mut self.stream)
            .take(REPLY_BYTES_MAX)
            .read_until(b'\n', &mut answer);
        if answer.is_empty() {
            return Err(match read.err().or(sent.err()) {
                Some(error) => explain(&error, self.path.clone()),
                None => ClientError::NotRunning(self.path.clone()),
            });
        }
        match serde_json::from_slice(&answer).map_err(nonsense)? {
            Reply::Refused(why) | Reply::Error(why) => Err(ClientError::Refused(why)),
            reply @ (Reply::Status(_) | Reply::Accepted) => Ok(reply),
        }
    }

    /// Asks for the status.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn status(&mut self) -> Result<StatusReport, ClientError> {
        match self.ask(Ask::Status)? {
            Reply::Status(report) => Ok(*report),
            Reply::Accepted | Reply::Refused(_) | Reply::Error(_) => {
                Err(ClientError::Nonsense("no status came".to_owned()))
            }
        }
    }

    /// Says so when what is asked for is so already.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn nothing_to_do(&mut self, ask: Ask) -> Result<Option<String>, ClientError> {
        let report = self.status()?;
        let goal = Goal::of(ask).filter(|goal| goal.is_reached(&report));
        Ok(goal.map(|goal| format!("nothing to do: {}", goal.outcome(&report))))
    }

    /// Gives a standby or takeover, and follows it to its end with a line for each change.
    ///
    /// # Errors
    /// When it is refused or fails, with the reason.
    pub fn carry_out(
        &mut self,
        ask: Ask,
        progress: impl FnMut(&str),
    ) -> Result<String, ClientError> {
        self.follow(ask, BEGIN_MAX, progress)
    }

    pub(super) fn follow(
        &mut self,
        ask: Ask,
        begin_max: Duration,
        mut progress: impl FnMut(&str),
    ) -> Result<String, ClientError> {
        let before = self.status()?;
        self.ask(ask)?;
        let Some(goal) = Goal::of(ask) else {
            return Ok(sketch(&before));
        };
        let mut last = sketch(&before);
        let mut idle = Duration::ZERO;
        for _ in 0..STANDBY_MAX.as_millis() / LOOK.as_millis() {
            let now = self.status()?;
            let picture = sketch(&now);
            if picture != last {
                progress(&picture);
                last = picture;
            }
            idle = match goal.verdict(before.standby.ended, &now) {
                Verdict::Reached => return Ok(format!("done: {}", goal.outcome(&now))),
                Verdict::Failed => return Err(ClientError::Refused(now.standby.outcome)),
                Verdict::Moving => Duration::ZERO,
                Verdict::Idle => idle + LOOK,
            };
            if idle > begin_max {
                return Err(ClientError::NoEffect {
                    waited: begin_max,
                    state: last,
                });
            }
            thread::sleep(LOOK);
        }
        Err(ClientError::Endless)
    }
}

/// The state in one line, for progress.
fn sketch(report: &StatusReport) -> String {
    let moving = |stable: bool| if stable { "" } else { " (in transition)" };
    format!(
        "{} holds {}{}, {} holds {}{}",
        report.node,
        report.hold,
        moving(report.stable),
        report.peer.name,
        report.peer.hold,
        moving(report.peer.stable)
    )
}

fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Also bounds the connect: a stopped daemon's queue may be full.
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(UnixStream::from(std::os::fd::OwnedFd::from(socket)))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "there are dozens, which mean the same here"
)]
fn explain(error: &io::Error, path: PathBuf) -> ClientError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ClientError::Denied(path),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Silent(path),
        // No socket, nobody behind it, or it went away under our hands.
        _ => ClientError::NotRunning(path),
    }
}
