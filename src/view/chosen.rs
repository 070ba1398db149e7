//! The columns of the task table: which there are, and which of them a person has chosen.

use super::{columns::Align, lists::SortBy};

/// In the order in which they stand unless the person has another.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Column {
    State,
    Name,
    Kind,
    Total,
    Busy,
    Ready,
    Idle,
    Polls,
    Wakes,
    Longest,
    History,
    Waits,
}

impl Column {
    pub const ALL: [Self; 12] = [
        Self::State,
        Self::Name,
        Self::Kind,
        Self::Total,
        Self::Busy,
        Self::Ready,
        Self::Idle,
        Self::Polls,
        Self::Wakes,
        Self::Longest,
        Self::History,
        Self::Waits,
    ];

    /// What the configuration calls it.
    pub const fn word(self) -> &'static str {
        match self.sort() {
            Some(by) => by.word(),
            None => "history",
        }
    }

    /// Of a history, it depends on how long that is.
    pub const fn title(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::Name => "NAME",
            Self::Kind => "KIND",
            Self::Total => "TOTAL",
            Self::Busy => "BUSY",
            Self::Ready => "READY",
            Self::Idle => "IDLE",
            Self::Polls => "POLLS",
            Self::Wakes => "WAKES",
            Self::Longest => "LONGEST",
            Self::History => "LAST",
            Self::Waits => "WAITS FOR",
        }
    }

    /// What it shows, for those who choose.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::State => "what the task does now",
            Self::Name => "its name, or what stands for it",
            Self::Kind => "task, local, block_on, blocking",
            Self::Total => "how long it has lived",
            Self::Busy => "its time in polls",
            Self::Ready => "its time from wake to poll: delay",
            Self::Idle => "its time in sleeps and waits",
            Self::Polls => "how often it was polled",
            Self::Wakes => "how often it was woken",
            Self::Longest => "its longest poll",
            Self::History => "its last moments",
            Self::Waits => "what it waits for, and where",
        }
    }

    pub const fn align(self) -> Align {
        match self {
            Self::State | Self::Name | Self::Kind | Self::History | Self::Waits => Align::Left,
            _ => Align::Right,
        }
    }

    /// A history cannot be sorted by.
    pub const fn sort(self) -> Option<SortBy> {
        Some(match self {
            Self::State => SortBy::State,
            Self::Name => SortBy::Name,
            Self::Kind => SortBy::Kind,
            Self::Total => SortBy::Total,
            Self::Busy => SortBy::Busy,
            Self::Ready => SortBy::Ready,
            Self::Idle => SortBy::Idle,
            Self::Polls => SortBy::Polls,
            Self::Wakes => SortBy::Wakes,
            Self::Longest => SortBy::Longest,
            Self::Waits => SortBy::Waits,
            Self::History => return None,
        })
    }
}

/// All columns in their order, and which of them are shown: one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<(Column, bool)>);

impl Default for Columns {
    fn default() -> Self {
        Self(Column::ALL.map(|column| (column, true)).into())
    }
}

impl Columns {
    /// Shows these in this order; `None` if they are none, or if one is there twice.
    pub fn new(shown: &[Column]) -> Option<Self> {
        let twice = |(i, column): (usize, &Column)| shown[..i].contains(column);
        if shown.is_empty() || shown.iter().enumerate().any(twice) {
            return None;
        }
        let hidden = Column::ALL.into_iter().filter(|c| !shown.contains(c));
        let hidden = hidden.map(|column| (column, false));
        let shown = shown.iter().map(|column| (*column, true));
        Some(Self(shown.chain(hidden).collect()))
    }

    pub fn shown(&self) -> impl Iterator<Item = Column> {
        self.0
            .iter()
            .filter(|(_, shown)| *shown)
            .map(|(column, _)| *column)
    }

    /// Each with whether it is shown.
    pub fn all(&self) -> &[(Column, bool)] {
        &self.0
    }

    /// Shows or hides the column at a place; the last that is shown stays.
    pub fn toggle(&mut self, at: usize) {
        let several = self.shown().nth(1).is_some();
        if let Some((_, shown)) = self.0.get_mut(at) {
            *shown = !*shown || !several;
        }
    }

    /// Moves a column by so many places, as far as there are any; gives its new place.
    pub fn shift(&mut self, at: usize, by: isize) -> usize {
        let last = self.0.len() - 1;
        let at = at.min(last);
        let to = at.saturating_add_signed(by).min(last);
        let column = self.0.remove(at);
        self.0.insert(to, column);
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_left_and_moved() {
        let mut columns = Columns::new(&[Column::Busy, Column::Name]).expect("two columns");
        let shown = |columns: &Columns| columns.shown().collect::<Vec<_>>();
        assert_eq!(shown(&columns), [Column::Busy, Column::Name]);
        assert_eq!(columns.shift(0, 1), 1);
        assert_eq!(shown(&columns), [Column::Name, Column::Busy]);
        columns.toggle(0);
        columns.toggle(1);
        assert_eq!(shown(&columns), [Column::Busy], "the last one stays");
        let last = Column::ALL.len() - 1;
        assert_eq!(columns.shift(last, isize::MAX), last);
        assert_eq!(columns.shift(last, isize::MIN), 0);
        assert_eq!(columns.all().len(), Column::ALL.len());
    }

    #[test]
    fn none_and_two_of_one_are_refused() {
        assert_eq!(Columns::new(&[]), None);
        assert_eq!(Columns::new(&[Column::Busy, Column::Busy]), None);
        assert_eq!(Columns::new(&Column::ALL), Some(Columns::default()));
    }

    #[test]
    fn every_column_has_a_place_and_a_word_of_its_own() {
        for (i, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, i);
            let word = column.word();
            assert!(Column::ALL[..i].iter().all(|c| c.word() != word));
        }
    }
}
