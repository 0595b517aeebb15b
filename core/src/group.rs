//! Resource groups on this node: each converges on what is wanted of it, one operation at a time.
//!
//! The decisions are made elsewhere, as a wish per group. This file turns a wish into `Acquire` and
//! `Release`, and an outcome into the next step. An operation that the host has not yet been given
//! is dropped when the wish changes back.

use heapless::Vec;

use crate::action::Action;
use crate::event::{Operation, Outcome};
use crate::hold::{Hold, Side};
use crate::id::GroupId;
use crate::limits::GROUPS_MAX;
use crate::report::{Cause, GroupStatus, Report};
use crate::time::{Duration, Instant};

/// The longest an operation may take before it counts as failed. Hosts have shorter deadlines of
/// their own; this one only catches a host that forgot to answer.
pub(crate) const OPERATION_MAX: Duration = Duration::from_secs(3_600);

/// Between two tries to release a stuck group, as the original's stop retries.
pub(crate) const RELEASE_RETRY: Duration = Duration::from_secs(1);

/// Tries to release a group before a stopping node gives up (`HA_STOPRETRYMAX` of the original).
pub(crate) const RELEASE_TRIES_MAX: u8 = 10;

/// One group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) side: Side,
    pub(crate) status: GroupStatus,
    pub(crate) since: Instant,
    wanted: bool,
    cause: Cause,
    /// An operation the host has not been given yet, and what to return to if it never is.
    pending: Option<(Operation, GroupStatus)>,
    announce: bool,
    /// Releases that failed since the last one that did not.
    tries: u8,
}

/// What an outcome means for the side that the group belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing beyond the group itself.
    None,
    /// The group could not be acquired; it is being released again.
    AcquireFailed(Side),
    /// The group could not be released.
    Stuck,
}

impl Group {
    fn set(&mut self, status: GroupStatus, now: Instant) {
        self.status = status;
        self.since = now;
    }

    fn begin(&mut self, operation: Operation, now: Instant) {
        self.pending = Some((operation, self.status));
        let status = match operation {
            Operation::Acquire => GroupStatus::Acquiring,
            Operation::Release => GroupStatus::Releasing,
        };
        self.set(status, now);
    }

    fn converge(&mut self, now: Instant) {
        match (self.status, self.wanted, self.pending) {
            (GroupStatus::Acquiring, false, Some((_, before)))
            | (GroupStatus::Releasing, true, Some((_, before))) => {
                self.pending = None;
                self.set(before, now);
                if before == GroupStatus::Stuck {
                    self.begin(Operation::Acquire, now);
                }
            }
            (GroupStatus::Released | GroupStatus::LeftOver | GroupStatus::Stuck, true, _) => {
                self.tries = 0;
                self.begin(Operation::Acquire, now);
            }
            (GroupStatus::Acquiring | GroupStatus::Held | GroupStatus::LeftOver, false, _) => {
                self.begin(Operation::Release, now);
            }
            _ => {}
        }
    }

    fn ends_at(&self) -> Option<Instant> {
        match self.status {
            GroupStatus::Acquiring | GroupStatus::Releasing => Some(self.since + OPERATION_MAX),
            GroupStatus::Stuck => Some(self.since + RELEASE_RETRY),
            GroupStatus::Released | GroupStatus::Held | GroupStatus::LeftOver => None,
        }
    }
}

/// All groups of the cluster, as far as they are on this node.
#[derive(Clone, Debug)]
pub(crate) struct Groups(Vec<Group, GROUPS_MAX>);

