//! The lease of a service address: when it is renewed, and when it may come back.
//!
//! The kernel holds each address for `span` only, whole seconds well below deadtime. It is renewed
//! when the heart has just sent a message to the peer (a beat) and a third of `span` has passed, or
//! two thirds when the beat is a little older, but never later than `fresh` after a beat. Whatever
//! stops the heart, be it SIGKILL, SIGSTOP, a bug or a machine too busy, thereby stops the renewals,
//! and the kernel takes the address away without us. It looks for expired addresses once a second at
//! most (`ADDRCONF_TIMER_FUZZ_MAX`), so that can be a second late. With `deadtime 3s` (D) and so
//! `span` 1 s (L), for a node that stops after the beat at 0:
//!
//! ```text
//! 0.00  B           last beat: the peer hears us for the last time
//! 0.00 .. 0.90      the last renewal: `fresh` is D - L - the kernel's slack
//! 1.00 .. 1.90      the lease ends
//! 1.00 .. 3.00      the kernel has withdrawn the address, at most 1.1 s late
//! 3.00  B + D       the peer declares us dead and takes over
//! ```
//!
//! Renewing never makes an address: [`Kernel::extend`](super::kernel::Kernel::extend) fails when it
//! has gone. So a process that was stopped in the middle of it, and goes on minutes later, does no
//! harm. An address that has gone comes back in one of three ways only:
//!
//! - The pause was D or more. The core sees that with the first event after it and lets go of the
//!   group before it sends anything. The loop has the address *forgone* before the next beat: it is
//!   neither added again nor renewed once its lease has lapsed, however long the rest of the group
//!   takes to stop. It comes back when the group is acquired anew.
//! - The pause was so near to D that our next message may have come too late for the peer (longer than
//!   D less the slack). The group is still held, so the address is added and announced again, but
//!   not before `SETTLE` after B + D: a peer that did not hear us in time has taken over by then and
//!   has said so, and the core has let go of the group if that is its rule. A peer that heard us will
//!   not take over.
//! - The pause was shorter, or there was none: somebody deleted the address, or only the renewals were
//!   held up. The peer has heard us in time, and the address is added and announced at once.
//!
//! Time is measured while the machine is suspended too. The kernel's own count stands still then, so
//! after it the address may still be here; as its lease has lapsed by our clock, it is treated as one
//! that has gone.
//!
//! What the lease cannot see: messages that were sent but lost. Each heartbeat lost on every link
//! right before the stop makes the peer act one keepalive earlier. And a process stopped in the very
//! moment of *adding* an address, between its last look at the clock and the request, adds it when it
//! goes on; the core then lets go at once.

use systole_core::time::{Duration, Instant};

use crate::config::Address;

use super::plan::Plan;

/// The lease ends at least this long before deadtime: the slack, and some time for the renewal.
const BEFORE_DEADTIME: Duration = Duration::from_millis(1_250);

/// The kernel withdraws an address at most this long after its time: a second by its own rules, and
/// some for a busy machine.
const KERNEL_SLACK: Duration = Duration::from_millis(1_100);

/// For a peer that has taken over to say so.
const SETTLE: Duration = Duration::from_millis(500);

/// How long the kernel holds an address that is not renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    seconds: u32,
    deadtime: Duration,
}

impl Lease {
    /// The shortest deadtime that leaves room for a lease; the kernel counts in seconds.
    pub const DEADTIME_MIN: Duration = Duration::from_millis(2_250);

    /// The lease that goes with the peer's deadtime; none when that is too short for one.
    #[must_use]
    pub fn new(deadtime: Duration) -> Option<Self> {
        let seconds = less(deadtime, BEFORE_DEADTIME).as_secs();
        // The highest number means for ever.
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX).min(u32::MAX - 1);
        (seconds > 0).then_some(Self { seconds, deadtime })
    }

    /// In the kernel's unit.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    pub(super) fn span(self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    /// How often to look whether there is something to renew, without a beat.
    pub(super) fn look_every(self) -> Duration {
        self.span().divided_by(6)
    }

    /// How long after a beat it still allows a renewal.
    fn fresh(self) -> Duration {
        less(self.longest_gap(), self.span())
    }

    /// Between two beats: after more than that, a peer may not have heard us in time.
    fn longest_gap(self) -> Duration {
        less(self.deadtime, KERNEL_SLACK)
    }
}

