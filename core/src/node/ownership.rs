//! Who holds what: start-up, takeover, failback, healing, the clean stop.
//!
//! One rule keeps two living nodes from taking the same group: while the peer is alive a node takes
//! by itself only groups that prefer it, and only when the peer's latest word is that it does not
//! hold them. Everything else moves by a standby, or because the peer is gone.

use super::{Node, Phase, Standby};
use crate::config::AutoFailback;
use crate::hold::{Hold, Side};
use crate::id::GroupId;
use crate::outbox::{Occasion, Outgoing};
use crate::peer::PeerKind;
use crate::report::{Cause, GroupStatus, NodeStatus, Report};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;

/// Before groups that could not be started here are tried here again, as the original waits.
const RETRY: Duration = Duration::from_secs(30);

/// The same when there is no peer to serve them meanwhile.
const RETRY_ALONE: Duration = Duration::from_secs(5);

/// Between two tries of our own accord to give the peer what is due to it.
const OFFER_PAUSE: Duration = Duration::from_secs(5);

/// Between two repetitions of a question to the original.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(2);

/// For the peer to take note of our end.
const LINGER: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Failure {
    until: Instant,
    offered: bool,
}

/// Which sides could not be started here lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    sides: [Option<Failure>; 2],
    /// No offer of our own accord before this.
    offer_after: Option<Instant>,
}

impl Failures {
    fn get(&mut self, side: Side) -> Option<&mut Failure> {
        self.sides.get_mut(side as usize)?.as_mut()
    }

    fn set(&mut self, side: Side, until: Instant) {
        if let Some(slot) = self.sides.get_mut(side as usize) {
            *slot = Some(Failure {
                until,
                offered: false,
            });
        }
    }

    /// Forgets a failure and says whether there was one.
    pub(super) fn clear(&mut self, side: Side) -> bool {
        self.sides
            .get_mut(side as usize)
            .and_then(Option::take)
            .is_some()
    }

    /// Whether a side is not to be tried here yet.
    pub(super) fn blocks(&self, side: Side, now: Instant) -> bool {
        self.sides
            .get(side as usize)
            .copied()
            .flatten()
            .is_some_and(|it| it.until > now)
    }

    fn hasten(&mut self, until: Instant) {
        for failure in self.sides.iter_mut().flatten() {
            failure.until = failure.until.min(until);
        }
    }

    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let sides = self.sides.iter().flatten().map(|it| it.until);
        sides.chain(self.offer_after).filter(|at| *at > now).min()
    }
}

impl Node {
    /// Draws the conclusions from everything that is known now.
    pub(super) fn decide(&mut self) {
        let unheard = self.peer.alive() && !self.two_way();
        let since = self.unheard_since.unwrap_or(self.now);
        self.unheard_since = unheard.then_some(since);
        match self.phase {
            Phase::Seeking | Phase::Joining if self.peer.gone() => self.become_member(),
            Phase::Seeking if self.peer.alive() => self.join(),
            Phase::Joining => self.decide_joining(),
            Phase::Stopping => self.decide_stopping(),
            Phase::Seeking | Phase::Member | Phase::Stopped => {}
        }
        if self.phase == Phase::Member {
            self.decide_member();
        }
        self.answer_ip_requests();
    }

    fn set_active(&mut self) {
        if self.own_status != NodeStatus::Active {
            self.own_status = NodeStatus::Active;
            self.report(Report::OwnStatus(NodeStatus::Active));
            self.outbox.push(Outgoing::Status(NodeStatus::Active));
        }
    }

    fn join(&mut self) {
        self.phase = Phase::Joining;
        self.timers.set(TimerId::Settle, None);
        self.set_active();
        if self.config.auto_failback != AutoFailback::Legacy {
            self.outbox.push(Outgoing::Starting);
        }
        self.decide_joining();
    }

    /// The peer is heard. What it holds decides what we take: what prefers us, unless the peer has it.
    fn decide_joining(&mut self) {
        let ready = match self.peer.kind {
            PeerKind::Systole => {
                let mine_is_free = !self.peer.holds(Side::Local);
                self.peer.word_is_fresh() && self.two_way() && (mine_is_free || self.peer.stable)
            }
            PeerKind::Heartbeat if self.config.auto_failback == AutoFailback::Legacy => {
                self.join_by_request()
            }
            PeerKind::Heartbeat => self.join_original(),
            PeerKind::Unknown => false,
        };
        if ready {
            self.become_member();
        }
    }

