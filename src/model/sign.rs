//! What one may look for in time: things that happen again and again.

use super::{Model, Task, TaskId};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    Poll,
    Wake,
    Lint,
}

impl Model {
    /// How many there were so far: of one task, or in all. Between two moments they differ
    /// exactly if there was one, whatever the figure itself is worth.
    pub fn signs(&self, sign: Sign, task: Option<TaskId>) -> u64 {
        let count = |of: fn(&Task) -> u64| match task {
            Some(id) => self.tasks.get(id).map_or(0, of),
            None => self.tasks.iter().map(of).fold(0, u64::wrapping_add),
        };
        match sign {
            Sign::Poll => count(Task::polls),
            Sign::Wake => count(|task| task.wakes),
            Sign::Lint => self.lints.len() as u64,
        }
    }
}
