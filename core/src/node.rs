//! The one public machine: events in, actions out. Control flow only; the facts are kept in the
//! files beside this one.

mod original;
mod ownership;
mod receive;
mod standby;
pub mod status;
#[cfg(test)]
mod tests;
mod transmit;

use heapless::Deque;

use crate::action::Action;
use crate::config::Config;
use crate::event::{Command, Event, Operation, Outcome};
use crate::group::{Consequence, Groups};
use crate::hold::{Hold, Side};
use crate::id::GroupId;
use crate::limits::{FRAME_BYTES_MAX, REPORTS_MAX};
use crate::link::{Links, TRAFFIC_EVERY};
use crate::outbox::{Outbox, Outgoing};
use crate::peer::{Peer, PeerKind};
use crate::random::Random;
use crate::report::{Cause, NodeStatus, Report};

use crate::time::{Duration, Instant};
use crate::timer::{TimerId, Timers};

use ownership::Failures;
use standby::Standby;
use status::Status;

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Started, or running again after a pause: waits to hear the peer, or to be sure it is silent.
    Seeking,
    /// The peer is heard; waits for its word on what it holds.
    Joining,
    /// A settled member: takes, keeps and gives by the rules.
    Member,
    /// Releasing everything, then telling the peer.
    Stopping,
    /// Done.
    Stopped,
}

/// One node of the cluster.
///
/// See the crate's documentation for the loop that drives it.
#[derive(Clone, Debug)]
pub struct Node {
    config: Config,
    now: Instant,
    /// When we began to seek the peer, and for how long a silence then means nobody is there.
    seeking_since: Instant,
    seeking_for: Duration,
    started: Instant,
    /// When our last heartbeat was due and was seen to.
    beat_at: Instant,
    /// Our own session.
    sid: u64,
    random: Random,
    timers: Timers,
    links: Links,
    peer: Peer,
    groups: Groups,
    outbox: Outbox,
    reports: Deque<Report, REPORTS_MAX>,
    reports_lost: u32,
    phase: Phase,
    /// The sides we mean to hold, with or without groups on them.
    wants: Hold,
    standby: Standby,
    /// The number of the peer's message that opened the standby, or agreed to it.
    asked_at: u64,
    failures: Failures,
    /// Since when the peer is heard and does not hear us.
    unheard_since: Option<Instant>,
    /// Both sides had a holder each when last seen: sides in conflict.
    conflict: Hold,
    /// Since when, and whether the original was asked to give them up.
    conflict_since: Instant,
    conflict_asked: bool,
    /// What the peer was last told.
    told: (Hold, bool),
    own_status: NodeStatus,
    probed_at: Option<Instant>,
    /// Lost on the way and not reported yet.
    messages_lost: u64,
    ack_residue: u64,
    /// Groups whose release the peer waits for (`auto_failback legacy`), a bit each.
    ip_owed: u64,
    /// The next local group to ask the original for, in that mode.
    ip_asked: Option<GroupId>,
    /// When the original's first report was here.
    settling: Option<Instant>,
    /// How many answers to `starting` the original owes us.
    reports_owed: u8,
    /// The number of our `shutdone`; 0 until it is sent.
    last_words: Option<u64>,
    ended: bool,
}

/// Sequence numbers between two acknowledgements, as the original counts.
const ACK_EVERY: u64 = 10;

