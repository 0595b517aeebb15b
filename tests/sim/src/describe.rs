//! A fact in the words of an administrator, for the timeline.

use systole_core::action::Action;
use systole_core::event::{Command, Operation};
use systole_core::hold::Hold;
use systole_core::id::{GroupId, LinkId};
use systole_core::report::{Cause, Report};

use crate::clock::Micros;
use crate::fact::{Fact, What};
use crate::setup::{NAMES, Setup};

/// One line of the timeline; nothing for what happens all the time.
#[must_use]
pub fn describe(setup: &Setup, fact: &Fact) -> Option<String> {
    let text = what(setup, &fact.what)?;
    Some(line(fact.at, NAMES[fact.node], &text))
}

/// A line with its moment and its node.
#[must_use]
pub fn line(at: Micros, node: &str, text: &str) -> String {
    let millis = at / 1_000;
    format!(
        "{:6}.{:03} {node:<8} {text}",
        millis / 1_000,
        millis % 1_000
    )
}

fn what(setup: &Setup, what: &What) -> Option<String> {
    Some(match what {
        What::Started => "daemon starts".to_owned(),
        What::Crashed => "power is lost".to_owned(),
        What::Ended => "daemon has ended".to_owned(),
        What::Paused => "daemon is stopped by the system".to_owned(),
        What::Resumed(pause) => format!("daemon goes on after {}", span(*pause)),
        What::Stepped(micros) => format!("clock is set by {}ms", micros / 1_000),
        What::FalseFrame { effect: true } => "!! A FALSE FRAME HAD AN EFFECT".to_owned(),
        What::Act {
            action: Action::Report(it),
            ..
        } => report(setup, it),
        What::Act {
            action: Action::Announce(group),
            ..
        } => {
            format!("announce {}", group_name(setup, *group))
        }
        What::Act { .. }
        | What::FalseFrame { .. }
        | What::Done(..)
        | What::Heard
        | What::Verdict { .. }
        | What::LostSight(_)
        | What::Drained { .. }
        | What::Contact(_) => return None,
    })
}

fn span(micros: Micros) -> String {
    systole_core::time::Duration::from_micros(micros).to_string()
}

fn group_name(setup: &Setup, group: GroupId) -> &str {
    &setup.groups[usize::from(group.0)].0
}

fn link_name(setup: &Setup, link: LinkId) -> &str {
    &setup.links[usize::from(link.0)].0
}

fn hold_text(hold: Hold, stable: bool) -> String {
    format!("{hold}{}", if stable { "" } else { ", moving" })
}

fn cause_text(cause: Cause) -> String {
    let name = format!("{cause:?}");
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn command_text(command: Command) -> String {
    match command {
        Command::Standby(hold) => format!("standby {hold}"),
        Command::Takeover(hold) => format!("takeover {hold}"),
        Command::Stop => "stop".to_owned(),
    }
}

fn operation_text(operation: Operation) -> &'static str {
    match operation {
        Operation::Acquire => "acquire",
        Operation::Release => "release",
    }
}

fn report(setup: &Setup, report: &Report) -> String {
    match report {
        Report::OwnStatus(status) => format!("is {}", status.as_str()),
        Report::PeerStatus { from, to } => {
            format!("peer {} -> {}", from.as_str(), to.as_str())
        }
        Report::PeerLate(span) => format!("peer is late, silent for {span}"),
        Report::PeerLateEnd(span) => format!("peer is heard again after {span}"),
        Report::PeerDead(span) => format!("peer is dead, silent for {span}"),
        Report::PeerRestarted => "peer has restarted".to_owned(),
        Report::PeerReturned => "peer has returned".to_owned(),
        Report::PeerStopped => "peer has stopped".to_owned(),
        Report::PeerIsSystole(it) => {
            format!("peer is {}", if *it { "systole" } else { "the original" })
        }
        Report::DeadtimeDiffers(span) => format!("peer's deadtime differs: {span}"),
        Report::ResourcesDiffer => "peer's haresources differs".to_owned(),
        Report::UuidClash => "peer has our uuid".to_owned(),
        Report::Link { link, status } => {
            format!(
                "link {} {}",
                link_name(setup, *link),
                format!("{status:?}").to_lowercase()
            )
        }
        Report::OwnHold { hold, stable } => format!("holds {}", hold_text(*hold, *stable)),
        Report::PeerHold { hold, stable } => {
            format!("peer says it holds {}", hold_text(*hold, *stable))
        }
        other => deed(setup, other),
    }
}

/// What a node does about it.
fn deed(setup: &Setup, report: &Report) -> String {
    match report {
        Report::GroupBegin {
            group,
            operation,
            cause,
        } => format!(
            "{} {}: {}",
            operation_text(*operation),
            group_name(setup, *group),
            cause_text(*cause)
        ),
        Report::GroupEnd {
            group,
            operation,
            done,
            took,
        } => format!(
            "{} {} {} after {took}",
            operation_text(*operation),
            group_name(setup, *group),
            if *done { "done" } else { "FAILED" }
        ),
        Report::SplitBrain(hold) => format!("SPLIT BRAIN: both hold {hold}"),
        Report::StandbyBegin { hold, giving } => {
            format!(
                "standby: {} {hold}",
                if *giving { "gives" } else { "takes" }
            )
        }
        Report::StandbyEnd { end, .. } => {
            format!("standby ends: {}", format!("{end:?}").to_lowercase())
        }
        Report::Accepted(command) => format!("accepts {}", command_text(*command)),
        Report::Refused(command, why) => {
            format!(
                "refuses {}: {}",
                command_text(*command),
                format!("{why:?}").to_lowercase()
            )
        }
        Report::FramesRefused {
            link,
            reason,
            count,
        } => format!(
            "{count} refused on {}: {}",
            link_name(setup, *link),
            format!("{reason:?}").to_lowercase()
        ),
        Report::MessagesLost(count) => format!("{count} messages lost"),
        Report::OwnLateness(span) => format!("was not running for {span}"),
        Report::ClockBack(span) => format!("clock went back by {span}"),
        Report::ReportsLost(count) => format!("{count} reports lost"),
        Report::KeysChanged => "keys changed".to_owned(),
        Report::Stopping => "is stopping".to_owned(),
        other => format!("{other:?}"),
    }
}
