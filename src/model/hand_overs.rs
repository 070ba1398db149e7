//! Polls that gave their worker away. `block_in_place` hands the worker's queue to another
//! thread of the pool and then blocks its own: from there on the poll holds up nobody.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::task::{Task, TaskId};
use crate::frame::Time;

/// Whose poll did so, and since when the other thread runs the worker: as long as it waits
/// for a thread of the pool, the worker is held up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct HandOvers(BTreeSet<(Time, TaskId)>);

impl HandOvers {
    /// The oldest are forgotten first.
    const MAX: usize = 4_096;

    /// Something was told of a worker.
    pub fn note(&mut self, worker: &Task) {
        let told = worker.parent.zip(worker.first_poll);
        if let Some((task, since)) = told.filter(|_| worker.stands_in()) {
            self.0.insert((since, task));
            if self.0.len() > Self::MAX {
                self.0.pop_first();
            }
        }
    }

    /// The first of a task from one time to another.
    pub fn first(&self, of: TaskId, from: Time, to: Time) -> Option<Time> {
        let after = self.0.range((from, TaskId(0))..);
        let within = after.map_while(|(since, task)| (*since <= to).then_some((*since, *task)));
        let mut its = within.filter(|(_, task)| *task == of);
        its.next().map(|(since, _)| since)
    }

    /// There is one of a task.
    pub fn any(&self, of: TaskId) -> bool {
        self.0.iter().any(|(_, task)| *task == of)
    }
}
