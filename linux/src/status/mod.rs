//! What a running daemon says about itself: the JSON of the control socket and `status --json`.

mod human;
mod screen;
mod style;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use systole_core::time::Duration;

pub use human::human;
pub use screen::{is_screen, picture};
pub use style::Style;

/// Events that a status shows.
const EVENTS_MAX: usize = 20;

/// Everything `systole status` shows. Times are in milliseconds; words are those of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusReport {
    /// This node's name.
    pub node: String,
    /// Systole's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// How long the daemon has been running.
    pub uptime_ms: u64,
    /// `init`, `up`, `active` or `dead`.
    pub status: String,
    /// `none`, `local`, `foreign` or `all`.
    pub hold: String,
    /// Whether that is settled; if not, a transition is under way.
    pub stable: bool,
    /// At the start, before the peer is heard: how much longer it is waited for; else none.
    pub waiting_ms: Option<u64>,
    /// The standby or takeover under way and the last one.
    pub standby: StandbyReport,
    /// The other node.
    pub peer: PeerReport,
    /// The links in the order of ha.cf.
    pub links: Vec<LinkReport>,
    /// The groups in the order of haresources.
    pub groups: Vec<GroupReport>,
    /// Counters by name, such as `log_lines_dropped`.
    pub counters: Vec<Counter>,
    /// The directives of ha.cf as written.
    pub parameters: Vec<Parameter>,
    /// The last events, oldest first.
    pub events: VecDeque<EventReport>,
}

/// Standbys and takeovers: what is under way, and how the last one ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StandbyReport {
    /// How many have ended since the start.
    pub ended: u64,
    /// Whether one is under way.
    pub running: bool,
    /// Whether the last one succeeded.
    pub done: bool,
    /// Whether this node was the giver in the last one.
    pub giving: bool,
    /// How the last one ended, in words.
    pub outcome: String,
}

/// The other node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// `init`, `up`, `active` or `dead`.
    pub status: String,
    /// `systole`, `original` or `unknown`.
    pub kind: String,
    /// How long ago it was last heard; none when never.
    pub heard_ms_ago: Option<u64>,
    /// What it says it holds, in its own terms.
    pub hold: String,
    /// Whether it says that is settled.
    pub stable: bool,
    /// The deadtime it announces; none when not heard.
    pub deadtime_ms: Option<u64>,
    /// Whether it is dead because it has stopped cleanly.
    pub stopped: bool,
    /// Whether its haresources differs from ours.
    pub resources_differ: bool,
}

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinkReport {
    /// As in ha.cf: `ucast eth0 192.168.1.2`.
    pub name: String,
    /// Its interface.
    pub interface: String,
    /// `up`, `one-way`, `dead` or `failed`.
    pub status: String,
    /// How long it has been so; none when since the start.
    pub since_ms: Option<u64>,
    /// How long ago the peer was last heard on it; none when not since it died.
    pub heard_ms_ago: Option<u64>,
    /// Frames without effect, by reason; reasons that never occurred are left out.
    pub refused: Vec<Counter>,
}

/// One group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupReport {
    /// Its first resource.
    pub name: String,
    /// The node that it prefers.
    pub node: String,
    /// `held`, `released`, `acquiring`, `releasing` or `stuck`, on this node.
    pub status: String,
    /// Since when.
    pub since_ms: u64,
    /// Its resources as written.
    pub resources: Vec<String>,
}

/// A number with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Its name, in lower case with underscores.
    pub name: String,
    /// Its value since the start.
    pub count: u64,
}

/// One directive of ha.cf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The directive.
    pub name: String,
    /// Its value as written.
    pub value: String,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReport {
    /// When: `2026-11-22T03:14:15.123Z`.
    pub time: String,
    /// `error`, `warning` or `info`.
    pub level: String,
    /// The sentence that was logged.
    pub text: String,
}

/// The last events, for the status.
#[derive(Clone, Debug, Default)]
pub struct Events(VecDeque<EventReport>);

impl Events {
    /// Adds one, and forgets the oldest when there are many.
    pub fn push(&mut self, wall: Duration, level: &str, text: &str) {
        if self.0.len() >= EVENTS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(EventReport {
            time: crate::clock::format_utc(wall),
            level: level.to_owned(),
            text: text.to_owned(),
        });
    }

    /// All of them, oldest first.
    #[must_use]
    pub const fn all(&self) -> &VecDeque<EventReport> {
        &self.0
    }
}
