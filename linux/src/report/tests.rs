//! Every report in words.

use systole_core::event::{Command, Operation};
use systole_core::report::{Cause, CommandRefusal, LinkStatus, NodeStatus, Refusal, StandbyEnd};

use super::*;

fn names() -> Names {
    Names {
        node: "rproxy2".into(),
        peer: "rproxy1".into(),
        links: vec!["ucast eth0 192.168.1.1".into()],
        groups: vec!["10.8.0.1".into()],
        deadtime: Duration::from_millis(500),
        warntime: Duration::from_millis(250),
    }
}

/// Aim: the sentences read at 3 a.m. say what happened, to whom, and what follows.
#[test]
fn sentences() {
    let link = LinkId(0);
    for (report, level, text) in [
        (
            Report::PeerDead(Duration::from_millis(503)),
            Level::Error,
            "peer rproxy1 is dead: nothing heard for 503ms (deadtime 500ms); its groups are taken over",
        ),
        (
            Report::PeerDead(Duration::from_millis(4002)),
            Level::Error,
            "peer rproxy1 is dead: nothing heard for 4002ms (deadtime 500ms; after the start \
             initdead); its groups are taken over",
        ),
        (
            Report::PeerStatus {
                from: NodeStatus::Init,
                to: NodeStatus::Dead,
            },
            Level::Info,
            "peer rproxy1 was not heard since this node began to listen",
        ),
        (
            Report::Link {
                link,
                status: LinkStatus::Dead,
            },
            Level::Warning,
            "link ucast eth0 192.168.1.1 is dead: nothing from rproxy1; check cable, switch, \
             firewall, and authkeys (`systole status` counts wrong signatures)",
        ),
        (
            Report::FramesRefused {
                link,
                reason: Refusal::Signature,
                count: 12,
            },
            Level::Warning,
            "12 messages on link ucast eth0 192.168.1.1 had no effect: wrong signature; \
             compare authkeys on both nodes",
        ),
    ] {
        let sentence = names().sentence(report);
        assert_eq!((sentence.level, sentence.text.as_str()), (level, text));
    }
}

/// Aim: so do those about groups and what the operator asked for.
#[test]
fn sentences_about_groups() {
    let group = GroupId(0);
    let took = Duration::from_millis(31);
    for (report, level, text) in [
        (
            Report::GroupBegin {
                group,
                operation: Operation::Acquire,
                cause: Cause::PeerDead,
            },
            Level::Info,
            "acquiring group 10.8.0.1: rproxy1 is dead",
        ),
        (
            Report::GroupEnd {
                group,
                operation: Operation::Acquire,
                done: true,
                took,
            },
            Level::Info,
            "group 10.8.0.1 runs here, after 31ms",
        ),
        (
            Report::GroupEnd {
                group,
                operation: Operation::Acquire,
                done: false,
                took,
            },
            Level::Error,
            "group 10.8.0.1 could not be started here; it is released and offered to rproxy1",
        ),
        (
            Report::StandbyBegin {
                hold: Hold::Foreign,
                giving: true,
            },
            Level::Info,
            "standby: the groups of rproxy1 go to rproxy1",
        ),
        (
            Report::Refused(Command::Standby(Hold::All), CommandRefusal::PeerAbsent),
            Level::Warning,
            "standby all refused: rproxy1 is not an active, settled member; look at `systole status`",
        ),
        (
            Report::StandbyEnd {
                giving: true,
                end: StandbyEnd::Done,
            },
            Level::Info,
            "standby done: rproxy1 has the groups",
        ),
    ] {
        let sentence = names().sentence(report);
        assert_eq!((sentence.level, sentence.text.as_str()), (level, text));
    }
}

/// Aim: no report of the core falls through to its debug form.
#[test]
fn every_report_has_words() {
    let span = Duration::from_millis(1);
    let status = NodeStatus::Up;
    for report in [
        Report::OwnStatus(status),
        Report::PeerStatus {
            from: status,
            to: status,
        },
        Report::PeerLate(span),
        Report::PeerLateEnd(span),
        Report::PeerRestarted,
        Report::PeerReturned,
        Report::PeerStopped,
        Report::PeerIsSystole(false),
        Report::DeadtimeDiffers(span),
        Report::ResourcesDiffer,
        Report::UuidClash,
        Report::OwnHold {
            hold: Hold::All,
            stable: false,
        },
        Report::PeerHold {
            hold: Hold::All,
            stable: false,
        },
        Report::SplitBrain(Hold::All),
        Report::Accepted(Command::Stop),
        Report::MessagesLost(3),
        Report::OwnLateness(span),
        Report::ClockBack(span),
        Report::ReportsLost(3),
        Report::KeysChanged,
        Report::Stopping,
    ] {
        let sentence = names().sentence(report);
        assert_ne!(sentence.kind, "other", "{report:?}");
        assert!(
            sentence.text.is_ascii() && !sentence.text.contains("  "),
            "{}",
            sentence.text
        );
    }
}

/// Aim: a number without a name still makes a sentence.
#[test]
fn unknown_numbers() {
    let report = Report::Link {
        link: LinkId(7),
        status: LinkStatus::Up,
    };
    assert!(names().sentence(report).text.starts_with("link 7 is up"));
}
