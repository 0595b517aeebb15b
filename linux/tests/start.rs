//! The daemon's first moments, in a network of its own.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong must stop")]

use core::time::Duration;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::Instant;

mod support;
use support::{Neighbour, PATIENCE, ip, isolated};

const HA_CF: &str = "\
keepalive 100ms
deadtime 1
initdead 1
ucast eth0 10.1.0.2
auto_failback on
node rproxy1
node rproxy2
";

/// Writes the three files; the group of rproxy1 is one address.
fn configure(dir: &Path) {
    let dir = dir.join("ha.d");
    fs::create_dir(&dir).unwrap();
    let log = dir.join("log");
    let ha_cf = format!("use_logd off\nlogfile {}\n{HA_CF}", log.display());
    fs::write(dir.join("ha.cf"), ha_cf).unwrap();
    fs::write(
        dir.join("haresources"),
        "rproxy1 IPaddr2::10.8.0.1/24/eth0\n",
    )
    .unwrap();
    let keys = dir.join("authkeys");
    fs::write(&keys, "auth 1\n1 sha1 a-key-for-this-test\n").unwrap();
    fs::set_permissions(&keys, Permissions::from_mode(0o600)).unwrap();
}

fn start(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_systole"))
        .args(["--node", "rproxy1", "--config-dir"])
        .arg(dir.join("ha.d"))
        .arg("--state-dir")
        .arg(dir.join("state"))
        .arg("--runtime-dir")
        .arg(dir.join("run"))
        .arg("run")
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Aim: a stop that comes while the daemon is still starting is a clean one, which also releases
/// the address that a killed daemon has left here.
#[test]
fn stopped_while_starting() {
    isolated(async || {
        let neighbour = Neighbour::new();
        neighbour.cable("eth0", "peer0", &["10.1.0.1/24"], &["10.1.0.2/24"]);
        let dir = tempfile::tempdir().unwrap();
        configure(dir.path());
        let socket = dir.path().join("run/control");
        let held = || !ip("addr show to 10.8.0.1").is_empty();
        for _ in 0..3 {
            let mut killed = start(dir.path());
            until("it takes the address", held);
            killed.kill().unwrap();
            killed.wait().unwrap();
            fs::remove_file(&socket).unwrap();
            assert!(held());
            let mut daemon = start(dir.path());
            until("it starts", || socket.exists());
            kill(Pid::from_raw(daemon.id().cast_signed()), Signal::SIGTERM).unwrap();
            assert!(daemon.wait().unwrap().success());
            assert!(!held());
        }
    });
}
