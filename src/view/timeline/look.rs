//! What a cell of a lane shows of what was done in it.
//!
//! A cell has room for one state. It shows the worst: what blocks the loop, then delay, then
//! work, then waits, sleep and the rest. What has less than an eighth of the cell, which is
//! the finest that can be drawn, does not hide the others; work is always seen.

use std::time::Duration;

use crate::{
    model::{
        Scope,
        lint::Lints,
        timeline::{Cell, Doing, Grid, Timeline},
    },
    view::widget::{Edge, LaneCell, Load, Side},
};

/// How long polls of a lane are judged.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// They keep others on the event loop waiting.
    TheLoop,
    /// They have a thread of their own.
    Nobody,
}

pub fn looks(cells: &[Cell], grid: &Grid, holds: Holds) -> Vec<LaneCell> {
    let look = |(at, cell): (usize, &Cell)| look(cell, grid, at, holds);
    cells.iter().enumerate().map(look).collect()
}

fn look(cell: &Cell, grid: &Grid, at: usize, holds: Holds) -> LaneCell {
    let whole = (grid.cell().as_nanos() as u64).max(1);
    let total = cell.spent.total();
    if total == 0 {
        return LaneCell::Blank;
    }
    let share = |doing: Doing| cell.spent.nanos(doing) as f64 / whole as f64;
    let is_seen = |doing: Doing| cell.spent.nanos(doing) >= whole.min(total).div_ceil(8);
    let works = cell.spent.nanos(Doing::Running) > 0;
    let load = load(cell.longest, holds);
    if is_seen(Doing::Ready) && !(works && load == Load::Blocking) {
        return LaneCell::Delay {
            share: share(Doing::Ready),
        };
    }
    if works {
        return LaneCell::Work {
            share: share(Doing::Running),
            at: side(cell, grid, at),
            load,
        };
    }
    let rests = [Doing::Ready, Doing::Waiting, Doing::Sleeping, Doing::Idle];
    let shown = rests.into_iter().find(|doing| is_seen(*doing));
    match shown.unwrap_or(Doing::Idle) {
        Doing::Waiting => LaneCell::Wait,
        Doing::Sleeping => LaneCell::Sleep,
        Doing::Ready | Doing::Running | Doing::Idle => LaneCell::Idle,
    }
}

fn load(longest: Duration, holds: Holds) -> Load {
    match holds {
        Holds::TheLoop if longest >= Lints::BLOCKED => Load::Blocking,
        Holds::TheLoop if longest >= Timeline::LONG => Load::Long,
        Holds::TheLoop | Holds::Nobody => Load::Light,
    }
}

/// Where in its cell a poll was, if it went on from the cell before or into the next one.
fn side(cell: &Cell, grid: &Grid, at: usize) -> Side {
    match cell.run() {
        Some((from, _)) if from == grid.start(at) => Side::Left,
        Some((_, to)) if to == grid.start(at + 1) => Side::Right,
        _ => Side::Throughout,
    }
}

/// Several threads as one: the mean of their shares, and the worst of their polls.
pub fn together(lanes: &[Vec<Cell>], grid: &Grid) -> Vec<LaneCell> {
    let whole = (grid.cell().as_nanos() as f64).max(1.0) * lanes.len().max(1) as f64;
    let cell = |at: usize| {
        let cells = || lanes.iter().filter_map(|lane| lane.get(at));
        let total: u64 = cells().map(|cell| cell.spent.total()).max().unwrap_or(0);
        let busy: f64 = cells()
            .map(|cell| cell.spent.nanos(Doing::Running) as f64)
            .sum();
        let working = cells().filter(|cell| cell.spent.nanos(Doing::Running) > 0);
        let longest = working.map(|cell| cell.longest).max().unwrap_or_default();
        let at = match lanes {
            [only] => only.get(at).map_or(Side::Throughout, |c| side(c, grid, at)),
            _ => Side::Throughout,
        };
        match (total, busy > 0.0) {
            (0, _) => LaneCell::Blank,
            (_, false) => LaneCell::Idle,
            (_, true) => LaneCell::Work {
                share: busy / whole,
                at,
                load: load(longest, Holds::TheLoop),
            },
        }
    };
    (0..grid.count()).map(cell).collect()
}

/// A scope, from its beginning to its end, or to `now` while it is open.
pub fn bracket(scope: &Scope, grid: &Grid, now: crate::frame::Time) -> Vec<LaneCell> {
    let mut cells = vec![LaneCell::Blank; grid.count()];
    let Some(opened) = scope.opened else {
        return cells;
    };
    let end = scope.closed.unwrap_or(now);
    if end < grid.from() || opened >= grid.to() || end < opened {
        return cells;
    }
    let (first, last) = (grid.cell_of(opened), grid.cell_of(end));
    let range = first.unwrap_or(0)..=last.unwrap_or(grid.count().saturating_sub(1));
    for at in range {
        let begins = first == Some(at);
        let ends = scope.closed.is_some() && last == Some(at);
        let edge = match (begins, ends) {
            (true, true) => Edge::Both,
            (true, false) => Edge::Begin,
            (false, true) => Edge::End,
            (false, false) => Edge::Within,
        };
        if let Some(cell) = cells.get_mut(at) {
            *cell = LaneCell::Bracket(edge);
        }
    }
    cells
}
