//! The deadlines of a node: one slot for each reason to wake up.

use crate::time::Instant;

/// Why a node wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimerId {
    /// The next heartbeat is due.
    Keepalive,
    /// The peer has been silent for warntime.
    PeerLate,
    /// The peer has been silent for its deadtime, or for initdead after our start.
    PeerDead,
    /// A link has brought nothing for the peer's deadtime.
    LinkDead,
    /// Lost messages are asked for again.
    Retransmit,
    /// An answer in the start-up exchange with the original is overdue.
    Settle,
    /// An answer in a standby is overdue.
    Standby,
    /// A failed group is tried again.
    Retry,
    /// An operation on a group has not ended in time.
    Operation,
    /// Refused frames and lost messages are reported again.
    Traffic,
    /// The last words of a clean stop have had their time.
    Linger,
}

const TIMERS: usize = TimerId::Linger as usize + 1;

const ALL: [TimerId; TIMERS] = [
    TimerId::Keepalive,
    TimerId::PeerLate,
    TimerId::PeerDead,
    TimerId::LinkDead,
    TimerId::Retransmit,
    TimerId::Settle,
    TimerId::Standby,
    TimerId::Retry,
    TimerId::Operation,
    TimerId::Traffic,
    TimerId::Linger,
];

/// The table of deadlines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers([Option<Instant>; TIMERS]);

impl Timers {
    /// Sets a deadline, or clears it.
    pub(crate) fn set(&mut self, id: TimerId, at: Option<Instant>) {
        if let Some(slot) = self.0.get_mut(id as usize) {
            *slot = at;
        }
    }

    /// Whether a deadline is set.
    pub(crate) fn is_set(&self, id: TimerId) -> bool {
        self.0.get(id as usize).is_some_and(Option::is_some)
    }

    /// Clears a deadline that has come and says whether it had.
    pub(crate) fn take_due(&mut self, id: TimerId, now: Instant) -> bool {
        match self.0.get_mut(id as usize) {
            Some(slot) if slot.is_some_and(|at| at <= now) => {
                *slot = None;
                true
            }
            _ => false,
        }
    }

    /// The earliest deadline.
    pub(crate) fn earliest(&self) -> Option<(Instant, TimerId)> {
        self.0
            .iter()
            .zip(ALL)
            .filter_map(|(at, id)| at.map(|at| (at, id)))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    /// Aim: the table wakes for the earliest deadline, says why, and forgets it once taken.
    #[test]
    fn earliest_first() {
        let start = Instant::from_micros(0);
        let mut timers = Timers::default();
        assert_eq!(timers.earliest(), None);
        timers.set(TimerId::PeerDead, Some(start + Duration::from_millis(500)));
        timers.set(TimerId::Keepalive, Some(start + Duration::from_millis(100)));
        let at = start + Duration::from_millis(100);
        assert_eq!(timers.earliest(), Some((at, TimerId::Keepalive)));
        assert!(!timers.take_due(TimerId::Keepalive, start));
        assert!(timers.take_due(TimerId::Keepalive, at));
        assert!(!timers.take_due(TimerId::Keepalive, at));
        assert_eq!(timers.earliest().map(|(_, id)| id), Some(TimerId::PeerDead));
    }

    /// Aim: every slot has its own name in the list that names them.
    #[test]
    fn slots_match_their_names() {
        for (index, id) in ALL.iter().enumerate() {
            assert_eq!(*id as usize, index);
        }
    }
}
