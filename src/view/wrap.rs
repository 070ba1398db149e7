//! Breaks text into lines by its width on the screen.
//!
//! ```text
//! 服务员记下点单，│   a full stop or a bracket that closes never begins a line,
//! 交给 gather，   │   one that opens never ends it, a word in other letters stays whole
//! ```
//!
//! Chinese and Japanese have no blanks between words and may be broken between any two
//! characters, but for those rules. What is wider than a whole line is broken where that ends.

use ratatui::{buffer::CellWidth, style::Style};
use unicode_segmentation::UnicodeSegmentation;

use super::popup::Line;

/// What no line may begin with.
const CLOSING: &str = "。，、；：？！）》】」』”’…％.,;:?!)]}%";
/// What no line may end with.
const OPENING: &str = "（《【「『“‘([{";

/// One thing that a person takes for a character.
#[derive(Copy, Clone)]
struct Sign<'a> {
    text: &'a str,
    width: usize,
    style: Style,
}

/// `line` in lines of at most `width` cells, without the blanks at which it was broken. An
/// empty line stays one.
pub fn wrap(line: &Line, width: usize) -> Vec<Line> {
    let signs: Vec<Sign<'_>> = line
        .iter()
        .flat_map(|(text, style)| {
            text.graphemes(true).map(|text| Sign {
                text,
                width: usize::from(text.cell_width()),
                style: *style,
            })
        })
        .collect();
    let mut lines = Vec::new();
    let mut rest = signs.as_slice();
    loop {
        let (line, more) = rest.split_at(line_end(rest, width));
        lines.push(join(trim_end(line)));
        rest = trim_start(more);
        if rest.is_empty() {
            return lines;
        }
    }
}

/// How many signs the first line has: all, or up to the last place where it may be broken.
fn line_end(signs: &[Sign<'_>], width: usize) -> usize {
    let mut used = 0;
    let mut end = 0;
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| signs[before]);
        if before.is_some_and(|before| may_break(before, *sign)) {
            end = at;
        }
        used += sign.width;
        // Blanks at the end of a line are not drawn.
        if used > width && sign.text != " " {
            return if end > 0 { end } else { at.max(1) };
        }
    }
    signs.len()
}

fn may_break(before: Sign<'_>, after: Sign<'_>) -> bool {
    if after.text == " " {
        return false;
    }
    before.text == " "
        || ((before.width > 1 || after.width > 1)
            && !CLOSING.contains(after.text)
            && !OPENING.contains(before.text))
}

fn trim_start<'a, 'b>(signs: &'b [Sign<'a>]) -> &'b [Sign<'a>] {
    let blanks = signs.iter().take_while(|sign| sign.text == " ").count();
    &signs[blanks..]
}

fn trim_end<'a, 'b>(signs: &'b [Sign<'a>]) -> &'b [Sign<'a>] {
    let blanks = signs.iter().rev().take_while(|sign| sign.text == " ");
    &signs[..signs.len() - blanks.count()]
}

/// Neighbours of one style become one text.
fn join(signs: &[Sign<'_>]) -> Line {
    signs
        .chunk_by(|a, b| a.style == b.style)
        .map(|run| {
            let text = run.iter().map(|sign| sign.text).collect();
            (text, run[0].style)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    use super::*;
    use crate::view::text;

    fn wrapped(words: &str, width: usize) -> Vec<String> {
        wrap(&vec![(words.to_owned(), Style::new())], width)
            .into_iter()
            .map(|line| line.into_iter().map(|(text, _)| text).collect())
            .collect()
    }

    #[test]
    fn words_stay_whole_and_blanks_vanish_at_the_break() {
        assert_eq!(
            wrapped("one waiter  serves", 10),
            ["one waiter", "serves"],
            "blanks may hang over the end"
        );
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("(a) b", 3), ["(a)", "b"]);
    }

    #[test]
    fn chinese_is_broken_between_any_two_characters() {
        assert_eq!(wrapped("事件循环不停", 8), ["事件循环", "不停"]);
        // An odd cell stays empty.
        assert_eq!(wrapped("事件循环不停", 7), ["事件循", "环不停"]);
    }

    #[test]
    fn no_line_begins_with_what_closes_nor_ends_with_what_opens() {
        assert_eq!(wrapped("任务好了。再来", 8), ["任务好", "了。再来"]);
        assert_eq!(
            wrapped("取消、超时；（见上）", 6),
            ["取消、", "超时；", "（见", "上）"]
        );
        assert_eq!(wrapped("他说：“好”。走", 8), ["他说：", "“好”。走"]);
        assert_eq!(wrapped("用 gather，再等", 9), ["用", "gather，", "再等"]);
    }

    #[test]
    fn a_word_in_chinese_text_stays_whole() {
        assert_eq!(wrapped("调用create_task后", 13), ["调用", "create_task后"]);
        assert_eq!(wrapped("调用create_task后", 15), ["调用create_task", "后"]);
    }

    #[test]
    fn what_is_wider_than_a_line_is_broken_at_its_end() {
        assert_eq!(wrapped("create_task", 6), ["create", "_task"]);
        // Not even one character fits, and yet there is an end to it.
        assert_eq!(wrapped("任务", 1), ["任", "务"]);
    }

    #[test]
    fn a_break_keeps_the_styles() {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let line = vec![
            ("call ".to_owned(), Style::new()),
            ("to thread".to_owned(), bold),
        ];
        let lines = wrap(&line, 7);
        assert_eq!(
            lines,
            [
                vec![("call ".to_owned(), Style::new()), ("to".to_owned(), bold)],
                vec![("thread".to_owned(), bold)],
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(words in "[a-c 任务，。（]{0,60}", width in 2_usize..20) {
            let lines = wrapped(&words, width);
            for line in &lines {
                prop_assert!(text::width(line) <= width, "{line:?}");
            }
            let dense = |text: &str| text.replace(' ', "");
            prop_assert_eq!(dense(&lines.concat()), dense(&words));
        }
    }
}