impl Node {
    /// Makes a node that has not started: its first event starts it.
    ///
    /// `seed` must differ from run to run: session ids come from it. `now` is the host's monotonic
    /// clock at the moment that `config`'s wall-clock time stands for.
    #[must_use]
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        let mut random = Random::new(seed);
        let mut timers = Timers::default();
        timers.set(TimerId::Keepalive, Some(now));
        Self {
            now,
            seeking_since: now,
            seeking_for: config.initdead,
            started: now,
            beat_at: now,
            sid: random.next(),
            ack_residue: random.below(ACK_EVERY),
            random,
            timers,
            links: Links::new(&config.links),
            peer: Peer::new(&config),
            groups: Groups::new(config.groups.iter().map(|group| group.side), now),
            outbox: Outbox::new(),
            reports: Deque::new(),
            reports_lost: 0,
            phase: Phase::Seeking,
            wants: Hold::None,
            standby: Standby::None,
            asked_at: 0,
            failures: Failures::default(),
            unheard_since: None,
            conflict: Hold::None,
            conflict_since: now,
            conflict_asked: false,
            told: (Hold::None, false),
            own_status: NodeStatus::Init,
            probed_at: None,
            messages_lost: 0,
            ip_owed: 0,
            ip_asked: None,
            settling: None,
            reports_owed: 0,
            last_words: None,
            ended: false,
            config,
        }
    }

    /// Takes one event. Follow it by [`Node::poll_action`] until that gives nothing.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an event is used up by being handled"
    )]
    pub fn handle(&mut self, now: Instant, event: Event<'_>) {
        self.advance(now);
        match event {
            Event::Tick => self.on_tick(),
            Event::Frame { link, bytes } => self.on_frame(link, bytes),
            Event::LinkChanged { link, works } => self.links.on_changed(link, works),
            Event::GroupDone {
                group,
                operation,
                outcome,
            } => {
                self.on_group_done(group, operation, outcome);
            }
            Event::GroupFound(group) => {
                if self.phase == Phase::Seeking {
                    self.groups.on_found(group);
                }
            }
            Event::Command(command) => self.on_command(command),
            Event::Keys(keys) => {
                self.config.keys = keys.clone();
                self.report(Report::KeysChanged);
            }
        }
        self.decide();
        self.tell();
        self.arm();
    }

    /// Gives the next action, or nothing when the host is to wait for an event or the deadline.
    ///
    /// The bytes of a `Transmit` are at the start of `frame` until the next call.
    pub fn poll_action(&mut self, frame: &mut [u8; FRAME_BYTES_MAX]) -> Option<Action> {
        if let Some(report) = self.reports.pop_front() {
            return Some(Action::Report(report));
        }
        if self.reports_lost > 0 {
            return Some(Action::Report(Report::ReportsLost(core::mem::take(
                &mut self.reports_lost,
            ))));
        }
        if let Some((action, report)) = self.groups.poll() {
            if let Some(report) = report {
                self.report(report);
            }
            return Some(action);
        }
        if let Some(action) = self.poll_transmit(frame) {
            return Some(action);
        }
        core::mem::take(&mut self.ended).then_some(Action::Stopped)
    }

    /// When to come back with `Event::Tick` if nothing happens before, and why.
    #[must_use]
    pub fn deadline(&self) -> Option<(Instant, TimerId)> {
        self.timers.earliest()
    }

    /// A view of everything an operator may ask about.
    #[must_use]
    pub const fn status(&self) -> Status<'_> {
        Status::new(self)
    }

    /// Lets time pass, never backwards. A pause longer than our own deadtime means that the peer may
    /// have replaced us: let go before anything else.
    fn advance(&mut self, now: Instant) {
        if now < self.now {
            let back = self.now.since(now);
            if back > self.config.keepalive {
                self.report(Report::ClockBack(back));
            }
            return;
        }
        self.now = now;
        let pause = now.since(self.beat_at);
        if pause < self.config.deadtime {
            return;
        }
        self.beat_at = now;
        let span = match self.phase {
            // What we slept through we have not listened to.
            Phase::Seeking => self.seeking_for,
            Phase::Joining | Phase::Member => self.config.deadtime,
            Phase::Stopping | Phase::Stopped => return,
        };
        // The peer shall learn that we are back before it hears what we hold now.
        self.outbox.push(Outgoing::Status(self.own_status));
        self.report(Report::OwnLateness(pause));
        self.let_go(Hold::All, Cause::OwnLateness);
        self.forget_standby();
        self.peer.on_own_lateness();
        self.new_session();
        self.seek(span);
    }

    fn seek(&mut self, span: Duration) {
        self.phase = Phase::Seeking;
        self.seeking_since = self.now;
        self.seeking_for = span;
    }

    /// Takes a new session id for the sake of its echo; what is known of the peer and the links stays.
    fn challenge(&mut self) {
        self.sid = self.random.next();
        self.peer.challenged = true;
    }

    /// Takes a new session id: what echoes an older one proves nothing any more.
    fn new_session(&mut self) {
        self.challenge();
        self.links.on_new_session();
    }

    fn on_tick(&mut self) {
        let now = self.now;
        if self.timers.take_due(TimerId::Keepalive, now) {
            self.on_keepalive();
        }
        if self
            .peer
            .dead_at(self.seeking_since + self.seeking_for)
            .is_some_and(|at| at <= now)
        {
            self.on_peer_silent();
        }
        if self.peer.late_at(&self.config).is_some_and(|at| at <= now) {
            self.peer.late = true;
            let heard = self.peer.heard.unwrap_or(now);
            self.report(Report::PeerLate(now.since(heard)));
        }
        if let Some((group, operation)) = self.groups.on_deadline(now) {
            self.on_group_done(group, operation, Outcome::Failed);
        }
        if self.timers.take_due(TimerId::Retransmit, now)
            && let Some((first, last)) = self.peer.window.missing()
        {
            self.outbox.push(Outgoing::Rexmit(first, last));
        }
        if self.timers.take_due(TimerId::Traffic, now) {
            self.report_traffic();
        }
    }

    fn on_keepalive(&mut self) {
        let now = self.now;
        self.beat_at = now;
        if self.own_status == NodeStatus::Init && now != self.started {
            self.own_status = NodeStatus::Up;
        }
        // The original would begin to take over anew at each repetition; it asks for what it lost.
        let repeats = self.peer.kind != PeerKind::Heartbeat;
        let word = if self.phase == Phase::Stopping && self.last_words.is_some() && repeats {
            Outgoing::Shutdone
        } else {
            Outgoing::Status(self.own_status)
        };
        self.outbox.push(word);
        self.timers
            .set(TimerId::Keepalive, Some(now + self.config.keepalive));
    }

    fn on_peer_silent(&mut self) {
        let silence = self
            .now
            .since(self.peer.heard.unwrap_or(self.seeking_since));
        let from = self.peer.status;
        self.peer_gone(false);
        self.report(Report::PeerDead(silence));
        self.report(Report::PeerStatus {
            from,
            to: NodeStatus::Dead,
        });
    }

    fn peer_gone(&mut self, stopped: bool) {
        self.peer.on_gone(stopped);
        if stopped {
            // The acknowledgement of its last words must come from the session it knows.
            self.links.on_new_session();
        } else {
            self.new_session();
        }
        self.abort_standby();
    }

    fn on_group_done(&mut self, group: GroupId, operation: Operation, outcome: Outcome) {
        let (consequence, report) = self.groups.on_done(group, operation, outcome, self.now);
        if let Some(report) = report {
            self.report(report);
        }
        if let Consequence::AcquireFailed(side) = consequence {
            self.on_acquire_failed(side);
        }
    }

    fn on_command(&mut self, command: Command) {
        let outcome = match command {
            Command::Stop => {
                self.on_stop();
                Ok(())
            }
            Command::Standby(hold) => self.begin_standby(hold),
            Command::Takeover(hold) => self.begin_takeover(hold),
        };
        self.report(match outcome {
            Ok(()) => Report::Accepted(command),
            Err(refusal) => Report::Refused(command, refusal),
        });
    }

    fn on_stop(&mut self) {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return;
        }
        self.report(Report::Stopping);
        self.phase = Phase::Stopping;
        self.forget_standby();
        self.let_go(Hold::All, Cause::Stop);
    }

    /// What we hold, in the peer's eyes: what we mean to, and what is still here.
    fn own_hold(&self) -> Hold {
        self.wants.with(self.groups.present())
    }

    /// Whether we take no more by ourselves, and give no more: what is here only to be released is
    /// no claim that a peer has to answer.
    fn own_stable(&self) -> bool {
        let still = match self.standby {
            Standby::None => true,
            // The original does not answer one whom it believes to be moving.
            Standby::Asking(_) => self.peer.kind == PeerKind::Heartbeat,
            Standby::Giving(_) | Standby::Given(_) | Standby::Granting(_) | Standby::Taking(_) => {
                false
            }
        };
        self.phase == Phase::Member && still && self.leaving() == Hold::None
    }

    /// What is here only to be released.
    fn leaving(&self) -> Hold {
        self.groups.present().without(self.wants)
    }

    fn take(&mut self, side: Side, cause: Cause) {
        self.wants = self.wants.with(Hold::from(side));
        self.groups.want(side, true, cause, self.now);
    }

    fn let_go(&mut self, hold: Hold, cause: Cause) {
        self.wants = self.wants.without(hold);
        for side in hold.sides() {
            self.groups.want(side, false, cause, self.now);
        }
    }

    fn report(&mut self, report: Report) {
        if self.reports.push_back(report).is_err() {
            self.reports_lost = self.reports_lost.saturating_add(1);
        }
    }

    fn report_traffic(&mut self) {
        let lost = core::mem::take(&mut self.messages_lost);
        let mut any = lost > 0;
        if any {
            self.report(Report::MessagesLost(lost));
        }
        while let Some((link, reason, count)) = self.links.take_refusals() {
            self.report(Report::FramesRefused {
                link,
                reason,
                count,
            });
            any = true;
        }
        if any {
            self.timers
                .set(TimerId::Traffic, Some(self.now + TRAFFIC_EVERY));
        }
    }

    /// Derives the deadlines that follow from the state.
    fn arm(&mut self) {
        while let Some((link, status)) = self.links.next_change(self.now, self.peer.deadtime) {
            self.report(Report::Link { link, status });
        }
        let running = self.phase != Phase::Stopped;
        let seen = running.then_some(());
        let dead_at = self.peer.dead_at(self.seeking_since + self.seeking_for);
        self.timers.set(TimerId::PeerDead, seen.and(dead_at));
        self.timers
            .set(TimerId::PeerLate, seen.and(self.peer.late_at(&self.config)));
        self.timers.set(
            TimerId::LinkDead,
            seen.and(self.links.deadline(self.peer.deadtime)),
        );
        self.timers
            .set(TimerId::Operation, seen.and(self.groups.deadline()));
        self.timers
            .set(TimerId::Retry, seen.and(self.failures.deadline(self.now)));
        if self.peer.window.missing().is_none() {
            self.timers.set(TimerId::Retransmit, None);
        } else if !self.timers.is_set(TimerId::Retransmit) {
            let at = self.now + self.retransmit_delay();
            self.timers.set(TimerId::Retransmit, Some(at));
        }
        if !self.asks_original() {
            self.timers.set(TimerId::Settle, None);
        }
        if !running {
            self.timers.set(TimerId::Keepalive, None);
            self.timers.set(TimerId::Retransmit, None);
            self.timers.set(TimerId::Traffic, None);
        }
    }
}
