//! Messages on their way out: those waiting, the one being sent, and those kept for resending.
//!
//! A message is kept as its meaning, not its bytes: one of a few words each. Its bytes are made when
//! it is sent, once per link, because each link carries its own `echo`.

use heapless::Deque;

use crate::hold::Hold;
use crate::id::{GroupId, LinkId};
use crate::limits::{HISTORY_MAX, OUTBOX_MAX, RESEND_MAX};
use crate::report::NodeStatus;
use crate::time::{Duration, Instant};
use crate::wire::message::Stage;

/// A message is not sent again within this time (hb306: 240 ms).
const RESEND_PAUSE: Duration = Duration::from_millis(240);

/// What a `resource` report is about (`info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A change, or an answer to `starting`.
    Plain,
    /// A standby begins.
    Standby,
    /// A clean stop begins.
    Shutdown,
}

/// A message's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outgoing {
    Status(NodeStatus),
    /// A heartbeat that probes a session which is not proven yet, on the link it was heard on.
    Probe(u64, LinkId),
    Ack(u64),
    Rexmit(u64, u64),
    Nak(u64),
    Repnodes,
    Starting,
    Resource {
        hold: Hold,
        stable: bool,
        occasion: Occasion,
    },
    IpRequest(GroupId),
    IpRequestResponse(GroupId),
    Ask(Hold, Stage),
    HbTakeover(Hold),
    Shutdone,
}

impl Outgoing {
    /// Whether it carries a sequence number: all but the `NS_` ones.
    pub(crate) const fn sequenced(self) -> bool {
        !matches!(self, Self::Ack(_) | Self::Rexmit(..) | Self::Nak(_))
    }

    /// The session it probes on a link.
    pub(crate) fn probe(self, link: LinkId) -> Option<u64> {
        match self {
            Self::Probe(session, on) => (on == link).then_some(session),
            Self::Status(_)
            | Self::Ack(_)
            | Self::Rexmit(..)
            | Self::Nak(_)
            | Self::Repnodes
            | Self::Starting
            | Self::Resource { .. }
            | Self::IpRequest(_)
            | Self::IpRequestResponse(_)
            | Self::Ask(..)
            | Self::HbTakeover(_)
            | Self::Shutdone => None,
        }
    }

    /// Whether a waiting message of the same kind is replaced by this one.
    fn replaces(self, waiting: Self) -> bool {
        if let (Self::IpRequestResponse(one), Self::IpRequestResponse(other)) = (self, waiting) {
            return one == other;
        }
        core::mem::discriminant(&self) == core::mem::discriminant(&waiting)
    }
}

/// The message being sent, link by link.
#[derive(Clone, Copy, Debug)]
struct Current {
    message: Outgoing,
    sequence: Option<u64>,
    links: u8,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    sequence: u64,
    message: Outgoing,
    resent: Option<Instant>,
}

