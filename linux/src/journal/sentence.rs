//! One sentence for each of the core's reports: what happened, and what follows from it.

use systole_core::event::{Command, Operation};
use systole_core::hold::Hold;
use systole_core::id::{GroupId, LinkId};
use systole_core::report::{
    Cause, CommandRefusal, LinkStatus, NodeStatus, Refusal, Report, StandbyEnd,
};
use systole_core::time::Duration;
use tracing::Level;

/// What the core's numbers are called in the three files.
#[derive(Clone, Debug)]
pub struct Names {
    /// This node.
    pub node: String,
    /// The other node.
    pub peer: String,
    /// The links: `ucast eth0 192.168.1.2`.
    pub links: Vec<String>,
    /// The groups: their first resources.
    pub groups: Vec<String>,
    /// This node's deadtime.
    pub deadtime: Duration,
}

impl Names {
    fn link(&self, id: LinkId) -> &str {
        self.links
            .get(usize::from(id.0))
            .map_or("unknown link", String::as_str)
    }

    fn group(&self, id: GroupId) -> &str {
        self.groups
            .get(usize::from(id.0))
            .map_or("unknown group", String::as_str)
    }

    /// Says a report in words, with its weight. Lines that come with every lost packet are for
    /// debugging.
    #[must_use]
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each report reads best in one place"
    )]
    pub fn sentence(&self, report: &Report) -> (Level, String) {
        let peer = &self.peer;
        match *report {
            Report::OwnStatus(status) => (Level::INFO, format!("this node is {}", status.as_str())),
            Report::PeerStatus { from, to } => {
                let level = match to {
                    NodeStatus::Dead => Level::WARN,
                    NodeStatus::Init | NodeStatus::Up | NodeStatus::Active => Level::INFO,
                };
                let (from, to) = (from.as_str(), to.as_str());
                (level, format!("peer {peer} is now {to} (was {from})"))
            }
            Report::PeerLate(gap) => (
                Level::WARN,
                format!("no heartbeat from {peer} for {gap}: late, not yet dead"),
            ),
            Report::PeerLateEnd(gap) => (
                Level::WARN,
                format!(
                    "heartbeat from {peer} came late, after {gap}; if that happens without a fault, raise deadtime"
                ),
            ),
            Report::PeerDead(gap) => (
                Level::ERROR,
                format!("peer {peer} is dead: nothing heard on any link for {gap}"),
            ),
            Report::PeerRestarted => (Level::INFO, format!("peer {peer} has started anew")),
            Report::PeerReturned => (
                Level::WARN,
                format!(
                    "peer {peer} is heard again without having been restarted: the network was cut, or it was stopped for a while"
                ),
            ),
            Report::PeerStopped => (Level::INFO, format!("peer {peer} has stopped cleanly")),
            Report::PeerIsSystole(systole) => {
                let software = if systole { "Systole" } else { "Heartbeat" };
                (Level::INFO, format!("peer {peer} runs {software}"))
            }
            Report::DeadtimeDiffers(theirs) => (
                Level::WARN,
                format!(
                    "{peer} has deadtime {theirs}, this node {}: make ha.cf the same on both nodes",
                    self.deadtime
                ),
            ),
            Report::ResourcesDiffer => (
                Level::ERROR,
                format!(
                    "haresources differs between this node and {peer}: make it the same on both, or both may serve the same address"
                ),
            ),
            Report::UuidClash => (
                Level::ERROR,
                format!(
                    "{peer} has this node's uuid: a cloned disk; remove hb_uuid from the state directory of one node and restart it"
                ),
            ),
            Report::Link { link, status } => self.link_sentence(link, status),
            Report::OwnHold { hold, stable } => (
                Level::INFO,
                format!("this node holds {}", held(hold, stable)),
            ),
            Report::PeerHold { hold, stable } => {
                (Level::INFO, format!("{peer} holds {}", held(hold, stable)))
            }
            Report::GroupBegin {
                group,
                operation,
                cause,
            } => (
                Level::INFO,
                format!(
                    "{} {}: {}",
                    begin(operation),
                    self.group(group),
                    self.because(cause)
                ),
            ),
            Report::GroupEnd {
                group,
                operation,
                done,
                took,
            } => ended(self.group(group), operation, done, took),
            Report::SplitBrain(hold) => (
                Level::ERROR,
                format!(
                    "split-brain: this node and {peer} both hold {hold} groups; each keeps what prefers it"
                ),
            ),
            Report::StandbyBegin { hold, giving: true } => (
                Level::INFO,
                format!("standby: giving {hold} groups to {peer}"),
            ),
            Report::StandbyBegin {
                hold,
                giving: false,
            } => (
                Level::INFO,
                format!("standby: taking {hold} groups from {peer}"),
            ),
            Report::StandbyEnd(end) => self.standby_end(end),
            Report::Accepted(command) => (Level::INFO, format!("accepted: {}", asked(command))),
            Report::Refused(command, why) => (
                Level::WARN,
                format!("refused: {}: {}", asked(command), self.refusal(why)),
            ),
            Report::FramesRefused {
                link,
                reason,
                count,
            } => self.frames_refused(link, reason, count),
            Report::MessagesLost(count) => (
                Level::DEBUG,
                format!("{count} messages from {peer} were lost on the way"),
            ),
            Report::OwnLateness(gap) => (
                Level::ERROR,
                format!(
                    "this node stood still for {gap}, longer than deadtime: {peer} may have taken over, so everything is let go first"
                ),
            ),
            Report::ClockBack(span) => (
                Level::WARN,
                format!(
                    "the monotonic clock went back by {span}; time is held until it catches up"
                ),
            ),
            Report::ReportsLost(count) => (
                Level::WARN,
                format!("{count} reports were lost: the log was too slow"),
            ),
            Report::KeysChanged => (Level::INFO, "authkeys was read again".to_owned()),
            Report::Stopping => (Level::INFO, "stopping: releasing everything".to_owned()),
        }
    }

    fn link_sentence(&self, link: LinkId, status: LinkStatus) -> (Level, String) {
        let (name, peer) = (self.link(link), &self.peer);
        match status {
            LinkStatus::Up => (Level::INFO, format!("link {name} is up")),
            LinkStatus::Dead => (
                Level::WARN,
                format!("link {name} is dead: nothing from {peer} on it"),
            ),
            LinkStatus::OneWay => (
                Level::WARN,
                format!("link {name} works one way: {peer} is heard, and does not hear this node"),
            ),
            LinkStatus::Failed => (
                Level::ERROR,
                format!("link {name} has failed: its interface cannot send or receive"),
            ),
        }
    }

    /// Why a group moves.
    fn because(&self, cause: Cause) -> String {
        let peer = &self.peer;
        match cause {
            Cause::StartUp => "it prefers this node and nobody holds it".to_owned(),
            Cause::PeerDead => format!("{peer} is dead"),
            Cause::PeerStopped => format!("{peer} has stopped"),
            Cause::Standby => "agreed in a standby".to_owned(),
            Cause::Orphan => "nobody holds it".to_owned(),
            Cause::Conflict => format!("{peer} holds it too"),
            Cause::AcquireFailed => "it could not be started here".to_owned(),
            Cause::OwnLateness => "this node stood still longer than deadtime".to_owned(),
            Cause::Stop => "this node is stopping".to_owned(),
            Cause::PeerRequest => format!("{peer} is back and asks for it"),
            Cause::Retry => "another try".to_owned(),
            Cause::LeftOver => format!("an earlier run left it here and {peer} has it now"),
        }
    }

    fn standby_end(&self, end: StandbyEnd) -> (Level, String) {
        let peer = &self.peer;
        match end {
            StandbyEnd::Done => (Level::INFO, "standby: done".to_owned()),
            StandbyEnd::NoReply => (
                Level::WARN,
                format!("standby: {peer} did not answer; the groups stay where they are"),
            ),
            StandbyEnd::PeerLost => (
                Level::WARN,
                format!("standby: broken off, {peer} is gone or has started anew"),
            ),
            StandbyEnd::ReleaseFailed => (
                Level::ERROR,
                "standby: broken off, a group could not be released".to_owned(),
            ),
            StandbyEnd::AcquireFailed => (
                Level::ERROR,
                "standby: the taking node could not start a group".to_owned(),
            ),
        }
    }

    /// Why a command was refused.
    #[must_use]
    pub fn refusal(&self, why: CommandRefusal) -> String {
        let peer = &self.peer;
        match why {
            CommandRefusal::Starting => {
                "this node is still starting; try again in a moment".to_owned()
            }
            CommandRefusal::Stopping => "this node is stopping".to_owned(),
            CommandRefusal::Busy => "another standby is under way".to_owned(),
            CommandRefusal::PeerAbsent => {
                format!("{peer} is not an active, settled member; see `systole status`")
            }
            CommandRefusal::Nothing => "nothing was named".to_owned(),
            CommandRefusal::Legacy => {
                format!(
                    "{peer} runs Heartbeat with auto_failback legacy, which knows no standby: set it to on or off on both nodes"
                )
            }
        }
    }

    fn frames_refused(&self, link: LinkId, reason: Refusal, count: u32) -> (Level, String) {
        let (name, peer) = (self.link(link), &self.peer);
        let why = match reason {
            Refusal::Oversize => "too long".to_owned(),
            Refusal::Envelope => "not Heartbeat messages".to_owned(),
            Refusal::Key => "signed with a key that authkeys does not have".to_owned(),
            Refusal::Signature => {
                format!("signature wrong: is authkeys the same on this node and {peer}?")
            }
            Refusal::Malformed => "signed, but not readable".to_owned(),
            Refusal::UnknownNode => "from a node that ha.cf does not name".to_owned(),
            Refusal::Replay => format!("from an earlier run of {peer}: recorded and played back?"),
            Refusal::Unproven => {
                format!("from a run of {peer} that does not answer: recorded and played back?")
            }
        };
        let packets = if count == 1 { "packet" } else { "packets" };
        (
            Level::WARN,
            format!("{count} {packets} on link {name} had no effect: {why}"),
        )
    }
}

