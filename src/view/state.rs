//! What the person has chosen to see. It knows no terminal, no colour and no key.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{
    layout::{Pane, Screen, Wish},
    lists::{Lists, Sort},
    theme::ColorLevel,
};
use crate::{
    keymap::{Action, Context},
    model::{Model, Phase, TaskId},
};

/// What the terminal can show.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    pub color: ColorLevel,
    /// Shapes, borders and bars beyond ASCII.
    pub unicode: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            color: ColorLevel::default(),
            unicode: true,
        }
    }
}

/// What an action asks of others than the screen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit,
    RunAgain,
    Pause,
}

/// A task whose details are open.
#[derive(Copy, Clone, Debug)]
pub(super) struct Open {
    pub task: TaskId,
    pub scroll: usize,
}

/// Something to read that lies over all else.
#[derive(Copy, Clone, Debug)]
pub(super) struct Overlay {
    pub topic: Topic,
    pub scroll: usize,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
    Warnings,
}

#[derive(Clone, Debug)]
pub struct ViewState {
    /// The model does not change while it is shown: set by who feeds the model.
    pub paused: bool,
    pub(super) options: Options,
    pub(super) focus: Pane,
    pub(super) zoomed: bool,
    pub(super) details: Option<Open>,
    /// What lies over all else.
    pub(super) overlay: Option<Overlay>,
    pub(super) sort: Sort,
    pub(super) show_done: bool,
    /// The task that the cursor is on; none until it is moved, and then it is on the
    /// first row, whatever that is.
    pub(super) selected: Option<TaskId>,
    /// The first row of the task table that is seen, if it is as high as it was.
    pub(super) top: usize,
    /// First rows of the timers, the blocking calls and the workers.
    pub(super) scrolled: [usize; 3],
    /// The number, from the run's first line, of the output's last line that is seen;
    /// none while it follows the end.
    pub(super) output_end: Option<u64>,
    pub(super) lists: Lists,
    cell: usize,
    size: (u16, u16),
}

/// What a cell of a history may stand for.
const CELLS: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

impl ViewState {
    pub fn new(options: Options) -> Self {
        Self {
            paused: false,
            options,
            focus: Pane::Tasks,
            zoomed: false,
            details: None,
            overlay: None,
            sort: Sort::default(),
            show_done: true,
            selected: None,
            top: 0,
            scrolled: [0; 3],
            output_end: None,
            lists: Lists::default(),
            cell: 2,
            size: (80, 24),
        }
    }

