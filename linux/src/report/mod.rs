//! Turns each of the core's reports into one sentence for the log: what happened, what follows.

mod group;
mod node;
#[cfg(test)]
mod tests;
mod traffic;

use systole_core::hold::Hold;
use systole_core::id::{GroupId, LinkId};
use systole_core::report::Report;
use systole_core::time::Duration;
use tracing::{error, info, warn};

/// What the numbers in reports are called.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// This node.
    pub node: String,
    /// The other node.
    pub peer: String,
    /// The links, as in ha.cf: `ucast eth0 192.168.1.2`.
    pub links: Vec<String>,
    /// The groups' names.
    pub groups: Vec<String>,
    /// This node's deadtime.
    pub deadtime: Duration,
    /// This node's warntime.
    pub warntime: Duration,
}

/// How much a sentence matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The service is in danger, or somebody must act.
    Error,
    /// Not as it should be; the cluster copes.
    Warning,
    /// The course of things.
    Info,
}

impl Level {
    /// The word in logs and in the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One report in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// How much it matters.
    pub level: Level,
    /// The report's kind, for filters: `peer_dead`.
    pub kind: &'static str,
    /// The sentence.
    pub text: String,
}

impl Sentence {
    /// Puts it into the log.
    pub fn log(&self) {
        let (kind, text) = (self.kind, self.text.as_str());
        match self.level {
            Level::Error => error!(target: "node", kind, "{text}"),
            Level::Warning => warn!(target: "node", kind, "{text}"),
            Level::Info => info!(target: "node", kind, "{text}"),
        }
    }
}

/// Level, kind and text of a sentence; none for another function's report.
type Words = Option<(Level, &'static str, String)>;

impl Names {
    fn link(&self, link: LinkId) -> String {
        let name = self.links.get(usize::from(link.0));
        name.map_or_else(|| link.to_string(), |name| format!("link {name}"))
    }

    fn group(&self, group: GroupId) -> String {
        let name = self.groups.get(usize::from(group.0));
        name.map_or_else(|| group.to_string(), |name| format!("group {name}"))
    }

    /// Says a report in words.
    #[must_use]
    pub fn sentence(&self, report: Report) -> Sentence {
        let words = self
            .own(report)
            .or_else(|| self.peer_came_or_went(report))
            .or_else(|| self.peer_differs(report))
            .or_else(|| self.traffic(report))
            .or_else(|| self.groups(report));
        // Only a kind that the core has and this version does not know.
        let (level, kind, text) =
            words.unwrap_or_else(|| (Level::Info, "other", format!("{report:?}")));
        Sentence { level, kind, text }
    }

    fn what(&self, hold: Hold) -> String {
        match hold {
            Hold::None => "no groups".into(),
            Hold::Local => format!("the groups of {}", self.node),
            Hold::Foreign => format!("the groups of {}", self.peer),
            Hold::All => "all groups".into(),
        }
    }
}
