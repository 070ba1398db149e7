//! The help: the keys that mean something here, and what the shapes of states mean.
//!
//! ```text
//! ╭ Help ───────────────────────────────╮
//! │ General                             │
//! │   ? h F1     show this help         │
//! │ …                                   │
//! ╰─────────────────────────────────────╯
//! ```

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{
    View,
    footer::key_name,
    popup::{Line, Popup},
    text,
};
use crate::{
    keymap::{self, Group},
    model::{Outcome, State},
};

pub struct Help<'a>(pub(super) View<'a>);

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

/// What can be typed behind `/`, and what that lets through.
const FILTERS: [(&str, &str); 7] = [
    ("word", "it is in the name, location, kind or state"),
    (
        "state=waiting",
        "also name, location, kind, error: all of it",
    ),
    (
        "name~^conn-",
        "a regular expression; /this/ asks all fields",
    ),
    ("busy>10ms", "also total, ready, idle, longest; <, <=, >="),
    ("polls>=100", "also wakes, id; with = as well"),
    ("!done", "not this; several terms all have to hold"),
    (
        "\"two words\"",
        "a word with blanks, or with one of = ~ < >",
    ),
];

/// What the mouse does.
const MOUSE: [&str; 3] = [
    "  A click focuses, selects, sorts by a title, shows a view, does a key",
    "  A click on the selected row opens it; the wheel scrolls what is under it",
    "  Most terminals select text while Shift is held, and all with --no-mouse",
];

/// Why a timer's figure is not quite the one in the source.
const TICK: &str = "  A sleep of 500 ms reads 501 ms: tokio rounds up to its tick of 1 ms";

impl Widget for &Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let popup = Popup {
            title: "Help",
            lines: &self.lines(),
            scroll: self.0.state.help.unwrap_or_default(),
        };
        popup.render(self.0.theme, self.0.glyphs, area, buf);
    }
}

impl Help<'_> {
    fn lines(&self) -> Vec<Line> {
        let view = self.0;
        let theme = view.theme;
        let mut lines = Vec::new();
        for group in Group::ALL {
            let bindings = view.state.options.keys.lines(view.state.context_below());
            let of_group: Vec<Line> = bindings
                .filter(|line| line.binding.group == group)
                .map(|line| self.binding(line))
                .collect();
            if !of_group.is_empty() {
                lines.push(vec![(group.title().to_owned(), theme.title())]);
                lines.extend(of_group);
                lines.push(Vec::new());
            }
        }
        lines.push(vec![("States of a task".to_owned(), theme.title())]);
        for (state, meaning) in STATES {
            let shape = format!("  {}", view.glyphs.state_words(state));
            let meaning = meaning.replace('■', view.glyphs.done);
            lines.push(vec![
                (
                    text::pad(&shape, KEY_NAMES, view.glyphs),
                    theme.state(state),
                ),
                (meaning, theme.text()),
            ]);
        }
        lines.push(Vec::new());
        lines.push(vec![("Find: terms of a filter".to_owned(), theme.title())]);
        for (term, meaning) in FILTERS {
            let term = text::pad(&format!("  {term}"), KEY_NAMES, view.glyphs);
            lines.push(vec![
                (term, theme.key()),
                (meaning.to_owned(), theme.text()),
            ]);
        }
        lines.push(Vec::new());
        lines.push(vec![("Mouse".to_owned(), theme.title())]);
        lines.extend(MOUSE.map(|line| vec![(line.to_owned(), theme.text())]));
        lines.push(Vec::new());
        lines.push(vec![("Timers".to_owned(), theme.title())]);
        lines.push(vec![(TICK.to_owned(), theme.text())]);
        lines
    }

    fn binding(&self, line: &keymap::Line) -> Line {
        let view = self.0;
        let names: Vec<String> = line
            .keys
            .iter()
            .map(|key| key_name(*key, view.glyphs))
            .collect();
        let names = format!("  {}", names.join(" "));
        vec![
            (text::pad(&names, KEY_NAMES, view.glyphs), view.theme.key()),
            (line.binding.help.to_owned(), view.theme.text()),
        ]
    }
}
