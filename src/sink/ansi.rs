//! A screen as the escape sequences that change a terminal from the one before.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};

use crate::view::text;

/// Hides the cursor and empties the screen.
pub const BEGIN: &str = "\x1b[?25l\x1b[0m\x1b[H\x1b[2J";

/// Leaves the screen as it is, with the cursor in this row, counted from 1.
pub fn end(row: u16) -> String {
    format!("\x1b[0m\x1b[{row};1H\x1b[?25h")
}

/// What changes `before` into `after`; the two are of one size. It begins and ends with no style.
pub fn change(before: &Buffer, after: &Buffer) -> String {
    let mut out = String::new();
    let plain = Cell::default();
    let mut style = &plain;
    // Where the terminal would write next, if all agree on that.
    let mut next = None;
    for (x, y, cell) in differing(before, after) {
        if next != Some((x, y)) {
            let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
        }
        if !alike(style, cell) {
            write_style(cell, &mut out);
            style = cell;
        }
        let symbol = cell.symbol();
        out.extend(symbol.chars().map(printable));
        // Terminals differ on the width of letters with marks.
        next = (symbol.chars().count() == 1).then_some((x + text::width(symbol), y));
    }
    if !alike(style, &plain) {
        out.push_str("\x1b[0m");
    }
    out
}

/// The cells to write, each row from left to right. What was behind a wide character is
/// written, too: terminals have ideas of their own about what is there once that has gone.
fn differing<'a>(
    before: &'a Buffer,
    after: &'a Buffer,
) -> impl Iterator<Item = (usize, usize, &'a Cell)> {
    let width = usize::from(after.area.width.max(1));
    let rows = before
        .content()
        .chunks(width)
        .zip(after.content().chunks(width));
    let changed = rows.enumerate().filter(|(_, (old, new))| old != new);
    changed.flat_map(|(y, (old, new))| {
        let mut was = text::seen(old).peekable();
        text::seen(new).filter_map(move |(x, cell)| {
            while was.next_if(|(at, _)| *at < x).is_some() {}
            let same = was.peek().is_some_and(|(at, old)| *at == x && *old == cell);
            (!same).then_some((x, y, cell))
        })
    })
}

/// No control character leaves this way, whatever is in a cell.
pub fn printable(c: char) -> char {
    if c.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

fn alike(a: &Cell, b: &Cell) -> bool {
    (a.fg, a.bg, a.modifier) == (b.fg, b.bg, b.modifier)
}

fn write_style(cell: &Cell, out: &mut String) {
    const MODIFIERS: [(Modifier, u8); 9] = [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::SLOW_BLINK, 5),
        (Modifier::RAPID_BLINK, 6),
        (Modifier::REVERSED, 7),
        (Modifier::HIDDEN, 8),
        (Modifier::CROSSED_OUT, 9),
    ];
    out.push_str("\x1b[0");
    for (modifier, code) in MODIFIERS {
        if cell.modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    write_color(cell.fg, 30, out);
    write_color(cell.bg, 40, out);
    out.push('m');
}

/// `base` is 30 for the foreground and 40 for the background.
fn write_color(color: Color, base: u8, out: &mut String) {
    let extended = base + 8;
    let _ = match color {
        Color::Reset => Ok(()),
        Color::Indexed(index) => write!(out, ";{extended};5;{index}"),
        Color::Rgb(r, g, b) => write!(out, ";{extended};2;{r};{g};{b}"),
        Color::Black => write!(out, ";{base}"),
        Color::Red => write!(out, ";{}", base + 1),
        Color::Green => write!(out, ";{}", base + 2),
        Color::Yellow => write!(out, ";{}", base + 3),
        Color::Blue => write!(out, ";{}", base + 4),
        Color::Magenta => write!(out, ";{}", base + 5),
        Color::Cyan => write!(out, ";{}", base + 6),
        Color::Gray => write!(out, ";{}", base + 7),
        Color::DarkGray => write!(out, ";{}", base + 60),
        Color::LightRed => write!(out, ";{}", base + 61),
        Color::LightGreen => write!(out, ";{}", base + 62),
        Color::LightYellow => write!(out, ";{}", base + 63),
        Color::LightBlue => write!(out, ";{}", base + 64),
        Color::LightMagenta => write!(out, ";{}", base + 65),
        Color::LightCyan => write!(out, ";{}", base + 66),
        Color::White => write!(out, ";{}", base + 67),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        for c in ['\u{1b}', '\n', '\u{7f}', '\u{9b}'] {
            assert_eq!(printable(c), '\u{fffd}');
        }
        assert_eq!("aé日█".chars().map(printable).collect::<String>(), "aé日█");
    }
}
