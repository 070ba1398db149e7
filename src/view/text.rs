//! Text from outside, made fit for one line of a terminal.
//!
//! A name, a field or a line of output may hold anything: escape sequences, newlines,
//! text that runs from right to left, a megabyte. All of it goes through [`fit`] or
//! [`pad`], whose cost is bounded by the width asked for, not by the text.

use ratatui::buffer::{Cell, CellWidth};
use unicode_segmentation::UnicodeSegmentation;

use super::glyphs::Glyphs;

/// Marks over one letter that are kept. More than two is a prank.
const MARKS: usize = 2;

/// How wide clean text is on the screen.
pub fn width(text: &str) -> usize {
    if is_plain(text.as_bytes()) {
        return text.len();
    }
    text.graphemes(true)
        .map(|g| usize::from(g.cell_width()))
        .sum()
}

/// How wide text from anywhere is, before it is clean: about so much.
pub fn about_width(text: &str) -> usize {
    if text.chars().any(char::is_control) {
        text.chars().count()
    } else {
        width(text)
    }
}

/// The cells of a line that are seen: those behind a wide character are hidden by it.
pub fn seen(line: &[Cell]) -> impl Iterator<Item = (usize, &Cell)> {
    let mut next = 0;
    line.iter().enumerate().filter(move |(at, cell)| {
        let seen = *at >= next;
        if seen {
            next = at + width(cell.symbol()).max(1);
        }
        seen
    })
}

/// What stands in a line of the screen.
pub fn of(line: &[Cell]) -> String {
    seen(line).map(|(_, cell)| cell.symbol()).collect()
}

/// `text` in at most `width` cells, with an ellipsis where it was cut.
pub fn fit(text: &str, width: usize, glyphs: &Glyphs) -> String {
    // Most text is plain as far as it will be seen, and then bytes are cells.
    let seen = text.as_bytes().get(..=width).unwrap_or(text.as_bytes());
    if is_plain(seen) {
        return match width.checked_sub(1) {
            _ if text.len() <= width => text.to_owned(),
            Some(kept) => text[..kept].to_owned() + glyphs.ellipsis,
            None => String::new(),
        };
    }
    // Only zero-width characters make the clean text shorter than the raw one; a run of
    // them that uses up this bound is cut as any long text is.
    let bound = width.saturating_mul(4).saturating_add(32);
    let mut chars = text.chars();
    let mut clean = String::new();
    let mut marks = 0;
    for c in chars.by_ref().take(bound) {
        push_clean(&mut clean, c, &mut marks, glyphs);
    }
    let more = chars.next().is_some();

    let mut fitted = String::new();
    let mut used = 0;
    // Where to cut so that the ellipsis has room.
    let mut cut_at = 0;
    let mut overflow = more;
    for g in clean.graphemes(true) {
        let w = usize::from(g.cell_width());
        if used + w > width {
            overflow = true;
            break;
        }
        fitted.push_str(g);
        used += w;
        if used < width {
            cut_at = fitted.len();
        }
    }
    if overflow && width > 0 {
        fitted.truncate(cut_at);
        fitted.push_str(glyphs.ellipsis);
    }
    fitted
}

/// `text` in exactly `width` cells, filled up with spaces at its end.
pub fn pad(text: &str, width: usize, glyphs: &Glyphs) -> String {
    let mut fitted = fit(text, width, glyphs);
    let used = self::width(&fitted);
    fitted.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    fitted
}

/// `text` in exactly `width` cells, filled up with spaces at its start.
pub fn pad_left(text: &str, width: usize, glyphs: &Glyphs) -> String {
    let fitted = fit(text, width, glyphs);
    let used = self::width(&fitted);
    let mut padded = " ".repeat(width.saturating_sub(used));
    padded.push_str(&fitted);
    padded
}

/// Printable ASCII and nothing else: as many cells as bytes, each with one of them.
pub(super) fn is_plain(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b' '..=b'~'))
}

fn push_clean(clean: &mut String, c: char, marks: &mut usize, glyphs: &Glyphs) {
    let is_mark = matches!(c, '\u{300}'..='\u{36f}');
    if is_mark && glyphs.unicode && *marks < MARKS && !clean.ends_with([' ', '\n']) {
        if !clean.is_empty() {
            *marks += 1;
            clean.push(c);
        }
        return;
    }
    let shown = match c {
        c if is_invisible(c) => {
            if glyphs.unicode {
                '␦'
            } else {
                '?'
            }
        }
        '\u{2028}' | '\u{2029}' if glyphs.unicode => '␊',
        '\0'..='\u{1f}' if glyphs.unicode => char::from_u32(0x2400 + u32::from(c)).unwrap_or('␦'),
        '\u{7f}' if glyphs.unicode => '␡',
        c if c.is_control() && glyphs.unicode => '␦',
        c if c.is_control() || (!c.is_ascii() && !glyphs.unicode) => '?',
        c => c,
    };
    let mut buffer = [0; 4];
    // Variation selectors, marks of other scripts and their like take no room, and terminals
    // disagree about what they do to the rest of the line.
    if shown.encode_utf8(&mut buffer).cell_width() > 0 {
        *marks = 0;
        clean.push(shown);
    }
}

