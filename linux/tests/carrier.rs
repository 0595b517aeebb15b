//! A cable that is pulled out and plugged in again, between two network namespaces.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong must stop")]

use core::time::Duration;
use std::net::UdpSocket;

use systole::config::{LinkConfig, Medium, UdpLink};
use systole::link::{LinkError, LinkEvent, Links};
use systole_core::id::LinkId;
use tokio::time::{Instant, sleep, timeout};

mod support;
use support::{Neighbour, PATIENCE, ip, isolated};

const PORT: u16 = 694;

/// The heartbeats' interval.
const KEEPALIVE: Duration = Duration::from_millis(20);

/// How long a cable is out.
const OUT: Duration = Duration::from_millis(330);

/// The peer is heard again by then.
const HEARD: Duration = Duration::from_millis(150);

/// The peers of a link over IPv4 and of one over IPv6, with the peer's sockets.
const PEERS: [&str; 2] = ["10.1.0.2", "fd01::2"];

struct World {
    neighbour: Neighbour,
    links: Links,
    sockets: Vec<UdpSocket>,
}

impl World {
    /// The cable leads to a switch, so that the peer keeps its carrier and its addresses.
    async fn new() -> Self {
        let neighbour = Neighbour::new();
        neighbour.ip("link add switch type bridge mcast_snooping 0");
        neighbour.ip("link set switch up");
        neighbour.ip("link add peer0 type veth peer name port1");
        // The last, so that its ends have different numbers: the kernel takes its time with what it
        // believes to be no pair.
        neighbour.cable("eth0", "port0", &["10.1.0.1/24", "fd01::1/64"], &[]);
        for port in ["port0", "port1"] {
            neighbour.ip(&format!("link set {port} master switch up"));
        }
        neighbour.ip("addr add 10.1.0.2/24 dev peer0");
        neighbour.ip("addr add fd01::2/64 dev peer0 nodad");
        neighbour.ip("link set peer0 up");
        let sockets = neighbour.run(|| PEERS.map(|peer| UdpSocket::bind((peer, PORT)).unwrap()));
        for socket in &sockets {
            socket.set_nonblocking(true).unwrap();
        }
        let config = |peer: &str| {
            LinkConfig::Udp(UdpLink {
                interface: "eth0".to_owned(),
                medium: Medium::Ucast(peer.parse().unwrap()),
                port: PORT,
            })
        };
        let mut world = Self {
            neighbour,
            links: Links::open(&PEERS.map(config)).unwrap(),
            sockets: sockets.into(),
        };
        // The switch may not forward at once.
        world.heard_within(PATIENCE, "at the start").await;
        world
    }

    fn pull(&self) {
        self.neighbour.ip("link set port0 down");
    }

    fn plug(&self) {
        self.neighbour.ip("link set port0 up");
    }

    /// Sends on both links and waits for the next interval, as the daemon does. Gives the changes.
    async fn beat(&mut self) -> Vec<(u8, bool, String)> {
        for link in [LinkId(0), LinkId(1)] {
            let _ = self.links.send(link, b"beat");
        }
        let until = Instant::now() + KEEPALIVE;
        let mut changes = Vec::new();
        let mut buffer = [0; 64];
        while let Ok(event) = timeout(until - Instant::now(), self.links.recv(&mut buffer)).await {
            if let LinkEvent::Changed { link, works, why } = event {
                changes.push((link.0, works, why));
            }
        }
        changes
    }

    async fn beat_for(&mut self, time: Duration) -> Vec<(u8, bool, String)> {
        let begun = Instant::now();
        let mut changes = Vec::new();
        while begun.elapsed() < time {
            changes.extend(self.beat().await);
        }
        changes
    }

    /// The peer forgets what it has received.
    fn drain(&mut self) {
        for socket in &self.sockets {
            while socket.recv(&mut [0; 64]).is_ok() {}
        }
    }

    /// The peer soon hears both links, since the last [`World::drain`].
    async fn heard(&mut self, what: &str) {
        self.heard_within(HEARD, what).await;
    }

