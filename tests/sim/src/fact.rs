//! What a run tells: every transition, as the checkers and the timeline see it.

use systole_core::action::Action;
use systole_core::event::{Operation, Outcome};

use crate::clock::Micros;

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fact {
    /// When, in virtual time.
    pub at: Micros,
    /// The same on the clock of the node it is about.
    pub local: Micros,
    /// Which node it is about.
    pub node: usize,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// The daemon was started.
    Started,
    /// The machine lost its power: nothing of it is left.
    Crashed,
    /// The daemon has ended by itself.
    Ended,
    /// The daemon was stopped by the operating system.
    Paused,
    /// It runs again, after this time on its clock.
    Resumed(Micros),
    /// It has begun to look for its peer anew, so much after it had last looked at its clock.
    LostSight(Micros),
    /// Its clock was set, by so much.
    Stepped(i64),
    /// It asks its host for something.
    Act {
        /// What.
        action: Action,
        /// When it was decided at the earliest, in virtual time: now, but on a host that did not
        /// drain.
        decided: Micros,
    },
    /// An operation has ended and the daemon was told.
    Done(usize, Operation, Outcome),
    /// It has handled a word of a run of its peer that has proved itself, newer than all before.
    Heard,
    /// It has handled a frame that must have no effect; whether it had one.
    FalseFrame {
        /// Whether anything that matters changed.
        effect: bool,
    },
    /// One event is handled and every action is taken; the next deadline on its clock, and how many
    /// actions there were.
    Drained {
        /// The deadline.
        deadline: Option<Micros>,
        /// The actions.
        actions: usize,
        /// The event was the clock's, so the node has nothing left to do now and waits.
        waits: bool,
    },
    /// It has come to the verdict that its peer is gone, by silence or by its last words; whether
    /// they were in contact.
    Verdict {
        /// They were.
        contact: bool,
    },
    /// The two nodes are in contact, or no longer.
    Contact(bool),
}
