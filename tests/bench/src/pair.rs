//! Two nodes of one contender in the laboratory.

use core::time::Duration;
use std::fs::File;
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use systole::clock::{duration, now};
use systole::demo::analysis;
use systole::demo::lab::Lab;
use systole::demo::sample::{Host, Probe, Sample};
use systole_core::time::Instant;

use crate::contender::Contender;
use crate::process::{self, Process};
use crate::series::millis;

/// The client knows only after this time that a probe is not answered.
const VERDICT: Duration = Duration::from_millis(200);
/// How much of a log goes into an error.
const LOG_LINES: usize = 15;

/// What the client missed, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    /// Of the address alone: UDP echo.
    pub(crate) address: f64,
    /// Of nginx behind it.
    pub(crate) http: f64,
}

/// Two nodes, and the daemons on them.
pub(crate) struct Pair<'a> {
    pub(crate) contender: &'a dyn Contender,
    pub(crate) lab: Lab,
    daemons: [Option<Child>; 2],
}

impl<'a> Pair<'a> {
    pub(crate) const fn new(contender: &'a dyn Contender, lab: Lab) -> Self {
        Self {
            contender,
            lab,
            daemons: [None, None],
        }
    }

    const fn daemon(&mut self, host: Host) -> &mut Option<Child> {
        let [first, second] = &mut self.daemons;
        match host {
            Host::First => first,
            Host::Second => second,
        }
    }

    /// Switches a machine on, with everything installed and nothing started.
    pub(crate) fn power_on(&mut self, host: Host) -> Result<()> {
        self.lab.power_on(host)?;
        self.contender.install(&self.lab, host)
    }

    /// Starts the daemon.
    pub(crate) fn start(&mut self, host: Host) -> Result<()> {
        let path = &self.lab.node(host).paths().log;
        let log = File::options().create(true).append(true).open(path);
        let log = log.with_context(|| path.display().to_string())?;
        let mut command = self.contender.daemon(&self.lab, host)?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.contender.program()))?;
        *self.daemon(host) = Some(child);
        Ok(())
    }

    /// The contender's processes on a machine; the oldest comes first.
    pub(crate) fn processes(&self, host: Host) -> Result<Vec<Process>> {
        Ok(process::on_machine(self.lab.node(host).space()?.pid()))
    }

    /// Asks the daemon to stop.
    pub(crate) fn terminate(&self, host: Host) -> Result<()> {
        // Everything else was started by it.
        let processes = self.processes(host)?;
        let program = self.contender.program();
        let main = processes
            .first()
            .with_context(|| format!("no {program} runs on {host}"))?;
        kill(main.pid, Signal::SIGTERM).with_context(|| format!("cannot stop {program}"))
    }

    /// Waits until the daemon has ended.
    pub(crate) fn ended(&mut self, host: Host) -> Result<()> {
        let patience = self.contender.patience();
        let interrupt = self.lab.interrupt().clone();
        let Some(mut child) = self.daemon(host).take() else {
            return Ok(());
        };
        let ended = || child.try_wait().transpose();
        interrupt.wait_until(&format!("the daemon of {host} ends"), patience, ended)??;
        Ok(())
    }

    /// Cuts the power of a machine.
    pub(crate) fn power_cut(&mut self, host: Host) -> Result<()> {
        self.lab.power_cut(host)?;
        self.ended(host)
    }

    /// Waits until the client is served by this node; says when its address and its nginx first answered.
    pub(crate) fn served(&self, since: Instant, by: Host) -> Result<[Instant; 2]> {
        let mut first = [Instant::default(); 2];
        for (at, probe) in first.iter_mut().zip([Probe::Echo, Probe::Http]) {
            let fits = |s: &Sample| s.probe == probe && s.by == Some(by);
            let what = format!("{probe:?} is answered by {by}");
            let patience = self.contender.patience();
            let sample = self.lab.watch().wait_for(since, &what, patience, fits)?;
            *at = sample.answered.unwrap_or(sample.sent);
        }
        Ok(first)
    }

    /// Waits until both nodes, or the only one that runs, have come to rest.
    pub(crate) fn settled(&self) -> Result<()> {
        let limit = self.contender.patience();
        for (host, daemon) in Host::BOTH.into_iter().zip(&self.daemons) {
            if daemon.is_some() {
                let rests = || self.contender.settled(&self.lab, host).then_some(());
                let what = format!("{host} comes to rest");
                self.lab.interrupt().wait_until(&what, limit, rests)?;
            }
        }
        Ok(())
    }

    /// Waits until what was started is as it will be for the rest of its life.
    pub(crate) fn warm(&self) -> Result<()> {
        self.settled()?;
        Ok(self.lab.interrupt().sleep(self.contender.warm_up())?)
    }

    /// Waits until the client knows about every probe so far, then says what it has missed since `began`.
    pub(crate) fn outage(&self, began: Instant) -> Result<Outage> {
        let watch = self.lab.watch();
        let later = now() + duration(VERDICT);
        for probe in [Probe::Echo, Probe::Http] {
            let fits = |s: &Sample| s.probe == probe && s.good().is_some();
            watch.wait_for(
                later,
                "the client is served",
                self.contender.patience(),
                fits,
            )?;
        }
        // The last good answers before it belong to it.
        let samples = watch.samples();
        let end = now();
        let missed = |probe| {
            let all = analysis::outages(&samples, probe).into_iter();
            all.filter(|outage| outage.until.is_none_or(|until| until >= began))
                .fold(0.0, |sum, outage| sum + millis(outage.duration(end)))
        };
        Ok(Outage {
            address: missed(Probe::Echo),
            http: missed(Probe::Http),
        })
    }

    /// Adds the ends of both logs to an error.
    pub(crate) fn explain<T>(&self, result: Result<T>) -> Result<T> {
        let Err(error) = result else {
            return result;
        };
        let logs = Host::BOTH.map(|host| {
            let log = self.lab.node(host).log();
            let lines: Vec<_> = log.lines().collect();
            let from = lines.len().saturating_sub(LOG_LINES);
            format!(
                "log of {host}:\n{}",
                lines.get(from..).unwrap_or_default().join("\n")
            )
        });
        bail!("{}: {error:#}\n{}", self.contender.name(), logs.join("\n"))
    }
}
