//! The other node: which run of it we hear, whether it lives, and what it says it holds.
//!
//! A run of the original is known by its generation, a run of Systole by its session id. A session
//! counts only once a message of it has echoed or probed our own session, and we take a new session of
//! our own whenever we lose sight of the peer or of ourselves. So whoever comes to life for us does so
//! with a message made after that moment: never with a recording, and never with what was queued
//! before.
//! A living peer may change its session, as we may: sequence numbers go on within a run.

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
    /// It belongs to a run that has said its last word.
    Ignored,
    /// It proves a new run.
    NewRun,
    /// It would, but a recording could say the same: a new session of our own has to be echoed.
    Challenge,
    /// It has no effect.
    Refused(Refusal),
}

/// The other node.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent facts, not a hidden state"
)]
pub(crate) struct Peer {
    pub(crate) kind: PeerKind,
    pub(crate) status: NodeStatus,
    pub(crate) session: Option<u64>,
    /// The session that has said `shutdone`.
    former: Option<u64>,
    /// We have taken a new session since the peer's present one was proven, or since it stopped; so
    /// whatever echoes ours was said afterwards.
    pub(crate) challenged: bool,
    /// A session that has not echoed ours yet; it gets one probe per heartbeat interval.
    pub(crate) candidate: Option<u64>,
    pub(crate) generation: u64,
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
    /// Whether that report was made after our session began.
    fresh: bool,
    /// It has said `starting` in this run: it came when we were here, or comes as we do.
    pub(crate) begins: bool,
    /// What it has given in a standby and does not take back by itself, in our terms.
    pub(crate) gave: Hold,
    /// What of its groups is there only to be released, in our terms.
    pub(crate) going: Hold,
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
            former: None,
            challenged: false,
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
            fresh: false,
            begins: false,
            gave: Hold::None,
            going: Hold::None,
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

    /// Decides whether a message belongs to the peer's present run or proves a new one. `sid` is our
    /// own session.
    pub(crate) fn admit(&mut self, header: &Header<'_>, is_status: bool, sid: u64) -> Admission {
        match header.session {
            Some(session) if self.stopped && self.former == Some(session) => Admission::Ignored,
            Some(session) if self.session == Some(session) => {
                if header.generation == self.generation {
                    Admission::Same
                } else {
                    Admission::Refused(Refusal::Replay)
                }
            }
            // It has taken a new session within its run: it may not hear us any more, but it lives.
            Some(_) if self.session.is_some() && self.follows(header) => Admission::NewRun,
            Some(session) if ![header.echo, header.probe].contains(&Some(sid)) => {
                self.candidate = Some(session);
                Admission::Refused(Refusal::Unproven)
            }
            Some(session) => self.admit_new(header, session),
            None => self.admit_original(header, is_status),
        }
    }

    /// Whether a message comes after everything heard so far of the same run.
    fn follows(&self, header: &Header<'_>) -> bool {
        header.generation == self.generation && header.seq > Some(self.window.highest())
    }

    /// A session that we do not know echoes ours. It may still be from before the present one:
    /// recorded, or overtaken on a slow link. Sequence numbers grow within a run and generations from
    /// run to run; but a run whose state files are lost begins with an older generation. So what
    /// looks older has to echo a session that we take only now.
    fn admit_new(&mut self, header: &Header<'_>, session: u64) -> Admission {
        let present = self.session.is_some();
        let dated = header.generation <= self.generation;
        if header.seq.is_none() {
            Admission::Refused(Refusal::Unproven)
        } else if (self.stopped || (present && dated)) && !self.challenged {
            self.candidate = Some(session);
            Admission::Challenge
        } else {
            Admission::NewRun
        }
    }

    /// The original knows no sessions: its generation must not go back, its sequence neither.
    fn admit_original(&self, header: &Header<'_>, is_status: bool) -> Admission {
        let same = self.kind == PeerKind::Heartbeat && header.generation == self.generation;
        if self.kind == PeerKind::Systole && !self.gone() {
            Admission::Refused(Refusal::Unproven)
        } else if self.kind == PeerKind::Unknown {
            Admission::NewRun
        } else if same && self.stopped {
            Admission::Ignored
        } else if same && !self.gone() {
            Admission::Same
        } else if same && header.seq > Some(self.window.highest()) {
            Admission::NewRun
        } else if header.generation <= self.generation {
            Admission::Refused(Refusal::Replay)
        } else if is_status {
            Admission::NewRun
        } else {
            Admission::Refused(Refusal::Unproven)
        }
    }

