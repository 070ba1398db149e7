//! The task table.
//!
//! ```text
//! ━ 4 Tasks  3 live  5 spawned  by busy ▼ ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  STATE       NAME           BUSY    READY  POLLS LAST 2.00 s WAITS FOR
//! ▸○ waiting   main         123 µs  12.0 µs      3 ▁·········· gather 1/3
//!  z sleeping  A           1.20 ms        –      2  ▁········· sleep 1.20 s · gather.rs:42
//! ```
//!
//! In the order in which they get room: state, name, what it waits for, busy, history,
//! ready (scheduling delay), polls, longest poll, total, kind, idle, wakes.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View, ViewState,
    chosen::Column,
    columns::{self, Step, step, whole},
    fmt,
    layout::Pane,
    lists::Sort,
    pane,
    pen::Pen,
    text,
    widget::{Cell, Strip},
};
use crate::{
    frame::TargetKind,
    model::{Phase, State, Task, history, lint::Lints},
};

pub struct Tasks<'a>(pub(super) View<'a>);

const GROWTH: &[Step] = &[
    step(Column::State as usize, 1),
    step(Column::Name as usize, 10),
    step(Column::Waits as usize, 14),
    step(Column::Busy as usize, fmt::DURATION),
    whole(Column::State as usize, 11),
    step(Column::History as usize, 11),
    step(Column::Ready as usize, fmt::DURATION),
    step(Column::Polls as usize, fmt::COUNT),
    step(Column::Waits as usize, 20),
    step(Column::Longest as usize, fmt::DURATION + 1),
    step(Column::Total as usize, fmt::DURATION),
    step(Column::Name as usize, 20),
    step(Column::Waits as usize, 24),
    step(Column::Kind as usize, 8),
    step(Column::Idle as usize, fmt::DURATION),
    step(Column::Wakes as usize, fmt::COUNT),
    step(Column::Waits as usize, 28),
    step(Column::History as usize, 20),
    step(Column::Name as usize, 24),
    step(Column::Waits as usize, 40),
    step(Column::History as usize, 60),
    step(Column::Waits as usize, 60),
];

/// The columns that a person has chosen and that have room, from left to right, and the cells
/// of each.
type Laid = Vec<(Column, usize)>;

fn lay(state: &ViewState, area: Rect) -> Laid {
    let columns = &state.columns;
    let chosen = |step: &Step| columns.shown().any(|c| c as usize == step.column);
    let mark = if state.marks.is_empty() { 0 } else { 2 };
    let longest = state.lists.longest_name + mark;
    let mut steps = columns::fitted(GROWTH, Column::Name as usize, longest);
    steps.retain(chosen);
    let room = usize::from(area.width.saturating_sub(1));
    let widths = columns::widths(&steps, Column::ALL.len(), room);
    let wide = |column| (column, widths[column as usize]);
    columns
        .shown()
        .map(wide)
        .filter(|(_, width)| *width > 0)
        .collect()
}

/// The column whose title is at a place of the line of titles.
pub fn column_at(state: &ViewState, area: Rect, x: u16) -> Option<Column> {
    let mut from = usize::from(area.x) + 1;
    lay(state, area).into_iter().find_map(|(column, width)| {
        let to = from + width;
        let found = (from..to).contains(&usize::from(x)).then_some(column);
        from = to + 1;
        found
    })
}

impl Widget for &Tasks<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let laid = lay(view.state, area);
        let area = pane::heading(view, Pane::Tasks, &self.facts(&laid), area, buf);
        let ids = &view.state.lists.tasks;
        if ids.is_empty() {
            pane::empty(view, Pane::Tasks, &self.empty(), area, buf);
            return;
        }
        self.titles(&laid, area, buf);
        let area = pane::below(area);
        let cursor = &view.state.tasks;
        pane::rows(view, Pane::Tasks, ids, cursor, area, buf, |id, pen| {
            self.row(view.model.tasks.get(*id)?, &laid, pen);
            Some(())
        });
    }
}

