//! One poll, in 32 bytes, and how polls are read from the wire.

use std::time::Duration;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{Timeline, doing::Doing};
use crate::{
    frame::Time,
    model::{polls::polls, task::TaskId, tasks::Tasks},
};

/// A poll that has ended. In a thread's lane it names the task that was polled.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    pub(super) started: u64,
    pub(super) lasted: u64,
    /// How long before its start the task was ready; [`Poll::UNTOLD`] if nobody said.
    pub(super) lead: u64,
    /// A task's number and 1; 0 for none.
    pub(super) other: u32,
    /// 0 if it is unknown, or too great a number.
    pub(super) thread: u16,
    /// What the task did before it was ready, once that is judged.
    pub(super) before: Option<Doing>,
    pub(super) nature: Nature,
}

/// What a [`Poll`] stands for.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Nature {
    #[default]
    One,
    /// It held up no worker: a call on the blocking pool, or a poll that gave its worker away
    /// in `block_in_place` before it was long.
    Apart,
    /// Polls of which only the sum is known: they took `lasted` together, somewhere in the
    /// `lead` after `started`.
    Sum,
}

impl Poll {
    pub(super) const UNTOLD: u64 = u64::MAX;

    pub(super) fn new(started: Time, lasted: Duration) -> Self {
        Self {
            started: started.as_nanos(),
            lasted: u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX),
            lead: Self::UNTOLD,
            other: 0,
            thread: 0,
            before: None,
            nature: Nature::One,
        }
    }

    /// Polls that took `lasted` together, somewhere in a stretch of time.
    pub(super) fn sum(since: Time, over: Duration, lasted: Duration) -> Self {
        Self {
            lead: u64::try_from(over.as_nanos()).unwrap_or(Self::UNTOLD),
            nature: Nature::Sum,
            ..Self::new(since, lasted.min(over))
        }
    }

    pub(super) fn woken_at(self, at: Option<Time>) -> Self {
        let lead = at.map(|at| self.started.saturating_sub(at.as_nanos()));
        Self {
            lead: lead.unwrap_or(Self::UNTOLD),
            ..self
        }
    }

    /// The same poll, as the lane of its thread has it.
    pub(super) fn of(self, task: TaskId) -> Self {
        Self {
            other: number(Some(task)),
            lead: 0,
            before: Some(Doing::Idle),
            ..self
        }
    }

    pub fn started(&self) -> Time {
        Time::from_nanos(self.started)
    }

    pub fn lasted(&self) -> Duration {
        Duration::from_nanos(self.lasted)
    }

    pub fn ended(&self) -> Time {
        Time::from_nanos(self.end())
    }

    /// When the task was ready for it; unknown if nobody told.
    pub fn woken(&self) -> Option<Time> {
        let told = self.lead != Self::UNTOLD && !self.is_sum();
        told.then(|| Time::from_nanos(self.ready()))
    }

    /// The task that woke it; none if it was none, or nobody told.
    pub fn woken_by(&self) -> Option<TaskId> {
        self.other()
    }

    /// In the lane of a thread: what was polled.
    pub fn task(&self) -> Option<TaskId> {
        self.other()
    }

    /// The probe's number of the thread.
    pub fn thread(&self) -> Option<u64> {
        (self.thread > 0).then_some(self.thread.into())
    }

    /// It is one poll, of which all is known.
    pub fn is_exact(&self) -> bool {
        !self.is_sum()
    }

    pub(super) fn is_sum(&self) -> bool {
        self.nature == Nature::Sum
    }

    /// How long it held up its worker, in nanoseconds, if that is known.
    pub(super) fn held(&self) -> u64 {
        match self.nature {
            Nature::One => self.lasted,
            Nature::Apart | Nature::Sum => 0,
        }
    }

    fn other(&self) -> Option<TaskId> {
        Some(TaskId(u64::from(self.other.checked_sub(1)?)))
    }

    pub(super) fn ready(&self) -> u64 {
        if self.lead == Self::UNTOLD || self.is_sum() {
            self.started
        } else {
            self.started.saturating_sub(self.lead)
        }
    }

    pub(super) fn end(&self) -> u64 {
        let length = if self.is_sum() {
            self.lead
        } else {
            self.lasted
        };
        self.started.saturating_add(length)
    }
}

fn number(task: Option<TaskId>) -> u32 {
    let number = task.and_then(|id| u32::try_from(id.0).ok());
    number.and_then(|n| n.checked_add(1)).unwrap_or_default()
}

/// The polls of a message, each with its task, in the order in which they began. What is said
/// of tasks that are forgotten is left out.
pub(super) fn read(wire: &v1::Polls, tasks: &mut Tasks) -> Vec<(TaskId, Poll)> {
    let mut read = Vec::with_capacity(wire.task.len());
    read.extend(polls(wire).filter_map(|polled| {
        let id = tasks.refer_to_kept(polled.task)?;
        let by = match polled.woken_by {
            Some(by) if by == polled.task => Some(id),
            by => by.and_then(|by| tasks.refer_to_kept(by)),
        };
        let in_place = |at: Time| at.since(polled.started) < Timeline::LONG;
        let is_long = polled.lasted >= Timeline::LONG;
        let ended = polled.started + polled.lasted;
        let handed_over = is_long.then(|| tasks.handed_over(id, polled.started, ended));
        let poll = Poll {
            nature: match handed_over.flatten() {
                Some(at) if in_place(at) => Nature::Apart,
                _ => Nature::One,
            },
            other: number(by),
            thread: u16::try_from(polled.thread).unwrap_or_default(),
            ..Poll::new(polled.started, polled.lasted).woken_at(polled.woken)
        };
        Some((id, poll))
    }));
    read.sort_by_key(|(_, poll)| poll.started);
    read
}
