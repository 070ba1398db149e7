//! The panes' rows: how many there are, whose they are, and the cursor in them.

use super::{Asked, ViewState};
use crate::{
    keymap::Context,
    model::{Model, TaskId},
    view::{
        cursor::{Motion, Sight},
        layout::Pane,
        lists::Call,
    },
};

impl ViewState {
    /// The task that a row of a pane belongs to.
    pub(in crate::view) fn task_at(&self, pane: Pane, row: usize, model: &Model) -> Option<TaskId> {
        let lists = &self.lists;
        match pane {
            Pane::Tree => self.tree.task_at(row),
            Pane::Tasks => lists.tasks.get(row).copied(),
            Pane::Timeline => self.timeline.task(),
            Pane::Timers => model.timers.get(*lists.timers.get(row)?)?.task,
            Pane::Blocking => lists.calls.get(row)?.task(),
            Pane::Workers => model
                .polled_by(*lists.workers.get(row)?)
                .map(|task| task.id),
            Pane::Waiters => self.resources.task_at(row),
            Pane::Source => self.source.task(),
            Pane::Lints => model.lints.get(*lists.lints.get(row)?)?.task,
            Pane::Explained => model.lints.get(self.marked_lint()?)?.task,
            Pane::Resources | Pane::Lateness | Pane::Output => None,
        }
    }

    /// How many rows a pane has, of which each is of a task or none; lines of text are not
    /// counted.
    pub(in crate::view) fn row_count(&self, pane: Pane) -> usize {
        let lists = &self.lists;
        match pane {
            Pane::Tree => self.tree.len(),
            Pane::Tasks => lists.tasks.len(),
            Pane::Timers => lists.timers.len(),
            Pane::Blocking => lists.calls.len(),
            Pane::Workers => lists.workers.len(),
            Pane::Resources => self.resources.len(),
            Pane::Waiters => self.resources.party_count(),
            Pane::Lints => lists.lints.len(),
            Pane::Timeline | Pane::Source | Pane::Lateness | Pane::Explained | Pane::Output => 0,
        }
    }

    /// Where a pane's cursor is; nowhere in a pane without rows.
    pub(in crate::view) fn sight(&self, pane: Pane) -> Sight {
        match pane {
            Pane::Tree => self.tree.cursor.sight(),
            Pane::Tasks => self.tasks.sight(),
            Pane::Timeline => self.timeline.sight(),
            Pane::Timers => self.timers.sight(),
            Pane::Blocking => self.calls.sight(),
            Pane::Workers => self.workers.sight(),
            Pane::Resources => self.resources.cursor.sight(),
            Pane::Waiters => self.resources.party.sight(),
            Pane::Lints => self.lints.sight(),
            Pane::Source | Pane::Lateness | Pane::Explained | Pane::Output => Sight::default(),
        }
    }

    /// The row of the focused pane that the cursor is on.
    pub(in crate::view) fn cursor_row(&self) -> usize {
        self.sight(self.focus).row()
    }

    /// Moves the cursor to the next row, or the one before, whose task is wanted, around the
    /// ends; tells whether there is one.
    pub(in crate::view) fn go_to_row(
        &mut self,
        by: isize,
        model: &Model,
        is_wanted: impl Fn(&Self, TaskId) -> bool,
    ) -> bool {
        let (count, from) = (self.row_count(self.focus), self.cursor_row());
        let wanted = (1..=count)
            .map(|n| if by < 0 { count - n } else { n })
            .map(|n| (from + n) % count)
            .find(|row| {
                let task = self.task_at(self.focus, *row, model);
                task.is_some_and(|task| is_wanted(self, task))
            });
        if let Some(row) = wanted {
            self.step_to(row, model);
        }
        wanted.is_some()
    }

    /// Moves the focused pane's cursor to a row.
    pub(in crate::view) fn step_to(&mut self, row: usize, model: &Model) {
        let by = row
            .cast_signed()
            .saturating_sub(self.cursor_row().cast_signed());
        self.step(by, model);
    }

