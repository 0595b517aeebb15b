//! Two nodes on perfect links, driven by the same loop as every host. The bad weather is in the
//! simulator; here is what must always work.

extern crate std;

use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::auth::{Key, Keys, Method};
use crate::config::{AutoFailback, Encoding, GroupConfig, Settings};
use crate::id::{GroupName, LinkId, NodeName};
use crate::report::{GroupStatus, LinkStatus, Refusal};

const KEEPALIVE: Duration = Duration::from_millis(100);
const DEADTIME: Duration = Duration::from_millis(500);
const INITDEAD: Duration = Duration::from_secs(2);
const HOP: Duration = Duration::from_millis(1);

/// One node of the pair, and what it did.
struct Host {
    node: Option<Node>,
    reports: Vec<Report>,
    pending: VecDeque<(Instant, Operation, Outcome)>,
    fails: bool,
}

struct Pair {
    now: Instant,
    hosts: Vec<Host>,
    wire: VecDeque<(Instant, usize, Vec<u8>)>,
    cut: [bool; 2],
    failback: AutoFailback,
    runs: u64,
}

fn config(index: usize, failback: AutoFailback, generation: u64) -> Config {
    let names = ["rproxy1", "rproxy2"].map(|name| NodeName::new(name).unwrap());
    let [node, peer] = if index == 0 {
        names
    } else {
        [names[1].clone(), names[0].clone()]
    };
    let side = if index == 0 {
        Side::Local
    } else {
        Side::Foreign
    };
    Config::new(Settings {
        node,
        peer,
        uuid: [u8::try_from(index).unwrap(); 16],
        generation,
        unix_time: 1_800_000_000,
        keepalive: KEEPALIVE,
        deadtime: DEADTIME,
        warntime: Duration::from_millis(250),
        initdead: INITDEAD,
        auto_failback: failback,
        ttl: 3,
        links: &[Encoding::Netstring],
        groups: &[GroupConfig {
            name: GroupName::new("10.8.0.1").unwrap(),
            side,
        }],
        resources_digest: 7,
        keys: Keys::new(1, [(1, Key::new(Method::Sha1, b"secret").unwrap())]).unwrap(),
    })
    .unwrap()
}

impl Pair {
    fn new(failback: AutoFailback) -> Self {
        let host = || Host {
            node: None,
            reports: vec![],
            pending: VecDeque::new(),
            fails: false,
        };
        Self {
            now: Instant::from_micros(1_000_000),
            hosts: vec![host(), host()],
            wire: VecDeque::new(),
            cut: [false; 2],
            failback,
            runs: 0,
        }
    }

    /// Both nodes up, the group on rproxy1.
    fn settled(failback: AutoFailback) -> Self {
        let mut pair = Self::new(failback);
        pair.start(0);
        pair.start(1);
        pair.run(400);
        assert_eq!(pair.holders(), [true, false]);
        pair
    }

    fn start(&mut self, index: usize) {
        self.start_with(index, None);
    }

    fn start_with(&mut self, index: usize, found: Option<Event<'_>>) {
        self.runs += 1;
        let config = config(index, self.failback, self.runs);
        self.hosts[index].node = Some(Node::new(config, self.runs, self.now));
        let node = self.hosts[index].node.as_mut();
        if let (Some(node), Some(found)) = (node, found) {
            node.handle(self.now, found);
        }
        self.event(index, Event::Tick);
    }

    fn crash(&mut self, index: usize) {
        self.hosts[index].node = None;
        self.hosts[index].pending.clear();
    }

    fn event(&mut self, index: usize, event: Event<'_>) {
        let now = self.now;
        let host = &mut self.hosts[index];
        let Some(node) = &mut host.node else { return };
        node.handle(now, event);
        let mut frame = [0; FRAME_BYTES_MAX];
        let mut stopped = false;
        while let Some(action) = node.poll_action(&mut frame) {
            let done = |operation, fails| {
                let outcome = if fails {
                    Outcome::Failed
                } else {
                    Outcome::Done
                };
                (now + HOP, operation, outcome)
            };
            match action {
                Action::Transmit { len, .. } if !self.cut[index] => {
                    self.wire
                        .push_back((now + HOP, 1 - index, frame[..len].to_vec()));
                }
                Action::Transmit { .. } | Action::Announce(_) => {}
                Action::Acquire(_) => host.pending.push_back(done(Operation::Acquire, host.fails)),
                Action::Release(_) => {
                    host.pending.clear();
                    host.pending.push_back(done(Operation::Release, false));
                }
                Action::Report(report) => host.reports.push(report),
                Action::Stopped => stopped = true,
            }
        }
        if stopped {
            self.crash(index);
        } else {
            assert!(
                node.deadline().is_some_and(|(at, _)| at > now),
                "a drained node has a future"
            );
        }
    }

