//! The status as an administrator reads it, in 80 columns.

use core::fmt::Write as _;

use super::StatusReport;

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Colour,
}

#[derive(Clone, Copy)]
enum Tone {
    Good,
    Poor,
    Bad,
    Dim,
}

impl Style {
    /// Colours on a terminal, unless `NO_COLOR` is set (no-color.org).
    #[must_use]
    pub fn of_stdout() -> Self {
        use std::io::IsTerminal as _;
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if std::io::stdout().is_terminal() && !refused {
            Self::Colour
        } else {
            Self::Plain
        }
    }

    /// Pads first: escape codes have no width.
    fn paint(self, text: &str, width: usize, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Poor => "33",
            Tone::Bad => "31",
            Tone::Dim => "2",
        };
        match self {
            Self::Plain => format!("{text:<width$}"),
            Self::Colour => format!("\x1b[{code}m{text:<width$}\x1b[0m"),
        }
    }
}

fn tone(word: &str) -> Tone {
    match word {
        "active" | "held" | "up" => Tone::Good,
        "dead" | "failed" | "stuck" | "error" => Tone::Bad,
        "released" | "info" => Tone::Dim,
        _ => Tone::Poor,
    }
}

/// Renders the whole status.
#[must_use]
pub fn human(report: &StatusReport, style: Style) -> String {
    let mut text = String::new();
    nodes(&mut text, report, style);
    groups(&mut text, report, style);
    links(&mut text, report, style);
    for counter in report.counters.iter().filter(|counter| counter.count > 0) {
        line(
            &mut text,
            format_args!("{}: {}", counter.name.replace('_', " "), counter.count),
        );
    }
    events(&mut text, report, style);
    text
}

fn line(text: &mut String, args: core::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{args}");
}

fn nodes(text: &mut String, report: &StatusReport, style: Style) {
    let peer = &report.peer;
    let name = report.node.len().max(peer.name.len()).max(6);
    let settled = |stable: bool| if stable { "" } else { ", in transition" };
    let own = style.paint(&report.status, 7, tone(&report.status));
    line(
        text,
        format_args!(
            "{:<name$}  {own} holds {}{}; this node, systole {}, pid {}, for {}",
            report.node,
            report.hold,
            settled(report.stable),
            report.version,
            report.pid,
            age(report.uptime_ms)
        ),
    );
    let other = style.paint(&peer.status, 7, tone(&peer.status));
    let heard = heard(peer.heard_ms_ago);
    let kind = match peer.kind.as_str() {
        "original" => "Linux-HA heartbeat",
        kind => kind,
    };
    let says = if peer.heard_ms_ago.is_some() {
        format!(
            "holds {}{}; peer, {kind}, ",
            peer.hold,
            settled(peer.stable)
        )
    } else {
        "peer, ".to_owned()
    };
    line(
        text,
        format_args!("{:<name$}  {other} {says}{heard}", peer.name),
    );
    if report.standby.running {
        line(text, format_args!("A standby is under way."));
    }
}

fn groups(text: &mut String, report: &StatusReport, style: Style) {
    line(text, format_args!("\nGroups on this node:"));
    let width = report
        .groups
        .iter()
        .map(|group| group.name.len())
        .max()
        .unwrap_or(0);
    for group in &report.groups {
        let status = style.paint(&group.status, 9, tone(&group.status));
        let rest = group.resources.get(1..).unwrap_or_default().join(" ");
        let since = age(group.since_ms);
        line(
            text,
            format_args!(
                "  {:<width$}  {status} for {since:<8} prefers {}  {rest}",
                group.name, group.node
            ),
        );
    }
    if report.groups.is_empty() {
        line(text, format_args!("  none: haresources is empty"));
    }
}

fn links(text: &mut String, report: &StatusReport, style: Style) {
    line(text, format_args!("\nLinks to {}:", report.peer.name));
    let width = report
        .links
        .iter()
        .map(|link| link.name.len())
        .max()
        .unwrap_or(0);
    for link in &report.links {
        let status = style.paint(&link.status, 7, tone(&link.status));
        line(
            text,
            format_args!(
                "  {:<width$}  {status} {}",
                link.name,
                heard(link.heard_ms_ago)
            ),
        );
        for refused in &link.refused {
            line(
                text,
                format_args!("    refused, {}: {}", refused.name, refused.count),
            );
        }
    }
}

