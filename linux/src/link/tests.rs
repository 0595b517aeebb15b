//! Frames on a shared port go to the right link. Real sockets are in `tests/links.rs`.

use core::net::Ipv4Addr;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 0, 2));
const OWN: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 1);
const BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 255);
const GROUP: Ipv4Addr = Ipv4Addr::new(225, 0, 0, 1);

fn best(source: IpAddr, destination: Ipv4Addr) -> &'static str {
    let mcast = Medium::Mcast {
        group: GROUP,
        ttl: 1,
        looped: false,
    };
    let links = [
        ("ucast", Medium::Ucast(PEER), PEER),
        ("bcast", Medium::Bcast, IpAddr::V4(BROADCAST)),
        ("mcast", mcast, IpAddr::V4(GROUP)),
    ];
    let envelope = Envelope {
        source: Some(source),
        destination: Some(destination),
    };
    links
        .iter()
        .max_by_key(|(_, medium, target)| fit(medium, Some(*target), envelope))
        .unwrap()
        .0
}

/// Aim: the peer sends all three kinds from one address; only the destination tells them apart.
#[test]
fn destination_decides() {
    assert_eq!(best(PEER, OWN), "ucast");
    assert_eq!(best(PEER, BROADCAST), "bcast");
    assert_eq!(best(PEER, GROUP), "mcast");
}

/// Aim: a unicast packet from an address that no line names still counts as unicast, since the
/// original never checks the source.
#[test]
fn unknown_source_is_unicast() {
    assert_eq!(best(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 77)), OWN), "ucast");
}

/// Aim: of two `ucast` lines the one that names the sender gets the packet.
#[test]
fn source_decides_between_ucast_lines() {
    let envelope = Envelope {
        source: Some(PEER),
        destination: Some(OWN),
    };
    let other = Medium::Ucast(IpAddr::V4(Ipv4Addr::new(10, 1, 0, 3)));
    assert!(fit(&Medium::Ucast(PEER), Some(PEER), envelope) > fit(&other, None, envelope));
}

/// Aim: what only the administrator can mend stops the start; what comes by itself does not.
#[test]
fn fatal_at_start() {
    let interface = || "eth0".to_owned();
    let taken = LinkError::PortInUse {
        interface: interface(),
        port: 694,
    };
    assert!(taken.is_fatal_at_start());
    assert!(LinkError::BindDeviceRefused(interface()).is_fatal_at_start());
    assert!(!LinkError::InterfaceMissing(interface()).is_fatal_at_start());
    assert!(!LinkError::InterfaceDown(interface()).is_fatal_at_start());
    assert!(!LinkError::NoCarrier(interface()).is_fatal_at_start());
    assert!(!LinkError::BroadcastMissing(interface()).is_fatal_at_start());
}
