//! The help, over everything: the table of keys, what the shapes mean, what the figures
//! are.
//!
//! ```text
//! ╭ Help ───────────────────────────────╮
//! │ General                             │
//! │   ? h F1     show this help         │
//! │ …                                   │
//! ╰─────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    widgets::{Clear, Widget},
};

use super::{View, footer::key_name, glyphs::state_word, pen::Pen, text};
use crate::{
    keymap::{Binding, Context, Group, KEYS},
    model::{Outcome, State},
};

pub struct Help<'a>(pub(super) View<'a>);

/// A line's parts with their styles.
type Line = Vec<(String, Style)>;

/// Cells for the keys of a binding.
const KEY_NAMES: usize = 18;

/// The states and what they mean.
const STATES: [(State, &str); 9] = [
    (State::Running, "it is being polled"),
    (State::Ready, "it was woken and waits to be polled: delay"),
    (State::Sleeping, "it awaits a timer"),
    (
        State::Waiting,
        "it awaits a lock, a channel, a task, a thread",
    ),
    (State::Idle, "it awaits I/O, or something not instrumented"),
    (
        State::Done(Some(Outcome::Ok)),
        "it has ended; ■ if how is not known",
    ),
    (
        State::Done(Some(Outcome::Error)),
        "it has ended with an error",
    ),
    (State::Done(Some(Outcome::Cancelled)), "it was cancelled"),
    (State::Done(Some(Outcome::Panicked)), "it has panicked"),
];

impl Widget for &Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let Some(scroll) = view.state.help else {
            return;
        };
        let area = area.intersection(buf.area);
        let lines = self.lines();
        let area = centered(area, 76, lines.len() as u16 + 2);
        Clear.render(area, buf);
        let inner = self.frame(area, buf);
        let rows = usize::from(inner.height);
        let first = scroll.min(lines.len().saturating_sub(rows));
        for (row, line) in (0..inner.height).zip(&lines[first..]) {
            let mut pen = Pen::new(inner, row, buf);
            for (words, style) in line {
                let words = text::fit(words, pen.room(), view.glyphs);
                pen.put(&words, *style);
            }
        }
    }
}

fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

impl Help<'_> {
    fn lines(&self) -> Vec<Line> {
        let view = self.0;
        let theme = view.theme;
        let mut lines = Vec::new();
        for group in Group::ALL {
            lines.push(vec![(group.title().to_owned(), theme.title())]);
            let bindings = KEYS.iter().filter(|b| b.group == group);
            for binding in bindings.filter(|b| b.contexts != [Context::Help]) {
                lines.push(self.binding(binding));
            }
            lines.push(Vec::new());
        }
        lines.push(vec![("States of a task".to_owned(), theme.title())]);
        for (state, meaning) in STATES {
            let shape = format!("  {} {}", view.glyphs.state(state), state_word(state));
            let meaning = meaning.replace('■', view.glyphs.done);
            lines.push(vec![
                (
                    text::pad(&shape, KEY_NAMES, view.glyphs),
                    theme.state(state),
                ),
                (meaning, theme.text()),
            ]);
        }
        lines
    }

    fn binding(&self, binding: &Binding) -> Line {
        let view = self.0;
        let names: Vec<String> = binding
            .keys
            .iter()
            .map(|key| key_name(*key, view.glyphs))
            .collect();
        let names = format!("  {}", names.join(" "));
        vec![
            (text::pad(&names, KEY_NAMES, view.glyphs), view.theme.key()),
            (binding.help.to_owned(), view.theme.text()),
        ]
    }

    /// A box with its title, and the area in it.
    fn frame(&self, area: Rect, buf: &mut Buffer) -> Rect {
        let view = self.0;
        let style = view.theme.focus();
        let [top_left, top_right, bottom_left, bottom_right] = view.glyphs.corners;
        let width = usize::from(area.width);
        for row in 0..area.height {
            let mut pen = Pen::new(area, row, buf);
            if row == 0 {
                pen.put(top_left, style).put(" Help ", style);
                let room = pen.room().saturating_sub(1);
                pen.fill(view.glyphs.rule, room, style)
                    .put(top_right, style);
            } else if row + 1 == area.height {
                pen.put(bottom_left, style)
                    .fill(view.glyphs.rule, width.saturating_sub(2), style)
                    .put(bottom_right, style);
            } else {
                pen.put(view.glyphs.divider, style)
                    .leave(1)
                    .put(view.glyphs.divider, style);
            }
        }
        Rect {
            x: area.x + area.width.min(2),
            y: area.y + area.height.min(1),
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        }
    }
}
