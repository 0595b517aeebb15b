//! Sequence numbers heard from the peer: what is new, what is a duplicate, what is missing.
//!
//! As in the original (hb306: `heartbeat.c`, `should_drop_message`), messages are processed as they
//! come, also behind a gap; missing numbers are asked for, and a gap longer than the window resets
//! the tracking.

use crate::limits::SEQUENCE_WINDOW;

const WORDS: usize = SEQUENCE_WINDOW / 64;

/// What a sequence number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// Not seen before, and the highest yet.
    Newest,
    /// Not seen before; it fills a gap.
    Late,
    /// Seen before, or too old to tell.
    Seen,
    /// Far ahead of everything before: so many messages lie between that they are given up.
    Jump,
}

/// The last [`SEQUENCE_WINDOW`] numbers of one run of the peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// The highest number seen; 0 before the first.
    highest: u64,
    /// Nothing at or below this is missing or asked for.
    floor: u64,
    /// Bit `n % SEQUENCE_WINDOW` for number `n`: seen.
    seen: [u64; WORDS],
}

impl Window {
    pub(crate) const fn new() -> Self {
        Self {
            highest: 0,
            floor: 0,
            seen: [0; WORDS],
        }
    }

    /// The highest number seen; 0 before the first.
    pub(crate) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Whether the number is not older than everything this window knows.
    pub(crate) const fn covers(&self, sequence: u64) -> bool {
        sequence >= self.floor
    }

    fn bit(&self, sequence: u64) -> bool {
        let (word, mask) = place(sequence);
        self.seen.get(word).is_some_and(|bits| bits & mask != 0)
    }

    fn mark(&mut self, sequence: u64, seen: bool) {
        let (word, mask) = place(sequence);
        if let Some(bits) = self.seen.get_mut(word) {
            *bits = if seen { *bits | mask } else { *bits & !mask };
        }
    }

    /// Takes note of a number. The first one of a run may be any.
    pub(crate) fn note(&mut self, sequence: u64) -> Novelty {
        let span = SEQUENCE_WINDOW as u64;
        if self.highest == 0 || sequence > self.highest.saturating_add(span - 1) {
            let first = self.highest == 0;
            *self = Self {
                highest: sequence,
                floor: sequence,
                seen: [0; WORDS],
            };
            self.mark(sequence, true);
            return if first {
                Novelty::Newest
            } else {
                Novelty::Jump
            };
        }
        if sequence > self.highest {
            for missed in self.highest + 1..sequence {
                self.mark(missed, false);
            }
            self.mark(sequence, true);
            self.highest = sequence;
            self.floor = self.floor.max(sequence.saturating_sub(span - 1));
            return Novelty::Newest;
        }
        if sequence <= self.floor || self.bit(sequence) {
            return Novelty::Seen;
        }
        self.mark(sequence, true);
        Novelty::Late
    }

    /// The first run of missing numbers, first and last.
    pub(crate) fn missing(&self) -> Option<(u64, u64)> {
        let first = (self.floor + 1..self.highest).find(|&n| !self.bit(n))?;
        let last = (first..self.highest).take_while(|&n| !self.bit(n)).last()?;
        Some((first, last))
    }

    /// How many numbers are missing.
    pub(crate) fn missing_count(&self) -> u64 {
        (self.floor + 1..self.highest)
            .filter(|&n| !self.bit(n))
            .count() as u64
    }

    /// Gives up a number that the peer no longer has.
    pub(crate) fn give_up(&mut self, sequence: u64) {
        if sequence > self.floor && sequence < self.highest {
            self.mark(sequence, true);
        }
    }

    /// The highest number with nothing missing below it.
    pub(crate) fn complete(&self) -> u64 {
        self.missing().map_or(self.highest, |(first, _)| first - 1)
    }
}

fn place(sequence: u64) -> (usize, u64) {
    let slot = sequence % SEQUENCE_WINDOW as u64;
    let word = usize::try_from(slot / 64).unwrap_or(0);
    (word, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: order, duplicates and gaps are told apart, and a filled gap is no longer missing.
    #[test]
    fn gaps_and_duplicates() {
        let mut window = Window::default();
        assert_eq!(window.note(7), Novelty::Newest);
        assert_eq!(window.note(3), Novelty::Seen);
        assert_eq!(window.note(8), Novelty::Newest);
        assert_eq!(window.missing(), None);
        assert_eq!(window.note(12), Novelty::Newest);
        assert_eq!(window.missing(), Some((9, 11)));
        assert_eq!(window.complete(), 8);
        assert_eq!(window.note(10), Novelty::Late);
        assert_eq!(window.note(10), Novelty::Seen);
        assert_eq!(window.missing(), Some((9, 9)));
        assert_eq!(window.missing_count(), 2);
        window.give_up(9);
        assert_eq!(window.note(11), Novelty::Late);
        assert_eq!((window.missing(), window.complete()), (None, 12));
    }

    /// Aim: a jump beyond the window starts anew instead of asking for hundreds of messages.
    #[test]
    fn long_gap_resets() {
        let mut window = Window::default();
        window.note(1);
        let far = 1 + SEQUENCE_WINDOW as u64;
        assert_eq!(window.note(far), Novelty::Jump);
        assert_eq!(window.missing(), None);
        assert_eq!(window.note(far), Novelty::Seen);
        assert_eq!(window.note(2), Novelty::Seen);
    }

    /// Aim: the window slides without taking an old number for a new one.
    #[test]
    fn slides() {
        let mut window = Window::default();
        for sequence in (1..2_000).step_by(3) {
            assert_eq!(window.note(sequence), Novelty::Newest);
            assert_eq!(window.note(sequence), Novelty::Seen);
        }
        assert!(window.missing_count() < SEQUENCE_WINDOW as u64);
        assert_eq!(window.note(5), Novelty::Seen);
        assert_eq!(window.note(u64::MAX), Novelty::Jump);
        assert_eq!(window.note(u64::MAX), Novelty::Seen);
    }
}
