//! The timers: those that wait, the soonest first, and below them those that are gone.
//!
//! ```text
//! ─ 5 Timers  2 waiting ──────────────────────────────────────
//!  OWNER      KIND      FOR      LEFT
//!  A          sleep     2.00 s   ███████████▌╌╌╌╌╌╌╌   1.20 s   main.rs:42
//!  ticker     interval  100 ms           overdue 400 ms
//!  B          sleep     1.00 s            fired +1.02 ms
//!  main       timeout   1.00 s            fired on time   main.rs:23   wait_for: cancelled B
//! ```
//!
//! Behind a time limit that has fired stands what it ended.

use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step},
    fmt,
    layout::Pane,
    pane::{self, Table},
    pen::Pen,
    tab::Tab,
    text,
    widget::Bar,
    words,
};
use crate::model::{Outcome, Timer, TimerState, lint::Lints};

pub struct Timers<'a>(pub(super) View<'a>);

const OWNER: usize = 0;
const KIND: usize = 1;
const FOR: usize = 2;
const LEFT: usize = 3;
const AT: usize = 4;
const ENDED: usize = 5;
const TITLES: [&str; 6] = ["OWNER", "KIND", "FOR", "LEFT", "AT", "ENDED"];

const GROWTH: &[Step] = &[
    step(OWNER, 8),
    step(LEFT, 15),
    step(FOR, fmt::DURATION),
    step(OWNER, 10),
    step(LEFT, 18),
    step(KIND, 8),
    step(OWNER, 14),
    step(AT, 16),
    step(ENDED, 20),
    step(LEFT, 40),
    step(ENDED, 60),
];

impl Widget for &Timers<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let lists = &view.state.lists;
        let facts = [(
            format!("{} waiting", lists.waiting_timers),
            view.theme.text(),
        )];
        let area = pane::heading(view, Pane::Timers, &facts, area, buf);
        if lists.timers.is_empty() {
            let lines = ["No sleeps, intervals or timeouts."];
            pane::empty(view, Pane::Timers, &lines, area, buf);
            return;
        }
        let alone = view.state.tab == Tab::Timers;
        let steps = GROWTH.iter().filter(|step| alone || step.column != ENDED);
        let steps: Vec<Step> = steps.copied().collect();
        let table = Table {
            pane: Pane::Timers,
            titles: &TITLES,
            growth: &steps,
            align,
            indent: 1,
        };
        let (timers, cursor) = (&lists.timers, &view.state.timers);
        pane::table(view, table, timers, cursor, area, buf, |id, widths, pen| {
            self.row(view.model.timers.get(*id)?, widths, pen);
            Some(())
        });
    }
}

fn align(column: usize) -> Align {
    match column {
        FOR => Align::Right,
        _ => Align::Left,
    }
}

impl Timers<'_> {
    fn row(&self, timer: &Timer, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let theme = view.theme;
        let text = if timer.is_live() {
            theme.text()
        } else {
            theme.dim()
        };
        for (column, width) in columns::shown(widths) {
            let owner = || {
                timer
                    .task
                    .map_or_else(|| view.glyphs.dash.to_owned(), |id| view.label_of(id))
            };
            let look = (text, view.glyphs);
            match column {
                OWNER => columns::put(pen, &owner(), width, Align::Left, look),
                KIND => columns::put(pen, timer.kind.as_str(), width, Align::Left, look),
                FOR => columns::put(pen, &view.known(timer.duration), width, Align::Right, look),
                LEFT => {
                    left(view, timer, width, pen);
                    pen.skip(1);
                }
                ENDED => {
                    let style = theme.outcome(Some(Outcome::TimedOut));
                    columns::put(
                        pen,
                        &self.ended(timer),
                        width,
                        Align::Left,
                        (style, view.glyphs),
                    );
                }
                _ => {
                    let at = view.location(timer.location.as_ref()).unwrap_or_default();
                    columns::put(pen, &at, width, Align::Left, (theme.dim(), view.glyphs));
                }
            }
        }
    }
}

impl Timers<'_> {
    /// The scope that a time limit ended, and whom it cancelled.
    fn ended(&self, timer: &Timer) -> String {
        let view = self.0;
        let Some((scope, cancelled)) = view.state.expired.by(timer, view.model) else {
            return String::new();
        };
        let kind = view.named(&scope.kind);
        let mut names = cancelled.iter().map(|id| view.label_of(*id));
        match (names.next(), names.count()) {
            (None, _) => kind,
            (Some(name), 0) => format!("{kind}: cancelled {name}"),
            (Some(name), others) => format!("{kind}: cancelled {name}, +{others}"),
        }
    }
}

/// How far off a timer's deadline is: a bar that runs out and the time left, or what has
/// become of it.
pub fn left(view: View<'_>, timer: &Timer, width: usize, pen: &mut Pen<'_>) {
    let (now, theme) = (view.model.timers_at(), view.theme);
    let about = if timer.exact { "" } else { view.glyphs.about };
    if let Some(left) = timer.remaining(now) {
        let figure = format!("{about}{}", view.duration(left));
        let figure = text::pad_left(&figure, fmt::DURATION + 1, view.glyphs);
        let whole = timer.duration.unwrap_or(left).max(left).as_secs_f64();
        let (area, buf) = pen.cells(width.saturating_sub(fmt::DURATION + 1));
        let bar = Bar {
            share: left.as_secs_f64() / whole,
            full: theme.rest(),
            groove: theme.line(),
            glyphs: view.glyphs,
        };
        bar.render(area, buf);
        pen.put(&figure, theme.text());
        return;
    }
    let late = timer.late.filter(|d| words::is_late(*d));
    let (words, style) = match timer.state() {
        TimerState::Waiting => match timer.overdue(now) {
            Some(late) if words::is_late(late) => (
                format!("overdue {about}{}", view.duration(late)),
                theme.warning(),
            ),
            Some(_) => ("due".to_owned(), theme.text()),
            None => (view.glyphs.dash.to_owned(), theme.dim()),
        },
        TimerState::Fired => match (late, timer.late) {
            (Some(late), _) => (
                format!("fired {about}+{}", view.duration(late)),
                if late >= Lints::BLOCKED {
                    theme.ready()
                } else {
                    theme.dim()
                },
            ),
            (None, Some(_)) => ("fired on time".to_owned(), theme.dim()),
            (None, None) => ("fired".to_owned(), theme.dim()),
        },
        TimerState::Cancelled => ("cancelled".to_owned(), theme.dim()),
    };
    pen.put(&text::pad_left(&words, width, view.glyphs), style);
}
