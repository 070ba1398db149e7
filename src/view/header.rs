//! What is watched, and how it fares.
//!
//! ```text
//!  gather  current-thread · loopview-probe                       ● live   2.35 s
//!  loop ▁▂▁▁▁█▁   12 %   tasks 4 live / 6   timers 3   blocking 1 + 2 queued   ⚠ 1
//! ```
//!
//! On one line where there is no second; the least telling parts are left out first.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View, fmt,
    moment::{Moment, Past},
    pen::Pen,
    text,
    widget::{Cell, Strip},
};
use crate::{
    frame::Exit,
    model::{Phase, Runtime},
};

pub struct Header<'a>(pub(super) View<'a>);

/// A piece of a line, with its styles.
struct Part {
    words: Vec<(String, Style)>,
    /// The greater, the sooner it is left out.
    rank: u8,
}

impl Part {
    fn new(rank: u8, words: Vec<(String, Style)>) -> Self {
        Self { words, rank }
    }

    fn width(&self) -> usize {
        self.words.iter().map(|(word, _)| text::width(word)).sum()
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        for (word, style) in &self.words {
            pen.put(word, *style);
        }
    }
}

/// Cells between two parts.
const GAP: usize = 3;

impl Widget for &Header<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let alone = area.height == 1;
        self.first_line(alone, &mut Pen::new(area, 0, buf));
        self.second_line(&mut Pen::new(area, 1, buf));
    }
}

