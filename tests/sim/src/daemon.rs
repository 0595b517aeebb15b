//! One daemon's loop, as the real one's: handle one event, drain the actions until there are none,
//! wait for an event or the deadline. Frames that wait are handled before the clock is looked at, so
//! a resumed daemon sees what its sockets held before it judges the silence.

use systole_core::action::Action;
use systole_core::event::{Event, Operation};
use systole_core::id::LinkId;
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::node::Phase;
use systole_core::report::NodeStatus;
use systole_core::time::Duration;
use systole_core::{Node, PeerKind};

use crate::clock::Micros;
use crate::cluster::{Cluster, group_id, link_id};
use crate::fact::What;
use crate::machine::{Input, Nature, State};
use crate::schedule::Wake;

/// What of a node must not change by a frame that is not the peer's fresh word.
fn essence(node: &Node, groups: usize) -> impl PartialEq + use<> {
    let status = node.status();
    let groups: Vec<_> = (0..groups)
        .map(|group| status.group(group_id(group)).map(|view| view.status))
        .collect();
    (
        status.phase(),
        status.own_status(),
        status.own_hold(),
        status.peer(),
        groups,
    )
}

impl Cluster {
    /// One daemon's loop, as far as it comes now.
    pub(crate) fn turn(&mut self, node: usize) {
        let mut ticked = false;
        loop {
            let machine = &mut self.machines[node];
            if machine.state != State::Running || machine.busy_until > self.now {
                break;
            }
            let now = machine.clock.instant(self.now);
            let Some(it) = machine.node.as_ref() else {
                break;
            };
            let due = !ticked && it.deadline().is_some_and(|(at, _)| at <= now);
            let input = machine.take_input(due);
            if input.is_none() && !due {
                if machine.undrained_since.is_some() && machine.undrained_until <= self.now {
                    self.drain(node, false);
                    continue;
                }
                break;
            }
            ticked |= input.is_none();
            if machine.slow > 0 {
                machine.busy_until = self.now + machine.slow;
            }
            self.handle(node, input);
        }
        self.arm(node);
    }

    fn arm(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        let Some(it) = machine
            .node
            .as_ref()
            .filter(|_| machine.state == State::Running)
        else {
            return;
        };
        let mut wake = it
            .deadline()
            .map(|(at, _)| machine.clock.global(at.as_micros()));
        if machine.has_input() {
            wake = Some(self.now);
        }
        if machine.undrained_since.is_some() {
            wake = Some(wake.map_or(machine.undrained_until, |at| {
                at.min(machine.undrained_until)
            }));
        }
        let Some(at) = wake.map(|at| at.max(machine.busy_until).max(self.now + 1)) else {
            return;
        };
        if machine.wake_at != Some(at) {
            machine.wake_at = Some(at);
            self.schedule(at, Wake::Turn(node));
        }
    }

    fn handle(&mut self, node: usize, input: Option<Input>) {
        self.look_for_contact();
        let now = self.machines[node].clock.instant(self.now);
        let ticked = input.is_none();
        match input {
            None => self.feed(node, Event::Tick),
            Some(Input::Frame(link, bytes, Nature::Genuine(stamp))) => {
                self.feed(
                    node,
                    Event::Frame {
                        link: link_id(link),
                        bytes: &bytes,
                    },
                );
                self.contact.on_heard(node, link, stamp, now.as_micros());
                let peer = self.node(node).map(|it| it.status().peer().heard_ago);
                if peer == Some(Some(Duration::ZERO)) {
                    // Only what was let in once is a recording; the rest may be let in yet.
                    self.record(node, link, &bytes);
                    self.tell(node, What::Heard);
                }
                self.look_for_contact();
            }
            Some(Input::Frame(link, bytes, Nature::False)) => self.feed_false(node, link, &bytes),
            Some(Input::Done(group, operation, outcome, _)) => {
                self.feed(
                    node,
                    Event::GroupDone {
                        group: group_id(group),
                        operation,
                        outcome,
                    },
                );
            }
            Some(Input::Command(command)) => self.feed(node, Event::Command(command)),
            Some(Input::Link(link, works)) => {
                self.feed(
                    node,
                    Event::LinkChanged {
                        link: link_id(link),
                        works,
                    },
                );
            }
            Some(Input::Keys(keys)) => self.feed(node, Event::Keys(&keys)),
        }
        if self.machines[node].undrained_until > self.now {
            let now = self.now;
            self.machines[node].undrained_since.get_or_insert(now);
        } else {
            self.drain(node, ticked);
        }
    }

