//! What one seed stands for: the cluster's files, its machines and networks, and which faults strike.

use core::fmt;

use systole_core::auth::Method;
use systole_core::config::{AutoFailback, Encoding};

use crate::clock::{Clock, MILLI, Micros, SECOND};
use crate::cluster::Cluster;
use crate::random::{Ppm, Random};
use crate::setup::Setup;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A link is cut in both directions.
    Cut,
    /// A link is cut in one direction.
    OneWay,
    /// Every link is cut.
    Partition,
    /// A link is cut and joined several times.
    Flap,
    /// A path loses, doubles, reorders or changes frames.
    BadPath,
    /// A machine loses its power, and is started again later.
    Crash,
    /// The same, started again at once.
    QuickRestart,
    /// The same, with lost state files.
    Forget,
    /// A daemon is stopped by the system for less than deadtime.
    ShortPause,
    /// The same for longer.
    LongPause,
    /// A machine's clock is set.
    ClockStep,
    /// A daemon is slow with every event.
    Slow,
    /// A daemon takes no actions for a while.
    Undrained,
    /// Resource operations fail or hang on one machine.
    Agent,
    /// Recorded frames are played back.
    Replay,
    /// Frames are forged.
    Forge,
    /// An operator asks for something.
    Command,
    /// An operator stops a node, and starts it again later.
    Stop,
    /// A machine says that one of its links has failed.
    LinkFailed,
    /// One step of a key change.
    Keys,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Cut,
        Self::OneWay,
        Self::Partition,
        Self::Flap,
        Self::BadPath,
        Self::Crash,
        Self::QuickRestart,
        Self::Forget,
        Self::ShortPause,
        Self::LongPause,
        Self::ClockStep,
        Self::Slow,
        Self::Undrained,
        Self::Agent,
        Self::Replay,
        Self::Forge,
        Self::Command,
        Self::Stop,
        Self::LinkFailed,
        Self::Keys,
    ];
}

/// Everything one seed decides before the run begins.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// The files.
    pub setup: Setup,
    /// The faults that strike.
    pub faults: Vec<Fault>,
    /// How many of them.
    pub strikes: u64,
    /// At most this long between two of them.
    pub pace: Micros,
    /// Each clock's gain per second.
    pub drift_ppm: [i64; 2],
    /// Time on the way and its variation, per link.
    pub latency: Vec<(Micros, Micros)>,
    /// Least and most time of an acquire and of a release.
    pub takes: [(Micros, Micros); 2],
    /// How often an operation fails or hangs while agents are bad.
    pub bad: [Ppm; 2],
    /// The host's time limit for an operation.
    pub limit: Micros,
    /// Whether each node hears its own frames.
    pub hears_itself: bool,
    /// The second node starts this much later.
    pub start_gap: Micros,
}

fn setup(random: &mut Random) -> Setup {
    let mut setup = Setup::default();
    let keepalive = random.pick(&[50, 100, 200, 500, 1_000]) * MILLI;
    let deadtime = keepalive * random.between(3, 12);
    let initdead = deadtime * random.between(1, 3);
    let failback = random.pick(&[AutoFailback::On, AutoFailback::Off, AutoFailback::Legacy]);
    let method = random.pick(&[Method::Sha1, Method::Sha1, Method::Md5, Method::Crc]);
    let secret = if method.is_keyed() { "first" } else { "" };
    for node in &mut setup.nodes {
        node.keepalive = keepalive;
        node.deadtime = deadtime;
        node.warntime = deadtime / 2;
        node.initdead = initdead;
        node.failback = failback;
        node.keys = vec![(1, method, secret.to_owned())];
    }
    if random.chance(100_000) {
        setup.nodes[1].deadtime = deadtime * 2;
        setup.nodes[1].initdead = initdead * 2;
    }
    let links = random.between(1, 3);
    setup.links = (0..links)
        .map(|link| {
            if link > 0 && random.chance(400_000) {
                (format!("ttyS{link}"), Encoding::Classic)
            } else {
                (format!("eth{link}"), Encoding::Netstring)
            }
        })
        .collect();
    let groups = random.between(1, 4);
    setup.groups = (0..groups)
        .map(|group| {
            let preferred = usize::from(random.chance(500_000));
            (format!("10.8.0.{}", group + 1), preferred)
        })
        .collect();
    setup
}