    /// Begins a new run of the peer, and says what that is: a restart, a return, or neither.
    pub(crate) fn on_new_run(&mut self, header: &Header<'_>) -> Option<Report> {
        let restarted = header.generation != self.generation;
        let report = match self.kind {
            PeerKind::Unknown => None,
            PeerKind::Heartbeat | PeerKind::Systole if restarted => Some(Report::PeerRestarted),
            PeerKind::Heartbeat | PeerKind::Systole => Some(Report::PeerReturned),
        };
        self.kind = if header.session.is_some() {
            PeerKind::Systole
        } else {
            PeerKind::Heartbeat
        };
        self.session = header.session;
        self.challenged = false;
        self.candidate = None;
        self.generation = header.generation;
        self.window = Window::new();
        self.late = false;
        self.stopped = false;
        self.forget_report();
        self.rejoined = true;
        report
    }

    fn forget_report(&mut self) {
        self.reported_at = 0;
        self.hold = None;
        self.stable = false;
        self.fresh = false;
        self.begins = false;
        self.gave = Hold::None;
        self.going = Hold::None;
    }

    /// Whether we have the peer's word in this run, and it is its latest.
    pub(crate) const fn word_is_fresh(&self) -> bool {
        self.hold.is_some() && self.fresh
    }

    /// Whether the peer's latest word is that it takes no more by itself.
    pub(crate) const fn settled(&self) -> bool {
        self.word_is_fresh() && self.stable
    }

    /// Takes note of a sequence number.
    pub(crate) fn on_sequence(&mut self, sequence: u64) -> Novelty {
        self.window.note(sequence)
    }

    /// Takes the peer's report of what it holds, in its own terms. One older than the last changes
    /// nothing. One that is not `fresh`, because it does not echo our session, can only add: what the
    /// peer claims is believed at once, what it denies only when it is known to be its latest word.
    pub(crate) fn on_report(
        &mut self,
        sequence: u64,
        hold: Hold,
        stable: bool,
        fresh: bool,
    ) -> bool {
        if sequence < self.reported_at {
            return false;
        }
        self.reported_at = sequence;
        self.fresh = fresh;
        let hold = if fresh {
            Some(hold.swapped())
        } else {
            Some(self.hold.unwrap_or_default().with(hold.swapped()))
        };
        let new = self.hold != hold || self.stable != stable;
        self.hold = hold;
        self.stable = stable;
        new
    }

    /// The peer is dead or has stopped: what it said before no longer counts.
    pub(crate) fn on_gone(&mut self, stopped: bool) {
        self.status = NodeStatus::Dead;
        self.stopped = stopped;
        self.former = self.session.take();
        self.challenged = false;
        self.late = false;
        self.rejoined = false;
        self.forget_report();
    }

    /// We have lost sight of ourselves: the peer has to be seen anew, and to answer our new session.
    /// What waited in the sockets meanwhile is as old as a recording.
    pub(crate) fn on_own_lateness(&mut self) {
        self.status = NodeStatus::Init;
        self.session = None;
        self.heard = None;
        self.late = false;
        self.rejoined = false;
        self.forget_report();
    }

    /// When the silence becomes death, at `unseen_until` while the peer has not been heard at all;
    /// nothing when it already has.
    pub(crate) fn dead_at(&self, unseen_until: Instant) -> Option<Instant> {
        match (self.gone(), self.heard) {
            (true, _) => None,
            (false, Some(heard)) => Some(heard + self.deadtime),
            (false, None) => Some(unseen_until),
        }
    }

    /// When the silence is worth a report; nothing when it has been reported.
    pub(crate) fn late_at(&self, config: &Config) -> Option<Instant> {
        let heard = self.heard.filter(|_| self.alive() && !self.late)?;
        Some(heard + config.warntime)
    }
}