    fn feed(&mut self, node: usize, event: Event<'_>) {
        let machine = &mut self.machines[node];
        let now = machine.clock.instant(self.now);
        let Some(it) = machine.node.as_mut() else {
            return;
        };
        let before = it.status().phase();
        let was_dead = it.status().peer().status == NodeStatus::Dead;
        let ticked = matches!(event, Event::Tick);
        machine.highest = machine.highest.max(now.as_micros());
        it.handle(now, event);
        let sought = matches!(before, Phase::Joining | Phase::Member);
        let lost_sight = sought && it.status().phase() == Phase::Seeking;
        let verdict = !was_dead && it.status().peer().status == NodeStatus::Dead;
        let late = now.as_micros().saturating_sub(machine.ticked_at);
        if ticked {
            machine.ticked_at = now.as_micros();
        }
        if verdict {
            let contact = self.in_contact;
            self.tell(node, What::Verdict { contact });
            self.contact.on_verdict(node);
            self.look_for_contact();
        }
        if lost_sight {
            self.contact.on_start(node);
            self.look_for_contact();
            self.tell(node, What::LostSight(late));
        }
    }

    /// Feeds a frame that must have no effect, and compares with a node that got a harmless event at
    /// the same moment: time alone may change something.
    fn feed_false(&mut self, node: usize, link: usize, bytes: &[u8]) {
        let now = self.machines[node].clock.instant(self.now);
        let groups = self.setup.groups.len();
        let Some(it) = self.machines[node].node.as_mut() else {
            return;
        };
        // Without a session it could be the original, unless the peer is alive and known better.
        let peer = it.status().peer();
        let known = peer.kind == PeerKind::Systole && peer.status != NodeStatus::Dead;
        if !known && !bytes.windows(4).any(|window| window == b"sid=") {
            return;
        }
        let mut control = it.clone();
        control.handle(
            now,
            Event::LinkChanged {
                link: LinkId(u8::MAX),
                works: true,
            },
        );
        it.handle(
            now,
            Event::Frame {
                link: link_id(link),
                bytes,
            },
        );
        let effect = essence(it, groups) != essence(&control, groups);
        self.tell(node, What::FalseFrame { effect });
    }

    fn drain(&mut self, node: usize, ticked: bool) {
        let mut frame = [0; FRAME_BYTES_MAX];
        let (mut actions, mut stopped) = (0, false);
        while let Some(action) = self.machines[node]
            .node
            .as_mut()
            .and_then(|it| it.poll_action(&mut frame))
        {
            actions += 1;
            self.tell(
                node,
                What::Act {
                    action,
                    decided: self.decided(node, action),
                },
            );
            match action {
                Action::Transmit { link, len } => {
                    self.transmit(node, usize::from(link.0), &frame[..len]);
                }
                Action::Acquire(group) => self.operate(node, group, Operation::Acquire),
                Action::Release(group) => self.operate(node, group, Operation::Release),
                Action::Stopped => stopped = true,
                Action::Announce(_) | Action::Report(_) => {}
            }
        }
        self.machines[node].undrained_since = None;
        let deadline = self.machines[node]
            .node
            .as_ref()
            .and_then(|it| it.deadline());
        let deadline = deadline.map(|(at, _)| at.as_micros());
        self.tell(
            node,
            What::Drained {
                deadline,
                actions,
                waits: ticked && !stopped,
            },
        );
        if stopped {
            self.tell(node, What::Ended);
            self.end(node);
        }
    }

    fn decided(&self, node: usize, action: Action) -> Micros {
        let Action::Acquire(group) = action else {
            return self.machines[node].undrained_since.unwrap_or(self.now);
        };
        let it = self.machines[node].node.as_ref();
        let since = it
            .and_then(|it| it.status().group(group))
            .map_or(0, |view| view.since.as_micros());
        self.now.saturating_sub(since)
    }
}
