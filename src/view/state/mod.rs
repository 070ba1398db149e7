//! What the person has chosen to see. It knows no terminal and no colour.
//!
//! [`act`] does what a key asks for, [`focus`] leads from pane to pane, and [`rows`] moves the
//! cursors in them. What one key opens has its own file beside this folder: `find`, `palette`,
//! `chooser`, `marks`; and so has the `mouse`.

mod act;
mod focus;
mod rows;

use std::{collections::HashSet, time::Duration};

use ratatui::layout::Rect;

use super::{
    chooser::Choosing,
    chosen::Columns,
    cursor::Cursor,
    find::{Finding, Found},
    glyphs::{self, Glyphs},
    lateness::Histogram,
    layout::{Pane, Screen, Wish},
    lesson::{Lesson, Place, Reading},
    lists::{Call, CallId, Lists, Sort},
    moment::{Moment, Travel},
    palette::Typing,
    resources::ResourcesState,
    source::{SourceState, Text},
    tab::Tab,
    theme::{ColorLevel, Theme, ThemeName},
    timeline,
    tree::TreeState,
};
use crate::{
    frame::Time,
    keymap::{Action, Context, Keymap},
    model::{Model, Phase, TaskId, TimerId, WorkerId, expired::Expired, lint::FindingId},
};

/// What the terminal can show, and what the person wants at first.
#[derive(Clone, Debug)]
pub struct Options {
    pub color: ColorLevel,
    /// Shapes, borders and bars beyond ASCII.
    pub unicode: bool,
    pub theme: ThemeName,
    pub keys: Keymap,
    pub columns: Columns,
    pub sort: Sort,
    /// What a cell of a history stands for: one of [`CELLS`].
    pub cell: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            color: ColorLevel::default(),
            unicode: true,
            theme: ThemeName::default(),
            keys: Keymap::default(),
            columns: Columns::default(),
            sort: Sort::default(),
            cell: CELLS[2],
        }
    }
}

impl Options {
    pub(super) fn theme(&self) -> Theme {
        Theme::new(self.color, self.theme)
    }

    pub(super) fn glyphs(&self) -> &'static Glyphs {
        if self.unicode {
            &glyphs::UNICODE
        } else {
            &glyphs::ASCII
        }
    }
}

/// What an action asks of others than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit,
    RunAgain,
    /// A lost connection is not to be made again.
    GiveUp,
    Pause,
    Travel(Travel),
    Record,
    /// To the clipboard; without control characters.
    Copy(String),
}

/// Something that is said until the next key.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub words: String,
    /// It went wrong.
    pub bad: bool,
}

/// What the person is asked for.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Filter(Finding),
    Command(Typing),
    Columns(Choosing),
}

/// A task whose details are open.
#[derive(Copy, Clone, Debug)]
pub(super) struct Open {
    pub task: TaskId,
    pub scroll: usize,
}

#[derive(Clone, Debug)]
pub struct ViewState {
    /// Which moment the model is of: set by who feeds it, as what follows is.
    pub moment: Moment,
    /// A recording is being written.
    pub recording: bool,
    pub(super) options: Options,
    /// Which of the model's connections told what is seen.
    connection: u32,
    pub(super) tab: Tab,
    /// One of the view's panes.
    pub(super) focus: Pane,
    pub(super) zoomed: bool,
    pub(super) details: Option<Open>,
    /// How far the help is scrolled that lies over all else, while it is open.
    pub(super) help: Option<usize>,
    /// What there is to read about the target, if there is anything.
    pub(super) lesson: Option<&'static str>,
    /// The lesson while it is open.
    pub(super) reading: Option<Reading>,
    pub(super) asked: Option<Asked>,
    pub(super) notice: Option<Notice>,
    pub(super) found: Option<Found>,
    pub(super) marks: HashSet<TaskId>,
    pub(super) followed: Option<TaskId>,
    /// Moments, as they were marked.
    pub(super) bookmarks: Vec<Time>,
    pub(super) columns: Columns,
    pub(super) sort: Sort,
    pub(super) show_done: bool,
    /// In the task table; the same in every view that has it.
    pub(super) tasks: Cursor<TaskId>,
    pub(super) tree: TreeState,
    pub(super) lateness: Histogram,
    pub(super) expired: Expired,
    pub(super) resources: ResourcesState,
    pub(super) source: SourceState,
    pub(super) lints: Cursor<FindingId>,
    /// How far the explanation of the marked lint is scrolled.
    pub(super) explained: usize,
    pub(super) timers: Cursor<TimerId>,
    pub(super) calls: Cursor<CallId>,
    pub(super) workers: Cursor<WorkerId>,
    pub(super) timeline: timeline::Window,
    /// The number, from the run's first line, of the output's last line that is seen;
    /// none while it follows the end.
    pub(super) output_end: Option<u64>,
    pub(super) lists: Lists,
    cell: usize,
    size: (u16, u16),
}

