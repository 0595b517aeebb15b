//! A node against an original that is played by hand, message by message.

extern crate std;

use std::vec::Vec;

use super::*;
use crate::action::Action;
use crate::auth::{Key, Keys, Method};
use crate::config::{Config, Encoding, GroupConfig, Settings};
use crate::event::{Command, Event, Operation, Outcome};
use crate::id::{GroupId, GroupName, LinkId, NodeName};
use crate::limits::FRAME_BYTES_MAX;
use crate::time::Instant;
use crate::wire::envelope::authenticate;
use crate::wire::message::{Body, Header, Message, Stage, emit, parse};

const KEEPALIVE: Duration = Duration::from_millis(100);

/// Our node, preferred by the only group, and what it has done since it was last asked.
struct Scene {
    node: Node,
    now: Instant,
    sequence: u64,
    /// Types of the messages it has sent, without heartbeats and acknowledgements.
    said: Vec<std::string::String>,
    acquired: usize,
    released: usize,
}

fn keys() -> Keys {
    Keys::new(1, [(1, Key::new(Method::Sha1, b"secret").unwrap())]).unwrap()
}

impl Scene {
    fn new() -> Self {
        let config = Config::new(Settings {
            node: NodeName::new("rproxy1").unwrap(),
            peer: NodeName::new("rproxy2").unwrap(),
            uuid: [1; 16],
            generation: 1,
            unix_time: 1_800_000_000,
            keepalive: KEEPALIVE,
            deadtime: Duration::from_secs(1),
            warntime: Duration::from_millis(500),
            initdead: Duration::from_secs(5),
            auto_failback: AutoFailback::On,
            ttl: 3,
            links: &[Encoding::Netstring],
            groups: &[GroupConfig {
                name: GroupName::new("10.8.0.1").unwrap(),
                side: Side::Local,
            }],
            resources_digest: 7,
            keys: keys(),
        })
        .unwrap();
        let now = Instant::from_micros(1_000_000);
        let mut scene = Self {
            node: Node::new(config, 42, now),
            now,
            sequence: 0,
            said: Vec::new(),
            acquired: 0,
            released: 0,
        };
        scene.event(Event::Tick);
        scene
    }

    /// A member that holds the group, with a settled original beside it.
    fn member() -> Self {
        let mut scene = Self::new();
        scene.hear_status();
        scene.hear(Body::Starting);
        scene.hear(report(Hold::None, false));
        scene.hear(report(Hold::Local, true));
        assert_eq!(scene.acquired, 1);
        scene.said.clear();
        scene
    }

    fn event(&mut self, event: Event<'_>) {
        self.node.handle(self.now, event);
        let mut done = Vec::new();
        let mut frame = [0; FRAME_BYTES_MAX];
        while let Some(action) = self.node.poll_action(&mut frame) {
            match action {
                Action::Transmit { len, .. } => {
                    let fields = authenticate(&frame[..len], &keys(), false).unwrap();
                    let kind = parse(&fields).unwrap().body.kind();
                    if kind != "status" && kind != "NS_ackmsg" {
                        self.said.push(kind.into());
                    }
                }
                Action::Acquire(_) => {
                    self.acquired += 1;
                    done.push(Operation::Acquire);
                }
                Action::Release(_) => {
                    self.released += 1;
                    done.push(Operation::Release);
                }
                Action::Announce(_) | Action::Report(_) | Action::Stopped => {}
            }
        }
        for operation in done {
            self.event(Event::GroupDone {
                group: GroupId(0),
                operation,
                outcome: Outcome::Done,
            });
        }
    }

    fn hear(&mut self, body: Body<'_>) {
        self.sequence += 1;
        self.hear_numbered(self.sequence, body);
    }

    fn hear_numbered(&mut self, sequence: u64, body: Body<'_>) {
        let message = Message {
            header: Header {
                src: "rproxy2",
                src_uuid: Some([2; 16]),
                seq: Some(sequence),
                generation: 9,
                unix_time: 1_800_000_000,
                ttl: Some(3),
                ..Header::default()
            },
            body,
        };
        let mut frame = [0; FRAME_BYTES_MAX];
        let len = emit(&mut frame, Encoding::Netstring, &keys(), &message).unwrap();
        let link = LinkId(0);
        self.event(Event::Frame {
            link,
            bytes: &frame[..len],
        });
    }

    fn hear_status(&mut self) {
        self.hear(Body::Status {
            status: NodeStatus::Active,
            deadtime: Some(Duration::from_secs(1)),
            protocol: true,
        });
    }

    /// Lets time pass in which the original's heart beats, or does not.
    fn pass(&mut self, millis: u64, alive: bool) {
        for _ in 0..millis / KEEPALIVE.as_millis() {
            self.now = self.now + KEEPALIVE;
            if alive {
                self.hear_status();
            }
            self.event(Event::Tick);
        }
    }

    fn said(&mut self, kind: &str) -> usize {
        let count = self.said.iter().filter(|it| *it == kind).count();
        self.said.clear();
        count
    }
}

