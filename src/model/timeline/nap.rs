//! A sleep between two polls, which both were told of at once.

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use crate::{
    frame::Time,
    model::{task::TaskId, wire},
};

/// What an exact timer of a task says of the past. Between two frames a task can have slept and
/// waited in turn, and how it stands at the frames does not tell when it did which.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
pub(in crate::model) struct Nap {
    pub(super) task: TaskId,
    pub(super) from: Time,
    pub(super) to: Time,
}

impl Nap {
    /// Of a `Sleep` that is over; one in a time limit is there while its task awaits something
    /// else.
    pub(in crate::model) fn of(timer: &v1::Timer, task: TaskId) -> Option<Self> {
        if timer.kind() != v1::TimerKind::Sleep {
            return None;
        }
        let time = |time: Option<&prost_types::Timestamp>| time.and_then(Time::from_wire);
        let deadline = time(timer.deadline.as_ref())?;
        let over = time(timer.fired_at.as_ref()).or(time(timer.dropped_at.as_ref()))?;
        Some(Self {
            task,
            from: deadline - wire::duration(timer.duration.as_ref()),
            to: over.min(deadline),
        })
    }
}
