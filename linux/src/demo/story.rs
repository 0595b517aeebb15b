//! What happens in the demo, step by step, and what the client saw of it.

use core::time::Duration;

use anyhow::Context as _;
use systole_core::time::{Duration as Span, Instant};

use super::analysis::{self, longest_outage, outages, overlaps};
use super::lab::Lab;
use super::live::Live;
use super::sample::{Host, Probe, Sample};
use super::screen::{Screen, Tone};
use crate::clock::{duration, now};

/// A step that takes longer than this has failed.
const STEP_LIMIT: Duration = Duration::from_secs(8);

/// After each step the client must be served without a gap for this long.
const SETTLED: Duration = Duration::from_millis(1200);

/// A client that is refused or not answered knows only after this time.
const VERDICT: Duration = Duration::from_millis(200);

/// What one step was, and what the client saw of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) began: Instant,
    /// What to expect of the address.
    pub(super) expected: Span,
    /// How long the address did not answer, or how long until it first did.
    pub(super) address: Span,
    /// The same for HTTP, so with the time that nginx takes.
    pub(super) http: Span,
}

/// A planned move of the address; nginx comes on top.
const PLANNED: Span = Span::from_millis(50);
/// On top of deadtime for a takeover.
const DECISION: Span = Span::from_millis(60);
/// From the second node's start to being served.
const START_UP: Span = Span::from_secs(1);

/// The story so far.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) lab: &'a mut Lab,
    pub(super) screen: Screen,
    /// Who tells it while it happens.
    pub(super) live: Option<Live>,
    pub(super) deadtime: Span,
    pub(super) steps: Vec<Step>,
    /// When which daemon ran.
    pub(super) runs: Vec<analysis::Span>,
}

