//! What the person has chosen to see. It knows no terminal, no colour and no key.

use std::time::Duration;

use ratatui::layout::Rect;

use super::{
    cursor::Cursor,
    lateness::Histogram,
    layout::{Pane, Screen, Wish},
    lesson::{Lesson, Place, Reading},
    lists::{Call, CallId, Lists, Sort},
    moment::{Moment, Travel},
    resources::ResourcesState,
    source::{SourceState, Text},
    tab::Tab,
    theme::ColorLevel,
    timeline,
    tree::TreeState,
};
use crate::{
    frame::Time,
    keymap::{Action, Context},
    model::{
        Model, Phase, TaskId, TimerId, WorkerId, expired::Expired, lint::FindingId, tree::Node,
    },
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
    Travel(Travel),
    Record,
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
    /// Something to say beside what the model says.
    pub notice: Option<String>,
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
            moment: Moment::default(),
            recording: false,
            notice: None,
            options,
            tab: Tab::Overview,
            focus: Pane::Tasks,
            zoomed: false,
            details: None,
            overlay: None,
            lesson: None,
            reading: None,
            sort: Sort::default(),
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
            cell: 2,
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
        if self.overlay.is_some() || (self.reading.is_some() && !self.has_column()) {
            Context::Overlay
        } else {
            self.context_below()
        }
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
        self.lists = Lists::new(model, self.sort, self.show_done);
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
            self.tree.sync(model, self.show_done, rows);
        }
        if self.tab == Tab::Timers {
            self.lateness = Histogram::new(model);
            self.expired = Expired::new(model);
        }
        if self.tab == Tab::Resources {
            let rows = [Pane::Resources, Pane::Waiters].map(|pane| self.rows_of(pane, model));
            self.resources.sync(model, rows);
        }
        if self.tab == Tab::Source {
            let rows = self.rows_of(Pane::Source, model);
            let first = self.lists.tasks.first().copied();
            self.source.sync(model, self.tasks.chosen().or(first), rows);
        }
        if self.tab == Tab::Timeline {
            let size = self.timeline_size(model);
            self.timeline.sync(model, self.show_done, size);
        }
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

    /// Does what a key asked for, and tells what others must do.
    pub fn act(&mut self, action: Action, model: &Model) -> Option<Effect> {
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::RunAgain => return Some(Effect::RunAgain),
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
            Action::Enter => self.open(model),
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
            Action::Fold if self.sees_timeline() => {
                let (_, height) = self.timeline_size(model);
                self.timeline.fold(model, self.show_done, height);
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
        } else if self.focus != first {
            self.focus = first;
        } else if self.tab == Tab::Timeline && !self.timeline.is_at_rest() {
            self.timeline.toggle_live(model);
        } else {
            self.show_tab(Tab::Overview, model);
            self.output_end = None;
        }
    }

    fn show_tab(&mut self, tab: Tab, model: &Model) {
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
    fn look_up(&mut self) {
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

    /// Opens the task of the row that the cursor is on.
    fn open(&mut self, model: &Model) {
        let lists = &self.lists;
        let task = match self.focus {
            Pane::Tree => match self.tree.at() {
                Some(Node::Task(task)) => Some(task),
                Some(Node::Scope(_)) => return self.fold(model, TreeState::fold),
                None => None,
            },
            Pane::Tasks => lists.tasks.get(self.tasks.row()).copied(),
            Pane::Timeline => self.timeline.task(),
            Pane::Timers => {
                let timer = lists.timers.get(self.timers.row());
                timer.and_then(|id| model.timers.get(*id)?.task)
            }
            Pane::Blocking => {
                let call = lists.calls.get(self.calls.row());
                call.and_then(Call::task)
            }
            Pane::Workers => {
                let worker = lists.workers.get(self.workers.row());
                worker.and_then(|id| model.polled_by(*id)).map(|t| t.id)
            }
            Pane::Resources => {
                self.focus = Pane::Waiters;
                return;
            }
            Pane::Waiters => self.resources.task(),
            Pane::Source => self.source.task(),
            Pane::Lints | Pane::Explained => {
                let finding = self.marked_lint().and_then(|id| model.lints.get(id));
                finding.and_then(|finding| finding.task)
            }
            Pane::Lateness | Pane::Output => None,
        };
        if let Some(task) = task {
            self.details = Some(Open { task, scroll: 0 });
        }
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

    /// A new order is looked at from its beginning.
    fn reorder(&mut self, model: &Model) {
        self.lists = Lists::new(model, self.sort, self.show_done);
        self.tasks.reset();
    }

    /// Moves what the context says by so many lines.
    fn step(&mut self, by: isize, model: &Model) {
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
                Pane::Explained => {
                    let to = self.explained.saturating_add_signed(by);
                    self.explained = to.min(Self::MAX_SCROLL);
                }
                Pane::Output => self.scroll_output(by, model),
            }
        }
    }

    /// Overlays and details are never longer.
    const MAX_SCROLL: usize = 200;

    fn read(&mut self, by: isize, model: &Model) {
        let (width, height) = self.size;
        let place = Self::place(&self.screen(Rect::new(0, 0, width, height), model));
        if let (Some(reading), Some(page)) = (&mut self.reading, self.lesson) {
            reading.step(by, page, place);
        }
    }

    fn scroll_output(&mut self, by: isize, model: &Model) {
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
    fn rows_of(&self, pane: Pane, model: &Model) -> usize {
        let height = self.area_of(pane, model).map_or(0, |area| area.height);
        usize::from(height.saturating_sub(pane.head())).max(1)
    }

    fn area_of(&self, pane: Pane, model: &Model) -> Option<Rect> {
        let (width, height) = self.size;
        let screen = self.screen(Rect::new(0, 0, width, height), model);
        screen.pane(pane)
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
