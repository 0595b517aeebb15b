//! A whole board without its hardware: two lines, the guard, and what goes from one line to the other.
//!
//! Its host gives it the bytes of each line and the time, sends what it asks for, and moves the reset
//! line. Nothing that arrives makes it wait, and nothing is kept: a frame is passed on when it is
//! whole, or never.

use crate::guard::{Guard, GuardAction, GuardReport, Route};
use crate::time::{Duration, Instant};
use crate::wire::board::{BOARD_BYTES_MAX, BoardReader, Frame, Hello, LineQuality, State, emit};

/// Between two states when nothing has changed. The peer's daemon learns from them what it can ask for.
pub const STATE_EVERY: Duration = Duration::from_secs(1);

/// Room for one frame on its way out.
pub type Outgoing = [u8; BOARD_BYTES_MAX];

/// One of the two lines of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// To the own host.
    Host,
    /// To the other board.
    Peer,
}

impl Line {
    /// Both lines.
    pub const BOTH: [Self; 2] = [Self::Host, Self::Peer];

    const fn opposite(self) -> Self {
        match self {
            Self::Host => Self::Peer,
            Self::Peer => Self::Host,
        }
    }
}

/// One request to whoever runs the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoardAction {
    /// Send the first `len` bytes of the buffer. What the line does not take is lost, in whole frames.
    Transmit {
        /// On this line.
        line: Line,
        /// Bytes of the buffer.
        len: usize,
    },
    /// Pull the reset line low, or let it go.
    ResetLine {
        /// Whether it shall be low.
        low: bool,
    },
    /// Look whether all is well, pull nothing, and give back [`Board::on_self_test`].
    SelfTest,
    /// A fact worth logging.
    Report(GuardReport),
}

#[derive(Debug)]
struct Side {
    reader: BoardReader,
    quality: LineQuality,
    /// The start of the neighbour that was last greeted.
    greeted: Option<u32>,
    greet: bool,
    tell_state: bool,
}

impl Side {
    const fn new() -> Self {
        Self {
            reader: BoardReader::new(),
            quality: LineQuality {
                frames: 0,
                damaged: 0,
                unknown: 0,
                oversize: 0,
                misplaced: 0,
            },
            greeted: None,
            greet: true,
            tell_state: false,
        }
    }
}

/// The board.
#[derive(Debug)]
pub struct Board {
    guard: Guard,
    host: Side,
    peer: Side,
    boot: u32,
    software: &'static str,
    started: Instant,
    now: Instant,
    told_at: Instant,
    self_test: bool,
    tested: Option<u8>,
}

impl Board {
    /// A board that has just started. `boot` is another number after every start.
    #[must_use]
    pub const fn new(now: Instant, boot: u32, software: &'static str) -> Self {
        Self {
            guard: Guard::new(now),
            host: Side::new(),
            peer: Side::new(),
            boot,
            software,
            started: now,
            now,
            told_at: now,
            self_test: false,
            tested: None,
        }
    }

    /// Takes bytes that have arrived on a line from the front of `bytes`, up to a frame that goes on
    /// to the other line; call it until it gives `None`, then take the actions.
    pub fn handle_bytes(
        &mut self,
        now: Instant,
        line: Line,
        bytes: &mut &[u8],
        out: &mut Outgoing,
    ) -> Option<BoardAction> {
        self.now = self.now.max(now);
        let side = match line {
            Line::Host => &mut self.host,
            Line::Peer => &mut self.peer,
        };
        while let Some(read) = side.reader.read(bytes) {
            side.quality
                .count(read.as_ref().map(drop).map_err(|error| *error));
            let Ok(frame) = read else {
                continue;
            };
            let route = match line {
                Line::Host => self.guard.handle_host(self.now, &frame),
                Line::Peer => self.guard.handle_peer(self.now, &frame),
            };
            let onward = match route {
                Route::Done => None,
                Route::PassOn => emit(&frame, out),
                Route::PassOnState(state) => emit(&Frame::PeerState(state), out),
                Route::Misplaced => {
                    side.quality.misplaced = side.quality.misplaced.saturating_add(1);
                    None
                }
                Route::Local => {
                    match frame {
                        Frame::Hello(Hello { boot, .. }) => side.on_hello(boot),
                        Frame::SelfTest => self.self_test = true,
                        Frame::Heartbeat(_)
                        | Frame::Arm(_)
                        | Frame::Feed { .. }
                        | Frame::Disarm { .. }
                        | Frame::State(_)
                        | Frame::PeerState(_)
                        | Frame::FenceRequest(_)
                        | Frame::FenceAnswer(_)
                        | Frame::SelfTestDone(_)
                        | Frame::Log(_) => {}
                    }
                    None
                }
            };
            if let Some(len) = onward {
                let line = line.opposite();
                return Some(BoardAction::Transmit { line, len });
            }
        }
        None
    }

