//! One seeded run: faults and the safety of everything that happens; then peace, and the cluster has
//! to be whole within a bound; then one clean failover, and it has to go by the book.

use core::fmt;

use systole_core::hold::{Hold, Side};
use systole_core::node::Phase;
use systole_core::report::GroupStatus;

use crate::checker::{self, Checker, Rules};
use crate::clock::Micros;
use crate::cluster::{Cluster, group_id};
use crate::coverage::Coverage;
use crate::describe::describe;
use crate::nemesis::Nemesis;
use crate::options::Options;
use crate::random::Random;

/// What went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// When, in virtual time.
    pub at: Micros,
    /// The invariant.
    pub checker: &'static str,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.at / 1_000_000, self.at % 1_000_000);
        write!(
            f,
            "seed {:#018x} at {seconds}.{micros:06}: {}: {}",
            self.seed, self.checker, self.why
        )
    }
}

/// One run.
pub struct Vopr {
    options: Options,
    cluster: Cluster,
    nemesis: Nemesis,
    checkers: Vec<Box<dyn Checker>>,
    coverage: Coverage,
    random: Random,
    trace: bool,
}

type Verdict<T = ()> = Result<T, Failure>;

/// Runs one seed; gives what was seen, or what went wrong. `trace` prints the timeline.
///
/// # Errors
/// The first violation.
pub fn run(seed: u64, trace: bool) -> Verdict<Coverage> {
    let options = Options::new(seed);
    if trace {
        println!("{options}");
    }
    let rules = Rules::new(&options.setup, options.bound());
    let mut vopr = Vopr {
        cluster: options.cluster(),
        nemesis: Nemesis::new(&options),
        checkers: checker::all(&rules),
        coverage: Coverage::default(),
        random: Random::new(seed ^ 0x766f_7072),
        trace,
        options,
    };
    vopr.safety()?;
    vopr.liveness()?;
    vopr.failover()?;
    vopr.coverage.note_end(&vopr.cluster, &vopr.nemesis);
    Ok(vopr.coverage)
}

impl Vopr {
    fn fail(&self, checker: &'static str, why: String) -> Failure {
        Failure {
            seed: self.options.seed,
            at: self.cluster.now,
            checker,
            why,
        }
    }

    fn look(&mut self) -> Verdict {
        for fact in self.cluster.take_facts() {
            if self.trace
                && let Some(line) = describe(&self.cluster.setup, &fact)
            {
                println!("{line}");
            }
            self.coverage.note(&fact);
            for checker in &mut self.checkers {
                if let Err(why) = checker.see(&fact) {
                    let (seed, checker) = (self.options.seed, checker.name());
                    return Err(Failure {
                        seed,
                        at: fact.at,
                        checker,
                        why,
                    });
                }
            }
        }
        Ok(())
    }

    fn run_until(&mut self, until: Micros) -> Verdict {
        while self.cluster.step(until) {
            self.look()?;
        }
        self.look()
    }

    fn say(&self, text: &str) {
        if self.trace {
            let now = self.cluster.now / 1_000;
            println!("{:6}.{:03} -------- {text}", now / 1_000, now % 1_000);
        }
    }

    /// Phase 1: everything goes wrong; nothing wrong may be done.
    fn safety(&mut self) -> Verdict {
        let first = usize::from(self.random.chance(500_000));
        self.cluster.start(first, false);
        self.run_until(self.options.start_gap)?;
        self.cluster.start(1 - first, false);
        for _ in 0..self.options.strikes {
            let next = self.cluster.now + self.nemesis.pause();
            while let Some(at) = self.nemesis.next_end().filter(|at| *at <= next) {
                self.run_until(at)?;
                self.nemesis.end_due(&mut self.cluster);
            }
            self.run_until(next)?;
            let before = self.nemesis.struck;
            self.nemesis.strike(&mut self.cluster);
            if self.trace {
                let kinds = crate::options::Fault::ALL
                    .into_iter()
                    .zip(self.nemesis.struck);
                let new = kinds.zip(before).find(|((_, now), before)| now > before);
                self.say(&format!("{:?}", new.map(|((fault, _), _)| fault)));
            }
            self.look()?;
        }
        Ok(())
    }

