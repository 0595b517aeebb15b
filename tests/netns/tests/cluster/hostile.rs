//! Whoever can reach the heartbeat port: garbage, forgeries, recordings. None of it may have an effect.

use core::time::Duration;
use std::process::{Child, Stdio};

use systole::clock::now;
use systole::demo::sample::{Host, Probe};
use systole_netns::{DEADTIME, FIRST, MARGIN, SECOND, World, settings};

/// A stranger on the heartbeat segment.
const STRANGER: &str = "192.168.1.99/24";

/// Lines of log that an attack of some seconds may cost, however many packets it has.
const LINES_MAX: usize = 60;

/// A process on the heartbeat segment; it ends with its standard input.
struct Attacker(Child);

impl Attacker {
    fn start(world: &World, attack: &str) -> Self {
        let attacker = env!("CARGO_BIN_EXE_attacker");
        let mut command = world.lab().hub().command(attacker);
        command.arg(attack).stdin(Stdio::piped());
        Self(command.spawn().expect("an attacker"))
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        let status = self.0.wait().expect("its end");
        assert!(status.success(), "the attacker failed: {status}");
    }
}

fn stranger_on_the_segment(world: &World) {
    let lines = format!("address add {STRANGER} dev private\n");
    world.lab().hub().ip(&lines).expect("an address");
}

fn log_lines(world: &World, host: Host) -> usize {
    world.lab().node(host).log().lines().count()
}

/// Aim: a flood of garbage has no effect on the service, is reported, and does not flood the log.
#[test]
fn garbage_flood() {
    let mut world = World::running(&settings());
    stranger_on_the_segment(&world);
    let before = Host::BOTH.map(|host| log_lines(&world, host));
    let began = now();
    let attacker = Attacker::start(&world, "garbage");
    for host in Host::BOTH {
        world.logged(host, "had no effect");
    }
    world.nothing_happens_for(DEADTIME * 3);
    attacker.end();
    world.assert_undisturbed(FIRST, began);
    for (host, before) in Host::BOTH.into_iter().zip(before) {
        let lines = log_lines(&world, host) - before;
        assert!(lines <= LINES_MAX, "{lines} lines in the log of {host}");
        assert_eq!(world.log_count(host, "is dead: nothing heard"), 0);
    }
    world.settled();
}

/// Aim: recorded heartbeats, played back at once and in a flood, neither disturb the service nor keep a
/// dead node alive: the takeover comes in its time.
#[test]
fn replay_does_not_hide_a_death() {
    let mut world = World::running(&settings());
    stranger_on_the_segment(&world);
    let began = now();
    let attacker = Attacker::start(&world, "replay");
    world.nothing_happens_for(Duration::from_secs(4));
    world.assert_undisturbed(FIRST, began);
    let cut = now();
    world.power_cut(FIRST);
    world.served_by(SECOND);
    let outage = world.outage(Probe::Echo, cut);
    assert!(outage <= DEADTIME + MARGIN, "{outage:?}");
    attacker.end();
}

/// Aim: a recording of the earlier run does not make the survivor let go, either, when the node is back.
#[test]
fn replay_after_return() {
    let mut world = World::running(&settings());
    stranger_on_the_segment(&world);
    let attacker = Attacker::start(&world, "replay");
    world.nothing_happens_for(Duration::from_secs(2));
    world.power_cut(FIRST);
    world.served_by(SECOND);
    world.power_on(FIRST);
    world.start(FIRST);
    world.served_by(FIRST);
    world.settled();
    let settled = now();
    world.nothing_happens_for(DEADTIME * 2);
    world.assert_undisturbed(FIRST, settled);
    attacker.end();
}

/// Aim: a node with another key is told apart from a dead one in the log of both, and the log stays short.
#[test]
fn wrong_key_on_one_node() {
    let mut world = World::new(&settings());
    world.write_config(
        SECOND,
        "authkeys",
        "auth 1\n1 sha1 AnotherKeyThanTheOthers\n",
    );
    // Each finds itself alone: two holders until the key is mended. The documentation says so.
    world.allow_two_holders();
    for host in Host::BOTH {
        world.start(host);
    }
    for host in Host::BOTH {
        world.logged(host, "wrong signature");
        world.wait_until("the refused packets are counted", |world| {
            let status = world.lab().node(host).status()?;
            refused(&status).filter(|count| *count > 10)
        });
    }
    world.nothing_happens_for(DEADTIME * 3);
    for host in Host::BOTH {
        let lines = log_lines(&world, host);
        assert!(lines <= LINES_MAX * 2, "{lines} lines in the log of {host}");
    }
}

/// How many packets had no effect, over all links and reasons.
fn refused(status: &serde_json::Value) -> Option<u64> {
    let links = status.get("links")?.as_array()?;
    let counters = links
        .iter()
        .filter_map(|link| link.get("refused")?.as_array())
        .flatten();
    Some(
        counters
            .filter_map(|counter| counter.get("count")?.as_u64())
            .sum(),
    )
}
