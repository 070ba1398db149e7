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
//! ready (scheduling delay), polls, longest poll, total, kind, idle.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step, whole},
    fmt, glyphs,
    layout::Pane,
    lists::SortBy,
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

/// What a column shows; in the order in which they stand.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Of {
    State,
    Name,
    Kind,
    Total,
    Busy,
    Ready,
    Idle,
    Polls,
    Longest,
    History,
    Waits,
}

struct Column {
    of: Of,
    title: &'static str,
    align: Align,
    /// A history cannot be sorted by.
    sort: Option<SortBy>,
}

const fn column(of: Of, title: &'static str, align: Align, sort: Option<SortBy>) -> Column {
    Column {
        of,
        title,
        align,
        sort,
    }
}

const COLUMNS: [Column; 11] = [
    column(Of::State, "STATE", Align::Left, Some(SortBy::State)),
    column(Of::Name, "NAME", Align::Left, Some(SortBy::Name)),
    column(Of::Kind, "KIND", Align::Left, Some(SortBy::Kind)),
    column(Of::Total, "TOTAL", Align::Right, Some(SortBy::Total)),
    column(Of::Busy, "BUSY", Align::Right, Some(SortBy::Busy)),
    column(Of::Ready, "READY", Align::Right, Some(SortBy::Ready)),
    column(Of::Idle, "IDLE", Align::Right, Some(SortBy::Idle)),
    column(Of::Polls, "POLLS", Align::Right, Some(SortBy::Polls)),
    column(Of::Longest, "LONGEST", Align::Right, Some(SortBy::Longest)),
    column(Of::History, "", Align::Left, None),
    column(Of::Waits, "WAITS FOR", Align::Left, Some(SortBy::Waits)),
];

const GROWTH: &[Step] = &[
    step(Of::State as usize, 1),
    step(Of::Name as usize, 10),
    step(Of::Waits as usize, 14),
    step(Of::Busy as usize, fmt::DURATION),
    whole(Of::State as usize, 11),
    step(Of::History as usize, 11),
    step(Of::Ready as usize, fmt::DURATION),
    step(Of::Polls as usize, fmt::COUNT),
    step(Of::Waits as usize, 20),
    step(Of::Longest as usize, fmt::DURATION + 1),
    step(Of::Total as usize, fmt::DURATION),
    step(Of::Name as usize, 12),
    step(Of::Kind as usize, 8),
    step(Of::Waits as usize, 24),
    step(Of::Idle as usize, fmt::DURATION),
    step(Of::Name as usize, 14),
    step(Of::Waits as usize, 28),
    step(Of::History as usize, 20),
    step(Of::Name as usize, 24),
    step(Of::Waits as usize, 40),
    step(Of::History as usize, 60),
    step(Of::Waits as usize, 60),
];

impl Widget for &Tasks<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let widths = columns::widths(
            GROWTH,
            COLUMNS.len(),
            usize::from(area.width.saturating_sub(1)),
        );
        let area = pane::heading(view, Pane::Tasks, &self.facts(&widths), area, buf);
        let ids = &view.state.lists.tasks;
        if ids.is_empty() {
            pane::say(view, &self.empty(), area, buf);
            return;
        }
        self.titles(&widths, area, buf);
        let area = pane::below_titles(area);
        let rows = usize::from(area.height);
        let cursor = &view.state.tasks;
        let visible = ids.iter().enumerate().skip(cursor.top(rows));
        for (row, (at, id)) in (0..area.height).zip(visible) {
            if let Some(task) = view.model.tasks.get(*id) {
                let line = pane::line(area, row);
                self.row(task, &widths, line, buf);
                pane::mark(view, Pane::Tasks, at == cursor.row(), line, buf);
            }
        }
    }
}

