//! The blocking pool: what its threads run, what waits for one, and what has run.
//!
//! ```text
//! ─ 6 Blocking  1 running  1 queued  2 threads ──────────────────
//!   CALL           THREAD              QUEUED      RUN AT
//!  ▶ resize        tokio-rt-worker 3  12.0 µs   1.20 s main.rs:12
//!  ◆ resize        –                   300 ms        –
//!  · idle          tokio-rt-worker 2        –        –
//!  ✔ hash          –                  1.02 ms   300 ms
//! ```

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step},
    fmt,
    layout::Pane,
    lists::Call,
    pane::{self, Table},
};
use crate::model::{State, Task};

pub struct Blocking<'a>(pub(super) View<'a>);

const SHAPE: usize = 0;
const CALL: usize = 1;
const THREAD: usize = 2;
const QUEUED: usize = 3;
const RUN: usize = 4;
const AT: usize = 5;
const TITLES: [&str; 6] = ["", "CALL", "THREAD", "QUEUED", "RUN", "AT"];

const GROWTH: &[Step] = &[
    step(SHAPE, 1),
    step(CALL, 8),
    step(RUN, fmt::DURATION),
    step(QUEUED, fmt::DURATION),
    step(CALL, 14),
    step(THREAD, 12),
    step(AT, 14),
    step(THREAD, 18),
    step(AT, 20),
    step(CALL, 40),
];

/// A row's words and figures, one for each column.
type Row = (&'static str, Style, [String; 5]);

impl Widget for &Blocking<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let area = pane::heading(view, Pane::Blocking, &self.facts(), area, buf);
        let calls = &view.state.lists.calls;
        if calls.is_empty() {
            let lines = [
                "No blocking calls. Those made with",
                "spawn_blocking or to_thread are here.",
            ];
            pane::empty(view, Pane::Blocking, &lines, area, buf);
            return;
        }
        let table = Table {
            pane: Pane::Blocking,
            titles: &TITLES,
            growth: GROWTH,
            align,
            indent: 1,
        };
        let cursor = &view.state.calls;
        pane::table(
            view,
            table,
            calls,
            cursor,
            area,
            buf,
            |call, widths, pen| {
                let (shape, style, words) = self.row(*call, widths[THREAD])?;
                let [name, thread, queued, run, at] = words;
                let text = if matches!(call, Call::Running { .. } | Call::Queued(_)) {
                    view.theme.text()
                } else {
                    view.theme.dim()
                };
                let styles = [style, text, view.theme.dim(), text, text, view.theme.dim()];
                let words = [shape.to_owned(), name, thread, queued, run, at];
                for (column, width) in columns::shown(widths) {
                    let look = (styles[column], view.glyphs);
                    columns::put(pen, &words[column], width, align(column), look);
                }
                Some(())
            },
        );
    }
}

fn align(column: usize) -> Align {
    match column {
        QUEUED | RUN => Align::Right,
        _ => Align::Left,
    }
}

impl Blocking<'_> {
    fn facts(&self) -> Vec<(String, Style)> {
        let view = self.0;
        let lists = &view.state.lists;
        let theme = view.theme;
        let mut facts = vec![(format!("{} running", lists.running_calls), theme.text())];
        // The queue's depth is in the probe's figures even before a task names the call.
        let depth = view.model.runtimes.total(|r| r.blocking_queue);
        let queued = (lists.queued_calls as u64).max(depth);
        let style = if queued > 0 {
            theme.warning()
        } else {
            theme.dim()
        };
        facts.push((format!("{queued} queued"), style));
        let threads = view.model.runtimes.total(|r| r.blocking_threads);
        if threads > 0 {
            let plural = if threads == 1 { "" } else { "s" };
            facts.push((format!("{threads} thread{plural}"), theme.dim()));
        }
        facts
    }

    fn row(&self, call: Call, thread_width: usize) -> Option<Row> {
        let view = self.0;
        let (glyphs, theme) = (view.glyphs, view.theme);
        let dash = || glyphs.dash.to_owned();
        let thread = |id: Option<u64>| {
            let thread = id.and_then(|id| view.model.threads.get(id));
            thread.map_or_else(dash, |t| view.thread(t, thread_width))
        };
        Some(match call {
            Call::Running { task, thread: on } => {
                let task = view.model.tasks.get(task)?;
                let state = view.model.state(task);
                let words = self.words(task, thread(on));
                (glyphs.running, theme.state(state), words)
            }
            Call::Queued(task) => {
                let words = self.words(view.model.tasks.get(task)?, dash());
                (glyphs.ready, theme.state(State::Ready), words)
            }
            Call::IdleThread(id) => {
                let words = [
                    "idle".to_owned(),
                    thread(Some(id)),
                    dash(),
                    dash(),
                    String::new(),
                ];
                (glyphs.idle, theme.dim(), words)
            }
            Call::Done(task) => {
                let task = view.model.tasks.get(task)?;
                let words = self.words(task, thread(task.thread));
                (
                    glyphs.outcome(task.outcome),
                    theme.outcome(task.outcome),
                    words,
                )
            }
        })
    }

    /// Its name, its thread, how long it was in the queue, how long it ran, and its place.
    fn words(&self, task: &Task, thread: String) -> [String; 5] {
        let view = self.0;
        let began = task.first_poll.or(task.last_poll_started);
        let end = task.dropped.unwrap_or(view.model.now);
        let queued = began.unwrap_or(end).since(task.created);
        [
            view.label(task),
            thread,
            view.duration(queued),
            view.known(began.map(|began| end.since(began))),
            view.location(task.location.as_ref()).unwrap_or_default(),
        ]
    }
}
