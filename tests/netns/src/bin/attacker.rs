//! A stranger on the heartbeat segment, for the tests: sends what it is told to until its input ends.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a part of the tests: what it cannot do fails them"
)]

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::Read as _;
use std::net::UdpSocket;

use systole::clock::{duration, now};
use systole::demo::lab::Network;
use systole::demo::sample::Host;

const PORT: u16 = 695;

fn main() {
    let attack = std::env::args().nth(1).expect("an attack");
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read(&mut [0; 1]);
        ended.send(())
    });
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
    let packets = match attack.as_str() {
        "garbage" => garbage(),
        "replay" => record(),
        other => panic!("unknown attack {other}"),
    };
    // About a thousand packets a second to each node: a hundred times the heartbeats, and little enough for
    // the debug build of the daemon on a busy machine.
    for packet in packets.iter().cycle() {
        for host in Host::BOTH {
            let _ = socket.send_to(packet, (Network::Private.address(host), PORT));
        }
        if end.recv_timeout(Duration::from_millis(1)).is_ok() {
            break;
        }
    }
}

/// Packets of every wrong kind; the short ones killed the original.
fn garbage() -> Vec<Vec<u8>> {
    let mut packets: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0; 1],
        vec![0xff; 1400],
        vec![b'#'; 9000],
        b"###\n1:x,%%%\n".to_vec(),
        b"###\n9:(9)t=status,%%%\n".to_vec(),
        b"###\n999999999999999999999:t,%%%\n".to_vec(),
        b">>>\nt=status\nsrc=rproxy1\nst=dead\n<<<\n".to_vec(),
        b">>>\nt=shutdone\nsrc=rproxy1\nauth=1 00112233445566778899aabbccddeeff00112233\n<<<\n"
            .to_vec(),
        b">>>\nt=status\nsrc=stranger\nst=active\nauth=1 00\n<<<\n".to_vec(),
        b">>>\nt=shutdone\nsrc=rproxy1\nauth=1 crc deadbeef\n<<<\n".to_vec(),
    ];
    // Noise that is the same in every run.
    let mut state = 0x9e37_79b9_u32;
    for length in [3_usize, 20, 64, 300, 1500] {
        let noise = core::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::try_from(state >> 24).unwrap_or_default()
        });
        packets.push(noise.take(length).collect());
    }
    packets
}

/// Heartbeats of both nodes, recorded off the wire for a moment.
fn record() -> Vec<Vec<u8>> {
    // ETH_P_ALL: on a bridge's port nothing else shows what passes by.
    let all = socket2::Protocol::from(i32::from(3_u16.to_be()));
    let socket = socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::DGRAM, Some(all));
    let mut socket = socket.expect("a packet socket");
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .expect("a timeout");
    let end = now() + duration(Duration::from_millis(1500));
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let mut buffer = [0; 4096];
    while now() < end {
        let length = socket.read(&mut buffer).unwrap_or(0);
        let heartbeat = buffer.get(..length).and_then(heartbeat);
        if let Some(payload) = heartbeat.filter(|payload| !packets.contains(payload)) {
            packets.push(payload);
        }
    }
    assert!(
        packets.len() >= 10,
        "only {} heartbeats were heard",
        packets.len()
    );
    packets
}

/// The payload of a packet to the heartbeat port: an IPv4 header without options, then UDP.
fn heartbeat(packet: &[u8]) -> Option<Vec<u8>> {
    let (header, payload) = packet.split_at_checked(28)?;
    let ours = header.first() == Some(&0x45)
        && header.get(9) == Some(&17)
        && header.get(22..24) == Some(&PORT.to_be_bytes());
    ours.then(|| payload.to_vec())
}
