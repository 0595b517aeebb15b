//! What is different with the original as the peer: it knows no sessions, it says what it holds only
//! when something changes, and it never lets go of what both nodes claim unless it restarts itself
//! (hb306: `hb_resource.c`, `process_resources`).

use super::ownership::ASK_AGAIN;
use super::{Node, Phase, Standby};
use crate::config::AutoFailback;
use crate::hold::{Hold, Side};
use crate::outbox::{Occasion, Outgoing};
use crate::peer::PeerKind;
use crate::report::{Cause, NodeStatus, Report, StandbyEnd};
use crate::time::Duration;
use crate::timer::TimerId;

/// For a word of the original that it is settled, or of what it holds to change.
const SETTLE_MOVING: Duration = Duration::from_secs(10);

/// The original calls itself settled while it takes over in a standby, and reports the groups only
/// when they are up. Long enough for its scripts.
const SETTLE_FREE: Duration = Duration::from_secs(2);

/// An original that finds us alive after it has declared us dead gives up everything and restarts two
/// seconds later, when its scripts have run.
const CONFLICT_RESTART: Duration = Duration::from_secs(4);

/// For the answer to our request to give up what both claim.
const CONFLICT_ANSWER: Duration = Duration::from_secs(12);

impl Node {
    /// Asks the original what it holds, and waits until our own groups are certainly free, or its.
    pub(super) fn join_original(&mut self) -> bool {
        if self.peer.hold.is_none() {
            self.settling = None;
            let due = self.timers.take_due(TimerId::Settle, self.now);
            if due || !self.timers.is_set(TimerId::Settle) {
                self.ask_original();
            }
            return false;
        }
        let until = *self.settling.get_or_insert(self.now) + self.patience_with_original();
        self.timers.set(TimerId::Settle, Some(until));
        until <= self.now
    }

    /// How long to wait from the original's first report before it is believed.
    fn patience_with_original(&self) -> Duration {
        let here = self.groups.present().covers(Side::Local);
        match (self.peer.holds(Side::Local), self.peer.stable) {
            (true, true) => Duration::ZERO,
            // It is starting like us, so it takes nothing that prefers us; two originals would now
            // wait ten seconds for each other. Or an earlier run of ours has it here still.
            (false, _) if self.peer.begins || here => Duration::ZERO,
            (false, true) => SETTLE_FREE,
            (true | false, false) => SETTLE_MOVING,
        }
    }

    fn ask_original(&mut self) {
        self.outbox.push(Outgoing::Starting);
        self.reports_owed = self.reports_owed.saturating_add(1);
        self.timers.set(TimerId::Settle, Some(self.now + ASK_AGAIN));
    }

    /// A member that does not know what the original holds: it has come back without a restart, so it
    /// has nothing new to say by itself.
    pub(super) fn ask_original_again(&mut self) {
        let silent = self.peer.kind == PeerKind::Heartbeat
            && self.peer.status == NodeStatus::Active
            && self.config.auto_failback != AutoFailback::Legacy;
        let due = self.timers.take_due(TimerId::Settle, self.now);
        if silent && (due || !self.timers.is_set(TimerId::Settle)) {
            self.ask_original();
        }
    }

    /// The original has answered our `starting`, which made it believe us to be moving. When that
    /// came late, what we have said since does not count any more: say it again.
    pub(super) fn answer_original(&mut self) {
        let owed = self.reports_owed > 0;
        self.reports_owed = self.reports_owed.saturating_sub(1);
        if owed && self.phase == Phase::Member {
            self.outbox.push(Outgoing::Resource {
                hold: self.own_hold(),
                stable: self.own_stable(),
                occasion: Occasion::Plain,
            });
        }
    }

    /// The original is back although it was dead to us. If we were dead to it, it restarts itself in a
    /// moment, unless a question or a report of ours begins something new.
    pub(super) fn on_original_returned(&mut self) {
        if self.wants != Hold::None {
            self.report(Report::SplitBrain(self.wants));
        }
        self.set_conflict(self.wants);
        self.timers
            .set(TimerId::Settle, Some(self.now + CONFLICT_RESTART));
    }

    /// The original has what we gave it; its report to say so may be lost, or still be on its way.
    pub(super) fn on_taken(&mut self, given: Hold) {
        self.peer.hold = Some(self.peer.hold.unwrap_or_default().with(given));
        self.end_standby(StandbyEnd::Done);
    }

    /// Both claim the same. The original restarts itself if it had declared us dead, and gives up
    /// everything; then we go on serving. If it had not, it is asked to give up, by a takeover. Only
    /// when that fails too we let go: it never does.
    pub(super) fn resolve_with_original(&mut self, both: Hold) {
        // While it moves it may still have what it no longer claims.
        let moving = if self.peer.stable {
            Hold::None
        } else {
            self.conflict
        };
        self.set_conflict(both.with(moving));
        let lasts = self.now.since(self.conflict_since);
        if both == Hold::None || lasts < CONFLICT_RESTART {
            return;
        }
        if lasts >= CONFLICT_ANSWER {
            self.let_go(both, Cause::Conflict);
        } else if self.peer.stable && !core::mem::replace(&mut self.conflict_asked, true) {
            self.outbox.push(Outgoing::HbTakeover(both));
        }
    }

    /// Whether a question to the original is open, so that it is asked again.
    pub(super) fn asks_original(&self) -> bool {
        let open = match self.phase {
            Phase::Joining => true,
            Phase::Member => self.peer.hold.is_none() && self.standby == Standby::None,
            Phase::Seeking | Phase::Stopping | Phase::Stopped => false,
        };
        open && self.peer.kind == PeerKind::Heartbeat && self.peer.alive()
    }
}

#[cfg(test)]
mod tests;
