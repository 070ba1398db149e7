//! A screen as what is drawn for it: rectangles, and above them pieces of text, each of one
//! style and in its place.

use ratatui::{
    buffer::{Buffer, Cell},
    style::Modifier,
};

use crate::{
    sink::palette::{Paper, Rgb},
    view::text,
};

/// Something to draw: text, or, where there is none, a rectangle. Sorted as it is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub y: u16,
    pub x: u16,
    pub cells: u16,
    pub color: Rgb,
    pub text: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub symbols: String,
    pub face: Face,
}

/// What all characters of a text have in common.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Face {
    /// Cells of a character.
    wide: u16,
    /// Plain letters; else shapes, or characters for which another font may step in.
    pub letters: bool,
    /// The bits of a [`Modifier`]: those that are a text's, and no colour's.
    modifier: u16,
}

impl Face {
    pub fn has(self, modifier: Modifier) -> bool {
        Modifier::from_bits_truncate(self.modifier).contains(modifier)
    }
}

/// The marks of a screen, in the order in which they can be drawn: no text is hidden.
pub(super) fn of(screen: &Buffer, paper: &Paper) -> Vec<Mark> {
    let width = usize::from(screen.area.width.max(1));
    let mut marks = Vec::new();
    for (y, line) in (0..).zip(screen.content().chunks(width)) {
        let mut begun = Begun::default();
        for (x, cell) in text::seen(line) {
            begun.add(x as u16, y, cell, paper, &mut marks);
        }
        begun.end(&mut marks);
    }
    marks.sort_by_key(|mark| (mark.text.is_some(), mark.y, mark.x));
    marks
}

/// Marks that may still grow to the right.
#[derive(Default)]
struct Begun {
    fill: Option<Mark>,
    text: Option<Mark>,
    /// A blank that is in the text only if more follows.
    blank: bool,
}

/// Modifiers that are seen without any letters, ...
const LINES: Modifier = Modifier::UNDERLINED.union(Modifier::CROSSED_OUT);
/// ... and all that do not change a colour.
const OF_TEXT: Modifier = LINES.union(Modifier::BOLD).union(Modifier::ITALIC);

impl Begun {
    fn add(&mut self, x: u16, y: u16, cell: &Cell, paper: &Paper, marks: &mut Vec<Mark>) {
        let symbol = cell.symbol();
        let wide = u16::try_from(text::width(symbol)).unwrap_or(1).max(1);
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut fore, mut back) = (paper.color(cell.fg), paper.color(cell.bg));
        if has(Modifier::REVERSED) {
            (fore, back) = (
                back.or(Some(paper.background)),
                fore.or(Some(paper.foreground)),
            );
        }
        self.fill(x, y, wide, back, marks);
        let mut color = fore.unwrap_or(paper.foreground);
        if has(Modifier::DIM) {
            color = color.dimmed(back.unwrap_or(paper.background));
        }
        let face = Face {
            wide,
            letters: symbol.chars().all(|c| c.is_ascii() || is_latin(c)),
            modifier: cell.modifier.intersection(OF_TEXT).bits(),
        };
        let lined = cell.modifier.intersects(LINES);
        if has(Modifier::HIDDEN) || (symbol.trim().is_empty() && !lined) {
            // Two blanks end a text: columns keep their places by themselves.
            if std::mem::replace(&mut self.blank, true) {
                self.end_text(marks);
            }
            return;
        }
        let blanks = u16::from(std::mem::take(&mut self.blank));
        if let Some(begun) = &mut self.text
            && let Some(text) = &mut begun.text
            && (text.face, begun.color) == (face, color)
            // A blank has the width of a letter.
            && (blanks == 0 || face.letters)
        {
            text.symbols.push_str(&" ".repeat(usize::from(blanks)));
            text.symbols.push_str(symbol);
            begun.cells += blanks + wide;
            return;
        }
        self.end_text(marks);
        let symbols = symbol.to_owned();
        self.text = Some(Mark {
            text: Some(Text { symbols, face }),
            y,
            x,
            cells: wide,
            color,
        });
    }

    fn fill(&mut self, x: u16, y: u16, cells: u16, color: Option<Rgb>, marks: &mut Vec<Mark>) {
        match (&mut self.fill, color) {
            (Some(begun), Some(color)) if begun.color == color => begun.cells += cells,
            _ => {
                marks.extend(self.fill.take());
                self.fill = color.map(|color| Mark {
                    text: None,
                    y,
                    x,
                    cells,
                    color,
                });
            }
        }
    }

    fn end_text(&mut self, marks: &mut Vec<Mark>) {
        marks.extend(self.text.take());
        self.blank = false;
    }

    fn end(mut self, marks: &mut Vec<Mark>) {
        marks.extend(self.fill.take());
        marks.extend(self.text.take());
    }
}

/// A letter that each font has in a letter's width.
fn is_latin(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{24f}')
}
