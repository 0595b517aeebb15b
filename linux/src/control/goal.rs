//! What a standby or takeover comes to: judged by who holds what, never by whose request ended last.

use systole_core::hold::Hold;

use super::{Ask, What};
use crate::status::StatusReport;

/// What shall be so in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    /// This node takes; else it gives.
    takes: bool,
    /// The groups, in this node's terms.
    what: Hold,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is so.
    Reached,
    /// It was given up; the report's outcome says why.
    Failed,
    /// Groups or requests are on their way.
    Moving,
    /// Nothing moves.
    Idle,
}

impl Goal {
    pub(super) const fn of(ask: Ask) -> Option<Self> {
        let (takes, what) = match ask {
            Ask::Status => return None,
            Ask::Standby { what } => (false, what),
            Ask::Takeover { what } => (true, what),
        };
        let what = match what {
            What::All => Hold::All,
            What::Local => Hold::Local,
            What::Foreign => Hold::Foreign,
        };
        Some(Self { takes, what })
    }

    /// Whether everything asked for is where it shall be, and settled there.
    pub(super) fn is_reached(self, report: &StatusReport) -> bool {
        let within = |hold: Hold| self.what.without(hold) == Hold::None;
        if self.takes {
            return settled(report) && within(hold(&report.hold));
        }
        let peer = &report.peer;
        self.is_released(report) && peer.stable && within(hold(&peer.hold).swapped())
    }

    /// Whether this node has let go of everything asked for.
    fn is_released(self, report: &StatusReport) -> bool {
        let own = hold(&report.hold);
        settled(report) && own.without(self.what) == own
    }

    /// Judges a report after the request, before which `ended` standbys had ended.
    pub(super) fn verdict(self, ended: u64, report: &StatusReport) -> Verdict {
        let standby = &report.standby;
        // Of the two directions only the one asked for can have been ours.
        let over = standby.ended > ended && standby.giving != self.takes;
        // The original does not always say what it holds; its `done` is good for it.
        if self.is_reached(report) || (over && standby.done && self.is_taken(report)) {
            return Verdict::Reached;
        }
        let busy = |status: &str| matches!(status, "acquiring" | "releasing");
        if standby.running || report.groups.iter().any(|group| busy(&group.status)) {
            return Verdict::Moving;
        }
        // Of a peer that died on the way everything is taken over all the same.
        let inherits = self.takes && report.peer.status == "dead";
        if over && !standby.done && !inherits {
            return Verdict::Failed;
        }
        Verdict::Idle
    }

    fn is_taken(self, report: &StatusReport) -> bool {
        !self.takes && self.is_released(report)
    }

    /// Who has it now, in words.
    pub(super) fn outcome(self, report: &StatusReport) -> String {
        let (name, hold) = if self.takes {
            (format!("this node, {},", report.node), &report.hold)
        } else {
            (
                format!("the peer, {},", report.peer.name),
                &report.peer.hold,
            )
        };
        format!("{name} holds {hold} resources")
    }
}

fn settled(report: &StatusReport) -> bool {
    report.stable && !report.standby.running
}

fn hold(word: &str) -> Hold {
    Hold::parse(word.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{GroupReport, PeerReport, StandbyReport};

    /// Two settled nodes.
    fn report(own: &str, theirs: &str) -> StatusReport {
        StatusReport {
            hold: own.into(),
            stable: true,
            peer: PeerReport {
                hold: theirs.into(),
                status: "active".into(),
                stable: true,
                ..PeerReport::default()
            },
            ..StatusReport::default()
        }
    }

    fn ended(giving: bool, done: bool) -> StandbyReport {
        StandbyReport {
            ended: 1,
            running: false,
            done,
            giving,
            outcome: String::new(),
        }
    }

    const TAKE: Goal = Goal {
        takes: true,
        what: Hold::All,
    };
    const GIVE: Goal = Goal {
        takes: false,
        what: Hold::All,
    };

    /// Aim: only the holds say that it is done, whoever's standby ended.
    #[test]
    fn judged_by_what_is_held() {
        for (goal, own, theirs, verdict) in [
            (TAKE, "all", "none", Verdict::Reached),
            (TAKE, "local", "local", Verdict::Idle),
            (TAKE, "none", "all", Verdict::Idle),
            (GIVE, "none", "all", Verdict::Reached),
            (GIVE, "none", "local", Verdict::Idle),
            (GIVE, "local", "local", Verdict::Idle),
        ] {
            assert_eq!(goal.verdict(0, &report(own, theirs)), verdict, "{own}");
        }
        let mut other = report("none", "all");
        other.standby = ended(true, true);
        assert_eq!(TAKE.verdict(0, &other), Verdict::Idle);
        other.standby = ended(true, false);
        assert_eq!(TAKE.verdict(0, &other), Verdict::Idle);
        other.standby = ended(false, false);
        assert_eq!(TAKE.verdict(0, &other), Verdict::Failed);
        assert_eq!(TAKE.verdict(1, &other), Verdict::Idle);
    }

    /// Aim: nothing counts before it is settled.
    #[test]
    fn unsettled() {
        let mut now = report("all", "none");
        now.stable = false;
        now.groups.push(GroupReport {
            status: "acquiring".into(),
            ..GroupReport::default()
        });
        assert_eq!(TAKE.verdict(0, &now), Verdict::Moving);
        now.groups.clear();
        assert_eq!(TAKE.verdict(0, &now), Verdict::Idle);
        now.stable = true;
        now.standby.running = true;
        assert_eq!(TAKE.verdict(0, &now), Verdict::Moving);
    }

    /// Aim: a peer that dies on the way leaves everything to a taker, and nothing to a giver.
    #[test]
    fn the_peer_dies() {
        let mut now = report("local", "none");
        now.peer.status = "dead".into();
        now.standby = ended(false, false);
        assert_eq!(TAKE.verdict(0, &now), Verdict::Idle);
        now.hold = "all".into();
        assert_eq!(TAKE.verdict(0, &now), Verdict::Reached);
        now.standby = ended(true, false);
        assert_eq!(GIVE.verdict(0, &now), Verdict::Failed);
    }
}
