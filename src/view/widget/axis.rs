//! A line of times, with a tick at each round one that has room for its figure.
//!
//! ```text
//! ┬0 s──────┬100 ms───┬200 ms───
//! ```

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use crate::view::{fmt, glyphs::Glyphs, pen::Pen, text};

pub struct Axis<'a> {
    /// How long after the origin the first cell begins.
    pub from: Duration,
    /// What a cell stands for.
    pub cell: Duration,
    /// So many cells at the left are of a time that is only known in sums.
    pub coarse: usize,
    /// Cells in which nothing is known yet begin here.
    pub end: usize,
    pub rule: Style,
    pub figure: Style,
    pub glyphs: &'a Glyphs,
}

/// Steps that a person counts in, in nanoseconds: 1, 2, 5 of each power of ten, then parts
/// of hours and days.
const STEPS: [u64; 37] = {
    const S: u64 = 1_000_000_000;
    let mut steps = [0; 37];
    let (mut i, mut unit) = (0, 1_000);
    while i < 24 {
        steps[i] = unit;
        steps[i + 1] = 2 * unit;
        steps[i + 2] = 5 * unit;
        unit *= 10;
        i += 3;
    }
    let long = [
        30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    ];
    let mut n = 0;
    while n < long.len() {
        steps[i] = long[n] * S;
        i += 1;
        n += 1;
    }
    steps[i] = 7 * 86_400 * S;
    steps
};

impl Axis<'_> {
    /// The time between two ticks: so much that a figure has room between them.
    fn step(&self) -> u64 {
        let cell = self.cell.as_nanos() as u64;
        let fits = |step: u64| {
            let widest = Duration::from_nanos(step.saturating_mul(999)).max(self.from);
            let room = text::width(&fmt::instant(widest, Duration::from_nanos(step)));
            step / cell.max(1) >= room as u64 + 2
        };
        let last = STEPS[STEPS.len() - 1];
        STEPS.into_iter().find(|step| fits(*step)).unwrap_or(last)
    }
}

impl Widget for &Axis<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let width = usize::from(area.width);
        let mut pen = Pen::new(area, 0, buf);
        pen.fill(self.glyphs.groove, self.coarse.min(width), self.rule);
        let known = self.end.saturating_sub(self.coarse);
        pen.fill(self.glyphs.rule, known, self.rule);
        let (from, step) = (self.from.as_nanos() as u64, self.step());
        let cell = (self.cell.as_nanos() as u64).max(1);
        let mut at = from.div_ceil(step).saturating_mul(step);
        loop {
            let column = (at.saturating_sub(from) / cell) as usize;
            if column >= width {
                break;
            }
            let mut pen = Pen::new(area, 0, buf);
            pen.skip(column).put(self.glyphs.tick, self.rule);
            let step_time = Duration::from_nanos(step);
            let figure = fmt::instant(Duration::from_nanos(at), step_time);
            if text::width(&figure) <= pen.room() {
                pen.put(&figure, self.figure);
            }
            match at.checked_add(step) {
                Some(next) => at = next,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::{ASCII, UNICODE};

    fn drawn(from: Duration, cell: Duration, glyphs: &Glyphs) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 32, 1));
        let axis = Axis {
            from,
            cell,
            coarse: 3,
            end: 30,
            rule: Style::new(),
            figure: Style::new(),
            glyphs,
        };
        axis.render(buf.area, &mut buf);
        let cells = buf.content().iter();
        cells.map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn ticks_are_at_round_times() {
        let ms = Duration::from_millis;
        assert_eq!(
            drawn(ms(0), ms(10), &UNICODE),
            "┬0.0 s────┬0.1 s────┬0.2 s────┬ "
        );
        assert_eq!(
            drawn(ms(1_700), ms(100), &ASCII),
            "...|2 s------|3 s------|4 s---  "
        );
    }

    #[test]
    fn any_cell_has_a_step() {
        for cell in [0, 1, 10_000, u64::MAX / 2, u64::MAX] {
            let cell = Duration::from_nanos(cell);
            drawn(Duration::from_nanos(u64::MAX), cell, &UNICODE);
            drawn(Duration::ZERO, cell, &ASCII);
        }
    }
}
