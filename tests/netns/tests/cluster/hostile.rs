//! Whoever can reach the heartbeat port: garbage, forgeries, recordings. None of it may have an effect.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::Read as _;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};

use systole::clock::{duration, now};
use systole::demo::lab::Network;
use systole::demo::sample::{Host, Probe};
use systole_netns::{DEADTIME, FIRST, MARGIN, SECOND, World, settings};

const PORT: u16 = 695;
/// A stranger on the heartbeat segment.
const STRANGER: &str = "192.168.1.99/24";
/// Which attack the helper process carries out.
const ATTACK: &str = "SYSTOLE_TEST_ATTACK";

/// Lines of log that an attack of some seconds may cost, however many packets it has.
const LINES_MAX: usize = 60;

/// A process on the heartbeat segment; it ends with its standard input.
struct Attacker(Child);

impl Attacker {
    fn start(world: &World, attack: &str) -> Self {
        let test = std::env::current_exe().expect("a test knows where it is");
        let mut command: Command = world.lab().hub().command(test);
        command
            .args(["--exact", "--ignored", "--nocapture", "hostile::attacker"])
            .env(ATTACK, attack)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        Self(command.spawn().expect("an attacker"))
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        let status = self.0.wait().expect("its end");
        assert!(status.success(), "the attacker failed: {status}");
    }
}

/// What the other tests run as a process inside the client's machine.
#[test]
#[ignore = "a part of the other tests, not a test by itself"]
fn attacker() {
    let attack = std::env::var(ATTACK).expect("started by a test");
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
            state.to_be_bytes()[0]
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
        // An IPv4 header without options, UDP, to the heartbeat port.
        if length > 28
            && buffer[0] == 0x45
            && buffer[9] == 17
            && buffer[22..24] == PORT.to_be_bytes()
        {
            let payload = buffer
                .get(28..length)
                .expect("as long as it was read")
                .to_vec();
            if !packets.contains(&payload) {
                packets.push(payload);
            }
        }
    }
    assert!(
        packets.len() >= 10,
        "only {} heartbeats were heard",
        packets.len()
    );
    packets
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
