//! What went on over time, a cell for each stretch of it, the oldest at the left.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::part;
use crate::view::{glyphs::Glyphs, pen::Pen};

/// A stretch of time.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Cell {
    /// Before the start or after the end.
    Blank,
    /// The shares of it that went into work and into delay.
    Spent { busy: f32, ready: f32 },
}

pub struct Strip<'a> {
    pub cells: &'a [Cell],
    pub busy: Style,
    pub ready: Style,
    pub rest: Style,
    pub glyphs: &'a Glyphs,
}

impl Strip<'_> {
    /// Delay is drawn where it was more than the work: it is what a person looks for,
    /// and half a cell of each cannot be told apart anyway.
    fn cell(&self, cell: Cell) -> (&str, Style) {
        /// Less delay than this is what every wake costs.
        const DELAY: f32 = 0.05;
        match cell {
            Cell::Blank => (" ", Style::new()),
            Cell::Spent { busy, ready } if ready > busy && ready > DELAY => {
                let much = usize::from(ready > 0.5);
                (self.glyphs.delays[much], self.ready)
            }
            Cell::Spent { busy, .. } if busy > 0.0 => {
                (part(self.glyphs.levels, busy.into()), self.busy)
            }
            Cell::Spent { .. } => (self.glyphs.rest, self.rest),
        }
    }
}

impl Widget for &Strip<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let mut pen = Pen::new(area, 0, buf);
        for cell in self.cells {
            let (symbol, style) = self.cell(*cell);
            pen.put(symbol, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::{ASCII, UNICODE};

    const CELLS: &[Cell] = &[
        Cell::Blank,
        Cell::Spent {
            busy: 0.0,
            ready: 0.0,
        },
        Cell::Spent {
            busy: 0.01,
            ready: 0.0,
        },
        Cell::Spent {
            busy: 0.5,
            ready: 0.2,
        },
        Cell::Spent {
            busy: 1.0,
            ready: 0.0,
        },
        Cell::Spent {
            busy: 0.1,
            ready: 0.2,
        },
        Cell::Spent {
            busy: 0.0,
            ready: 0.9,
        },
    ];

    fn drawn(glyphs: &Glyphs) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 7, 1));
        let strip = Strip {
            cells: CELLS,
            busy: Style::new(),
            ready: Style::new(),
            rest: Style::new(),
            glyphs,
        };
        strip.render(buf.area, &mut buf);
        buf
    }

    #[test]
    fn work_has_a_height_and_delay_a_shade() {
        assert_eq!(drawn(&UNICODE), Buffer::with_lines([" ·▁▄█░▒"]));
        assert_eq!(drawn(&ASCII), Buffer::with_lines([" ._-#rR"]));
    }
}
