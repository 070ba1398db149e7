//! A bar chart of counts: columns that stand side by side and fill the width.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use crate::view::{glyphs::Glyphs, pen::Pen};

pub struct Chart<'a> {
    /// One for each column.
    pub counts: &'a [u64],
    /// Cells that a column is wide.
    pub column: usize,
    pub bar: Style,
    pub floor: Style,
    pub glyphs: &'a Glyphs,
}

impl Chart<'_> {
    /// The height of a column in parts of a cell; a count that is not 0 is seen.
    fn height(&self, count: u64, rows: u16) -> usize {
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1);
        let whole = usize::from(rows) * self.glyphs.levels.len();
        let height = (count as f64 / most as f64 * whole as f64).round() as usize;
        height.max(usize::from(count > 0))
    }
}

impl Widget for &Chart<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let levels = self.glyphs.levels;
        for row in 0..area.height {
            let below = usize::from(area.height - 1 - row) * levels.len();
            let mut pen = Pen::new(area, row, buf);
            for count in self.counts {
                let height = self.height(*count, area.height);
                match height.saturating_sub(below) {
                    0 if below == 0 => pen.fill(self.glyphs.rest, self.column, self.floor),
                    0 => pen.skip(self.column),
                    part => {
                        let level = levels[part.min(levels.len()) - 1];
                        pen.fill(level, self.column, self.bar)
                    }
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::UNICODE;

    #[test]
    fn columns_are_in_proportion_and_never_vanish() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 2));
        let chart = Chart {
            counts: &[0, 1, 500, 1_000],
            column: 1,
            bar: Style::new(),
            floor: Style::new(),
            glyphs: &UNICODE,
        };
        chart.render(buf.area, &mut buf);
        assert_eq!(buf, Buffer::with_lines(["   █", "·▁██"]));
    }

    #[test]
    fn wide_columns_are_wide() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 6, 1));
        let chart = Chart {
            counts: &[1, 2, 4],
            column: 2,
            bar: Style::new(),
            floor: Style::new(),
            glyphs: &UNICODE,
        };
        chart.render(buf.area, &mut buf);
        assert_eq!(buf, Buffer::with_lines(["▂▂▄▄██"]));
    }

    #[test]
    fn no_counts_are_no_columns() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 2, 1));
        let chart = Chart {
            counts: &[],
            column: 1,
            bar: Style::new(),
            floor: Style::new(),
            glyphs: &UNICODE,
        };
        chart.render(buf.area, &mut buf);
        assert_eq!(buf, Buffer::with_lines(["  "]));
    }
}
