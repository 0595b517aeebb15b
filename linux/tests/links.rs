//! Links on real sockets, between two network namespaces.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must stop"
)]

use core::net::{IpAddr, Ipv4Addr};
use std::net::UdpSocket;

use nix::net::if_::if_nametoindex;
use systole::config::{LinkConfig, Medium, UdpLink};
use systole::link::{LinkError, LinkEvent, Links, own_addresses};
use systole_core::id::LinkId;
use systole_core::limits::FRAME_BYTES_MAX;
use tokio::time::{Instant, timeout};

mod support;
use support::{Neighbour, PATIENCE, capabilities_given, ip, isolated, with_capabilities};

const PORT: u16 = 694;
const GROUP: Ipv4Addr = Ipv4Addr::new(225, 0, 0, 1);

fn link(medium: Medium) -> LinkConfig {
    LinkConfig::Udp(UdpLink {
        interface: "eth0".to_owned(),
        medium,
        port: PORT,
    })
}

fn ucast(address: &str) -> LinkConfig {
    link(Medium::Ucast(address.parse().unwrap()))
}

fn mcast() -> LinkConfig {
    group(false)
}

fn group(looped: bool) -> LinkConfig {
    link(Medium::Mcast {
        group: GROUP,
        ttl: 1,
        looped,
    })
}

/// A neighbour at the other end of eth0.
fn cabled() -> Neighbour {
    let neighbour = Neighbour::new();
    let own = ["10.1.0.1/24", "fd01::1/64"];
    neighbour.cable("eth0", "peer0", &own, &["10.1.0.2/24", "fd01::2/64"]);
    neighbour.ip("route add 224.0.0.0/4 dev peer0");
    neighbour
}

/// The neighbour's socket on the heartbeat port.
fn socket(neighbour: &Neighbour, any: &'static str) -> UdpSocket {
    let socket = neighbour.run(move || UdpSocket::bind((any, PORT)).unwrap());
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_broadcast(true).unwrap();
    socket
}

async fn event(links: &mut Links, buffer: &mut [u8]) -> LinkEvent {
    timeout(PATIENCE, links.recv(buffer))
        .await
        .expect("nothing happened on any link")
}

async fn frame(links: &mut Links) -> (u8, Vec<u8>) {
    let mut buffer = [0; FRAME_BYTES_MAX + 1];
    match event(links, &mut buffer).await {
        LinkEvent::Frame { link, len } => (link.0, buffer[..len].to_vec()),
        changed @ LinkEvent::Changed { .. } => panic!("expected a frame, not {changed:?}"),
    }
}

async fn changed(links: &mut Links) -> (u8, bool, String) {
    match event(links, &mut [0; 64]).await {
        LinkEvent::Changed { link, works, why } => (link.0, works, why),
        frame @ LinkEvent::Frame { .. } => panic!("expected a change, not {frame:?}"),
    }
}

/// The next changes, in the order of the links; each link has one.
async fn changes(links: &mut Links, count: u8) -> Vec<(u8, bool, String)> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(changed(links).await);
    }
    all.sort();
    assert!(all.iter().map(|link| link.0).eq(0..count), "{all:?}");
    all
}

/// Nothing is reported for longer than two looks at the interfaces take.
async fn quiet(links: &mut Links) {
    let wait = core::time::Duration::from_millis(2200);
    let mut buffer = [0; 64];
    if let Ok(event) = timeout(wait, links.recv(&mut buffer)).await {
        panic!("said twice: {event:?}");
    }
}

async fn both_ways(config: LinkConfig, listen: &'static str, to: &str, group: bool) {
    let neighbour = cabled();
    let socket = socket(&neighbour, listen);
    if group {
        let by = Ipv4Addr::new(10, 1, 0, 2);
        socket.join_multicast_v4(&GROUP, &by).unwrap();
    }
    let mut links = Links::open(&[config]).unwrap();
    links.send(LinkId(0), b"out").unwrap();
    let mut buffer = [0; 64];
    let (len, source) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"out");
    let own: [IpAddr; 2] = ["10.1.0.1".parse().unwrap(), "fd01::1".parse().unwrap()];
    assert!(own.contains(&source.ip()), "{source}");
    socket.send_to(b"in", (to, PORT)).unwrap();
    assert_eq!(frame(&mut links).await, (0, b"in".to_vec()));
    assert_eq!(links.dropped(LinkId(0)), 0);
}