impl Tasks<'_> {
    fn facts(&self, laid: &Laid) -> Vec<(String, Style)> {
        let view = self.0;
        let mut facts = counts(view);
        if let Some(task) = view.state.followed {
            facts.push((
                format!("follows {}", view.label_of(task)),
                view.theme.focus(),
            ));
        }
        let sort = view.state.sort;
        let shown = laid
            .iter()
            .any(|(column, _)| column.sort() == Some(sort.by));
        if !shown && sort != Sort::default() {
            let words = format!("by {} {}", sort.by.word(), self.sort_mark());
            facts.push((words, view.theme.dim()));
        }
        facts
    }

    fn sort_mark(&self) -> &'static str {
        if self.0.state.sort.is_ascending() {
            self.0.glyphs.ascending
        } else {
            self.0.glyphs.descending
        }
    }

    fn empty(&self) -> Vec<&'static str> {
        let view = self.0;
        match view.model.phase {
            Phase::Connecting { waited: Some(_) } => {
                let mut lines = how_to_be_seen("The program does not answer.");
                if view.model.target.kind == TargetKind::Attached {
                    lines.push("Does it run, and does it listen at this address?");
                }
                lines
            }
            Phase::Ended(_) if view.model.instrument().is_none() => {
                how_to_be_seen("Nothing was seen of the program.")
            }
            Phase::Connecting { waited: None } => vec!["", "Waiting for the program to answer."],
            _ if view.state.lists.hidden > 0 => {
                vec!["", "All tasks have finished and are hidden: f shows them."]
            }
            Phase::Live => vec!["", "No tasks yet: the program has not spawned any."],
            Phase::Disconnected { .. } | Phase::Ended(_) => vec!["", "No tasks were seen."],
        }
    }

    fn titles(&self, laid: &Laid, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let mut pen = Pen::new(area, 0, buf);
        pen.skip(1);
        for (column, width) in laid {
            let sorted = column.sort() == Some(view.state.sort.by);
            let mark = if sorted { self.sort_mark() } else { "" };
            let title = column.title();
            let title = match column {
                Column::History => {
                    let length = view.duration(view.state.cell() * *width as u32);
                    format!("{title} {length}")
                }
                // A lone shape needs no title.
                Column::State if *width < 5 => mark.to_owned(),
                _ => format!("{title}{mark}"),
            };
            let style = if sorted {
                view.theme.focus()
            } else {
                view.theme.label()
            };
            columns::put(
                &mut pen,
                &title,
                *width,
                column.align(),
                (style, view.glyphs),
            );
        }
    }

    fn row(&self, task: &Task, laid: &Laid, pen: &mut Pen<'_>) {
        let state = self.0.model.state(task);
        for (column, width) in laid {
            self.cell(*column, task, state, *width, pen);
            pen.skip(1);
        }
    }

    fn cell(&self, column: Column, task: &Task, state: State, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        match column {
            Column::State => {
                let word = if width < 3 {
                    view.glyphs.state(state).to_owned()
                } else {
                    view.glyphs.state_words(state)
                };
                pen.put(
                    &text::pad(&word, width.max(1), view.glyphs),
                    view.theme.state(state),
                );
            }
            Column::History => {
                let (area, buf) = pen.cells(width);
                history(view, task, area, buf);
            }
            Column::Waits => self.waits(task, width, pen),
            Column::Name => {
                let usual = if task.is_done() {
                    view.theme.dim()
                } else {
                    view.theme.strong()
                };
                let name = text::fit(&view.label(task), width, view.glyphs);
                let room = width - text::width(&name);
                let origin = text::pad(&view.origin(task, room), room, view.glyphs);
                pen.put(&name, view.name_style(task.id, usual))
                    .put(&origin, view.theme.dim());
            }
            _ => {
                let (figure, style) = self.figure(column, task);
                let unknown = figure == view.glyphs.dash;
                let style = if unknown || task.is_done() {
                    view.theme.dim()
                } else {
                    style
                };
                pen.put(&column.align().pad(&figure, width, view.glyphs), style);
            }
        }
    }

    fn figure(&self, column: Column, task: &Task) -> (String, Style) {
        let view = self.0;
        let (now, theme) = (view.model.now, view.theme);
        match column {
            Column::Kind => (view.clean(task.kind.as_str()), theme.dim()),
            Column::Total => (view.duration(task.total(now)), theme.text()),
            Column::Busy => (view.duration(task.busy(now)), theme.text()),
            Column::Ready => (view.known(task.ready(now)), theme.text()),
            Column::Idle => (view.duration(task.idle(now)), theme.text()),
            Column::Polls => (fmt::count(task.polls()), theme.text()),
            Column::Wakes if !task.wakes_seen() => (view.glyphs.dash.to_owned(), theme.dim()),
            Column::Wakes => (fmt::count(task.wakes), theme.text()),
            Column::Longest => {
                let (longest, _) = task.longest_poll(now);
                let is_long = task.kind.is_async() && longest >= Lints::BLOCKED;
                let blocks = is_long && !view.model.tasks.blocks_in_place(task.id);
                let style = if blocks { theme.bad() } else { theme.text() };
                (view.longest(task), style)
            }
            Column::State | Column::Name | Column::History | Column::Waits => {
                (String::new(), theme.text())
            }
        }
    }

    fn waits(&self, task: &Task, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        let reason = view.reason(task);
        let [what, rest] = reason.within(width, view.glyphs);
        pen.put(&what, reason.style).put(&rest, view.theme.dim());
    }
}

/// How many tasks there are, for a heading.
pub fn counts(view: View<'_>) -> Vec<(String, Style)> {
    let lists = &view.state.lists;
    let dim = view.theme.dim();
    let mut facts = vec![
        (format!("{} live", lists.live), view.theme.text()),
        (format!("{} spawned", lists.spawned), dim),
    ];
    if lists.hidden > 0 {
        facts.push((format!("{} finished hidden", lists.hidden), dim));
    }
    facts
}

/// What to do about a program that opens no endpoint; in lines that fit the narrowest screen,
/// but for the last, which says nothing new.
fn how_to_be_seen(problem: &'static str) -> Vec<&'static str> {
    vec![
        "",
        problem,
        "To be seen, its main must begin with",
        "    loopview_probe::init();",
        "or  console_subscriber::init();",
        "in a build with --cfg tokio_unstable:",
        "    RUSTFLAGS=\"--cfg tokio_unstable\" cargo build",
    ]
}

/// A task's last moments, blank before it was spawned and after it ended.
pub fn history(view: View<'_>, task: &Task, area: Rect, buf: &mut Buffer) {
    let (now, width, count) = (view.model.now, view.state.cell(), usize::from(area.width));
    let shares = task.history.cells(now, count, width);
    let cells: Vec<Cell> = shares
        .iter()
        .enumerate()
        .map(|(i, share)| {
            let start = history::Strip::cell_start(now, count - 1 - i, width);
            let lived = start + width > task.created && task.dropped.is_none_or(|end| start <= end);
            if lived {
                Cell::Spent {
                    busy: share.busy,
                    ready: share.ready,
                }
            } else {
                Cell::Blank
            }
        })
        .collect();
    let strip = Strip {
        cells: &cells,
        busy: view.theme.busy(),
        ready: view.theme.ready(),
        rest: view.theme.line(),
        glyphs: view.glyphs,
    };
    strip.render(area, buf);
}
