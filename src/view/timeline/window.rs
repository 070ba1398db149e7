//! Which stretch of time is seen, in which rows, and where the cursor is.

use std::time::Duration;

use super::{
    links::Links,
    rows::{RowId, Rows},
};
use crate::{
    frame::Time,
    model::{Model, TaskId, timeline::Grid},
    view::{
        cursor::{Cursor, Sight},
        lists::Lists,
    },
};

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;

/// What a cell may stand for, in nanoseconds.
const CELLS: [u64; 28] = [
    10 * US,
    20 * US,
    50 * US,
    100 * US,
    200 * US,
    500 * US,
    MS,
    2 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
    100 * MS,
    200 * MS,
    500 * MS,
    S,
    2 * S,
    5 * S,
    10 * S,
    20 * S,
    30 * S,
    60 * S,
    120 * S,
    300 * S,
    600 * S,
    1_200 * S,
    1_800 * S,
    3_600 * S,
];
/// 50 ms: a launched target tells its news as often.
const FIRST_CELL: usize = 11;

/// How the person looks at the timeline.
#[derive(Clone, Debug)]
pub struct Window {
    pub(super) rows: Rows,
    pub(super) at: Cursor<RowId>,
    /// The poll under the cursor, and what it has to do with others.
    pub(super) links: Option<Links>,
    cell: usize,
    /// The left edge; none while it follows what happens.
    from: Option<Time>,
    /// None while it follows what happens.
    cursor: Option<Time>,
    /// The stretch that is being chosen with the mouse: where it was begun, and where it is now.
    chosen: Option<(Time, Time)>,
    /// Cells that a lane has.
    width: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            at: Cursor::default(),
            links: None,
            cell: FIRST_CELL,
            from: None,
            cursor: None,
            chosen: None,
            width: 1,
        }
    }
}

impl Window {
    /// The time that the cursor is on: the newest, unless the person has moved it.
    pub fn cursor_time(&self, model: &Model) -> Time {
        self.cursor.unwrap_or(model.now)
    }

    pub(super) fn follows(&self) -> bool {
        self.from.is_none()
    }

    pub(super) fn selected(&self) -> RowId {
        let row = self.rows.all().get(self.at.row());
        row.map_or(RowId::Loop, |row| row.id)
    }

    pub(in crate::view) fn sight(&self) -> Sight {
        self.at.sight()
    }

    /// The task of the row that the cursor is on.
    pub(in crate::view) fn task(&self) -> Option<TaskId> {
        match self.selected() {
            RowId::Task(id) => Some(id),
            _ => None,
        }
    }

    /// Takes note of a changed model, and of the room for `width` cells in `height` rows.
    pub(in crate::view) fn sync(
        &mut self,
        model: &Model,
        show_done: bool,
        lists: &Lists,
        (width, height): (usize, usize),
    ) {
        self.width = width.max(1);
        self.rows.sync(model, show_done, lists);
        self.at.sync(self.rows.ids(), height);
        self.look(model);
    }

    pub(in crate::view) fn step(&mut self, by: isize, height: usize, model: &Model) {
        self.at.step(by, self.rows.ids(), height);
        self.look(model);
    }

    /// Folds what is below the row, or unfolds it.
    pub(in crate::view) fn fold(
        &mut self,
        model: &Model,
        show_done: bool,
        lists: &Lists,
        height: usize,
    ) {
        let id = self.selected();
        self.rows.fold(id, model, show_done, lists);
        self.at.choose(id, self.rows.ids(), height);
    }

    pub(in crate::view) fn choose_task(&mut self, task: TaskId, height: usize) {
        self.choose(RowId::Task(task), height);
    }

    pub(super) fn choose(&mut self, row: RowId, height: usize) {
        if self.rows.ids().any(|id| id == row) {
            self.at.choose(row, self.rows.ids(), height);
        }
    }

    pub(super) fn cell(&self) -> Duration {
        Duration::from_nanos(CELLS[self.cell])
    }

    /// The cells that are seen. Borders of cells are whole multiples from the run's start, so
    /// that they are round, and stay where they are while time goes on.
    pub(super) fn grid(&self, model: &Model, width: usize) -> Grid {
        let from = self.from.unwrap_or_else(|| {
            let ahead = width / 10;
            let back = width.saturating_sub(ahead + 1) as u64;
            let newest = self.cells_since_start(model, model.now);
            self.border(model, newest.saturating_sub(back))
        });
        Grid::new(from, self.cell(), width)
    }

    fn cells_since_start(&self, model: &Model, at: Time) -> u64 {
        at.since(start(model)).as_nanos() as u64 / CELLS[self.cell]
    }

    fn border(&self, model: &Model, cells: u64) -> Time {
        start(model) + Duration::from_nanos(CELLS[self.cell].saturating_mul(cells))
    }