/// What a cell of a history may stand for.
pub const CELLS: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

impl ViewState {
    pub fn new(options: Options) -> Self {
        let columns = options.columns.clone();
        let sort = options.sort;
        let cell = CELLS.iter().position(|cell| *cell == options.cell);
        Self {
            moment: Moment::default(),
            recording: false,
            options,
            connection: 0,
            tab: Tab::Overview,
            focus: Pane::Tasks,
            zoomed: false,
            details: None,
            help: None,
            lesson: None,
            reading: None,
            asked: None,
            notice: None,
            found: None,
            marks: HashSet::new(),
            followed: None,
            bookmarks: Vec::new(),
            columns,
            sort,
            show_done: true,
            tasks: Cursor::default(),
            tree: TreeState::default(),
            lateness: Histogram::default(),
            expired: Expired::default(),
            resources: ResourcesState::default(),
            source: SourceState::default(),
            lints: Cursor::default(),
            explained: 0,
            timers: Cursor::default(),
            calls: Cursor::default(),
            workers: Cursor::default(),
            timeline: timeline::Window::default(),
            output_end: None,
            lists: Lists::default(),
            cell: cell.unwrap_or(2),
            size: (80, 24),
        }
    }

    /// With something to read about the target.
    #[must_use]
    pub fn with_lesson(mut self, lesson: Option<Lesson>) -> Self {
        self.lesson = lesson.map(|lesson| lesson.page);
        self.reading = lesson.filter(|lesson| lesson.open).map(|_| Reading::NEW);
        self
    }

