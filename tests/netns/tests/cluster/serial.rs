//! The serial cable as the only path, and beside a network.

use core::time::Duration;

use systole::clock::now;
use systole::demo::lab::{Network, Settings};
use systole::demo::sample::{Host, Probe};
use systole_netns::cable::Cable;
use systole_netns::{DEADTIME, FIRST, MARGIN, SECOND, World, settings};

/// A cluster with a serial cable, and the network only if `network`.
struct Wired {
    world: World,
    cable: Cable,
}

impl Wired {
    fn running(network: bool, more: &[&str], authkeys: Option<&str>) -> Self {
        let mut world = World::new(&settings());
        let cable = Cable::new();
        for host in [FIRST, SECOND] {
            let mut settings = settings();
            if !network {
                settings.links.clear();
            }
            let path = cable.path(host).display();
            settings.links.push("baud 115200".to_owned());
            settings.links.push(format!("serial {path}"));
            settings.directives = more.iter().map(|line| (*line).to_owned()).collect();
            world.write_config(host, "ha.cf", &Settings::ha_cf(&settings));
            if let Some(text) = authkeys {
                world.write_config(host, "authkeys", text);
            }
            world.start(host);
        }
        world.served_by(FIRST);
        world.settled();
        Self { world, cable }
    }

    fn link(&self, host: Host, what: &str) -> String {
        format!("link serial {} {what}", self.cable.path(host).display())
    }

    /// Waits until a node says that its serial link is up once more than `before` times.
    fn up_again(&mut self, host: Host, before: usize) {
        let up = self.link(host, "is up");
        self.world.wait_until("the serial link is up", |world| {
            (world.log_count(host, &up) > before).then_some(())
        });
    }
}

/// Aim: a pair with nothing but a serial cable, signed with a crc there, starts, shows the line in its
/// status, and fails over after deadtime.
#[test]
fn failover_over_a_serial_cable() {
    let keys = format!("{}2 crc\n", systole::demo::lab::authkeys());
    let mut wired = Wired::running(false, &["serial_auth 2"], Some(&keys));
    let status = wired.world.lab().node(SECOND).status().expect("a status");
    let path = wired.cable.path(SECOND).display().to_string();
    let link = |pointer: &str| status.pointer(pointer).and_then(|value| value.as_str());
    assert_eq!(link("/links/0/name"), Some(&*format!("serial {path}")));
    assert_eq!(link("/links/0/interface"), Some(&*path));
    assert_eq!(link("/links/0/status"), Some("up"));
    let cut = now();
    wired.world.power_cut(FIRST);
    wired.world.served_by(SECOND);
    let outage = wired.world.outage(Probe::Echo, cut);
    // The last heartbeat can be one interval old, and one more may have been under way.
    let early = outage + settings().keepalive * 3;
    assert!(
        early >= DEADTIME && outage <= DEADTIME + MARGIN,
        "{outage:?}"
    );
    let (carried, damaged) = wired.cable.carried();
    assert!(carried > 3_000 && damaged == 0, "{carried} {damaged}");
}

/// Aim: a network cut while the serial cable lives moves nothing.
#[test]
fn network_cut_and_serial_alive() {
    let mut wired = Wired::running(true, &[], None);
    let cut = now();
    wired.world.pull(FIRST, Network::Private);
    wired
        .world
        .logged(SECOND, "link ucast eth0 192.168.1.1 is dead");
    wired.world.nothing_happens_for(DEADTIME * 2);
    wired.world.assert_undisturbed(FIRST, cut);
    assert_eq!(wired.world.log_count(SECOND, "peer rproxy1 is dead"), 0);
    let stopped = now();
    wired.world.stop(FIRST);
    wired.world.served_by(SECOND);
    let outage = wired.world.outage(Probe::Echo, stopped);
    assert!(outage < MARGIN, "the goodbye did not arrive: {outage:?}");
}

/// Aim: a serial cable that is cut and mended beside a living network is a link that goes and comes.
#[test]
fn serial_cable_cut_and_mended() {
    let mut wired = Wired::running(true, &[], None);
    let up = wired.link(SECOND, "is up");
    let before = wired.world.log_count(SECOND, &up);
    let cut = now();
    wired.cable.cut(true);
    let dead = wired.link(SECOND, "is dead");
    wired.world.logged(SECOND, &dead);
    wired.cable.cut(false);
    wired.up_again(SECOND, before);
    wired.world.assert_undisturbed(FIRST, cut);
}

/// Aim: bytes of the only line are damaged and others added, so that a fifth of all messages is lost;
/// the pair stays together, and nothing damaged is believed.
#[test]
fn noise_on_the_only_line() {
    let mut wired = Wired::running(false, &[], None);
    let noisy = now();
    wired.cable.noise(300);
    wired.world.nothing_happens_for(Duration::from_secs(5));
    wired.cable.noise(0);
    let (_, damaged) = wired.cable.carried();
    assert!(damaged > 5, "only {damaged} bytes were damaged");
    wired.world.assert_undisturbed(FIRST, noisy);
    assert_eq!(wired.world.log_count(SECOND, "peer rproxy1 is dead"), 0);
    wired.world.settled();
    let status = wired.world.lab().node(SECOND).status().expect("a status");
    let refused = status.pointer("/links/0/refused").map(ToString::to_string);
    let refused = refused.expect("counters");
    assert!(refused.contains("wrong_signature"), "{refused}");
}
