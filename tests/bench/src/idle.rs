//! Nothing happens: what that costs, and whether anybody thinks otherwise.

use core::time::Duration;
use std::path::Path;

use anyhow::Result;
use systole::clock::now;
use systole::demo::analysis;
use systole::demo::lab::{Interrupt, Lab};
use systole::demo::sample::{Host, Probe, Sample};
use systole_core::time::{Duration as Span, Instant};

use crate::contender::Contender;
use crate::outages::settings;
use crate::pair::Pair;
use crate::process::{Process, Usage, usage};
use crate::progress;
use crate::series::millis;

/// The client only looks whether something happens; its work must not be taken for the daemons'.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// Signs of life of the wrong node belong to one takeover when they are no further apart.
const EPISODE_GAP: Span = Span::from_secs(1);

/// What an idle node costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) processes: u32,
    pub(crate) resident_mib: f64,
    pub(crate) proportional_mib: f64,
    /// Milliseconds of processor time per minute.
    pub(crate) cpu_millis: f64,
}

/// What was measured of an idle pair.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    pub(crate) active: Cost,
    pub(crate) standby: Cost,
    pub(crate) false_takeovers: u32,
    /// What the client missed, in milliseconds.
    pub(crate) missed: f64,
}

/// Lets all of them stand side by side: `cost` is the time of the accounting, `watch` that of the whole.
pub(crate) fn measure(
    contenders: &[Box<dyn Contender>],
    binary: &Path,
    cost: Duration,
    watch: Duration,
    interrupt: &Interrupt,
) -> Result<Vec<Idle>> {
    let mut pairs = Vec::new();
    for contender in contenders {
        let lab = Lab::new(binary, &settings(PROBE_INTERVAL), interrupt.clone())?;
        let mut pair = Pair::new(contender.as_ref(), lab);
        let result = boot(&mut pair);
        pair.explain(result)?;
        pairs.push(pair);
    }
    let began = now();
    let watched = pairs
        .iter()
        .map(Account::open)
        .collect::<Result<Vec<_>>>()?;
    progress::idle("accounting", cost);
    interrupt.sleep(cost)?;
    let costs: Vec<_> = watched.iter().map(Account::close).collect();
    let left = watch.saturating_sub(cost);
    if !left.is_zero() {
        progress::idle("watching for false takeovers", left);
        interrupt.sleep(left)?;
    }
    let verdicts = pairs.iter().map(|pair| strange(pair, began));
    let all = costs.into_iter().zip(verdicts);
    Ok(all
        .map(|([active, standby], (false_takeovers, missed))| Idle {
            active,
            standby,
            false_takeovers,
            missed,
        })
        .collect())
}

fn boot(pair: &mut Pair<'_>) -> Result<()> {
    for host in Host::BOTH {
        pair.power_on(host)?;
    }
    let began = now();
    for host in Host::BOTH {
        pair.start(host)?;
    }
    pair.served(began, Host::First)?;
    pair.warm()?;
    pair.outage(now())?;
    Ok(())
}

/// The processes of both nodes, and what they had used in the beginning.
struct Account {
    began: Instant,
    nodes: [(Vec<Process>, Usage); 2],
}

impl Account {
    fn open(pair: &Pair<'_>) -> Result<Self> {
        let node = |host| -> Result<_> {
            let processes = pair.processes(host)?;
            let used = usage(&processes);
            Ok((processes, used))
        };
        let nodes = [node(Host::First)?, node(Host::Second)?];
        let began = now();
        Ok(Self { began, nodes })
    }

    fn close(&self) -> [Cost; 2] {
        let minutes = millis(now().since(self.began)) / 60_000.0;
        let mib = |kib: u64| f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0;
        self.nodes.each_ref().map(|(processes, before)| {
            let after = usage(processes);
            let nanos = after.cpu_nanos.saturating_sub(before.cpu_nanos);
            Cost {
                processes: after.processes,
                resident_mib: mib(after.resident_kib),
                proportional_mib: mib(after.proportional_kib),
                cpu_millis: millis(Span::from_micros(nanos / 1_000)) / minutes,
            }
        })
    }
}

/// How often the second node has shown itself, and for how long nobody answered.
fn strange(pair: &Pair<'_>, began: Instant) -> (u32, f64) {
    let samples = pair.lab.watch().since(began);
    let mut signs: Vec<Instant> = samples
        .iter()
        .filter_map(Sample::good)
        .filter(|(_, by)| *by == Host::Second)
        .map(|(at, _)| at)
        .collect();
    signs.sort_unstable();
    let mut episodes = 0;
    let mut last: Option<Instant> = None;
    for at in signs {
        if last.is_none_or(|last| at.since(last) > EPISODE_GAP) {
            episodes += 1;
        }
        last = Some(at);
    }
    let missed = analysis::outages(&samples, Probe::Http)
        .iter()
        .fold(0.0, |sum, outage| sum + millis(outage.duration(now())));
    (episodes, missed)
}
