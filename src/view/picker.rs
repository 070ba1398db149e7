//! The list of lessons, from which a person picks one.
//!
//! ```text
//!  loopview   pick a lesson and watch it run
//!
//! ▸ hello      say hello, wait a second, say goodbye
//!   serial     await one coroutine after another
//!
//! ─ What to look for ──────────────────────────────
//!  One task, main, sleeps for the whole second. …
//!
//!  Enter run  q quit
//! ```

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    widgets::{Paragraph, Widget, Wrap},
};

use super::{Options, glyphs, glyphs::Glyphs, pen::Pen, text, theme::Theme};
use crate::keymap::Action;

/// A lesson as the list shows it.
#[derive(Clone, Debug)]
pub struct Item {
    pub name: &'static str,
    pub summary: &'static str,
    /// What to look for on the screen.
    pub shows: &'static str,
}

/// What the person has chosen so far.
#[derive(Clone, Debug)]
pub struct Picker {
    pub items: Vec<Item>,
    pub options: Options,
    selected: usize,
}

/// What a key came to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    Lesson(&'static str),
    Quit,
}

impl Picker {
    pub fn new(items: Vec<Item>, options: Options) -> Self {
        Self {
            items,
            options,
            selected: 0,
        }
    }

    pub fn act(&mut self, action: Action) -> Option<Picked> {
        let last = self.items.len().saturating_sub(1);
        self.selected = match action {
            Action::Up => self.selected.saturating_sub(1),
            Action::Down => self.selected.saturating_add(1).min(last),
            Action::First | Action::PageUp => 0,
            Action::Last | Action::PageDown => last,
            Action::Enter => {
                let item = self.items.get(self.selected)?;
                return Some(Picked::Lesson(item.name));
            }
            Action::Quit | Action::Leave => return Some(Picked::Quit),
            _ => self.selected,
        };
        None
    }
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, picker: &Picker) {
    let area = frame.area();
    picker.render(area, frame.buffer_mut());
}

/// Lines for what to look for.
const SHOWS: u16 = 4;

impl Widget for &Picker {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let theme = Theme::new(self.options.color);
        let glyphs = if self.options.unicode {
            &glyphs::UNICODE
        } else {
            &glyphs::ASCII
        };
        let [head, list, title, shows, foot] = Layout::vertical([
            Constraint::Length(2),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(SHOWS),
            Constraint::Length(1),
        ])
        .areas(area);
        Pen::new(head, 0, buf)
            .skip(1)
            .put("loopview", theme.focus())
            .skip(3)
            .put("pick a lesson and watch it run", theme.dim());
        self.list(list, theme, glyphs, buf);
        let mut pen = Pen::new(title, 0, buf);
        pen.put(glyphs.rule, theme.line())
            .put(" What to look for ", theme.title());
        let room = pen.room();
        pen.fill(glyphs.rule, room, theme.line());
        if let Some(item) = self.items.get(self.selected) {
            let inside = Rect {
                x: shows.x.saturating_add(1).min(shows.right()),
                width: shows.width.saturating_sub(2),
                ..shows
            };
            Paragraph::new(item.shows)
                .style(theme.text())
                .wrap(Wrap { trim: true })
                .render(inside, buf);
        }
        let mut pen = Pen::new(foot, 0, buf);
        pen.skip(1);
        for (key, what) in [("Enter", "run"), ("q", "quit")] {
            pen.put(key, theme.key())
                .skip(1)
                .put(what, theme.dim())
                .skip(2);
        }
    }
}

impl Picker {
    fn list(&self, area: Rect, theme: Theme, glyphs: &Glyphs, buf: &mut Buffer) {
        let names = self.items.iter().map(|item| item.name.len()).max();
        let first = (self.selected + 1).saturating_sub(usize::from(area.height));
        for (row, (i, item)) in (0..area.height).zip(self.items.iter().enumerate().skip(first)) {
            let selected = i == self.selected;
            let mut pen = Pen::new(area, row, buf);
            pen.put(if selected { glyphs.cursor } else { " " }, theme.focus())
                .skip(1)
                .put(
                    &text::pad(item.name, names.unwrap_or_default(), glyphs),
                    if selected {
                        theme.focus()
                    } else {
                        theme.strong()
                    },
                )
                .skip(2);
            let summary = text::fit(item.summary, pen.room(), glyphs);
            pen.put(&summary, if selected { theme.text() } else { theme.dim() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picker() -> Picker {
        let item = |name| Item {
            name,
            summary: "what it does",
            shows: "what to see",
        };
        Picker::new(["one", "two", "three"].map(item).into(), Options::default())
    }

    #[test]
    fn keys_move_and_pick() {
        let mut picker = picker();
        assert_eq!(picker.act(Action::Up), None);
        assert_eq!(picker.act(Action::Down), None);
        assert_eq!(picker.act(Action::Enter), Some(Picked::Lesson("two")));
        for _ in 0..9 {
            picker.act(Action::Down);
        }
        assert_eq!(picker.act(Action::Enter), Some(Picked::Lesson("three")));
        assert_eq!(picker.act(Action::Quit), Some(Picked::Quit));
        let nothing = &mut Picker::new(Vec::new(), Options::default());
        assert_eq!(
            (nothing.act(Action::Last), nothing.act(Action::Enter)),
            (None, None)
        );
    }

    #[test]
    fn any_size_is_drawn_and_the_selected_one_is_there() {
        let mut picker = picker();
        picker.act(Action::Last);
        for (width, height) in (1..50).flat_map(|w| (1..14).map(move |h| (w, h))) {
            let area = Rect::new(0, 0, width, height);
            let mut buffer = Buffer::empty(area);
            picker.render(area, &mut buffer);
            let text: String = buffer
                .content()
                .iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect();
            assert!(width < 10 || height < 9 || text.contains("three"), "{area}");
        }
    }
}
