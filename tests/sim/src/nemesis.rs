//! The faults: which one strikes when, and when it ends.

use std::rc::Rc;

use systole_core::auth::Method;
use systole_core::config::AutoFailback;
use systole_core::event::Command;
use systole_core::hold::Hold;

use crate::clock::{Micros, SECOND};
use crate::cluster::Cluster;
use crate::forge::{self, forge};
use crate::machine::{Input, State};
use crate::options::{Fault, Options};
use crate::random::Random;

#[derive(Clone, Copy, Debug)]
enum Undo {
    Join(usize),
    Smooth(usize, usize),
    Start(usize, bool),
    Resume(usize),
    Quicken(usize),
    Repair(usize),
    LinkWorks(usize, usize),
    ClockBack(usize, i64),
}

/// The source of trouble of one run.
#[derive(Debug)]
pub struct Nemesis {
    options: Options,
    random: Random,
    undos: Vec<(Micros, Undo)>,
    key_step: usize,
    /// What has struck, in the order of [`Fault::ALL`].
    pub struck: [u64; Fault::ALL.len()],
}

impl Nemesis {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self {
            options: options.clone(),
            random: Random::new(options.seed ^ 0x6e65_6d65),
            undos: Vec::new(),
            key_step: 0,
            struck: [0; Fault::ALL.len()],
        }
    }

    /// Until the next strike.
    pub fn pause(&mut self) -> Micros {
        self.random.between(1, self.options.pace)
    }

    /// When the next fault ends.
    #[must_use]
    pub fn next_end(&self) -> Option<Micros> {
        self.undos.iter().map(|(at, _)| *at).min()
    }

    /// Ends the faults whose time is over.
    pub fn end_due(&mut self, cluster: &mut Cluster) {
        let now = cluster.now;
        let mut due: Vec<(Micros, Undo)> = Vec::new();
        self.undos.retain(|(at, undo)| {
            if *at <= now {
                due.push((*at, *undo));
            }
            *at > now
        });
        for (_, undo) in due {
            Self::undo(cluster, undo);
        }
    }

    fn undo(cluster: &mut Cluster, undo: Undo) {
        match undo {
            Undo::Join(link) => cluster.network.set_cut(link, false),
            Undo::Smooth(link, sender) => {
                cluster.network.paths[link][sender].smooth();
            }
            Undo::Start(node, forget) => cluster.start(node, forget),
            Undo::Resume(node) => cluster.resume(node),
            Undo::Quicken(node) => cluster.machines[node].slow = 0,
            Undo::Repair(node) => cluster.machines[node].agent.heal(),
            Undo::LinkWorks(node, link) => cluster.give(node, Input::Link(link, true)),
            Undo::ClockBack(node, micros) => cluster.step_clock(node, micros),
        }
    }

    fn later(&mut self, cluster: &Cluster, least: Micros, most: Micros, undo: Undo) {
        let at = cluster.now + self.random.between(least, most.max(least));
        self.undos.push((at, undo));
    }

    /// Something goes wrong.
    pub fn strike(&mut self, cluster: &mut Cluster) {
        let fault = self.random.pick(&self.options.faults);
        let deadtime = self.options.setup.nodes[0].deadtime;
        let node = usize::from(self.random.chance(500_000));
        let links = self.options.setup.links.len();
        let link = usize::try_from(self.random.below(links as u64)).unwrap_or(0);
        self.struck[fault as usize] += 1;
        match fault {
            Fault::Cut => {
                cluster.network.set_cut(link, true);
                self.later(cluster, 1, 3 * deadtime, Undo::Join(link));
            }
            Fault::OneWay => {
                cluster.network.paths[link][node].cut = true;
                self.later(cluster, 1, 3 * deadtime, Undo::Join(link));
            }
            Fault::Partition => {
                let at = cluster.now + self.random.between(1, 4 * deadtime);
                for link in 0..links {
                    cluster.network.set_cut(link, true);
                    let spread = self.random.below(deadtime / 4);
                    self.undos.push((at + spread, Undo::Join(link)));
                }
            }
            Fault::Flap => {
                cluster.network.set_cut(link, true);
                let gap = self.random.between(1, deadtime);
                self.undos.push((cluster.now + gap, Undo::Join(link)));
            }
            Fault::BadPath => self.spoil(cluster, link, node),
            Fault::Crash | Fault::QuickRestart | Fault::Forget => {
                cluster.crash(node);
                let most = if fault == Fault::QuickRestart {
                    deadtime
                } else {
                    4 * deadtime
                };
                self.later(cluster, 1, most, Undo::Start(node, fault == Fault::Forget));
            }
            Fault::ShortPause | Fault::LongPause => {
                cluster.pause(node);
                let (least, most) = match fault {
                    Fault::ShortPause => (1, deadtime * 9 / 10),
                    _ => (deadtime, 5 * deadtime),
                };
                self.later(cluster, least, most, Undo::Resume(node));
            }
            Fault::Agent => {
                let agent = &mut cluster.machines[node].agent;
                agent.fails = [self.options.bad[0], self.options.bad[1]];
                agent.hangs = [self.options.bad[0] / 10, self.options.bad[1] / 10];
                self.later(cluster, 1, 10 * deadtime, Undo::Repair(node));
            }
            Fault::LinkFailed => {
                cluster.give(node, Input::Link(link, false));
                self.later(cluster, 1, 2 * deadtime, Undo::LinkWorks(node, link));
            }
            Fault::Stop => {
                cluster.command(node, Command::Stop);
                self.later(cluster, deadtime, 8 * deadtime, Undo::Start(node, false));
            }
            Fault::Keys => self.change_keys(cluster, node),
            other => self.disturb(cluster, other, node, link),
        }
    }

    /// The faults that need no end, or bring it with them.
    fn disturb(&mut self, cluster: &mut Cluster, fault: Fault, node: usize, link: usize) {
        let keepalive = self.options.setup.nodes[0].keepalive;
        let deadtime = self.options.setup.nodes[0].deadtime;
        match fault {
            Fault::ClockStep => {
                let span = self.random.between(1, 3 * deadtime).cast_signed();
                let forward = self.random.chance(500_000);
                let step = if forward { span } else { -span };
                cluster.step_clock(node, step);
                self.later(cluster, 1, 3 * deadtime, Undo::ClockBack(node, -step));
            }
            Fault::Slow => {
                cluster.machines[node].slow = self.random.between(1, keepalive / 4);
                self.later(cluster, 1, 4 * deadtime, Undo::Quicken(node));
            }
            Fault::Undrained => {
                let until = cluster.now + self.random.between(1, 2 * deadtime);
                cluster.machines[node].undrained_until = until;
            }
            Fault::Replay if !cluster.recorded.is_empty() => {
                for _ in 0..self.random.between(1, 20) {
                    let frame = self.random.pick(&cluster.recorded);
                    // Mostly where it was recorded; also on another link, or back to its sender.
                    let link = if self.random.chance(800_000) {
                        frame.link
                    } else {
                        link
                    };
                    let back = self.random.chance(100_000);
                    let to = if back {
                        1 - frame.receiver
                    } else {
                        frame.receiver
                    };
                    cluster.inject(to, link, Rc::clone(&frame.bytes));
                }
            }
            Fault::Forge => {
                let kinds = forge::Forgery::ALL;
                let keyed = self.options.setup.nodes[0].keys[0].1.is_keyed();
                let first = usize::from(!keyed);
                for _ in 0..self.random.between(1, 20) {
                    let kind = self.random.pick(&kinds[first..]);
                    let encoding = self.options.setup.links[link].1;
                    let bytes = forge(&cluster.setup, node, encoding, kind, &mut self.random);
                    cluster.inject(node, link, bytes);
                }
            }
            Fault::Command => {
                let hold = self
                    .random
                    .pick(&[Hold::Local, Hold::Foreign, Hold::All, Hold::None]);
                let standby = self.random.chance(600_000);
                let command = if standby {
                    Command::Standby(hold)
                } else {
                    Command::Takeover(hold)
                };
                cluster.command(node, command);
                if self.random.chance(200_000) {
                    cluster.command(1 - node, command);
                }
            }
            _ => {}
        }
    }

    fn spoil(&mut self, cluster: &mut Cluster, link: usize, sender: usize) {
        let deadtime = self.options.setup.nodes[0].deadtime;
        let random = &mut self.random;
        let path = &mut cluster.network.paths[link][sender];
        path.loss = random.below(600_000);
        path.duplicate = random.below(300_000) * random.below(2);
        path.corrupt = random.below(300_000) * random.below(2);
        path.reorder = random.below(400_000) * random.below(2);
        path.reorder_by = random.below(deadtime * 2);
        self.later(cluster, 1, 6 * deadtime, Undo::Smooth(link, sender));
    }

    /// The documented key change: both accept the new key, each signs with it, the old one goes.
    fn change_keys(&mut self, cluster: &mut Cluster, node: usize) {
        let old = (1, self.options.setup.nodes[0].keys[0].1, "first".to_owned());
        if old.1 == Method::Crc {
            return;
        }
        let new = (2, Method::Sha1, "second".to_owned());
        let nodes = if self.key_step == 1 {
            vec![node]
        } else {
            vec![0, 1]
        };
        let keys = match self.key_step {
            0 => vec![old, new],
            1 | 2 => vec![new, old],
            _ => vec![new],
        };
        self.key_step += 1;
        for node in nodes {
            cluster.setup.nodes[node].keys.clone_from(&keys);
            let read = cluster.setup.nodes[node].authkeys();
            cluster.give(node, Input::Keys(Box::new(read)));
        }
    }

    /// Everything works again: all faults end, both daemons run. Some links may stay cut, never all.
    pub fn heal(&mut self, cluster: &mut Cluster) {
        self.undos.clear();
        cluster.network.heal();
        let links = self.options.setup.links.len();
        let kept = usize::try_from(self.random.below(links as u64)).unwrap_or(0);
        for link in 0..links {
            cluster
                .network
                .set_cut(link, link != kept && self.random.chance(300_000));
        }
        for node in [0, 1] {
            cluster.machines[node].agent.heal();
            cluster.machines[node].slow = 0;
            cluster.machines[node].undrained_until = 0;
            for link in 0..links {
                cluster.give(node, Input::Link(link, true));
            }
            if matches!(cluster.machines[node].state, State::Paused(_)) {
                cluster.resume(node);
            }
        }
        // Whatever is being played back or was already sent is gone within this.
        cluster.run_until(cluster.now + 2 * SECOND.max(2 * self.options.setup.nodes[0].deadtime));
        for node in [0, 1] {
            cluster.start(node, false);
        }
    }

    /// Whether `auto_failback` brings groups back between two Systole nodes.
    #[must_use]
    pub fn fails_back(&self) -> bool {
        self.options.setup.nodes[0].failback != AutoFailback::Off
    }
}
