//! Sentences about the two nodes.

use systole_core::hold::Hold;
use systole_core::report::{NodeStatus, Report};
use systole_core::time::Duration;

use super::{Level, Names, Words};

impl Names {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each function words its own kinds; a test sees that none is left out"
    )]
    pub(super) fn own(&self, report: Report) -> Words {
        Some(match report {
            Report::OwnStatus(status) => {
                let text = match status {
                    NodeStatus::Init => format!("this node, {}, starts", self.node),
                    NodeStatus::Up => {
                        format!("this node is up and waits to hear {}", self.peer)
                    }
                    NodeStatus::Active => "this node is an active member of the cluster".into(),
                    NodeStatus::Dead => "this node has left the cluster".into(),
                };
                (Level::Info, "own_status", text)
            }
            Report::OwnHold { hold, stable } => {
                let settled = if stable { "" } else { ", in transition" };
                (
                    Level::Info,
                    "own_hold",
                    format!("this node holds {}{settled}", resources(hold)),
                )
            }
            Report::OwnLateness(gap) => (
                Level::Error,
                "own_lateness",
                format!(
                    "this node did not run for {gap} (deadtime {}): {} may have taken over, so \
                     everything is released first; look for a paused machine or an overloaded CPU",
                    self.deadtime, self.peer
                ),
            ),
            Report::ClockBack(step) => (
                Level::Warning,
                "clock_back",
                format!("the system's boot clock stepped back by {step}; time is held meanwhile"),
            ),
            Report::ReportsLost(count) => (
                Level::Warning,
                "reports_lost",
                format!("{count} log lines about the cluster were lost: too many at once"),
            ),
            Report::KeysChanged => (
                Level::Info,
                "keys_changed",
                "authkeys was read again and is in use".into(),
            ),
            Report::Stopping => (
                Level::Info,
                "stopping",
                format!(
                    "stopping: everything is released, then {} is told",
                    self.peer
                ),
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each function words its own kinds; a test sees that none is left out"
    )]
    pub(super) fn peer_came_or_went(&self, report: Report) -> Words {
        let peer = &self.peer;
        Some(match report {
            Report::PeerStatus { from, to } => {
                (Level::Info, "peer_status", self.peer_status(from, to))
            }
            Report::PeerLate(silence) => (
                Level::Warning,
                "peer_late",
                format!(
                    "peer {peer} is late: nothing heard for {silence} (warntime {}); it counts \
                     as dead after its deadtime",
                    self.warntime
                ),
            ),
            Report::PeerLateEnd(gap) => (
                Level::Warning,
                "peer_late_end",
                format!(
                    "peer {peer} is heard again after {gap}; if this comes often, raise deadtime \
                     or mend the network"
                ),
            ),
            Report::PeerDead(silence) => (
                Level::Error,
                "peer_dead",
                format!(
                    "peer {peer} is dead: nothing heard for {silence} ({}); its groups are taken \
                     over",
                    self.limit(silence)
                ),
            ),
            Report::PeerRestarted => (
                Level::Warning,
                "peer_restarted",
                format!("peer {peer} has been restarted"),
            ),
            Report::PeerReturned => (
                Level::Error,
                "peer_returned",
                format!(
                    "peer {peer} is back without having restarted: the links were cut, or it was \
                     paused; both nodes now settle who holds what"
                ),
            ),
            Report::PeerStopped => (
                Level::Info,
                "peer_stopped",
                format!("peer {peer} has stopped cleanly; its groups are taken over"),
            ),
            Report::PeerIsSystole(systole) => {
                let text = if systole {
                    format!("peer {peer} runs Systole")
                } else {
                    format!(
                        "peer {peer} runs Linux-HA heartbeat: replayed messages and one-way \
                         links cannot be told apart until it is upgraded"
                    )
                };
                (Level::Info, "peer_kind", text)
            }
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each function words its own kinds; a test sees that none is left out"
    )]
    pub(super) fn peer_differs(&self, report: Report) -> Words {
        let peer = &self.peer;
        Some(match report {
            Report::DeadtimeDiffers(theirs) => (
                Level::Warning,
                "deadtime_differs",
                format!(
                    "peer {peer} announces deadtime {theirs}, ours is {}: make ha.cf the same on \
                     both nodes",
                    self.deadtime
                ),
            ),
            Report::ResourcesDiffer => (
                Level::Error,
                "resources_differ",
                format!(
                    "haresources here and on {peer} differ: an address could be on both nodes or \
                     on none; make the files the same and restart both"
                ),
            ),
            Report::UuidClash => (
                Level::Error,
                "uuid_clash",
                format!(
                    "peer {peer} has our uuid, as a cloned disk does: stop one node, remove its \
                     hb_uuid and start it again"
                ),
            ),
            Report::PeerHold { hold, stable } => {
                let settled = if stable { "" } else { ", in transition" };
                let text = format!("peer {peer} says it holds {}{settled}", resources(hold));
                (Level::Info, "peer_hold", text)
            }
            _ => return None,
        })
    }
}

impl Names {
    fn peer_status(&self, from: NodeStatus, to: NodeStatus) -> String {
        let peer = &self.peer;
        if (from, to) == (NodeStatus::Init, NodeStatus::Dead) {
            return format!("peer {peer} was not heard since this node began to listen");
        }
        let (from, to) = (from.as_str(), to.as_str());
        format!("peer {peer} is {to} now (was {from})")
    }

    /// What the silence is longer than. One far beyond deadtime has begun with this node.
    fn limit(&self, silence: Duration) -> String {
        let deadtime = self.deadtime;
        if silence < deadtime.times(2) {
            format!("deadtime {deadtime}")
        } else {
            format!("deadtime {deadtime}; after the start initdead")
        }
    }
}

/// What a node holds, in the original's words.
fn resources(hold: Hold) -> String {
    match hold {
        Hold::None => "no resources".to_owned(),
        Hold::Local | Hold::Foreign | Hold::All => format!("{hold} resources"),
    }
}
