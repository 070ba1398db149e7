//! One timer: a sleep, the ticks of an interval, or a time limit.

use std::time::Duration;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    kept,
    task::TaskId,
    wire::{self, Location},
};
use crate::frame::Time;

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerId(pub u64);

impl From<u64> for TimerId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<TimerId> for u64 {
    fn from(id: TimerId) -> Self {
        id.0
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerKind {
    Sleep,
    Interval,
    Timeout,
}

impl TimerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Interval => "interval",
            Self::Timeout => "timeout",
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimerState {
    Waiting,
    Fired,
    /// Dropped before it fired.
    Cancelled,
}

impl TimerState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fired => "fired",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timer {
    pub id: TimerId,
    pub kind: TimerKind,
    /// The task that last polled it.
    pub task: Option<TaskId>,
    pub created: Time,
    /// As tokio tells it, in whole milliseconds; absent until its first poll.
    #[serde(with = "kept::span")]
    pub duration: Option<Duration>,
    pub deadline: Option<Time>,
    /// When it (last) fired.
    pub fired: Option<Time>,
    pub fires: u64,
    /// How far behind its deadline it fired; for an interval, the worst of its ticks.
    #[serde(with = "kept::span")]
    pub late: Option<Duration>,
    pub dropped: Option<Time>,
    pub location: Option<Location>,
    /// Deadline and lateness are measured, not worked out.
    pub exact: bool,
    /// Its task was polled when it was overdue already, and did not look at it: it is late by
    /// its task's own doing.
    pub neglected: bool,
    /// Console protocol: its resource's span.
    pub(super) span: Option<u64>,
    /// Console protocol: the span of the async op that its last reset began.
    pub(super) reset: Option<u64>,
}

impl Timer {
    /// tokio's timers count whole milliseconds, and a duration is told as such.
    pub(super) const GRAIN: Duration = Duration::from_millis(1);
    /// So less than this is no delay.
    pub const LATE: Duration = Duration::from_millis(2);

    pub fn fired_late(&self) -> bool {
        self.fires > 0 && self.late.is_some_and(|late| late >= Self::LATE)
    }

    pub fn state(&self) -> TimerState {
        match (self.fired, self.dropped) {
            (Some(_), _) => TimerState::Fired,
            (None, Some(_)) if self.fires > 0 => TimerState::Fired,
            (None, Some(_)) => TimerState::Cancelled,
            (None, None) => TimerState::Waiting,
        }
    }

    /// It can still fire.
    pub fn is_live(&self) -> bool {
        self.dropped.is_none() && self.fired.is_none()
    }

    /// Time to the deadline, for one that waits and is not overdue.
    pub fn remaining(&self, now: Time) -> Option<Duration> {
        self.deadline
            .filter(|d| self.is_live() && *d > now)
            .map(|d| d.since(now))
    }

    /// How long ago it should have fired, for one that still waits.
    pub fn overdue(&self, now: Time) -> Option<Duration> {
        self.deadline
            .filter(|d| self.is_live() && *d <= now)
            .map(|d| now.since(d))
    }

    pub(super) fn new(id: TimerId) -> Self {
        Self {
            id,
            kind: TimerKind::Sleep,
            task: None,
            created: Time::default(),
            duration: None,
            deadline: None,
            fired: None,
            fires: 0,
            late: None,
            dropped: None,
            location: None,
            exact: false,
            neglected: false,
            span: None,
            reset: None,
        }
    }

    pub(super) fn update_probe(&mut self, wire: &v1::Timer, task: Option<TaskId>) {
        let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
        let span = |d: &Option<prost_types::Duration>| d.as_ref().map(|d| wire::duration(Some(d)));
        let deadline = time(&wire.deadline);
        let location = wire::location(self.location.take(), wire.location.as_ref());
        *self = Self {
            id: self.id,
            kind: match wire.kind() {
                v1::TimerKind::Sleep => TimerKind::Sleep,
                v1::TimerKind::Interval => TimerKind::Interval,
                v1::TimerKind::Timeout => TimerKind::Timeout,
            },
            task,
            created: time(&wire.created_at).unwrap_or_default(),
            duration: span(&wire.duration),
            deadline,
            fired: time(&wire.fired_at),
            fires: wire.fires,
            late: span(&wire.latest),
            dropped: time(&wire.dropped_at),
            location,
            exact: true,
            neglected: self.neglected && self.deadline == deadline,
            span: None,
            reset: None,
        };
    }
}
