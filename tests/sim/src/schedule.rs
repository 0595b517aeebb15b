//! What is going to happen, in the order of time.

use core::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::rc::Rc;

use systole_core::event::{Operation, Outcome};

use crate::clock::Micros;
use crate::machine::Nature;

/// Something that is going to happen on a machine.
#[derive(Debug)]
pub(crate) enum Wake {
    /// A frame arrives on a link.
    Arrive(usize, usize, Rc<[u8]>, Nature),
    /// The daemon looks at its clock.
    Turn(usize),
    /// An operation on a group ends; the last number tells it from a broken-off one.
    Done(usize, usize, Operation, Outcome, u64),
}

#[derive(Debug)]
struct Entry {
    at: Micros,
    serial: u64,
    wake: Wake,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// The queue. Of two things at the same moment the one scheduled first comes first.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    queue: BinaryHeap<Reverse<Entry>>,
    serial: u64,
}

impl Schedule {
    /// A number that was never given before.
    pub(crate) const fn number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn push(&mut self, at: Micros, wake: Wake) {
        let serial = self.number();
        self.queue.push(Reverse(Entry { at, serial, wake }));
    }

    /// The next thing at or before a moment.
    pub(crate) fn pop(&mut self, until: Micros) -> Option<(Micros, Wake)> {
        let due = self.queue.peek().is_some_and(|next| next.0.at <= until);
        let Reverse(entry) = due.then(|| self.queue.pop())??;
        Some((entry.at, entry.wake))
    }
}
