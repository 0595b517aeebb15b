//! The status as an administrator reads it, in 80 columns.

use core::fmt::Write as _;

use super::style::{Tone, tone};
use super::{Counter, LinkReport, StatusReport, Style};

/// Events that are shown; the JSON has more.
const EVENTS_SHOWN: usize = 10;

/// Unproven messages that are worth a line: a peer that starts sends a few.
const UNPROVEN_MIN: u64 = 20;

/// Renders the whole status.
#[must_use]
pub fn human(report: &StatusReport, style: Style) -> String {
    with_events(report, style, EVENTS_SHOWN)
}

/// The same with so many of the last events; without any there is no headline for them.
pub(super) fn with_events(report: &StatusReport, style: Style, events_max: usize) -> String {
    let mut text = String::new();
    nodes(&mut text, report, style);
    notices(&mut text, report, style);
    groups(&mut text, report, style);
    links(&mut text, report, style);
    for counter in report.counters.iter().filter(|counter| counter.count > 0) {
        line(
            &mut text,
            format_args!("{}: {}", counter.name.replace('_', " "), counter.count),
        );
    }
    events(&mut text, report, style, events_max.min(EVENTS_SHOWN));
    text
}

fn line(text: &mut String, args: core::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{args}");
    text.truncate(text.trim_end().len());
    text.push('\n');
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
    let gone = peer.status == "dead";
    let word = if gone && peer.stopped {
        "stopped"
    } else {
        &peer.status
    };
    let other = style.paint(word, 7, tone(word));
    let heard = peer
        .heard_ms_ago
        .map_or_else(|| "not heard yet".to_owned(), heard);
    let kind = match peer.kind.as_str() {
        "original" => "Linux-HA heartbeat, ",
        "systole" => "systole, ",
        _ => "",
    };
    let says = if peer.heard_ms_ago.is_some() && !gone {
        format!("holds {}{}; ", peer.hold, settled(peer.stable))
    } else {
        String::new()
    };
    line(
        text,
        format_args!("{:<name$}  {other} {says}peer, {kind}{heard}", peer.name),
    );
}

/// What does not pass by itself, and what is being waited for.
fn notices(text: &mut String, report: &StatusReport, style: Style) {
    let peer = &report.peer.name;
    if report.peer.resources_differ {
        let notice =
            format!("haresources here and on {peer} differ: make the files the same, restart both");
        line(text, format_args!("{}", style.paint(&notice, 0, Tone::Bad)));
    }
    if let Some(left) = report.waiting_ms {
        let notice = format!("waiting for {peer}, up to {} more (initdead)", age(left));
        line(
            text,
            format_args!("{}", style.paint(&notice, 0, Tone::Poor)),
        );
    }
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
            format_args!("  {:<width$}  {status} {}", link.name, silence(link)),
        );
        for refused in link.refused.iter().filter(|refused| is_news(refused)) {
            let (reason, why) = refusal(&refused.name);
            line(
                text,
                format_args!("    refused, {reason}: {} ({why})", refused.count),
            );
        }
    }
}

fn events(text: &mut String, report: &StatusReport, style: Style, max: usize) {
    let hidden = report.events.len().saturating_sub(max);
    if hidden == report.events.len() {
        return;
    }
    line(text, format_args!("\nLast events:"));
    for event in report.events.iter().skip(hidden) {
        let time = style.paint(&event.time, 0, Tone::Dim);
        let sentence = match event.level.as_str() {
            "info" => event.text.clone(),
            level => style.paint(&format!("{level}: {}", event.text), 0, tone(level)),
        };
        line(text, format_args!("  {time} {sentence}"));
    }
}

fn is_news(refused: &Counter) -> bool {
    refused.count
        >= if refused.name == "unproven" {
            UNPROVEN_MIN
        } else {
            1
        }
}

/// A reason for a refusal in words, and where to look.
fn refusal(name: &str) -> (String, &'static str) {
    let why = match name {
        "oversize" => "longer than a heartbeat: another program on this port",
        "not_a_message" => "another program on this port, or another `baud`",
        "unknown_key" => "signed with a key that authkeys here does not have",
        "wrong_signature" => "the nodes' authkeys differ",
        "unreadable" => "signed, but fields are missing or wrong",
        "unknown_node" => "another cluster on this port, or two machines of one name",
        "replayed" => "heard before, or of an earlier run",
        "unproven" => "a recording, or a peer that does not hear us",
        _ => "see the log",
    };
    (name.replace('_', " "), why)
}

/// When the peer was last heard on a link, as far as that is known.
fn silence(link: &LinkReport) -> String {
    match (link.heard_ms_ago, link.since_ms) {
        (Some(ms), _) => heard(ms),
        (None, Some(ms)) => format!("for {}", age(ms)),
        (None, None) => "never heard".to_owned(),
    }
}

fn heard(ms_ago: u64) -> String {
    format!("heard {} ago", age(ms_ago))
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
mod tests;
