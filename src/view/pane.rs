//! What all panes share: the heading, and the titles, the rows and the cursor of a list.
//!
//! ```text
//! ─ 5 Timers  3 waiting ───────────────────   ━ for the focused pane
//! ```
//!
//! The number is the key of the view that shows the pane on a whole screen.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    View,
    columns::{self, Align, Step},
    cursor::Cursor,
    glyphs::Glyphs,
    layout::Pane,
    pen::Pen,
    tab::Tab,
    text,
    theme::Theme,
    wrap::wrap,
};

/// Draws the heading, and gives the area below it.
pub fn heading(
    view: View<'_>,
    pane: Pane,
    facts: &[(String, Style)],
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let focused = view.state.focused() == Some(pane);
    let theme = view.theme;
    let (rule, rule_style, title) = rule(focused, theme, view.glyphs);
    let mut pen = Pen::new(area, 0, buf);
    pen.put(rule, rule_style).put(
        &format!(" {} {} ", Tab::of(pane).key(), pane.title()),
        title,
    );
    let found = view.found_words(pane);
    let found = found.map(|words| (words, theme.focus()));
    for (fact, style) in found.iter().chain(facts) {
        let fact = text::fit(fact, pen.room().saturating_sub(2), view.glyphs);
        if !fact.is_empty() {
            pen.put(" ", theme.text())
                .put(&fact, *style)
                .put(" ", theme.text());
        }
    }
    let room = pen.room();
    pen.fill(rule, room, rule_style);
    below(area)
}

/// What a heading is drawn with: its rule, the rule's style, and the title's.
pub fn rule(focused: bool, theme: Theme, glyphs: &Glyphs) -> (&'static str, Style, Style) {
    if focused {
        (glyphs.heavy_rule, theme.focus(), theme.focus())
    } else {
        (glyphs.rule, theme.line(), theme.title())
    }
}

/// Lines in the place of rows: what an empty pane has to say, clean, and broken where there is
/// no room.
pub fn say(view: View<'_>, lines: &[&str], area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(2);
    let said = lines
        .iter()
        .flat_map(|line| wrap(&vec![((*line).to_owned(), view.theme.dim())], room));
    for (row, line) in (0..area.height).zip(said) {
        let mut pen = Pen::new(area, row, buf);
        pen.skip(2);
        for (words, style) in line {
            pen.put(&words, style);
        }
    }
}

/// What a pane without rows has to say: `lines`, unless a filter hides what there is.
pub fn empty(view: View<'_>, pane: Pane, lines: &[&str], area: Rect, buf: &mut Buffer) {
    match view.found_of(pane) {
        Some((0, all)) if all > 0 => {
            let hidden = format!("The filter lets none of {all} through: / changes it.");
            say(view, &[&hidden], area, buf);
        }
        _ => say(view, lines, area, buf),
    }
}

/// Draws the titles of a list's columns, so many cells from the left, and gives the area below.
pub fn titles(
    view: View<'_>,
    titles: &[&str],
    widths: &[usize],
    align: impl Fn(usize) -> Align,
    indent: usize,
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let mut pen = Pen::new(area, 0, buf);
    pen.skip(indent);
    let look = (view.theme.label(), view.glyphs);
    for (column, width) in columns::shown(widths) {
        columns::put(&mut pen, titles[column], width, align(column), look);
    }
    below(area)
}

/// The columns of a list.
#[derive(Copy, Clone)]
pub struct Table<'a> {
    pub pane: Pane,
    pub titles: &'a [&'a str],
    /// How they grow with the room that they have.
    pub growth: &'a [Step],
    pub align: fn(usize) -> Align,
    /// Cells at the left of all columns.
    pub indent: u16,
}

/// Draws the titles of a list's columns, and its rows below. `row` draws one in columns of these
/// widths.
pub fn table<'i, T, K: Copy + PartialEq>(
    view: View<'_>,
    table: Table<'_>,
    items: &'i [T],
    cursor: &Cursor<K>,
    area: Rect,
    buf: &mut Buffer,
    mut row: impl FnMut(&'i T, &[usize], &mut Pen<'_>) -> Option<()>,
) {
    let room = usize::from(area.width.saturating_sub(table.indent));
    let widths = columns::widths(table.growth, table.titles.len(), room);
    let indent = usize::from(table.indent);
    let area = titles(view, table.titles, &widths, table.align, indent, area, buf);
    rows(view, table.pane, items, cursor, area, buf, |item, pen| {
        row(item, &widths, pen)
    });
}

/// Draws those rows of a list that are seen, and the cursor. `row` draws one, one cell from the
/// left, if there is such a thing.
pub fn rows<'i, T, K: Copy + PartialEq>(
    view: View<'_>,
    pane: Pane,
    items: &'i [T],
    cursor: &Cursor<K>,
    area: Rect,
    buf: &mut Buffer,
    mut row: impl FnMut(&'i T, &mut Pen<'_>) -> Option<()>,
) {
    let top = cursor.top(usize::from(area.height));
    for (y, (at, item)) in (0..area.height).zip(items.iter().enumerate().skip(top)) {
        let mut pen = Pen::new(area, y, buf);
        pen.skip(1);
        if row(item, &mut pen).is_some() {
            mark(view, pane, at == cursor.row(), line(area, y), buf);
        }
    }
}

/// Draws a row's cursor, if the row has it and its pane the focus.
pub fn mark(view: View<'_>, pane: Pane, at_cursor: bool, line: Rect, buf: &mut Buffer) {
    if at_cursor && view.state.focused() == Some(pane) {
        Pen::new(line, 0, buf).put(view.glyphs.cursor, view.theme.focus());
        buf.set_style(line.intersection(buf.area), view.theme.selected());
    }
}

/// A line of an area.
pub fn line(area: Rect, row: u16) -> Rect {
    Rect {
        y: area.y.saturating_add(row),
        height: 1,
        ..area
    }
}

/// An area without its first line, which holds a heading or titles.
pub fn below(area: Rect) -> Rect {
    Rect {
        y: area.y.saturating_add(1),
        height: area.height.saturating_sub(1),
        ..area
    }
}