    /// The terminal's size, on which depends how far a page is.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
    }

    pub fn context(&self) -> Context {
        if self.overlay.is_some() {
            Context::Overlay
        } else if self.details.is_some() {
            Context::Details
        } else if self.focus == Pane::Tasks {
            Context::Tasks
        } else {
            Context::Pane
        }
    }

    /// The task whose details are open.
    pub fn watched(&self) -> Option<TaskId> {
        self.details.map(|open| open.task)
    }

    /// Takes note of a changed model. The selection follows its task, and that stays on
    /// its line of the screen as far as can be.
    pub fn sync(&mut self, model: &Model) {
        let line = self.cursor().checked_sub(self.top);
        self.lists = Lists::new(model, self.sort, self.show_done);
        if self.selected.is_some_and(|id| self.row_of(id).is_none()) {
            // Forgotten or hidden: the cursor stays on its line.
            let at = self.top + line.unwrap_or(0);
            let last = self.lists.tasks.len().saturating_sub(1);
            self.selected = self.lists.tasks.get(at.min(last)).copied();
        }
        if let Some(line) = line {
            self.top = self.cursor().saturating_sub(line);
        }
        self.keep_in_sight(model);
    }

    /// Does what a key asked for, and tells what others must do.
    pub fn act(&mut self, action: Action, model: &Model) -> Option<Effect> {
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::RunAgain => return Some(Effect::RunAgain),
            Action::Pause => return Some(Effect::Pause),
            Action::Help => self.show(Topic::Help),
            Action::Warnings => self.show(Topic::Warnings),
            Action::Leave => self.leave(),
            Action::Up => self.step(-1, model),
            Action::Down => self.step(1, model),
            Action::PageUp => self.step(-self.page(model), model),
            Action::PageDown => self.step(self.page(model), model),
            Action::First => self.step(isize::MIN, model),
            Action::Last => self.step(isize::MAX, model),
            Action::NextPane => self.turn(1),
            Action::PrevPane => self.turn(Pane::ALL.len() - 1),
            Action::Pane(number) => self.focus = Pane::from_number(number).unwrap_or(self.focus),
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Enter => self.open(),
            Action::NextTask => self.open_beside(1, model),
            Action::PrevTask => self.open_beside(-1, model),
            Action::SortNext => {
                self.sort = Sort {
                    by: self.sort.by.next(),
                    reversed: false,
                };
                self.reorder(model);
            }
            Action::SortReverse => {
                self.sort.reversed = !self.sort.reversed;
                self.reorder(model);
            }
            Action::ToggleDone => {
                self.show_done = !self.show_done;
                self.sync(model);
            }
            Action::Finer => self.cell = self.cell.saturating_sub(1),
            Action::Coarser => self.cell = (self.cell + 1).min(CELLS.len() - 1),
        }
        None
    }

    /// What a cell of a history stands for.
    pub(super) fn cell(&self) -> Duration {
        CELLS[self.cell]
    }

    /// The row that the cursor is on.
    pub(super) fn cursor(&self) -> usize {
        self.selected.and_then(|id| self.row_of(id)).unwrap_or(0)
    }

    pub(super) fn screen(&self, area: Rect, model: &Model) -> Screen {
        let wish = Wish {
            focus: self.focus,
            zoomed: self.zoomed,
            message: !matches!(model.phase, Phase::Live) || model.blocked().is_some(),
        };
        Screen::new(area, wish)
    }

    fn row_of(&self, task: TaskId) -> Option<usize> {
        self.lists.tasks.iter().position(|id| *id == task)
    }

    /// One step towards the task table as it is at first. It never quits.
    fn leave(&mut self) {
        if self.overlay.take().is_some() || self.details.take().is_some() {
            return;
        }
        if self.zoomed {
            self.zoomed = false;
        } else {
            self.focus = Pane::Tasks;
            self.scrolled = [0; 3];
            self.output_end = None;
        }
    }

    fn show(&mut self, topic: Topic) {
        self.overlay = Some(Overlay { topic, scroll: 0 });
    }

    fn turn(&mut self, by: usize) {
        let at = usize::from(self.focus.number()) - 1;
        self.focus = Pane::ALL[(at + by) % Pane::ALL.len()];
    }

    fn open(&mut self) {
        let task = self.lists.tasks.get(self.cursor());
        self.details = task.map(|id| Open {
            task: *id,
            scroll: 0,
        });
    }

    fn open_beside(&mut self, by: isize, model: &Model) {
        self.move_cursor(by, model);
        self.open();
    }

    /// A new order is looked at from its beginning.
    fn reorder(&mut self, model: &Model) {
        self.lists = Lists::new(model, self.sort, self.show_done);
        self.selected = None;
        self.top = 0;
    }

    /// Moves what the context says by so many lines.
    fn step(&mut self, by: isize, model: &Model) {
        if let Some(overlay) = &mut self.overlay {
            overlay.scroll = overlay
                .scroll
                .saturating_add_signed(by)
                .min(Self::MAX_SCROLL);
        } else if let Some(open) = &mut self.details {
            open.scroll = open.scroll.saturating_add_signed(by).min(Self::MAX_SCROLL);
        } else {
            match self.focus {
                Pane::Tasks => self.move_cursor(by, model),
                Pane::Timers => self.scroll(0, by, self.lists.timers.len(), model),
                Pane::Blocking => self.scroll(1, by, self.lists.calls.len(), model),
                Pane::Workers => {
                    let workers = model.runtimes.iter().map(|r| r.workers.len()).sum();
                    self.scroll(2, by, workers, model);
                }
                Pane::Output => self.scroll_output(by, model),
            }
        }
    }

    /// Overlays and details are never longer.
    const MAX_SCROLL: usize = 200;

    fn move_cursor(&mut self, by: isize, model: &Model) {
        let last = self.lists.tasks.len().saturating_sub(1);
        let to = self.cursor().saturating_add_signed(by).min(last);
        self.selected = self
            .lists
            .tasks
            .get(to)
            .copied()
            .filter(|_| by != isize::MIN);
        self.keep_in_sight(model);
    }

    fn scroll(&mut self, list: usize, by: isize, all: usize, model: &Model) {
        let most = all.saturating_sub(self.rows(model));
        let from = self.scrolled[list].min(most);
        self.scrolled[list] = from.saturating_add_signed(by).min(most);
    }

    fn scroll_output(&mut self, by: isize, model: &Model) {
        let dropped = model.output.dropped();
        let end = dropped + model.output.len() as u64;
        let first = (dropped + self.rows(model) as u64).min(end);
        let from = self.output_end.unwrap_or(end).clamp(first, end);
        let to = from.saturating_add_signed(by as i64).clamp(first, end);
        self.output_end = (to < end).then_some(to);
    }

    /// Scrolls the task table no farther than the cursor demands.
    fn keep_in_sight(&mut self, model: &Model) {
        let rows = self.rows_of(Pane::Tasks, model);
        let cursor = self.cursor();
        let most = self.lists.tasks.len().saturating_sub(rows);
        self.top = window(self.top.min(most), cursor, rows);
    }

    fn rows(&self, model: &Model) -> usize {
        self.rows_of(self.focus, model)
    }

    /// How many rows of a pane are seen.
    fn rows_of(&self, pane: Pane, model: &Model) -> usize {
        let (width, height) = self.size;
        let screen = self.screen(Rect::new(0, 0, width, height), model);
        let height = screen.pane(pane).map_or(0, |area| area.height);
        let heading = 1 + u16::from(pane != Pane::Output);
        usize::from(height.saturating_sub(heading)).max(1)
    }

    fn page(&self, model: &Model) -> isize {
        let rows = if self.overlay.is_some() || self.details.is_some() {
            usize::from(self.size.1 / 2)
        } else {
            self.rows(model).saturating_sub(1)
        };
        isize::try_from(rows.max(1)).unwrap_or(isize::MAX)
    }
}

/// The first of `rows` rows in sight: `top`, unless the cursor is out of sight then.
pub(super) fn window(top: usize, cursor: usize, rows: usize) -> usize {
    top.clamp((cursor + 1).saturating_sub(rows.max(1)), cursor)
}