/// Everything on its way out.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    waiting: Deque<Outgoing, OUTBOX_MAX>,
    current: Option<Current>,
    next_sequence: u64,
    history: [Option<Kept>; HISTORY_MAX],
    resend: Option<(u64, u64)>,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            waiting: Deque::new(),
            current: None,
            next_sequence: 1,
            history: [const { None }; HISTORY_MAX],
            resend: None,
        }
    }

    /// Queues a message; one of the same kind that still waits is replaced, in its place.
    pub(crate) fn push(&mut self, message: Outgoing) {
        if let Some(waiting) = self
            .waiting
            .iter_mut()
            .find(|waiting| message.replaces(**waiting))
        {
            *waiting = message;
        } else if self.waiting.push_back(message).is_err() {
            debug_assert!(false, "there are fewer kinds of messages than places");
        }
    }

    /// The number of the last message sent; 0 before the first.
    pub(crate) const fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    fn slot(&mut self, sequence: u64) -> Option<&mut Option<Kept>> {
        let index = usize::try_from(sequence % HISTORY_MAX as u64).ok()?;
        self.history.get_mut(index)
    }

    /// The peer asks for messages again. Returns the first number that is no longer kept.
    pub(crate) fn on_rexmit(&mut self, first: u64, last: u64) -> Option<u64> {
        let last = last
            .min(self.last_sequence())
            .min(first.saturating_add(RESEND_MAX - 1));
        if first == 0 || first > last {
            return None;
        }
        let oldest = self.next_sequence.saturating_sub(HISTORY_MAX as u64).max(1);
        if last >= oldest {
            let first = first.max(oldest);
            self.resend = Some(
                self.resend
                    .map_or((first, last), |(a, b)| (a.min(first), b.max(last))),
            );
        }
        (first < oldest).then_some(first)
    }

    fn next_resend(&mut self, now: Instant) -> Option<(Outgoing, u64)> {
        let (first, last) = self.resend.take()?;
        for sequence in first..=last {
            let Some(Some(kept)) = self.slot(sequence) else {
                continue;
            };
            let paused = kept.resent.is_some_and(|at| now.since(at) < RESEND_PAUSE);
            if kept.sequence != sequence || paused {
                continue;
            }
            kept.resent = Some(now);
            let message = kept.message;
            self.resend = (sequence < last).then_some((sequence + 1, last));
            return Some((message, sequence));
        }
        None
    }

    /// The next message to send, its number, and one link to send it on.
    pub(crate) fn poll(&mut self, links: u8, now: Instant) -> Option<(Outgoing, Option<u64>, u8)> {
        if self.current.is_none() {
            self.current = if let Some((message, sequence)) = self.next_resend(now) {
                Some(Current {
                    message,
                    sequence: Some(sequence),
                    links,
                })
            } else {
                let message = self.waiting.pop_front()?;
                let sequence = message.sequenced().then(|| self.keep(message));
                Some(Current {
                    message,
                    sequence,
                    links,
                })
            };
        }
        let current = self.current.as_mut()?;
        let link = u8::try_from(current.links.trailing_zeros()).unwrap_or(0);
        let (message, sequence) = (current.message, current.sequence);
        current.links &= current.links.wrapping_sub(1);
        if current.links == 0 {
            self.current = None;
        }
        Some((message, sequence, link))
    }

    fn keep(&mut self, message: Outgoing) -> u64 {
        let sequence = self.next_sequence;
        self.next_sequence = self.next_sequence.saturating_add(1);
        if let Some(slot) = self.slot(sequence) {
            *slot = Some(Kept {
                sequence,
                message,
                resent: None,
            });
        }
        sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(0);
    const UP: Outgoing = Outgoing::Status(NodeStatus::Up);
    const ACTIVE: Outgoing = Outgoing::Status(NodeStatus::Active);

    /// Aim: a message goes out once per link under one number, in the order it was queued.
    #[test]
    fn every_link_once() {
        let mut outbox = Outbox::new();
        outbox.push(UP);
        outbox.push(Outgoing::Starting);
        outbox.push(ACTIVE);
        assert_eq!(outbox.poll(0b101, NOW), Some((ACTIVE, Some(1), 0)));
        assert_eq!(outbox.poll(0b101, NOW), Some((ACTIVE, Some(1), 2)));
        assert_eq!(
            outbox.poll(0b1, NOW),
            Some((Outgoing::Starting, Some(2), 0))
        );
        assert_eq!(outbox.poll(0b1, NOW), None);
    }

    /// Aim: what is still kept is resent once per pause, and what is not is refused.
    #[test]
    fn resends_what_is_kept() {
        let mut outbox = Outbox::new();
        for _ in 0..300 {
            outbox.push(UP);
            outbox.poll(1, NOW);
        }
        assert_eq!(outbox.on_rexmit(299, 999), None);
        assert_eq!(outbox.poll(1, NOW), Some((UP, Some(299), 0)));
        assert_eq!(outbox.poll(1, NOW), Some((UP, Some(300), 0)));
        assert_eq!(outbox.poll(1, NOW), None);
        outbox.on_rexmit(300, 300);
        assert_eq!(outbox.poll(1, NOW), None, "not again at once");
        outbox.on_rexmit(300, 300);
        assert!(outbox.poll(1, NOW + RESEND_PAUSE).is_some());
        assert_eq!(outbox.on_rexmit(2, 2), Some(2));
        assert_eq!(outbox.poll(1, NOW), None);
        assert_eq!(outbox.on_rexmit(0, u64::MAX), None);
    }

    /// Aim: one request makes a bounded number of messages, whatever it asks for.
    #[test]
    fn a_request_is_bounded() {
        let mut outbox = Outbox::new();
        for _ in 0..200 {
            outbox.push(UP);
            outbox.poll(1, NOW);
        }
        outbox.on_rexmit(1, u64::MAX);
        let mut sent = 0;
        while outbox.poll(1, NOW).is_some() {
            sent += 1;
        }
        assert_eq!(sent, RESEND_MAX);
    }
}