/// Aim: ucast over IPv4, both ways.
#[test]
fn ucast_v4() {
    isolated(|| both_ways(ucast("10.1.0.2"), "0.0.0.0", "10.1.0.1", false));
}

/// Aim: ucast over IPv6, both ways.
#[test]
fn ucast_v6() {
    isolated(|| both_ways(ucast("fd01::2"), "::", "fd01::1", false));
}

/// Aim: bcast goes to the interface's broadcast address, and is heard there.
#[test]
fn bcast() {
    isolated(|| both_ways(link(Medium::Bcast), "0.0.0.0", "10.1.0.255", false));
}

/// Aim: mcast goes to its group, and is heard there.
#[test]
fn multicast() {
    isolated(|| both_ways(mcast(), "0.0.0.0", "225.0.0.1", true));
}

/// Aim: our own broadcasts, which the kernel hands back, are not taken for the peer's; our own
/// multicasts are heard when `loop` asks for them.
#[test]
fn own_packets() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[link(Medium::Bcast), group(true)]).unwrap();
        links.send(LinkId(0), b"own").unwrap();
        socket.send_to(b"peer", ("10.1.0.255", PORT)).unwrap();
        assert_eq!(frame(&mut links).await, (0, b"peer".to_vec()));
        links.send(LinkId(1), b"looped").unwrap();
        assert_eq!(frame(&mut links).await, (1, b"looped".to_vec()));
    });
}

/// Aim: three links on one interface and port get each their own packets, once.
#[test]
fn shared_port() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let configs = [mcast(), ucast("10.1.0.2"), link(Medium::Bcast)];
        let mut links = Links::open(&configs).unwrap();
        for (to, number) in [("10.1.0.255", 2), ("225.0.0.1", 0), ("10.1.0.1", 1)] {
            socket.send_to(to.as_bytes(), (to, PORT)).unwrap();
            assert_eq!(frame(&mut links).await, (number, to.as_bytes().to_vec()));
        }
        quiet(&mut links).await;
    });
}

/// Aim: a packet from another interface to the same port does not get in.
#[test]
fn bound_to_its_interface() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth1", "peer1", &["10.2.0.1/24"], &["10.2.0.2/24"]);
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[ucast("10.1.0.2")]).unwrap();
        socket.send_to(b"astray", ("10.2.0.1", PORT)).unwrap();
        socket.send_to(b"right", ("10.1.0.1", PORT)).unwrap();
        assert_eq!(frame(&mut links).await, (0, b"right".to_vec()));
    });
}

/// Aim: a frame that is too long is seen to be too long, and the next one is whole.
#[test]
fn oversize() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[ucast("10.1.0.2")]).unwrap();
        socket.send_to(&[b'x'; 9000], ("10.1.0.1", PORT)).unwrap();
        socket.send_to(b"next", ("10.1.0.1", PORT)).unwrap();
        assert_eq!(frame(&mut links).await.1.len(), FRAME_BYTES_MAX + 1);
        assert_eq!(frame(&mut links).await, (0, b"next".to_vec()));
    });
}

/// Aim: an interface that goes down and up again is reported once each, by name, and frames flow.
#[test]
fn down_and_up() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[ucast("10.1.0.2")]).unwrap();
        ip("link set eth0 down");
        let (number, works, why) = changed(&mut links).await;
        assert_eq!((number, works), (0, false));
        assert!(why.starts_with("interface eth0 is down"), "{why}");
        assert_eq!(
            links.send(LinkId(0), b"lost"),
            Err(LinkError::InterfaceDown("eth0".to_owned()))
        );
        quiet(&mut links).await;
        ip("link set eth0 up");
        assert!(changed(&mut links).await.1);
        assert_eq!(links.fault(LinkId(0)), None);
        socket.send_to(b"back", ("10.1.0.1", PORT)).unwrap();
        assert_eq!(frame(&mut links).await, (0, b"back".to_vec()));
        quiet(&mut links).await;
    });
}

