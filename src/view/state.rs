//! What the person has chosen to see. It knows no terminal and no colour.

use std::{collections::HashSet, time::Duration};

use ratatui::layout::Rect;

use super::{
    chooser::Choosing,
    chosen::Columns,
    cursor::Cursor,
    find::{Finding, Found},
    lateness::Histogram,
    layout::{Pane, Screen, Wish},
    lesson::{Lesson, Place, Reading},
    lists::{Call, CallId, Lists, Sort},
    moment::{Moment, Travel},
    palette::Typing,
    resources::ResourcesState,
    source::{SourceState, Text},
    tab::Tab,
    theme::{ColorLevel, ThemeName},
    timeline,
    tree::TreeState,
};
use crate::{
    frame::Time,
    keymap::{Action, Context, Keymap},
    model::{
        Model, Phase, TaskId, TimerId, WorkerId, expired::Expired, lint::FindingId, tree::Node,
    },
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

/// What an action asks of others than the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Quit,
    RunAgain,
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

/// Something to read that lies over all else.
#[derive(Copy, Clone, Debug)]
pub(super) struct Overlay {
    pub topic: Topic,
    pub scroll: usize,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Help,
}

#[derive(Clone, Debug)]
pub struct ViewState {
    /// Which moment the model is of: set by who feeds it, as what follows is.
    pub moment: Moment,
    /// A recording is being written.
    pub recording: bool,
    pub(super) options: Options,
    pub(super) tab: Tab,
    /// One of the view's panes.
    pub(super) focus: Pane,
    pub(super) zoomed: bool,
    pub(super) details: Option<Open>,
    /// What lies over all else.
    pub(super) overlay: Option<Overlay>,
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
            tab: Tab::Overview,
            focus: Pane::Tasks,
            zoomed: false,
            details: None,
            overlay: None,
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
            None if self.overlay.is_some() || over => Context::Overlay,
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
        self.source.give(file, text, rows);
    }

    /// The finding that the cursor is on.
    pub(super) fn marked_lint(&self) -> Option<FindingId> {
        self.lists.lints.get(self.lints.row()).copied()
    }

    /// Takes note of a changed model.
    pub fn sync(&mut self, model: &Model) {
        self.arrange(model);
        let rows = |pane| self.rows_of(pane, model);
        let [tasks, timers, blocking, workers] = [
            rows(Pane::Tasks),
            rows(Pane::Timers),
            rows(Pane::Blocking),
            rows(Pane::Workers),
        ];
        let lists = &self.lists;
        self.tasks.sync(lists.tasks.iter().copied(), tasks);
        self.timers.sync(lists.timers.iter().copied(), timers);
        self.calls.sync(lists.calls.iter().map(Call::id), blocking);
        self.workers.sync(lists.workers.iter().copied(), workers);
        let rows = self.rows_of(Pane::Lints, model);
        self.lints.sync(self.lists.lints.iter().copied(), rows);
        if self.tab == Tab::Tree {
            let rows = self.rows_of(Pane::Tree, model);
            self.tree.sync(model, self.show_done, &self.lists, rows);
        }
        if self.tab == Tab::Timers {
            self.lateness = Histogram::new(model);
            self.expired = Expired::new(model);
        }
        if self.tab == Tab::Resources {
            let rows = [Pane::Resources, Pane::Waiters].map(|pane| self.rows_of(pane, model));
            self.resources.sync(model, &self.lists, rows);
        }
        if self.tab == Tab::Source {
            let rows = self.rows_of(Pane::Source, model);
            let first = self.lists.tasks.first().copied();
            self.source.sync(model, self.tasks.chosen().or(first), rows);
        }
        if self.tab == Tab::Timeline {
            let size = self.timeline_size(model);
            self.timeline.sync(model, self.show_done, &self.lists, size);
        }
        self.keep_following(model);
    }

    /// Cells in a lane of the timeline, and lanes that are seen.
    fn timeline_size(&self, model: &Model) -> (usize, usize) {
        let area = self.area_of(Pane::Timeline, model);
        timeline::Plan::new(area.unwrap_or_default()).size()
    }

    /// The time that the timeline's cursor is on.
    pub fn cursor_time(&self, model: &Model) -> Time {
        self.timeline.cursor_time(model)
    }

    fn arrange(&mut self, model: &Model) {
        self.lists = Lists::new(model, self.sort, self.show_done, self.found.as_ref());
    }

    /// Does what a key asked for, and tells what others must do.
    pub fn act(&mut self, action: Action, model: &Model) -> Option<Effect> {
        self.notice = None;
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::RunAgain => {
                self.forget_tasks();
                return Some(Effect::RunAgain);
            }
            Action::Pause => return Some(Effect::Pause),
            Action::Record => return Some(Effect::Record),
            Action::Now if self.moment == Moment::Live => self.step(isize::MAX, model),
            Action::Back
            | Action::FarBack
            | Action::Forth
            | Action::FarForth
            | Action::FrameBack
            | Action::FrameForth
            | Action::Previous(_)
            | Action::Next(_)
            | Action::Slower
            | Action::Faster
            | Action::Now => return self.travel(action).map(Effect::Travel),
            Action::Help => self.show(Topic::Help),
            Action::Lesson => self.toggle_lesson(model),
            Action::Leave => self.leave(model),
            Action::Up => self.step(-1, model),
            Action::Down => self.step(1, model),
            Action::PageUp => self.step(-self.page(model), model),
            Action::PageDown => self.step(self.page(model), model),
            Action::First => self.step(isize::MIN, model),
            Action::Last => self.step(isize::MAX, model),
            Action::NextPane => self.turn(1, model),
            Action::PrevPane => self.turn(-1, model),
            Action::Tab(tab) => self.show_tab(tab, model),
            Action::CursorBack => self.timeline.move_cursor(-1, model),
            Action::CursorOn => self.timeline.move_cursor(1, model),
            Action::PanBack => self.timeline.pan(-1, model),
            Action::PanOn => self.timeline.pan(1, model),
            Action::Follow => self.timeline.toggle_live(model),
            Action::Jump(to) => {
                let (_, height) = self.timeline_size(model);
                self.timeline.jump(to, height, model);
            }
            Action::Zoom => self.zoom(),
            Action::Enter => return self.enter(model),
            Action::NextTask => self.open_beside(1, model),
            Action::PrevTask => self.open_beside(-1, model),
            Action::SortNext => self.sort_by(self.sort.by.next(), model),
            Action::SortReverse => self.sort_by(self.sort.by, model),
            Action::Fold if self.sees_timeline() => {
                let (_, height) = self.timeline_size(model);
                self.timeline
                    .fold(model, self.show_done, &self.lists, height);
            }
            Action::Fold => self.fold(model, TreeState::fold),
            Action::FoldAll => self.fold(model, TreeState::fold_all),
            Action::NextFile => {
                let rows = self.rows_of(Pane::Source, model);
                self.source.next_file(model, rows);
            }
            Action::ToggleDone => {
                self.show_done = !self.show_done;
                self.sync(model);
            }
            Action::ToCursor => {
                let step = model.now.since(self.cursor_time(model));
                return Some(Effect::Travel(Travel::By { step, back: true }));
            }
            Action::Finer | Action::Coarser if self.sees_timeline() => {
                self.timeline.zoom(action == Action::Finer, model);
            }
            Action::Find => self.ask_filter(model),
            Action::Search => self.keep_filter(false, model),
            Action::NextFound => self.go_to_found(1, model),
            Action::PrevFound => self.go_to_found(-1, model),
            Action::Mark => self.mark(model),
            Action::NextMark => self.go_to_mark(model),
            Action::FollowTask => self.follow(model),
            Action::CopyId => return self.copy_id(model),
            Action::CopyPlace => return self.copy_place(model),
            Action::Bookmark => self.bookmark(model),
            Action::ChooseColumns => self.asked = Some(Asked::Columns(Choosing::default())),
            Action::TakeColumn => self.take_column(),
            Action::ColumnEarlier => self.shift_column(-1),
            Action::ColumnLater => self.shift_column(1),
            Action::Command => self.ask_command(),
            Action::Type(c) => self.insert(c.encode_utf8(&mut [0; 4]), model),
            Action::Edit(edit) => self.edit(edit, model),
            Action::Finer => self.cell = self.cell.saturating_sub(1),
            Action::Coarser => self.cell = (self.cell + 1).min(CELLS.len() - 1),
        }
        None
    }

    /// Where in time an action leads.
    fn travel(&self, action: Action) -> Option<Travel> {
        /// Cells of a history that make a great step.
        const FAR: u32 = 10;
        let by = |cells, back| Travel::By {
            step: self.cell() * cells,
            back,
        };
        let sign = |sign, back| Travel::Sign {
            sign,
            task: self.watched().or(self.tasks.chosen()),
            back,
        };
        Some(match action {
            Action::Back => by(1, true),
            Action::FarBack => by(FAR, true),
            Action::Forth => by(1, false),
            Action::FarForth => by(FAR, false),
            Action::FrameBack => Travel::Frame { back: true },
            Action::FrameForth => Travel::Frame { back: false },
            Action::Previous(found) => sign(found, true),
            Action::Next(found) => sign(found, false),
            Action::Slower => Travel::Slower,
            Action::Faster => Travel::Faster,
            Action::Now => Travel::Now,
            _ => return None,
        })
    }

    fn sees_timeline(&self) -> bool {
        self.context() == Context::Pane(Pane::Timeline)
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
                || model.blocked().is_some()
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

    /// One step towards the overview as it is at first. It never quits.
    fn leave(&mut self, model: &Model) {
        if let Some(asked) = self.asked.take() {
            if matches!(asked, Asked::Filter(_)) {
                self.drop_filter(model);
            }
            return;
        }
        if self.overlay.take().is_some() {
            return;
        }
        if matches!(self.context(), Context::Lesson | Context::Overlay) {
            self.toggle_lesson(model);
            return;
        }
        if self.details.take().is_some() {
            return;
        }
        let first = self.tab.panes()[0];
        if self.zoomed {
            self.zoomed = false;
        } else if self.drop_filter(model) {
            // That was the step.
        } else if self.focus != first {
            self.focus = first;
        } else if self.tab == Tab::Timeline && !self.timeline.is_at_rest() {
            self.timeline.toggle_live(model);
        } else {
            self.show_tab(Tab::Overview, model);
            self.output_end = None;
        }
    }

    pub(super) fn show_tab(&mut self, tab: Tab, model: &Model) {
        self.details = None;
        self.look_up();
        if tab == self.tab {
            return;
        }
        self.tab = tab;
        self.focus = tab.panes()[0];
        self.zoomed = false;
        self.sync(model);
        if let Some(task) = self.tasks.chosen().filter(|_| tab == Tab::Tree) {
            let rows = self.rows_of(Pane::Tree, model);
            self.tree.choose(Node::Task(task), rows);
        }
        if let Some(task) = self.tasks.chosen().filter(|_| tab == Tab::Timeline) {
            let (_, height) = self.timeline_size(model);
            self.timeline.choose_task(task, height);
        }
    }

    fn fold(&mut self, model: &Model, fold: impl FnOnce(&mut TreeState)) {
        fold(&mut self.tree);
        self.sync(model);
    }

    fn show(&mut self, topic: Topic) {
        self.overlay = Some(Overlay { topic, scroll: 0 });
    }

    fn toggle_lesson(&mut self, model: &Model) {
        if self.reading.take().is_none() {
            self.reading = Some(Reading::NEW);
        }
        // The panes are as many and as high as their width allows.
        self.sync(model);
    }

    /// From the page to what is beside it.
    pub(super) fn look_up(&mut self) {
        if let Some(reading) = &mut self.reading {
            reading.focused = false;
            reading.zoomed = false;
        }
    }

    /// What has the focus has the whole body.
    pub(super) fn is_zoomed(&self) -> bool {
        match self.reading {
            Some(reading) if reading.focused => reading.zoomed,
            _ => self.zoomed,
        }
    }

    fn zoom(&mut self) {
        match &mut self.reading {
            Some(reading) if reading.focused => reading.zoomed = !reading.zoomed,
            _ => self.zoomed = !self.zoomed,
        }
    }

    /// To the next pane, or the next view where there is no other pane. A page that is open
    /// comes between the last pane and the first.
    fn turn(&mut self, by: isize, model: &Model) {
        let panes = self.tab.panes();
        let last = panes.len() - 1;
        let (first, last) = if by > 0 { (0, last) } else { (last, 0) };
        match &mut self.reading {
            Some(reading) if reading.focused => {
                self.look_up();
                self.focus = panes[first];
                self.sync(model);
            }
            Some(reading) if self.focus == panes[last] => reading.focused = true,
            _ if panes.len() > 1 => {
                self.focus = beside(panes, self.focus, by);
                self.sync(model);
            }
            _ => self.show_tab(beside(&Tab::ALL, self.tab, by), model),
        }
    }

    /// What Enter does, by what there is to do.
    fn enter(&mut self, model: &Model) -> Option<Effect> {
        match self.asked {
            Some(Asked::Filter(_)) => self.keep_filter(true, model),
            Some(Asked::Command(_)) => return self.do_command(model),
            Some(Asked::Columns(_)) => self.asked = None,
            None => self.open(model),
        }
        None
    }

    /// Opens the task of the row that the cursor is on.
    pub(super) fn open(&mut self, model: &Model) {
        if self.focus == Pane::Tree && matches!(self.tree.at(), Some(Node::Scope(_))) {
            self.fold(model, TreeState::fold);
        } else if self.focus == Pane::Resources {
            self.focus = Pane::Waiters;
        } else if let Some(task) = self.task_at(self.focus, self.cursor_row(), model) {
            self.details = Some(Open { task, scroll: 0 });
        }
    }

    /// The task that a row of a pane belongs to.
    pub(super) fn task_at(&self, pane: Pane, row: usize, model: &Model) -> Option<TaskId> {
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
    pub(super) fn row_count(&self, pane: Pane) -> usize {
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
    pub(super) fn cursor_row(&self) -> usize {
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
    pub(super) fn go_to_row(
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
    pub(super) fn step_to(&mut self, row: usize, model: &Model) {
        let by = row
            .cast_signed()
            .saturating_sub(self.cursor_row().cast_signed());
        self.step(by, model);
    }

    fn open_beside(&mut self, by: isize, model: &Model) {
        let rows = self.rows_of(Pane::Tasks, model);
        if let Some(open) = self.details {
            self.tasks
                .choose(open.task, self.lists.tasks.iter().copied(), rows);
        }
        self.tasks.step(by, self.lists.tasks.iter().copied(), rows);
        let task = self.lists.tasks.get(self.tasks.row());
        self.details = task.map(|id| Open {
            task: *id,
            scroll: 0,
        });
    }

    /// Another run has other tasks, whose numbers are the same.
    fn forget_tasks(&mut self) {
        self.marks.clear();
        self.followed = None;
        self.bookmarks.clear();
    }

    /// A new order is looked at from its beginning.
    pub(super) fn reorder(&mut self, model: &Model) {
        self.arrange(model);
        self.tasks.reset();
    }

    /// Moves what the context says by so many lines.
    pub(super) fn step(&mut self, by: isize, model: &Model) {
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

    pub(super) fn read(&mut self, by: isize, model: &Model) {
        let place = Self::place(&self.screen(self.area(), model));
        if let (Some(reading), Some(page)) = (&mut self.reading, self.lesson) {
            reading.step(by, page, place);
        }
    }

    pub(super) fn scroll_explanation(&mut self, by: isize) {
        let to = self.explained.saturating_add_signed(by);
        self.explained = to.min(Self::MAX_SCROLL);
    }

    pub(super) fn scroll_output(&mut self, by: isize, model: &Model) {
        let dropped = model.output.dropped();
        let end = dropped + model.output.len() as u64;
        let first = (dropped + self.rows(model) as u64).min(end);
        let from = self.output_end.unwrap_or(end).clamp(first, end);
        let to = from.saturating_add_signed(by as i64).clamp(first, end);
        self.output_end = (to < end).then_some(to);
    }

    fn rows(&self, model: &Model) -> usize {
        self.rows_of(self.focus, model)
    }

    /// How many rows of a pane are seen.
    pub(super) fn rows_of(&self, pane: Pane, model: &Model) -> usize {
        let height = self.area_of(pane, model).map_or(0, |area| area.height);
        usize::from(height.saturating_sub(pane.head())).max(1)
    }

    fn area_of(&self, pane: Pane, model: &Model) -> Option<Rect> {
        self.screen(self.area(), model).pane(pane)
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

/// What comes `by` places after this one, around the ends.
fn beside<T: Copy + PartialEq>(all: &[T], this: T, by: isize) -> T {
    let at = all.iter().position(|item| *item == this).unwrap_or(0);
    let len = isize::try_from(all.len()).unwrap_or(1);
    let to = isize::try_from(at).unwrap_or(0).saturating_add(by);
    all[usize::try_from(to.rem_euclid(len)).unwrap_or(0)]
}
