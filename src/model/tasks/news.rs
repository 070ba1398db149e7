//! What was told of tasks since it was last taken, by who takes it.

use serde::{Deserialize, Serialize};

use crate::model::task::{EndedPoll, TaskId};

/// What the lints have not judged yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::model) struct ForLints {
    pub new: Vec<TaskId>,
    /// Those of which something was told, and those that are polled or could be.
    pub changed: Vec<TaskId>,
    pub ended: Vec<TaskId>,
    /// Polls that are over, as far as they are known one by one.
    pub polls: Vec<EndedPoll>,
}

/// What the timeline has not taken in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::model) struct ForTimeline {
    /// Polls that are over, by the console protocol.
    #[serde(skip)]
    pub polls: Vec<EndedPoll>,
    /// Tasks of which something was told.
    pub touched: Vec<TaskId>,
    /// Those that were forgotten.
    pub gone: Vec<TaskId>,
}

impl ForTimeline {
    pub fn len(&self) -> usize {
        self.polls.len() + self.touched.len() + self.gone.len()
    }

    /// Takes all of it, each task once.
    pub fn take(&mut self) -> Self {
        let mut taken = std::mem::take(self);
        taken.touched.sort_unstable();
        taken.touched.dedup();
        taken
    }
}