impl Groups {
    pub(crate) fn new(sides: impl Iterator<Item = Side>, now: Instant) -> Self {
        Self(
            sides
                .map(|side| Group {
                    side,
                    status: GroupStatus::Released,
                    since: now,
                    wanted: false,
                    cause: Cause::StartUp,
                    pending: None,
                    announce: false,
                    tries: 0,
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, id: GroupId) -> Option<&Group> {
        self.0.get(usize::from(id.0))
    }

    /// Takes note that an earlier run has left a group here.
    pub(crate) fn on_found(&mut self, id: GroupId) {
        if let Some(group) = self.0.get_mut(usize::from(id.0))
            && group.status == GroupStatus::Released
        {
            group.status = GroupStatus::LeftOver;
        }
    }

    /// Wants every group of a side here, or not here.
    pub(crate) fn want(&mut self, side: Side, wanted: bool, cause: Cause, now: Instant) {
        for group in self.0.iter_mut().filter(|group| group.side == side) {
            // What was left over is not wanted from the first; why it goes is known only now.
            if group.wanted != wanted || group.status == GroupStatus::LeftOver {
                group.wanted = wanted;
                group.cause = cause;
            }
            group.converge(now);
        }
    }

    /// Begins with the groups of a side that are wanted here and released, or could not be.
    pub(crate) fn resume(&mut self, side: Side, now: Instant) {
        for group in self.0.iter_mut().filter(|group| group.side == side) {
            if matches!(group.status, GroupStatus::Released | GroupStatus::Stuck) {
                group.converge(now);
            }
        }
    }

    /// Asks for another announcement of every held group of a side.
    pub(crate) fn announce(&mut self, side: Side) {
        for group in self.0.iter_mut().filter(|group| group.side == side) {
            group.announce = group.status == GroupStatus::Held;
        }
    }

    /// The sides of which anything is, or may be, here.
    pub(crate) fn present(&self) -> Hold {
        self.0
            .iter()
            .filter(|group| group.status != GroupStatus::Released)
            .fold(Hold::None, |hold, group| hold.with(Hold::from(group.side)))
    }

    /// Whether every group of these sides has become what is wanted of it.
    pub(crate) fn settled(&self, hold: Hold) -> bool {
        self.0
            .iter()
            .filter(|group| hold.covers(group.side))
            .all(|group| {
                matches!(
                    (group.status, group.wanted),
                    (GroupStatus::Held, true) | (GroupStatus::Released, false)
                )
            })
    }

    /// Whether a group was tried often enough to stop waiting for its release.
    pub(crate) fn hopeless(&self) -> bool {
        self.0.iter().any(|group| group.tries >= RELEASE_TRIES_MAX)
    }

    /// Takes the end of an operation. An end that nobody waits for is ignored.
    pub(crate) fn on_done(
        &mut self,
        id: GroupId,
        operation: Operation,
        outcome: Outcome,
        now: Instant,
    ) -> (Consequence, Option<Report>) {
        let Some(group) = self.0.get_mut(usize::from(id.0)) else {
            return (Consequence::None, None);
        };
        let expected = match group.status {
            GroupStatus::Acquiring => Some(Operation::Acquire),
            GroupStatus::Releasing => Some(Operation::Release),
            GroupStatus::Released
            | GroupStatus::Held
            | GroupStatus::LeftOver
            | GroupStatus::Stuck => None,
        };
        if let Some((Operation::Release, before @ GroupStatus::Acquiring)) = &mut group.pending
            && operation == Operation::Acquire
        {
            // The release that was to break it off has not reached the host; it may yet be dropped.
            *before = match outcome {
                Outcome::Done => GroupStatus::Held,
                Outcome::Failed => GroupStatus::Stuck,
            };
            return (Consequence::None, None);
        }
        if expected != Some(operation) || group.pending.is_some() {
            return (Consequence::None, None);
        }
        let done = outcome == Outcome::Done;
        let report = Report::GroupEnd {
            group: id,
            operation,
            done,
            took: now.since(group.since),
        };
        let consequence = match (operation, outcome) {
            (Operation::Acquire, Outcome::Done) => {
                group.set(GroupStatus::Held, now);
                Consequence::None
            }
            (Operation::Acquire, Outcome::Failed) => {
                group.wanted = false;
                group.cause = Cause::AcquireFailed;
                Consequence::AcquireFailed(group.side)
            }
            (Operation::Release, Outcome::Done) => {
                group.tries = 0;
                group.set(GroupStatus::Released, now);
                Consequence::None
            }
            (Operation::Release, Outcome::Failed) => {
                group.tries = group.tries.saturating_add(1);
                group.set(GroupStatus::Stuck, now);
                Consequence::Stuck
            }
        };
        // A group wanted again meanwhile is taken by whoever wants it still.
        if !matches!(group.status, GroupStatus::Released | GroupStatus::Stuck) {
            group.converge(now);
        }
        (consequence, Some(report))
    }

    /// When the earliest operation is overdue or to be tried again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.iter().filter_map(Group::ends_at).min()
    }

    /// Tries stuck groups again, and finds one overdue operation: its group and what it was.
    pub(crate) fn on_deadline(&mut self, now: Instant) -> Option<(GroupId, Operation)> {
        let mut overdue = None;
        for (group, index) in self.0.iter_mut().zip(0_u8..) {
            if group.ends_at().is_none_or(|at| at > now) {
                continue;
            }
            match group.status {
                GroupStatus::Stuck => {
                    group.cause = Cause::Retry;
                    group.begin(Operation::Release, now);
                }
                GroupStatus::Acquiring => overdue = Some((GroupId(index), Operation::Acquire)),
                GroupStatus::Releasing => overdue = Some((GroupId(index), Operation::Release)),
                GroupStatus::Released | GroupStatus::Held | GroupStatus::LeftOver => {}
            }
            if overdue.is_some() {
                break;
            }
        }
        overdue
    }

    /// The next operation for the host, with the report that goes before it.
    pub(crate) fn poll(&mut self) -> Option<(Action, Option<Report>)> {
        for (group, index) in self.0.iter_mut().zip(0_u8..) {
            let id = GroupId(index);
            if let Some((operation, _)) = group.pending.take() {
                group.announce = false;
                let report = Report::GroupBegin {
                    group: id,
                    operation,
                    cause: group.cause,
                };
                let action = match operation {
                    Operation::Acquire => Action::Acquire(id),
                    Operation::Release => Action::Release(id),
                };
                return Some((action, Some(report)));
            }
            if core::mem::take(&mut group.announce) {
                return Some((Action::Announce(id), None));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(0);

    fn one() -> Groups {
        Groups::new([Side::Local].into_iter(), NOW)
    }

    fn next(groups: &mut Groups) -> Option<Action> {
        groups.poll().map(|(action, _)| action)
    }

    const ID: GroupId = GroupId(0);

    /// Aim: a wish becomes an acquire, its end a held group, and the opposite wish a release.
    #[test]
    fn there_and_back() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        assert_eq!(
            (next(&mut groups), next(&mut groups)),
            (Some(Action::Acquire(ID)), None)
        );
        assert!(!groups.settled(Hold::Local));
        assert_eq!(
            groups.on_done(ID, Operation::Acquire, Outcome::Done, NOW).0,
            Consequence::None
        );
        assert!(groups.settled(Hold::Local));
        groups.want(Side::Local, false, Cause::Standby, NOW);
        assert_eq!(next(&mut groups), Some(Action::Release(ID)));
        assert_eq!(groups.present(), Hold::Local);
        groups.on_done(ID, Operation::Release, Outcome::Done, NOW);
        assert_eq!(groups.present(), Hold::None);
    }

    /// Aim: a wish that changes back before the host was told costs no operation at all.
    #[test]
    fn undrained_wishes_merge() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        groups.want(Side::Local, false, Cause::Conflict, NOW);
        assert_eq!((next(&mut groups), groups.present()), (None, Hold::None));
    }

    /// Aim: a held group that is let go and wanted again before the host was told just stays.
    #[test]
    fn undrained_release_is_taken_back() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        next(&mut groups);
        groups.on_done(ID, Operation::Acquire, Outcome::Done, NOW);
        groups.want(Side::Local, false, Cause::Conflict, NOW);
        groups.want(Side::Local, true, Cause::Orphan, NOW);
        assert_eq!(
            (next(&mut groups), groups.settled(Hold::Local)),
            (None, true)
        );
    }

    /// Aim: an acquire that ends while its break-off still waits is not waited for when the wish
    /// changes back.
    #[test]
    fn undrained_break_off() {
        for (outcome, expected) in [
            (Outcome::Done, (None, GroupStatus::Held)),
            (
                Outcome::Failed,
                (Some(Action::Acquire(ID)), GroupStatus::Acquiring),
            ),
        ] {
            let mut groups = one();
            groups.want(Side::Local, true, Cause::StartUp, NOW);
            next(&mut groups);
            groups.want(Side::Local, false, Cause::OwnLateness, NOW);
            groups.on_done(ID, Operation::Acquire, outcome, NOW);
            groups.want(Side::Local, true, Cause::PeerDead, NOW);
            let status = groups.get(ID).map(|group| group.status);
            assert_eq!((next(&mut groups), status), (expected.0, Some(expected.1)));
        }
    }

    /// Aim: a release breaks an acquire off, and the broken-off acquire's late end is ignored.
    #[test]
    fn release_breaks_acquire_off() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        next(&mut groups);
        groups.want(Side::Local, false, Cause::Conflict, NOW);
        assert_eq!(next(&mut groups), Some(Action::Release(ID)));
        groups.on_done(ID, Operation::Acquire, Outcome::Done, NOW);
        assert_eq!(
            groups.get(ID).map(|g| g.status),
            Some(GroupStatus::Releasing)
        );
    }

    /// Aim: a failed acquire is released again, so that the peer can have the group.
    #[test]
    fn failed_acquire_is_released() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        next(&mut groups);
        let (consequence, _) = groups.on_done(ID, Operation::Acquire, Outcome::Failed, NOW);
        assert_eq!(consequence, Consequence::AcquireFailed(Side::Local));
        assert_eq!(next(&mut groups), Some(Action::Release(ID)));
    }

