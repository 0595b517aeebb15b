//! The human view, line by line.

use super::super::{Counter, Events, GroupReport, LinkReport, PeerReport};
use super::*;

fn counter(name: &str, count: u64) -> Counter {
    Counter {
        name: name.into(),
        count,
    }
}

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
            ..PeerReport::default()
        },
        links: vec![LinkReport {
            name: "ucast eth0 192.168.1.2".into(),
            interface: "eth0".into(),
            status: "up".into(),
            since_ms: None,
            heard_ms_ago: None,
            refused: vec![counter("wrong_signature", 12), counter("unproven", 3)],
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
         refused, wrong signature: 12 (the nodes' authkeys differ)\n\
         \nLast events:\n  1970-01-01T00:00:15.000Z warning: event 15\n"
        ),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

/// Aim: what a peer that has gone held is not shown; a clean stop is told from a death, and a link
/// that died from one that never lived.
#[test]
fn a_peer_that_has_gone() {
    let mut report = report();
    report.peer.status = "dead".into();
    report.links[0].status = "dead".into();
    report.links[0].since_ms = Some(12_000);
    report.links[0].refused[1].count = UNPROVEN_MIN;
    let text = human(&report, Style::Plain);
    for part in [
        "\nrproxy2  dead    peer, Linux-HA heartbeat, heard 42ms ago\n",
        "\n  ucast eth0 192.168.1.2  dead    for 12s\n",
        "\n    refused, unproven: 20 (a recording, or a peer that does not hear us)\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    report.peer.stopped = true;
    let text = human(&report, Style::Plain);
    assert!(text.contains("\nrproxy2  stopped peer, "), "{text}");
}

/// Aim: what does not pass by itself, and what is being waited for, stands at the top.
#[test]
fn notices_are_above_the_groups() {
    let mut report = report();
    report.peer.resources_differ = true;
    report.peer.heard_ms_ago = None;
    report.waiting_ms = Some(25_400);
    report.groups[0].resources.truncate(1);
    let text = human(&report, Style::Plain);
    assert!(
        text.contains(
            "peer, Linux-HA heartbeat, not heard yet\n\
             haresources here and on rproxy2 differ: make the files the same, restart both\n\
             waiting for rproxy2, up to 25s more (initdead)\n\n"
        ),
        "{text}"
    );
    for style in [Style::Plain, Style::Colour] {
        let text = human(&report, style);
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
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
