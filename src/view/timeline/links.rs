//! A poll, what woke the task for it, and whom the task woke in it.

use std::time::Duration;

use super::rows::RowId;
use crate::{
    frame::Time,
    model::{
        Model, TaskId,
        timeline::{Grid, Poll},
    },
};

/// Polls that one poll is seen to have caused, at most.
const MOST: usize = 500;

#[derive(Clone, Debug)]
pub struct Links {
    pub task: TaskId,
    pub poll: Poll,
    /// One poll for each task that was woken, the earliest first.
    pub woken: Vec<(TaskId, Poll)>,
}

impl Links {
    /// The poll of a row that lies under the cursor: that which goes on then, or the first
    /// that begins in the cursor's cell.
    pub fn at(row: RowId, at: Time, cell: Duration, model: &Model) -> Option<Self> {
        let timeline = &model.timeline;
        let (task, poll) = match row {
            RowId::Task(id) => {
                let begins = || timeline.poll_after(id, at);
                let within = |poll: &Poll| poll.started() < at + cell;
                let poll = timeline.poll_at(id, at);
                (id, poll.or_else(|| begins().filter(within))?)
            }
            RowId::Thread(thread) => {
                let task = timeline.thread_poll_at(thread, at)?.task()?;
                (task, timeline.poll_at(task, at)?)
            }
            RowId::Loop => {
                let threads = super::rows::loop_threads(model);
                let polls = threads
                    .iter()
                    .filter_map(|id| timeline.thread_poll_at(*id, at));
                let task = polls.max_by_key(Poll::lasted)?.task()?;
                (task, timeline.poll_at(task, at)?)
            }
            RowId::Scope(_) => return None,
        };
        let woken = Vec::new();
        Some(Self { task, poll, woken })
    }

    pub fn is_same(&self, other: &Self) -> bool {
        (self.task, self.poll) == (other.task, other.poll)
    }

    /// With those that the task woke.
    pub fn complete(self, model: &Model) -> Self {
        let woken = model.timeline.woken_in(self.task, &self.poll, MOST);
        Self { woken, ..self }
    }

    /// Cells of a task's lane in which it woke this one, or was woken by it.
    pub fn marks(&self, task: TaskId, grid: &Grid) -> Vec<(usize, Mark)> {
        let mut marks = Vec::new();
        if self.poll.woken_by() == Some(task) {
            let at = self.poll.woken().and_then(|at| grid.cell_of(at));
            marks.extend(at.map(|at| (at, Mark::Waker)));
        }
        for (_, poll) in self.woken.iter().filter(|(id, _)| *id == task) {
            let at = grid.cell_of(poll.started());
            marks.extend(at.map(|at| (at, Mark::Woken)));
        }
        marks
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    Waker,
    Woken,
}
