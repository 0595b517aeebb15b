//! The other node: which run of it we hear, whether it lives, and what it says it holds.
//!
//! A run of the original is known by its generation, a run of Systole by its session id. A session
//! counts only once a message of it has echoed our own session: such a message was made after our
//! start, so it cannot be a recording from before it.

use crate::config::Config;
use crate::hold::{Hold, Side};
use crate::report::{NodeStatus, Refusal, Report};
use crate::sequence::{Novelty, Window};
use crate::time::{Duration, Instant};
use crate::wire::message::Header;

/// What software the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerKind {
    /// Not heard yet.
    Unknown,
    /// The original.
    Heartbeat,
    /// Systole.
    Systole,
}

/// How a message fits what we know of the peer's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It belongs to the present run.
    Same,
    /// It proves a new run.
    NewRun,
    /// It has no effect.
    Refused(Refusal),
}

/// The other node.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) kind: PeerKind,
    pub(crate) status: NodeStatus,
    pub(crate) session: Option<u64>,
    /// A session that has not echoed ours yet; it gets one probe per heartbeat interval.
    pub(crate) candidate: Option<u64>,
    generation: u64,
    pub(crate) window: Window,
    pub(crate) heard: Option<Instant>,
    /// The peer's own deadtime (`dt`): after this silence it counts as dead.
    pub(crate) deadtime: Duration,
    pub(crate) late: bool,
    /// It has said `shutdone`: nothing of this run counts any more.
    pub(crate) stopped: bool,
    /// The number of the message that the report below comes from.
    reported_at: u64,
    /// What it holds, in our terms, once it has said so in this run.
    pub(crate) hold: Option<Hold>,
    pub(crate) stable: bool,
    /// It has come back, so it is due what prefers it.
    pub(crate) rejoined: bool,
    pub(crate) digest_differs: bool,
    pub(crate) deadtime_differs: bool,
    pub(crate) uuid_clash: bool,
}

impl Peer {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            kind: PeerKind::Unknown,
            status: NodeStatus::Init,
            session: None,
            candidate: None,
            generation: 0,
            window: Window::new(),
            heard: None,
            deadtime: config.deadtime,
            late: false,
            stopped: false,
            reported_at: 0,
            hold: None,
            stable: false,
            rejoined: false,
            digest_differs: false,
            deadtime_differs: false,
            uuid_clash: false,
        }
    }

    /// Whether the peer is alive, as far as we hear.
    pub(crate) const fn alive(&self) -> bool {
        matches!(self.status, NodeStatus::Up | NodeStatus::Active)
    }

    /// Whether it is certain that nobody is there: dead by silence, or stopped.
    pub(crate) const fn gone(&self) -> bool {
        matches!(self.status, NodeStatus::Dead)
    }

    /// Whether the peer says it holds a side, in our terms.
    pub(crate) fn holds(&self, side: Side) -> bool {
        self.hold.is_some_and(|hold| hold.covers(side))
    }

    /// Decides whether a message belongs to the peer's present run or proves a new one.
    pub(crate) fn admit(&mut self, header: &Header<'_>, is_status: bool, sid: u64) -> Admission {
        match header.session {
            Some(session) if self.session == Some(session) => self.admit_same(header),
            Some(_) if header.echo == Some(sid) => Admission::NewRun,
            Some(session) => {
                self.candidate = Some(session);
                Admission::Refused(Refusal::Unproven)
            }
            None if self.kind == PeerKind::Systole && !self.gone() => {
                Admission::Refused(Refusal::Unproven)
            }
            None if self.kind == PeerKind::Heartbeat && header.generation == self.generation => {
                self.admit_same(header)
            }
            None if self.kind != PeerKind::Unknown && header.generation <= self.generation => {
                Admission::Refused(Refusal::Replay)
            }
            None if is_status || self.kind == PeerKind::Unknown => Admission::NewRun,
            None => Admission::Refused(Refusal::Unproven),
        }
    }

    const fn admit_same(&self, header: &Header<'_>) -> Admission {
        if self.stopped || header.generation != self.generation {
            Admission::Refused(Refusal::Replay)
        } else {
            Admission::Same
        }
    }

    /// Begins a new run of the peer.
    pub(crate) fn on_new_run(&mut self, header: &Header<'_>) -> Option<Report> {
        let known = self.kind != PeerKind::Unknown;
        let kind =
            if header.session.is_some() { PeerKind::Systole } else { PeerKind::Heartbeat };
        let report = (self.kind != kind).then_some(Report::PeerIsSystole(header.session.is_some()));
        *self = Self {
            kind,
            session: header.session,
            candidate: None,
            generation: header.generation,
            window: Window::new(),
            late: false,
            stopped: false,
            reported_at: 0,
            hold: None,
            stable: false,
            rejoined: true,
            ..*self
        };
        if known { Some(Report::PeerRestarted) } else { report }
    }

    /// Takes note of a sequence number.
    pub(crate) fn on_sequence(&mut self, sequence: u64) -> Novelty {
        self.window.note(sequence)
    }

    /// Takes the peer's report of what it holds, in its own terms. Older ones than the last change
    /// nothing. Says whether anything is new.
    pub(crate) fn on_report(&mut self, sequence: u64, hold: Hold, stable: bool) -> bool {
        if sequence < self.reported_at || sequence == 0 {
            return false;
        }
        self.reported_at = sequence;
        let hold = Some(hold.swapped());
        let new = self.hold != hold || self.stable != stable;
        self.hold = hold;
        self.stable = stable;
        new
    }

    /// The peer is dead or has stopped: what it said before no longer counts.
    pub(crate) fn on_gone(&mut self, stopped: bool) {
        self.status = NodeStatus::Dead;
        self.stopped = stopped;
        self.late = false;
        self.hold = None;
        self.stable = false;
        self.rejoined = false;
    }

    /// When the silence becomes death; nothing when it already has.
    pub(crate) fn dead_at(&self, started: Instant, config: &Config) -> Option<Instant> {
        match (self.gone(), self.heard) {
            (true, _) => None,
            (false, Some(heard)) => Some(heard + self.deadtime),
            (false, None) => Some(started + config.initdead),
        }
    }

    /// When the silence is worth a report; nothing when it has been reported.
    pub(crate) fn late_at(&self, config: &Config) -> Option<Instant> {
        let heard = self.heard.filter(|_| self.alive() && !self.late)?;
        Some(heard + config.warntime)
    }
}
