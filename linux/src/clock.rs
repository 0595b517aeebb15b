//! The only place that reads a clock.

use core::time::Duration as Span;

use nix::time::{ClockId, clock_gettime};
use systole_core::time::{Duration, Instant};

/// Now, on the clock that goes on while the machine is suspended (`CLOCK_BOOTTIME`).
///
/// A node that was suspended must see that time has passed: its peer has taken over.
#[must_use]
pub fn now() -> Instant {
    // Every Linux since 2.6.39 has this clock, so reading it cannot fail.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or_else(
        |_| Instant::default(),
        |time| {
            let span = Span::from(time);
            Instant::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
        },
    )
}

/// Wall-clock time since 1970, for file contents, logs and the wire's `ts`.
#[must_use]
pub fn wall() -> Duration {
    clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, |time| {
        Duration::from_micros(u64::try_from(Span::from(time).as_micros()).unwrap_or(u64::MAX))
    })
}

/// Translates one of the core's spans for the standard library.
#[must_use]
pub const fn span(duration: Duration) -> Span {
    Span::from_micros(duration.as_micros())
}

/// Translates a span of the standard library for the core; saturates.
#[must_use]
pub fn duration(span: Span) -> Duration {
    Duration::from_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

/// Sleeps until one of the core's deadlines; comes back at once when it has passed.
///
/// It may come back a millisecond late (the timer's resolution), never early.
pub async fn sleep_until(deadline: Instant) {
    tokio::time::sleep(span(deadline.since(now()))).await;
}

/// Writes wall-clock time as `2026-11-22T03:14:15.123Z`.
#[must_use]
pub fn format_utc(wall: Duration) -> String {
    let seconds = wall.as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let millis = wall.as_millis() % 1_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The Gregorian date of a day counted from 1970-01-01.
///
/// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: time goes on, and a deadline in the past does not hold anybody up.
    #[tokio::test]
    async fn deadlines() {
        let before = now();
        sleep_until(before).await;
        sleep_until(before + Duration::from_millis(20)).await;
        assert!(now().since(before) >= Duration::from_millis(20));
        assert!(wall() > Duration::from_secs(1_700_000_000));
    }

    /// Aim: dates are right around leap days, year ends and the century rule.
    #[test]
    fn dates() {
        let at = |seconds: u64, millis: u64| {
            format_utc(Duration::from_secs(seconds) + Duration::from_millis(millis))
        };
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_782_400, 5), "2000-02-29T00:00:00.005Z");
        assert_eq!(at(1_735_689_599, 999), "2024-12-31T23:59:59.999Z");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000Z");
        assert_eq!(at(1_795_317_255, 123), "2026-11-22T03:14:15.123Z");
    }
}
