//! From one event to the next: long polls, wakes, findings, causes and effects.

use super::{rows::RowId, window::Window};
use crate::{
    frame::Time,
    model::{Model, TaskId},
};

/// Where to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Jump {
    NextLong,
    PrevLong,
    /// Of the task of the row.
    NextWake,
    PrevWake,
    NextFinding,
    PrevFinding,
    /// To the poll that woke the one under the cursor.
    Waker,
    /// To the first poll that it brought about.
    Woken,
}

impl Window {
    /// Puts the cursor on what was asked for, if there is such a thing.
    pub(in crate::view) fn jump(&mut self, to: Jump, height: usize, model: &Model) {
        let Some((at, row)) = self.target(to, model) else {
            return;
        };
        if let Some(row) = row {
            self.choose(row, height);
        }
        self.go_to(at, model);
    }

    fn target(&self, to: Jump, model: &Model) -> Option<(Time, Option<RowId>)> {
        let (now, timeline) = (self.cursor_time(model), &model.timeline);
        let holds = |id: TaskId| model.tasks.get(id).is_some_and(|t| t.kind.is_async());
        let long = |(at, id, _)| (at, Some(RowId::Task(id)));
        match to {
            Jump::NextLong => {
                let mut after = timeline.long_after(now);
                after.find(|(_, id, _)| holds(*id)).map(long)
            }
            Jump::PrevLong => {
                let mut before = timeline.long_before(now);
                before.find(|(_, id, _)| holds(*id)).map(long)
            }
            Jump::NextWake => {
                let poll = timeline.poll_after(self.links_task()?, now)?;
                Some((poll.started(), None))
            }
            Jump::PrevWake => {
                let poll = timeline.poll_before(self.links_task()?, now)?;
                Some((poll.started(), None))
            }
            Jump::NextFinding => {
                let lint = model.lints.iter().find(|lint| lint.at > now)?;
                Some((lint.at, lint.task.map(RowId::Task)))
            }
            Jump::PrevFinding => {
                let lint = model.lints.iter().rev().find(|lint| lint.at < now)?;
                Some((lint.at, lint.task.map(RowId::Task)))
            }
            Jump::Waker => {
                let poll = &self.links.as_ref()?.poll;
                Some((poll.woken()?, poll.woken_by().map(RowId::Task)))
            }
            Jump::Woken => {
                let (id, poll) = self.links.as_ref()?.woken.first()?;
                Some((poll.started(), Some(RowId::Task(*id))))
            }
        }
    }

    /// The row's task; for a thread and the loop, the one that is polled under the cursor.
    fn links_task(&self) -> Option<TaskId> {
        self.task().or(self.links.as_ref().map(|links| links.task))
    }
}
