//! The rules between keepalive, deadtime, warntime and initdead, and their defaults.

use systole_core::time::Duration;

use super::super::diag::{Diagnostic, File};
use super::super::text::Spanned;
use super::super::time::show;
use super::Reader;

/// The four times, defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) keepalive: Duration,
    pub(crate) deadtime: Duration,
    pub(crate) warntime: Duration,
    pub(crate) initdead: Duration,
}

/// The original's default: generous for short deadtimes, because networks come up slowly.
fn default_initdead(deadtime: Duration) -> Duration {
    if deadtime > Duration::from_secs(10) {
        deadtime
    } else if deadtime >= Duration::from_secs(6) {
        deadtime.times(2)
    } else {
        Duration::from_secs(12)
    }
}

impl Reader<'_> {
    pub(super) fn check_timing(&mut self) -> Timing {
        let value = |set: &Option<Spanned<Duration>>| set.as_ref().map(|time| time.value);
        let keepalive = value(&self.config.keepalive).unwrap_or(Duration::from_secs(1));
        let deadtime = value(&self.config.deadtime).unwrap_or(Duration::from_secs(30));
        let warntime = value(&self.config.warntime).unwrap_or(deadtime.divided_by(2));
        let initdead = value(&self.config.initdead).unwrap_or_else(|| default_initdead(deadtime));
        let timing = Timing {
            keepalive,
            deadtime,
            warntime,
            initdead,
        };
        let zero = [
            ("keepalive", self.config.keepalive.clone()),
            ("deadtime", self.config.deadtime.clone()),
            ("warntime", self.config.warntime.clone()),
        ]
        .into_iter()
        .filter_map(|(name, set)| Some((name, set.filter(|set| set.value == Duration::ZERO)?)));
        let before = self.diagnostics.len();
        for (name, set) in zero {
            self.error(
                &set.span,
                format!("`{name}` must be above zero"),
                "less than a millisecond",
                format!("write for example `{name} {}`", example(name)),
            );
        }
        if self.diagnostics.len() == before && !self.misread_time() {
            self.check_deadtime(timing);
            self.check_warntime(timing);
            self.check_initdead(timing);
        }
        timing
    }

    /// Whether a time was written that could not be read, so that its default means nothing.
    fn misread_time(&self) -> bool {
        [
            ("keepalive", self.config.keepalive.is_some()),
            ("deadtime", self.config.deadtime.is_some()),
            ("warntime", self.config.warntime.is_some()),
            ("initdead", self.config.initdead.is_some()),
        ]
        .iter()
        .any(|(name, read)| self.seen.contains_key(name) && !read)
    }

    fn check_deadtime(&mut self, timing: Timing) {
        let least = timing.keepalive.times(2);
        if timing.deadtime > least {
            return;
        }
        let config = &self.config;
        let mut diagnostic = Diagnostic::error(
            File::HaCf,
            format!(
                "`deadtime` ({}) must be more than twice `keepalive` ({})",
                show(timing.deadtime),
                show(timing.keepalive)
            ),
        );
        diagnostic = match (&config.deadtime, &config.keepalive) {
            (Some(deadtime), Some(keepalive)) => diagnostic
                .at(&deadtime.span, format!("must be above {}", show(least)))
                .related(&keepalive.span, "because of this"),
            (Some(deadtime), None) => diagnostic.at(
                &deadtime.span,
                format!(
                    "must be above {}, as `keepalive` is 1s by default",
                    show(least)
                ),
            ),
            (None, Some(keepalive)) => diagnostic.at(
                &keepalive.span,
                "too long for the default `deadtime` of 30s",
            ),
            (None, None) => diagnostic,
        };
        self.diagnostics.push(diagnostic.help(
            "a lost heartbeat or two must not kill a node: make `deadtime` five times \
             `keepalive` or more",
        ));
    }

    fn check_warntime(&mut self, timing: Timing) {
        let Some(warntime) = self.config.warntime.clone() else {
            return;
        };
        if timing.warntime >= timing.deadtime {
            let title = format!(
                "`warntime` ({}) is not below `deadtime` ({}), so no warning will ever come",
                show(timing.warntime),
                show(timing.deadtime)
            );
            let mut diagnostic = Diagnostic::warning(File::HaCf, title)
                .at(&warntime.span, "the node is declared dead first")
                .help(format!(
                    "half of `deadtime` is usual: `warntime {}`",
                    show(timing.deadtime.divided_by(2))
                ));
            if let Some(deadtime) = &self.config.deadtime {
                diagnostic = diagnostic.related(&deadtime.span, "declared dead after this");
            }
            self.diagnostics.push(diagnostic);
        } else if timing.warntime <= timing.keepalive {
            self.warning(
                &warntime.span,
                format!(
                    "`warntime` ({}) is not above `keepalive` ({}), so every heartbeat is late",
                    show(timing.warntime),
                    show(timing.keepalive)
                ),
                "sooner than the next heartbeat",
                "make `warntime` at least twice `keepalive`",
            );
        }
    }

    fn check_initdead(&mut self, timing: Timing) {
        let Some(initdead) = self.config.initdead.clone() else {
            return;
        };
        if timing.initdead >= timing.deadtime {
            return;
        }
        let title = format!(
            "`initdead` ({}) must not be below `deadtime` ({})",
            show(timing.initdead),
            show(timing.deadtime)
        );
        let mut diagnostic = Diagnostic::error(File::HaCf, title)
            .at(
                &initdead.span,
                format!("must be at least {}", show(timing.deadtime)),
            )
            .help(
                "after a reboot networks take their time: make `initdead` twice `deadtime` or \
                 more",
            );
        if let Some(deadtime) = &self.config.deadtime {
            diagnostic = diagnostic.related(&deadtime.span, "because of this");
        }
        self.diagnostics.push(diagnostic);
    }
}

fn example(name: &str) -> &'static str {
    match name {
        "keepalive" => "2",
        "deadtime" => "30",
        _ => "10",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: initdead's default follows the original's three cases, limits included.
    #[test]
    fn initdead_default() {
        let of = |secs| default_initdead(Duration::from_secs(secs)).as_secs();
        assert_eq!([of(1), of(5), of(6), of(10), of(11)], [12, 12, 12, 20, 11]);
        assert_eq!(default_initdead(Duration::from_millis(5_999)).as_secs(), 12);
    }
}
