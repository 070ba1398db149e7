//! All that is known of one task.
//!
//! ```text
//! ━ A  z sleeping  sleep 1.20 s · gather.rs:42 ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  Time           2.35 s ████▒▒················ Poll times          12  log scale
//!  █ busy        1.20 ms    5 %  in polls         p50 …  p90 …
//!  ▒ ready       12.0 µs   <1 %  …                █
//!  · idle         2.20 s   94 %  …                █   ▂▁
//!  Polls              12   mean 100 µs            █▂▁·██▁··▁
//!  …                                              1.00 µs     12.0 ms
//! ```
//!
//! Two columns where there is room for two, else one below the other. It is drawn whole
//! on a sheet, of which the part that is scrolled to is shown.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View, fmt, glyphs, pane,
    pen::Pen,
    tasks, text, timers,
    widget::{Chart, Stack, stack::Part},
    words,
};
use crate::model::{Phase, State, Task, details::Histogram};

pub struct Details<'a>(pub(super) View<'a>);

/// From this width on there are two columns.
const TWO_COLUMNS: u16 = 100;
/// Cells for the name of a figure.
const NAME: usize = 13;

impl Widget for &Details<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let Some(open) = view.state.details else {
            return;
        };
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let task = view.model.tasks.get(open.task);
        self.heading(task, &mut Pen::new(area, 0, buf));
        let below = pane::below(area);
        let Some(task) = task else {
            let line = "This task ended long ago and was forgotten. Esc goes back.";
            pane::say(view, &["", line], below, buf);
            return;
        };
        self.body(task, open.scroll, below, buf);
    }
}