fn held(hold: Hold, stable: bool) -> String {
    let what = match hold {
        Hold::None => "nothing",
        Hold::Local => "its local groups",
        Hold::Foreign => "its foreign groups",
        Hold::All => "all groups",
    };
    let moving = if stable { "" } else { " (moving)" };
    format!("{what}{moving}")
}

const fn begin(operation: Operation) -> &'static str {
    match operation {
        Operation::Acquire => "acquiring",
        Operation::Release => "releasing",
    }
}

fn ended(group: &str, operation: Operation, done: bool, took: Duration) -> (Level, String) {
    match (operation, done) {
        (Operation::Acquire, true) => (Level::INFO, format!("{group} is here after {took}")),
        (Operation::Release, true) => (Level::INFO, format!("{group} is released after {took}")),
        (Operation::Acquire, false) => (
            Level::ERROR,
            format!(
                "{group} could not be started here (after {took}); it is released and offered to the peer"
            ),
        ),
        (Operation::Release, false) => (
            Level::ERROR,
            format!(
                "{group} could not be released (after {took}); the peer does not get it, it is tried again"
            ),
        ),
    }
}

fn asked(command: Command) -> String {
    match command {
        Command::Standby(hold) => format!("standby {hold}"),
        Command::Takeover(hold) => format!("takeover {hold}"),
        Command::Stop => "stop".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            node: "rproxy1".to_owned(),
            peer: "rproxy2".to_owned(),
            links: vec!["ucast eth0 192.168.1.2".to_owned()],
            groups: vec!["10.8.0.1".to_owned()],
            deadtime: Duration::from_millis(500),
        }
    }

    fn say(report: Report) -> String {
        names().sentence(&report).1
    }

    /// Aim: the sentences that are read in an outage name the node, the link, the group and the time.
    #[test]
    fn sentences_name_things() {
        assert_eq!(
            say(Report::PeerDead(Duration::from_millis(503))),
            "peer rproxy2 is dead: nothing heard on any link for 503ms"
        );
        assert_eq!(
            say(Report::GroupBegin {
                group: GroupId(0),
                operation: Operation::Acquire,
                cause: Cause::PeerDead
            }),
            "acquiring 10.8.0.1: rproxy2 is dead"
        );
        assert_eq!(
            say(Report::FramesRefused {
                link: LinkId(0),
                reason: Refusal::Signature,
                count: 12
            }),
            "12 packets on link ucast eth0 192.168.1.2 had no effect: signature wrong: is authkeys \
             the same on this node and rproxy2?"
        );
    }

    /// Aim: what needs a person is an error or a warning, what is routine is not.
    #[test]
    fn weights() {
        let level = |report| names().sentence(&report).0;
        assert_eq!(level(Report::PeerDead(Duration::ZERO)), Level::ERROR);
        assert_eq!(level(Report::ResourcesDiffer), Level::ERROR);
        assert_eq!(level(Report::PeerStopped), Level::INFO);
        assert_eq!(level(Report::MessagesLost(1)), Level::DEBUG);
    }
}
