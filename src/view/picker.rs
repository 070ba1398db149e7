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
//!  Enter run  L page  q quit
//! ```
//!
//! The marked lesson's page is shown as it is with a running lesson: beside the list, or over it.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    widgets::{Paragraph, Widget, Wrap},
};

use super::{
    Options, glyphs,
    glyphs::Glyphs,
    lesson::{Page, Place, Reading},
    pen::Pen,
    text,
    theme::Theme,
};
use crate::keymap::Action;

/// A lesson as the list shows it.
#[derive(Copy, Clone, Debug)]
pub struct Item {
    pub name: &'static str,
    pub summary: &'static str,
    /// What to look for on the screen.
    pub shows: &'static str,
    /// What there is to read about it, as Markdown.
    pub page: &'static str,
}

/// What the person has chosen so far.
#[derive(Clone, Debug)]
pub struct Picker {
    pub items: Vec<Item>,
    pub options: Options,
    selected: usize,
    /// The marked lesson's page while it is open.
    reading: Option<Reading>,
    /// The terminal, on which depends how far a page can be scrolled.
    area: Rect,
}

/// What a key came to.
#[derive(Copy, Clone, Debug)]
pub enum Picked {
    Lesson(Item),
    Quit,
}

impl Picker {
    pub fn new(items: Vec<Item>, options: Options) -> Self {
        Self {
            items,
            options,
            selected: 0,
            reading: None,
            area: Rect::ZERO,
        }
    }

    pub fn resize(&mut self, area: Rect) {
        self.area = area;
    }

    /// Whether the page is open, and is to be open when the lesson runs.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    pub fn act(&mut self, action: Action) -> Option<Picked> {
        let last = self.items.len().saturating_sub(1);
        match action {
            Action::Up => self.mark(self.selected.saturating_sub(1)),
            Action::Down => self.mark(self.selected.saturating_add(1).min(last)),
            Action::PageUp if self.is_reading() => self.scroll(-1),
            Action::PageDown if self.is_reading() => self.scroll(1),
            Action::First | Action::PageUp => self.mark(0),
            Action::Last | Action::PageDown => self.mark(last),
            Action::Lesson if !self.is_reading() => self.reading = Some(Reading::NEW),
            Action::Lesson | Action::Leave if self.is_reading() => self.reading = None,
            Action::Enter => return self.marked().map(Picked::Lesson),
            Action::Quit | Action::Leave => return Some(Picked::Quit),
            _ => {}
        }
        None
    }

    fn marked(&self) -> Option<Item> {
        self.items.get(self.selected).copied()
    }

    /// A page is read from its beginning.
    fn mark(&mut self, row: usize) {
        self.selected = row;
        if let Some(reading) = &mut self.reading {
            reading.scroll = 0;
        }
    }

    /// By half a screen.
    fn scroll(&mut self, pages: isize) {
        let lines = isize::try_from(self.area.height / 2).unwrap_or(1);
        let place = self.regions(self.area).place;
        if let (Some(item), Some(reading)) = (self.marked(), &mut self.reading) {
            reading.step(pages * lines, item.page, place);
        }
    }

    fn regions(&self, area: Rect) -> Regions {
        let [head, body, foot] = Layout::vertical([
            Constraint::Length(2),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(area);
        let column = Place::column(area.width).filter(|_| self.is_reading());
        let [left, column] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(column.unwrap_or(0))])
                .areas(body);
        let [list, title, shows] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(SHOWS),
        ])
        .areas(left);
        Regions {
            head,
            list,
            title,
            shows,
            foot,
            place: if column.is_empty() {
                Place::Over(body)
            } else {
                Place::Beside(column)
            },
        }
    }
}

/// Where its parts lie.
struct Regions {
    head: Rect,
    list: Rect,
    title: Rect,
    shows: Rect,
    foot: Rect,
    /// Of the page, if it is open.
    place: Place,
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
        let theme = Theme::new(self.options.color, self.options.theme);
        let glyphs = if self.options.unicode {
            &glyphs::UNICODE
        } else {
            &glyphs::ASCII
        };
        let Regions {
            head,
            list,
            title,
            shows,
            foot,
            place,
        } = self.regions(area);
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
        if let Some(item) = self.marked() {
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
        if let (Some(item), Some(reading)) = (self.marked(), self.reading) {
            Page::new(item.page, theme, glyphs).render(reading, place, buf);
        }
        let mut pen = Pen::new(foot, 0, buf);
        pen.skip(1);
        let page = if self.is_reading() { "close" } else { "page" };
        for (key, what) in [("Enter", "run"), ("L", page), ("q", "quit")] {
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
            page: "# title\n\nwhat to read\n",
        };
        Picker::new(["one", "two", "three"].map(item).into(), Options::default())
    }

    #[test]
    fn keys_move_and_pick() {
        let mut picker = picker();
        assert!(picker.act(Action::Up).is_none());
        assert!(picker.act(Action::Down).is_none());
        assert_eq!(picked(&mut picker), Some("two"));
        for _ in 0..9 {
            picker.act(Action::Down);
        }
        assert_eq!(picked(&mut picker), Some("three"));
        assert!(matches!(picker.act(Action::Quit), Some(Picked::Quit)));
        let nothing = &mut Picker::new(Vec::new(), Options::default());
        assert!(nothing.act(Action::Last).is_none());
        assert_eq!(picked(nothing), None);
    }

    fn picked(picker: &mut Picker) -> Option<&'static str> {
        match picker.act(Action::Enter) {
            Some(Picked::Lesson(item)) => Some(item.name),
            _ => None,
        }
    }

    fn drawn(picker: &Picker, area: Rect) -> String {
        let mut buffer = Buffer::empty(area);
        picker.render(area, &mut buffer);
        let cells = buffer.content().iter();
        cells.map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn a_page_is_open_until_it_is_left() {
        for width in [80, 120] {
            let area = Rect::new(0, 0, width, 24);
            let mut picker = picker();
            assert!(!drawn(&picker, area).contains("what to read"));
            picker.act(Action::Lesson);
            assert!(drawn(&picker, area).contains("what to read"));
            // The list goes on.
            picker.act(Action::Down);
            assert_eq!(picked(&mut picker), Some("two"));
            assert!(picker.is_reading());
            assert!(picker.act(Action::Leave).is_none());
            assert!(!picker.is_reading());
            assert!(matches!(picker.act(Action::Leave), Some(Picked::Quit)));
        }
    }

    #[test]
    fn a_page_is_scrolled_to_its_end_and_no_farther() {
        let item = Item {
            page: "# t\n\n- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h\n- i\n- j\n",
            ..picker().items[0]
        };
        let mut picker = Picker::new(vec![item], Options::default());
        let area = Rect::new(0, 0, 80, 12);
        picker.resize(area);
        picker.act(Action::Lesson);
        for _ in 0..5 {
            picker.act(Action::PageDown);
        }
        let end = drawn(&picker, area);
        assert!(end.contains("· j") && !end.contains("more"), "{end}");
        picker.act(Action::PageUp);
        assert!(drawn(&picker, area).contains("· a"));
    }

    #[test]
    fn any_size_is_drawn_and_the_selected_one_is_there() {
        let mut picker = picker();
        picker.act(Action::Last);
        for (width, height) in (1..50).flat_map(|w| (1..14).map(move |h| (w, h))) {
            let area = Rect::new(0, 0, width, height);
            let text = drawn(&picker, area);
            let mut reading = picker.clone();
            reading.act(Action::Lesson);
            drawn(&reading, area);
            assert!(width < 10 || height < 9 || text.contains("three"), "{area}");
        }
    }
}
