//! The columns of the task table, to choose from.
//!
//! ```text
//! ╭ Columns ────────────────────────────────╮
//! │ ▸ ✔ name     its name, or what stands … │
//! │     kind     task, local, block_on, …   │
//! ╰─────────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    widgets::Widget,
};

use super::{
    View, ViewState,
    chosen::Column,
    popup::{Line, Popup},
    state::Asked,
    text,
};

/// A list of columns with a cursor.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Choosing {
    pub at: usize,
}

impl ViewState {
    /// The list of columns, if it is open.
    fn choosing(&mut self) -> Option<&mut Choosing> {
        match &mut self.asked {
            Some(Asked::Columns(choosing)) => Some(choosing),
            _ => None,
        }
    }

    pub(super) fn take_column(&mut self) {
        if let Some(at) = self.choosing().map(|choosing| choosing.at) {
            self.columns.toggle(at);
        }
    }

    pub(super) fn shift_column(&mut self, by: isize) {
        if let Some(at) = self.choosing().map(|choosing| choosing.at) {
            let at = self.columns.shift(at, by);
            self.asked = Some(Asked::Columns(Choosing { at }));
        }
    }

    pub(super) fn step_columns(&mut self, by: isize) {
        let last = self.columns.all().len() - 1;
        if let Some(choosing) = self.choosing() {
            choosing.at = choosing.at.saturating_add_signed(by).min(last);
        }
    }
}

pub struct Chooser<'a>(pub(super) View<'a>, pub(super) Choosing);

impl Widget for &Chooser<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let popup = Popup {
            title: "Columns",
            lines: &self.lines(),
            scroll: self.first(area),
        };
        popup.render(self.0.theme, self.0.glyphs, area, buf);
    }
}

impl Chooser<'_> {
    /// The first line that is seen, so that the cursor is.
    fn first(&self, body: Rect) -> usize {
        let rows = usize::from(Popup::inner(self.area(body)).height);
        (self.1.at + 1).saturating_sub(rows)
    }

    pub fn area(&self, body: Rect) -> Rect {
        Popup::area(body, self.0.state.columns.all().len())
    }

    /// The column at a place of the screen.
    pub fn at(&self, body: Rect, at: Position) -> Option<usize> {
        let inner = Popup::inner(self.area(body));
        let row = usize::from(at.y.checked_sub(inner.y)?) + self.first(body);
        let count = self.0.state.columns.all().len();
        (inner.contains(at) && row < count).then_some(row)
    }

    fn lines(&self) -> Vec<Line> {
        let view = self.0;
        let (theme, glyphs) = (view.theme, view.glyphs);
        let columns = view.state.columns.all().iter().enumerate();
        let line = |(i, (column, shown)): (usize, &(Column, bool))| {
            let at_cursor = i == self.1.at;
            let cursor = if at_cursor { glyphs.cursor } else { " " };
            let taken = if *shown { glyphs.ok } else { " " };
            let name = text::pad(column.word(), 9, glyphs);
            let (name_style, style) = match (at_cursor, *shown) {
                (true, _) => (theme.focus(), theme.text()),
                (false, true) => (theme.strong(), theme.text()),
                (false, false) => (theme.dim(), theme.dim()),
            };
            vec![
                (format!("{cursor} "), theme.focus()),
                (format!("{taken} "), theme.good()),
                (name, name_style),
                (column.summary().to_owned(), style),
            ]
        };
        columns.map(line).collect()
    }
}
