//! What an administrator does, and does wrong: keys, ports, interfaces, the control socket.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::Signal;
use systole::clock::now;
use systole::demo::lab::KEY;
use systole::demo::sample::Host;
use systole_netns::{DEADTIME, FIRST, SECOND, World, settings};

fn output(world: &World, host: Host, args: &[&str]) -> (bool, String) {
    let output = world.systole(host, args);
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), text.concat())
}

/// Aim: keys are changed on a running pair, node by node, and nobody notices.
#[test]
fn key_rotation() {
    let mut world = World::running(&settings());
    let began = now();
    let both = format!("1 sha1 {KEY}\n2 sha1 TheNewKeyOfThisYear\n");
    let new = "auth 2\n2 sha1 TheNewKeyOfThisYear\n".to_owned();
    // Both know both; then both sign with the new one; then the old one goes.
    for text in [format!("auth 1\n{both}"), format!("auth 2\n{both}"), new] {
        for host in [FIRST, SECOND] {
            let before = world.log_count(host, "authkeys was read again");
            world.write_config(host, "authkeys", &text);
            world
                .lab()
                .node(host)
                .signal(Signal::SIGHUP)
                .expect("a daemon");
            world.wait_until("the keys are read again", |world| {
                (world.log_count(host, "authkeys was read again") > before).then_some(())
            });
        }
    }
    world.nothing_happens_for(DEADTIME * 2);
    world.assert_undisturbed(FIRST, began);
    for host in Host::BOTH {
        assert_eq!(world.log_count(host, "is dead: nothing heard"), 0);
    }
    world.settled();
}

/// Aim: SIGHUP with a faulty authkeys changes nothing but the log.
#[test]
fn faulty_keys_are_not_taken_over() {
    let mut world = World::running(&settings());
    let began = now();
    world.write_config(FIRST, "authkeys", "auth 1\n1 sha5 nonsense\n");
    world
        .lab()
        .node(FIRST)
        .signal(Signal::SIGHUP)
        .expect("a daemon");
    world.logged(FIRST, "authkeys");
    world.nothing_happens_for(DEADTIME * 2);
    world.assert_undisturbed(FIRST, began);
    world.settled();
}

/// Aim: a heartbeat port that is taken is an error that names it, and an exit.
#[test]
fn occupied_port() {
    let world = World::new(&settings());
    let mut holder = world
        .lab()
        .node(FIRST)
        .space()
        .expect("it is on")
        .command("unshare");
    holder.args(["--mount", "--uts", "--pid", "--fork", "--"]);
    holder.arg(systole_netns::binary());
    // The lab's own process 1 of a machine listens on a port that it is told.
    holder.args(["demo-part", "space", "--name=other", "--echo=695"]);
    holder.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = holder.spawn().expect("a process on the port");
    let mut byte = [0; 1];
    holder
        .stdout
        .take()
        .expect("piped")
        .read_exact(&mut byte)
        .expect("it listens");
    let (good, said) = output(&world, FIRST, &["run"]);
    assert!(!good);
    assert!(said.contains("695"), "{said}");
    drop(holder.stdin.take());
    let _ = holder.wait();
}

/// Aim: an interface that does not exist (yet) is an error in the log that names it, and the daemon waits
/// for it: at boot it may come later than the daemon.
#[test]
fn missing_interface() {
    let mut world = World::new(&settings());
    let ha_cf = settings().ha_cf().replace("eth0", "eth7");
    world.write_config(FIRST, "ha.cf", &ha_cf);
    world.start(FIRST);
    world.logged(FIRST, "interface eth7 does not exist");
    world.start(SECOND);
    let lines = "link set eth0 down\nlink set eth0 name eth7\nlink set eth7 up\n";
    let space = world.lab().node(FIRST).space().expect("it is on");
    space.ip(lines).expect("a new name");
    world.settled();
    world.served_by(FIRST);
}

/// Aim: the daemon refuses files with errors, with the place of each.
#[test]
fn faulty_files() {
    let world = World::new(&settings());
    world.write_config(
        FIRST,
        "ha.cf",
        &settings()
            .ha_cf()
            .replace("keepalive 100ms", "keepalive never"),
    );
    let (good, said) = output(&world, FIRST, &["run"]);
    assert!(!good);
    assert!(
        said.contains("keepalive") && said.contains("ha.cf:2"),
        "{said}"
    );
}

/// Aim: a second daemon on the same node does not start, and does not disturb the first.
#[test]
fn second_daemon() {
    let mut world = World::running(&settings());
    let began = now();
    let (good, said) = output(&world, FIRST, &["run"]);
    assert!(!good, "{said}");
    world.assert_undisturbed(FIRST, began);
    world.settled();
}

fn control_socket(world: &World, host: Host) -> PathBuf {
    let runtime = &world.lab().node(host).paths().runtime;
    let entries = std::fs::read_dir(runtime).expect("a runtime directory");
    let mut sockets = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_socket()));
    sockets.next().expect("a control socket").path()
}

