//! The only place that reads a clock.

use core::time::Duration as Span;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};

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

/// Rings at one of the core's deadlines, on the clock of [`now`]. tokio's own timers stand still
/// while the machine is suspended, and would wake us late with an address that the peer has taken.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<Timer>,
    set: Option<Instant>,
}

/// Lends tokio its descriptor.
#[derive(Debug)]
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Alarm {
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// When the kernel gives no timer.
    #[expect(
        deprecated,
        reason = "its successor is unsafe code, in case a type lends different descriptors"
    )]
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(TimerClock::CLOCK_BOOTTIME, flags)?;
        Ok(Self {
            timer: AsyncFd::with_interest(Timer(timer), Interest::READABLE)?,
            set: None,
        })
    }

    /// Comes back when `deadline` has come, never early. One that has passed rings as well, but not
    /// before whatever else the runtime waits for has had its turn. Nothing is lost when the future
    /// is dropped.
    ///
    /// # Errors
    /// When the kernel does not take the deadline, or the runtime is ending.
    pub async fn ring(&mut self, deadline: Instant) -> io::Result<()> {
        if self.set != Some(deadline) {
            // A timer set to zero would be off.
            let at = Span::from_micros(deadline.as_micros().max(1));
            let once = Expiration::OneShot(TimeSpec::from(at));
            self.timer
                .get_ref()
                .0
                .set(once, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            self.set = Some(deadline);
        }
        loop {
            let mut rung = self.timer.readable().await?;
            rung.clear_ready();
            // It may have rung for an earlier deadline.
            if now() >= deadline {
                self.set = None;
                return Ok(());
            }
        }
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

    async fn within(alarm: &mut Alarm, deadline: Instant, limit: u64) -> bool {
        let limit = Span::from_millis(limit);
        let rung = tokio::time::timeout(limit, alarm.ring(deadline)).await;
        rung.is_ok_and(|rung| rung.is_ok())
    }

    /// Aim: the alarm rings at its deadline, not before; also after it was set to another one, and
    /// for a deadline in the past.
    #[tokio::test]
    async fn alarms() {
        let mut alarm = Alarm::new().unwrap();
        let begun = now();
        assert!(within(&mut alarm, Instant::from_micros(0), 5_000).await);
        assert!(!within(&mut alarm, begun + Duration::from_secs(3_600), 20).await);
        for millis in [40, 60] {
            let deadline = begun + Duration::from_millis(millis);
            assert!(within(&mut alarm, deadline, 5_000).await);
            assert!(now() >= deadline);
        }
        // This one rings unheard while a later one is waited for.
        let short = now() + Duration::from_millis(5);
        assert!(!within(&mut alarm, short, 0).await);
        std::thread::sleep(Span::from_millis(10));
        assert!(!within(&mut alarm, short + Duration::from_secs(3_600), 30).await);
        assert!(within(&mut alarm, short, 5_000).await);
        assert!(now().since(begun) < Duration::from_secs(60));
        assert!(wall() > Duration::from_secs(1_700_000_000));
    }

    /// Aim: the alarm counts the time that the machine is suspended, as `now` does.
    #[tokio::test]
    async fn alarms_ring_after_a_suspension() {
        let mut alarm = Alarm::new().unwrap();
        assert!(within(&mut alarm, now(), 5_000).await);
        let timer = alarm.timer.as_raw_fd();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{timer}")).unwrap();
        let boottime = nix::libc::CLOCK_BOOTTIME;
        assert!(info.contains(&format!("clockid: {boottime}\n")), "{info}");
    }

    /// Aim: a deadline that stays in the past does not starve what comes after it in a select.
    #[tokio::test]
    async fn alarms_starve_nobody() {
        let mut alarm = Alarm::new().unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        sender.try_send(()).unwrap();
        let past = now();
        for _ in 0..100 {
            tokio::select! {
                biased;
                _ = alarm.ring(past) => {}
                _ = receiver.recv() => return,
            }
        }
        panic!("starved");
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