/// It turns, joins or separates what is around it, or looks like a blank: two names may
/// differ in nothing else, and one may be made of nothing else.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    use super::{
        super::glyphs::{ASCII, UNICODE},
        *,
    };

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(fit("a\x1b[31mb\n", 20, &UNICODE), "a␛[31mb␊");
        assert_eq!(fit("a\x1b[31mb\n", 20, &ASCII), "a?[31mb?");
    }

    #[test]
    fn long_text_ends_with_an_ellipsis() {
        assert_eq!(fit("abcdef", 6, &UNICODE), "abcdef");
        assert_eq!(fit("abcdef", 5, &UNICODE), "abcd…");
        assert_eq!(fit("abcdef", 1, &UNICODE), "…");
        assert_eq!(fit("abcdef", 0, &UNICODE), "");
    }

    #[test]
    fn a_wide_character_is_never_split() {
        assert_eq!(fit("任务一", 6, &UNICODE), "任务一");
        assert_eq!(fit("任务一", 5, &UNICODE), "任务…");
        assert_eq!(fit("任务一", 4, &UNICODE), "任…");
        assert_eq!(pad("任务一", 4, &UNICODE), "任… ");
    }

    #[test]
    fn what_turns_or_joins_unseen_is_shown() {
        let text = "a\u{202e}b\u{200b}c\u{200d}";
        assert_eq!(fit(text, 9, &UNICODE), "a␦b␦c␦");
        assert_eq!(fit(text, 9, &ASCII), "a?b?c?");
    }

    #[test]
    fn marks_stay_with_their_letter_and_within_bounds() {
        assert_eq!(fit("\u{301}\u{302}", 9, &UNICODE), "");
        assert_eq!(fit("e\u{301}", 9, &UNICODE), "e\u{301}");
        assert_eq!(
            fit(&format!("e{}", "\u{301}".repeat(500)), 3, &UNICODE),
            "e\u{301}\u{301}…"
        );
    }

    #[test]
    fn figures_stand_at_the_right() {
        assert_eq!(pad_left("1.2 ms", 8, &UNICODE), "  1.2 ms");
    }

    /// What ratatui makes of a text is what a person sees.
    fn drawn_width(text: &str) -> usize {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 400, 1));
        let (end, _) = buffer.set_stringn(0, 0, text, 400, Style::new());
        usize::from(end)
    }

    /// Mostly characters that do harm.
    fn hostile() -> impl Strategy<Value = String> {
        let nasty = prop_oneof![
            any::<char>(),
            (0_u32..0x20).prop_map(|c| char::from_u32(c).unwrap_or(' ')),
            prop::sample::select(
                "\u{7f}\u{9b}\u{200b}\u{200d}\u{202e}\u{2066}\u{fe0f}\u{300}\u{e0061}\u{ad}\u{2028}\u{644}\u{627}\u{ff9e}任👍🏽🇩🇪e "
                    .chars()
                    .collect::<Vec<_>>()
            ),
        ];
        prop::collection::vec(nasty, 0..80).prop_map(|chars| chars.into_iter().collect())
    }

    proptest! {
        #[test]
        fn padded_text_is_as_wide_as_promised(text in hostile(), width in 0_usize..60) {
            for glyphs in [&UNICODE, &ASCII] {
                for padded in [pad(&text, width, glyphs), pad_left(&text, width, glyphs)] {
                    prop_assert_eq!(drawn_width(&padded), width, "{:?}", padded);
                    prop_assert!(!padded.contains(char::is_control));
                }
            }
        }

        #[test]
        fn ascii_stays_ascii(text in hostile(), width in 0_usize..60) {
            prop_assert!(pad(&text, width, &ASCII).is_ascii());
        }

        #[test]
        fn fitting_twice_changes_nothing(text in hostile(), width in 0_usize..60) {
            let once = fit(&text, width, &UNICODE);
            prop_assert_eq!(fit(&once, width, &UNICODE), once);
        }
    }

    #[test]
    fn the_cost_is_bounded_by_the_width() {
        // A gigabyte would not fit in memory; what counts is that the tail is not read.
        let text = "\u{301}".repeat(1 << 20);
        let start = text.as_str();
        assert!(fit(start, 10, &UNICODE).len() < 200);
    }
}