impl Details<'_> {
    fn heading(&self, task: Option<&Task>, pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        pen.put(view.glyphs.heavy_rule, theme.focus()).skip(1);
        if let Some(task) = task {
            let state = view.model.state(task);
            let name = text::fit(&view.label(task), pen.room() / 2, view.glyphs);
            let reason = view.reason(task);
            pen.put(&name, theme.focus())
                .skip(2)
                .put(&view.glyphs.state_words(state), theme.state(state))
                .skip(2);
            let what = text::fit(&reason.what, pen.room().saturating_sub(2), view.glyphs);
            if !what.is_empty() {
                pen.put(&what, reason.style).skip(1);
            }
        }
        let room = pen.room();
        pen.fill(view.glyphs.heavy_rule, room, theme.focus());
    }

    fn body(&self, task: &Task, scroll: usize, area: Rect, buf: &mut Buffer) {
        let two = area.width >= TWO_COLUMNS;
        let left_width = if two {
            (area.width / 2).min(90)
        } else {
            area.width
        };
        let mut left = Sheet::new(left_width);
        let mut right = Sheet::new(if two { area.width - left_width } else { 0 });
        self.times(task, &mut left);
        self.polls(task, &mut left);
        let charts = if two { &mut right } else { &mut left };
        self.histograms(task, charts);
        self.about(task, &mut left);
        let charts = if two { &mut right } else { &mut left };
        self.timers(task, charts);

        let most = left.height.max(right.height).saturating_sub(area.height);
        let first = (scroll as u16).min(most);
        left.show(
            first,
            Rect {
                width: left_width,
                ..area
            },
            buf,
        );
        let right_area = Rect {
            x: area.x + left_width,
            width: area.width - left_width,
            ..area
        };
        right.show(first, right_area, buf);
    }

    fn times(&self, task: &Task, sheet: &mut Sheet) {
        let view = self.0;
        let (now, theme) = (view.model.now, view.theme);
        let total = task.total(now);
        let (busy, ready, idle) = (task.busy(now), task.ready(now), task.idle(now));
        let (full, delay) = (view.glyphs.levels.last(), view.glyphs.delays[1]);
        let full = full.copied().unwrap_or_default();
        let (work, rest) = (theme.busy(), theme.line());
        let shares = [
            ("busy", full, work, Some(busy), "in polls"),
            ("ready", delay, theme.ready(), ready, "woken, not polled"),
            (
                "idle",
                view.glyphs.rest,
                rest,
                Some(idle),
                "asleep or waiting",
            ),
        ];
        sheet.blank();
        {
            let mut pen = sheet.line();
            self.name("Time", &mut pen);
            self.figure(&view.duration(total), theme.strong(), &mut pen);
            let (area, buf) = pen.cells(pen.room().saturating_sub(2));
            let parts = shares.map(|(_, symbol, style, amount, _)| Part {
                amount: amount.unwrap_or_default().as_secs_f64(),
                symbol,
                style,
            });
            Stack { parts: &parts }.render(area, buf);
        }
        let share = |d: Duration| {
            let share = d.as_secs_f64() / total.as_secs_f64();
            text::pad_left(&fmt::percent(share), fmt::PERCENT, view.glyphs)
        };
        for (name, shape, style, amount, meaning) in shares {
            let mut pen = sheet.line();
            pen.skip(1).put(shape, style).skip(1);
            self.sub_name(name, &mut pen);
            self.figure(&view.known(amount), theme.text(), &mut pen);
            let share = amount.map_or_else(|| " ".repeat(fmt::PERCENT), share);
            pen.put(&share, theme.text())
                .skip(2)
                .put(meaning, theme.dim());
        }
        sheet.blank();
        let cell = view.state.cell();
        let mut pen = sheet.line();
        let count = pen.room().saturating_sub(NAME + 4).min(120);
        let title = format!("Last {}", view.duration(cell * count as u32));
        self.name(&title, &mut pen);
        pen.skip(1);
        let (area, buf) = pen.cells(count);
        tasks::history(view, task, area, buf);
    }

    fn polls(&self, task: &Task, sheet: &mut Sheet) {
        let view = self.0;
        let theme = view.theme;
        sheet.blank();
        let mut figure = |name: &str, value: String, note: String| {
            let mut pen = sheet.line();
            self.name(name, &mut pen);
            self.figure(&value, theme.text(), &mut pen);
            pen.skip(2);
            put_whole(&note, theme.dim(), &mut pen);
        };
        let polls = task.polls();
        let mean = u32::try_from(polls)
            .ok()
            .and_then(|n| task.busy(view.model.now).checked_div(n));
        figure(
            "Polls",
            fmt::count(polls),
            format!("mean {}", view.known(mean)),
        );
        figure("Longest", view.longest(task), "in one poll".to_owned());
        let wakes = fmt::count(task.wakes);
        let own = format!("{} of them by itself", fmt::count(task.self_wakes));
        let (wakes, own) = if task.wakes_seen() {
            (wakes, own)
        } else {
            let dash = view.glyphs.dash.to_owned();
            (dash, "not told of a block_on".to_owned())
        };
        figure("Wakes", wakes, own);
        figure(
            "Wakers",
            fmt::count(task.wakers()),
            format!(
                "{} cloned, {} dropped",
                fmt::count(task.waker_clones),
                fmt::count(task.waker_drops)
            ),
        );
    }

    fn histograms(&self, task: &Task, sheet: &mut Sheet) {
        let view = self.0;
        let details = view.model.details.as_ref().filter(|d| d.task == task.id);
        sheet.blank();
        let Some(details) = details else {
            let over = matches!(
                view.model.phase,
                Phase::Disconnected { .. } | Phase::Ended(_)
            );
            let (words, mark) = if over {
                ("unknown: the program has gone", "")
            } else {
                ("waiting for the histogram", view.glyphs.ellipsis)
            };
            let mut pen = sheet.line();
            self.name("Poll times", &mut pen);
            pen.skip(1)
                .put(words, view.theme.dim())
                .put(mark, view.theme.dim());
            return;
        };
        // The span is entered when the future is dropped, too, and the histogram counts that.
        let dropped = task.is_done() && details.polls.count() == task.polls() + 1;
        let note = if dropped {
            "log scale, one is a drop"
        } else {
            "log scale"
        };
        self.histogram(
            ("Poll times", note),
            &details.polls,
            view.theme.busy(),
            sheet,
        );
        if let Some(scheduled) = &details.scheduled {
            sheet.blank();
            let delays = ("Delays", "wake to poll, log scale");
            self.histogram(delays, scheduled, view.theme.ready(), sheet);
        }
    }

    fn histogram(
        &self,
        (title, note): (&str, &str),
        histogram: &Histogram,
        bar: Style,
        sheet: &mut Sheet,
    ) {
        let view = self.0;
        let theme = view.theme;
        {
            let mut pen = sheet.line();
            self.name(title, &mut pen);
            let count = fmt::count(histogram.count());
            self.figure(&count, theme.text(), &mut pen);
            pen.skip(2);
            put_whole(note, theme.dim(), &mut pen);
        }
        if histogram.count() == 0 {
            return;
        }
        let (min, max) = histogram.range();
        let (least, most) = (view.duration(min), view.duration(max));
        let mut pen = sheet.line();
        pen.skip(2);
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)] {
            let value = view.duration(histogram.at(quantile));
            if name.len() + 1 + text::width(&value) > pen.room() {
                break;
            }
            pen.put(name, theme.label())
                .skip(1)
                .put(&value, theme.text())
                .skip(2);
        }
        // It is at the end of the scale, too.
        if "max ".len() + text::width(&most) <= pen.room() {
            pen.put("max ", theme.label()).put(&most, theme.text());
        }
        let area = sheet.rows(5);
        let column = 2;
        let counts =
            histogram.log_buckets(usize::from(area.width.saturating_sub(4)).min(48) / column);
        let width = counts.len() * column;
        let inner = Rect {
            x: area.x + 2,
            width: width as u16,
            ..area
        };
        let chart = Chart {
            counts: &counts,
            column,
            bar,
            floor: theme.line(),
            glyphs: view.glyphs,
        };
        chart.render(inner, &mut sheet.buf);
        let most = text::pad_left(
            &most,
            width.saturating_sub(text::width(&least)),
            view.glyphs,
        );
        sheet
            .line()
            .skip(2)
            .put(&least, theme.dim())
            .put(&most, theme.dim());
        if histogram.outliers > 0 {
            let mut pen = sheet.line();
            let words = format!(
                "{} more than the scale holds",
                fmt::count(histogram.outliers)
            );
            pen.skip(2).put(&words, theme.warning());
        }
    }

    /// What it is, where it comes from, how it ended.
    fn about(&self, task: &Task, sheet: &mut Sheet) {
        /// More fields than this are a count.
        const FIELDS: usize = 30;
        let view = self.0;
        let model = view.model;
        let theme = view.theme;
        sheet.blank();
        let mut fact = |name: &str, value: &str, style: Style| {
            let mut pen = sheet.line();
            self.name(name, &mut pen);
            pen.skip(1);
            let value = text::fit(value, pen.room().saturating_sub(1), view.glyphs);
            pen.put(&value, style);
        };
        let id = task
            .tokio_id
            .map_or_else(String::new, |id| format!(", tokio's task {id}"));
        fact("Kind", &format!("{}{id}", task.kind.as_str()), theme.text());
        let state = model.state(task);
        if let State::Done(outcome) = state {
            let how = view.glyphs.state_words(state);
            let ended = task.dropped.unwrap_or(model.now);
            let ago = view.duration(model.now.since(ended));
            let words = format!("{how}, {ago} ago");
            fact("Ended", &words, theme.outcome(outcome));
        } else {
            let reason = view.reason(task);
            if !reason.what.is_empty() {
                fact("Waits for", &reason.whole(view.glyphs), reason.style);
            }
            // Whom it waits for, and whom that one waits for, up to the cause of it all.
            for (depth, link) in model.chain(task).iter().enumerate().skip(1) {
                let reason = view.because(link.task, &link.why);
                let mut line = "  ".repeat(depth - 1);
                line += view.glyphs.last_branch;
                line += &view.label(link.task);
                for part in [
                    glyphs::state_word(model.state(link.task)),
                    &reason.whole(view.glyphs),
                ] {
                    if !part.is_empty() {
                        line += ", ";
                        line += part;
                    }
                }
                fact("", &line, reason.style);
            }
        }
        if let Some(error) = &task.error {
            fact("Error", error, theme.bad());
        }
        if let Some(location) = &task.location {
            fact("Spawned at", &location.to_string(), theme.text());
        }
        if let Some(parent) = task.parent {
            fact("Spawned by", &view.label_of(parent), theme.text());
        }
        if let Some(scope) = task.scope.and_then(|id| model.scopes.get(id)) {
            fact("Scope", &view.scope(scope), theme.text());
        }
        if let Some(thread) = task.thread.and_then(|id| model.threads.get(id)) {
            fact("Thread", &view.thread(thread, words::NAME), theme.text());
        }
        for field in task.fields.iter().take(FIELDS) {
            fact(&field.name, &field.value, theme.text());
        }
        if let Some(more) = task.fields.len().checked_sub(FIELDS + 1) {
            fact("", &format!("{} more fields", more + 1), theme.dim());
        }
    }

    fn timers(&self, task: &Task, sheet: &mut Sheet) {
        /// The soonest and the newest, as in the pane of timers.
        const SHOWN: usize = 8;
        let view = self.0;
        let theme = view.theme;
        let all = view.state.lists.timers.iter();
        let own = all
            .filter_map(|id| view.model.timers.get(*id))
            .filter(|timer| timer.task == Some(task.id));
        for (i, timer) in own.take(SHOWN).enumerate() {
            if i == 0 {
                sheet.blank();
            }
            let mut pen = sheet.line();
            self.name(if i == 0 { "Timers" } else { "" }, &mut pen);
            let style = if timer.is_live() {
                theme.text()
            } else {
                theme.dim()
            };
            pen.skip(1)
                .put(&text::pad(timer.kind.as_str(), 9, view.glyphs), style)
                .put(
                    &text::pad_left(&view.known(timer.duration), fmt::DURATION, view.glyphs),
                    style,
                )
                .skip(2);
            let width = pen.room().saturating_sub(1).min(24);
            timers::left(view, timer, width, &mut pen);
            if let Some(at) = view.location(timer.location.as_ref())
                && text::width(&at) + 2 <= pen.room()
            {
                pen.skip(2).put(&at, theme.dim());
            }
        }
    }

    fn name(&self, name: &str, pen: &mut Pen<'_>) {
        let name = text::pad(name, NAME, self.0.glyphs);
        pen.skip(1).put(&name, self.0.theme.label());
    }

    fn sub_name(&self, name: &str, pen: &mut Pen<'_>) {
        let name = text::pad(name, NAME - 2, self.0.glyphs);
        pen.put(&name, self.0.theme.label());
    }

    fn figure(&self, figure: &str, style: Style, pen: &mut Pen<'_>) {
        let figure = text::pad_left(figure, fmt::DURATION + 1, self.0.glyphs);
        pen.put(&figure, style).skip(1);
    }
}

