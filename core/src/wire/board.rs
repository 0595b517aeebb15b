//! What goes over the lines of a board: to its host, and to the other board.
//!
//! A frame is COBS of: a version byte, the [`Frame`] in postcard's form, and a CRC-32 of both; then a
//! zero byte. A reader is in step again at the next zero byte, whatever it met before.
//!
//! This is the one definition of the frames. What they mean to the board is in [`crate::guard`].

mod cobs;
mod frame;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use frame::{BoardReader, FrameError, emit};

use crate::auth::{Key, Method};
use crate::limits::FRAME_BYTES_MAX;

/// The version of the frames below. A change of any of them is a new one.
pub const VERSION: u8 = 1;

/// Bytes of a frame on the line: a heartbeat of full length, what postcard and COBS add, version, CRC
/// and the zero byte at the end.
pub const BOARD_BYTES_MAX: usize = FRAME_BYTES_MAX + 32;

/// One frame. The order of the variants is their number on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame<'a> {
    /// A signed message of one host for the other, passed on as it is.
    Heartbeat(&'a [u8]),
    /// Said at the start, and as the answer to one.
    Hello(#[serde(borrow)] Hello<'a>),
    /// From the host: watch me.
    #[serde(borrow)]
    Arm(Arm<'a>),
    /// From the host: I live. Said with every heartbeat.
    Feed {
        /// The session of the arm.
        session: u64,
    },
    /// From the host: watch me no longer.
    Disarm {
        /// The session of the arm.
        session: u64,
    },
    /// From a board, now and then and after every change: to its host, and to the other board, which
    /// passes it on to its own host as [`Frame::PeerState`].
    State(State),
    /// What the other board last said.
    PeerState(State),
    /// From the peer: reset your host if it is silent.
    FenceRequest(#[serde(borrow)] FenceRequest<'a>),
    /// From a board, to whoever asked and to its own host.
    FenceAnswer(FenceAnswer),
    /// From the host: pull nothing, but say whether all is well.
    SelfTest,
    /// The result, a bit for each part that failed.
    SelfTestDone(u8),
    /// A piece of the board's log, in defmt's form.
    Log(&'a [u8]),
}

impl Frame<'_> {
    /// How many variants there are: a higher number on the line is a frame of a later version.
    pub(crate) const KINDS: u8 = 12;
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello<'a> {
    /// Whether it is a board; else a host.
    pub board: bool,
    /// Another number after every start.
    pub boot: u32,
    /// The version of its software, for people.
    pub software: &'a str,
}

/// A host wants to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm<'a> {
    /// A random number that names this run of the host.
    pub session: u64,
    /// Silence after which the host is reset, in milliseconds (`guard_timeout`).
    pub timeout_ms: u32,
    /// How long the reset line is held, in milliseconds.
    pub hold_ms: u32,
    /// An operator asks, not the daemon by itself: ends a quarantine.
    pub operator: bool,
    /// The key that fence requests are signed with; the board keeps it in RAM.
    #[serde(borrow)]
    pub key: BoardKey<'a>,
}

/// A key of authkeys on its way to the board.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardKey<'a> {
    /// 0 crc, 1 md5, 2 sha1.
    method: u8,
    secret: &'a [u8],
}

impl<'a> BoardKey<'a> {
    const METHODS: [Method; 3] = [Method::Crc, Method::Md5, Method::Sha1];

    /// Packs a key.
    #[must_use]
    pub fn new(key: &'a Key) -> Self {
        let number = (0_u8..).zip(Self::METHODS);
        let method = number
            .into_iter()
            .find(|(_, method)| *method == key.method());
        Self {
            method: method.map_or(0, |(number, _)| number),
            secret: key.secret(),
        }
    }

    /// Unpacks it; `None` when it is no key.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        let method = *Self::METHODS.get(usize::from(self.method))?;
        Key::new(method, self.secret).ok()
    }
}