    /// `auto_failback legacy`: ask the original for each of our groups in turn.
    fn join_by_request(&mut self) -> bool {
        let from = self.ip_asked.map_or(0, |asked| asked.0);
        let next = self
            .config
            .groups_of(Hold::Local)
            .find(|group| group.0 >= from);
        let Some(group) = next else { return true };
        let due = self.timers.take_due(TimerId::Settle, self.now);
        if due || self.ip_asked != Some(group) {
            self.ip_asked = Some(group);
            self.outbox.push(Outgoing::IpRequest(group));
            self.timers.set(TimerId::Settle, Some(self.now + ASK_AGAIN));
        }
        false
    }

    pub(super) fn on_ip_granted(&mut self, name: &str) {
        let asked = self.ip_asked.filter(|_| self.phase == Phase::Joining);
        if let Some(asked) = asked
            && self.group_named(name) == Some(asked)
        {
            self.ip_asked = Some(GroupId(asked.0 + 1));
            self.timers.set(TimerId::Settle, Some(self.now));
        }
    }

    /// The original, returning, asks for a group that prefers it.
    pub(super) fn on_ip_request(&mut self, name: &str) {
        let foreign = self.group_named(name).filter(|id| {
            self.groups
                .get(*id)
                .is_some_and(|group| group.side == Side::Foreign)
        });
        if let Some(id) = foreign
            && self.peer.kind == PeerKind::Heartbeat
            && self.phase == Phase::Member
        {
            self.ip_owed |= 1 << id.0;
            self.let_go(Hold::Foreign, Cause::PeerRequest);
        }
    }

    fn group_named(&self, name: &str) -> Option<GroupId> {
        let mut ids = self.config.groups_of(Hold::All);
        ids.find(|id| {
            let group = self.config.groups.get(usize::from(id.0));
            group.is_some_and(|group| group.name.as_str() == name)
        })
    }

    fn answer_ip_requests(&mut self) {
        let released = self.config.groups_of(Hold::Foreign).find(|id| {
            let group = self.groups.get(*id);
            self.ip_owed & (1 << id.0) != 0
                && group.is_some_and(|group| group.status == GroupStatus::Released)
        });
        if let Some(id) = released {
            self.ip_owed &= !(1 << id.0);
            self.outbox.push(Outgoing::IpRequestResponse(id));
        }
    }

    fn become_member(&mut self) {
        self.phase = Phase::Member;
        self.settling = None;
        self.ip_asked = None;
        self.timers.set(TimerId::Settle, None);
        self.set_active();
        let alive = self.peer.alive();
        if alive && !self.peer.holds(Side::Local) {
            self.try_take(Side::Local, Cause::StartUp);
        }
        if alive {
            self.let_go(Hold::All.without(self.wants), Cause::LeftOver);
        }
    }

    /// Takes a side unless it could not be started here a moment ago.
    fn try_take(&mut self, side: Side, cause: Cause) {
        if !self.failures.blocks(side, self.now) {
            let retry = self.failures.clear(side);
            self.take(side, if retry { Cause::Retry } else { cause });
        }
    }

    fn decide_member(&mut self) {
        self.take_up();
        if self.peer.gone() {
            let cause = if self.peer.stopped {
                Cause::PeerStopped
            } else {
                Cause::PeerDead
            };
            self.failures.hasten(self.now + RETRY_ALONE);
            self.set_conflict(Hold::None);
            let missing = Hold::All.without(self.wants);
            for side in missing.sides() {
                self.try_take(side, cause);
            }
            return;
        }
        self.progress_standby();
        if self.standby != Standby::None {
            return;
        }
        if self.peer.hold.is_none() {
            return self.ask_original_again();
        }
        self.resolve_conflict();
        if self.two_way() && self.peer.settled() {
            self.take_orphan();
            self.give_due();
        }
    }

    /// Begins with what was wanted again while it was being released, once the peer has let go of it.
    fn take_up(&mut self) {
        let theirs = self.peer.hold.unwrap_or_default();
        let free = self.wants.without(theirs);
        for side in free.sides() {
            self.groups.resume(side, self.now);
        }
    }

    /// Both hold the same side: a partition has healed, or one of us was stopped for a while.
    ///
    /// A node that is not heard lets go of what the other claims. Else each keeps what prefers it; so
    /// the service goes on, and is announced again once the other has let go. What the other has only
    /// to release it is no reason to do anything.
    fn resolve_conflict(&mut self) {
        let claimed = self.peer.hold.unwrap_or_default();
        let overlap = self.wants.common(claimed);
        if overlap.without(self.conflict) != Hold::None {
            self.report(Report::SplitBrain(overlap));
        }
        if self.peer.kind == PeerKind::Heartbeat {
            return self.resolve_with_original(overlap);
        }
        self.set_conflict(overlap);
        let both = overlap.without(self.peer.going);
        match self.unheard_since {
            None if both.covers(Side::Foreign) => self.let_go(Hold::Foreign, Cause::Conflict),
            // It has declared us dead; the first messages of a session say no more yet.
            Some(since) if self.now.since(since) >= self.config.deadtime => {
                self.let_go(both, Cause::Conflict);
            }
            None | Some(_) => {}
        }
    }

