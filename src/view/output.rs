//! What the target wrote, with the time since its start.
//!
//! ```text
//! ─ 0 Output  12 lines ────────────────────────────
//!   1.20 s   A started
//!   1.25 s ! a line on standard error
//!   2.00 s   a line that was too long … +5000 B
//! ```
//!
//! It follows the end until it is scrolled up, and then stays where it is.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{View, fmt, layout::Pane, pane, pen::Pen, text};
use crate::{
    frame::{Stream, TargetKind},
    model::output::OutputLine,
};

pub struct Output<'a>(pub(super) View<'a>);

impl Widget for &Output<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let output = &view.model.output;
        let area = pane::heading(view, Pane::Output, &self.facts(), area, buf);
        if output.is_empty() {
            pane::say(view, &[self.empty()], area, buf);
            return;
        }
        let rows = usize::from(area.height);
        let end = self.end().max(rows.min(output.len()));
        let first = end.saturating_sub(rows);
        for (row, line) in (0..area.height).zip(output.lines().skip(first)) {
            self.line(line, &mut Pen::new(area, row, buf));
        }
    }
}

impl Output<'_> {
    fn facts(&self) -> Vec<(String, Style)> {
        let view = self.0;
        let output = &view.model.output;
        let seen = output.dropped() + output.len() as u64;
        let mut facts = match seen {
            0 => Vec::new(),
            1 => vec![("1 line".to_owned(), view.theme.dim())],
            n => vec![(format!("{} lines", fmt::count(n)), view.theme.dim())],
        };
        let below = output.len() - self.end();
        if view.state.output_end.is_some() {
            let words = format!("{} {below} below, End follows", view.glyphs.paused);
            facts.push((words, view.theme.warning()));
        }
        facts
    }

    /// Behind the last line that is seen, in the lines that are kept.
    fn end(&self) -> usize {
        let output = &self.0.model.output;
        self.0.state.output_end.map_or(output.len(), |end| {
            let end = usize::try_from(end.saturating_sub(output.dropped()));
            end.unwrap_or(usize::MAX).min(output.len())
        })
    }

    fn empty(&self) -> &'static str {
        match self.0.model.target.kind {
            TargetKind::Attached => "Not seen: attached from outside.",
            _ => "The program has written nothing.",
        }
    }

    fn line(&self, line: &OutputLine, pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        let since = line.at.since(view.model.started.unwrap_or(line.at));
        let time = text::pad_left(&view.duration(since), fmt::DURATION, view.glyphs);
        let (mark, style) = match line.stream {
            Stream::Stdout => (" ", theme.text()),
            Stream::Stderr => ("!", theme.warning()),
        };
        pen.put(&time, theme.dim())
            .put(" ", theme.text())
            .put(mark, style)
            .put(" ", theme.text());
        let cut = match line.cut {
            0 => String::new(),
            n => format!("{} +{} B", view.glyphs.ellipsis, fmt::count(n)),
        };
        let room = pen.room().saturating_sub(text::width(&cut));
        let text = text::fit(&line.text, room, view.glyphs);
        pen.put(&text, theme.text()).put(&cut, theme.dim());
    }
}
