//! A machine's own monotonic clock: it runs a little fast or slow, and can be made to step.

use systole_core::time::Instant;

/// Microseconds of virtual time since the run began.
pub type Micros = u64;

/// Microseconds of a second.
pub const SECOND: Micros = 1_000_000;

/// Microseconds of a millisecond.
pub const MILLI: Micros = 1_000;

const MILLION: i128 = 1_000_000;

/// A clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: i64,
    drift_ppm: i64,
}

impl Clock {
    /// A clock that shows `origin` microseconds at the run's begin and gains `drift_ppm`
    /// microseconds per second.
    #[must_use]
    pub const fn new(origin: i64, drift_ppm: i64) -> Self {
        Self { origin, drift_ppm }
    }

    /// What it shows.
    #[must_use]
    pub fn local(self, at: Micros) -> Micros {
        let at = i128::from(at);
        let shown = i128::from(self.origin) + at + at * i128::from(self.drift_ppm) / MILLION;
        u64::try_from(shown).unwrap_or(0)
    }

    /// The same as the core's type.
    #[must_use]
    pub fn instant(self, at: Micros) -> Instant {
        Instant::from_micros(self.local(at))
    }

    /// The first moment at which it shows at least `local`.
    #[must_use]
    pub fn global(self, local: Micros) -> Micros {
        let span = i128::from(local) - i128::from(self.origin);
        let guess = span * MILLION / (MILLION + i128::from(self.drift_ppm));
        let mut at = u64::try_from(guess.max(2) - 2).unwrap_or(0);
        while self.local(at) < local {
            at += 1;
        }
        at
    }

    /// Sets it forward or back.
    pub const fn step(&mut self, micros: i64) {
        self.origin = self.origin.saturating_add(micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: waking at the moment that stands for a local deadline is never early and at most a
    /// microsecond late, whatever the drift.
    #[test]
    fn there_and_back() {
        for drift in [-10_000, -37, 0, 200, 9_999] {
            let clock = Clock::new(5_000, drift);
            for local in [6_000, 123_456, 98_765_432, 7_200_000_000] {
                let at = clock.global(local);
                assert!(clock.local(at) >= local);
                assert!(clock.local(at - 1) < local, "{drift} {local}");
            }
        }
    }
}
