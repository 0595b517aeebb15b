//! The only place that reads a clock.

use core::time::Duration as Span;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{
    ClockId as TimerClock, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags,
};
use nix::time::{ClockId, clock_gettime};
use systole_core::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

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

/// Rings at one of the core's deadlines.
///
/// It is a timer of the kernel on the clock of [`now`], because a runtime's own timers wake the process more often
/// than they ring, which is most of what an idle node costs, and ring up to a millisecond late.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<Timer>,
    set_to: Option<Instant>,
}

/// For the runtime, which asks for the descriptor in the old way too.
#[derive(Debug)]
struct Timer(TimerFd);

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Alarm {
    /// Makes an alarm that is not set. Needs a tokio runtime.
    ///
    /// # Errors
    /// The kernel has no timer for us.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(TimerClock::CLOCK_BOOTTIME, flags)?;
        #[expect(
            deprecated,
            reason = "what replaces it is unsafe code; a TimerFd keeps its descriptor as long as it lives, which is \
                      all that is asked for"
        )]
        let timer = AsyncFd::with_interest(Timer(timer), Interest::READABLE)?;
        Ok(Self {
            timer,
            set_to: None,
        })
    }

    /// Waits until `deadline`, for ever when there is none; loses nothing when it is dropped before that.
    pub async fn wait(&mut self, deadline: Option<Instant>) {
        if self.set_to != deadline && self.set(deadline).is_err() {
            // Only a broken descriptor refuses to be set. Better a late timer than none.
            return match deadline {
                Some(at) => tokio::time::sleep(span(at.since(now()))).await,
                None => core::future::pending().await,
            };
        }
        // It rings when the kernel says so, and also for a deadline that had passed before it was set.
        while deadline.is_none_or(|at| now() < at) {
            match self.timer.readable().await {
                Ok(mut ready) => ready.clear_ready(),
                Err(_) => return,
            }
        }
    }

    fn set(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        self.set_to = None;
        let Timer(timer) = self.timer.get_ref();
        match deadline {
            Some(at) => {
                // Zero would mean never.
                let at = TimeSpec::from(Span::from_micros(at.as_micros().max(1)));
                timer.set(
                    Expiration::OneShot(at),
                    TimerSetTimeFlags::TFD_TIMER_ABSTIME,
                )?;
            }
            None => timer.unset()?,
        }
        self.set_to = deadline;
        Ok(())
    }
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

    /// Aim: a deadline in the past holds nobody up, and one in the future rings neither early nor late, again and
    /// again, also after it was put off or given up in between.
    #[tokio::test]
    async fn alarm() {
        let short = Duration::from_millis(20);
        let mut alarm = Alarm::new().unwrap();
        let before = now();
        alarm.wait(Some(before)).await;
        assert!(now().since(before) < short);
        for _ in 0..3 {
            let at = now() + short;
            alarm.wait(Some(at)).await;
            assert!(now() >= at);
            assert!(now().since(at) < Duration::from_secs(5));
            let never = tokio::time::timeout(span(short.times(2)), alarm.wait(None));
            assert!(never.await.is_err());
            let far =
                tokio::time::timeout(span(short), alarm.wait(Some(now() + short.times(1_000))));
            assert!(far.await.is_err());
        }
    }

    /// Aim: the wall clock has been set.
    #[test]
    fn wall_clock() {
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