impl Story<'_> {
    /// Tells all of it.
    pub(super) fn tell(&mut self) -> anyhow::Result<()> {
        let [first, second] = Host::BOTH;
        self.start_up().context("start-up")?;
        self.step(
            "power cut of rproxy1, takeover",
            self.deadtime + DECISION,
            second,
            |story| {
                story.says(first, Tone::Action, "loses its power");
                story.ends(first);
                Ok(story.lab.power_cut(first)?)
            },
        )?;
        self.step("rproxy1 returns, failback", PLANNED, first, |story| {
            story.boot(first)?;
            story.start(first)
        })?;
        self.step("hb_standby on rproxy1", PLANNED, second, |story| {
            story.says(first, Tone::Action, "systole standby");
            let output = story.lab.node(first).run_systole(&["standby"])?;
            anyhow::ensure!(
                output.status.success(),
                "systole standby: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
            Ok(())
        })?;
        self.step("clean stop of rproxy2", PLANNED, first, |story| {
            story.stop(second)
        })
    }

    fn start_up(&mut self) -> anyhow::Result<()> {
        for host in Host::BOTH {
            self.boot(host)?;
        }
        let [first, second] = Host::BOTH;
        self.start(first)?;
        // Being served within a second counts from the second node's start.
        let began = now();
        self.start(second)?;
        self.served(began, None)?;
        let samples = self.settle(began)?;
        let first = |probe| {
            let answers = samples
                .iter()
                .filter(|s| s.probe == probe)
                .filter_map(Sample::good);
            answers
                .map(|(at, _)| at.since(began))
                .min()
                .unwrap_or_default()
        };
        self.steps.push(Step {
            title: "start-up of both, until served",
            began,
            expected: START_UP,
            address: first(Probe::Echo),
            http: first(Probe::Http),
        });
        Ok(())
    }

    /// Does something, after which `host` is to serve.
    fn step(
        &mut self,
        title: &'static str,
        expected: Span,
        host: Host,
        act: impl FnOnce(&mut Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let began = now();
        act(self).context(title)?;
        self.served(began, Some(host)).context(title)?;
        let samples = self.settle(began).context(title)?;
        let [address, http] =
            [Probe::Echo, Probe::Http].map(|probe| longest_outage(&samples, probe, began, now()));
        self.steps.push(Step {
            title,
            began,
            expected,
            address,
            http,
        });
        Ok(())
    }

    fn served(&mut self, since: Instant, by: Option<Host>) -> anyhow::Result<()> {
        let what = by.map_or_else(
            || "the client is served".to_owned(),
            |host| format!("the client is served by {host}"),
        );
        let fits = |s: &Sample| {
            s.probe == Probe::Http
                && s.good()
                    .is_some_and(|(_, host)| by.is_none_or(|by| by == host))
        };
        let interrupt = self.lab.interrupt().clone();
        interrupt.wait_until(&what, STEP_LIMIT, || {
            let ended = Host::BOTH
                .into_iter()
                .find_map(|host| self.lab.node_mut(host).check_daemon().err());
            match ended {
                Some(error) => Some(Err(error)),
                None => self.lab.watch().find(since, fits).map(|_| Ok(())),
            }
        })??;
        Ok(())
    }

    /// Waits until the client has been served without a gap for a while; what it saw since `began`.
    fn settle(&self, began: Instant) -> anyhow::Result<Vec<Sample>> {
        let what = "the service is steady";
        let lead = duration(VERDICT);
        let quiet = duration(SETTLED);
        let from = Instant::from_micros(began.as_micros().saturating_sub(lead.as_micros()));
        Ok(self.lab.interrupt().wait_until(what, STEP_LIMIT, || {
            let samples = self.lab.watch().since(from);
            steady(&samples, now(), quiet).then_some(samples)
        })?)
    }

    /// Switches a machine on.
    pub(super) fn boot(&mut self, host: Host) -> anyhow::Result<()> {
        self.lab.power_on(host)?;
        self.says(host, Tone::Action, "is switched on");
        Ok(())
    }

    /// Starts a daemon.
    pub(super) fn start(&mut self, host: Host) -> anyhow::Result<()> {
        self.lab.node_mut(host).start()?;
        let at = now();
        self.says(host, Tone::Action, "systole run");
        self.runs.push(analysis::Span {
            host,
            from: at,
            until: at + Span::from_secs(3600),
        });
        Ok(())
    }

    /// Stops a daemon cleanly.
    pub(super) fn stop(&mut self, host: Host) -> anyhow::Result<()> {
        self.says(host, Tone::Action, "is asked to stop (SIGTERM)");
        self.lab.node_mut(host).stop(STEP_LIMIT)?;
        self.ends(host);
        self.says(host, Tone::Plain, "has stopped");
        Ok(())
    }

    fn says(&self, host: Host, tone: Tone, text: &str) {
        match &self.live {
            Some(live) => live.action(now(), host.name(), tone, text),
            None => self.screen.event(now(), host.name(), tone, text),
        }
    }

    fn ends(&mut self, host: Host) {
        let at = now();
        for run in self
            .runs
            .iter_mut()
            .filter(|run| run.host == host && run.until > at)
        {
            run.until = at;
        }
    }
}

/// Whether the client has been served without a gap for the time `quiet`.
fn steady(samples: &[Sample], at: Instant, quiet: Span) -> bool {
    [Probe::Http, Probe::Echo].into_iter().all(|probe| {
        let answers = samples
            .iter()
            .filter(|s| s.probe == probe)
            .filter_map(Sample::good);
        let first = answers.map(|(answered, _)| answered).min();
        first.is_some_and(|first| first + quiet <= at)
            && outages(samples, probe)
                .iter()
                .all(|outage| outage.until.is_some_and(|until| until + quiet <= at))
    })
}

/// Why the story must not have ended well, though every step did: two nodes had the address at once.
pub(super) fn conflict(samples: &[Sample], origin: Instant) -> Option<String> {
    let overlaps = overlaps(samples);
    let worst = overlaps
        .iter()
        .max_by_key(|overlap| overlap.until.since(overlap.from))?;
    Some(format!(
        "both nodes answered for the address at once, {} times, at worst for {} from {} after the start",
        overlaps.len(),
        worst.until.since(worst.from),
        worst.from.since(origin)
    ))
}