impl Header<'_> {
    fn first_line(&self, alone: bool, pen: &mut Pen<'_>) {
        let mut right = self.phase();
        if alone {
            right.splice(0..0, self.warnings());
        }
        let right = keep(right, pen.room().saturating_sub(1) * 2 / 3);
        let right_width = total(&right) + 1;
        pen.skip(1);
        let name = text::fit(
            &self.0.model.target.name,
            pen.room().saturating_sub(right_width + GAP),
            self.0.glyphs,
        );
        let mut left = vec![Part::new(0, vec![(name, self.0.theme.focus())])];
        left.extend(self.source());
        let left = keep(left, pen.room().saturating_sub(right_width + GAP));
        draw(&left, pen);
        pen.leave(right_width);
        draw(&right, pen);
    }

    fn second_line(&self, pen: &mut Pen<'_>) {
        pen.skip(1);
        let warnings = keep(self.warnings(), pen.room());
        let right_width = total(&warnings) + 1;
        let parts = keep(self.counts(), pen.room().saturating_sub(right_width + GAP));
        let used = total(&parts) + GAP + right_width;
        self.busy(pen.room().saturating_sub(used), pen);
        draw(&parts, pen);
        pen.leave(right_width);
        draw(&warnings, pen);
    }

    /// The flavour and the instrument.
    fn source(&self) -> Vec<Part> {
        let view = self.0;
        let dim = view.theme.dim();
        let mut parts = Vec::new();
        if let Some(runtime) = view.model.runtimes.main() {
            parts.push(Part::new(2, vec![(flavor(runtime), dim)]));
        }
        if let Some(instrument) = view.model.instrument() {
            parts.push(Part::new(3, vec![(view.clean(instrument), dim)]));
        }
        if let Some(process) = &view.model.process {
            parts.push(Part::new(4, vec![(format!("pid {}", process.pid), dim)]));
        }
        let usage = &view.model.usage;
        if let Some(ratio) = usage.cpu_ratio {
            let cpu = format!("cpu {}", fmt::percent(ratio).trim_start());
            parts.push(Part::new(5, vec![(cpu, dim)]));
        }
        if let Some(memory) = usage.memory {
            parts.push(Part::new(6, vec![(fmt::bytes(memory), dim)]));
        }
        parts
    }

    fn phase(&self) -> Vec<Part> {
        let view = self.0;
        let (glyphs, theme) = (view.glyphs, view.theme);
        let (shape, word, style) = match (view.state.moment, &view.model.phase) {
            (Moment::Past(past), _) => {
                let shape = past.speed.map_or(glyphs.paused, |_| glyphs.running);
                (shape, self.past(past), theme.warning())
            }
            (_, Phase::Connecting { .. }) => {
                (glyphs.connecting, "connecting".to_owned(), theme.ready())
            }
            (_, Phase::Live) if view.model.target_paused => {
                (glyphs.paused, "target paused".to_owned(), theme.warning())
            }
            (_, Phase::Live) => match view.model.behind() {
                Some(behind) => {
                    let word = format!("{} behind", view.duration(behind));
                    (glyphs.lost, word, theme.warning())
                }
                None => (glyphs.live, "live".to_owned(), theme.good()),
            },
            (_, Phase::Disconnected { trying, .. }) => {
                let word = match trying {
                    Some(trying) => format!("lost, again {}", when(trying.again)),
                    None => "disconnected".to_owned(),
                };
                (glyphs.lost, word, theme.bad())
            }
            (_, Phase::Ended(exit)) => {
                let style = if *exit == Exit::Code(0) {
                    theme.good()
                } else {
                    theme.bad()
                };
                (glyphs.ended, format!("ended, {}", exit_words(*exit)), style)
            }
        };
        let elapsed = view.duration(view.model.elapsed());
        let mut parts = Vec::new();
        if view.state.recording {
            parts.push(Part::new(
                1,
                vec![(format!("{} rec", glyphs.live), theme.bad())],
            ));
        }
        parts.extend([
            Part::new(0, vec![(format!("{shape} {word}"), style)]),
            Part::new(1, vec![(elapsed, theme.strong())]),
        ]);
        parts
    }

    /// How far back one is, and how time passes there.
    fn past(&self, past: Past) -> String {
        let view = self.0;
        let what = match (past.recorded, past.speed) {
            (true, _) => "replay",
            (false, None) => "paused",
            (false, Some(_)) => "again",
        };
        let mut words = vec![what.to_owned()];
        if let Some(speed) = past.speed {
            words.push(format!("{speed}{}", view.glyphs.times));
        }
        if !past.behind.is_zero() {
            let behind = view.duration(past.behind);
            words.push(format!("{}{behind}", view.glyphs.minus));
        } else if past.recorded && past.speed.is_none() {
            words.push("end".to_owned());
        }
        if past.seeking {
            words.push(view.glyphs.ellipsis.to_owned());
        }
        words.join(" ")
    }

    fn counts(&self) -> Vec<Part> {
        let view = self.0;
        let theme = view.theme;
        let lists = &view.state.lists;
        let part = |rank, label: &str, count: String, rest: String| {
            Part::new(
                rank,
                vec![
                    (format!("{label} "), theme.label()),
                    (count, theme.strong()),
                    (rest, theme.label()),
                ],
            )
        };
        let spawned = format!(" live / {}", fmt::count(lists.spawned));
        let failed = (lists.failed > 0).then(|| {
            let failed = format!("{} failed", fmt::count(lists.failed));
            Part::new(4, vec![(failed, theme.bad())])
        });
        let queued = match lists.queued_calls {
            0 => String::new(),
            n => format!(" + {n} queued"),
        };
        let count = |n: usize| fmt::count(n as u64);
        let mut parts = vec![part(1, "tasks", count(lists.live), spawned)];
        parts.extend(failed);
        parts.extend([
            part(2, "timers", count(lists.waiting_timers), String::new()),
            part(3, "blocking", count(lists.running_calls), queued),
        ]);
        parts
    }

    fn warnings(&self) -> Vec<Part> {
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let mut parts = Vec::new();
        if model.lost.events > 0 {
            let lost = format!("{} events lost", fmt::count(model.lost.events));
            parts.push(Part::new(3, vec![(lost, theme.warning())]));
        }
        if model.lost.untaken > 0 {
            let left_out = format!("{} left out", fmt::count(model.lost.untaken));
            parts.push(Part::new(3, vec![(left_out, theme.warning())]));
        }
        if !model.lints.is_empty() {
            let warnings = format!("{} {}", view.glyphs.warning, model.lints.len());
            parts.push(Part::new(2, vec![(warnings, theme.warning())]));
        }
        parts
    }

    /// The loop's busy share: over time, and of about the last second.
    fn busy(&self, room: usize, pen: &mut Pen<'_>) {
        const LABELS: usize = "loop ".len() + 7;
        let view = self.0;
        let (model, theme) = (view.model, view.theme);
        let count = room.saturating_sub(LABELS + GAP).min(60);
        if count < 4 {
            return;
        }
        let cell = view.state.cell();
        let cells: Vec<Cell> = model
            .busy
            .cells(model.now, count, cell)
            .iter()
            .map(|share| Cell::Spent {
                busy: share.busy,
                ready: 0.0,
            })
            .collect();
        let seconds = model
            .busy
            .cells(model.now, SECOND, crate::model::Strip::BUCKET);
        // The newest cell has only begun.
        let share = seconds[..SECOND - 1].iter().map(|s| s.busy).sum::<f32>() / (SECOND - 1) as f32;
        pen.put("loop ", theme.label());
        let (area, buf) = pen.cells(count);
        let strip = Strip {
            cells: &cells,
            busy: theme.busy(),
            ready: theme.ready(),
            rest: theme.line(),
            glyphs: view.glyphs,
        };
        strip.render(area, buf);
        let percent = match model.instrument() {
            Some(_) => fmt::percent(f64::from(share)),
            None => view.glyphs.dash.to_owned(),
        };
        pen.put(&text::pad_left(&percent, 6, view.glyphs), theme.strong())
            .skip(1 + GAP);
    }
}

/// Buckets in about a second, and the one that has only begun.
const SECOND: usize = 21;

fn flavor(runtime: &Runtime) -> String {
    match runtime.workers.len() {
        0 | 1 => runtime.flavor.as_str().to_owned(),
        n => format!("{}, {n} workers", runtime.flavor.as_str()),
    }
}

/// When something is to come, in seconds as they are counted down.
pub fn when(after: Duration) -> String {
    match after.as_nanos().div_ceil(1_000_000_000) {
        0 => "now".to_owned(),
        seconds => format!("in {seconds} s"),
    }
}

pub fn exit_words(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    }
}

/// The parts that fit, with a gap between them; the greatest ranks go first.
fn keep(mut parts: Vec<Part>, room: usize) -> Vec<Part> {
    while total(&parts) > room {
        let least = (0..parts.len()).max_by_key(|i| parts[*i].rank);
        match least {
            Some(least) => parts.remove(least),
            None => break,
        };
    }
    parts
}

fn total(parts: &[Part]) -> usize {
    let gaps = GAP * parts.len().saturating_sub(1);
    parts.iter().map(Part::width).sum::<usize>() + gaps
}

fn draw(parts: &[Part], pen: &mut Pen<'_>) {
    for (i, part) in parts.iter().enumerate() {
        pen.skip(if i > 0 { GAP } else { 0 });
        part.draw(pen);
    }
}