impl core::fmt::Debug for BoardKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("BoardKey")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The peer's host wants this board's host reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceRequest<'a> {
    /// The session that shall end: a request of yesterday names another one.
    pub session: u64,
    token: &'a str,
}

/// What a fence request signs before the number of the session.
const FENCE: &[u8] = b"systole fence ";

impl<'a> FenceRequest<'a> {
    /// Signs a request; `token` keeps the signature.
    #[must_use]
    pub fn new(session: u64, key: &Key, token: &'a mut FenceToken) -> Self {
        *token = FenceToken(Some(key.token(&[FENCE, &session.to_le_bytes()])));
        let token = token.0.as_ref().map_or("", |token| token.as_str());
        Self { session, token }
    }

    /// Whether it was signed with this key.
    #[must_use]
    pub fn is_signed(&self, key: &Key) -> bool {
        key.token(&[FENCE, &self.session.to_le_bytes()])
            .matches(self.token.as_bytes())
    }
}

/// Room for the signature of a fence request.
#[derive(Default)]
pub struct FenceToken(Option<crate::auth::Token>);

/// What became of a fence request, or of a host that fell silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceAnswer {
    /// The session that was asked about.
    pub session: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// The answer to a fence request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The reset line was held for its time, and the host has not been heard since.
    Fenced,
    /// The line is low; the answer follows.
    UnderWay,
    /// The host was heard a moment ago, so it is not reset.
    HostLives,
    /// The host is not armed with this session, so it is not reset.
    NotArmed,
    /// The reset line was held, and the host went on all the same: it is not fenced.
    Survived,
}

/// What a board says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it does.
    pub phase: Phase,
    /// The session of the arm, or of the last reset; 0 when there is none.
    pub session: u64,
    /// Since the host was last heard, in milliseconds; meaningless while disarmed.
    pub silent_ms: u32,
    /// Since the board's start, in milliseconds.
    pub uptime_ms: u64,
    /// Resets of the host since the board's start.
    pub resets: u32,
    /// What the guard refused.
    pub refused: Refused,
    /// The line to the host.
    pub host: LineQuality,
    /// The line to the other board.
    pub peer: LineQuality,
}

/// What a board does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It watches nobody and resets nobody.
    #[default]
    Disarmed,
    /// It watches its host, which lives.
    Armed,
    /// It watches its host, which has been silent for half of its time.
    Late,
    /// It holds the reset line low.
    Resetting,
    /// It has reset its host and waits for it to come back.
    HoldOff,
    /// It has reset its host too often: it watches again only when an operator says so.
    Quarantine,
}

/// Requests without effect, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// From another host, or an earlier run, while the armed one lives.
    pub foreign: u32,
    /// To arm with times outside of their limits, or with something that is no key.
    pub unfit: u32,
    /// To arm in quarantine.
    pub quarantine: u32,
    /// To fence, with a wrong signature.
    pub unsigned: u32,
    /// To fence a host that lives or is not armed.
    pub unfenced: u32,
}

/// What a line has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQuality {
    /// Good frames.
    pub frames: u32,
    /// Frames that no reader could read: noise, a wrong baud rate, a cut frame.
    pub damaged: u32,
    /// Frames of another version or of an unknown kind.
    pub unknown: u32,
    /// Frames, or garbage without an end, longer than a frame can be.
    pub oversize: u32,
    /// Frames that do not belong on this line.
    pub misplaced: u32,
}

impl LineQuality {
    /// Counts what a reader has given out.
    pub fn count(&mut self, read: Result<(), FrameError>) {
        let counter = match read {
            Ok(()) => &mut self.frames,
            Err(FrameError::Damaged) => &mut self.damaged,
            Err(FrameError::Version(_) | FrameError::Kind(_)) => &mut self.unknown,
            Err(FrameError::Oversize) => &mut self.oversize,
        };
        *counter = counter.saturating_add(1);
    }
}
