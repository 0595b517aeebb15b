//! What the guard asks of whoever runs it.

use crate::wire::board::{FenceAnswer, State};

/// What is to become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Route {
    /// It was for the guard.
    Done,
    /// It goes to the other line as it is.
    PassOn,
    /// The other board's state: it goes to the host as [`Frame::PeerState`].
    PassOnState(State),
    /// It was for the host of the guard: a greeting, a self-test.
    Local,
    /// It does not belong on this line; it is counted there.
    Misplaced,
}

/// One request to whoever runs the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardAction {
    /// Pull the reset line low, or let it go.
    ResetLine {
        /// Whether it shall be low.
        low: bool,
    },
    /// Send this to the other board.
    TellPeer(FenceAnswer),
    /// Send this to the own host, should it be able to hear it.
    TellHost(FenceAnswer),
    /// Send [`Guard::state`] to both lines: it has changed.
    TellState,
    /// A fact worth logging.
    Report(GuardReport),
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardReport {
    /// The host is watched from now on.
    Armed,
    /// It no longer is.
    Disarmed,
    /// It has been silent for half of its time.
    Late,
    /// It was late and has been heard again.
    Back,
    /// The reset line is low: the host was silent.
    ResetForSilence,
    /// The reset line is low: the host was silent and the peer asked.
    ResetOnRequest,
    /// The reset line was held for its time.
    ResetDone,
    /// It was, and the host went on all the same: the line is not connected as it should be.
    ResetFailed,
    /// The host would be reset now, but another one is on its line: nobody is watched any more.
    TwoHosts,
    /// That was one reset too many.
    Quarantined,
}
