//! The control socket: one JSON object per line each way, for root only.
//!
//! `{"do":"status"}`, `{"do":"standby","what":"all"}` and `{"do":"takeover","what":"local"}`
//! are answered by one [`Reply`] each. Whoever sends anything else gets one error and is
//! disconnected; so is whoever does not read, or says nothing for long.

pub mod client;
mod goal;
mod lock;
#[cfg(test)]
pub(crate) mod tests;

use core::time::Duration;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::status::StatusReport;
use lock::Lock;

/// Bytes of a request, the line end included.
const REQUEST_BYTES_MAX: u64 = 4096;

/// Clients at a time.
const CLIENTS_MAX: usize = 16;

/// How long a client may say nothing. `status --watch` asks every second.
const IDLE: Duration = Duration::from_secs(30);

/// How long a client may take to read an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The socket's path.
#[must_use]
pub fn socket_path(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("control")
}

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
pub enum Ask {
    /// Everything there is to know.
    Status,
    /// Give groups to the peer.
    Standby {
        /// Which.
        what: What,
    },
    /// Take groups from the peer.
    Takeover {
        /// Which.
        what: What,
    },
}

/// Which groups, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// All of them.
    All,
    /// Those that prefer this node.
    Local,
    /// Those that prefer the peer.
    Foreign,
}

/// What the daemon answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// To `status`.
    Status(Box<StatusReport>),
    /// The command is being carried out; follow it by `status`.
    Accepted,
    /// The command cannot be carried out, and why.
    Refused(String),
    /// The request cannot be understood. The connection ends.
    Error(String),
}

/// One request, to be answered by the run loop.
#[derive(Debug)]
pub struct Request {
    /// What is wanted.
    pub ask: Ask,
    reply: oneshot::Sender<Reply>,
}

impl Request {
    /// Answers it. A client that has gone meanwhile does not matter.
    pub fn answer(self, reply: Reply) {
        let _ = self.reply.send(reply);
    }
}

/// The listening socket and the lock that makes this the only daemon.
#[derive(Debug)]
pub struct Control {
    requests: mpsc::Receiver<Request>,
    listener: JoinHandle<()>,
    path: PathBuf,
    _lock: Lock,
}

/// Why there is no control socket. The daemon must not start.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Another daemon has this runtime directory.
    #[error("systole is already running, pid {pid}; stop it first (`systemctl stop systole`)")]
    Running {
        /// Its process id, as far as it is known.
        pid: String,
    },
    /// The directory, the lock or the socket cannot be made.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn fail(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { what, path, source }
}

impl Control {
    /// Takes the runtime directory for this daemon and listens. Needs a tokio runtime.
    ///
    /// # Errors
    /// When another daemon has it, or something cannot be made.
    pub fn open(runtime_dir: &Path) -> Result<Self, ControlError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(runtime_dir)
            .map_err(fail("create", runtime_dir))?;
        let lock = Lock::take(&runtime_dir.join("systole.pid"))?;
        let path = socket_path(runtime_dir);
        // The lock is ours, so a socket here is left from a daemon that was killed.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(fail("remove", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let socket = UnixListener::bind(&path).map_err(fail("listen on", &path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(fail("set the mode of", &path))?;
        let (sender, requests) = mpsc::channel(CLIENTS_MAX);
        let listener = tokio::spawn(listen(socket, sender));
        Ok(Self {
            requests,
            listener,
            path,
            _lock: lock,
        })
    }

    /// Waits for the next request. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Request {
        match self.requests.recv().await {
            Some(request) => request,
            None => core::future::pending().await,
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.listener.abort();
        // The next daemon would remove it as well.
        let _ = fs::remove_file(&self.path);
    }
}

async fn listen(socket: UnixListener, requests: mpsc::Sender<Request>) {
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    loop {
        let Ok((client, _)) = socket.accept().await else {
            // Out of file descriptors, most likely; it would fail again at once.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let place = Arc::clone(&places).try_acquire_owned();
        let requests = requests.clone();
        tokio::spawn(async move {
            let refusal = match &place {
                Err(_) => Some("too many clients at a time; try again later"),
                Ok(_) if !permitted(&client) => Some("only root may control systole"),
                Ok(_) => None,
            };
            match refusal {
                None => serve(client, &requests).await,
                Some(text) => {
                    let mut client = client;
                    let _ = send(&mut client, &Reply::Error(text.to_owned())).await;
                }
            }
            drop(place);
        });
    }
}

/// The socket's mode says the same; this holds when somebody changes it.
fn permitted(client: &UnixStream) -> bool {
    let own = nix::unistd::geteuid().as_raw();
    client
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == own)
}

async fn serve(client: UnixStream, requests: &mpsc::Sender<Request>) {
    let mut client = BufReader::new(client);
    loop {
        let mut line = Vec::new();
        let mut limited = (&mut client).take(REQUEST_BYTES_MAX);
        let read = timeout(IDLE, limited.read_until(b'\n', &mut line)).await;
        if !matches!(read, Ok(Ok(count)) if count > 0) {
            return;
        }
        let ask = if line.ends_with(b"\n") {
            serde_json::from_slice::<Ask>(&line).map_err(|error| error.to_string())
        } else {
            Err(format!(
                "a request is one line of at most {REQUEST_BYTES_MAX} bytes"
            ))
        };
        let ask = match ask {
            Ok(ask) => ask,
            Err(why) => {
                let _ = send(client.get_mut(), &Reply::Error(why)).await;
                return;
            }
        };
        let (reply, answer) = oneshot::channel();
        if requests.send(Request { ask, reply }).await.is_err() {
            return;
        }
        let Ok(answer) = answer.await else { return };
        if send(client.get_mut(), &answer).await.is_err() {
            return;
        }
    }
}

async fn send(client: &mut UnixStream, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    timeout(PATIENCE, client.write_all(&line)).await?
}