/// A note that is cut says nothing.
fn put_whole(note: &str, style: Style, pen: &mut Pen<'_>) {
    if text::width(note) <= pen.room() {
        pen.put(note, style);
    }
}

/// A page longer than the screen may be, of which a part is shown.
struct Sheet {
    buf: Buffer,
    height: u16,
}

impl Sheet {
    /// Everything fits: the longest lists are cut.
    const MOST: u16 = 100;

    fn new(width: u16) -> Self {
        Self {
            buf: Buffer::empty(Rect::new(0, 0, width, Self::MOST)),
            height: 0,
        }
    }

    fn blank(&mut self) {
        self.rows(1);
    }

    fn line(&mut self) -> Pen<'_> {
        let area = self.rows(1);
        Pen::new(area, 0, &mut self.buf)
    }

    /// The next `height` rows; fewer at the end of the sheet.
    fn rows(&mut self, height: u16) -> Rect {
        let rows = Rect {
            y: self.height,
            height,
            ..self.buf.area
        };
        let rows = rows.intersection(self.buf.area);
        self.height += rows.height;
        rows
    }

    fn show(&self, first: u16, area: Rect, buf: &mut Buffer) {
        let width = area.width.min(self.buf.area.width);
        for row in 0..area.height.min(self.height.saturating_sub(first)) {
            for column in 0..width {
                let from = (column, first + row);
                buf[(area.x + column, area.y + row)] = self.buf[from].clone();
            }
        }
    }
}
