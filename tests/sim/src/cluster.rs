//! The whole cluster in one thread and virtual time.
//!
//! Nothing of the core is done again here: the two nodes are the real ones, driven in `daemon.rs`.

use std::rc::Rc;

use systole_core::Node;
use systole_core::event::{Command, Operation, Outcome};
use systole_core::id::{GroupId, LinkId};

use crate::clock::{Clock, Micros};
use crate::contact::Contact;
use crate::fact::{Fact, What};
use crate::machine::{Input, Machine, Nature, Resource, State};
use crate::network::{Network, sequence_of};
use crate::random::Random;
use crate::schedule::{Schedule, Wake};
use crate::setup::Setup;

/// Frames kept for playing back.
const RECORDED_MAX: usize = 512;

/// A frame that was handled once and can be played back.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Who handled it.
    pub receiver: usize,
    /// On which link.
    pub link: usize,
    /// What it was.
    pub bytes: Rc<[u8]>,
}

/// The cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Virtual time.
    pub now: Micros,
    /// The files of the nodes; what is changed here counts from the next start.
    pub setup: Setup,
    /// The two machines.
    pub machines: [Machine; 2],
    /// What is between them.
    pub network: Network,
    /// What they could know of each other.
    pub contact: Contact,
    /// What was handled lately, for playing back.
    pub recorded: Vec<Recorded>,
    pub(crate) in_contact: bool,
    facts: Vec<Fact>,
    schedule: Schedule,
    random: Random,
}

/// The core's number of a group.
#[must_use]
pub fn group_id(group: usize) -> GroupId {
    GroupId(u8::try_from(group).unwrap_or(u8::MAX))
}

pub(crate) fn link_id(link: usize) -> LinkId {
    LinkId(u8::try_from(link).unwrap_or(u8::MAX))
}

impl Cluster {
    /// Two machines that are off, at time 0.
    #[must_use]
    pub fn new(setup: Setup, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (links, groups) = (setup.links.len(), setup.groups.len());
        let patience = [0, 1].map(|node| {
            let (own, peer) = (&setup.nodes[node], &setup.nodes[1 - node]);
            own.deadtime.min(peer.deadtime.max(2 * own.keepalive))
        });
        Self {
            now: 0,
            machines: [0, 1].map(|_| Machine::new(groups, Clock::new(0, 0))),
            network: Network::new(links, random.fork()),
            contact: Contact::new(links, patience),
            recorded: Vec::new(),
            in_contact: false,
            facts: Vec::new(),
            schedule: Schedule::default(),
            random,
            setup,
        }
    }

