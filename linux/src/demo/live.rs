//! Tells, while it happens, who answers the client and who announces the address.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use systole_core::time::{Duration as Span, Instant};

use super::lab::{SERVICE_ADDRESS, Watch};
use super::sample::{Host, Probe, Sample};
use super::screen::{Screen, Tone};
use crate::clock::now;

/// A probe is only known to have failed some time after it was asked, so the story is told that much later.
const DELAY: Span = Span::from_millis(300);

/// Announcements are repeated; within this time they are one.
const ANNOUNCEMENT: Span = Span::from_secs(2);

/// One line: when, who, how it is meant, what.
type Event = (Instant, &'static str, Tone, String);

/// The teller. Dropped, it tells what is left and ends.
#[derive(Debug)]
pub(super) struct Live {
    done: Arc<AtomicBool>,
    actions: Arc<Mutex<Vec<Event>>>,
    teller: Option<JoinHandle<()>>,
}

impl Live {
    pub(super) fn start(watch: Watch, screen: Screen) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let actions = Arc::new(Mutex::new(Vec::new()));
        let (stop, queue) = (Arc::clone(&done), Arc::clone(&actions));
        let teller = thread::spawn(move || {
            let mut story = Story::default();
            let mut told = screen.origin;
            loop {
                let last = stop.load(Ordering::Relaxed);
                let delay = if last { 0 } else { DELAY.as_micros() };
                let until = Instant::from_micros(now().as_micros().saturating_sub(delay));
                for (at, who, tone, text) in story.events(&watch, &queue, told, until) {
                    screen.event(at, who, tone, &text);
                }
                told = until;
                if last {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        Self {
            done,
            actions,
            teller: Some(teller),
        }
    }

    /// Tells an action of the demo itself, in its place between what the client saw.
    pub(super) fn action(&self, at: Instant, who: &'static str, tone: Tone, text: &str) {
        let mut actions = self.actions.lock().unwrap_or_else(PoisonError::into_inner);
        actions.push((at, who, tone, text.to_owned()));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}

/// What has been told so far.
#[derive(Debug, Default)]
struct Story {
    server: Option<Host>,
    last_good: Option<Instant>,
    failing: bool,
    announced: Option<(Host, Instant)>,
}

impl Story {
    /// What is to be told of the time from `from` to before `until`, in its order.
    fn events(
        &mut self,
        watch: &Watch,
        actions: &Mutex<Vec<Event>>,
        from: Instant,
        until: Instant,
    ) -> Vec<Event> {
        let mut samples = watch.since(from);
        samples.retain(|sample| sample.sent < until);
        samples.sort_by_key(|sample| sample.sent);
        let mut events: Vec<Event> = samples
            .iter()
            .filter_map(|sample| self.tell(sample))
            .collect();
        let mut actions = actions.lock().unwrap_or_else(PoisonError::into_inner);
        events.extend(actions.extract_if(.., |(at, ..)| *at < until));
        events.sort_by_key(|(at, ..)| *at);
        events
    }

    fn tell(&mut self, sample: &Sample) -> Option<Event> {
        match sample.probe {
            Probe::Http => self
                .http(sample)
                .map(|(at, tone, text)| (at, "client", tone, text)),
            Probe::Announced => {
                let (at, host) = sample.good()?;
                let known = self.announced.replace((host, at));
                let again =
                    known.is_some_and(|(by, before)| by == host && at.since(before) < ANNOUNCEMENT);
                let text = format!("announces {SERVICE_ADDRESS} by ARP");
                (!again).then_some((at, host.name(), Tone::Plain, text))
            }
            Probe::Echo | Probe::Arp => None,
        }
    }

    fn http(&mut self, sample: &Sample) -> Option<(Instant, Tone, String)> {
        let Some((at, host)) = sample.good() else {
            let first = !self.failing && self.server.is_some();
            self.failing = true;
            return first.then(|| (sample.sent, Tone::Bad, "gets no answer".to_owned()));
        };
        let gap = self.last_good.map(|last| at.since(last));
        let told = match (self.server, self.failing) {
            (None, _) => Some(format!("is answered by {host} for the first time")),
            (Some(_), true) => {
                let gap = gap.unwrap_or_default();
                Some(format!(
                    "is answered by {host} after {gap} without an answer"
                ))
            }
            (Some(server), false) if server != host => {
                Some(format!("is answered by {host} without a gap"))
            }
            (Some(_), false) => None,
        };
        self.server = Some(host);
        self.failing = false;
        self.last_good = Some(at);
        told.map(|text| (at, Tone::Good, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(millis: u64, by: Option<Host>) -> Sample {
        let sent = Instant::from_micros(millis * 1_000);
        Sample {
            probe: Probe::Http,
            sent,
            answered: by.map(|_| sent),
            by,
        }
    }

    /// Aim: first answer, loss and return are told once each, with the length of the gap.
    #[test]
    fn tells_changes_only() {
        let mut story = Story::default();
        let (one, two) = (Some(Host::First), Some(Host::Second));
        let told: Vec<String> = [None, one, one, None, None, two, two, one]
            .into_iter()
            .zip(0_u64..)
            .filter_map(|(by, slot)| story.tell(&http(slot * 5, by)))
            .map(|(at, _, _, text)| format!("{} {text}", at.as_micros() / 1_000))
            .collect();
        let expected = [
            "5 is answered by rproxy1 for the first time",
            "15 gets no answer",
            "25 is answered by rproxy2 after 15ms without an answer",
            "35 is answered by rproxy1 without a gap",
        ];
        assert_eq!(told, expected);
    }
}
