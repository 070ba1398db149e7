//! Writes one line of cells from left to right, and never past its end.

use ratatui::{
    buffer::{Buffer, CellWidth},
    layout::Rect,
    style::Style,
};
use unicode_segmentation::UnicodeSegmentation;

use super::text;

/// Takes clean text only: what comes from outside goes through [`super::text`] first.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    y: u16,
    x: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// For row `row` of `area`; writes nothing if the area has no such row.
    pub fn new(area: Rect, row: u16, buf: &'a mut Buffer) -> Self {
        let area = area.intersection(buf.area);
        let visible = row < area.height;
        Self {
            y: area.y.saturating_add(row),
            x: area.x,
            end: if visible { area.right() } else { area.x },
            buf,
        }
    }

    /// Cells left on the line.
    pub fn room(&self) -> usize {
        usize::from(self.end - self.x)
    }

    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        if text::is_plain(text.as_bytes()) {
            for c in text.chars().take(self.room()) {
                self.buf[(self.x, self.y)].set_char(c).set_style(style);
                self.x += 1;
            }
            return self;
        }
        for grapheme in text.graphemes(true) {
            let width = grapheme.cell_width();
            if width > self.end - self.x {
                break;
            }
            if width == 0 {
                continue;
            }
            self.buf[(self.x, self.y)]
                .set_symbol(grapheme)
                .set_style(style);
            for hidden in 1..width {
                self.buf[(self.x + hidden, self.y)].reset();
            }
            self.x += width;
        }
        self
    }

    /// The same cell over and over.
    pub fn fill(&mut self, symbol: &str, count: usize, style: Style) -> &mut Self {
        for _ in 0..count.min(self.room()) {
            self.put(symbol, style);
        }
        self
    }

    pub fn skip(&mut self, count: usize) -> &mut Self {
        self.x += count.min(self.room()) as u16;
        self
    }

    /// Moves to where `count` cells are left, unless that is behind.
    pub fn leave(&mut self, count: usize) -> &mut Self {
        let ahead = self.room().saturating_sub(count);
        self.skip(ahead)
    }

    /// The next `count` cells, for a widget; the pen goes on behind them.
    pub fn cells(&mut self, count: usize) -> (Rect, &mut Buffer) {
        let width = count.min(self.room()) as u16;
        let area = Rect::new(self.x, self.y, width, 1);
        self.x += width;
        (area, self.buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_past_the_end() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 2));
        Pen::new(Rect::new(1, 0, 4, 1), 0, &mut buf)
            .put("ab", Style::new())
            .put("任务", Style::new());
        assert_eq!(buf, Buffer::with_lines([" ab任 ", "      "]));
    }

    #[test]
    fn a_row_outside_its_area_is_not_written() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 2));
        Pen::new(Rect::new(0, 0, 3, 1), 1, &mut buf).put("abc", Style::new());
        Pen::new(Rect::new(9, 9, 3, 1), 0, &mut buf).put("abc", Style::new());
        assert_eq!(buf, Buffer::with_lines(["   ", "   "]));
    }
}
