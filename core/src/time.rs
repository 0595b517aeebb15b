//! Time as the core sees it: integer microseconds from an arbitrary origin.
//!
//! All arithmetic is total: it saturates instead of wrapping or panicking. There is no
//! `Instant - Instant` operator, because a swapped operand would silently be wrong;
//! [`Instant::since`] says what it does.

use core::fmt;
use core::ops::Add;

/// A point in time, in microseconds since an origin that the host chooses once.
///
/// It comes from a monotonic clock that goes on during suspend where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A span of time in microseconds, 0 to about 584 000 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Instant {
    /// Makes a point in time from microseconds since the host's origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the host's origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Makes a span from microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Makes a span from milliseconds; saturates.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Makes a span from seconds; saturates.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// The span in microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The span in whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The span in whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The span `factor` times; saturates.
    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// The span divided by `divisor`; a divisor of zero counts as one.
    #[must_use]
    pub const fn divided_by(self, divisor: u64) -> Self {
        Self(self.0 / if divisor == 0 { 1 } else { divisor })
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Shows milliseconds below ten seconds (`350ms`) and seconds with one decimal above (`12.5s`).
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 10_000_000 {
            write!(f, "{}ms", self.as_millis())
        } else {
            write!(f, "{}.{}s", self.as_secs(), self.0 % 1_000_000 / 100_000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: no operation overflows, whatever the operands.
    #[test]
    fn arithmetic_saturates() {
        let end = Instant::from_micros(u64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(Instant::from_micros(5).since(end), Duration::ZERO);
        assert_eq!(Duration::from_secs(u64::MAX).as_micros(), u64::MAX);
        assert_eq!(Duration::from_secs(9).divided_by(0), Duration::from_secs(9));
    }

    /// Aim: spans read the way an administrator writes them.
    #[test]
    fn spans_read_naturally() {
        extern crate std;
        use std::string::ToString as _;
        assert_eq!(Duration::from_millis(350).to_string(), "350ms");
        assert_eq!(Duration::from_millis(12_560).to_string(), "12.5s");
    }
}
