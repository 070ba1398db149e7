//! A horizontal bar that is filled to a share of its width.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use crate::view::{glyphs::Glyphs, pen::Pen};

pub struct Bar<'a> {
    /// From 0 to 1.
    pub share: f64,
    pub full: Style,
    pub groove: Style,
    pub glyphs: &'a Glyphs,
}

impl Widget for &Bar<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let parts = self.glyphs.parts;
        let share = if self.share.is_nan() { 0.0 } else { self.share };
        let width = usize::from(area.width);
        let whole = width * parts.len();
        let mut filled = (share.clamp(0.0, 1.0) * whole as f64).round() as usize;
        // What is left is seen to be left, and what has begun to have begun.
        if share > 0.0 {
            filled = filled.max(1);
        }
        let (cells, rest) = (filled / parts.len(), filled % parts.len());
        let mut pen = Pen::new(area, 0, buf);
        pen.fill(parts[parts.len() - 1], cells, self.full);
        if rest > 0 {
            pen.put(parts[rest - 1], self.full);
        }
        pen.fill(self.glyphs.groove, width, self.groove);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::{ASCII, UNICODE};

    fn drawn(share: f64, glyphs: &Glyphs) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let bar = Bar {
            share,
            full: Style::new(),
            groove: Style::new(),
            glyphs,
        };
        bar.render(buf.area, &mut buf);
        buf
    }

    #[test]
    fn it_is_filled_in_eighths() {
        assert_eq!(drawn(0.0, &UNICODE), Buffer::with_lines(["╌╌╌╌"]));
        assert_eq!(drawn(0.001, &UNICODE), Buffer::with_lines(["▏╌╌╌"]));
        assert_eq!(drawn(0.375, &UNICODE), Buffer::with_lines(["█▌╌╌"]));
        assert_eq!(drawn(7.0, &UNICODE), Buffer::with_lines(["████"]));
        assert_eq!(drawn(f64::NAN, &UNICODE), Buffer::with_lines(["╌╌╌╌"]));
    }

    #[test]
    fn ascii_has_whole_cells() {
        assert_eq!(drawn(0.5, &ASCII), Buffer::with_lines(["##.."]));
    }
}
