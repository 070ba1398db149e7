//! A line of text that a person types.
//!
//! ```text
//!  busy>10ms na█e=A
//! ```

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{glyphs::Glyphs, pen::Pen, text, theme::Theme};
use crate::keymap::Edit;

#[derive(Clone, Debug, Default)]
pub struct Input {
    text: String,
    /// Where the cursor is: a byte, between two characters.
    at: usize,
}

impl Input {
    /// Nobody types more bytes, but anybody may paste them.
    const MOST: usize = 1_000;

    /// With a text to go on from.
    pub fn new(text: &str) -> Self {
        let mut input = Self::default();
        input.insert(text);
        input
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts in what was typed or pasted, as far as it can stand on a line.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() + c.len_utf8() > Self::MOST {
                break;
            }
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    pub fn edit(&mut self, edit: Edit) {
        match edit {
            Edit::Left => self.at = self.before(),
            Edit::Right => self.at = self.after(),
            Edit::Backspace => self.remove(self.before()..self.at),
            Edit::Delete => self.remove(self.at..self.after()),
            Edit::Word => self.remove(self.word()..self.at),
            Edit::Clear => self.remove(0..self.text.len()),
        }
    }

    pub fn go_to_start(&mut self) {
        self.at = 0;
    }

    pub fn go_to_end(&mut self) {
        self.at = self.text.len();
    }

    fn remove(&mut self, range: Range<usize>) {
        self.at = range.start;
        self.text.replace_range(range, "");
    }

    fn before(&self) -> usize {
        let mut before = self.text[..self.at].grapheme_indices(true);
        before.next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.at..].graphemes(true).next();
        self.at + next.map_or(0, str::len)
    }

    /// Where the word before the cursor begins.
    fn word(&self) -> usize {
        let before = self.text[..self.at].trim_end();
        let blank = before.char_indices().rfind(|(_, c)| c.is_whitespace());
        blank.map_or(0, |(at, c)| at + c.len_utf8())
    }

    /// Draws it in `width` cells, its cursor in sight, and what is wrong of it told apart.
    pub fn draw(
        &self,
        wrong: Option<&Range<usize>>,
        width: usize,
        theme: Theme,
        glyphs: &Glyphs,
        pen: &mut Pen<'_>,
    ) {
        let cells = self.cells(glyphs);
        let cursor = cells.iter().position(|cell| cell.at >= self.at);
        let cursor = cursor.unwrap_or_default();
        let first = first_in_sight(&cells, cursor, width);
        let mut room = width;
        for (i, cell) in cells.iter().enumerate().skip(first) {
            let cells = text::width(&cell.shown);
            if cells > room {
                break;
            }
            room -= cells;
            let style = match wrong {
                Some(range) if range.contains(&cell.at) => theme.wrong(),
                _ => theme.text(),
            };
            let style = if i == cursor {
                style.patch(theme.typed())
            } else {
                style
            };
            pen.put(&cell.shown, style);
        }
        pen.skip(room);
    }

    /// Its characters as they are drawn, and a place behind them for the cursor.
    fn cells(&self, glyphs: &Glyphs) -> Vec<Cell> {
        let graphemes = self.text.grapheme_indices(true);
        let mut cells: Vec<Cell> = graphemes
            .map(|(at, grapheme)| Cell {
                at,
                shown: text::fit(grapheme, 2, glyphs),
            })
            .collect();
        cells.push(Cell {
            at: self.text.len(),
            shown: " ".to_owned(),
        });
        cells
    }
}

struct Cell {
    /// Where it begins in the text.
    at: usize,
    shown: String,
}

/// The first cell to draw, so that the cursor's is within `width`.
fn first_in_sight(cells: &[Cell], cursor: usize, width: usize) -> usize {
    let mut used = 0;
    let before = cells.iter().take(cursor + 1).rev();
    let fitting = before.take_while(|cell| {
        used += text::width(&cell.shown);
        used <= width
    });
    cursor + 1 - fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edits() -> impl Strategy<Value = Vec<Result<Edit, String>>> {
        let edit = prop_oneof![
            Just(Edit::Left),
            Just(Edit::Right),
            Just(Edit::Backspace),
            Just(Edit::Delete),
            Just(Edit::Word),
            Just(Edit::Clear),
        ];
        let typed = prop_oneof!["[a-z ]{1,4}", "任务|e\u{301}|👍🏽|\n"];
        let step = prop_oneof![edit.prop_map(Ok), typed.prop_map(Err)];
        prop::collection::vec(step, 0..40)
    }

    #[test]
    fn a_line_is_typed_and_changed() {
        let mut input = Input::new("busy>1ms main");
        input.edit(Edit::Word);
        input.insert("wörk\n");
        assert_eq!(input.text(), "busy>1ms wörk");
        input.edit(Edit::Left);
        input.edit(Edit::Backspace);
        assert_eq!(input.text(), "busy>1ms wök");
        input.go_to_start();
        input.edit(Edit::Delete);
        input.insert("!b");
        assert_eq!(input.text(), "!busy>1ms wök");
        input.edit(Edit::Clear);
        assert_eq!(input.text(), "");
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_between_two_characters(edits in edits()) {
            let mut input = Input::default();
            for edit in edits {
                match edit {
                    Ok(edit) => input.edit(edit),
                    Err(typed) => input.insert(&typed),
                }
                prop_assert!(input.text().is_char_boundary(input.at));
                prop_assert!(input.text().len() <= Input::MOST);
            }
        }
    }
}
