//! The status as one picture on a terminal: what does not fit is left out, the newest events last.

use std::io::IsTerminal as _;

use super::human::with_events;
use super::{StatusReport, Style};

/// Home, then clear to the end: a picture replaces the last one without flicker.
const REDRAW: &str = "\x1b[H\x1b[J";

/// The size of a screen: columns and lines.
type Size = (usize, usize);

/// Whether stdout is a terminal that can be drawn on.
#[must_use]
pub fn is_screen() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// A picture that replaces the one before.
#[must_use]
pub fn picture(report: &StatusReport, style: Style) -> String {
    let size = terminal_size::terminal_size()
        .map(|(width, height)| (usize::from(width.0), usize::from(height.0)));
    let text = size.map_or_else(
        || super::human(report, style),
        |size| fit(report, style, size),
    );
    format!("{REDRAW}{text}")
}

fn fit(report: &StatusReport, style: Style, (width, height): Size) -> String {
    let fixed = with_events(report, style, 0).lines().count();
    // A blank and a headline come with the events, and the cursor stands below everything.
    let events = height.saturating_sub(fixed.saturating_add(3));
    let text = with_events(report, style, events);
    let lines = text.lines().take(height.saturating_sub(1));
    lines.map(|line| cut(line, width) + "\n").collect()
}

/// The beginning of a line that is not wider; colour has no width, and its end is kept.
fn cut(line: &str, width: usize) -> String {
    let (mut used, mut escape) = (0_usize, false);
    let mut text = String::new();
    for character in line.chars() {
        escape |= character == '\x1b';
        if !escape {
            used = used.saturating_add(1);
        }
        if escape || used <= width {
            text.push(character);
        }
        escape &= character != 'm';
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Events;
    use super::*;

    /// Aim: a picture never scrolls and never wraps; the newest events are what remains.
    #[test]
    fn small_screens() {
        let mut events = Events::default();
        for number in 0..20 {
            let wall = systole_core::time::Duration::from_secs(number);
            events.push(wall, "error", &format!("{} {number}", "x".repeat(30)));
        }
        let report = StatusReport {
            events: events.all().clone(),
            ..StatusReport::default()
        };
        for height in 0..30 {
            let text = fit(&report, Style::Colour, (70, height));
            assert!(text.lines().count() < height.max(1), "{height}: {text}");
        }
        let text = fit(&report, Style::Plain, (40, 14));
        assert!(text.lines().all(|line| line.len() <= 40), "{text}");
        let text = fit(&report, Style::Plain, (90, 14));
        let newest = text.lines().last().unwrap_or_default();
        assert!(newest.ends_with("x 19"), "{text}");
        assert_eq!(text.lines().count(), 13, "{text}");
    }

    /// Aim: a cut does not leave colour behind.
    #[test]
    fn cuts() {
        assert_eq!(cut("a\x1b[31mbcd\x1b[0m", 2), "a\x1b[31mb\x1b[0m");
        assert_eq!(cut("short", 80), "short");
    }
}
