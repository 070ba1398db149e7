//! A small part of Markdown as lines of the screen: headings, paragraphs, lists and code.
//!
//! ```text
//! ─ Look for ─────────────────          a heading
//! · main is sleeping, and two           an item of a list
//!   timers run down together
//!
//! │ await a            │ a.await?;      code with a rail; two in a row stand side by side
//! │ await b            │ b.await?;      where there is room
//! ```

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use ratatui::{buffer::CellWidth, style::Style};

use super::{glyphs::Glyphs, popup::Line, text, theme::Theme, wrap::wrap};

/// A text that is taken apart.
#[derive(Debug, Default, PartialEq)]
pub struct Document {
    /// The first heading, in plain letters.
    pub title: String,
    /// What follows it.
    blocks: Vec<Block>,
}

#[derive(Debug, PartialEq)]
enum Block {
    Heading(Vec<Run>),
    Paragraph(Vec<Run>),
    Item(Vec<Run>),
    Code(String),
}

/// Words of one look.
#[derive(Debug, PartialEq)]
struct Run {
    words: String,
    look: Look,
}

#[derive(Copy, Clone, Debug, PartialEq)]
enum Look {
    Plain,
    Bold,
    Code,
}

/// From this width on, two blocks of code have room beside each other.
const SIDE_BY_SIDE: usize = 100;
/// Nobody likes to read longer lines of prose.
const PROSE: usize = 88;

impl Document {
    /// Reads Markdown. What is not of its small part, such as a table, is taken as text.
    pub fn parse(markdown: &str) -> Self {
        let mut reader = Reader::default();
        for event in Parser::new(markdown) {
            reader.take(event);
        }
        reader.document
    }

    /// All but the title, in lines of at most `width` cells.
    pub fn lines(&self, width: usize, theme: Theme, glyphs: &Glyphs) -> Vec<Line> {
        let page = Layout {
            width,
            theme,
            glyphs,
        };
        let mut lines = Vec::new();
        let mut blocks = self.blocks.as_slice();
        let mut above: Option<&Block> = None;
        while let Some((block, rest)) = blocks.split_first() {
            if above.is_some_and(|above| has_gap(above, block)) {
                lines.push(Line::new());
            }
            above = Some(block);
            blocks = rest;
            match (block, rest) {
                (Block::Code(left), [Block::Code(right), rest @ ..]) if width >= SIDE_BY_SIDE => {
                    lines.extend(page.beside(left, right));
                    blocks = rest;
                }
                _ => lines.extend(page.block(block)),
            }
        }
        lines
    }
}

/// A heading stands close to what it is the heading of, and the items of a list together.
fn has_gap(above: &Block, below: &Block) -> bool {
    match (above, below) {
        (Block::Heading(_), _) => matches!(below, Block::Heading(_)),
        (Block::Item(_), Block::Item(_)) => false,
        _ => true,
    }
}