fn report(hold: Hold, stable: bool) -> Body<'static> {
    Body::Resource {
        hold: Some(hold),
        full: true,
        stable: Some(stable),
        info: None,
    }
}

fn ask(hold: Hold, stage: Stage) -> Body<'static> {
    Body::AskResources { hold, stage }
}

/// Aim: with an original that is starting too, our group is taken at once; with one that runs and does
/// not hold it, only after the time that its scripts may still need; with one that stops, after more.
#[test]
fn joins_as_fast_as_is_safe() {
    for (begins, stable, wait) in [
        (true, false, 0),
        (false, true, 2_000),
        (false, false, 10_000),
    ] {
        let mut scene = Scene::new();
        scene.hear_status();
        assert_eq!(scene.said("starting"), 1);
        if begins {
            scene.hear(Body::Starting);
        }
        scene.hear(report(Hold::None, stable));
        if wait > 0 {
            scene.pass(wait - 100, true);
            assert_eq!(scene.acquired, 0, "{begins} {stable}");
            scene.pass(200, true);
        }
        assert_eq!(scene.acquired, 1, "{begins} {stable}");
    }
}

/// Aim: the original calls itself settled while it still releases; nothing is taken before its `done`,
/// nor for a `done` of the standby before, which came late.
#[test]
fn takes_only_what_is_given() {
    let mut scene = Scene::member();
    scene.event(Event::Command(Command::Standby(Hold::Local)));
    scene.hear(ask(Hold::Local, Stage::Other));
    assert_eq!(scene.released, 1);
    // Its `done` is lost; its report says as much.
    let lost = scene.sequence + 1;
    scene.sequence = lost;
    scene.hear(report(Hold::All, true));
    scene.hear(ask(Hold::Foreign, Stage::Me));
    scene.hear(report(Hold::Local, false));
    scene.hear(report(Hold::Local, true));
    scene.hear_numbered(lost, ask(Hold::Local, Stage::Done));
    scene.pass(3_000, true);
    assert_eq!(scene.acquired, 1, "it has not given it yet");
    scene.hear(ask(Hold::Foreign, Stage::Done));
    assert_eq!(scene.acquired, 2);
}

/// Aim: a request that the original takes back, because it finds that we were away, does not keep us in
/// the standby; one that it acts upon does, for as long as its scripts need.
#[test]
fn waits_for_a_release_only() {
    for (releases, still) in [(false, false), (true, true)] {
        let mut scene = Scene::member();
        scene.hear(ask(Hold::Foreign, Stage::Me));
        if releases {
            scene.hear(Body::Resource {
                hold: Some(Hold::Local),
                full: true,
                stable: Some(false),
                info: Some("standby"),
            });
        }
        scene.pass(11_000, true);
        assert_eq!(scene.node.standby != Standby::None, still);
    }
}

/// Aim: what was given is not taken back for a report that comes before the original has it.
#[test]
fn gives_for_good() {
    let mut scene = Scene::member();
    scene.event(Event::Command(Command::Standby(Hold::Local)));
    scene.hear(ask(Hold::Local, Stage::Other));
    scene.hear(report(Hold::Local, true));
    scene.pass(3_000, true);
    assert_eq!((scene.released, scene.acquired), (1, 1));
    scene.hear(ask(Hold::Local, Stage::Done));
    scene.hear(report(Hold::All, true));
    scene.pass(3_000, true);
    assert_eq!((scene.released, scene.acquired), (1, 1));
}

/// Aim: the original begins a takeover at each `shutdone`, so it gets one.
#[test]
fn says_shutdone_once() {
    let mut scene = Scene::member();
    scene.event(Event::Command(Command::Stop));
    scene.pass(900, true);
    assert_eq!(scene.said("shutdone"), 1);
}

/// Aim: an original that comes back from the dead without a restart is left alone for as long as it may
/// be about to restart, then asked what it holds and to give that up; if it never does, we let go.
#[test]
fn settles_a_conflict() {
    let mut scene = Scene::member();
    scene.pass(1_200, false);
    scene.said.clear();
    scene.hear_status();
    scene.pass(3_800, true);
    assert_eq!(scene.said, Vec::<std::string::String>::new());
    scene.pass(400, true);
    assert_eq!(scene.said("starting"), 1);
    scene.hear(report(Hold::All, true));
    scene.pass(200, true);
    assert_eq!(scene.said("hb_takeover"), 1);
    assert_eq!(scene.released, 0);
    scene.pass(8_000, true);
    assert_eq!(scene.released, 1);
}

/// Aim: when it does restart, we go on serving without a move of any kind.
#[test]
fn outlasts_a_restart() {
    let mut scene = Scene::member();
    scene.pass(1_200, false);
    scene.hear_status();
    scene.pass(2_000, true);
    scene.hear(Body::Resource {
        hold: Some(Hold::None),
        full: true,
        stable: Some(false),
        info: Some("shutdown"),
    });
    scene.pass(5_000, true);
    scene.hear(Body::Shutdone);
    scene.pass(5_000, false);
    assert_eq!((scene.released, scene.acquired), (0, 1));
}
