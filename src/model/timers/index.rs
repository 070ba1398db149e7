//! What follows from the timers that are kept: which can still fire, by when they are due and by
//! whose they are, and which have. It changes with each timer, so that nobody has to look at all of
//! them, and is made anew when a model is read.

use std::collections::BTreeSet;

use crate::{
    frame::Time,
    model::{
        task::TaskId,
        timer::{Timer, TimerId, TimerKind},
    },
};

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Those that can still fire, by deadline: what is due at an unknown time comes last.
    pub due: BTreeSet<(Time, TimerId)>,
    /// The same, by the task that polls them; time limits come after what they limit.
    pub of_task: BTreeSet<(TaskId, bool, Time, TimerId)>,
    /// Those that cannot, with a deadline, by their task.
    pub past: BTreeSet<(TaskId, Time, TimerId)>,
    /// How many have fired late.
    pub late: u64,
}

/// Where a timer stands in the index; nowhere while there is none.
#[derive(Copy, Clone, Default)]
pub(super) struct Entry {
    due: Option<(Time, TimerId)>,
    of_task: Option<(TaskId, bool, Time, TimerId)>,
    past: Option<(TaskId, Time, TimerId)>,
    is_late: bool,
}

impl Entry {
    pub fn of(timer: &Timer) -> Self {
        let is_limit = timer.kind == TimerKind::Timeout;
        let at = timer.deadline.unwrap_or(Index::NEVER);
        let (is_live, id) = (timer.is_live(), timer.id);
        let own = timer.task.filter(|_| is_live);
        let over = timer.task.zip(timer.deadline).filter(|_| !is_live);
        Self {
            due: is_live.then_some((at, id)),
            of_task: own.map(|task| (task, is_limit, at, id)),
            past: over.map(|(task, deadline)| (task, deadline, id)),
            is_late: timer.fired_late(),
        }
    }
}

impl Index {
    /// In place of a deadline that is unknown.
    pub const NEVER: Time = Time::from_nanos(u64::MAX);

    /// The live timer of a task that is due first, and when; a time limit only if it has no other.
    pub fn next_of(&self, task: TaskId) -> Option<(Time, TimerId)> {
        let first = (task, false, Time::default(), TimerId(0));
        let (owner, _, at, id) = self.of_task.range(first..).next()?;
        (*owner == task).then_some((*at, *id))
    }

    pub fn change(&mut self, before: Entry, after: Entry) {
        place(&mut self.due, before.due, after.due);
        place(&mut self.of_task, before.of_task, after.of_task);
        place(&mut self.past, before.past, after.past);
        self.late -= u64::from(before.is_late);
        self.late += u64::from(after.is_late);
    }
}

/// Takes something from its place in a set to another.
fn place<T: Ord>(set: &mut BTreeSet<T>, before: Option<T>, after: Option<T>) {
    if before != after {
        before.map(|before| set.remove(&before));
        set.extend(after);
    }
}
