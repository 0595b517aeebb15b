//! Standby: one node gives groups to the other in three phases, so that the taker starts strictly
//! after the giver has stopped (hb306: `hb_resource.c`, `go_standby`).
//!
//! ```text
//! giver                    taker
//! Asking   -- me      -->
//!          <-- other  --   Granting
//! Giving   (releases)
//! Given    -- done    -->  Taking  (acquires)
//!          <-- done   --
//! ```
//!
//! From `Given` on the giver takes nothing back until the taker has reported itself settled, and
//! says so in every message (`gave`), so a lost `done` costs a heartbeat and no more.

use super::{Node, Phase};
use crate::config::AutoFailback;
use crate::event::Command;
use crate::group::OPERATION_MAX;
use crate::hold::Hold;
use crate::outbox::{Occasion, Outgoing};
use crate::peer::PeerKind;
use crate::report::{Cause, CommandRefusal, Report, StandbyEnd};
use crate::time::Duration;
use crate::timer::TimerId;
use crate::wire::message::Stage;

/// For an answer from the original, as the original waits.
const REPLY_MAX: Duration = Duration::from_secs(10);

/// For an answer from Systole, unless deadtime is longer: it answers at once.
const REPLY_SYSTOLE_MIN: Duration = Duration::from_secs(1);

/// Where a standby is. Holds are in our terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standby {
    None,
    Asking(Hold),
    Giving(Hold),
    Given(Hold),
    Granting(Hold),
    Taking(Hold),
}

impl Standby {
    /// Whether we are the giver.
    const fn is_giving(self) -> bool {
        matches!(self, Self::Asking(_) | Self::Giving(_) | Self::Given(_))
    }

    /// What has been given and is not to be taken back.
    pub(super) const fn gave(self) -> Option<Hold> {
        match self {
            Self::Given(hold) => Some(hold),
            Self::None
            | Self::Asking(_)
            | Self::Giving(_)
            | Self::Granting(_)
            | Self::Taking(_) => None,
        }
    }
}

impl Node {
    /// An operator's, or the peer's `hb_takeover`'s, wish to give groups away.
    pub(super) fn begin_standby(&mut self, hold: Hold) -> Result<(), CommandRefusal> {
        self.may_move(hold)?;
        self.ask(hold);
        Ok(())
    }

    /// An operator's wish to take groups: the peer gives them by a standby of its own.
    pub(super) fn begin_takeover(&mut self, hold: Hold) -> Result<(), CommandRefusal> {
        self.may_move(hold)?;
        self.outbox.push(Outgoing::HbTakeover(hold));
        Ok(())
    }

    fn may_move(&self, hold: Hold) -> Result<(), CommandRefusal> {
        let original = self.peer.kind == PeerKind::Heartbeat;
        match self.phase {
            Phase::Seeking | Phase::Joining => Err(CommandRefusal::Starting),
            Phase::Stopping | Phase::Stopped => Err(CommandRefusal::Stopping),
            Phase::Member if hold == Hold::None => Err(CommandRefusal::Nothing),
            Phase::Member if self.standby != Standby::None => Err(CommandRefusal::Busy),
            Phase::Member if original && self.config.auto_failback == AutoFailback::Legacy => {
                Err(CommandRefusal::Legacy)
            }
            Phase::Member if !self.peer.alive() || !self.peer.settled() => {
                Err(CommandRefusal::PeerAbsent)
            }
            Phase::Member => Ok(()),
        }
    }

    /// Phase one: ask the peer to take groups.
    pub(super) fn ask(&mut self, hold: Hold) {
        let patience = match self.peer.kind {
            PeerKind::Systole => REPLY_SYSTOLE_MIN.max(self.config.deadtime),
            PeerKind::Heartbeat | PeerKind::Unknown => REPLY_MAX,
        };
        self.set_standby(Standby::Asking(hold), patience);
        self.outbox.push(Outgoing::Ask(hold, Stage::Me));
    }

    fn set_standby(&mut self, standby: Standby, patience: Duration) {
        self.standby = standby;
        self.timers.set(TimerId::Standby, Some(self.now + patience));
    }

    pub(super) fn forget_standby(&mut self) {
        self.standby = Standby::None;
        self.timers.set(TimerId::Standby, None);
    }

    pub(super) fn end_standby(&mut self, end: StandbyEnd) {
        let giving = self.standby.is_giving();
        self.forget_standby();
        self.report(Report::StandbyEnd { giving, end });
    }

    /// The peer is gone or has begun anew: whatever was agreed with it is void.
    pub(super) fn abort_standby(&mut self) {
        if self.standby != Standby::None {
            self.end_standby(StandbyEnd::PeerLost);
        }
    }

    pub(super) fn on_takeover_request(&mut self, hold: Hold) {
        if let Err(refusal) = self.begin_standby(hold) {
            self.report(Report::Refused(Command::Standby(hold), refusal));
        }
    }

