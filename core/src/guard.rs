//! The board's machine: it watches one host, resets it when it falls silent, and says so.
//!
//! Silence is the absence of feeds of the run that armed the board, and of anything else that proves
//! that run alive ([`Guard::on_host_heard`]). The host is reset for two reasons only: silence for the
//! armed time, or a signed request of the peer after silence for half of it. A board that is not
//! armed resets nobody, whatever it hears.
//!
//! The host of this machine is a loop like that of [`crate::Node`]: hand over frames and the deadline,
//! then take actions until there are none.

use heapless::{Deque, Vec};

use crate::auth::Key;
use crate::time::{Duration, Instant};
use crate::wire::board::{
    Arm, FenceAnswer, FenceRequest, Frame, LineQuality, Phase, Refused, State, Verdict,
};

mod action;

pub use action::{GuardAction, GuardReport, Route};

/// The shortest `guard_timeout`: a board's own delays are far below it.
pub const TIMEOUT_MIN: Duration = Duration::from_millis(100);
/// The longest `guard_timeout`: more is no watchdog.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(600);
/// The shortest time for which a reset line is held; every reset input needs less.
pub const HOLD_MIN: Duration = Duration::from_millis(10);
/// The longest; a power button that is held longer means something else.
pub const HOLD_MAX: Duration = Duration::from_secs(10);
/// After a reset: how long "fenced" is repeated, and late bytes of the former run are not believed.
pub const HOLD_OFF: Duration = Duration::from_secs(30);
/// So many resets within [`QUARANTINE_WINDOW`] are no cure: then an operator is needed.
pub const RESETS_MAX: usize = 3;
/// See [`RESETS_MAX`].
pub const QUARANTINE_WINDOW: Duration = Duration::from_secs(30 * 60);

/// Reports that can wait; the newest is lost when nobody takes them.
const REPORTS_MAX: usize = 8;

/// The run that is watched.
#[derive(Clone, Copy, Debug)]
struct Watch {
    session: u64,
    timeout: Duration,
    hold: Duration,
    alive_at: Instant,
    late: bool,
    /// When another run fed: then two hosts are on one line.
    foreign_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Disarmed,
    Armed(Watch),
    Resetting {
        session: u64,
        until: Instant,
        /// From here on a feed proves that the reset does nothing; before, it may have been under way.
        dead_at: Instant,
        survived: bool,
    },
    HoldOff {
        session: u64,
        until: Instant,
    },
    Quarantine {
        session: u64,
    },
}

/// The board's machine.
#[derive(Debug)]
pub struct Guard {
    stage: Stage,
    now: Instant,
    /// Signs fence requests. It came with the arm, and stays until the next one or the disarm.
    key: Option<Key>,
    /// The run that was reset and has not been heard since, and until when that is worth saying.
    fenced: Option<(u64, Instant)>,
    recent: Vec<Instant, RESETS_MAX>,
    resets: u32,
    refused: Refused,
    line: Option<bool>,
    answer: Option<FenceAnswer>,
    answer_host: Option<FenceAnswer>,
    tell_state: bool,
    reports: Deque<GuardReport, REPORTS_MAX>,
}