    /// Phase 2: peace. Every group must be held by exactly one node within the bound.
    fn liveness(&mut self) -> Verdict {
        self.say("peace");
        self.nemesis.heal(&mut self.cluster);
        self.settle("L1 every group is held", true, Self::unsettled)
    }

    /// Waits until nothing is wrong any more and stays so. A daemon that ends is started again when
    /// `restart` says so.
    fn settle(
        &mut self,
        checker: &'static str,
        restart: bool,
        wrong: impl Fn(&Self) -> Option<String>,
    ) -> Verdict {
        let deadtime = self.options.setup.nodes[1].deadtime;
        let until = self.cluster.now + self.options.bound();
        let mut settled_since = None;
        while self.cluster.now < until {
            self.run_until(self.cluster.now + deadtime / 2)?;
            for node in [0, 1] {
                if restart {
                    self.cluster.start(node, false);
                }
            }
            if wrong(self).is_some() {
                settled_since = None;
            } else if self.cluster.now
                >= *settled_since.get_or_insert(self.cluster.now) + 3 * deadtime
            {
                return Ok(());
            }
        }
        wrong(self).map_or(Ok(()), |why| Err(self.fail(checker, why)))
    }

    /// Why the cluster is not settled.
    fn unsettled(&self) -> Option<String> {
        let up: Vec<usize> = [0, 1]
            .into_iter()
            .filter(|node| self.cluster.node(*node).is_some())
            .collect();
        for group in 0..self.options.setup.groups.len() {
            let holders: Vec<usize> = [0, 1]
                .into_iter()
                .filter(|node| self.cluster.present(*node, group))
                .collect();
            let [holder] = holders.as_slice() else {
                return Some(format!("group {group} is on {holders:?}"));
            };
            let status = self.cluster.node(*holder)?.status().group(group_id(group));
            if status.is_none_or(|view| view.status != GroupStatus::Held) {
                return Some(format!("group {group} is not held on node {holder}"));
            }
        }
        for node in &up {
            let status = self.cluster.node(*node)?.status();
            if status.phase() != Phase::Member || status.in_transition() {
                return Some(format!("node {node} is {:?}, not settled", status.phase()));
            }
            let peer = self
                .cluster
                .node(1 - node)
                .map(|it| it.status().own_hold().0);
            if peer.is_some() && status.peer().hold != peer {
                return Some(format!(
                    "node {node} believes the peer holds {:?}, not {peer:?}",
                    status.peer().hold
                ));
            }
        }
        None
    }

    fn holders(&self) -> Vec<usize> {
        let groups = 0..self.options.setup.groups.len();
        groups
            .map(|group| usize::from(self.cluster.present(1, group)))
            .collect()
    }

    /// Phase 3: one node dies or is stopped, the other takes everything; it returns, and everything
    /// goes where `auto_failback` says.
    fn failover(&mut self) -> Verdict {
        let victim = usize::from(self.random.chance(500_000));
        self.say(&format!("failover of node {victim}"));
        if self.random.chance(500_000) {
            self.cluster.crash(victim);
        } else {
            self.cluster
                .command(victim, systole_core::event::Command::Stop);
        }
        let gone = |vopr: &Self| {
            let left = vopr.cluster.node(victim).is_some() || vopr.holders().contains(&victim);
            if left {
                Some(format!("node {victim} is not gone"))
            } else {
                vopr.unsettled()
            }
        };
        self.settle("L1 every group is held", false, gone)?;
        self.cluster.start(victim, false);
        let placed = |vopr: &Self| vopr.unsettled().or_else(|| vopr.misplaced(victim));
        self.settle("L2 auto_failback is honoured", true, placed)
    }

    /// What is not where it belongs after a node has returned.
    fn misplaced(&self, returned: usize) -> Option<String> {
        let fails_back = self.nemesis.fails_back();
        for (group, holder) in self.holders().into_iter().enumerate() {
            let preferred = self.options.setup.groups[group].1;
            let due = if fails_back { preferred } else { 1 - returned };
            if holder != due {
                return Some(format!(
                    "group {group} is on node {holder}, due on node {due}"
                ));
            }
        }
        for node in [0, 1] {
            let told = self.cluster.node(node)?.status().own_hold().0;
            if fails_back && told != Hold::from(Side::Local) {
                return Some(format!("node {node} says it holds {told}, not local"));
            }
        }
        None
    }
}
