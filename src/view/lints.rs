//! What is wrong, the worst first.
//!
//! ```text
//! ━ 9 Lints  1 error  1 note ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!    LINT          TASK     WHAT                                  TIMES  SINCE  AT
//! ▸✖ blocked-loop  library  blocked the event loop for 3001 ms        3  1.20 s main.rs:9
//!  · needless-async sum-7   and its like never waited: 40 tasks      40  2.00 s main.rs:3
//! ```
//!
//! `SINCE` counts from the start of the run. What the marked one means stands in the pane below:
//! [`super::explained`].

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step},
    fmt,
    layout::Pane,
    pane::{self, Table},
    pen::Pen,
    text,
};
use crate::model::{
    Finding, Model, Victim,
    lint::{FindingId, Severity},
};

pub struct Lints<'a>(pub(super) View<'a>);

const LINT: usize = 0;
const TASK: usize = 1;
const WHAT: usize = 2;
const TIMES: usize = 3;
const SINCE: usize = 4;
const AT: usize = 5;
const TITLES: [&str; 6] = ["LINT", "TASK", "WHAT", "TIMES", "SINCE", "AT"];

const GROWTH: &[Step] = &[
    step(LINT, 14),
    step(WHAT, 16),
    step(TASK, 8),
    step(TIMES, 5),
    step(WHAT, 30),
    step(LINT, 18),
    step(TASK, 12),
    step(SINCE, fmt::DURATION),
    step(AT, 18),
    step(LINT, 27),
    step(WHAT, 50),
    step(TASK, 24),
    step(WHAT, 200),
];

impl Widget for &Lints<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let area = pane::heading(view, Pane::Lints, &self.facts(), area, buf);
        let rows = &view.state.lists.lints;
        if rows.is_empty() {
            let lines = [
                "Nothing is wrong, as far as is known.",
                "`loopview lints` lists what is looked for.",
            ];
            pane::empty(view, Pane::Lints, &lines, area, buf);
            return;
        }
        let longest = |of: &dyn Fn(&Finding) -> usize, title: &str| {
            let widths = view.model.lints.iter().map(of);
            widths.max().unwrap_or_default().max(title.len())
        };
        let lint = longest(&|found| found.kind.name().len(), TITLES[LINT]);
        let task = longest(&|found| text::width(&self.task(found)), TITLES[TASK]);
        let steps = columns::fitted(&columns::fitted(GROWTH, LINT, lint), TASK, task);
        let table = Table {
            pane: Pane::Lints,
            titles: &TITLES,
            growth: &steps,
            align,
            indent: 3,
        };
        let cursor = &view.state.lints;
        pane::table(view, table, rows, cursor, area, buf, |id, widths, pen| {
            self.row(view.model.lints.get(*id)?, widths, pen);
            Some(())
        });
    }
}

fn align(column: usize) -> Align {
    match column {
        TIMES | SINCE => Align::Right,
        _ => Align::Left,
    }
}

impl Lints<'_> {
    /// "1 error", "2 warnings".
    fn facts(&self) -> Vec<(String, Style)> {
        let view = self.0;
        let mut facts = Vec::new();
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            let found = view.model.lints.iter();
            let count = found.filter(|f| f.kind.severity() == severity).count();
            let plural = if count == 1 { "" } else { "s" };
            if count > 0 {
                let (_, style) = view.severity(severity);
                facts.push((format!("{count} {}{plural}", severity.as_str()), style));
            }
        }
        facts
    }

    fn task(&self, finding: &Finding) -> String {
        let label = finding.task.map(|id| self.0.label_of(id));
        label.unwrap_or_else(|| self.0.glyphs.dash.to_owned())
    }

    fn row(&self, finding: &Finding, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        let (shape, style) = view.severity(finding.kind.severity());
        pen.put(shape, style).skip(1);
        for (column, width) in columns::shown(widths) {
            let (words, style) = match column {
                LINT => (finding.kind.name().to_owned(), style),
                TASK => (self.task(finding), theme.strong()),
                WHAT => (view.sentence(&finding.message), theme.text()),
                TIMES => (fmt::count(finding.count), theme.text()),
                SINCE => {
                    let since = view.model.started.map(|start| finding.at.since(start));
                    (view.known(since), theme.dim())
                }
                _ => {
                    let at = view.location(finding.location.as_ref());
                    (at.unwrap_or_default(), theme.dim())
                }
            };
            columns::put(pen, &words, width, align(column), (style, view.glyphs));
        }
    }
}

impl View<'_> {
    /// The shape and the colour of a severity.
    pub fn severity(self, severity: Severity) -> (&'static str, Style) {
        match severity {
            Severity::Error => (self.glyphs.error, self.theme.bad()),
            Severity::Warning => (self.glyphs.warning, self.theme.warning()),
            Severity::Note => (self.glyphs.dot, self.theme.dim()),
        }
    }

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

/// The findings in the order of the rows: the worst first, and of these the oldest.
pub fn rows(model: &Model) -> Vec<FindingId> {
    let mut found: Vec<&Finding> = model.lints.iter().collect();
    found.sort_by_key(|f| std::cmp::Reverse(f.kind.severity()));
    found.into_iter().map(Finding::id).collect()
}
