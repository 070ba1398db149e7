//! The panes' rows: how many there are, whose they are, and the cursor in them.

use super::{Asked, ViewState};
use crate::{
    keymap::Context,
    model::{Model, TaskId, tree::Node},
    view::{layout::Pane, lists::Call},
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

    /// The row of the focused pane that the cursor is on.
    pub(in crate::view) fn cursor_row(&self) -> usize {
        match self.focus {
            Pane::Tree => self.tree.cursor.row(),
            Pane::Tasks => self.tasks.row(),
            Pane::Timers => self.timers.row(),
            Pane::Blocking => self.calls.row(),
            Pane::Workers => self.workers.row(),
            Pane::Resources => self.resources.cursor.row(),
            Pane::Waiters => self.resources.party.row(),
            Pane::Lints => self.lints.row(),
            Pane::Timeline => self.timeline.row(),
            Pane::Source | Pane::Lateness | Pane::Explained | Pane::Output => 0,
        }
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
        if let Some(overlay) = &mut self.overlay {
            overlay.scroll = overlay
                .scroll
                .saturating_add_signed(by)
                .min(Self::MAX_SCROLL);
        } else if matches!(self.context(), Context::Lesson | Context::Overlay) {
            self.read(by, model);
        } else if let Some(open) = &mut self.details {
            open.scroll = open.scroll.saturating_add_signed(by).min(Self::MAX_SCROLL);
        } else {
            let rows = self.rows(model);
            let lists = &self.lists;
            if matches!(self.focus, Pane::Tasks | Pane::Tree) {
                // One who goes elsewhere does not want to be taken back.
                self.followed = None;
            }
            match self.focus {
                Pane::Tree => {
                    self.tree.step(by, rows);
                    if let Some(Node::Task(task)) = self.tree.at() {
                        let rows = self.rows_of(Pane::Tasks, model);
                        self.tasks
                            .choose(task, self.lists.tasks.iter().copied(), rows);
                    }
                }
                Pane::Tasks => self.tasks.step(by, lists.tasks.iter().copied(), rows),
                Pane::Timeline => {
                    self.timeline.step(by, rows, model);
                    if let Some(task) = self.timeline.task() {
                        let rows = self.rows_of(Pane::Tasks, model);
                        self.tasks
                            .choose(task, self.lists.tasks.iter().copied(), rows);
                    }
                }
                Pane::Timers => self.timers.step(by, lists.timers.iter().copied(), rows),
                Pane::Blocking => self.calls.step(by, lists.calls.iter().map(Call::id), rows),
                Pane::Workers => self.workers.step(by, lists.workers.iter().copied(), rows),
                Pane::Lateness => {}
                Pane::Resources => {
                    self.resources.step(by, rows);
                    self.sync(model);
                }
                Pane::Waiters => self.resources.step_parties(by, rows),
                Pane::Source => self.source.step(by, rows),
                Pane::Lints => {
                    self.lints.step(by, lists.lints.iter().copied(), rows);
                    self.explained = 0;
                }
                Pane::Explained => self.scroll_explanation(by),
                Pane::Output => self.scroll_output(by, model),
            }
        }
    }

    /// Overlays and details are never longer.
    const MAX_SCROLL: usize = 200;

    pub(in crate::view) fn read(&mut self, by: isize, model: &Model) {
        let place = Self::place(&self.screen(self.area(), model));
        if let (Some(reading), Some(page)) = (&mut self.reading, self.lesson) {
            reading.step(by, page, place);
        }
    }

    pub(in crate::view) fn scroll_explanation(&mut self, by: isize) {
        let to = self.explained.saturating_add_signed(by);
        self.explained = to.min(Self::MAX_SCROLL);
    }

    pub(in crate::view) fn scroll_output(&mut self, by: isize, model: &Model) {
        let dropped = model.output.dropped();
        let end = dropped + model.output.len() as u64;
        let first = (dropped + self.rows(model) as u64).min(end);
        let from = self.output_end.unwrap_or(end).clamp(first, end);
        let to = from.saturating_add_signed(by as i64).clamp(first, end);
        self.output_end = (to < end).then_some(to);
    }
}