    /// Takes note of which sides both nodes claim. What we have won is announced: the neighbours may
    /// have heard the other last.
    pub(super) fn set_conflict(&mut self, both: Hold) {
        let won = self.conflict.without(both);
        for side in won.common(self.wants).sides() {
            self.groups.announce(side);
        }
        if self.conflict == Hold::None {
            self.conflict_since = self.now;
            self.conflict_asked = false;
        }
        self.conflict = both;
    }

    /// Nobody holds what prefers us: take it, or give it to the peer when it cannot be started here.
    fn take_orphan(&mut self) {
        if self.wants.covers(Side::Local) || self.peer.holds(Side::Local) {
            return;
        }
        if !self.failures.blocks(Side::Local, self.now) {
            self.try_take(Side::Local, Cause::Orphan);
        } else if self.groups.settled(Hold::Local)
            && let Some(failure) = self.failures.get(Side::Local)
            && !core::mem::replace(&mut failure.offered, true)
        {
            self.ask(Hold::Local);
        }
    }

    /// The peer is back and due what prefers it.
    fn give_due(&mut self) {
        if self.standby != Standby::None {
            return;
        }
        if !self.wants.covers(Side::Foreign) {
            self.peer.rejoined = false;
            return;
        }
        let wait = self.failures.offer_after.is_some_and(|at| at > self.now);
        let wished = match (self.config.auto_failback, self.peer.kind) {
            (AutoFailback::On, _) | (AutoFailback::Legacy, PeerKind::Systole) => true,
            (AutoFailback::Off | AutoFailback::Legacy, _) => false,
        };
        let agreed = self.conflict == Hold::None;
        if wished && agreed && self.peer.rejoined && !wait && self.groups.settled(Hold::All) {
            self.failures.offer_after = Some(self.now + OFFER_PAUSE);
            self.ask(Hold::Foreign);
        }
    }

    /// A group could not be started: its whole side goes, and the peer gets it if there is one.
    pub(super) fn on_acquire_failed(&mut self, side: Side) {
        let pause = if self.peer.alive() {
            RETRY
        } else {
            RETRY_ALONE
        };
        self.failures.set(side, self.now + pause);
        self.let_go(Hold::from(side), Cause::AcquireFailed);
    }

    fn decide_stopping(&mut self) {
        if self.last_words.is_none() {
            let released = self.groups.present() == Hold::None;
            if !released && !self.groups.hopeless() {
                return;
            }
            self.last_words = Some(0);
            let listened = released && self.peer.alive();
            if listened {
                self.outbox.push(Outgoing::Shutdone);
            }
            let linger = if listened { LINGER } else { Duration::ZERO };
            self.timers.set(TimerId::Linger, Some(self.now + linger));
        }
        if self.peer.gone() || self.timers.take_due(TimerId::Linger, self.now) {
            self.end();
        }
    }

    fn end(&mut self) {
        self.timers.set(TimerId::Linger, None);
        self.phase = Phase::Stopped;
        self.ended = true;
    }

    /// The peer has everything up to this number: also our last words?
    pub(super) fn on_ack(&mut self, sequence: u64) {
        let heard = self
            .last_words
            .is_some_and(|words| words > 0 && words <= sequence);
        if self.phase == Phase::Stopping && heard {
            self.end();
        }
    }

    /// Whether the peer and we hear each other.
    pub(super) fn two_way(&self) -> bool {
        self.links.two_way(self.now, self.peer.deadtime)
    }

    /// Tells the peer and the log when what we hold has changed.
    pub(super) fn tell(&mut self) {
        let (hold, stable) = (self.own_hold(), self.own_stable());
        if self.told == (hold, stable) {
            return;
        }
        self.told = (hold, stable);
        self.report(Report::OwnHold { hold, stable });
        let (hold, occasion) = match self.phase {
            // The original wants to hear that a stopping node holds nothing; `own` says what is true.
            Phase::Stopping | Phase::Stopped => (Hold::None, Occasion::Shutdown),
            Phase::Seeking | Phase::Joining | Phase::Member => (hold, Occasion::Plain),
        };
        self.outbox.push(Outgoing::Resource {
            hold,
            stable,
            occasion,
        });
    }
}
