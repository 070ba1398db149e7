//! A lesson's page: beside the screen where there is room for both, else over it.
//!
//! ```text
//! ━ hello: the smallest asynchronous program ━━━━━━━ 12 more ↓ ━
//! │ The event loop is the one waiter of a restaurant. He takes
//! │ your order to the kitchen, and does not …
//! ```
//!
//! Its text is shown as it is, in whatever script: only shapes have a form in ASCII.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    View,
    glyphs::{self, Glyphs},
    markdown::Document,
    pane,
    pen::Pen,
    popup::{self, Line, Popup},
    text,
    theme::Theme,
};

/// What there is to read about the target.
#[derive(Copy, Clone, Debug)]
pub struct Lesson {
    /// Markdown, of the part that [`super::markdown`] knows.
    pub page: &'static str,
    /// It is shown from the start.
    pub open: bool,
}

/// A page that is open.
#[derive(Copy, Clone, Debug)]
pub struct Reading {
    /// Lines above those that are seen.
    pub scroll: usize,
    /// Keys go to it, although it does not cover the screen.
    pub focused: bool,
    /// It has the whole body.
    pub zoomed: bool,
}

impl Reading {
    /// From its beginning.
    pub const NEW: Self = Self {
        scroll: 0,
        focused: true,
        zoomed: false,
    };

    /// Scrolls by so many lines, as far as there are some.
    pub fn step(&mut self, by: isize, page: &str, place: Place) {
        let most = Page::new(page, Theme::PLAIN, &glyphs::ASCII).most(place);
        self.scroll = self.scroll.min(most).saturating_add_signed(by).min(most);
    }
}

/// Where a page is shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A column of its own.
    Beside(Rect),
    /// A box over this area.
    Over(Rect),
}

impl Place {
    /// The column that a page has in a terminal of this width, if that is wide enough.
    pub fn column(width: u16) -> Option<u16> {
        (width >= 120).then(|| (width / 5 * 2).min(72))
    }

    /// The cells that it may take.
    pub fn area(self) -> Rect {
        let (Self::Beside(area) | Self::Over(area)) = self;
        area
    }

    /// Cells and lines for the text.
    fn room(self) -> (usize, usize) {
        let (width, height) = match self {
            // A line and a blank at the left, and the heading.
            Self::Beside(area) => (area.width.saturating_sub(2), area.height.saturating_sub(1)),
            Self::Over(area) => Popup::room(area),
        };
        (usize::from(width), usize::from(height))
    }
}

/// A page with all that it needs to be drawn.
pub struct Page<'a> {
    document: Document,
    theme: Theme,
    glyphs: &'a Glyphs,
}

impl<'a> Page<'a> {
    pub fn new(markdown: &str, theme: Theme, glyphs: &'a Glyphs) -> Self {
        Self {
            document: Document::parse(markdown),
            theme,
            glyphs,
        }
    }

    /// Scrolled no farther than to its end.
    pub fn render(&self, reading: Reading, place: Place, buf: &mut Buffer) {
        let lines = self.lines(place);
        match place {
            Place::Beside(area) => self.column(&lines, reading, area, buf),
            Place::Over(area) => {
                let popup = Popup {
                    title: &self.document.title,
                    lines: &lines,
                    scroll: reading.scroll,
                };
                popup.render(self.theme, self.glyphs, area, buf);
            }
        }
    }

    /// How far it can be scrolled.
    fn most(&self, place: Place) -> usize {
        let (_, height) = place.room();
        self.lines(place).len().saturating_sub(height)
    }

    fn lines(&self, place: Place) -> Vec<Line> {
        let (width, _) = place.room();
        self.document.lines(width, self.theme, self.glyphs)
    }

    fn column(&self, lines: &[Line], reading: Reading, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let (_, height) = Place::Beside(area).room();
        let most = lines.len().saturating_sub(height);
        let first = reading.scroll.min(most);
        self.heading(most - first, reading.focused, area, buf);
        // The line between it and the panes, if there are any.
        let divider = if area.x > buf.area.x {
            self.glyphs.divider
        } else {
            " "
        };
        for row in 1..area.height {
            let mut pen = Pen::new(area, row, buf);
            pen.put(divider, self.theme.line()).skip(1);
            let line = lines.get(first + usize::from(row) - 1);
            for (words, style) in line.into_iter().flatten() {
                pen.put(words, *style);
            }
        }
    }

    /// As a pane's.
    fn heading(&self, below: usize, focused: bool, area: Rect, buf: &mut Buffer) {
        let (theme, glyphs) = (self.theme, self.glyphs);
        let (rule, line, title) = pane::rule(focused, theme, glyphs);
        let more = popup::more(below, glyphs);
        let mut pen = Pen::new(area, 0, buf);
        // The marks around it, at least one rule among them.
        let room = pen.room().saturating_sub(text::width(&more) + 5);
        let mut words = self.document.title.clone();
        if text::width(&words) > room {
            words = text::fit(&words, room, glyphs);
        }
        pen.put(rule, line).put(&format!(" {words} "), title);
        let filled = pen.room().saturating_sub(text::width(&more) + 1);
        pen.fill(rule, filled, line)
            .put(&more, theme.dim())
            .put(rule, line);
    }
}

/// What a target without a page has instead.
const NONE: &str = "# Lesson\n\nOnly the lessons that are built in have a page. \
                    `loopview list` names them, and `loopview run NAME --lesson` shows one.";

impl View<'_> {
    /// Draws the page of what is watched.
    pub fn lesson(self, reading: Reading, place: Place, buf: &mut Buffer) {
        let markdown = self.state.lesson.unwrap_or(NONE);
        Page::new(markdown, self.theme, self.glyphs).render(reading, place, buf);
    }
}
