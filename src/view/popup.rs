//! A box over the body with lines to read.
//!
//! ```text
//! ╭ Title ──────────────────────────────╮
//! │ a line                              │
//! ╰────────────────────────── 12 more ↓ ╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    widgets::{Clear, Widget},
};

use super::{glyphs::Glyphs, pen::Pen, text, theme::Theme};

/// A line's parts with their styles; clean.
pub type Line = Vec<(String, Style)>;

pub struct Popup<'a> {
    pub title: &'a str,
    pub lines: &'a [Line],
    /// How many lines it is scrolled by; it goes no farther than to the end.
    pub scroll: usize,
}

impl Popup<'_> {
    const WIDTH: u16 = 78;

    /// Cells and lines for text that is longer than the area is high.
    pub fn room(area: Rect) -> (u16, u16) {
        let width = area.width.min(Self::WIDTH).saturating_sub(4);
        (width, area.height.saturating_sub(2))
    }

    /// Where a box of so many lines is drawn, with its frame.
    pub fn area(body: Rect, lines: usize) -> Rect {
        let wanted = u16::try_from(lines.saturating_add(2)).unwrap_or(u16::MAX);
        centered(body, Self::WIDTH, wanted)
    }

    /// Where its lines are.
    pub fn inner(area: Rect) -> Rect {
        Rect {
            x: area.x + area.width.min(2),
            y: area.y + area.height.min(1),
            width: area.width.saturating_sub(4),
            height: area.height.saturating_sub(2),
        }
    }

    /// Scrolled no farther than to the end.
    pub fn render(&self, theme: Theme, glyphs: &Glyphs, body: Rect, buf: &mut Buffer) {
        let area = Self::area(body.intersection(buf.area), self.lines.len());
        Clear.render(area, buf);
        let inner = Self::inner(area);
        let most = self.lines.len().saturating_sub(usize::from(inner.height));
        let first = self.scroll.min(most);
        self.frame(theme, glyphs, most - first, area, buf);
        for (row, line) in (0..inner.height).zip(&self.lines[first..]) {
            let mut pen = Pen::new(inner, row, buf);
            for (words, style) in line {
                // Where there is room, a lesson's Chinese is shown even with shapes in ASCII.
                if text::width(words) <= pen.room() {
                    pen.put(words, *style);
                } else {
                    pen.put(&text::fit(words, pen.room(), glyphs), *style);
                }
            }
        }
    }

    fn frame(&self, theme: Theme, glyphs: &Glyphs, below: usize, area: Rect, buf: &mut Buffer) {
        let style = theme.focus();
        let [top_left, top_right, bottom_left, bottom_right] = glyphs.corners;
        let more = more(below, glyphs);
        for row in 0..area.height {
            let mut pen = Pen::new(area, row, buf);
            let (start, words, end) = if row == 0 {
                (top_left, format!(" {} ", self.title), top_right)
            } else if row + 1 == area.height {
                (bottom_left, String::new(), bottom_right)
            } else {
                pen.put(glyphs.divider, style)
                    .leave(1)
                    .put(glyphs.divider, style);
                continue;
            };
            let at_end = if row == 0 { "" } else { &more };
            pen.put(start, style).put(&words, style);
            let rule = pen.room().saturating_sub(text::width(at_end) + 1);
            pen.fill(glyphs.rule, rule, style)
                .put(at_end, style)
                .put(end, style);
        }
    }
}

/// Says that there are lines below, if there are any.
pub fn more(below: usize, glyphs: &Glyphs) -> String {
    match below {
        0 => String::new(),
        n => format!(" {n} more {} ", glyphs.down),
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