/// Collects the parser's events.
#[derive(Default)]
struct Reader {
    document: Document,
    runs: Vec<Run>,
    code: Option<String>,
    bold: bool,
    in_item: bool,
    /// A line of the source has ended within a paragraph.
    line_ended: bool,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
                self.code = Some(String::new());
            }
            Event::Start(Tag::Strong) => self.bold = true,
            Event::Start(Tag::Item) => self.in_item = true,
            Event::End(TagEnd::CodeBlock) => {
                let code = self.code.take().map(Block::Code);
                self.document.blocks.extend(code);
            }
            Event::End(TagEnd::Strong) => self.bold = false,
            Event::End(TagEnd::Item) => {
                self.in_item = false;
                self.end(Block::Item);
            }
            Event::End(TagEnd::Paragraph) if !self.in_item => self.end(Block::Paragraph),
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::SoftBreak | Event::HardBreak => self.line_ended = true,
            Event::Text(words) => match &mut self.code {
                Some(code) => code.push_str(&words),
                None => self.push(&words, if self.bold { Look::Bold } else { Look::Plain }),
            },
            Event::Code(words) => self.push(&words, Look::Code),
            _ => {}
        }
    }

    fn push(&mut self, words: &str, look: Look) {
        if std::mem::take(&mut self.line_ended) && self.is_blank_at_break(words) {
            self.push(" ", Look::Plain);
        }
        match self.runs.last_mut() {
            Some(last) if last.look == look => last.words.push_str(words),
            _ => self.runs.push(Run {
                words: words.to_owned(),
                look,
            }),
        }
    }

    /// Where a line of the source ends there is a blank, but not within Chinese, nor by its
    /// punctuation.
    fn is_blank_at_break(&self, words: &str) -> bool {
        let wide = |c: char| c.encode_utf8(&mut [0; 4]).cell_width() > 1;
        let stop = |c: char| wide(c) && !c.is_alphanumeric();
        let before = self.runs.last().and_then(|run| run.words.chars().last());
        match (before, words.chars().next()) {
            (Some(before), Some(after)) => {
                !(stop(before) || stop(after) || wide(before) && wide(after))
            }
            _ => false,
        }
    }

    fn end(&mut self, block: impl FnOnce(Vec<Run>) -> Block) {
        self.line_ended = false;
        let runs = std::mem::take(&mut self.runs);
        if !runs.is_empty() {
            self.document.blocks.push(block(runs));
        }
    }

    fn end_heading(&mut self) {
        if self.document.title.is_empty() && self.document.blocks.is_empty() {
            let runs = std::mem::take(&mut self.runs);
            self.document.title = runs.into_iter().map(|run| run.words).collect();
        } else {
            self.end(Block::Heading);
        }
    }
}

/// How wide and in what style blocks are laid out.
#[derive(Copy, Clone)]
struct Layout<'a> {
    width: usize,
    theme: Theme,
    glyphs: &'a Glyphs,
}

impl Layout<'_> {
    fn block(self, block: &Block) -> Vec<Line> {
        let prose = self.width.min(PROSE);
        match block {
            Block::Heading(runs) => self.heading(runs, prose),
            Block::Paragraph(runs) => wrap(&self.styled(runs, self.theme.text()), prose),
            Block::Item(runs) => {
                let lines = wrap(
                    &self.styled(runs, self.theme.text()),
                    prose.saturating_sub(2),
                );
                let dot = format!("{} ", self.glyphs.dot);
                hang(lines, &dot, "  ", self.theme.line())
            }
            Block::Code(code) => self.code(code),
        }
    }

    fn heading(self, runs: &[Run], width: usize) -> Vec<Line> {
        let (rule, style) = (self.glyphs.rule, self.theme.line());
        let lines = wrap(
            &self.styled(runs, self.theme.title()),
            width.saturating_sub(2),
        );
        let mut lines = hang(lines, &format!("{rule} "), "  ", style);
        if let Some(last) = lines.last_mut() {
            let room = width.saturating_sub(line_width(last) + 1);
            last.push((format!(" {}", rule.repeat(room)), style));
        }
        lines
    }

    fn styled(self, runs: &[Run], plain: Style) -> Line {
        let style = |look| match look {
            Look::Plain => plain,
            Look::Bold => self.theme.strong(),
            Look::Code => self.theme.code(),
        };
        runs.iter()
            .map(|run| (run.words.clone(), style(run.look)))
            .collect()
    }

    /// A line that is too long goes on below, farther in.
    fn code(self, code: &str) -> Vec<Line> {
        let room = self.width.saturating_sub(2);
        let rail = format!("{} ", self.glyphs.divider);
        code.lines()
            .flat_map(|line| {
                let words = line.trim_start_matches(' ');
                let indent = line.len() - words.len();
                let deeper = indent + 4;
                let words = vec![(words.to_owned(), self.theme.text())];
                let lines = if text::width(line) <= room {
                    vec![words]
                } else {
                    wrap(&words, room.saturating_sub(deeper).max(1))
                };
                let (first, more) = (" ".repeat(indent), " ".repeat(deeper));
                hang(lines, &first, &more, self.theme.text())
            })
            .flat_map(|line| hang(vec![line], &rail, &rail, self.theme.line()))
            .collect()
    }

    fn beside(self, left: &str, right: &str) -> Vec<Line> {
        let column = self.width.saturating_sub(2) / 2;
        let half = Self {
            width: column,
            ..self
        };
        let (left, right) = (half.code(left), half.code(right));
        (0..left.len().max(right.len()))
            .map(|row| {
                let mut line = left.get(row).cloned().unwrap_or_default();
                let gap = " ".repeat(column.saturating_sub(line_width(&line)) + 2);
                line.push((gap, self.theme.text()));
                line.extend(right.get(row).cloned().unwrap_or_default());
                line
            })
            .collect()
    }
}