    /// Each cell stands for less time, or more; what is under the cursor stays there.
    pub(in crate::view) fn zoom(&mut self, finer: bool, model: &Model) {
        let grid = self.grid(model, self.width);
        let cursor = self.cursor_time(model);
        let column = grid.cell_of(cursor).unwrap_or(self.width / 2);
        self.cell = if finer {
            self.cell.saturating_sub(1)
        } else {
            (self.cell + 1).min(CELLS.len() - 1)
        };
        if self.from.is_some() {
            self.put_at(cursor, column, model);
        }
        self.look(model);
    }

    /// Scrolls so that a time is in a column, as far as the run's start lets it.
    fn put_at(&mut self, at: Time, column: usize, model: &Model) {
        let cells = self.cells_since_start(model, at);
        self.from = Some(self.border(model, cells.saturating_sub(column as u64)));
    }

    /// Moves the cursor by so many cells, and the window with it where it would leave.
    pub(in crate::view) fn move_cursor(&mut self, by: isize, model: &Model) {
        let grid = self.grid(model, self.width);
        let cell = self.cells_since_start(model, self.cursor_time(model));
        let to = self.border(model, cell.saturating_add_signed(by as i64));
        self.from = Some(grid.from());
        self.put_cursor(to.min(grid.to().max(model.now)), model);
    }

    /// Moves window and cursor by a part of the width.
    pub(in crate::view) fn pan(&mut self, by: isize, model: &Model) {
        let far = (self.width / 2).max(1).cast_signed();
        self.move_cursor(far.saturating_mul(by), model);
        let cursor = self.cursor_time(model);
        self.put_at(cursor, self.width / 2, model);
    }

    /// Puts the cursor on a column, and begins to choose a stretch there.
    pub(in crate::view) fn begin(&mut self, column: usize, model: &Model) {
        let grid = self.grid(model, self.width);
        let at = grid.start(column);
        self.from = Some(grid.from());
        self.put_cursor(at, model);
        self.chosen = Some((at, at));
    }

    /// The stretch reaches to a column; the cursor goes along.
    pub(in crate::view) fn stretch(&mut self, column: usize, model: &Model) {
        if let Some((begun, _)) = self.chosen {
            let to = self.grid(model, self.width).start(column);
            self.put_cursor(to, model);
            self.chosen = Some((begun, to));
        }
    }

    /// Shows the stretch that was chosen as large as it fits; a single cell is none.
    pub(in crate::view) fn finish(&mut self, model: &Model) {
        let Some((from, to)) = self.chosen().filter(|(from, to)| from < to) else {
            self.chosen = None;
            return;
        };
        self.chosen = None;
        let length = (to + self.cell()).since(from).as_nanos();
        let fits = |cell: &u64| u128::from(*cell) * self.width as u128 >= length;
        self.cell = CELLS.iter().position(fits).unwrap_or(CELLS.len() - 1);
        self.put_at(from, 0, model);
        self.look(model);
    }

    /// The stretch that is being chosen, from its first cell to its last.
    pub(super) fn chosen(&self) -> Option<(Time, Time)> {
        let (a, b) = self.chosen?;
        Some((a.min(b), a.max(b)))
    }

    /// Puts the cursor on a time, and that in sight.
    pub(super) fn go_to(&mut self, at: Time, model: &Model) {
        self.from = Some(self.grid(model, self.width).from());
        let newest = model.now;
        self.put_cursor(at.clamp(start(model).min(newest), newest), model);
    }

    fn put_cursor(&mut self, at: Time, model: &Model) {
        let at = at.max(start(model));
        self.cursor = Some(at);
        let grid = self.grid(model, self.width);
        match grid.cell_of(at) {
            Some(_) => {}
            None if at + self.cell() == grid.from() => self.put_at(at, 0, model),
            None if at == grid.to() => self.put_at(at, self.width.saturating_sub(1), model),
            None => self.put_at(at, self.width / 2, model),
        }
        self.look(model);
    }

    /// Follows what happens, or stays with what is seen.
    pub(in crate::view) fn toggle_live(&mut self, model: &Model) {
        if self.from.take().is_none() {
            self.from = Some(self.grid(model, self.width).from());
            self.cursor = Some(model.now);
        } else {
            self.cursor = None;
        }
        self.look(model);
    }

    /// It shows what happens now.
    pub(in crate::view) fn is_at_rest(&self) -> bool {
        self.from.is_none() && self.cursor.is_none()
    }

    /// Looks up the poll under the cursor.
    fn look(&mut self, model: &Model) {
        let at = self.cursor_time(model);
        let links = Links::at(self.selected(), at, self.cell(), model);
        let is_same = |known: &Links| links.as_ref().is_some_and(|new| known.is_same(new));
        if !self.links.as_ref().is_some_and(is_same) {
            self.links = links.map(|links| links.complete(model));
        }
    }
}

/// What times are counted from.
pub(super) fn start(model: &Model) -> Time {
    model.started.unwrap_or(model.now)
}
