//! The log against real files and sockets.

use std::fs;
use std::os::unix::net::UnixDatagram;

use crate::clock;
use tracing::{debug, error, info, warn};
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

fn sockets(dir: &tempfile::TempDir) -> Sockets {
    Sockets {
        journal: dir.path().join("journal"),
        syslog: dir.path().join("syslog"),
    }
}

/// Logs what the closure says, in a log of its own, and waits until it is written.
fn logged(config: &LogConfig, sockets: &Sockets, say: impl FnOnce(&Journal)) {
    let (journal, queue) = Journal::prepare("rproxy1", config, sockets, false).unwrap();
    let subscriber = tracing_subscriber::registry().with(queue);
    tracing::subscriber::with_default(subscriber, || say(&journal));
    journal.flush(PATIENCE);
}

/// Aim: files get one readable line per event, debug lines only the debug file, none are merged.
#[test]
fn files() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        file: Some(dir.path().join("log")),
        debug_file: Some(dir.path().join("debug")),
        ..LogConfig::default()
    };
    logged(&config, &sockets(&dir), |_| {
        info!(target: "agent", resource = "nginx", took = "two words", "nginx\nstarted");
        warn!(target: "node", kind = "peer_late", "peer is late");
        debug!(target: "systole", "detail");
        info!(target: "some_library", "chatter");
    });
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let head = format!("Z rproxy1 systole[{}]: ", std::process::id());
    let lines: Vec<&str> = log
        .lines()
        .map(|line| line.split_once(&head).unwrap().1)
        .collect();
    assert_eq!(
        lines,
        [
            "info: nginx started resource=nginx took=\"two words\"",
            "warning: peer is late"
        ]
    );
    let debug = fs::read_to_string(dir.path().join("debug")).unwrap();
    assert_eq!(debug.lines().count(), 3);
    assert!(debug.ends_with("debug: detail\n"), "{debug}");
}

/// Aim: after logrotate has moved the file, lines go into a new one.
#[test]
fn rotation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let config = LogConfig {
        file: Some(path.clone()),
        ..LogConfig::default()
    };
    logged(&config, &sockets(&dir), |journal| {
        info!(target: "systole", "one");
        journal.flush(PATIENCE);
        fs::rename(&path, dir.path().join("log.1")).unwrap();
        journal.reopen();
        info!(target: "systole", "two");
    });
    assert!(
        fs::read_to_string(dir.path().join("log.1"))
            .unwrap()
            .ends_with("info: one\n")
    );
    assert!(fs::read_to_string(&path).unwrap().ends_with("info: two\n"));
}

fn receive(socket: &UnixDatagram) -> String {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = [0; 8192];
    let count = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

/// Aim: the journal gets message, priority and fields in its own form; syslog priority and tag.
#[test]
fn system_logs() {
    let dir = tempfile::tempdir().unwrap();
    let sockets = sockets(&dir);
    let journald = UnixDatagram::bind(&sockets.journal).unwrap();
    let syslog = UnixDatagram::bind(&sockets.syslog).unwrap();
    let config = LogConfig {
        system: true,
        facility: Some("local3".into()),
        ..LogConfig::default()
    };
    logged(
        &config,
        &sockets,
        |_| error!(target: "node", kind = "peer_dead", "peer is dead"),
    );
    assert_eq!(
        receive(&journald),
        "MESSAGE=peer is dead\nPRIORITY=3\nSYSLOG_IDENTIFIER=systole\nSYSTOLE_PART=node\n\
         SYSTOLE_KIND=peer_dead\n"
    );
    let pid = std::process::id();
    assert_eq!(
        receive(&syslog),
        format!("<155>systole[{pid}]: error: peer is dead")
    );
}

/// Aim: without journald the system's log is syslog's daemon facility; it may be restarted.
#[test]
fn syslog_instead_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let sockets = sockets(&dir);
    let syslog = UnixDatagram::bind(&sockets.syslog).unwrap();
    let config = LogConfig {
        system: true,
        ..LogConfig::default()
    };
    logged(&config, &sockets, |journal| {
        info!(target: "systole", "one");
        journal.flush(PATIENCE);
        assert!(receive(&syslog).starts_with("<30>systole["));
        drop(syslog);
        fs::remove_file(&sockets.syslog).unwrap();
        let syslog = UnixDatagram::bind(&sockets.syslog).unwrap();
        info!(target: "systole", "two");
        assert!(receive(&syslog).ends_with("info: two"));
    });
}

/// Aim: a logger that does not read holds nobody up; what is lost is counted and said.
#[test]
fn a_stalled_logger_costs_lines_not_time() {
    let dir = tempfile::tempdir().unwrap();
    let sockets = sockets(&dir);
    let _never_read = UnixDatagram::bind(&sockets.syslog).unwrap();
    let path = dir.path().join("log");
    let config = LogConfig {
        system: true,
        file: Some(path),
        ..LogConfig::default()
    };
    let (journal, queue) = Journal::prepare("rproxy1", &config, &sockets, false).unwrap();
    let before = clock::now();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(queue), || {
        for number in 0..10_000 {
            info!(target: "systole", number, "line");
        }
    });
    assert!(clock::now().since(before) < systole_core::time::Duration::from_secs(2));
    assert!(journal.dropped() > 8_000, "{}", journal.dropped());
}

/// Aim: a logger that hangs does not keep lines from the file, and hears later what it missed.
#[test]
fn a_stalled_logger_does_not_stop_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let sockets = sockets(&dir);
    let syslog = UnixDatagram::bind(&sockets.syslog).unwrap();
    let path = dir.path().join("log");
    let config = LogConfig {
        system: true,
        file: Some(path.clone()),
        ..LogConfig::default()
    };
    logged(&config, &sockets, |journal| {
        for number in 0..900 {
            info!(target: "systole", number, "line");
        }
        journal.flush(PATIENCE);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 900);
        let queued = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
        for _ in 0..=queued.trim().parse::<u32>().unwrap() {
            receive(&syslog);
        }
        info!(target: "systole", "again");
        assert!(receive(&syslog).ends_with("info: again"));
        assert!(receive(&syslog).contains("log lines were lost"));
    });
}

/// Aim: what was dropped is said in the log itself.
#[test]
fn lost_lines_are_mentioned() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        file: Some(dir.path().join("log")),
        ..LogConfig::default()
    };
    logged(&config, &sockets(&dir), |journal| {
        journal.shared.dropped.store(7, Ordering::Relaxed);
        info!(target: "systole", "after");
    });
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("warning: 7 log lines were lost"), "{log}");
}

/// Aim: a log file that cannot be opened is named, with the directive to look at.
#[test]
fn an_unusable_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        file: Some(dir.path().join("no/log")),
        ..LogConfig::default()
    };
    let error = Journal::prepare("n", &config, &sockets(&dir), false)
        .map(drop)
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("no/log: No such file") && text.contains("see logfile"),
        "{text}"
    );
}