fn line_width(line: &Line) -> usize {
    line.iter().map(|(words, _)| text::width(words)).sum()
}

/// Puts `first` before the first line, and `more` before the others.
fn hang(lines: Vec<Line>, first: &str, more: &str, style: Style) -> Vec<Line> {
    let starts = std::iter::once(first).chain(std::iter::repeat(more));
    lines
        .into_iter()
        .zip(starts)
        .map(|(mut line, start)| {
            line.insert(0, (start.to_owned(), style));
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::glyphs::UNICODE;

    const THEME: Theme = Theme::PLAIN;

    fn laid_out(markdown: &str, width: usize) -> Vec<String> {
        Document::parse(markdown)
            .lines(width, THEME, &UNICODE)
            .into_iter()
            .map(|line| line.into_iter().map(|(words, _)| words).collect())
            .collect()
    }

    #[test]
    fn headings_paragraphs_and_lists() {
        let page = "# hello: a `title`\n\nThe waiter\nis free.\n\n## Look for\n\n\
                    - one task, asleep\n- one timer\n\nThe end.\n";
        assert_eq!(Document::parse(page).title, "hello: a title");
        assert_eq!(
            laid_out(page, 12),
            [
                "The waiter",
                "is free.",
                "",
                "─ Look for ─",
                "· one task,",
                "  asleep",
                "· one timer",
                "",
                "The end.",
            ]
        );
    }

    #[test]
    fn a_line_that_ends_in_chinese_leaves_no_blank() {
        assert_eq!(laid_out("事件\n循环", 20), ["事件循环"]);
        assert_eq!(laid_out("好了。\n`await` 它", 20), ["好了。await 它"]);
        assert_eq!(
            laid_out("调用\n`await`，\nthen\nnow", 40),
            ["调用 await，then now"]
        );
    }

    #[test]
    fn words_have_the_look_of_their_marks() {
        let lines = Document::parse("a **b** `c`").lines(20, THEME, &UNICODE);
        let words = |words: &str, style| (words.to_owned(), style);
        assert_eq!(
            lines,
            [vec![
                words("a ", THEME.text()),
                words("b", THEME.strong()),
                words(" ", THEME.text()),
                words("c", THEME.code()),
            ]]
        );
    }

    const CODE: &str = "```python\nawait a\n\nif b:\n    c\n```\n\n```rust\na.await?;\n```\n";

    #[test]
    fn code_keeps_its_lines_behind_a_rail() {
        assert_eq!(
            laid_out(CODE, 40),
            ["│ await a", "│ ", "│ if b:", "│     c", "", "│ a.await?;"]
        );
    }

    #[test]
    fn a_long_line_of_code_goes_on_farther_in() {
        assert_eq!(
            laid_out("```sh\n  run it with --scale 3\n```\n", 20),
            ["│   run it with", "│       --scale 3"]
        );
    }

    #[test]
    fn blocks_of_code_stand_side_by_side_where_there_is_room() {
        let lines = laid_out(CODE, 100);
        assert_eq!(lines.len(), 4);
        let (left, right) = lines[0].split_at("│ await a".len());
        assert_eq!(left, "│ await a");
        assert_eq!(right.trim_start(), "│ a.await?;");
        assert_eq!(text::width(&lines[0]), 51 + text::width("│ a.await?;"));
        assert!(lines.iter().all(|line| text::width(line) <= 100));
    }

    #[test]
    fn what_is_no_markdown_is_text() {
        assert_eq!(Document::parse(""), Document::default());
        assert_eq!(laid_out("a | b\n\n***\n<i>", 20), ["a | b"]);
    }
}
