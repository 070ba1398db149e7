//! Pictures as SVG: text that can be selected, in its true colours, in whatever monospace font
//! there is. A still is one picture; a [`Film`] is many, and moves by itself.

mod film;
mod marks;

use std::fmt::Write;

use ratatui::{buffer::Buffer, style::Modifier};

pub use film::Film;

use self::marks::Mark;
use super::{ansi, palette::Paper};

/// A cell, in units of the picture, and the size of letters that fits.
const CELL: (u32, u32) = (9, 18);
const LETTERS: u32 = 15;
/// From the top of a cell to the line that letters stand on.
const BASELINE: u32 = 14;
/// Between the edge and the first cell.
const MARGIN: u32 = 10;
/// The first that is there.
const FONTS: &str = "'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',\
                     'Noto Sans Mono CJK SC',monospace";

/// One picture.
pub fn still(title: &str, screen: &Buffer, paper: &Paper) -> String {
    let mut out = String::new();
    begin(title, screen, paper, &mut out);
    let marks = marks::of(screen, paper);
    for mark in &marks {
        write_mark(mark, paper, &mut out);
    }
    out.push_str("</g></svg>\n");
    out
}

/// The frame around all marks, which are to follow.
fn begin(title: &str, screen: &Buffer, paper: &Paper, out: &mut String) {
    let (width, height) = (u32::from(screen.area.width), u32::from(screen.area.height));
    let width = width * CELL.0 + 2 * MARGIN;
    let height = height * CELL.1 + 2 * MARGIN;
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" font-family=\"{FONTS}\" \
         font-size=\"{LETTERS}\">"
    );
    out.push_str("<title>");
    escape(title, out);
    let _ = writeln!(
        out,
        "</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{}\"/>\n\
         <g transform=\"translate({MARGIN} {MARGIN})\" fill=\"{}\" xml:space=\"preserve\">",
        paper.background, paper.foreground
    );
}

fn write_mark(mark: &Mark, paper: &Paper, out: &mut String) {
    let (x, y) = (u32::from(mark.x) * CELL.0, u32::from(mark.y) * CELL.1);
    let width = u32::from(mark.cells) * CELL.0;
    let Some(text) = &mark.text else {
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{}\"/>",
            CELL.1, mark.color
        );
        return;
    };
    let _ = write!(out, "<text x=\"{x}\" y=\"{}\"", y + BASELINE);
    if mark.color != paper.foreground {
        let _ = write!(out, " fill=\"{}\"", mark.color);
    }
    for (modifier, attribute) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
    ] {
        if text.face.has(modifier) {
            out.push_str(attribute);
        }
    }
    // Letters keep their shape, and only stand farther apart; shapes have to touch.
    if !text.face.letters {
        let _ = write!(
            out,
            " textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\""
        );
    } else if mark.cells > 1 {
        let _ = write!(out, " textLength=\"{width}\"");
    }
    out.push('>');
    escape(&text.symbols, out);
    out.push_str("</text>\n");
}

/// Text as XML can hold it.
fn escape(text: &str, out: &mut String) {
    for c in text.chars().map(ansi::printable) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
}
