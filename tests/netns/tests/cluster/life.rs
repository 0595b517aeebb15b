//! The life of a pair: start, death, return, hand-over, stop.

use core::time::Duration;

use nix::sys::signal::Signal;
use systole::clock::{duration, now};
use systole::demo::lab::Settings;
use systole::demo::sample::{Probe, Sample};
use systole_netns::{DEADTIME, FIRST, LIMIT, MARGIN, SECOND, World, settings};

fn without_failback() -> Settings {
    Settings {
        auto_failback: "off",
        ..settings()
    }
}

/// deadtime long enough for the kernel to withdraw the address by itself from a daemon that no longer runs.
fn with_lease() -> Settings {
    Settings {
        deadtime: DEADTIME * 3,
        initdead: DEADTIME * 6,
        ..settings()
    }
}

/// Aim: two nodes that start together agree at once, long before initdead; the preferred one serves.
#[test]
fn start_together() {
    let mut world = World::new(&settings());
    world.start(FIRST);
    let started = now();
    world.start(SECOND);
    let served = world.served_by(FIRST);
    assert!(served.since(started) < duration(Duration::from_secs(1) + MARGIN));
    world.answered_by(Probe::Arp, FIRST);
    let announced = |s: &Sample| s.probe == Probe::Announced && s.by == Some(FIRST);
    assert!(
        world.lab().watch().find(started, announced).is_some(),
        "nobody announced it"
    );
    world.settled();
}

/// Aim: a node that starts alone waits for initdead, then takes everything, its peer's groups too.
#[test]
fn start_alone() {
    let mut world = World::new(&settings());
    let started = now();
    world.start(SECOND);
    let served = world.served_by(SECOND);
    let waited = served.since(started);
    let initdead = settings().initdead;
    assert!(
        waited >= duration(initdead),
        "did not wait for initdead: {waited}"
    );
    assert!(waited < duration(initdead + MARGIN * 2), "{waited}");
}

/// Aim: after a power cut the peer waits for deadtime, then serves, and tells the neighbours.
#[test]
fn power_cut() {
    let mut world = World::running(&settings());
    let cut = now();
    world.power_cut(FIRST);
    world.served_by(SECOND);
    let outage = world.outage(Probe::Echo, cut);
    // The last heartbeat can be one keepalive old, and one more may have been under way.
    let silence = DEADTIME.saturating_sub(settings().keepalive * 2);
    assert!(outage >= silence, "taken over before deadtime: {outage:?}");
    assert!(outage <= DEADTIME + MARGIN, "{outage:?}");
    assert!(world.outage(Probe::Http, cut) <= DEADTIME + MARGIN * 2);
    let announced = |s: &Sample| s.probe == Probe::Announced && s.by == Some(SECOND);
    assert!(
        world.lab().watch().find(cut, announced).is_some(),
        "nobody announced it"
    );
    world.logged(SECOND, "peer rproxy1 is dead");
}

/// Aim: with `auto_failback` on, the groups return to their preferred node when it does, with a short gap.
#[test]
fn return_with_failback() {
    let mut world = World::running(&settings());
    world.power_cut(FIRST);
    world.served_by(SECOND);
    world.power_on(FIRST);
    let returned = now();
    world.start(FIRST);
    world.served_by(FIRST);
    assert!(world.outage(Probe::Http, returned) < DEADTIME);
    world.settled();
}

/// Aim: with `auto_failback` off, they stay where they are, and the client notices nothing.
#[test]
fn return_without_failback() {
    let mut world = World::running(&without_failback());
    world.power_cut(FIRST);
    world.served_by(SECOND);
    world.power_on(FIRST);
    let returned = now();
    world.start(FIRST);
    world.settled();
    world.nothing_happens_for(DEADTIME * 2);
    world.assert_undisturbed(SECOND, returned);
}

/// Aim: a planned standby moves the service with a gap far below deadtime.
#[test]
fn standby() {
    let mut world = World::running(&settings());
    let asked = now();
    world.command(FIRST, &["standby"]);
    world.served_by(SECOND);
    assert!(world.outage(Probe::Echo, asked) < DEADTIME / 2);
    assert!(world.outage(Probe::Http, asked) < DEADTIME);
    // Also with auto_failback on nothing comes back by itself: the node never went away.
    world.settled();
    let moved = now();
    world.nothing_happens_for(DEADTIME);
    world.assert_undisturbed(SECOND, moved);
}