impl Options {
    /// What a seed stands for.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut setup = setup(&mut random);
        let (keepalive, deadtime) = (setup.nodes[0].keepalive, setup.nodes[0].deadtime);
        let mut faults: Vec<Fault> = Fault::ALL
            .into_iter()
            .filter(|_| random.chance(350_000))
            .collect();
        if faults.is_empty() {
            faults.push(Fault::Crash);
        }
        let latency: Vec<(Micros, Micros)> = (0..setup.links.len())
            .map(|_| (random.between(100, keepalive), random.between(0, keepalive)))
            .collect();
        // A starting node has to get an answer within initdead.
        let slowest = latency.iter().map(|(least, more)| least + more).max();
        for node in &mut setup.nodes {
            node.initdead += 4 * slowest.unwrap_or(0);
        }
        let drift = |random: &mut Random| random.between(0, 2_000).cast_signed() - 1_000;
        let longest = random.pick(&[20 * MILLI, 200 * MILLI, SECOND, 3 * SECOND]);
        let mut span = |most: Micros| {
            let least = random.between(MILLI, most);
            (least, random.between(least, most))
        };
        let takes = [span(longest), span(longest)];
        Self {
            seed,
            faults,
            strikes: random.between(5, 30),
            pace: deadtime * random.between(1, 4),
            drift_ppm: [drift(&mut random), drift(&mut random)],
            latency,
            takes,
            bad: [random.between(0, 600_000), random.between(0, 100_000)],
            limit: random.between(1, 10) * SECOND,
            hears_itself: random.chance(300_000),
            start_gap: random.below(2 * setup.nodes[0].initdead) * random.below(2),
            setup,
        }
    }

    /// A cluster like that, switched off.
    #[must_use]
    pub fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::new(self.setup.clone(), self.seed ^ 0x5157_0513);
        for (machine, drift) in cluster.machines.iter_mut().zip(self.drift_ppm) {
            machine.clock = Clock::new(drift.unsigned_abs().cast_signed() * 1_000_000, drift);
            machine.hears_itself = self.hears_itself;
            machine.agent.takes = self.takes;
            machine.agent.limit = self.limit;
        }
        for (paths, (latency, jitter)) in cluster.network.paths.iter_mut().zip(&self.latency) {
            for path in paths {
                path.latency = *latency;
                path.jitter = *jitter;
            }
        }
        cluster
    }

    /// Within this the cluster is settled once everything works: derived from the configuration
    /// and from how long its resources take.
    #[must_use]
    pub fn bound(&self) -> Micros {
        let node = &self.setup.nodes[1];
        let operations = self.takes[0].1 + self.takes[1].1;
        // A node that must be declared dead or found; what hangs must end; a group that failed is
        // tried again after 30 s, and a failed offer after 5 s.
        2 * node.initdead + 6 * node.deadtime + 6 * operations + 2 * self.limit + 45 * SECOND
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = &self.setup.nodes[0];
        let other = &self.setup.nodes[1];
        let method = node
            .keys
            .first()
            .map_or("", |(_, method, _)| method.as_str());
        let links: Vec<&str> = self
            .setup
            .links
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let groups: Vec<String> = self
            .setup
            .groups
            .iter()
            .map(|(name, node)| format!("{name}@rproxy{}", node + 1))
            .collect();
        writeln!(f, "seed {:#018x}", self.seed)?;
        writeln!(
            f,
            "  keepalive {}ms deadtime {}ms/{}ms initdead {}ms failback {:?} auth {method}",
            node.keepalive / MILLI,
            node.deadtime / MILLI,
            other.deadtime / MILLI,
            node.initdead / MILLI,
            node.failback,
        )?;
        writeln!(f, "  links {} groups {}", links.join(" "), groups.join(" "))?;
        writeln!(
            f,
            "  latency+jitter {:?}us drift {:?}ppm acquire {:?}us release {:?}us limit {}s bad {:?}ppm",
            self.latency,
            self.drift_ppm,
            self.takes[0],
            self.takes[1],
            self.limit / SECOND,
            self.bad,
        )?;
        write!(
            f,
            "  {} strikes within {}ms of {:?}",
            self.strikes,
            self.pace / MILLI,
            self.faults
        )
    }
}