/// Aim: nonsense on the control socket is answered by hanging up; the daemon goes on. Nobody but root
/// can open it.
#[test]
fn nonsense_on_the_control_socket() {
    let mut world = World::running(&settings());
    let began = now();
    let path = control_socket(&world, FIRST);
    let mode = std::fs::metadata(&path)
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "mode {mode:o}");
    let nonsense: [&[u8]; 4] = [
        b"GET / HTTP/1.0\r\n\r\n",
        &[0; 10_000],
        b"\n\n\n",
        &[0xff; 3],
    ];
    // One that says nothing and stays must not keep the others away.
    let silent = UnixStream::connect(&path).expect("a connection");
    for bytes in nonsense {
        let mut stream = UnixStream::connect(&path).expect("a connection");
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout");
        // It may hang up before it has heard it all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        let timed_out = end.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "it was not hung up on");
    }
    world.settled();
    drop(silent);
    world.assert_undisturbed(FIRST, began);
}

/// Aim: `status --json` says of both sides what the client sees, and keeps up with it.
#[test]
fn status_says_what_is() {
    let mut world = World::running(&settings());
    let says = |world: &World, host: Host, pointer: &str| {
        let status = world.lab().node(host).status().expect("a status");
        status
            .pointer(pointer)
            .unwrap_or_else(|| panic!("no {pointer}"))
            .clone()
    };
    for (host, hold, group) in [(FIRST, "local", "held"), (SECOND, "local", "released")] {
        assert_eq!(says(&world, host, "/node"), host.name());
        assert_eq!(says(&world, host, "/peer/name"), host.peer().name());
        assert_eq!(says(&world, host, "/status"), "active");
        assert_eq!(says(&world, host, "/hold"), hold);
        assert_eq!(says(&world, host, "/groups/0/name"), "10.8.0.1");
        assert_eq!(says(&world, host, "/groups/0/node"), "rproxy1");
        assert_eq!(says(&world, host, "/groups/0/status"), group);
        assert_eq!(says(&world, host, "/links/0/status"), "up");
    }
    world.power_cut(FIRST);
    world.served_by(SECOND);
    world.wait_until("rproxy2 says that it has it", |world| {
        (says(world, SECOND, "/groups/0/status") == "held").then_some(())
    });
    assert_eq!(says(&world, SECOND, "/hold"), "all");
    assert_eq!(says(&world, SECOND, "/peer/status"), "dead");
    assert_eq!(says(&world, SECOND, "/links/0/status"), "dead");
}

/// Aim: without a daemon, `status` and `standby` say so and fail, at once.
#[test]
fn no_daemon_to_ask() {
    let world = World::new(&settings());
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["standby"],
        &["takeover"],
    ] {
        let (good, said) = output(&world, FIRST, args);
        assert!(!good, "{args:?}: {said}");
        assert!(
            said.contains("not running") || said.contains("no daemon"),
            "{args:?}: {said}"
        );
    }
}

/// Aim: scripts of the original keep working: its three commands, under their names, with its answers.
#[test]
fn names_of_the_original() {
    let mut world = World::new(&settings());
    // Those commands have no options for directories: the node's own /run is the usual place.
    for host in Host::BOTH {
        let runtime = world.lab().node(host).paths().runtime.display().to_string();
        let space = world.lab().node(host).space().expect("it is on");
        space
            .run("ln", &["-s", &runtime, "/run/systole"])
            .expect("a link");
        for name in ["cl_status", "hb_standby", "hb_takeover"] {
            let binary = systole_netns::binary().display().to_string();
            space
                .run("ln", &["-s", &binary, &format!("/run/{name}")])
                .expect("a link");
        }
    }
    let run = |world: &World, host: Host, name: &str, args: &[&str]| {
        let space = world.lab().node(host).space().expect("it is on");
        let output = space
            .command(format!("/run/{name}"))
            .args(args)
            .output()
            .expect("an end");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let stopped = (
        Some(1),
        "Heartbeat is stopped on this machine.\n".to_owned(),
    );
    assert_eq!(run(&world, FIRST, "cl_status", &["hbstatus"]), stopped);
    for host in Host::BOTH {
        world.start(host);
    }
    world.served_by(FIRST);
    world.settled();
    let running = (
        Some(0),
        "Heartbeat is running on this machine.\n".to_owned(),
    );
    assert_eq!(run(&world, FIRST, "cl_status", &["hbstatus"]), running);
    let local = (Some(0), "local\n".to_owned());
    assert_eq!(run(&world, FIRST, "cl_status", &["rscstatus"]), local);
    let active = (Some(0), "active\n".to_owned());
    assert_eq!(
        run(&world, SECOND, "cl_status", &["nodestatus", "rproxy1"]),
        active
    );
    assert_eq!(run(&world, FIRST, "hb_standby", &["all"]).0, Some(0));
    world.served_by(SECOND);
    world.settled();
    assert_eq!(run(&world, FIRST, "hb_takeover", &["local"]).0, Some(0));
    world.served_by(FIRST);
}