fn events(text: &mut String, report: &StatusReport, style: Style) {
    if report.events.is_empty() {
        return;
    }
    line(text, format_args!("\nLast events:"));
    for event in &report.events {
        let time = style.paint(&event.time, 0, Tone::Dim);
        let sentence = match event.level.as_str() {
            "info" => event.text.clone(),
            level => style.paint(&event.text, 0, tone(level)),
        };
        line(text, format_args!("  {time} {sentence}"));
    }
}

fn heard(ms_ago: Option<u64>) -> String {
    ms_ago.map_or_else(
        || "never heard".to_owned(),
        |ms| format!("heard {} ago", age(ms)),
    )
}

/// A span in the two units that matter: `350ms`, `12s`, `3m 20s`, `5h 2m`, `4d 1h`.
fn age(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms / 1_000, ms / 60_000, ms / 3_600_000);
    match hours {
        0 if seconds < 10 => format!("{ms}ms"),
        0 if minutes == 0 => format!("{seconds}s"),
        0 => format!("{minutes}m {}s", seconds % 60),
        1..48 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{}d {}h", hours / 24, hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Counter, Events, GroupReport, LinkReport, PeerReport};
    use super::*;

    fn report() -> StatusReport {
        let mut events = Events::default();
        for number in 0..25 {
            let wall = systole_core::time::Duration::from_secs(number);
            events.push(wall, "warning", &format!("event {number}"));
        }
        StatusReport {
            node: "rproxy1".into(),
            version: "0.1.0".into(),
            pid: 4711,
            uptime_ms: 200_000,
            status: "active".into(),
            hold: "local".into(),
            stable: true,
            peer: PeerReport {
                name: "rproxy2".into(),
                status: "active".into(),
                kind: "original".into(),
                heard_ms_ago: Some(42),
                hold: "none".into(),
                stable: true,
                deadtime_ms: Some(500),
            },
            links: vec![LinkReport {
                name: "ucast eth0 192.168.1.2".into(),
                interface: "eth0".into(),
                status: "up".into(),
                heard_ms_ago: None,
                refused: vec![Counter {
                    name: "signature".into(),
                    count: 7,
                }],
            }],
            groups: vec![GroupReport {
                name: "10.8.0.1".into(),
                node: "rproxy1".into(),
                status: "held".into(),
                since_ms: 190_000,
                resources: vec!["10.8.0.1".into(), "nginx".into()],
            }],
            events: events.all().clone(),
            ..StatusReport::default()
        }
    }

    /// Aim: the whole picture reads well, fits 80 columns and shows only the last events.
    #[test]
    fn the_whole_picture() {
        let text = human(&report(), Style::Plain);
        assert!(
            text.starts_with(
                "rproxy1  active  holds local; this node, systole 0.1.0, pid 4711, for 3m 20s\n\
             rproxy2  active  holds none; peer, Linux-HA heartbeat, heard 42ms ago\n\
             \nGroups on this node:\n  \
             10.8.0.1  held      for 3m 10s   prefers rproxy1  nginx\n\
             \nLinks to rproxy2:\n  \
             ucast eth0 192.168.1.2  up      never heard\n    \
             refused, signature: 7\n\
             \nLast events:\n  1970-01-01T00:00:05.000Z event 5\n"
            ),
            "{text}"
        );
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }

    /// Aim: colour changes nothing but colour, and JSON brings everything back.
    #[test]
    fn colour_and_json() {
        let report = report();
        let coloured = human(&report, Style::Colour);
        let mut plain = String::new();
        let mut skip = false;
        for c in coloured.chars() {
            match c {
                '\x1b' => skip = true,
                'm' if skip => skip = false,
                _ if skip => {}
                c => plain.push(c),
            }
        }
        assert_ne!(coloured, plain);
        assert_eq!(plain, human(&report, Style::Plain));
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<StatusReport>(&json).unwrap(), report);
    }

    /// Aim: ages are short and never ambiguous.
    #[test]
    fn ages() {
        for (ms, text) in [
            (0, "0ms"),
            (9_999, "9999ms"),
            (10_000, "10s"),
            (60_000, "1m 0s"),
            (7_320_000, "2h 2m"),
            (180_000_000, "2d 2h"),
        ] {
            assert_eq!(age(ms), text);
        }
    }
}
