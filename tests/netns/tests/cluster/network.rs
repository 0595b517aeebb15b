//! Cables, interfaces and networks that go and come back.

use systole::clock::now;
use systole::demo::lab::{Network, Settings};
use systole_netns::{DEADTIME, FIRST, SECOND, World, settings};

/// Two heartbeat paths: the private segment and the administrative network.
fn two_links() -> Settings {
    let mut settings = settings();
    for host in [FIRST, SECOND] {
        settings
            .links
            .push(format!("ucast eth1 {}", Network::Admin.address(host)));
    }
    settings
}

/// Aim: with two heartbeat networks the loss of one moves nothing; it is reported, and its return too.
#[test]
fn one_of_two_links_cut() {
    let mut world = World::running(&two_links());
    let cut = now();
    world.pull(FIRST, Network::Private);
    world.logged(SECOND, "link ucast eth0 192.168.1.1 is dead");
    world.nothing_happens_for(DEADTIME);
    world.assert_undisturbed(FIRST, cut);
    let ups = world.log_count(SECOND, "link ucast eth0 192.168.1.1 is up");
    world.plug(FIRST, Network::Private);
    world.wait_until("the link is up again", |world| {
        (world.log_count(SECOND, "link ucast eth0 192.168.1.1 is up") > ups).then_some(())
    });
    world.assert_undisturbed(FIRST, cut);
}

/// Aim: when every heartbeat path is cut, two nodes serve (documented, without fencing); when they are
/// back, exactly one does.
#[test]
fn all_links_cut_and_healed() {
    let mut world = World::running(&settings());
    world.allow_two_holders();
    world.pull(FIRST, Network::Private);
    world.logged(FIRST, "peer rproxy2 is dead");
    world.logged(SECOND, "peer rproxy1 is dead");
    world.logged(SECOND, "runs here, after");
    world.plug(FIRST, Network::Private);
    world.logged(FIRST, "is back without having restarted");
    world.only_holder(FIRST, DEADTIME * 2);
    world.settled();
}

/// Aim: an interface that is taken away is reported, and used again when it is back.
#[test]
fn interface_vanishes_and_returns() {
    let mut world = World::running(&two_links());
    let gone = now();
    world
        .lab()
        .remove_cable(SECOND, Network::Private)
        .expect("a cable");
    world.logged(SECOND, "link ucast eth0 192.168.1.1 cannot send or receive");
    world.nothing_happens_for(DEADTIME);
    let ups = world.log_count(SECOND, "link ucast eth0 192.168.1.1 is up");
    world
        .lab()
        .lay_cable(SECOND, Network::Private)
        .expect("a cable");
    world.wait_until("the link is up again", |world| {
        (world.log_count(SECOND, "link ucast eth0 192.168.1.1 is up") > ups).then_some(())
    });
    world.assert_undisturbed(FIRST, gone);
}

/// Aim: silence shorter than deadtime causes no takeover.
#[test]
fn short_silence_is_no_death() {
    let mut world = World::running(&settings());
    let cut = now();
    for state in ["disabled", "forwarding"].into_iter().cycle().take(6) {
        // The switch stops forwarding; the cable stays plugged.
        let port = Network::Private.port(FIRST);
        let args = ["link", "set", "dev", &port, "state", state];
        world
            .lab()
            .hub()
            .run("bridge", &args)
            .expect("a port of the bridge");
        world.nothing_happens_for(DEADTIME / 3);
    }
    world.assert_undisturbed(FIRST, cut);
    assert_eq!(world.log_count(SECOND, "is dead: nothing heard"), 0);
    world.settled();
}

/// Aim: the same when the node's own interface loses its carrier, which makes the kernel forget where the
/// peer is.
#[test]
fn short_cable_cut_is_no_death() {
    let mut world = World::running(&settings());
    let cut = now();
    for _ in 0..3 {
        world.pull(FIRST, Network::Private);
        world.nothing_happens_for(DEADTIME / 3);
        world.plug(FIRST, Network::Private);
        // Before the cable was plugged in again, nothing had been heard for longer than this.
        world.wait_until("rproxy2 hears rproxy1", |world| {
            let status = world.lab().node(SECOND).status()?;
            let heard = status.pointer("/peer/heard_ms_ago")?.as_u64()?;
            (heard < 250).then_some(())
        });
    }
    world.assert_undisturbed(FIRST, cut);
    assert_eq!(world.log_count(SECOND, "is dead: nothing heard"), 0);
    world.settled();
}
