//! The report for people: the screen's words and figures, in tables without a screen.

use std::{cmp::Reverse, time::Duration};

use super::report::{BlockingRow, Figure, LintRow, Report, TaskRow, TimerRow};
use crate::view::{
    fmt,
    glyphs::UNICODE,
    text::{fit, pad, pad_left},
};

/// Rows of a table that are printed; of a longer one these are those of the greatest figure, and
/// the rest is counted.
const ROWS: usize = 40;
/// The least width of a text that is printed whole, such as a line of output.
const LINE: usize = 1_000;
const UNKNOWN: &str = "–";

pub fn encode(report: &Report) -> String {
    let mut text = String::new();
    for part in [
        summary(report),
        tasks(report),
        timers(report),
        blocking(report),
        output(report),
    ] {
        if !text.is_empty() && !part.is_empty() {
            text.push('\n');
        }
        text.push_str(&part);
    }
    text
}

fn summary(report: &Report) -> String {
    let mut lines = vec![format!(
        "{}: {}{} after {}{}",
        line(&report.target),
        report.outcome.as_str(),
        report
            .exit_code
            .filter(|c| *c != 0)
            .map_or(String::new(), |c| format!(", exit status {c},")),
        time(report.elapsed_ms),
        report
            .instrument
            .as_deref()
            .map_or(String::new(), |i| format!(", seen by {}", line(i))),
    )];
    let r = &report.runtime;
    if let (Some(flavor), Some(workers), Some(polls)) = (r.flavor, r.workers, r.polls) {
        let busy = r.busy_ratio.map_or(UNKNOWN.to_owned(), fmt::percent);
        lines.push(format!(
            "runtime: {flavor}, workers {workers}, busy {busy}, polls {polls}"
        ));
    }
    let lost = &report.lost;
    if lost.events + lost.gaps > 0 {
        let (events, gaps) = (lost.events, lost.gaps);
        lines.push(format!(
            "lost: {events} events, {gaps} gaps: figures may be too low"
        ));
    }
    if lost.untaken > 0 {
        let untaken = lost.untaken;
        lines.push(format!("left out: {untaken} tasks, timers and others"));
    }
    let mut found: Vec<&LintRow> = report.lints.iter().collect();
    found.sort_by_key(|lint| Reverse(lint.kind.severity()));
    for lint in found {
        lines.push(format!(
            "{}: {}{}{} [{}]",
            lint.severity,
            line(&lint.message),
            match lint.count {
                1 => String::new(),
                count => format!(" ({count} times)"),
            },
            lint.place
                .as_deref()
                .map_or(String::new(), |place| format!(" · {}", line(place))),
            lint.lint
        ));
        let victims = match lint.evidence.get("victims") {
            Some(Figure::Victims(victims)) => victims.as_slice(),
            _ => &[],
        };
        for victim in victims {
            let name = label(report, Some(victim.task));
            lines.push(format!("  {name} was late by {}", time(victim.late_ms)));
        }
    }
    lines.join("\n") + "\n"
}

fn tasks(report: &Report) -> String {
    const TABLE: &[Column] = &[
        left("task", 20),
        left("kind", 8),
        left("state", 9),
        right("total"),
        right("busy"),
        right("ready"),
        right("idle"),
        right("polls"),
        right("longest"),
        left("spawned at", 0),
    ];
    let busy = ("busiest", |t: &TaskRow| t.busy_ms);
    table(TABLE, &report.tasks, busy, |t| {
        vec![
            t.label.clone(),
            t.kind.clone(),
            t.outcome.unwrap_or(t.state).to_owned(),
            time(t.total_ms),
            time(t.busy_ms),
            maybe(t.scheduled_ms),
            time(t.idle_ms),
            fmt::count(t.polls),
            maybe(t.longest_poll_ms),
            t.place.clone().unwrap_or(UNKNOWN.to_owned()),
        ]
    })
}

