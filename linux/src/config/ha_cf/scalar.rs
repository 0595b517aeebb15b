//! Directives with one value.

use std::path::PathBuf;

use systole_core::config::AutoFailback;
use systole_core::time::Duration;

use super::super::diag::{Diagnostic, File};
use super::super::directives::{Scalar, Time};
use super::super::text::{self, Spanned, Word};
use super::super::time;
use super::{Line, Reader};

/// The facilities of syslog.
const FACILITIES: &[&str] = &[
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
    "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", "none",
];

/// The original's booleans.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "y" | "1" => Some(true),
        "false" | "off" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

impl Reader<'_> {
    pub(super) fn scalar(&mut self, line: &Line<'_>, scalar: Scalar) {
        let Some(value) = self.single(line) else {
            return;
        };
        match scalar {
            Scalar::AutoFailback => self.auto_failback(&value),
            Scalar::NiceFailback => self.nice_failback(line),
            Scalar::Hopfudge => {
                if let Some(hops) = self.byte(line, &value) {
                    self.config.hopfudge = Some(Spanned::new(hops, &value.span));
                }
            }
            Scalar::Debug => {
                if let Some(level) = self.byte(line, &value) {
                    self.config.debug = level;
                }
            }
            Scalar::Autojoin => self.autojoin(&value),
            Scalar::SerialAuth => self.serial_auth(&value),
            Scalar::UseLogd => match boolean(value.text) {
                Some(on) => self.config.use_logd = Some(Spanned::new(on, &value.span)),
                None => self.error(
                    &value.span,
                    format!("`{}` is neither on nor off", value.text),
                    "expected `on` or `off`",
                    "write `use_logd on` or `use_logd off`",
                ),
            },
            Scalar::Logfile => self.config.log_file = self.path(line, &value),
            Scalar::Debugfile => self.config.debug_file = self.path(line, &value),
            Scalar::Logfacility => self.facility(&value),
        }
    }

    /// The only value of a line.
    pub(super) fn single<'a>(&mut self, line: &Line<'a>) -> Option<Word<'a>> {
        let (first, last) = (line.values.first()?, line.values.last()?);
        if first != last {
            self.error(
                &line.values_span(),
                format!("`{}` takes one value", line.name),
                "more than one",
                format!(
                    "keep the one that is meant (the original uses the last: `{} {}`)",
                    line.name, last.text
                ),
            );
            return None;
        }
        Some(first.clone())
    }

    /// Takes a time, which may have blanks before its unit.
    pub(super) fn time(&mut self, line: &Line<'_>, which: Time) {
        let span = line.values_span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        let parsed = match time::parse(written) {
            Ok(parsed) => parsed,
            Err(error) => {
                let title = format!("`{written}` is not a time that `{}` can have", line.name);
                self.error(&span, title, error.label(), error.help());
                return;
            }
        };
        if parsed.rounded && parsed.time != Duration::ZERO {
            let title = format!("`{written}` is rounded to whole milliseconds");
            self.diagnostics.push(
                Diagnostic::note(File::HaCf, title)
                    .at(&span, format!("taken as {}", time::show(parsed.time))),
            );
        }
        let slot = match which {
            Time::Keepalive => &mut self.config.keepalive,
            Time::Deadtime => &mut self.config.deadtime,
            Time::Warntime => &mut self.config.warntime,
            Time::Initdead => &mut self.config.initdead,
        };
        *slot = Some(Spanned::new(parsed.time, &span));
    }

    fn byte(&mut self, line: &Line<'_>, value: &Word<'_>) -> Option<u8> {
        let parsed = value.text.parse().ok();
        if parsed.is_none() {
            self.error(
                &value.span,
                format!(
                    "`{}` is not a value that `{}` can have",
                    value.text, line.name
                ),
                "not a whole number from 0 to 255",
                "write a whole number from 0 to 255",
            );
        }
        parsed
    }

    fn path(&mut self, line: &Line<'_>, value: &Word<'_>) -> Option<PathBuf> {
        if !value.text.starts_with('/') {
            self.error(
                &value.span,
                format!("the path of `{}` is not absolute", line.name),
                "does not begin with `/`",
                format!(
                    "write the whole path, for example `{} /var/log/ha-log`",
                    line.name
                ),
            );
            return None;
        }
        Some(PathBuf::from(value.text))
    }

    fn auto_failback(&mut self, value: &Word<'_>) {
        let meaning = if value.text.eq_ignore_ascii_case("legacy") {
            Some(AutoFailback::Legacy)
        } else {
            boolean(value.text).map(|on| {
                if on {
                    AutoFailback::On
                } else {
                    AutoFailback::Off
                }
            })
        };
        match meaning {
            Some(meaning) => {
                self.config.auto_failback = Some(Spanned::new(meaning, &value.span));
                if meaning == AutoFailback::Legacy {
                    self.warning(
                        &value.span,
                        "`auto_failback legacy` is the oldest protocol: standby and takeover by \
                         command do not work with it",
                        "deprecated by the original as well",
                        "write `auto_failback on` on both nodes",
                    );
                }
            }
            None => self.error(
                &value.span,
                format!(
                    "`{}` is not a value that `auto_failback` can have",
                    value.text
                ),
                "expected `on`, `off` or `legacy`",
                "write `on` when resources shall return to their preferred node, else `off`",
            ),
        }
    }

    fn nice_failback(&mut self, line: &Line<'_>) {
        self.config.auto_failback = Some(Spanned::new(AutoFailback::Legacy, &line.span()));
        self.warning(
            &line.span(),
            "`nice_failback` is obsolete; whatever its value, it means `auto_failback legacy`",
            "read as `auto_failback legacy`, as in the original",
            "replace the line by `auto_failback on` or `auto_failback off`",
        );
    }

    fn autojoin(&mut self, value: &Word<'_>) {
        if value.text.eq_ignore_ascii_case("none") {
            return;
        }
        let known = ["any", "other"]
            .iter()
            .any(|word| value.text.eq_ignore_ascii_case(word));
        self.error(
            &value.span,
            format!("`autojoin {}` cannot be used with haresources", value.text),
            if known {
                "unknown nodes may not join"
            } else {
                "expected `none`"
            },
            "remove the line, and name both nodes with `node`",
        );
    }

    fn facility(&mut self, value: &Word<'_>) {
        let lower = value.text.to_ascii_lowercase();
        if FACILITIES.contains(&lower.as_str()) {
            self.config.facility = Some(lower);
            return;
        }
        let help = text::closest(value.text, FACILITIES.iter().copied()).map_or_else(
            || "use `daemon`, `local0` to `local7`, or another one of syslog(3)".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        self.error(
            &value.span,
            format!("syslog has no facility `{}`", value.text),
            "unknown facility",
            help,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::boolean;

    /// Aim: the original's spellings of yes and no, in any case, and nothing else.
    #[test]
    fn booleans() {
        assert_eq!(boolean("On"), Some(true));
        assert_eq!(boolean("y"), Some(true));
        assert_eq!(boolean("0"), Some(false));
        assert_eq!(boolean("enable"), None);
    }
}
