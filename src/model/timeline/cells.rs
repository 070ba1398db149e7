//! A stretch of time in cells of one width, and what lies in each of them.

use std::time::Duration;

use super::doing::{Doing, Spent};
use crate::frame::Time;

/// Cells of one width, side by side.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    from: u64,
    cell: u64,
    count: usize,
}

impl Grid {
    pub fn new(from: Time, cell: Duration, count: usize) -> Self {
        let cell = u64::try_from(cell.as_nanos()).unwrap_or(u64::MAX);
        Self {
            from: from.as_nanos(),
            cell: cell.max(1),
            count,
        }
    }

    pub fn from(&self) -> Time {
        Time::from_nanos(self.from)
    }

    pub fn to(&self) -> Time {
        Time::from_nanos(self.border(self.count))
    }

    pub fn cell(&self) -> Duration {
        Duration::from_nanos(self.cell)
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// When a cell begins.
    pub fn start(&self, cell: usize) -> Time {
        Time::from_nanos(self.border(cell))
    }

    /// The cell that holds a time, if one does.
    pub fn cell_of(&self, at: Time) -> Option<usize> {
        let after = at.as_nanos().checked_sub(self.from)?;
        usize::try_from(after / self.cell)
            .ok()
            .filter(|cell| *cell < self.count)
    }

    pub(super) fn border(&self, cell: usize) -> u64 {
        self.from
            .saturating_add(self.cell.saturating_mul(cell as u64))
    }

    /// A stretch lies within one cell, or outside of all.
    pub(super) fn is_within_one(&self, from: u64, to: u64) -> bool {
        let cell = |at: u64| at.saturating_sub(self.from) / self.cell;
        from >= self.from && cell(from) == cell(to.saturating_sub(1).max(from))
    }
}

/// What a task or a thread did in a cell.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub spent: Spent,
    /// The longest of the polls that touch it, in its full length.
    pub longest: Duration,
    /// Polls that began in it; of a sum, in the first of its cells.
    pub polls: u32,
    /// Times are spread evenly over what is only known by its sum.
    pub is_coarse: bool,
    /// From the beginning of the first poll in it to the end of the last.
    run: Option<(u64, u64)>,
}

impl Cell {
    /// Where in the cell the task was polled, if that was in one piece.
    pub fn run(&self) -> Option<(Time, Time)> {
        let (from, to) = self.run?;
        let whole = to.saturating_sub(from) == self.spent.nanos(Doing::Running);
        (whole && !self.is_coarse).then(|| (Time::from_nanos(from), Time::from_nanos(to)))
    }
}

impl Cell {
    /// Takes of each figure the greater.
    pub(super) fn be_worse(&mut self, other: &Self) {
        self.spent.be_worse(&other.spent);
        self.longest = self.longest.max(other.longest);
        self.polls = self.polls.saturating_add(other.polls);
        self.is_coarse |= other.is_coarse;
        self.run = self.run.or(other.run).map(|_| (0, u64::MAX));
    }
}

/// A stretch of a lane.
#[derive(Copy, Clone, Debug)]
pub(super) struct Span {
    pub from: u64,
    pub to: u64,
    pub what: What,
    /// In nanoseconds.
    pub longest: u64,
    pub polls: u32,
}

#[derive(Copy, Clone, Debug)]
pub(super) enum What {
    One(Doing),
    /// In an order that is not known any more.
    Mixed(Spent),
}

impl Span {
    pub(super) fn spent(&self) -> Spent {
        match self.what {
            What::Mixed(spent) => spent,
            What::One(doing) => {
                let mut spent = Spent::default();
                spent.add(doing, self.to.saturating_sub(self.from));
                spent
            }
        }
    }
}

/// Adds a stretch to the cells that it touches.
pub(super) fn add(cells: &mut [Cell], grid: &Grid, span: &Span) {
    let from = span.from.max(grid.from);
    let to = span.to.min(grid.border(grid.count));
    if from >= to {
        return;
    }
    let whole = span.to - span.from;
    let first = ((from - grid.from) / grid.cell) as usize;
    for (at, cell) in cells.iter_mut().enumerate().skip(first) {
        let (start, end) = (from.max(grid.border(at)), to.min(grid.border(at + 1)));
        if start >= end {
            break;
        }
        cell.longest = cell.longest.max(Duration::from_nanos(span.longest));
        if start == span.from {
            cell.polls = cell.polls.saturating_add(span.polls);
        }
        match span.what {
            What::One(doing) => {
                cell.spent.add(doing, end - start);
                if doing == Doing::Running {
                    let begun = cell.run.map_or(start, |(begun, _)| begun);
                    cell.run = Some((begun, end));
                }
            }
            What::Mixed(spent) => {
                cell.spent.add_all(&spent.part(end - start, whole));
                cell.is_coarse |= span.to - span.from > grid.cell;
                // Where in the cell is not known, but that it was not in one piece is
                // likely.
                cell.run = Some((0, u64::MAX));
            }
        }
    }
}
