//! Which columns of a table have room, and how wide they are.

use ratatui::style::Style;

use super::{glyphs::Glyphs, pen::Pen, text};

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    /// Figures.
    Right,
}

/// One step of a table's growth: `column` is to be `width` cells wide.
#[derive(Copy, Clone, Debug)]
pub struct Step {
    pub column: usize,
    pub width: usize,
    /// A part of it is of no use.
    pub whole: bool,
}

pub const fn step(column: usize, width: usize) -> Step {
    Step {
        column,
        width,
        whole: false,
    }
}

pub const fn whole(column: usize, width: usize) -> Step {
    Step {
        column,
        width,
        whole: true,
    }
}

/// The steps, with none for this column that is wider than what it has to hold.
pub fn fitted(steps: &[Step], column: usize, most: usize) -> Vec<Step> {
    let fit = |step: &Step| Step {
        width: if step.column == column {
            step.width.min(most)
        } else {
            step.width
        },
        ..*step
    };
    steps.iter().map(fit).collect()
}

/// Widths of `count` columns with a gap of one cell between them, 0 for those left out.
///
/// Steps are taken in order until one does not fit. A step that widens a column that is
/// there takes what is left, unless it is a whole step; one that adds a column does so
/// whole, or growth ends. What remains goes to the column of the last step.
pub fn widths(steps: &[Step], count: usize, room: usize) -> Vec<usize> {
    let mut widths = vec![0; count];
    let mut left = room;
    for (i, step) in steps.iter().enumerate() {
        let now = widths[step.column];
        let gap = usize::from(now == 0 && i > 0);
        let wanted = (step.width + gap).saturating_sub(now);
        if now > 0 && (wanted <= left || !step.whole) {
            let gained = wanted.min(left);
            widths[step.column] += gained;
            left -= gained;
        } else if now == 0 && (wanted <= left || i == 0) {
            widths[step.column] = step.width.min(left);
            left = left.saturating_sub(wanted);
        } else {
            break;
        }
    }
    if let Some(last) = steps.last()
        && widths[last.column] > 0
    {
        widths[last.column] += left;
    }
    widths
}

/// The columns that have room, with their widths.
pub fn shown(widths: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    let columns = widths.iter().copied().enumerate();
    columns.filter(|(_, width)| *width > 0)
}

impl Align {
    /// Text from anywhere, in exactly `width` cells.
    pub fn pad(self, text: &str, width: usize, glyphs: &Glyphs) -> String {
        match self {
            Self::Left => text::pad(text, width, glyphs),
            Self::Right => text::pad_left(text, width, glyphs),
        }
    }
}

/// Writes a cell of a table and the gap behind it.
pub fn put(pen: &mut Pen<'_>, text: &str, width: usize, align: Align, look: (Style, &Glyphs)) {
    let (style, glyphs) = look;
    pen.put(&align.pad(text, width, glyphs), style).skip(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step] = &[step(0, 4), step(1, 6), step(0, 8), step(2, 5), step(1, 9)];

    #[test]
    fn columns_come_in_the_order_of_the_steps() {
        assert_eq!(widths(STEPS, 3, 0), [0, 0, 0]);
        assert_eq!(widths(STEPS, 3, 3), [3, 0, 0]);
        assert_eq!(widths(STEPS, 3, 10), [4, 0, 0]);
        assert_eq!(widths(STEPS, 3, 11), [4, 6, 0]);
        assert_eq!(widths(STEPS, 3, 13), [6, 6, 0]);
        assert_eq!(widths(STEPS, 3, 21), [8, 6, 5]);
        assert_eq!(widths(STEPS, 3, 40), [8, 25, 5]);
    }

    #[test]
    fn a_column_is_no_wider_than_what_it_holds() {
        let fitted = fitted(STEPS, 0, 5);
        assert_eq!(widths(&fitted, 3, 21), [5, 9, 5]);
        assert_eq!(widths(&fitted, 3, 3), [3, 0, 0]);
    }

    #[test]
    fn they_never_need_more_than_the_room() {
        for room in 0..100 {
            let widths = widths(STEPS, 3, room);
            let shown = widths.iter().filter(|w| **w > 0).count();
            let needed = widths.iter().sum::<usize>() + shown.saturating_sub(1);
            assert!(needed <= room, "{widths:?} in {room}");
        }
    }
}