/// Aim: an interface that is deleted and made again under its name is reported gone and back, and
/// the link works on the new one.
#[test]
fn deleted_and_recreated() {
    isolated(async || {
        let neighbour = cabled();
        let configs = [ucast("10.1.0.2"), link(Medium::Bcast), mcast()];
        let mut links = Links::open(&configs).unwrap();
        let index = if_nametoindex("eth0").unwrap();
        ip("link del eth0");
        // The address goes before the interface, so bcast may be the first to notice.
        for link in changes(&mut links, 3).await {
            assert!(!link.1, "{link:?}");
        }
        for number in 0..3 {
            let fault = links.fault(LinkId(number)).unwrap().to_string();
            assert!(
                fault.starts_with("interface eth0 does not exist"),
                "{fault}"
            );
        }
        neighbour.cable("eth0", "peer0", &["10.1.0.1/24"], &["10.1.0.2/24"]);
        for link in changes(&mut links, 3).await {
            assert!(link.1, "{link:?}");
        }
        assert_ne!(if_nametoindex("eth0").unwrap(), index);
        let socket = socket(&neighbour, "0.0.0.0");
        socket.send_to(b"again", ("10.1.0.1", PORT)).unwrap();
        assert_eq!(frame(&mut links).await, (0, b"again".to_vec()));
    });
}

/// Aim: an interface replaced between two looks leaves no link deaf, although nothing seemed to
/// happen.
#[test]
fn replaced_unnoticed() {
    isolated(async || {
        let neighbour = cabled();
        let mut links = Links::open(&[ucast("10.1.0.2")]).unwrap();
        ip("link del eth0");
        neighbour.cable("eth0", "peer0", &["10.1.0.1/24"], &["10.1.0.2/24"]);
        // Nobody has polled the links meanwhile: both changes are found in one look.
        quiet(&mut links).await;
        let socket = socket(&neighbour, "0.0.0.0");
        socket.send_to(b"new", ("10.1.0.1", PORT)).unwrap();
        assert_eq!(frame(&mut links).await, (0, b"new".to_vec()));
        links.send(LinkId(0), b"out").unwrap();
        assert_eq!(socket.recv(&mut [0; 64]).unwrap(), 3);
    });
}

/// Aim: an interface that is missing at the start is reported and comes within a second of
/// appearing; a bcast link also waits for the address.
#[test]
fn missing_at_the_start() {
    isolated(async || {
        let neighbour = Neighbour::new();
        let mut links = Links::open(&[ucast("10.1.0.2"), link(Medium::Bcast)]).unwrap();
        for number in 0..2 {
            let (link, works, why) = changed(&mut links).await;
            assert_eq!((link, works), (number, false));
            assert!(why.contains("eth0 does not exist"), "{why}");
        }
        neighbour.cable("eth0", "peer0", &[], &[]);
        let begun = Instant::now();
        assert_eq!(changed(&mut links).await.0, 0);
        assert!(begun.elapsed().as_millis() < 1000);
        let fault = links.fault(LinkId(1)).unwrap().to_string();
        assert!(fault.contains("no IPv4 broadcast address"), "{fault}");
        ip("addr add 10.1.0.1/24 brd + dev eth0");
        let (link, works, _) = changed(&mut links).await;
        assert_eq!((link, works), (1, true));
    });
}

/// Aim: a second daemon on the port is refused with the port and the way to find the first one,
/// also when the first one is the original, which shares its port.
#[test]
fn occupied_port() {
    isolated(async || {
        let _neighbour = cabled();
        let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None);
        let other = other.unwrap();
        other.set_reuse_address(true).unwrap();
        other.set_reuse_port(true).unwrap();
        let any = core::net::SocketAddr::from(([0, 0, 0, 0], PORT));
        other.bind(&any.into()).unwrap();
        let error = Links::open(&[ucast("10.1.0.2")]).err().unwrap().to_string();
        assert!(
            error.starts_with("UDP port 694 on eth0 is already used by another program"),
            "{error}"
        );
        assert!(error.ends_with("ss -ulpn 'sport = :694'"), "{error}");
        drop(other);
        let _first = Links::open(&[ucast("10.1.0.2")]).unwrap();
        assert!(Links::open(&[link(Medium::Bcast)]).is_err());
    });
}

/// Aim: without capabilities the start fails and names the one that is missing.
#[test]
fn capabilities() {
    if capabilities_given().is_none() {
        return isolated(async || {
            let _neighbour = cabled();
            with_capabilities("-all", "capabilities");
        });
    }
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let error = Links::open(&[ucast("10.1.0.2")]).err().unwrap();
        let expected = LinkError::PortRefused {
            interface: "eth0".to_owned(),
            port: PORT,
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("CAP_NET_BIND_SERVICE"));
    });
}