/// Aim: a takeover fetches the service, and another one on the other side fetches it back.
#[test]
fn takeover() {
    let mut world = World::running(&settings());
    for host in [SECOND, FIRST] {
        let asked = now();
        world.command(host, &["takeover"]);
        world.served_by(host);
        assert!(world.outage(Probe::Http, asked) < DEADTIME, "to {host}");
        world.settled();
    }
}

/// Aim: a clean stop hands the service over without waiting for deadtime, and leaves nothing behind.
#[test]
fn clean_stop() {
    let mut world = World::running(&settings());
    let asked = now();
    world.stop(FIRST);
    world.served_by(SECOND);
    assert!(world.outage(Probe::Http, asked) < DEADTIME);
    world.logged(SECOND, "peer rproxy1 has stopped cleanly");
    let space = world.lab().node(FIRST).space().expect("it is on");
    let addresses = space.run("ip", &["address"]).expect("ip");
    assert!(
        !addresses.contains("10.8.0.1/"),
        "the address is left: {addresses}"
    );
    // The last one to stop takes the service down, and nobody is left.
    world.stop(SECOND);
    let stopped = now();
    world.wait_until("nobody has the address", |world| {
        world
            .lab()
            .watch()
            .find(stopped, |s| s.probe == Probe::Arp && s.failed())
    });
}

/// Aim: a node whose peer has stopped, and that is then stopped and started, serves again alone.
#[test]
fn restart_of_the_last_node() {
    let mut world = World::running(&settings());
    world.stop(FIRST);
    world.served_by(SECOND);
    world.stop(SECOND);
    world.start(SECOND);
    world.served_by(SECOND);
}

/// Aim: a daemon that is killed and comes back within deadtime adopts what it held: no takeover, and the
/// client notices nothing.
#[test]
fn killed_and_restarted() {
    let mut world = World::running(&settings());
    let killed = now();
    world
        .lab_mut()
        .node_mut(FIRST)
        .kill_daemon()
        .expect("a daemon");
    world.start(FIRST);
    world.settled();
    world.nothing_happens_for(DEADTIME);
    world.assert_undisturbed(FIRST, killed);
}

/// Aim: a killed standby node changes nothing for the client, dead or back.
#[test]
fn standby_node_killed() {
    let mut world = World::running(&settings());
    let killed = now();
    world
        .lab_mut()
        .node_mut(SECOND)
        .kill_daemon()
        .expect("a daemon");
    world.logged(FIRST, "peer rproxy2 is dead");
    world.start(SECOND);
    world.settled();
    world.assert_undisturbed(FIRST, killed);
}

/// Aim: a daemon that stands still loses the address to the kernel before the peer takes it; when it goes on,
/// it lets go of the rest, and exactly one node serves.
#[test]
fn stopped_process_lets_go() {
    let settings = Settings {
        auto_failback: "off",
        ..with_lease()
    };
    let mut world = World::running(&settings);
    let stopped = now();
    world
        .lab()
        .node(FIRST)
        .signal(Signal::SIGSTOP)
        .expect("a daemon");
    world.wait_until("rproxy2 announces the address", |world| {
        let announced = |s: &Sample| s.probe == Probe::Announced && s.by == Some(SECOND);
        world.lab().watch().find(stopped, announced)
    });
    world.nothing_happens_for(DEADTIME);
    world
        .lab()
        .node(FIRST)
        .signal(Signal::SIGCONT)
        .expect("a daemon");
    world.logged(FIRST, "this node did not run for");
    world.settled();
    world.only_holder(SECOND, DEADTIME);
}

/// Aim: when a daemon dies and does not come back, the kernel takes the address from its machine before the
/// peer has it.
#[test]
fn killed_and_gone() {
    let mut world = World::running(&with_lease());
    let killed = now();
    world
        .lab_mut()
        .node_mut(FIRST)
        .kill_daemon()
        .expect("a daemon");
    world.served_by(SECOND);
    let outage = world.outage(Probe::Http, killed);
    assert!(outage <= with_lease().deadtime + MARGIN, "{outage:?}");
    world.only_holder(SECOND, DEADTIME);
}

/// Aim: a stop during start-up does not wait for initdead.
#[test]
fn stop_while_starting() {
    let mut world = World::new(&settings());
    world.start(FIRST);
    world.logged(FIRST, "this node is");
    let asked = now();
    world.stop(FIRST);
    assert!(now().since(asked) < duration(LIMIT / 4));
}