const fn less(span: Duration, other: Duration) -> Duration {
    Duration::from_micros(span.as_micros().saturating_sub(other.as_micros()))
}

/// The heart's latest beat.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beat {
    at: Option<Instant>,
    /// Until then nothing that has gone may come back.
    settled: Instant,
}

impl Beat {
    pub(super) fn next(self, lease: Lease, now: Instant) -> Self {
        let settled = match self.at {
            Some(last) if now.since(last) > lease.longest_gap() => {
                now.max(last + lease.deadtime) + SETTLE
            }
            Some(_) | None => self.settled,
        };
        Self {
            at: Some(now),
            settled,
        }
    }
}

/// One address on a lease.
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    /// As in haresources, to add it again.
    pub(super) wanted: Address,
    pub(super) plan: Plan,
    /// Not later than the kernel's own count began.
    renewed: Instant,
    gone: bool,
    forgone: bool,
    /// The last try failed and that was said.
    pub(super) failing: bool,
}

/// Why an address is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The heart has beaten.
    Beaten,
    /// Some time has passed.
    Between,
    /// Another address is renewed. Leases that end together are withdrawn together; else the
    /// kernel may make the second one wait for its next look.
    Together,
}

/// What an address needs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Renew,
    /// Its time is over: to be said once.
    Lapsed,
    /// To be added again.
    Restore,
}

impl Tenure {
    pub(super) const fn new(wanted: Address, plan: Plan, renewed: Instant) -> Self {
        Self {
            wanted,
            plan,
            renewed,
            gone: false,
            forgone: false,
            failing: false,
        }
    }

    /// What is to be done now, if anything.
    pub(super) fn step(&self, lease: Lease, beat: Beat, look: Look, now: Instant) -> Option<Step> {
        let third = lease.span().divided_by(3);
        let due = match look {
            Look::Beaten => third,
            Look::Between => third.times(2),
            Look::Together => Duration::ZERO,
        };
        beat.at.filter(|at| now.since(*at) <= lease.fresh())?;
        let age = now.since(self.renewed);
        if !self.gone && age <= lease.span() {
            (age >= due).then_some(Step::Renew)
        } else if self.forgone {
            None
        } else if self.gone {
            (now >= beat.settled).then_some(Step::Restore)
        } else {
            Some(Step::Lapsed)
        }
    }

    pub(super) fn on_renewed(&mut self, at: Instant) {
        self.renewed = self.renewed.max(at);
        self.gone = false;
        self.failing = false;
    }

    pub(super) const fn on_gone(&mut self) {
        self.gone = true;
    }

