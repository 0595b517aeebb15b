//! The way from one daemon to the other and back, by the script that administrators run.

use core::time::Duration;
use std::fs;
use std::path::Path;

use systole::clock::now;
use systole::demo::lab::output_within;
use systole::demo::sample::Host;

use super::show;
use crate::original;
use crate::pair::{Files, LIMIT, Pair, Role, binary};

/// The script under test.
const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../dist/upgrade-from-heartbeat"
);

/// Aim: a pair of the original becomes one of Systole and goes back, one node at a time, with the
/// service up; generation and uuid go on. In one role the preferred node is first, in the other the last.
pub(super) fn there_and_back(role: Role) -> String {
    let pair = Pair::new(role, &Files::default());
    for host in Host::BOTH {
        original::start(pair.lab().node(host).space().expect("a machine that is on"));
    }
    pair.holds(Host::First);
    // The original's own ten seconds, until both are settled.
    pair.quiet(Duration::from_secs(3));
    let before = Host::BOTH.map(|host| identity(&pair, host));
    let mut costs = Vec::new();
    for to in ["systole", "heartbeat"] {
        for host in [role.ours(), role.theirs()] {
            let begun = now();
            switch(&pair, host, to);
            pair.holds(Host::First);
            costs.push(pair.outage(begun));
        }
    }
    let after = Host::BOTH.map(|host| identity(&pair, host));
    for ((generation, uuid), (later, same)) in before.into_iter().zip(after) {
        assert_eq!(later, generation + 2, "each start adds one");
        assert_eq!(uuid, same, "the identity stays");
    }
    pair.verdict_of_both();
    let all: Vec<String> = costs.into_iter().map(show).collect();
    format!("outages {}", all.join(", "))
}

/// Runs the script on a machine; systemd is not there, so the daemons are started by hand.
fn switch(pair: &Pair, host: Host, to: &str) {
    let space = pair.lab().node(host).space().expect("a machine that is on");
    let systole = binary();
    let root = &pair.lab().node(host).paths().root;
    let script = |name: &str, text: &str| {
        let path = root.join(name);
        systole::demo::lab::write(&path, &format!("#!/bin/sh\n{text}\n"), 0o755).expect("a script");
        path.display().to_string()
    };
    let run = format!(
        "setsid {} run </dev/null >/dev/null 2>&1 & echo $! >/run/systole.pid",
        systole.display()
    );
    let start = script("start-systole", &run);
    let end = "pid=$(cat /run/systole.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done";
    let stop = script("stop-systole", end);
    let mut command = space.command("env");
    command.args([
        format!("SYSTOLE={}", systole.display()),
        format!("START_SYSTOLE={start}"),
        format!("STOP_SYSTOLE={stop}"),
        format!("START_HEARTBEAT={}", original::DAEMON),
        format!("STOP_HEARTBEAT={} -k", original::DAEMON),
        "LIMIT=30".to_owned(),
        SCRIPT.to_owned(),
        to.to_owned(),
    ]);
    let output = output_within(&mut command, LIMIT * 2).expect("a script that ends");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        pair.fail(&format!("the script on {host} to {to}: {said}"));
    }
}

/// A node's generation and uuid.
fn identity(pair: &Pair, host: Host) -> (u64, Vec<u8>) {
    let state: &Path = &pair.lab().node(host).paths().state;
    let generation = fs::read_to_string(state.join("hb_generation")).expect("a generation");
    let uuid = fs::read(state.join("hb_uuid")).expect("a uuid");
    (generation.trim().parse().expect("a number"), uuid)
}