    /// The terminal's size, on which depends how far a page is.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
    }

    pub fn context(&self) -> Context {
        let over = self.reading.is_some() && !self.has_column();
        match &self.asked {
            Some(Asked::Filter(_)) => Context::Find,
            Some(Asked::Command(_)) => Context::Palette,
            Some(Asked::Columns(_)) => Context::Columns,
            None if self.help.is_some() || over => Context::Overlay,
            None => self.context_below(),
        }
    }

    /// What a key asks for now.
    pub fn action(&self, key: crossterm::event::KeyEvent) -> Option<Action> {
        self.options.keys.action(key, self.context())
    }

    /// A page that is open stands beside the panes; else it lies over them.
    fn has_column(&self) -> bool {
        Place::column(self.size.0).is_some()
    }

    /// Where keys go when nothing lies over all else.
    pub(super) fn context_below(&self) -> Context {
        if self.has_column() && self.reading.is_some_and(|reading| reading.focused) {
            Context::Lesson
        } else if self.details.is_some() {
            Context::Details
        } else {
            Context::Pane(self.focus)
        }
    }

    /// The pane that keys go to; none while they go to a page beside it.
    pub(super) fn focused(&self) -> Option<Pane> {
        (self.context_below() != Context::Lesson).then_some(self.focus)
    }

    /// The task whose details are open.
    pub fn watched(&self) -> Option<TaskId> {
        self.details.map(|open| open.task)
    }

    /// The source file whose text is to be given, by the name that the target gave it.
    pub fn wanted_source(&self) -> Option<&str> {
        self.source.wanted().filter(|_| self.tab == Tab::Source)
    }

    /// Gives a source file's lines, or why there are none.
    pub fn give_source(&mut self, file: &str, text: Text, model: &Model) {
        let rows = self.rows_of(Pane::Source, model);
        let chosen = self.tasks.chosen().is_some();
        self.source.give(file, text, chosen, model, rows);
    }

    /// The finding that the cursor is on.
    pub(super) fn marked_lint(&self) -> Option<FindingId> {
        self.lists.lints.get(self.lints.row()).copied()
    }

    /// Takes note of a changed model.
    pub fn sync(&mut self, model: &Model) {
        // What another connection told is of other tasks.
        if std::mem::replace(&mut self.connection, model.connection) != model.connection {
            self.details = None;
            self.followed = None;
        }
        self.arrange(model);
        let screen = self.screen(self.area(), model);
        let rows = |pane| screen.rows(pane);
        let lists = &self.lists;
        self.tasks
            .sync(lists.tasks.iter().copied(), rows(Pane::Tasks));
        self.timers
            .sync(lists.timers.iter().copied(), rows(Pane::Timers));
        self.calls
            .sync(lists.calls.iter().map(Call::id), rows(Pane::Blocking));
        self.workers
            .sync(lists.workers.iter().copied(), rows(Pane::Workers));
        self.lints
            .sync(lists.lints.iter().copied(), rows(Pane::Lints));
        match self.tab {
            Tab::Tree => {
                let rows = rows(Pane::Tree);
                self.tree.sync(model, self.show_done, lists, rows);
            }
            Tab::Timers => {
                self.lateness = Histogram::new(model);
                self.expired = Expired::new(model);
            }
            Tab::Resources => {
                let rows = [Pane::Resources, Pane::Waiters].map(rows);
                self.resources.sync(model, lists, rows);
            }
            Tab::Source => {
                let first = lists.tasks.first().copied();
                let selected = self.tasks.chosen().or(first);
                self.source.sync(model, selected, rows(Pane::Source));
            }
            Tab::Timeline => {
                let size = self.timeline_size(model);
                self.timeline.sync(model, self.show_done, &self.lists, size);
            }
            Tab::Overview | Tab::Tasks | Tab::Threads | Tab::Lints | Tab::Output => {}
        }
        self.keep_following(model);
    }

    /// Cells in a lane of the timeline, and lanes that are seen.
    fn timeline_size(&self, model: &Model) -> (usize, usize) {
        let area = self.screen(self.area(), model).pane(Pane::Timeline);
        timeline::Plan::new(area.unwrap_or_default()).size()
    }

    /// The time that the timeline's cursor is on.
    pub fn cursor_time(&self, model: &Model) -> Time {
        self.timeline.cursor_time(model)
    }

    fn arrange(&mut self, model: &Model) {
        let before = std::mem::take(&mut self.lists);
        self.lists = before.renew(model, self.sort, self.show_done, self.found.as_ref());
    }

    /// What a cell of a history stands for.
    pub(super) fn cell(&self) -> Duration {
        CELLS[self.cell]
    }

    pub(super) fn screen(&self, area: Rect, model: &Model) -> Screen {
        let wish = Wish {
            tab: self.tab,
            focus: self.focus,
            zoomed: self.zoomed,
            message: !matches!(model.phase, Phase::Live)
                || model.is_blocked()
                || self.notice.is_some(),
            beside: self.reading.map_or(0, |reading| {
                let column = Place::column(area.width);
                column.map_or(0, |column| if reading.zoomed { area.width } else { column })
            }),
        };
        Screen::new(area, wish)
    }

    /// Where a page that is open is shown.
    pub(super) fn place(screen: &Screen) -> Place {
        if screen.beside.is_empty() {
            Place::Over(screen.body)
        } else {
            Place::Beside(screen.beside)
        }
    }

    /// Another run has other tasks, whose numbers are the same.
    pub fn forget_tasks(&mut self) {
        self.marks.clear();
        self.followed = None;
        self.bookmarks.clear();
    }

    /// A new order is looked at from its beginning.
    pub(super) fn reorder(&mut self, model: &Model) {
        self.arrange(model);
        self.tasks.reset();
    }

    fn rows(&self, model: &Model) -> usize {
        self.rows_of(self.focus, model)
    }

    /// How many rows of a pane are seen.
    pub(super) fn rows_of(&self, pane: Pane, model: &Model) -> usize {
        self.screen(self.area(), model).rows(pane)
    }

    /// The whole screen.
    pub(super) fn area(&self) -> Rect {
        Rect::new(0, 0, self.size.0, self.size.1)
    }

    fn page(&self, model: &Model) -> isize {
        let rows = match self.context() {
            Context::Pane(_) => self.rows(model).saturating_sub(1),
            _ => usize::from(self.size.1 / 2),
        };
        isize::try_from(rows.max(1)).unwrap_or(isize::MAX)
    }
}
