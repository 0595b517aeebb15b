//! What the demo prints: one line per event, in the way this terminal can show it.

use std::io::{IsTerminal as _, Write as _};

use systole_core::time::Instant;

/// The widest that anything is drawn.
const COLUMNS_MAX: usize = 100;
/// Narrower than this no picture makes sense.
const COLUMNS_MIN: usize = 40;
/// Fits everywhere.
const COLUMNS_USUAL: usize = 80;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
    pub(super) unicode: bool,
    pub(super) columns: usize,
}

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Said by the way.
    Plain,
    /// Something that the demo does.
    Action,
    /// The service is there.
    Good,
    /// The service is not there.
    Bad,
}

impl Style {
    /// Finds out from the environment: `NO_COLOR`, `TERM`, the locale and `COLUMNS`.
    pub(super) fn detect() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(variable);
        let columns = variable("COLUMNS").and_then(|value| value.parse().ok());
        let dumb = variable("TERM").is_none_or(|term| term == "dumb");
        Self {
            colour: std::io::stdout().is_terminal() && variable("NO_COLOR").is_none() && !dumb,
            unicode: locale.is_some_and(|locale| speaks_utf8(&locale)),
            columns: columns
                .unwrap_or(COLUMNS_USUAL)
                .clamp(COLUMNS_MIN, COLUMNS_MAX),
        }
    }

    /// The text in the colour of its tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Action => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
        };
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn speaks_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}

/// Standard output, with the time since the demo began before every event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    pub(super) style: Style,
    pub(super) origin: Instant,
}

impl Screen {
    /// One event: when, who, what.
    pub(super) fn event(&self, at: Instant, who: &str, tone: Tone, text: &str) {
        let millis = at.since(self.origin).as_millis();
        let text = self.style.paint(tone, text);
        self.line(&format!(
            "{:>4}.{:03}  {who:<10} {text}",
            millis / 1_000,
            millis % 1_000
        ));
    }

    /// One line as it is.
    #[expect(clippy::unused_self, reason = "printing goes through the screen")]
    pub(super) fn line(&self, text: &str) {
        // Nobody listening is no reason to leave nodes behind; the demo goes on to its end.
        let mut output = std::io::stdout().lock();
        let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: only a locale that says so is trusted with block characters.
    #[test]
    fn locales() {
        assert!(speaks_utf8("de_DE.UTF-8") && speaks_utf8("C.utf8"));
        assert!(!speaks_utf8("C") && !speaks_utf8("POSIX") && !speaks_utf8("de_DE@euro"));
    }
}