impl Guard {
    /// A disarmed guard.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Disarmed,
            now,
            key: None,
            fenced: None,
            recent: Vec::new(),
            resets: 0,
            refused: Refused {
                foreign: 0,
                unfit: 0,
                quarantine: 0,
                unsigned: 0,
                unfenced: 0,
            },
            line: None,
            answer: None,
            answer_host: None,
            tell_state: false,
            reports: Deque::new(),
        }
    }

    /// Takes a frame from the line of the own host.
    pub fn handle_host(&mut self, now: Instant, frame: &Frame<'_>) -> Route {
        self.handle_tick(now);
        match frame {
            Frame::Heartbeat(_) | Frame::FenceRequest(_) => return Route::PassOn,
            Frame::Hello(_) | Frame::SelfTest => return Route::Local,
            Frame::Arm(arm) => self.on_arm(arm),
            Frame::Feed { session } => self.on_feed(*session),
            Frame::Disarm { session } => self.on_disarm(*session),
            Frame::State(_)
            | Frame::PeerState(_)
            | Frame::FenceAnswer(_)
            | Frame::SelfTestDone(_)
            | Frame::Log(_) => return Route::Misplaced,
        }
        Route::Done
    }

    /// Takes a frame from the line of the other board.
    pub fn handle_peer(&mut self, now: Instant, frame: &Frame<'_>) -> Route {
        self.handle_tick(now);
        match frame {
            Frame::Heartbeat(_) | Frame::FenceAnswer(_) => Route::PassOn,
            Frame::State(state) => Route::PassOnState(*state),
            Frame::Hello(_) => Route::Local,
            Frame::FenceRequest(request) => {
                self.on_fence_request(request);
                Route::Done
            }
            Frame::Arm(_)
            | Frame::Feed { .. }
            | Frame::Disarm { .. }
            | Frame::PeerState(_)
            | Frame::SelfTest
            | Frame::SelfTestDone(_)
            | Frame::Log(_) => Route::Misplaced,
        }
    }

    /// The armed run was heard on another path, by a message that proves it.
    pub fn on_host_heard(&mut self, now: Instant) {
        self.handle_tick(now);
        self.fenced = None;
        self.alive();
    }

    /// The deadline has come; harmless when it has not.
    pub fn handle_tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        match self.stage {
            Stage::Armed(watch) => self.look(watch),
            Stage::Resetting {
                session,
                until,
                survived,
                ..
            } if self.now >= until => self.on_held(session, survived),
            Stage::HoldOff { until, .. } if self.now >= until => self.enter(Stage::Disarmed),
            Stage::Disarmed
            | Stage::Resetting { .. }
            | Stage::HoldOff { .. }
            | Stage::Quarantine { .. } => {}
        }
    }

    /// When to call [`Guard::handle_tick`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Armed(watch) if watch.late => Some(watch.alive_at + watch.timeout),
            Stage::Armed(watch) => Some(watch.alive_at + watch.timeout.divided_by(2)),
            Stage::Resetting { until, .. } | Stage::HoldOff { until, .. } => Some(until),
            Stage::Disarmed | Stage::Quarantine { .. } => None,
        }
    }

    /// Gives the next action, the reset line first.
    pub fn poll_action(&mut self) -> Option<GuardAction> {
        if let Some(low) = self.line.take() {
            return Some(GuardAction::ResetLine { low });
        }
        if let Some(answer) = self.answer.take() {
            return Some(GuardAction::TellPeer(answer));
        }
        if let Some(answer) = self.answer_host.take() {
            return Some(GuardAction::TellHost(answer));
        }
        if core::mem::take(&mut self.tell_state) {
            return Some(GuardAction::TellState);
        }
        self.reports.pop_front().map(GuardAction::Report)
    }

    /// What the board says about itself. Its host knows the lines and when it was started.
    #[must_use]
    pub fn state(&self, started: Instant, host: LineQuality, peer: LineQuality) -> State {
        let (phase, session, alive_at) = match self.stage {
            Stage::Disarmed => (Phase::Disarmed, 0, None),
            Stage::Armed(watch) => {
                let phase = if watch.late {
                    Phase::Late
                } else {
                    Phase::Armed
                };
                (phase, watch.session, Some(watch.alive_at))
            }
            Stage::Resetting { session, .. } => (Phase::Resetting, session, None),
            Stage::HoldOff { session, .. } => (Phase::HoldOff, session, None),
            Stage::Quarantine { session } => (Phase::Quarantine, session, None),
        };
        let silent = alive_at.map_or(0, |at| self.now.since(at).as_millis());
        State {
            phase,
            session,
            silent_ms: u32::try_from(silent).unwrap_or(u32::MAX),
            uptime_ms: self.now.since(started).as_millis(),
            resets: self.resets,
            refused: self.refused,
            host,
            peer,
        }
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.tell_state = true;
    }

    fn report(&mut self, report: GuardReport) {
        // The newest is lost when nobody takes them; the state says the rest.
        let _ = self.reports.push_back(report);
    }

    fn on_arm(&mut self, arm: &Arm<'_>) {
        self.tell_state = true;
        let timeout = Duration::from_millis(arm.timeout_ms.into());
        let hold = Duration::from_millis(arm.hold_ms.into());
        let fits =
            (TIMEOUT_MIN..=TIMEOUT_MAX).contains(&timeout) && (HOLD_MIN..=HOLD_MAX).contains(&hold);
        let Some(key) = arm.key.key().filter(|_| fits) else {
            return count(&mut self.refused.unfit);
        };
        match self.stage {
            // Another host, or a second daemon, must not take the watch away from one that lives.
            Stage::Armed(watch) if watch.session != arm.session && !watch.late => {
                return count(&mut self.refused.foreign);
            }
            // The last bytes of a run that is being ended.
            Stage::Resetting { .. } => return count(&mut self.refused.foreign),
            Stage::HoldOff { session, .. } if session == arm.session => {
                return count(&mut self.refused.foreign);
            }
            Stage::Quarantine { .. } if !arm.operator => {
                return count(&mut self.refused.quarantine);
            }
            Stage::Disarmed
            | Stage::Armed(_)
            | Stage::HoldOff { .. }
            | Stage::Quarantine { .. } => {}
        }
        if arm.operator {
            self.recent.clear();
        }
        self.key = Some(key);
        self.fenced = None;
        self.enter(Stage::Armed(Watch {
            session: arm.session,
            timeout,
            hold,
            alive_at: self.now,
            late: false,
            foreign_at: None,
        }));
        self.report(GuardReport::Armed);
    }

    fn on_feed(&mut self, fed: u64) {
        let now = self.now;
        match &mut self.stage {
            Stage::Armed(watch) if watch.session == fed => return self.alive(),
            Stage::Armed(watch) => watch.foreign_at = Some(now),
            Stage::Resetting {
                session,
                dead_at,
                survived,
                ..
            } => *survived |= *session == fed && now >= *dead_at,
            Stage::HoldOff { session, .. } | Stage::Quarantine { session } => {
                if *session == fed && self.fenced.is_some() {
                    let session = *session;
                    self.on_survived(session);
                }
            }
            Stage::Disarmed => {}
        }
        count(&mut self.refused.foreign);
    }

    fn on_disarm(&mut self, told: u64) {
        match self.stage {
            Stage::Armed(Watch { session, .. }) if session == told => {
                self.key = None;
                self.enter(Stage::Disarmed);
                self.report(GuardReport::Disarmed);
            }
            Stage::Disarmed
            | Stage::Armed(_)
            | Stage::Resetting { .. }
            | Stage::HoldOff { .. }
            | Stage::Quarantine { .. } => count(&mut self.refused.foreign),
        }
    }

    /// The armed run is alive.
    fn alive(&mut self) {
        if let Stage::Armed(watch) = &mut self.stage {
            watch.alive_at = self.now;
            if core::mem::take(&mut watch.late) {
                self.tell_state = true;
                self.report(GuardReport::Back);
            }
        }
    }

    /// Judges the silence of the armed run.
    fn look(&mut self, watch: Watch) {
        let silence = self.now.since(watch.alive_at);
        if silence >= watch.timeout {
            self.reset(watch, GuardReport::ResetForSilence);
        } else if silence >= watch.timeout.divided_by(2) && !watch.late {
            self.enter(Stage::Armed(Watch {
                late: true,
                ..watch
            }));
            self.report(GuardReport::Late);
        }
    }

    /// Resets the host; says whether it does.
    fn reset(&mut self, watch: Watch, why: GuardReport) -> bool {
        let recently = |at| self.now.since(at) < watch.timeout;
        if watch.foreign_at.is_some_and(recently) {
            self.enter(Stage::Disarmed);
            self.report(GuardReport::TwoHosts);
            return false;
        }
        self.line = Some(true);
        self.resets = self.resets.saturating_add(1);
        self.enter(Stage::Resetting {
            session: watch.session,
            until: self.now + watch.hold,
            dead_at: self.now + watch.hold.divided_by(2),
            survived: false,
        });
        self.report(why);
        true
    }

    /// The line was low for its time: now, and not before, the host is fenced.
    fn on_held(&mut self, session: u64, survived: bool) {
        self.line = Some(false);
        let now = self.now;
        let until = now + HOLD_OFF;
        self.recent.retain(|at| now.since(*at) < QUARANTINE_WINDOW);
        // There is room, because a full list means quarantine, which an operator ends and empties.
        let _ = self.recent.push(now);
        let quarantine = self.recent.is_full();
        self.enter(if quarantine {
            Stage::Quarantine { session }
        } else {
            Stage::HoldOff { session, until }
        });
        if survived {
            self.on_survived(session);
        } else {
            self.fenced = Some((session, until));
            self.tell(session, Verdict::Fenced);
            self.report(GuardReport::ResetDone);
        }
        if quarantine {
            self.report(GuardReport::Quarantined);
        }
    }

    /// The run that was reset still feeds. What was said before is not true.
    fn on_survived(&mut self, session: u64) {
        self.fenced = None;
        self.tell(session, Verdict::Survived);
        self.report(GuardReport::ResetFailed);
    }

    fn on_fence_request(&mut self, request: &FenceRequest<'_>) {
        let asked = request.session;
        let signed = self.key.as_ref().map(|key| request.is_signed(key));
        if signed == Some(false) {
            return count(&mut self.refused.unsigned);
        }
        let now = self.now;
        let is_fenced = |(session, until): (u64, Instant)| session == asked && now < until;
        let verdict = match self.stage {
            Stage::Armed(watch) if watch.session == asked && signed == Some(true) => {
                if !watch.late {
                    Verdict::HostLives
                } else if self.reset(watch, GuardReport::ResetOnRequest) {
                    Verdict::UnderWay
                } else {
                    Verdict::NotArmed
                }
            }
            Stage::Resetting { session, .. } if session == asked => Verdict::UnderWay,
            Stage::Disarmed
            | Stage::Armed(_)
            | Stage::Resetting { .. }
            | Stage::HoldOff { .. }
            | Stage::Quarantine { .. } => {
                if self.fenced.is_some_and(is_fenced) {
                    Verdict::Fenced
                } else {
                    Verdict::NotArmed
                }
            }
        };
        if matches!(verdict, Verdict::HostLives | Verdict::NotArmed) {
            count(&mut self.refused.unfenced);
        }
        self.answer = Some(FenceAnswer {
            session: asked,
            verdict,
        });
    }

    fn tell(&mut self, session: u64, verdict: Verdict) {
        let answer = FenceAnswer { session, verdict };
        self.answer = Some(answer);
        self.answer_host = Some(answer);
    }
}

fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

#[cfg(test)]
mod tests;
