//! Sentences about groups, standby and commands.

use systole_core::event::{Command, Operation};
use systole_core::id::GroupId;
use systole_core::report::{Cause, CommandRefusal, Report, StandbyEnd};
use systole_core::time::Duration;

use super::{Level, Names, Words};

impl Names {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each function words its own kinds; a test sees that none is left out"
    )]
    pub(super) fn groups(&self, report: Report) -> Words {
        let peer = &self.peer;
        Some(match report {
            Report::GroupBegin {
                group,
                operation,
                cause,
            } => {
                let verb = match operation {
                    Operation::Acquire => "acquiring",
                    Operation::Release => "releasing",
                };
                let group = self.group(group);
                (
                    Level::Info,
                    "group_begin",
                    format!("{verb} {group}: {}", self.cause(cause)),
                )
            }
            Report::GroupEnd {
                group,
                operation,
                done,
                took,
            } => self.group_end(group, operation, done, took),
            Report::SplitBrain(hold) => (
                Level::Error,
                "split_brain",
                format!(
                    "both nodes hold {}: the heartbeat links were cut; one of us lets go now; \
                     check every link between {} and {peer}",
                    self.what(hold),
                    self.node
                ),
            ),
            Report::StandbyBegin { hold, giving } => {
                let what = self.what(hold);
                let text = if giving {
                    format!("standby: {what} go to {peer}")
                } else {
                    format!("standby: {what} come from {peer}")
                };
                (Level::Info, "standby_begin", text)
            }
            Report::StandbyEnd { giving, end } => self.standby_end(giving, end),
            Report::Accepted(command) => (
                Level::Info,
                "accepted",
                format!("{} accepted", words(command)),
            ),
            Report::Refused(command, why) => (
                Level::Warning,
                "refused",
                format!("{} refused: {}", words(command), self.refusal(why)),
            ),
            _ => return None,
        })
    }

    fn group_end(
        &self,
        group: GroupId,
        operation: Operation,
        done: bool,
        took: Duration,
    ) -> (Level, &'static str, String) {
        let (group, peer) = (self.group(group), &self.peer);
        match (operation, done) {
            (Operation::Acquire, true) => (
                Level::Info,
                "group_acquired",
                format!("{group} runs here, after {took}"),
            ),
            (Operation::Release, true) => (
                Level::Info,
                "group_released",
                format!("{group} is released, after {took}"),
            ),
            (Operation::Acquire, false) => (
                Level::Error,
                "group_acquire_failed",
                format!("{group} could not be started here; it is released and offered to {peer}"),
            ),
            (Operation::Release, false) => (
                Level::Error,
                "group_release_failed",
                format!(
                    "{group} could not be stopped, so {peer} does not get it; it is tried again; \
                     the lines above name what still runs"
                ),
            ),
        }
    }

    fn standby_end(&self, giving: bool, end: StandbyEnd) -> (Level, &'static str, String) {
        let level = if end == StandbyEnd::Done {
            Level::Info
        } else {
            Level::Error
        };
        (
            level,
            "standby_end",
            format!("standby {}", self.standby_outcome(giving, end)),
        )
    }

    /// How a standby ended, in words that read on after "standby".
    fn standby_outcome(&self, giving: bool, end: StandbyEnd) -> String {
        let peer = &self.peer;
        match end {
            StandbyEnd::Done if giving => format!("done: {peer} has the groups"),
            StandbyEnd::Done => "done: this node has the groups".into(),
            StandbyEnd::NoReply => {
                format!("failed: {peer} did not answer; the groups stay where they are")
            }
            StandbyEnd::PeerLost => format!("failed: {peer} died or stopped on the way"),
            StandbyEnd::ReleaseFailed => {
                "failed: a group could not be released, so it stays where it is".into()
            }
            StandbyEnd::AcquireFailed => {
                "failed: the taking node could not start a group; it goes back".into()
            }
        }
    }

    /// Why a command is refused, for the log and for whoever gave it.
    #[must_use]
    pub fn refusal(&self, why: CommandRefusal) -> String {
        let peer = &self.peer;
        match why {
            CommandRefusal::Starting => "this node has not finished starting; try again".into(),
            CommandRefusal::Stopping => "this node is stopping".into(),
            CommandRefusal::Busy => "a standby or takeover is under way; try again after it".into(),
            CommandRefusal::PeerAbsent => {
                format!("{peer} is not an active, settled member; look at `systole status`")
            }
            CommandRefusal::Nothing => "no groups were named".into(),
            CommandRefusal::Legacy => {
                "auto_failback legacy knows no standby; set it to on or off in ha.cf".into()
            }
        }
    }

    fn cause(&self, cause: Cause) -> String {
        let peer = &self.peer;
        match cause {
            Cause::StartUp => "start-up, it prefers this node and nobody has it".into(),
            Cause::PeerDead => format!("{peer} is dead"),
            Cause::PeerStopped => format!("{peer} has stopped"),
            Cause::Standby => format!("agreed with {peer} (standby or failback)"),
            Cause::Orphan => "nobody has it".into(),
            Cause::Conflict => "both nodes had it".into(),
            Cause::AcquireFailed => "it could not be started here".into(),
            Cause::OwnLateness => format!("this node was paused, {peer} may have it"),
            Cause::Stop => "this node stops".into(),
            Cause::PeerRequest => format!("{peer} asks for it"),
            Cause::Retry => "an earlier try failed".into(),
            Cause::LeftOver => format!("an earlier run left it here, and {peer} has it now"),
        }
    }
}

fn words(command: Command) -> String {
    match command {
        Command::Standby(hold) => format!("standby {hold}"),
        Command::Takeover(hold) => format!("takeover {hold}"),
        Command::Stop => "stop".into(),
    }
}