    /// What has happened since the last call.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        core::mem::take(&mut self.facts)
    }

    pub(crate) fn tell(&mut self, node: usize, what: What) {
        self.facts.push(Fact {
            at: self.now,
            local: self.machines[node].clock.local(self.now),
            node,
            what,
        });
    }

    pub(crate) fn schedule(&mut self, at: Micros, wake: Wake) {
        self.schedule.push(at.max(self.now), wake);
    }

    /// Goes on to the next thing that happens at or before `until`; says whether there was one.
    pub fn step(&mut self, until: Micros) -> bool {
        let Some((at, wake)) = self.schedule.pop(until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = at;
        match wake {
            Wake::Arrive(node, link, bytes, nature) => {
                self.machines[node].receive(Input::Frame(link, bytes, nature));
                self.turn(node);
            }
            Wake::Turn(node) => {
                if self.machines[node].wake_at == Some(at) {
                    self.machines[node].wake_at = None;
                    self.turn(node);
                }
            }
            Wake::Done(node, group, operation, outcome, number) => {
                self.on_operation_done(node, group, operation, outcome, number);
            }
        }
        true
    }

    /// Runs until a moment.
    pub fn run_until(&mut self, until: Micros) {
        while self.step(until) {}
    }

    /// Starts a daemon. It counts its generation up; `forget` makes it start with an older one, as
    /// after a restored backup.
    pub fn start(&mut self, node: usize, forget: bool) {
        if self.machines[node].is_up() {
            return;
        }
        let (seed, now) = (self.random.bits(), self.now);
        let machine = &mut self.machines[node];
        machine.generation = if forget {
            machine.generation.min(1_600_000_000) - 1_000
        } else {
            machine.generation + 1
        };
        let wall = 1_750_000_000 + now / 1_000_000;
        let config = self.setup.config(node, machine.generation, wall);
        machine.node = Some(Box::new(Node::new(
            config,
            seed,
            machine.clock.instant(now),
        )));
        machine.state = State::Running;
        machine.busy_until = 0;
        machine.ticked_at = machine.clock.local(now);
        machine.highest = machine.ticked_at;
        // Whatever an earlier daemon left here is cleared away before the new one runs.
        for resource in &mut machine.resources {
            *resource = Resource::default();
        }
        self.contact.on_start(node);
        self.tell(node, What::Started);
        self.turn(node);
    }

    /// The machine loses its power.
    pub fn crash(&mut self, node: usize) {
        if self.machines[node].is_up() {
            self.tell(node, What::Crashed);
        }
        self.end(node);
        for resource in &mut self.machines[node].resources {
            *resource = Resource::default();
        }
    }

    pub(crate) fn end(&mut self, node: usize) {
        self.machines[node].clear();
        self.contact.on_end(node);
        self.look_for_contact();
    }

    /// Stops the daemon as `SIGSTOP` does.
    pub fn pause(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if machine.state == State::Running {
            // A clock that was set back stands still for the node until it has caught up.
            machine.state = State::Paused(machine.clock.local(self.now).max(machine.highest));
            self.tell(node, What::Paused);
        }
    }

    /// Lets a stopped daemon go on.
    pub fn resume(&mut self, node: usize) {
        let machine = &mut self.machines[node];
        if let State::Paused(since) = machine.state {
            let pause = machine.clock.local(self.now).saturating_sub(since);
            machine.state = State::Running;
            if pause >= self.setup.nodes[node].deadtime {
                self.contact.on_start(node);
                self.look_for_contact();
            }
            self.tell(node, What::Resumed(pause));
            self.turn(node);
        }
    }

    /// Sets a machine's clock.
    pub fn step_clock(&mut self, node: usize, micros: i64) {
        self.machines[node].clock.step(micros);
        self.tell(node, What::Stepped(micros));
        self.turn(node);
    }

    /// An operator's command.
    pub fn command(&mut self, node: usize, command: Command) {
        self.give(node, Input::Command(command));
    }

    /// Gives a daemon something at once.
    pub fn give(&mut self, node: usize, input: Input) {
        self.machines[node].receive(input);
        self.turn(node);
    }

    /// Lets bytes that nobody sent arrive.
    pub fn inject(&mut self, node: usize, link: usize, bytes: Rc<[u8]>) {
        self.schedule(self.now, Wake::Arrive(node, link, bytes, Nature::False));
    }

    pub(crate) fn look_for_contact(&mut self) {
        let local = [0, 1].map(|node| self.machines[node].clock.local(self.now));
        let contact = self.contact.holds(local);
        if contact != self.in_contact {
            self.in_contact = contact;
            self.tell(0, What::Contact(contact));
        }
    }

    pub(crate) fn record(&mut self, receiver: usize, link: usize, bytes: &Rc<[u8]>) {
        let recorded = Recorded {
            receiver,
            link,
            bytes: Rc::clone(bytes),
        };
        if self.recorded.len() < RECORDED_MAX {
            self.recorded.push(recorded);
        } else {
            let index = self.random.below(RECORDED_MAX as u64);
            self.recorded[usize::try_from(index).unwrap_or(0)] = recorded;
        }
    }

    pub(crate) fn transmit(&mut self, sender: usize, link: usize, bytes: &[u8]) {
        let bytes: Rc<[u8]> = bytes.into();
        let echoes = bytes
            .windows(6)
            .any(|window| window.ends_with(b"echo=") && !window[0].is_ascii_alphabetic());
        let stamp = self
            .contact
            .stamp(sender, link, echoes, sequence_of(&bytes));
        for copy in self
            .network
            .send(self.now, link, sender, &bytes)
            .into_iter()
            .flatten()
        {
            let nature = if copy.altered {
                Nature::False
            } else {
                Nature::Genuine(stamp)
            };
            self.schedule(copy.at, Wake::Arrive(1 - sender, link, copy.bytes, nature));
        }
        if self.machines[sender].hears_itself {
            self.schedule(
                self.now + 1,
                Wake::Arrive(sender, link, bytes, Nature::False),
            );
        }
    }

    pub(crate) fn operate(&mut self, node: usize, group: GroupId, operation: Operation) {
        let group = usize::from(group.0);
        let number = self.schedule.number();
        let machine = &mut self.machines[node];
        let (takes, outcome) = machine.agent.run(group, operation, &mut self.random);
        let resource = &mut machine.resources[group];
        resource.present |= operation == Operation::Acquire;
        resource.running = Some((operation, number));
        self.schedule(
            self.now + takes,
            Wake::Done(node, group, operation, outcome, number),
        );
    }

    fn on_operation_done(
        &mut self,
        node: usize,
        group: usize,
        operation: Operation,
        outcome: Outcome,
        number: u64,
    ) {
        let resource = &mut self.machines[node].resources[group];
        if resource.running != Some((operation, number)) {
            return; // Broken off, or the machine has lost its power since.
        }
        resource.running = None;
        if (operation, outcome) == (Operation::Release, Outcome::Done) {
            resource.present = false;
        }
        self.tell(node, What::Done(group, operation, outcome));
        self.machines[node].receive(Input::Done(group, operation, outcome, number));
        self.turn(node);
    }

    /// The node, when there is a daemon.
    #[must_use]
    pub fn node(&self, node: usize) -> Option<&Node> {
        self.machines[node].node.as_deref()
    }

    /// Whether anything of a group is, or may be, on a machine.
    #[must_use]
    pub fn present(&self, node: usize, group: usize) -> bool {
        self.machines[node].resources[group].present
    }
}
