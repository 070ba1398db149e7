//! Everything that was found to be wrong, the newest first.
//!
//! ```text
//! ╭ Warnings ────────────────────────────────────────────────────╮
//! │ ✖ ticker blocked the event loop for 120 ms in one poll       │
//! │     blocked-loop · 672 ms ago · gather.rs:30                 │
//! │     late: A 30.0 ms, B 12.0 ms                               │
//! ╰──────────────────────────────────────────────────────────────╯
//! ```

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    popup::{Line, Popup},
    text,
    words::NAME,
};
use crate::model::{
    Lint, Victim,
    lint::{Kind, Severity},
};

pub struct Warnings<'a>(pub(super) View<'a>);

/// Nobody reads more of them.
const MOST: usize = 60;
/// More names than this are a count.
const NAMED: usize = 4;

impl Widget for &Warnings<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let popup = Popup {
            title: "Warnings",
            lines: &self.lines(),
            scroll: self.0.state.overlay.map_or(0, |overlay| overlay.scroll),
        };
        popup.render(self.0.theme, self.0.glyphs, area, buf);
    }
}

impl Warnings<'_> {
    fn lines(&self) -> Vec<Line> {
        let view = self.0;
        let found: Vec<&Lint> = view.model.lints.iter().collect();
        if found.is_empty() {
            let words = "Nothing is wrong: no poll was too long, and no task panicked.";
            return vec![vec![(words.to_owned(), view.theme.text())]];
        }
        let mut lines = Vec::new();
        for lint in found.iter().rev().take(MOST) {
            lines.extend(self.lint(lint));
        }
        if let Some(more) = found.len().checked_sub(MOST).filter(|n| *n > 0) {
            let words = format!("{} {more} older", view.glyphs.ellipsis);
            lines.push(vec![(words, view.theme.dim())]);
        }
        lines
    }

    fn lint(&self, lint: &Lint) -> Vec<Line> {
        let view = self.0;
        let theme = view.theme;
        let (shape, style) = match lint.kind.severity() {
            Severity::Error => (view.glyphs.error, theme.bad()),
            Severity::Warning => (view.glyphs.warning, theme.warning()),
        };
        let who = lint
            .task
            .map_or_else(String::new, |id| format!("{} ", view.label_of(id)));
        let message = format!("{who}{}", view.clean(&lint.message));
        let mut facts = vec![lint.kind.name().to_owned()];
        if lint.kind != Kind::LostData {
            let ago = view.model.now.since(lint.at + lint.lasted);
            facts.push(format!("{} ago", view.duration(ago)));
        }
        facts.extend(view.location(lint.location.as_ref()));
        let facts = facts.join(&format!(" {} ", view.glyphs.dot));
        let mut lines = vec![
            vec![(format!("{shape} "), style), (message, theme.text())],
            indented(facts, theme.dim()),
        ];
        if let Some(late) = view.late(&lint.victims, NAMED, NAME) {
            lines.push(indented(late, theme.ready()));
        }
        lines
    }
}

fn indented(words: String, style: Style) -> Line {
    vec![("    ".to_owned(), style), (words, style)]
}

impl View<'_> {
    /// "late: A 300 ms, B 12.0 ms, +2", if any are to be named, in so many cells each.
    pub fn late(self, victims: &[Victim], most: usize, width: usize) -> Option<String> {
        let names: Vec<String> = victims
            .iter()
            .take(most)
            .map(|v| {
                let name = text::fit(&self.label_of(v.task), width, self.glyphs);
                format!("{name} {}", self.duration(v.late))
            })
            .collect();
        let more = match victims.len().saturating_sub(most) {
            0 => String::new(),
            n => format!(", +{n}"),
        };
        (!names.is_empty()).then(|| format!("late: {}{more}", names.join(", ")))
    }
}