    fn run(&mut self, millis: u64) {
        self.run_watched(millis, true);
    }

    /// Runs where two holders cannot be avoided: while nobody can know.
    fn run_unchecked(&mut self, millis: u64) {
        self.run_watched(millis, false);
    }

    fn run_watched(&mut self, millis: u64, watched: bool) {
        let end = self.now + Duration::from_millis(millis);
        while self.now < end {
            self.now = self.now + HOP;
            while self.wire.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, to, bytes) = self.wire.pop_front().unwrap();
                self.event(
                    to,
                    Event::Frame {
                        link: LinkId(0),
                        bytes: &bytes,
                    },
                );
            }
            for index in 0..2 {
                let due = |host: &Host| host.pending.front().copied().filter(|it| it.0 <= self.now);
                if let Some((_, operation, outcome)) = due(&self.hosts[index]) {
                    self.hosts[index].pending.pop_front();
                    self.event(
                        index,
                        Event::GroupDone {
                            group: GroupId(0),
                            operation,
                            outcome,
                        },
                    );
                }
                let node = self.hosts[index].node.as_ref();
                if node
                    .and_then(Node::deadline)
                    .is_some_and(|(at, _)| at <= self.now)
                {
                    self.event(index, Event::Tick);
                }
            }
            let both = self.holders() == [true, true];
            assert!(!both || !watched, "two holders at {:?}", self.now);
        }
    }

    fn holders(&self) -> [bool; 2] {
        [0, 1].map(|index| {
            let group = |node: &Node| node.status().group(GroupId(0)).unwrap().status;
            let status = self.hosts[index].node.as_ref().map(group);
            status.is_some_and(|status| status != GroupStatus::Released)
        })
    }

    fn saw(&self, index: usize, wanted: Report) -> bool {
        self.hosts[index].reports.contains(&wanted)
    }
}

/// Aim: two nodes that boot together serve within a few exchanges, without any fixed wait.
#[test]
fn boot_together() {
    let mut pair = Pair::new(AutoFailback::On);
    pair.start(0);
    pair.start(1);
    pair.run(20);
    assert_eq!(pair.holders(), [true, false]);
    assert!(pair.saw(
        0,
        Report::Link {
            link: LinkId(0),
            status: LinkStatus::Up
        }
    ));
}

/// Aim: a node alone takes everything after initdead, not before.
#[test]
fn boot_alone() {
    let mut pair = Pair::new(AutoFailback::On);
    pair.start(1);
    pair.run(1_990);
    assert_eq!(pair.holders(), [false, false]);
    pair.run(20);
    assert_eq!(pair.holders(), [false, true]);
}

/// Aim: a dead peer is replaced after deadtime; it gets its group back when it returns, or not, as
/// `auto_failback` says.
#[test]
fn death_return_failback() {
    for (failback, after) in [
        (AutoFailback::On, [true, false]),
        (AutoFailback::Off, [false, true]),
        (AutoFailback::Legacy, [true, false]),
    ] {
        let mut pair = Pair::settled(failback);
        pair.crash(0);
        pair.run(398);
        assert_eq!(pair.holders(), [false, false]);
        pair.run(110);
        assert_eq!(pair.holders(), [false, true]);
        pair.start(0);
        pair.run(300);
        assert_eq!(pair.holders(), after, "{failback:?}");
    }
}

/// Aim: a standby moves the group at once and strictly in order, and back again.
#[test]
fn standby_and_takeover() {
    let mut pair = Pair::settled(AutoFailback::On);
    pair.event(0, Event::Command(Command::Standby(Hold::All)));
    pair.run(10);
    assert_eq!(pair.holders(), [false, true]);
    pair.run(3_000);
    assert_eq!(
        pair.holders(),
        [false, true],
        "an operator's standby is not undone by failback"
    );
    pair.event(0, Event::Command(Command::Takeover(Hold::Local)));
    pair.run(10);
    assert_eq!(pair.holders(), [true, false]);
}

