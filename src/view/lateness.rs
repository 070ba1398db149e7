//! How late timers fired: a histogram.
//!
//! ```text
//! ─ 5 Lateness  412 fired ─────────────────────
//!  on time    ██████████████████████   400  97 %
//!  2 ms       ▌                          9   2 %
//!  5 ms       ▏                          3  <1 %
//! ```
//!
//! An interval counts once, by its worst tick.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{View, fmt, layout::Pane, pane, pen::Pen, text, widget::Bar, words};
use crate::model::{Model, lint::Lints};

/// Where the steps behind the first begin, in milliseconds.
const STEPS: [u64; 9] = [2, 5, 10, 20, 50, 100, 200, 500, 1_000];

#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Those that fired on time, and of each step.
    counts: [usize; STEPS.len() + 1],
    /// Fired, and nobody knows how late.
    unknown: usize,
}

impl Histogram {
    pub fn new(model: &Model) -> Self {
        let mut histogram = Self::default();
        for timer in model.timers.iter().filter(|t| t.fires > 0) {
            match timer.late {
                Some(late) if words::is_late(late) => {
                    let step = STEPS.partition_point(|ms| Duration::from_millis(*ms) <= late);
                    histogram.counts[step] += 1;
                }
                Some(_) => histogram.counts[0] += 1,
                None => histogram.unknown += 1,
            }
        }
        histogram
    }

    fn known(&self) -> usize {
        self.counts.iter().sum()
    }
}

pub struct Lateness<'a>(pub(super) View<'a>);

const LABEL: usize = 10;
impl Widget for &Lateness<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let theme = view.theme;
        let histogram = &view.state.lateness;
        let fired = histogram.known() + histogram.unknown;
        let mut facts = vec![(format!("{fired} fired"), theme.text())];
        if histogram.unknown > 0 {
            facts.push((format!("{} unknown", histogram.unknown), theme.warning()));
        }
        let area = pane::heading(view, Pane::Lateness, &facts, area, buf);
        if histogram.known() == 0 {
            pane::say(view, &["No timer has fired yet."], area, buf);
            return;
        }
        let counts = histogram.counts.iter().enumerate();
        for (row, (step, count)) in (0..area.height).zip(counts) {
            let mut pen = Pen::new(area, row, buf);
            self.row(step, *count, histogram.known(), &mut pen);
        }
    }
}

impl Lateness<'_> {
    fn row(&self, step: usize, count: usize, all: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        let from = step
            .checked_sub(1)
            .map(|at| Duration::from_millis(STEPS[at]));
        let label = match from {
            Some(from) if step == STEPS.len() => format!("{} on", view.duration(from)),
            Some(from) => view.duration(from),
            None => "on time".to_owned(),
        };
        let style = match from {
            None => theme.good(),
            Some(from) if from >= Lints::BLOCKED => theme.bad(),
            Some(_) => theme.ready(),
        };
        pen.skip(1)
            .put(&text::pad(&label, LABEL, view.glyphs), theme.label())
            .skip(1);
        let figures = fmt::COUNT + fmt::PERCENT + 2;
        let share = count as f64 / all as f64;
        let (area, buf) = pen.cells(pen.room().saturating_sub(figures).min(60));
        let bar = Bar {
            share,
            full: style,
            groove: theme.line(),
            glyphs: view.glyphs,
        };
        bar.render(area, buf);
        let words = if count == 0 {
            theme.dim()
        } else {
            theme.text()
        };
        let figure = text::pad_left(&fmt::count(count as u64), fmt::COUNT, view.glyphs);
        let percent = text::pad_left(&fmt::percent(share), fmt::PERCENT, view.glyphs);
        pen.skip(1).put(&figure, words).put(&percent, theme.dim());
    }
}
