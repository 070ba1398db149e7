//! The timeline: a lane for each task, scope and thread, and what it did over time.
//!
//! ```text
//! ━ 2 Timeline  50.0 ms a cell  ● follows  every poll is exact ━━━━━━━━━━━━━━━━━━━━━━━━━━
//!                      ┬0.0 s───────────────┬1.0 s───────────────┬2.0 s─────
//!   loop               ▁▁▁▁▁▁▁▁▁▁▁▁▓▓▓▓▓▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
//! ▸○ main              ▁┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▁┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
//!      gather 1/2      ╞══════════════════════════════════════
//!     z A              ▁───────────────────────────────────────  ◇
//!     ✔ B              ▁───────────────────▁
//!   main 1             ▁▁▁▁▁▁▁▁▁▁▁▁█████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
//!  1.234 s  A  sleeping for 1.20 s  0.003 s to 1.205 s
//!  poll 312 µs on main 1  ready 12.0 µs  ◉ woken by B  ◎ woke C
//! ```
//!
//! What it means is in the model; which stretch is seen and where the cursor is, in
//! [`window`]; what a cell shows, in [`look`].

mod deadlines;
mod jump;
mod links;
mod look;
mod readout;
mod rows;
mod window;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    widgets::Widget,
};

use self::{
    deadlines::{Deadline, deadlines},
    links::Mark,
    look::Holds,
    rows::{Row, RowId, loop_threads},
    window::start,
};
use super::{
    View,
    layout::Pane,
    pane,
    pen::Pen,
    text,
    widget::{Axis, Lane, LaneCell, LaneStyles},
};
use crate::model::{Kind, Phase, TaskId, timeline::Grid};

pub use jump::Jump;
pub use window::Window;

pub struct Timeline<'a>(pub(super) View<'a>);

/// Tasks that a folded row sums up, at most: more could not be looked through in the time of
/// a picture.
const MOST_TOGETHER: usize = 10_000;

/// Where the parts of the pane are, below its heading.
#[derive(Copy, Clone, Debug)]
pub struct Plan {
    axis: Rect,
    /// Names at the left of the lanes.
    names: u16,
    lanes: Rect,
    readout: Rect,
}

impl Plan {
    /// For the area of the pane, the heading included.
    pub fn new(area: Rect) -> Self {
        let names = (area.width / 4).clamp(10, 30).min(area.width);
        let row = |y: u16, height: u16| Rect {
            y: area.y.saturating_add(y.min(area.height)),
            height: height.min(area.height.saturating_sub(y)),
            ..area
        };
        let height = area.height.saturating_sub(Pane::Timeline.head());
        Self {
            axis: row(1, 1),
            names,
            lanes: row(2, height),
            readout: row(2 + height, 2),
        }
    }

    /// The lane at a place of the screen, counted from the first that is seen, and the cell
    /// there, if it is not on a name.
    pub fn at(&self, place: Position) -> Option<(usize, Option<usize>)> {
        if !self.lanes.contains(place) {
            return None;
        }
        let column = (place.x - self.lanes.x).checked_sub(self.names);
        Some((usize::from(place.y - self.lanes.y), column.map(usize::from)))
    }

    /// Cells in a lane, and lanes.
    pub fn size(&self) -> (usize, usize) {
        let width = self.lanes.width.saturating_sub(self.names);
        (usize::from(width), usize::from(self.lanes.height))
    }
}

impl Widget for &Timeline<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let plan = Plan::new(area);
        let body = pane::heading(view, Pane::Timeline, &self.facts(), area, buf);
        let (width, height) = plan.size();
        let grid = view.state.timeline.grid(view.model, width);
        let rows = view.state.timeline.rows.all();
        if rows.len() <= 1 && view.model.tasks.is_empty() {
            let line = match view.model.phase {
                Phase::Ended(_) => "No tasks were seen.",
                _ => "What each task does will be drawn here over time.",
            };
            pane::say(view, &["", line], body, buf);
            return;
        }
        self.axis(&grid, &plan, buf);
        let at = view.state.timeline.at.row();
        let top = view.state.timeline.at.top(height);
        let shown = rows.iter().enumerate().skip(top);
        for (row, (index, shown)) in (0..plan.lanes.height).zip(shown) {
            let line = pane::line(plan.lanes, row);
            self.row(shown, &grid, line, plan.names, buf);
            pane::mark(view, Pane::Timeline, index == at, line, buf);
        }
        self.cursor(&grid, &plan, buf);
        self.readout(plan.readout, buf);
    }
}

