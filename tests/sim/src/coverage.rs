//! What a sweep has reached: the proof that it was not vacuous.

use core::fmt;
use std::collections::BTreeMap;

use systole_core::action::Action;

use crate::cluster::Cluster;
use crate::fact::{Fact, What};
use crate::nemesis::Nemesis;
use crate::options::Fault;

/// What every large sweep reaches, beside the faults themselves.
const EXPECTED: [&str; 39] = [
    "action Announce",
    "action Stopped",
    "contact lost",
    "false frames",
    "frames corrupted",
    "frames cut",
    "frames duplicated",
    "frames lost",
    "frames reordered",
    "report ClockBack",
    "report FramesRefused Envelope",
    "report FramesRefused Malformed",
    "report FramesRefused Signature",
    "report FramesRefused UnknownNode",
    "report FramesRefused Unproven",
    "report GroupBegin Acquire Orphan",
    "report GroupBegin Acquire PeerDead",
    "report GroupBegin Acquire PeerStopped",
    "report GroupBegin Acquire Retry",
    "report GroupBegin Acquire Standby",
    "report GroupBegin Acquire StartUp",
    "report GroupBegin Release AcquireFailed",
    "report GroupBegin Release Conflict",
    "report GroupBegin Release OwnLateness",
    "report GroupBegin Release Retry",
    "report GroupBegin Release Standby",
    "report GroupBegin Release Stop",
    "report KeysChanged",
    "report Link Failed",
    "report MessagesLost",
    "report OwnLateness",
    "report PeerLateEnd",
    "report PeerRestarted",
    "report PeerReturned",
    "report Refused Busy",
    "report Refused PeerAbsent",
    "report SplitBrain",
    "report StandbyEnd AcquireFailed",
    "report StandbyEnd PeerLost",
];

/// How often each thing has happened.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
    /// Virtual time that has passed, in microseconds.
    pub virtual_time: u64,
    /// Runs.
    pub runs: u64,
}

impl Coverage {
    fn count(&mut self, what: &str, times: u64) {
        if let Some(count) = self.counts.get_mut(what) {
            *count += times;
        } else {
            self.counts.insert(what.to_owned(), times);
        }
    }

    /// Takes note of a fact.
    pub fn note(&mut self, fact: &Fact) {
        match fact.what {
            What::Act {
                action: Action::Report(report),
                ..
            } => {
                let text = format!("{report:?}");
                let name = text.split(['(', ' ', '{']).next().unwrap_or_default();
                let detail = match report {
                    systole_core::report::Report::GroupBegin {
                        cause, operation, ..
                    } => {
                        format!(" {operation:?} {cause:?}")
                    }
                    systole_core::report::Report::StandbyEnd { end, .. } => format!(" {end:?}"),
                    systole_core::report::Report::Refused(_, why) => format!(" {why:?}"),
                    systole_core::report::Report::FramesRefused { reason, .. } => {
                        format!(" {reason:?}")
                    }
                    systole_core::report::Report::Link { status, .. } => format!(" {status:?}"),
                    _ => String::new(),
                };
                self.count(&format!("report {name}{detail}"), 1);
            }
            What::Act {
                action: Action::Transmit { .. },
                ..
            } => self.count("frames", 1),
            What::Act {
                action: Action::Announce(_),
                ..
            } => self.count("action Announce", 1),
            What::Act {
                action: Action::Stopped,
                ..
            } => self.count("action Stopped", 1),
            What::FalseFrame { .. } => self.count("false frames", 1),
            What::Contact(false) => self.count("contact lost", 1),
            _ => {}
        }
    }

    /// Takes note of what a whole run has done.
    pub fn note_end(&mut self, cluster: &Cluster, nemesis: &Nemesis) {
        self.runs += 1;
        self.virtual_time += cluster.now;
        for (fault, times) in Fault::ALL.into_iter().zip(nemesis.struck) {
            self.count(&format!("fault {fault:?}"), times);
        }
        let counts = &cluster.network.counts;
        for (name, times) in [
            ("lost", counts.lost),
            ("cut", counts.cut),
            ("duplicated", counts.duplicated),
            ("corrupted", counts.corrupted),
            ("reordered", counts.reordered),
        ] {
            self.count(&format!("frames {name}"), times);
        }
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.counts {
            self.count(what, *times);
        }
        self.runs += other.runs;
        self.virtual_time += other.virtual_time;
    }

    /// What has to happen somewhere in a sweep of a thousand seeds, and has not.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL
            .into_iter()
            .map(|fault| format!("fault {fault:?}"));
        let reached = EXPECTED.iter().map(|&name| name.to_owned());
        let all = faults.chain(reached);
        all.filter(|name| self.times(name) == 0).collect()
    }

    /// How often something has happened.
    #[must_use]
    pub fn times(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.counts {
            writeln!(f, "{times:>12}  {what}")?;
        }
        Ok(())
    }
}