    async fn heard_within(&mut self, limit: Duration, what: &str) {
        let begun = Instant::now();
        let mut silent: Vec<usize> = vec![0, 1];
        while !silent.is_empty() {
            self.beat().await;
            silent.retain(|&link| self.sockets.get(link).unwrap().recv(&mut [0; 64]).is_err());
            let passed = begun.elapsed();
            assert!(passed < limit, "{what}: {silent:?} silent for {passed:?}");
        }
    }
}

/// What the kernel knows of a neighbour.
fn neighbour_entry(address: &str) -> String {
    ip(&format!("neigh show {address} dev eth0"))
}

/// Aim: a cable that is out for a moment, again and again, silences neither link for longer than that.
#[test]
fn short_cuts() {
    isolated(async || {
        let mut world = World::new().await;
        for cut in 1..=3 {
            world.pull();
            world.beat_for(OUT).await;
            world.drain();
            world.plug();
            world.heard(&format!("cut {cut}")).await;
        }
    });
}

/// Aim: the same when nobody answers at first, as behind a switch that does not forward yet.
#[test]
fn answered_late() {
    isolated(async || {
        let mut world = World::new().await;
        world.pull();
        world.beat_for(OUT).await;
        world.neighbour.ip("link set peer0 arp off down");
        world.plug();
        world.beat_for(OUT).await;
        world.neighbour.ip("link set peer0 arp on up");
        world
            .neighbour
            .ip("addr replace fd01::2/64 dev peer0 nodad");
        world.drain();
        world.heard("late answer").await;
    });
}

/// Aim: a missing carrier is reported once, for each link, with the interface and what to look for,
/// and its return too.
#[test]
fn reported() {
    isolated(async || {
        let mut world = World::new().await;
        world.beat().await;
        world.pull();
        let mut changes = world.beat_for(OUT).await;
        changes.sort();
        for (number, change) in (0_u8..).zip(&changes) {
            assert_eq!((change.0, change.1), (number, false));
            assert!(change.2.starts_with("interface eth0 has no carrier"));
        }
        assert_eq!(changes.len(), 2, "{changes:?}");
        let fault = LinkError::NoCarrier("eth0".to_owned());
        assert_eq!(world.links.fault(LinkId(0)), Some(&fault));
        assert_eq!(world.links.send(LinkId(0), b"lost"), Err(fault));
        world.plug();
        let changes = world.beat_for(OUT).await;
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert!(changes.iter().all(|change| change.1), "{changes:?}");
        assert_eq!(world.links.fault(LinkId(0)), None);
    });
}

/// Aim: what the peer said before the cable was pulled is still heard after that was noticed.
#[test]
fn last_words() {
    isolated(async || {
        let mut world = World::new().await;
        let peer = world.sockets.first().unwrap();
        for _ in 0..5 {
            peer.send_to(b"bye", ("10.1.0.1", PORT)).unwrap();
        }
        world.pull();
        let mut buffer = [0; 64];
        let mut frames = 0;
        while let Ok(event) = timeout(OUT, world.links.recv(&mut buffer)).await {
            frames += usize::from(matches!(event, LinkEvent::Frame { len: 3, .. }));
            // Time for the look, which is asked for and answered while frames still lie there.
            sleep(KEEPALIVE * 2).await;
        }
        assert_eq!(frames, 5);
    });
}

/// Aim: neighbours that are none of our peers, and an entry that the administrator has made, are left
/// alone.
#[test]
fn others_are_left_alone() {
    isolated(async || {
        let mut world = World::new().await;
        let fixed = "lladdr 02:00:00:00:00:02 nud permanent dev eth0";
        ip(&format!("neigh replace fd01::2 {fixed}"));
        world.pull();
        world.beat_for(OUT).await;
        let other = UdpSocket::bind("0.0.0.0:0").unwrap();
        other.send_to(b"anybody?", ("10.1.0.9", PORT)).unwrap();
        world.plug();
        world.beat_for(OUT).await;
        let entry = neighbour_entry("10.1.0.9");
        assert!(entry.contains("INCOMPLETE"), "{entry}");
        let entry = neighbour_entry("fd01::2");
        assert!(entry.contains("PERMANENT"), "{entry}");
        let entry = neighbour_entry("10.1.0.2");
        assert!(entry.contains("lladdr"), "{entry}");
    });
}