    pub(super) const fn forgo(&mut self) {
        self.forgone = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AddressStyle;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Instant {
        Instant::from_micros(10_000_000) + ms(millis)
    }

    fn lease() -> Lease {
        Lease::new(ms(3_000)).unwrap()
    }

    fn tenure() -> Tenure {
        let address = "10.8.0.1".parse().unwrap();
        let wanted = Address {
            text: "10.8.0.1".to_owned(),
            style: AddressStyle::IPaddr2,
            address,
            prefix: None,
            interface: None,
            label: None,
            broadcast: None,
        };
        let plan = Plan {
            address,
            prefix: 24,
            interface: "eth2".to_owned(),
            index: 2,
            label: None,
            broadcast: None,
            by_default_route: false,
        };
        Tenure::new(wanted, plan, at(0))
    }

    fn beats(times: &[u64]) -> Beat {
        let next = |beat: Beat, time: &u64| beat.next(lease(), at(*time));
        times.iter().fold(Beat::default(), next)
    }

    /// Aim: whole seconds, well before deadtime; too short a deadtime has no lease.
    #[test]
    fn whole_seconds() {
        let seconds = |deadtime| Lease::new(ms(deadtime)).map(Lease::seconds);
        for (deadtime, lease) in [
            (0, None),
            (1_000, None),
            (2_249, None),
            (2_250, Some(1)),
            (3_000, Some(1)),
            (3_249, Some(1)),
            (3_250, Some(2)),
            (30_000, Some(28)),
            (u64::MAX, Some(u32::MAX - 1)),
        ] {
            assert_eq!(seconds(deadtime), lease, "{deadtime}");
        }
        assert_eq!(seconds(Lease::DEADTIME_MIN.as_millis()), Some(1));
    }

    /// Aim: the last renewal that a beat allows, plus the kernel's slack, ends by deadtime; and
    /// with the longest keepalive that a deadtime allows an address is renewed in time.
    #[test]
    fn over_before_deadtime() {
        for deadtime in 2_250..20_000 {
            let lease = Lease::new(ms(deadtime)).unwrap();
            let last = lease.fresh() + lease.span() + KERNEL_SLACK;
            assert!(last <= ms(deadtime), "{deadtime}: {last}");
            assert!(lease.fresh() >= ms(150), "{deadtime}");
            assert!(lease.longest_gap() >= ms(deadtime / 2), "{deadtime}");
        }
    }

    fn step(tenure: &Tenure, beat: Beat, look: Look, now: u64) -> Option<Step> {
        tenure.step(lease(), beat, look, at(now))
    }

    /// Aim: renewed at a beat when a third has passed, later without one while it is fresh, and
    /// never without a fresh one.
    #[test]
    fn renewed_by_beats() {
        let mut tenure = tenure();
        let renew = Some(Step::Renew);
        assert_eq!(step(&tenure, Beat::default(), Look::Beaten, 700), None);
        assert_eq!(step(&tenure, beats(&[300]), Look::Beaten, 300), None);
        assert_eq!(step(&tenure, beats(&[300]), Look::Together, 300), renew);
        assert_eq!(step(&tenure, beats(&[300, 400]), Look::Beaten, 400), renew);
        assert_eq!(step(&tenure, beats(&[400]), Look::Between, 600), None);
        assert_eq!(step(&tenure, beats(&[400]), Look::Between, 700), renew);
        assert_eq!(step(&tenure, beats(&[0]), Look::Between, 900), renew);
        for look in [Look::Beaten, Look::Between, Look::Together] {
            assert_eq!(step(&tenure, beats(&[0]), look, 901), None);
        }
        tenure.on_renewed(at(800));
        assert_eq!(step(&tenure, beats(&[1_100]), Look::Beaten, 1_100), None);
        assert_eq!(step(&tenure, beats(&[1_200]), Look::Beaten, 1_200), renew);
    }

    /// Aim: after a pause near deadtime the address comes back, but only when a peer that took over
    /// would have said so; and never once it is forgone.
    #[test]
    fn after_a_pause() {
        let mut tenure = tenure();
        let beat = beats(&[0, 2_500]);
        assert_eq!(step(&tenure, beat, Look::Beaten, 2_500), Some(Step::Lapsed));
        tenure.on_gone();
        let later = |tenure: &Tenure, now| {
            let beat = beats(&[0, 2_500, 3_000, now]);
            step(tenure, beat, Look::Beaten, now)
        };
        assert_eq!(later(&tenure, 3_100), None);
        assert_eq!(later(&tenure, 3_499), None);
        assert_eq!(later(&tenure, 3_500), Some(Step::Restore));
        tenure.forgo();
        assert_eq!(later(&tenure, 3_500), None);
        let late = beats(&[0, 60_000]);
        assert_eq!(step(&tenure, late, Look::Beaten, 60_000), None);
    }

    /// Aim: an address that went while the peer heard us all along comes back at once.
    #[test]
    fn without_a_pause() {
        let mut tenure = tenure();
        tenure.on_gone();
        for beat in [beats(&[0, 500, 1_000]), beats(&[0, 1_000]), beats(&[1_000])] {
            let found = step(&tenure, beat, Look::Beaten, 1_000);
            assert_eq!(found, Some(Step::Restore));
        }
    }

    /// Aim: while its group stops in good order an address stays; when its lease lapses it is over.
    #[test]
    fn forgone() {
        let mut tenure = tenure();
        tenure.forgo();
        let renew = Some(Step::Renew);
        assert_eq!(step(&tenure, beats(&[900]), Look::Beaten, 900), renew);
        assert_eq!(step(&tenure, beats(&[1_001]), Look::Beaten, 1_001), None);
        tenure.on_gone();
        assert_eq!(step(&tenure, beats(&[900]), Look::Beaten, 900), None);
    }
}