    /// Moves what the context says by so many lines.
    pub(in crate::view) fn step(&mut self, by: isize, model: &Model) {
        match &mut self.asked {
            Some(Asked::Command(_)) => return self.step_command(by, model),
            Some(Asked::Columns(_)) => return self.step_columns(by),
            // Home and End are the line's own.
            Some(Asked::Filter(finding)) if by == isize::MIN => return finding.input.go_to_start(),
            Some(Asked::Filter(finding)) if by == isize::MAX => return finding.input.go_to_end(),
            Some(Asked::Filter(_)) | None => {}
        }
        if let Some(scroll) = &mut self.help {
            *scroll = scrolled(*scroll, by);
        } else if matches!(self.context(), Context::Lesson | Context::Overlay) {
            self.read(by, model);
        } else if let Some(open) = &mut self.details {
            open.scroll = scrolled(open.scroll, by);
        } else {
            if matches!(self.focus, Pane::Tasks | Pane::Tree) {
                // One who goes elsewhere does not want to be taken back.
                self.followed = None;
            }
            self.move_cursor(self.focus, Motion::Step(by), model);
            match self.focus {
                Pane::Tree | Pane::Timeline => {
                    if let Some(task) = self.task_at(self.focus, self.cursor_row(), model) {
                        self.choose_task(task, model);
                    }
                }
                Pane::Resources => self.sync(model),
                Pane::Lints => self.explained = 0,
                _ => {}
            }
        }
    }

    /// Moves a pane's cursor, or what is seen of the pane.
    pub(in crate::view) fn move_cursor(&mut self, pane: Pane, how: Motion, model: &Model) {
        let rows = self.rows_of(pane, model);
        let lists = &self.lists;
        let (Motion::Step(by) | Motion::Scroll(by)) = how;
        match pane {
            Pane::Tree => self.tree.go(how, rows),
            Pane::Tasks => self.tasks.go(how, lists.tasks.iter().copied(), rows),
            Pane::Timers => self.timers.go(how, lists.timers.iter().copied(), rows),
            Pane::Blocking => self.calls.go(how, lists.calls.iter().map(Call::id), rows),
            Pane::Workers => self.workers.go(how, lists.workers.iter().copied(), rows),
            Pane::Resources => self.resources.go(how, rows),
            Pane::Waiters => self.resources.go_to_party(how, rows),
            Pane::Lints => self.lints.go(how, lists.lints.iter().copied(), rows),
            // What is seen of these goes with their cursor, or is all that there is to move.
            Pane::Timeline => self.timeline.step(by, rows, model),
            Pane::Source => self.source.step(by, rows),
            Pane::Explained => self.explained = scrolled(self.explained, by),
            Pane::Output => self.scroll_output(by, rows, model),
            Pane::Lateness => {}
        }
    }

    /// Puts the task table's cursor on a task, or, if it has no row, on what is nearest.
    pub(in crate::view) fn choose_task(&mut self, task: TaskId, model: &Model) {
        let rows = self.rows_of(Pane::Tasks, model);
        let tasks = self.lists.tasks.iter().copied();
        self.tasks.choose(task, tasks, rows);
    }

    pub(in crate::view) fn read(&mut self, by: isize, model: &Model) {
        let place = Self::place(&self.screen(self.area(), model));
        if let (Some(reading), Some(page)) = (&mut self.reading, self.lesson) {
            reading.step(by, page, place);
        }
    }

    fn scroll_output(&mut self, by: isize, rows: usize, model: &Model) {
        let dropped = model.output.dropped();
        let end = dropped + model.output.len() as u64;
        let first = (dropped + rows as u64).min(end);
        let from = self.output_end.unwrap_or(end).clamp(first, end);
        let to = from.saturating_add_signed(by as i64).clamp(first, end);
        self.output_end = (to < end).then_some(to);
    }
}

fn scrolled(from: usize, by: isize) -> usize {
    /// The help, details and explanations are never longer.
    const MOST: usize = 200;
    from.saturating_add_signed(by).min(MOST)
}