    /// The peer's part of the exchange. `hold` is in the giver's terms, as on the wire.
    pub(super) fn on_ask(&mut self, sequence: u64, hold: Hold, stage: Stage, newest: bool) {
        if self.phase != Phase::Member {
            return;
        }
        let original = self.peer.kind == PeerKind::Heartbeat;
        // A late `done` may belong to a standby that was broken off since, or to the one before.
        let latest = newest || (original && sequence > self.asked_at);
        match (stage, self.standby) {
            (Stage::Me, _) => {
                self.asked_at = sequence;
                self.on_ask_me(hold);
            }
            (Stage::Other, Standby::Asking(asked)) if asked == hold => {
                self.asked_at = sequence;
                self.report(Report::StandbyBegin { hold, giving: true });
                self.set_standby(Standby::Giving(hold), OPERATION_MAX);
                self.let_go(hold, Cause::Standby);
                self.outbox.push(Outgoing::Resource {
                    hold: self.own_hold(),
                    stable: false,
                    occasion: Occasion::Standby,
                });
            }
            // Systole says the same in every message, so nothing is lost with a late one.
            (Stage::Done, Standby::Granting(mine)) if latest => self.take_given(mine),
            (Stage::Done, Standby::Given(given)) if latest && original => self.on_taken(given),
            _ => {}
        }
    }

    /// The peer asks us to take groups.
    fn on_ask_me(&mut self, hold: Hold) {
        let mine = hold.swapped();
        let free = match self.standby {
            Standby::None => true,
            Standby::Granting(granted) => granted == mine,
            // Both ask at once: the node whose name comes first goes on.
            Standby::Asking(_) => self.config.node > self.config.peer,
            Standby::Giving(_) | Standby::Given(_) | Standby::Taking(_) => false,
        };
        let able = mine
            .sides()
            .all(|side| !self.failures.blocks(side, self.now));
        if !free || !able {
            return;
        }
        if matches!(self.standby, Standby::Asking(_)) {
            self.end_standby(StandbyEnd::NoReply);
        }
        if self.standby == Standby::None {
            self.report(Report::StandbyBegin {
                hold: mine,
                giving: false,
            });
        }
        // The original gives up on its request when it finds that we had been away.
        let patience = match self.peer.kind {
            PeerKind::Heartbeat => REPLY_MAX,
            PeerKind::Systole | PeerKind::Unknown => OPERATION_MAX,
        };
        self.set_standby(Standby::Granting(mine), patience);
        self.peer.stable = false;
        self.peer.gave = Hold::None;
        // What we have asked for to end a conflict may be due to the peer all the same.
        self.peer.rejoined &= self.conflict_asked;
        self.outbox.push(Outgoing::Ask(hold, Stage::Other));
    }

    /// The original has begun to release what it asked us to take; that takes as long as it takes.
    pub(super) fn on_releasing(&mut self) {
        if let Standby::Granting(mine) = self.standby {
            self.set_standby(Standby::Granting(mine), OPERATION_MAX);
        }
    }

    fn take_given(&mut self, mine: Hold) {
        self.set_standby(Standby::Taking(mine), OPERATION_MAX);
        for side in mine.sides() {
            self.failures.clear(side);
            self.take(side, Cause::Standby);
        }
    }

    /// Takes a standby as far as it goes with what is known now.
    pub(super) fn progress_standby(&mut self) {
        let overdue = self.timers.take_due(TimerId::Standby, self.now);
        // The original calls itself settled in the middle of a standby; only its `done` ends one.
        let original = self.peer.kind == PeerKind::Heartbeat;
        match self.standby {
            Standby::Giving(hold) => self.progress_giving(hold),
            Standby::Taking(mine) => self.progress_taking(mine),
            Standby::Granting(mine) if mine.without(self.peer.gave) == Hold::None => {
                self.take_given(mine);
            }
            Standby::Asking(_) | Standby::Given(_) | Standby::Granting(_) if overdue => {
                self.end_standby(StandbyEnd::NoReply);
            }
            Standby::Given(hold) if self.peer.settled() => {
                let theirs = self.peer.hold.unwrap_or_default();
                if hold.without(theirs) == Hold::None {
                    self.end_standby(StandbyEnd::Done);
                } else if !original {
                    self.end_standby(StandbyEnd::AcquireFailed);
                }
            }
            Standby::Granting(_) if self.peer.settled() && !original => {
                self.end_standby(StandbyEnd::ReleaseFailed);
            }
            Standby::None | Standby::Asking(_) | Standby::Given(_) | Standby::Granting(_) => {}
        }
    }

    fn progress_giving(&mut self, hold: Hold) {
        let here = self.groups.present();
        if here.without(hold) == here {
            self.set_standby(Standby::Given(hold), OPERATION_MAX);
            self.peer.stable = false;
            self.outbox.push(Outgoing::Ask(hold, Stage::Done));
        } else if self.groups.hopeless() {
            self.end_standby(StandbyEnd::ReleaseFailed);
            for side in hold.common(here).sides() {
                self.take(side, Cause::Standby);
            }
        }
    }

    fn progress_taking(&mut self, mine: Hold) {
        if !self.groups.settled(mine) {
            return;
        }
        self.outbox.push(Outgoing::Ask(mine.swapped(), Stage::Done));
        self.end_standby(if mine.without(self.wants) == Hold::None {
            StandbyEnd::Done
        } else {
            StandbyEnd::AcquireFailed
        });
    }
}
