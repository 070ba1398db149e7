//! A cursor in a list: it follows its item, not its row, while the list changes around it.

/// Where the cursor is, and which rows are seen. `K` is what an item is known by.
#[derive(Clone, Debug)]
pub struct Cursor<K> {
    /// None until it is moved, and then it is on the first row, whatever that is.
    at: Option<K>,
    row: usize,
    top: usize,
}

/// A cursor's place in its list, whatever the items are.
#[derive(Copy, Clone, Debug, Default)]
pub struct Sight {
    row: usize,
    top: usize,
}

impl Sight {
    /// The row that the cursor is on.
    pub fn row(self) -> usize {
        self.row
    }

    /// The first row that is seen where `height` rows have room.
    pub fn top(self, height: usize) -> usize {
        window(self.top, self.row, height)
    }
}

/// How a cursor is moved.
#[derive(Copy, Clone, Debug)]
pub enum Motion {
    /// By so many rows.
    Step(isize),
    /// What is seen moves by so many rows; the cursor goes along where it would be left out.
    Scroll(isize),
}

impl<K> Default for Cursor<K> {
    fn default() -> Self {
        Self {
            at: None,
            row: 0,
            top: 0,
        }
    }
}

impl<K: Copy + PartialEq> Cursor<K> {
    /// The item that the cursor was moved to, if it was moved.
    pub fn chosen(&self) -> Option<K> {
        self.at
    }

    pub fn sight(&self) -> Sight {
        let (row, top) = (self.row, self.top);
        Sight { row, top }
    }

    /// The row that the cursor is on.
    pub fn row(&self) -> usize {
        self.row
    }

    /// The first row that is seen where `height` rows have room.
    pub fn top(&self, height: usize) -> usize {
        self.sight().top(height)
    }

    /// Takes note of a changed list. The item stays on its line of the screen as far as can
    /// be; if it has gone, the cursor stays on that line.
    pub fn sync(&mut self, mut rows: impl ExactSizeIterator<Item = K>, height: usize) {
        let len = rows.len();
        let line = self.row.saturating_sub(self.top);
        let found = self.at.and_then(|at| {
            let rows = rows.by_ref().enumerate();
            let mut before = None;
            for (row, item) in rows {
                if item == at {
                    return Some((row, Some(item)));
                }
                if row <= self.row {
                    before = Some((row, item));
                }
            }
            before.map(|(row, item)| (row, Some(item)))
        });
        (self.row, self.at) = found.unwrap_or((0, None));
        self.top = self.row.saturating_sub(line);
        self.keep_in_sight(len, height);
    }

    pub fn go(&mut self, how: Motion, rows: impl ExactSizeIterator<Item = K>, height: usize) {
        match how {
            Motion::Step(by) => self.step(by, rows, height),
            Motion::Scroll(by) => self.scroll(by, rows, height),
        }
    }

    /// Moves by so many rows.
    pub fn step(&mut self, by: isize, mut rows: impl ExactSizeIterator<Item = K>, height: usize) {
        let len = rows.len();
        self.row = self
            .row
            .saturating_add_signed(by)
            .min(len.saturating_sub(1));
        self.at = rows.nth(self.row).filter(|_| by != isize::MIN);
        self.keep_in_sight(len, height);
    }

    /// Puts the cursor on an item, which the next list has to hold.
    pub fn aim(&mut self, item: K) {
        self.at = Some(item);
    }

    fn scroll(&mut self, by: isize, mut rows: impl ExactSizeIterator<Item = K>, height: usize) {
        let len = rows.len();
        let top = self.top(height).saturating_add_signed(by);
        self.top = top.min(len.saturating_sub(height));
        let last = self.top.saturating_add(height.max(1)) - 1;
        let row = self.row.clamp(self.top, last).min(len.saturating_sub(1));
        if row != self.row {
            self.row = row;
            self.at = rows.nth(row);
        }
    }

    /// Puts the cursor on an item of the list.
    pub fn choose(&mut self, item: K, rows: impl ExactSizeIterator<Item = K>, height: usize) {
        self.aim(item);
        self.sync(rows, height);
    }

    /// A new order is looked at from its beginning.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Scrolls no farther than the cursor demands.
    fn keep_in_sight(&mut self, len: usize, height: usize) {
        let most = len.saturating_sub(height);
        self.top = window(self.top.min(most), self.row, height);
    }
}

/// The first of `rows` rows in sight: `top`, unless the cursor is out of sight then.
fn window(top: usize, cursor: usize, rows: usize) -> usize {
    top.clamp((cursor + 1).saturating_sub(rows.max(1)), cursor)
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn it_follows_its_item_and_keeps_its_line() {
        let mut cursor = Cursor::default();
        let rows = [1, 2, 3, 4, 5, 6];
        cursor.step(4, rows.iter().copied(), 3);
        assert_eq!((cursor.row(), cursor.top(3)), (4, 2));
        let grown = [9, 8, 1, 2, 3, 4, 5, 6];
        cursor.sync(grown.iter().copied(), 3);
        assert_eq!((cursor.row(), cursor.top(3)), (6, 4));
    }

    #[test]
    fn it_stays_where_its_item_was() {
        let mut cursor = Cursor::default();
        cursor.step(1, [1, 2, 3].iter().copied(), 3);
        cursor.sync([1, 3].iter().copied(), 3);
        assert_eq!(cursor.row(), 1);
        cursor.sync([3].iter().copied(), 3);
        assert_eq!(cursor.row(), 0);
        cursor.sync([0_i32; 0].iter().copied(), 3);
        assert_eq!(cursor.row(), 0);
    }

    #[test]
    fn one_that_was_not_moved_is_on_the_first_row() {
        let mut cursor = Cursor::default();
        cursor.sync([1, 2].iter().copied(), 2);
        cursor.sync([0, 1, 2].iter().copied(), 2);
        assert_eq!(cursor.row(), 0);
        cursor.step(2, [0, 1, 2].iter().copied(), 2);
        cursor.step(isize::MIN, [0, 1, 2].iter().copied(), 2);
        cursor.sync([7, 0, 1, 2].iter().copied(), 2);
        assert_eq!(cursor.row(), 0);
    }

    #[test]
    fn scrolling_takes_the_cursor_along() {
        let mut cursor = Cursor::default();
        let rows = || 0..9;
        cursor.scroll(3, rows(), 4);
        assert_eq!((cursor.row(), cursor.top(4)), (3, 3));
        cursor.scroll(isize::MAX, rows(), 4);
        assert_eq!((cursor.row(), cursor.top(4)), (5, 5));
        cursor.scroll(-2, rows(), 4);
        assert_eq!((cursor.row(), cursor.top(4)), (5, 3));
        cursor.scroll(isize::MIN, rows(), 4);
        assert_eq!((cursor.row(), cursor.top(4)), (3, 0));
        cursor.scroll(1, 0..0, 4);
        assert_eq!((cursor.row(), cursor.top(4)), (0, 0));
    }

    #[test]
    fn fewer_rows_in_sight_keep_the_cursor_there() {
        let mut cursor = Cursor::default();
        cursor.step(5, (0..9).collect::<Vec<_>>().into_iter(), 6);
        assert_eq!(cursor.top(6), 0);
        assert_eq!(cursor.top(2), 4);
    }
}
