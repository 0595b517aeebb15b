//! The control socket against well-behaved and other clients.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream as Stream;
use std::thread;

use super::client::{Client, ClientError};
use super::*;
use crate::status::StandbyReport;

/// Runs a daemon's loop that answers with a small state machine, and a client beside it.
pub(crate) fn with_daemon<T: Send + 'static>(
    client: impl FnOnce(&Path) -> T + Send + 'static,
) -> T {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut control = Control::open(&dir.path().join("run")).unwrap();
        let path = dir.path().join("run");
        let mut client = tokio::task::spawn_blocking(move || client(&path));
        let mut asked = 0_u64;
        let mut standby = StandbyReport::default();
        let mut given = false;
        loop {
            let request = tokio::select! {
                result = &mut client => return result.unwrap(),
                request = control.next() => request,
            };
            asked += 1;
            match request.ask {
                Ask::Status => {
                    let mut report = StatusReport {
                        node: "a".into(),
                        pid: 42,
                        uptime_ms: asked,
                        hold: if given { "none" } else { "local" }.into(),
                        stable: true,
                        standby: standby.clone(),
                        ..StatusReport::default()
                    };
                    report.peer.name = "b".into();
                    report.peer.hold = if given { "all" } else { "local" }.into();
                    report.peer.stable = true;
                    if standby.running {
                        standby.running = false;
                        standby.ended += 1;
                        given = standby.giving;
                    }
                    request.answer(Reply::Status(Box::new(report)));
                }
                Ask::Standby { what: What::Local } => {
                    request.answer(Reply::Refused("the peer is absent".into()));
                }
                // The peer does not take it up.
                Ask::Takeover { what: What::All } => request.answer(Reply::Accepted),
                Ask::Standby { .. } | Ask::Takeover { .. } => {
                    standby.running = true;
                    standby.giving = matches!(request.ask, Ask::Standby { .. });
                    standby.done = standby.giving;
                    standby.outcome = "over".into();
                    request.answer(Reply::Accepted);
                }
            }
        }
    })
}

/// Aim: status, acceptance, refusal, progress and both ends of a standby reach the client.
#[test]
fn conversation() {
    with_daemon(|dir| {
        let mut client = Client::connect(dir).unwrap();
        assert_eq!(client.status().unwrap().pid, 42);
        let error = client.ask(Ask::Standby { what: What::Local }).unwrap_err();
        assert_eq!(error.to_string(), "the peer is absent");
        let mut lines = Vec::new();
        let outcome = client.carry_out(Ask::Standby { what: What::All }, |line| {
            lines.push(line.to_owned());
        });
        assert_eq!(outcome.unwrap(), "done: the peer, b, holds all resources");
        assert_eq!(lines, ["a holds none, b holds all"]);
        let again = client.nothing_to_do(Ask::Standby { what: What::All });
        assert_eq!(
            again.unwrap().unwrap(),
            "nothing to do: the peer, b, holds all resources"
        );
        let other = client.nothing_to_do(Ask::Takeover { what: What::All });
        assert_eq!(other.unwrap(), None);
    });
    with_daemon(|dir| {
        let mut client = Client::connect(dir).unwrap();
        let failed = client.carry_out(
            Ask::Takeover {
                what: What::Foreign,
            },
            |_| {},
        );
        assert!(matches!(failed, Err(ClientError::Refused(text)) if text == "over"));
    });
}

/// Aim: a takeover that the peer does not take up ends with a word about it, not after an hour.
#[test]
fn a_takeover_that_does_not_begin() {
    with_daemon(|dir| {
        let mut client = Client::connect(dir).unwrap();
        let takeover = Ask::Takeover { what: What::All };
        let patience = Duration::from_millis(300);
        let error = client.follow(takeover, patience, |_| {}).unwrap_err();
        assert!(matches!(error, ClientError::NoEffect { .. }), "{error}");
        assert!(
            error.to_string().contains("a holds local, b holds local"),
            "{error}"
        );
    });
}

/// Aim: socket and directory are for root only, and nothing is left after the end.
#[tokio::test]
async fn permissions_and_leftovers() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let path = socket_path(&run);
    fs::create_dir(&run).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let control = Control::open(&run).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let error = Control::open(&run).map(drop).unwrap_err().to_string();
    assert!(
        error.contains(&format!("already running, pid {}", std::process::id())),
        "{error}"
    );
    drop(control);
    assert!(!path.exists());
    drop(Control::open(&run).unwrap());
}

/// Aim: nonsense, endless lines and unknown words get one error and the door; others go on.
#[test]
fn nonsense_is_disconnected() {
    with_daemon(|dir| {
        let mut good = Client::connect(dir).unwrap();
        for bytes in [
            b"GET / HTTP/1.1\r\n".to_vec(),
            b"{}\n".to_vec(),
            b"{\"do\":\"standby\",\"what\":\"none\"}\n".to_vec(),
            b"{\"do\":\"reboot\"}\n".to_vec(),
            vec![b'x'; 4096],
            [vec![b'['; 4000], b"\n".to_vec()].concat(),
        ] {
            let mut client = Stream::connect(socket_path(dir)).unwrap();
            client.write_all(&bytes).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            assert!(
                answer.starts_with("{\"error\":") && answer.ends_with("}\n"),
                "{answer}"
            );
            assert_eq!(answer.lines().count(), 1);
        }
        assert!(good.status().is_ok());
    });
}

/// Aim: clients beyond the limit are told so, and places become free again.
#[test]
fn clients_are_limited() {
    with_daemon(|dir| {
        let mut clients: Vec<Client> = (0..CLIENTS_MAX)
            .map(|_| Client::connect(dir).unwrap())
            .collect();
        for client in &mut clients {
            client.status().unwrap();
        }
        let error = Client::connect(dir)
            .unwrap()
            .status()
            .unwrap_err()
            .to_string();
        assert!(error.contains("too many clients"), "{error}");
        drop(clients);
        let free = (0..100).any(|_| {
            thread::sleep(Duration::from_millis(20));
            Client::connect(dir).unwrap().status().is_ok()
        });
        assert!(free, "no place became free");
    });
}

/// Aim: without a daemon, and with one that is stopped, the client says so and does not hang.
#[test]
fn no_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let error = Client::connect(dir.path()).unwrap_err();
    assert!(matches!(error, ClientError::NotRunning(_)));
    assert!(
        error.to_string().contains("systemctl start systole"),
        "{error}"
    );
    // Nobody accepts on this one.
    let _socket = std::os::unix::net::UnixListener::bind(socket_path(dir.path())).unwrap();
    let error = Client::connect(dir.path()).unwrap().status().unwrap_err();
    assert!(matches!(error, ClientError::Silent(_)), "{error}");
}
