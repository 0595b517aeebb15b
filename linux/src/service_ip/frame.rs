//! The Ethernet frames that announce an address: pure, byte for byte.

use core::net::{Ipv4Addr, Ipv6Addr};

/// An Ethernet hardware address.
pub(super) type Mac = [u8; 6];

const BROADCAST: Mac = [0xff; 6];
/// Where IPv6 packets to `ff02::1`, all nodes, go.
const ALL_NODES_MAC: Mac = [0x33, 0x33, 0, 0, 0, 1];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

const ARP_FRAME_BYTES: usize = 14 + 28;
const ADVERTISEMENT_BYTES: usize = 32;
const ADVERTISEMENT_FRAME_BYTES: usize = 14 + 40 + ADVERTISEMENT_BYTES;

/// The two forms of gratuitous ARP. Some equipment listens to the one only, some to the other, so
/// both are sent, as by the original's `send_arp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arp {
    /// RFC 5227's announcement.
    Request,
    /// The older form, which updates the caches of more switches and routers.
    Reply,
}

/// A gratuitous ARP frame: `address` is at `mac`.
pub(super) fn arp(form: Arp, mac: Mac, address: Ipv4Addr) -> [u8; ARP_FRAME_BYTES] {
    let (operation, target) = match form {
        Arp::Request => (1, [0; 6]),
        Arp::Reply => (2, mac),
    };
    let address = address.octets();
    concat([
        &BROADCAST,
        &mac,
        &[0x08, 0x06],
        // Ethernet, IPv4, and the lengths of their addresses.
        &[0, 1, 0x08, 0x00, 6, 4, 0, operation],
        &mac,
        &address,
        &target,
        &address,
    ])
}

/// An unsolicited neighbour advertisement (RFC 4861, 4.4 and 7.2.6) to all nodes, which overrides
/// what they remember: `address` is at `mac`.
pub(super) fn advertisement(mac: Mac, address: Ipv6Addr) -> [u8; ADVERTISEMENT_FRAME_BYTES] {
    let message = |checksum: u16| -> [u8; ADVERTISEMENT_BYTES] {
        concat([
            &[136, 0],
            &checksum.to_be_bytes(),
            // Override; not a router, not an answer.
            &[0x20, 0, 0, 0],
            &address.octets(),
            // Target link-layer address, one unit of 8 bytes.
            &[2, 1],
            &mac,
        ])
    };
    let pseudo: [u8; 40] = concat([
        &address.octets(),
        &ALL_NODES.octets(),
        &[0, 0, 0, 32, 0, 0, 0, 58],
    ]);
    let checksum = checksum(pseudo.iter().chain(message(0).iter()).copied());
    concat([
        &ALL_NODES_MAC,
        &mac,
        &[0x86, 0xdd],
        // Version 6, 32 bytes of ICMPv6, hop limit 255: proof that no router forwarded it.
        &[0x60, 0, 0, 0, 0, 32, 58, 255],
        &address.octets(),
        &ALL_NODES.octets(),
        &message(checksum),
    ])
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
fn checksum(mut bytes: impl Iterator<Item = u8>) -> u16 {
    let mut sum = 0_u16;
    while let (Some(high), Some(low)) = (bytes.next(), bytes.next()) {
        let (added, carry) = sum.overflowing_add(u16::from_be_bytes([high, low]));
        sum = added + u16::from(carry);
    }
    !sum
}

/// The parts one after the other. Their lengths add up to `N`, which the tests of every frame see.
fn concat<const N: usize, const PARTS: usize>(parts: [&[u8]; PARTS]) -> [u8; N] {
    let mut whole = [0; N];
    for (to, from) in whole.iter_mut().zip(parts.into_iter().flatten()) {
        *to = *from;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = [0x02, 0x00, 0x5e, 0x10, 0x20, 0x30];

    /// Aim: both forms of gratuitous ARP, byte for byte, against RFC 826 and RFC 5227.
    #[test]
    fn gratuitous_arp() {
        let address = Ipv4Addr::new(10, 8, 0, 1);
        let request: [u8; 42] = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08,
            0x06, //
            0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, //
            0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 10, 8, 0, 1, //
            0, 0, 0, 0, 0, 0, 10, 8, 0, 1,
        ];
        assert_eq!(arp(Arp::Request, MAC, address), request);
        let mut reply = request;
        reply[21] = 2;
        reply[32..38].copy_from_slice(&MAC);
        assert_eq!(arp(Arp::Reply, MAC, address), reply);
    }

    /// Aim: the neighbour advertisement, byte for byte; the checksum was worked out by another
    /// program from RFC 4443's pseudo-header.
    #[test]
    fn neighbour_advertisement() {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let frame: [u8; 86] = [
            0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x86,
            0xdd, //
            0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, //
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
            0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
            0x88, 0x00, 0x7a, 0xeb, 0x20, 0, 0, 0, //
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
            0x02, 0x01, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30,
        ];
        assert_eq!(advertisement(MAC, address), frame);
    }

    /// Aim: a receiver that sums the pseudo-header and the whole message gets zero, for addresses
    /// that make the sum carry more than once.
    #[test]
    fn checksum_verifies() {
        for address in [Ipv6Addr::LOCALHOST, Ipv6Addr::from([0xff; 16])] {
            let frame = advertisement([0xff; 6], address);
            let pseudo = frame[22..54]
                .iter()
                .copied()
                .chain([0, 0, 0, 32, 0, 0, 0, 58]);
            let sum = checksum(pseudo.chain(frame[54..].iter().copied()));
            assert_eq!(sum, 0, "{address}");
        }
    }
}