/// Aim: sending that the kernel refuses is reported once, and working again once, by sending.
#[test]
fn sending_refused() {
    isolated(async || {
        let _neighbour = cabled();
        let mut links = Links::open(&[ucast("fd01::2")]).unwrap();
        ip("-6 addr flush dev eth0");
        for _ in 0..3 {
            let error = links.send(LinkId(0), b"lost").unwrap_err().to_string();
            assert!(
                error.starts_with("cannot send to fd01::2 on eth0"),
                "{error}"
            );
        }
        assert!(!changed(&mut links).await.1);
        quiet(&mut links).await;
        ip("addr add fd01::1/64 dev eth0 nodad");
        links.send(LinkId(0), b"found").unwrap();
        assert!(changed(&mut links).await.1);
    });
}

/// Aim: giving up `recv` again and again loses no frame and no change.
#[test]
fn cancelled() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[ucast("10.1.0.2")]).unwrap();
        let mut seen = 0_u32;
        let mut buffer = [0; 64];
        for number in 0..50_u32 {
            socket
                .send_to(&number.to_be_bytes(), ("10.1.0.1", PORT))
                .unwrap();
            let received = tokio::select! {
                biased;
                () = tokio::task::yield_now() => continue,
                event = links.recv(&mut buffer) => event,
            };
            assert!(matches!(received, LinkEvent::Frame { .. }));
            seen += 1;
        }
        while seen < 50 {
            let (_, bytes) = frame(&mut links).await;
            assert_eq!(bytes, seen.to_be_bytes());
            seen += 1;
        }
    });
}

/// Aim: a flood on one link does not keep the other from being heard.
#[test]
fn fair() {
    isolated(async || {
        let neighbour = cabled();
        neighbour.cable("eth1", "peer1", &["10.2.0.1/24"], &["10.2.0.2/24"]);
        let socket = socket(&neighbour, "0.0.0.0");
        let second = LinkConfig::Udp(UdpLink {
            interface: "eth1".to_owned(),
            medium: Medium::Ucast("10.2.0.2".parse().unwrap()),
            port: PORT,
        });
        let mut links = Links::open(&[ucast("10.1.0.2"), second]).unwrap();
        for _ in 0..50 {
            socket.send_to(b"flood", ("10.1.0.1", PORT)).unwrap();
        }
        socket.send_to(b"beat", ("10.2.0.1", PORT)).unwrap();
        tokio::time::sleep(core::time::Duration::from_millis(100)).await;
        let first = [frame(&mut links).await.0, frame(&mut links).await.0];
        assert!(first.contains(&1), "{first:?}");
    });
}

/// Aim: own addresses are found on every interface, also under an alias.
#[test]
fn own() {
    isolated(async || {
        let _neighbour = cabled();
        ip("addr add 10.8.0.1/24 dev eth0 label eth0:3");
        let own = own_addresses().unwrap();
        for address in ["127.0.0.1", "10.1.0.1", "10.8.0.1", "fd01::1"] {
            assert!(
                own.contains(&address.parse().unwrap()),
                "{address} in {own:?}"
            );
        }
        assert!(!own.contains(&"10.1.0.2".parse().unwrap()));
    });
}

/// Aim: before a deadline everything that has arrived is seen, however much it is, whatever of our
/// own lies before it, and without the runtime having been told.
#[test]
fn what_is_here_already() {
    isolated(async || {
        let neighbour = cabled();
        let socket = socket(&neighbour, "0.0.0.0");
        let mut links = Links::open(&[link(Medium::Bcast)]).unwrap();
        for _ in 0..3 {
            links.send(LinkId(0), b"own").unwrap();
        }
        for _ in 0..200 {
            socket.send_to(b"theirs", ("10.1.0.1", PORT)).unwrap();
        }
        let mut buffer = [0; FRAME_BYTES_MAX + 1];
        let mut frames = 0;
        while let Some(event) = links.try_recv(&mut buffer) {
            assert_eq!(
                event,
                LinkEvent::Frame {
                    link: LinkId(0),
                    len: 6
                }
            );
            frames += 1;
        }
        assert_eq!(frames, 200);
    });
}
