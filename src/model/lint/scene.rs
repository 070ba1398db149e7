//! What a lint judges, and what it may look at.

use std::time::Duration;

use super::{Thresholds, recent::LongPoll};
use crate::{
    frame::Time,
    model::{Model, Resource, Role, Task, Timer},
};

/// One thing that a frame told of.
#[derive(Copy, Clone, Debug)]
pub enum Subject<'a> {
    /// A task that became known.
    New(&'a Task),
    /// A task of which something was told, that is polled, or that could be.
    Task(&'a Task),
    /// A task that has ended, once.
    Ended(&'a Task),
    /// A poll of at least the least length that a lint cares about, of a task that can hold
    /// up others; at each frame while it goes on, and when it is over.
    Poll(&'a Task, Poll),
    /// A timer that fired.
    Timer(&'a Timer),
    /// Each task that is known when the run is over, and when its main was.
    Left(&'a Task, Option<Time>),
    /// Something that can be held and that somebody waits for, at each frame.
    Resource(&'a Resource),
    /// All that is known, once a frame.
    Whole,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    pub since: Time,
    pub lasted: Duration,
    pub is_over: bool,
}

/// The model as of the newest frame.
#[derive(Copy, Clone, Debug)]
pub struct Scene<'a> {
    pub model: &'a Model,
}

impl<'a> Scene<'a> {
    pub fn thresholds(self) -> &'a Thresholds {
        &self.model.lints.thresholds
    }

    /// For how much of this time the system ran others instead of a thread of the loop: at most,
    /// as it is told for the time between two frames. Of the task's last thread, and of
    /// whichever waited longest before its first poll. None where the system does not tell.
    pub fn kept_off(self, task: &Task, from: Time, to: Time) -> Option<Duration> {
        let threads = &self.model.threads;
        if let Some(told) = task.thread.and_then(|id| threads.kept_off(id, from, to)) {
            return Some(told);
        }
        let of_loops = threads
            .iter()
            .filter(|t| matches!(t.role, Role::Worker | Role::BlockOn));
        of_loops
            .filter_map(|t| threads.kept_off(t.id, from, to))
            .max()
    }

    /// How much of this time went into polls of at least this length, on the task's runtime.
    pub(super) fn in_polls_of(
        self,
        least: Duration,
        task: &Task,
        window: (Time, Time),
    ) -> Duration {
        let polls = self.model.lints.recent.over(task.runtime, window, least);
        let sum: Duration = polls.map(|(_, part)| part).sum();
        sum.min(window.1.since(window.0))
    }

    /// The poll of at least this length that took most of this time, if one took half of it.
    pub(super) fn culprit(
        self,
        least: Duration,
        task: &Task,
        window: (Time, Time),
    ) -> Option<&'a LongPoll> {
        let polls = self.model.lints.recent.over(task.runtime, window, least);
        let (poll, part) = polls.max_by_key(|(_, part)| *part)?;
        (part * 2 >= window.1.since(window.0)).then_some(poll)
    }
}

/// The system ran others for most of a stretch of time: what happened in it says little of the
/// program.
pub(super) fn is_the_machines(lasted: Duration, kept_off: Option<Duration>) -> bool {
    kept_off.is_some_and(|kept_off| kept_off * 2 > lasted)
}