/// Aim: a clean stop hands over without deadtime, and ends as soon as the peer knows.
#[test]
fn clean_stop() {
    let mut pair = Pair::settled(AutoFailback::On);
    pair.event(0, Event::Command(Command::Stop));
    pair.run(15);
    assert_eq!(pair.holders(), [false, true]);
    assert!(pair.hosts[0].node.is_none(), "it has ended");
    assert!(pair.saw(1, Report::PeerStopped));
}

/// Aim: after a partition each keeps what prefers it, so the service never stops.
#[test]
fn partition_heals() {
    for failback in [AutoFailback::On, AutoFailback::Off] {
        let mut pair = Pair::settled(failback);
        pair.cut = [true, true];
        pair.run_unchecked(1_000);
        assert_eq!(
            pair.holders(),
            [true, true],
            "without a fence this cannot be known"
        );
        pair.cut = [false, false];
        for _ in 0..3 {
            pair.run_unchecked(KEEPALIVE.as_millis());
            assert!(pair.holders()[0], "the preferred node goes on");
        }
        assert_eq!(
            pair.holders(),
            [true, false],
            "the other lets go within three heartbeats"
        );
    }
}

/// Aim: a node that was paused beyond deadtime lets go before it does anything else, and follows the
/// peer that replaced it.
#[test]
fn paused_node_lets_go() {
    let mut pair = Pair::settled(AutoFailback::Off);
    let paused = pair.hosts[0].node.take();
    pair.run(1_000);
    pair.hosts[0].node = paused;
    pair.event(0, Event::Tick);
    let first = pair.hosts[0].pending.front().map(|it| it.1);
    assert_eq!(first, Some(Operation::Release));
    pair.run_unchecked(5);
    pair.run(1_000);
    assert_eq!(pair.holders(), [false, true]);
}

/// Aim: a daemon that is killed and started again keeps its group without a gap; when the peer has it
/// by then, it lets go.
#[test]
fn restart_keeps_or_lets_go() {
    for (away, after) in [(50, [true, false]), (1_000, [false, true])] {
        let mut pair = Pair::settled(AutoFailback::Off);
        pair.crash(0);
        pair.run(away);
        pair.start_with(0, Some(Event::GroupFound(GroupId(0))));
        assert!(pair.holders()[0]);
        pair.run_unchecked(5);
        for _ in 0..500 {
            pair.run(1);
            assert_eq!(pair.holders(), after, "away for {away} ms");
        }
    }
}

/// Aim: a group that cannot be started goes to the peer.
#[test]
fn failed_start_goes_to_the_peer() {
    let mut pair = Pair::new(AutoFailback::On);
    pair.hosts[0].fails = true;
    pair.start(0);
    pair.start(1);
    pair.run(400);
    assert_eq!(pair.holders(), [false, true]);
    pair.run(20_000);
    assert_eq!(pair.holders(), [false, true], "and stays there");
}

/// Aim: nothing that was recorded, forged or sent by a stranger has any effect.
#[test]
fn attacks_have_no_effect() {
    let mut pair = Pair::settled(AutoFailback::On);
    let recorded: Vec<_> = {
        pair.cut = [false, true];
        pair.event(0, Event::Command(Command::Standby(Hold::All)));
        pair.wire
            .iter()
            .filter(|it| it.1 == 1)
            .map(|it| it.2.clone())
            .collect()
    };
    pair.cut = [false, false];
    pair.crash(0);
    pair.run(600);
    assert_eq!(pair.holders(), [false, true]);
    let refused = |pair: &Pair| {
        let node = pair.hosts[1].node.as_ref().unwrap();
        node.status().link(LinkId(0)).unwrap().refused
    };
    // Starting peers have sent a few that were not proven yet.
    let before = refused(&pair)[Refusal::Unproven as usize];
    for bytes in recorded.iter().cycle().take(100) {
        pair.event(
            1,
            Event::Frame {
                link: LinkId(0),
                bytes,
            },
        );
        let mut forged = bytes.clone();
        forged[20] ^= 1;
        pair.event(
            1,
            Event::Frame {
                link: LinkId(0),
                bytes: &forged,
            },
        );
        pair.run(1);
    }
    assert_eq!(pair.holders(), [false, true]);
    let view = pair.hosts[1].node.as_ref().unwrap().status();
    assert_eq!(view.peer().status, NodeStatus::Dead);
    let refused = refused(&pair);
    assert_eq!(refused[Refusal::Signature as usize], 100);
    assert_eq!(refused[Refusal::Unproven as usize] - before, 100);
}