impl Tasks<'_> {
    fn facts(&self, widths: &[usize]) -> Vec<(String, Style)> {
        let view = self.0;
        let lists = &view.state.lists;
        let dim = view.theme.dim();
        let mut facts = vec![
            (format!("{} live", lists.live), view.theme.text()),
            (format!("{} spawned", lists.spawned), dim),
        ];
        if lists.hidden > 0 {
            facts.push((format!("{} finished hidden", lists.hidden), dim));
        }
        let sort = view.state.sort;
        let shown = COLUMNS
            .iter()
            .zip(widths)
            .any(|(column, width)| column.sort == Some(sort.by) && *width > 0);
        if !shown && sort != super::lists::Sort::default() {
            facts.push((format!("by {} {}", sort.by.word(), self.sort_mark()), dim));
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

    fn titles(&self, widths: &[usize], area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let mut pen = Pen::new(area, 0, buf);
        pen.skip(1);
        for (column, width) in COLUMNS.iter().zip(widths).filter(|(_, w)| **w > 0) {
            let sorted = column.sort == Some(view.state.sort.by);
            let mark = if sorted { self.sort_mark() } else { "" };
            let title = match column.of {
                Of::History => format!("LAST {}", view.duration(view.state.cell() * *width as u32)),
                // A lone shape needs no title.
                Of::State if *width < 5 => mark.to_owned(),
                _ => format!("{}{mark}", column.title),
            };
            let style = if sorted {
                view.theme.focus()
            } else {
                view.theme.label()
            };
            columns::put(&mut pen, &title, *width, column.align, (style, view.glyphs));
        }
    }

    fn row(&self, task: &Task, widths: &[usize], line: Rect, buf: &mut Buffer) {
        let state = self.0.model.state(task);
        let mut pen = Pen::new(line, 0, buf);
        pen.skip(1);
        for (column, width) in COLUMNS.iter().zip(widths).filter(|(_, w)| **w > 0) {
            self.cell(column, task, state, *width, &mut pen);
            pen.skip(1);
        }
    }

    fn cell(&self, column: &Column, task: &Task, state: State, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        match column.of {
            Of::State => {
                let shape = view.glyphs.state(state);
                let word = if width < 3 {
                    shape.to_owned()
                } else {
                    format!("{shape} {}", glyphs::state_word(state))
                };
                pen.put(
                    &text::pad(&word, width.max(1), view.glyphs),
                    view.theme.state(state),
                );
            }
            Of::History => {
                let (area, buf) = pen.cells(width);
                history(view, task, area, buf);
            }
            Of::Waits => self.waits(task, width, pen),
            _ => {
                let (figure, style) = self.figure(column.of, task);
                let unknown = figure == view.glyphs.dash;
                let style = if unknown || task.is_done() {
                    view.theme.dim()
                } else {
                    style
                };
                pen.put(&column.align.pad(&figure, width, view.glyphs), style);
            }
        }
    }

    fn figure(&self, of: Of, task: &Task) -> (String, Style) {
        let view = self.0;
        let (now, theme) = (view.model.now, view.theme);
        match of {
            Of::Name => (view.label(task), theme.strong()),
            Of::Kind => (view.clean(task.kind.as_str()), theme.dim()),
            Of::Total => (view.duration(task.total(now)), theme.text()),
            Of::Busy => (view.duration(task.busy(now)), theme.text()),
            Of::Ready => (view.known(task.ready(now)), theme.text()),
            Of::Idle => (view.duration(task.idle(now)), theme.text()),
            Of::Polls => (fmt::count(task.polls()), theme.text()),
            Of::Longest => {
                let (longest, _) = task.longest_poll(now);
                let blocks = task.kind.is_async() && longest >= Lints::BLOCKED;
                let style = if blocks { theme.bad() } else { theme.text() };
                (view.longest(task), style)
            }
            Of::State | Of::History | Of::Waits => (String::new(), theme.text()),
        }
    }

    fn waits(&self, task: &Task, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        let reason = view.reason(task);
        let [what, rest] = reason.within(width, view.glyphs);
        pen.put(&what, reason.style).put(&rest, view.theme.dim());
    }
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