    /// Aim: a group left by an earlier run counts as present, is started anew when it is wanted, and
    /// goes when it is not.
    #[test]
    fn left_over_group() {
        for (wanted, action) in [(true, Action::Acquire(ID)), (false, Action::Release(ID))] {
            let mut groups = one();
            groups.on_found(ID);
            assert_eq!((next(&mut groups), groups.present()), (None, Hold::Local));
            groups.want(Side::Local, wanted, Cause::LeftOver, NOW);
            let (first, report) = groups.poll().unwrap();
            assert_eq!(first, action);
            assert!(matches!(
                report,
                Some(Report::GroupBegin {
                    cause: Cause::LeftOver,
                    ..
                })
            ));
        }
    }

    /// Aim: a failed release is tried again each second and counts as present all the while.
    #[test]
    fn stuck_group_is_tried_again() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        next(&mut groups);
        groups.on_done(ID, Operation::Acquire, Outcome::Done, NOW);
        groups.want(Side::Local, false, Cause::Stop, NOW);
        for _ in 0..RELEASE_TRIES_MAX {
            assert!(!groups.hopeless());
            assert_eq!(next(&mut groups), Some(Action::Release(ID)));
            let (consequence, _) = groups.on_done(ID, Operation::Release, Outcome::Failed, NOW);
            assert_eq!(
                (consequence, groups.present()),
                (Consequence::Stuck, Hold::Local)
            );
            assert_eq!(groups.deadline(), Some(NOW + RELEASE_RETRY));
            assert_eq!(groups.on_deadline(NOW + RELEASE_RETRY), None);
        }
        assert!(groups.hopeless());
    }

    /// Aim: a host that forgets to answer is noticed.
    #[test]
    fn overdue_operation_is_found() {
        let mut groups = one();
        groups.want(Side::Local, true, Cause::StartUp, NOW);
        next(&mut groups);
        assert_eq!(groups.on_deadline(NOW), None);
        assert_eq!(
            groups.on_deadline(NOW + OPERATION_MAX),
            Some((ID, Operation::Acquire))
        );
    }
}
