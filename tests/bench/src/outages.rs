//! The events of a pair's life, again and again, and what the client missed in each.

use core::time::Duration;
use std::io::Read as _;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use systole::clock::now;
use systole::demo::lab::{Interrupt, Lab, Network, SERVICE_ADDRESS, Settings};
use systole::demo::sample::{Host, Probe, Sample};

use crate::contender::{Contender, DEADTIME, KEEPALIVE};
use crate::pair::{Outage, Pair};
use crate::progress;
use crate::series::millis;

const FIRST: Host = Host::First;
const SECOND: Host = Host::Second;

/// Between two probes of a kind: the resolution of everything that the client says.
pub(crate) const RESOLUTION: Duration = Duration::from_millis(2);

/// What was measured of one contender, one entry for each run.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    /// From the second node's start to the first answers.
    pub(crate) boot: Vec<Outage>,
    pub(crate) power_cut: Vec<Outage>,
    pub(crate) standby: Vec<Outage>,
    pub(crate) stop: Vec<Outage>,
}

/// What the nodes are configured to do.
pub(crate) fn settings(probe_interval: Duration) -> Settings {
    Settings {
        keepalive: KEEPALIVE,
        deadtime: DEADTIME,
        probe_interval,
        ..Settings::default()
    }
}

/// Measures one contender.
pub(crate) fn measure(
    contender: &dyn Contender,
    binary: &std::path::Path,
    runs: u32,
    interrupt: &Interrupt,
) -> Result<Outages> {
    let lab = Lab::new(binary, &settings(RESOLUTION), interrupt.clone())?;
    let mut pair = Pair::new(contender, lab);
    let mut outages = Outages::default();
    for run in 1..=runs {
        let result = cycle(&mut pair, &mut outages);
        pair.explain(result)?;
        progress::outages(contender, run, runs, &outages);
    }
    Ok(outages)
}

/// Both boot; the first hands over, gets the service back, stops, returns, and loses its power.
fn cycle(pair: &mut Pair<'_>, outages: &mut Outages) -> Result<()> {
    for host in Host::BOTH {
        pair.power_on(host)?;
    }
    pair.start(FIRST)?;
    let began = now();
    pair.start(SECOND)?;
    let [address, http] = pair.served(began, FIRST)?.map(|at| millis(at.since(began)));
    outages.boot.push(Outage { address, http });
    pair.warm()?;

    let began = now();
    pair.contender.standby(&pair.lab, FIRST)?;
    pair.served(began, SECOND)?;
    pair.settled()?;
    outages.standby.push(pair.outage(began)?);

    let began = now();
    pair.contender.recall(&pair.lab)?;
    pair.served(began, FIRST)?;
    pair.settled()?;
    pair.outage(began)?;

    let began = now();
    pair.terminate(FIRST)?;
    pair.served(began, SECOND)?;
    pair.ended(FIRST)?;
    outages.stop.push(pair.outage(began)?);

    let began = now();
    pair.start(FIRST)?;
    pair.served(began, FIRST)?;
    pair.warm()?;
    pair.outage(began)?;

    let began = now();
    pair.power_cut(FIRST)?;
    pair.served(began, SECOND)?;
    outages.power_cut.push(pair.outage(began)?);
    pair.power_cut(SECOND)
}

/// How long nginx takes from the start of its script to the first answer, with nobody else's work in it.
pub(crate) fn nginx(
    binary: &std::path::Path,
    runs: u32,
    interrupt: &Interrupt,
) -> Result<Vec<f64>> {
    let mut lab = Lab::new(binary, &settings(RESOLUTION), interrupt.clone())?;
    lab.power_on(FIRST)?;
    let (interface, node) = (Network::Service.interface(), lab.node(FIRST));
    let space = node.space()?;
    space.ip(&format!(
        "address add {SERVICE_ADDRESS}/24 dev {interface}\n"
    ))?;
    let patience = Duration::from_secs(10);
    let wait = |since, what, answered: bool| {
        let fits = |s: &Sample| s.probe == Probe::Http && s.good().is_some() == answered;
        lab.watch().wait_for(since, what, patience, fits)
    };
    // The client has to find the address by ARP first.
    let echoed = |s: &Sample| s.probe == Probe::Echo && s.good().is_some();
    lab.watch()
        .wait_for(now(), "the address answers", patience, echoed)?;
    let script = node.paths().config.join("resource.d/nginx");
    let script = script.to_string_lossy();
    let mut times = Vec::new();
    for _ in 0..runs {
        // A byte says when the machine has been entered, which is not nginx's own time.
        let mut command = space.command("sh");
        command.args(["-c", "echo; exec \"$0\" start", &script]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start nginx")?;
        let mut entered = [0];
        child
            .stdout
            .take()
            .context("no pipe")?
            .read_exact(&mut entered)
            .context("cannot enter the machine")?;
        let began = now();
        let sample = wait(began, "nginx answers", true)?;
        times.push(millis(sample.answered.unwrap_or(sample.sent).since(began)));
        child.wait().context("the script of nginx")?;
        let stopping = now();
        space.run(&script, &["stop"])?;
        wait(stopping, "nginx no longer answers", false)?;
    }
    Ok(times)
}
