//! The workers: the threads that poll tasks.
//!
//! ```text
//! ─ 6 Workers  2  global queue 0 ─────────────────────────────────────
//!  #   BUSY           POLLS  QUEUE  PARKS STEALS RUNS NOW
//!  0   ██████▌╌╌  62 %   1203      0    340     12 ticker
//! ```
//!
//! Only the probe tells of them. Where there are several runtimes, `2.0` is worker 0 of the
//! second.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step},
    fmt,
    layout::Pane,
    pane::{self, Table},
    pen::Pen,
    text,
    widget::Bar,
};
use crate::model::{
    Thread, Worker, WorkerId,
    timeline::{Doing, Grid},
};

pub struct Workers<'a>(pub(super) View<'a>);

const NUMBER: usize = 0;
const BUSY: usize = 1;
const POLLS: usize = 2;
const QUEUE: usize = 3;
const PARKS: usize = 4;
const STEALS: usize = 5;
const NOW: usize = 6;
const TITLES: [&str; 7] = ["#", "BUSY", "POLLS", "QUEUE", "PARKS", "STEALS", "RUNS NOW"];

const GROWTH: &[Step] = &[
    step(NUMBER, 3),
    step(BUSY, fmt::PERCENT + 4),
    step(NOW, 8),
    step(POLLS, fmt::COUNT),
    step(QUEUE, 5),
    step(PARKS, fmt::COUNT),
    step(STEALS, fmt::COUNT),
    step(NOW, 12),
    step(BUSY, fmt::PERCENT + 12),
    step(NOW, 20),
    step(BUSY, fmt::PERCENT + 24),
    step(NOW, 40),
];

impl Widget for &Workers<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let model = view.model;
        let several = model.runtimes.iter().nth(1).is_some();
        let name = |id: WorkerId| {
            if several {
                format!("{}.{}", id.runtime, id.index)
            } else {
                id.index.to_string()
            }
        };
        let workers = &view.state.lists.workers;
        let facts = self.facts(workers.len(), area.width);
        let area = pane::heading(view, Pane::Workers, &facts, area, buf);
        if workers.is_empty() {
            pane::say(view, self.empty(), area, buf);
            return;
        }
        let table = Table {
            pane: Pane::Workers,
            titles: &TITLES,
            growth: GROWTH,
            align,
            indent: 1,
        };
        let cursor = &view.state.workers;
        pane::table(
            view,
            table,
            workers,
            cursor,
            area,
            buf,
            |id, widths, pen| {
                self.row(&name(*id), model.runtimes.worker(*id)?, widths, pen);
                Some(())
            },
        );
    }
}

fn align(column: usize) -> Align {
    match column {
        NUMBER | BUSY | NOW => Align::Left,
        _ => Align::Right,
    }
}

impl Workers<'_> {
    fn facts(&self, told: usize, room: u16) -> Vec<(String, Style)> {
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let count = if told > 0 {
            told
        } else {
            model.tasks.workers()
        };
        let mut facts = Vec::new();
        if count > 0 {
            facts.push((count.to_string(), theme.text()));
        }
        if told > 0 {
            let queue = model.runtimes.total(|r| r.global_queue);
            facts.push((format!("global queue {}", fmt::count(queue)), theme.dim()));
        }
        // The rest of the heading takes about 35 cells.
        if let Some(probe) = model.usage.probe.filter(|_| room >= 50) {
            facts.push((format!("probe {}", fmt::bytes(probe.memory)), theme.dim()));
        }
        facts
    }

    fn empty(&self) -> &'static [&'static str] {
        let model = self.0.model;
        if model.process.is_some() {
            &["The program has no runtime."]
        } else if model.instrument().is_none() {
            &["Nothing known yet."]
        } else {
            &[
                "Only loopview-probe tells of workers:",
                "loopview_probe::init();",
            ]
        }
    }

    fn row(&self, number: &str, worker: &Worker, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        let thread = worker.thread.and_then(|id| view.model.threads.get(id));
        for (column, width) in columns::shown(widths) {
            let figure = match column {
                BUSY => {
                    self.busy(self.share(worker, thread), width, pen);
                    pen.skip(1);
                    continue;
                }
                NUMBER => number.to_owned(),
                POLLS => fmt::count(worker.polls),
                QUEUE => fmt::count(worker.local_queue),
                PARKS => fmt::count(worker.parks),
                STEALS => fmt::count(worker.steals),
                _ => self.runs_now(thread),
            };
            let nothing = figure == "0" || figure == view.glyphs.dash;
            let style = if nothing && column != NUMBER {
                theme.dim()
            } else {
                theme.text()
            };
            columns::put(pen, &figure, width, align(column), (style, view.glyphs));
        }
    }

    fn runs_now(&self, thread: Option<&Thread>) -> String {
        let view = self.0;
        let task = thread.and_then(|t| t.task);
        let task = task.and_then(|id| view.model.tasks.by_tokio_id(id));
        task.map_or_else(|| view.glyphs.dash.to_owned(), |task| view.label(task))
    }

    /// The share of the last second. tokio tells of it when the worker parks, and one that is
    /// never done does not: what it has polled is told as it happens.
    fn share(&self, worker: &Worker, thread: Option<&Thread>) -> f64 {
        const SECOND: Duration = Duration::from_secs(1);
        let model = self.0.model;
        let now = model.now;
        let grid = Grid::new(now - SECOND, SECOND, 1);
        let cells = thread.and_then(|thread| model.timeline.thread(thread.id, &grid, now));
        let polled = cells.iter().flatten().map(|c| c.spent.time(Doing::Running));
        let polled = polled.sum::<Duration>().as_secs_f64();
        worker.busy_ratio.max(polled.min(1.0))
    }

    fn busy(&self, share: f64, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        let (area, buf) = pen.cells(width.saturating_sub(fmt::PERCENT));
        let bar = Bar {
            share,
            full: view.theme.busy(),
            groove: view.theme.line(),
            glyphs: view.glyphs,
        };
        bar.render(area, buf);
        let percent = text::pad_left(&fmt::percent(share), fmt::PERCENT, view.glyphs);
        pen.put(&percent, view.theme.text());
    }
}