impl Timeline<'_> {
    fn facts(&self) -> Vec<(String, Style)> {
        let view = self.0;
        let (theme, timeline) = (view.theme, &view.model.timeline);
        let window = &view.state.timeline;
        let live = if window.follows() {
            (format!("{} follows", view.glyphs.live), theme.good())
        } else {
            let back = view.model.now.since(window.cursor_time(view.model));
            let back = if back.is_zero() {
                "at the end".to_owned()
            } else {
                format!("{} back", view.duration(back))
            };
            (
                format!("{} stays {back}", view.glyphs.paused),
                theme.warning(),
            )
        };
        let exact = match (timeline.exact_since(), &view.model.process) {
            (Some(_), _) if timeline.summed_before().is_none() => "every poll is exact".to_owned(),
            (Some(since), _) => {
                let past = view.model.now.since(since);
                format!("exact for the last {}", view.duration(past))
            }
            (None, Some(_)) => "no polls yet".to_owned(),
            (None, None) => "polls as far as the console protocol tells".to_owned(),
        };
        let mut facts = vec![
            (
                format!("{} a cell", view.duration(window.cell())),
                theme.text(),
            ),
            live,
            (exact, theme.dim()),
        ];
        if let Some(lost) = view.model.lost.polls.filter(|lost| *lost > 0) {
            facts.push((format!("{lost} polls lost"), theme.warning()));
        }
        facts
    }

    fn axis(&self, grid: &Grid, plan: &Plan, buf: &mut Buffer) {
        let view = self.0;
        let coarse = match view.model.timeline.summed_before() {
            Some(at) if at >= grid.to() => grid.count(),
            Some(at) => grid.cell_of(at).unwrap_or(0),
            None => 0,
        };
        let end = match grid.cell_of(view.model.now) {
            Some(cell) => cell + 1,
            None if view.model.now < grid.from() => 0,
            None => grid.count(),
        };
        let axis = Axis {
            from: grid.from().since(start(view.model)),
            cell: grid.cell(),
            coarse,
            end,
            rule: view.theme.line(),
            figure: view.theme.label(),
            glyphs: view.glyphs,
        };
        let area = Rect {
            x: plan.axis.x.saturating_add(plan.names),
            width: plan.axis.width.saturating_sub(plan.names),
            ..plan.axis
        };
        axis.render(area, buf);
    }

    fn row(&self, row: &Row, grid: &Grid, line: Rect, names: u16, buf: &mut Buffer) {
        let mut pen = Pen::new(line, 0, buf);
        pen.skip(1 + row.depth.min(6) * 2);
        let chart = usize::from(line.width.saturating_sub(names));
        // A shape, a gap, the name, and a gap.
        let room = pen.room().saturating_sub(chart + 3);
        if room > 0 {
            let ((shape, shape_style), name, style) = self.name(row.id, room);
            let name = if row.is_folded() {
                format!("+ {name}")
            } else {
                name
            };
            let name = text::fit(&name, room, self.0.glyphs);
            let origin = self.origin(row.id, room - text::width(&name));
            pen.put(shape, shape_style)
                .skip(1)
                .put(&name, style)
                .put(&origin, self.0.theme.dim());
        }
        pen.leave(chart);
        let (area, buf) = pen.cells(grid.count());
        let cells = self.cells(row, grid);
        self.lane(&cells, area, buf);
        self.marks(row.id, &cells, grid, area, buf);
    }

    fn origin(&self, id: RowId, room: usize) -> String {
        let task = match id {
            RowId::Task(id) => self.0.model.tasks.get(id),
            RowId::Loop | RowId::Scope(_) | RowId::Thread(_) => None,
        };
        task.map_or_else(String::new, |task| self.0.origin(task, room))
    }

    /// A shape with its style, and a name with its own.
    fn name(&self, id: RowId, room: usize) -> ((&'static str, Style), String, Style) {
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let blank = (" ", theme.text());
        match id {
            RowId::Loop => (blank, "loop".to_owned(), theme.title()),
            RowId::Task(id) => match model.tasks.get(id) {
                Some(task) => {
                    let state = model.state(task);
                    let style = if task.is_done() {
                        theme.dim()
                    } else {
                        theme.text()
                    };
                    let shape = (view.glyphs.state(state), theme.state(state));
                    (shape, view.label(task), view.name_style(id, style))
                }
                None => (blank, String::new(), theme.text()),
            },
            RowId::Scope(id) => match model.scopes.get(id) {
                Some(scope) => {
                    let ended = scope.closed.map(|_| scope.outcome);
                    let shape = ended.map(|how| (view.glyphs.outcome(how), theme.outcome(how)));
                    (shape.unwrap_or(blank), view.scope(scope), theme.dim())
                }
                None => (blank, String::new(), theme.dim()),
            },
            RowId::Thread(id) => {
                let thread = model
                    .threads
                    .get(id)
                    .map(|thread| view.thread(thread, room));
                let name = thread.unwrap_or_else(|| format!("thread {id}"));
                (blank, name, theme.dim())
            }
        }
    }

    fn cells(&self, row: &Row, grid: &Grid) -> Vec<LaneCell> {
        let model = self.0.model;
        let (timeline, now) = (&model.timeline, model.now);
        match row.id {
            RowId::Task(_) | RowId::Scope(_) if row.is_folded() => {
                let is_async = |id: &TaskId| {
                    let task = model.tasks.get(*id);
                    task.is_some_and(|task| task.kind.is_async())
                };
                let own = match row.id {
                    RowId::Task(id) => Some(id),
                    _ => None,
                };
                let hidden = self.0.state.timeline.rows.hidden_by(row);
                let tasks = own.into_iter().chain(hidden).filter(is_async);
                let cells = timeline.worst(tasks.take(MOST_TOGETHER), grid, now);
                look::looks(&cells, grid, Holds::TheLoop)
            }
            RowId::Loop => {
                let threads = loop_threads(model);
                let lanes = threads
                    .iter()
                    .filter_map(|id| timeline.thread(*id, grid, now));
                look::together(&lanes.collect::<Vec<_>>(), grid)
            }
            RowId::Thread(id) => {
                let cells = timeline.thread(id, grid, now).unwrap_or_default();
                let holds = if loop_threads(model).contains(&id) {
                    Holds::TheLoop
                } else {
                    Holds::Nobody
                };
                look::looks(&cells, grid, holds)
            }
            RowId::Scope(id) => {
                let scope = model.scopes.get(id);
                scope.map_or_else(Vec::new, |scope| look::bracket(scope, grid, now))
            }
            RowId::Task(id) => {
                let cells = timeline.task(id, grid, now).unwrap_or_default();
                let is_async = model
                    .tasks
                    .get(id)
                    .is_some_and(|t| t.kind != Kind::Blocking);
                let holds = if is_async {
                    Holds::TheLoop
                } else {
                    Holds::Nobody
                };
                look::looks(&cells, grid, holds)
            }
        }
    }

    fn lane(&self, cells: &[LaneCell], area: Rect, buf: &mut Buffer) {
        let theme = self.0.theme;
        let styles = LaneStyles {
            work: theme.busy(),
            long: theme.warning(),
            blocking: theme.bad(),
            delay: theme.ready(),
            sleep: theme.rest(),
            wait: theme.wait(),
            idle: theme.line(),
            bracket: theme.dim(),
        };
        let lane = Lane {
            cells,
            styles: &styles,
            glyphs: self.0.glyphs,
        };
        lane.render(area, buf);
    }

    /// What is laid over a lane: deadlines, what the chosen poll has to do with the task, and
    /// what was found to be wrong.
    fn marks(&self, id: RowId, cells: &[LaneCell], grid: &Grid, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let (glyphs, theme) = (view.glyphs, view.theme);
        let mut put = |cell: usize, shape: &str, style: Style| {
            let mut pen = Pen::new(area, 0, buf);
            pen.skip(cell);
            pen.put(shape, style);
        };
        match id {
            RowId::Task(id) => {
                let hides_work = |cell: usize| {
                    let below = cells.get(cell);
                    matches!(below, Some(LaneCell::Work { .. }))
                };
                for (cell, deadline) in deadlines(view.model, id, grid) {
                    let (shape, style) = self.deadline(deadline);
                    if !hides_work(cell) {
                        put(cell, shape, style);
                    }
                }
                let links = view.state.timeline.links.as_ref();
                for (cell, mark) in links.map_or_else(Vec::new, |links| links.marks(id, grid)) {
                    let shape = match mark {
                        Mark::Waker => glyphs.waker,
                        Mark::Woken => glyphs.woken,
                    };
                    put(cell, shape, theme.focus());
                }
            }
            RowId::Loop => {
                for lint in view.model.lints.iter() {
                    if let Some(cell) = grid.cell_of(lint.at) {
                        put(cell, glyphs.finding, theme.bad());
                    }
                }
            }
            RowId::Scope(_) | RowId::Thread(_) => {}
        }
    }

    fn deadline(&self, deadline: Deadline) -> (&'static str, Style) {
        let (glyphs, theme) = (self.0.glyphs, self.0.theme);
        match deadline {
            Deadline::Ahead => (glyphs.deadline, theme.rest()),
            Deadline::Missed => (glyphs.missed, theme.ready()),
            Deadline::Unused => (glyphs.unused, theme.dim()),
        }
    }

    /// The cursor's column, over everything.
    fn cursor(&self, grid: &Grid, plan: &Plan, buf: &mut Buffer) {
        let view = self.0;
        let window = &view.state.timeline;
        let columns = |cell: usize, width: usize| Rect {
            x: plan
                .lanes
                .x
                .saturating_add(plan.names)
                .saturating_add(cell as u16),
            y: plan.axis.y,
            width: width as u16,
            height: plan.axis.height + plan.lanes.height,
        };
        if let Some((from, to)) = window.chosen() {
            let from = grid.cell_of(from).unwrap_or(0);
            let to = grid.cell_of(to).unwrap_or(from);
            let stretch = columns(from, to.saturating_sub(from) + 1);
            buf.set_style(stretch.intersection(buf.area), view.theme.selected());
        }
        let Some(cell) = grid.cell_of(window.cursor_time(view.model)) else {
            return;
        };
        let column = columns(cell, 1);
        buf.set_style(column.intersection(buf.area), view.theme.selected());
        let mut pen = Pen::new(
            Rect {
                height: 1,
                ..column
            },
            0,
            buf,
        );
        pen.put(view.glyphs.descending, view.theme.focus());
    }
}
