//! What the marked lint means, why it hurts and how to mend it.
//!
//! ```text
//! ─ 9 Explanation  blocked-loop ─────────────────────────────────────────────────
//! library blocked the event loop for 3001 ms in one poll
//! lasted 3.00 s · late 2
//! late: ticker 2.91 s, guest 1.50 s
//!
//! What it means. A task was polled for 100 ms or more …
//! ```

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{View, layout::Pane, markdown::Document, pane, pen::Pen, popup::Line, wrap::wrap};
use crate::model::{Finding, lint::Figure};

pub struct Explained<'a>(pub(super) View<'a>);

/// More names than this are a count.
const NAMED: usize = 8;
/// Of a name in a list, so many cells.
const NAME: usize = 20;

impl Widget for &Explained<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let marked = view.state.marked_lint();
        let marked = marked.and_then(|id| view.model.lints.get(id));
        let name = marked.map(|finding| finding.kind.name().to_owned());
        let facts: Vec<_> = name
            .map(|name| (name, view.theme.text()))
            .into_iter()
            .collect();
        let area = pane::heading(view, Pane::Explained, &facts, area, buf);
        let Some(finding) = marked else {
            return;
        };
        let lines = self.lines(finding, usize::from(area.width.saturating_sub(3)));
        let most = lines.len().saturating_sub(usize::from(area.height));
        let first = view.state.explained.min(most);
        for (row, line) in (0..area.height).zip(&lines[first..]) {
            let mut pen = Pen::new(area, row, buf);
            pen.skip(2);
            for (words, style) in line {
                pen.put(words, *style);
            }
        }
    }
}

impl Explained<'_> {
    fn lines(&self, finding: &Finding, width: usize) -> Vec<Line> {
        let view = self.0;
        let who = finding.task.map(|id| view.label_of(id));
        let who = who.map_or_else(String::new, |who| format!("{who} "));
        let what = format!("{who}{}", view.sentence(&finding.message));
        let mut head = vec![
            (what, view.theme.strong()),
            (self.facts(finding), view.theme.dim()),
        ];
        if let Some(late) = view.late(&finding.victims, NAMED, NAME) {
            head.push((late, view.theme.ready()));
        }
        let mut lines: Vec<Line> = head
            .into_iter()
            .flat_map(|words| wrap(&vec![words], width))
            .collect();
        lines.push(Vec::new());
        let words = finding.kind.explanation(&view.model.lints.thresholds);
        lines.extend(Document::parse(&words).lines(width, view.theme, view.glyphs));
        lines
    }

    /// "lasted 3.00 s · kept off 12.0 ms · late 2".
    fn facts(&self, finding: &Finding) -> String {
        let view = self.0;
        let mut facts: Vec<String> = Vec::new();
        if finding.count > 1 {
            facts.push(format!("{} times, the worst", finding.count));
        }
        for (key, figure) in &finding.evidence {
            let unit = key.strip_suffix("_ms").unwrap_or(key);
            let name = unit.replace('_', " ");
            facts.push(match figure {
                Figure::Time(time) => format!("{name} {}", view.duration(*time)),
                Figure::Count(count) => format!("{name} {count}"),
                Figure::Text(text) => format!("{name} {}", view.clean(text)),
            });
        }
        if finding.late > 0 {
            facts.push(format!("late {}", finding.late));
        }
        facts.join(&format!(" {} ", view.glyphs.dot))
    }
}