    /// The deadline has come; harmless when it has not.
    pub fn handle_tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.guard.handle_tick(self.now);
        if self.now.since(self.told_at) >= STATE_EVERY {
            self.tell_state();
        }
    }

    /// The armed run was heard on another path, by a message that proves it.
    pub fn on_host_heard(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.guard.on_host_heard(self.now);
    }

    /// The self-test has ended; a bit for each part that failed.
    pub const fn on_self_test(&mut self, failed: u8) {
        self.tested = Some(failed);
    }

    /// When to call [`Board::handle_tick`] at the latest.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        let state = self.told_at + STATE_EVERY;
        self.guard
            .deadline()
            .map_or(state, |guard| guard.min(state))
    }

    /// What the board says about itself.
    #[must_use]
    pub fn state(&self) -> State {
        self.guard
            .state(self.started, self.host.quality, self.peer.quality)
    }

    /// Gives the next action; frames are in `out`. The reset line comes first.
    pub fn poll_action(&mut self, out: &mut Outgoing) -> Option<BoardAction> {
        while let Some(action) = self.guard.poll_action() {
            let (line, answer) = match action {
                GuardAction::ResetLine { low } => return Some(BoardAction::ResetLine { low }),
                GuardAction::Report(report) => return Some(BoardAction::Report(report)),
                GuardAction::TellState => {
                    self.tell_state();
                    continue;
                }
                GuardAction::TellPeer(answer) => (Line::Peer, answer),
                GuardAction::TellHost(answer) => (Line::Host, answer),
            };
            if let Some(len) = emit(&Frame::FenceAnswer(answer), out) {
                return Some(BoardAction::Transmit { line, len });
            }
        }
        if core::mem::take(&mut self.self_test) {
            return Some(BoardAction::SelfTest);
        }
        if let Some(failed) = self.tested.take() {
            let len = emit(&Frame::SelfTestDone(failed), out)?;
            let line = Line::Host;
            return Some(BoardAction::Transmit { line, len });
        }
        Line::BOTH
            .into_iter()
            .find_map(|line| self.poll_side(line, out))
    }

    /// The greeting and the state, which one line may still have to be told.
    fn poll_side(&mut self, line: Line, out: &mut Outgoing) -> Option<BoardAction> {
        let state = self.state();
        let hello = Hello {
            board: true,
            boot: self.boot,
            software: self.software,
        };
        let side = match line {
            Line::Host => &mut self.host,
            Line::Peer => &mut self.peer,
        };
        let frame = if core::mem::take(&mut side.greet) {
            Frame::Hello(hello)
        } else if core::mem::take(&mut side.tell_state) {
            Frame::State(state)
        } else {
            return None;
        };
        let len = emit(&frame, out)?;
        Some(BoardAction::Transmit { line, len })
    }

    fn tell_state(&mut self) {
        self.told_at = self.now;
        self.host.tell_state = true;
        self.peer.tell_state = true;
    }
}

impl Side {
    /// Greets back whoever has just started; two boards that do so are quiet after one answer each.
    const fn on_hello(&mut self, boot: u32) {
        let known = matches!(self.greeted, Some(greeted) if greeted == boot);
        self.greeted = Some(boot);
        if !known {
            self.greet = true;
            self.tell_state = true;
        }
    }
}

#[cfg(test)]
mod tests;