fn timers(report: &Report) -> String {
    const TABLE: &[Column] = &[
        left("timer of", 20),
        left("kind", 8),
        left("state", 9),
        right("duration"),
        right("late"),
        left("made at", 0),
    ];
    let late = ("latest", |t: &TimerRow| t.late_ms.unwrap_or_default());
    table(TABLE, &report.timers, late, |t| {
        vec![
            label(report, t.task),
            t.kind.to_owned(),
            t.state.to_owned(),
            maybe(t.duration_ms),
            maybe(t.late_ms),
            t.place.clone().unwrap_or(UNKNOWN.to_owned()),
        ]
    })
}

fn blocking(report: &Report) -> String {
    const TABLE: &[Column] = &[
        left("blocking call", 20),
        left("thread", 18),
        right("queued"),
        right("ran"),
        left("called at", 0),
    ];
    let long = ("longest", |b: &BlockingRow| {
        b.queued_ms + b.run_ms.unwrap_or_default()
    });
    table(TABLE, &report.blocking, long, |b| {
        vec![
            label(report, Some(b.task)),
            b.thread.clone().unwrap_or(UNKNOWN.to_owned()),
            time(b.queued_ms),
            maybe(b.run_ms),
            b.place.clone().unwrap_or(UNKNOWN.to_owned()),
        ]
    })
}

fn output(report: &Report) -> String {
    let mut text = String::new();
    for row in &report.output {
        let at = pad_left(&time(row.t_ms), fmt::DURATION, &UNICODE);
        let mark = if row.stream == "stderr" { "!" } else { " " };
        text.extend([at.as_str(), " ", mark, " ", &line(&row.line), "\n"]);
    }
    text
}

struct Column {
    title: &'static str,
    /// 0 for the last, which takes what it needs.
    width: usize,
    pad: fn(&str, usize, &crate::view::glyphs::Glyphs) -> String,
}

const fn left(title: &'static str, width: usize) -> Column {
    Column { title, width, pad }
}

/// Of figures.
const fn right(title: &'static str) -> Column {
    Column {
        title,
        width: fmt::DURATION,
        pad: pad_left,
    }
}

/// Nothing for no rows. By the figure, and its word, the rows are chosen where not all are printed.
fn table<T>(
    columns: &[Column],
    rows: &[T],
    (word, figure): (&str, impl Fn(&T) -> f64),
    cells: impl Fn(&T) -> Vec<String>,
) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut shown: Vec<&T> = rows.iter().collect();
    let is_long = rows.len() > ROWS;
    if is_long {
        shown.sort_by(|a, b| figure(b).total_cmp(&figure(a)));
        shown.truncate(ROWS);
    }
    let titles = columns.iter().map(|c| c.title.to_owned()).collect();
    let mut text: String = std::iter::once(titles)
        .chain(shown.into_iter().map(cells))
        .map(|row: Vec<String>| write(columns, &row))
        .collect();
    if is_long {
        let (shown, all) = (ROWS.to_string(), rows.len().to_string());
        text.extend(["… the ", &shown, " ", word, " of ", &all]);
        text.push_str("; --format json has them all\n");
    }
    text
}

fn write(columns: &[Column], row: &[String]) -> String {
    let cells = columns
        .iter()
        .zip(row)
        .map(|(column, text)| match column.width {
            0 => line(text),
            width => (column.pad)(text, width, &UNICODE),
        });
    let mut text = cells.collect::<Vec<_>>().join(" ");
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn label(report: &Report, task: Option<u64>) -> String {
    let Some(id) = task else {
        return UNKNOWN.to_owned();
    };
    let row = report
        .tasks
        .binary_search_by_key(&id, |t| t.id)
        .map(|i| &report.tasks[i]);
    row.map_or_else(|_| format!("#{id}"), |row| line(&row.label))
}

fn maybe(ms: Option<f64>) -> String {
    ms.map_or(UNKNOWN.to_owned(), time)
}

fn time(ms: f64) -> String {
    fmt::duration(
        Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default(),
        &UNICODE,
    )
}

/// Text from the target, made harmless to the terminal.
pub(super) fn line(text: &str) -> String {
    fit(text, LINE, &UNICODE)
}
