//! The report for people.

use std::fmt::Write;

use super::report::{Report, TaskRow};

/// Rows of a table that are printed; of a longer one the rest is counted.
const ROWS: usize = 40;

pub fn encode(report: &Report) -> String {
    let mut out = String::new();
    write(&mut out, report).expect("text can always be added to a string");
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let r = &report.runtime;
    write!(
        out,
        "{}: {} after {}",
        clean(&report.target),
        outcome(report),
        time(report.elapsed_ms)
    )?;
    if let Some(instrument) = &report.instrument {
        write!(out, ", seen by {}", clean(instrument))?;
    }
    writeln!(out)?;
    if let (Some(flavor), Some(workers), Some(polls)) = (r.flavor, r.workers, r.polls) {
        let busy = r
            .busy_ratio
            .map_or("–".to_owned(), |b| format!("{:.1} %", b * 100.0));
        writeln!(
            out,
            "runtime: {flavor}, workers {workers}, busy {busy}, polls {polls}"
        )?;
    }
    let lost = &report.lost;
    if lost.events + lost.gaps > 0 {
        writeln!(
            out,
            "lost: {} events, {} gaps: figures may be too low",
            lost.events, lost.gaps
        )?;
    }
    for lint in &report.lints {
        writeln!(
            out,
            "{}: {} [{}]",
            lint.severity,
            clean(&lint.message),
            lint.lint
        )?;
        for victim in &lint.evidence.victims {
            let name = label(report, Some(victim.task));
            writeln!(out, "  {name} was late by {}", time(victim.late_ms))?;
        }
    }
    tasks(out, report)?;
    timers(out, report)?;
    blocking(out, report)?;
    if !report.output.is_empty() {
        writeln!(out, "\noutput")?;
        for line in &report.output {
            writeln!(out, "  {:>8}  {}", time(line.t_ms), clean(&line.line))?;
        }
    }
    Ok(())
}

fn outcome(report: &Report) -> String {
    let word = serde_json::to_value(report.outcome);
    let word = word
        .as_ref()
        .ok()
        .and_then(|w| w.as_str())
        .unwrap_or_default();
    match report.exit_code {
        Some(code) if code != 0 => format!("{word} (exit status {code})"),
        _ => word.to_owned(),
    }
}

fn tasks(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.tasks.is_empty() {
        return writeln!(out, "\nno tasks were seen");
    }
    writeln!(
        out,
        "\n{:<20} {:<9} {:<10} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8}  location",
        "task", "kind", "state", "total", "busy", "ready", "idle", "polls", "longest"
    )?;
    for t in report.tasks.iter().take(ROWS) {
        writeln!(
            out,
            "{:<20} {:<9} {:<10} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8}  {}",
            cut(&name(t), 20),
            cut(&clean(&t.kind), 9),
            t.outcome.unwrap_or(t.state),
            time(t.total_ms),
            time(t.busy_ms),
            maybe(t.scheduled_ms),
            time(t.idle_ms),
            t.polls,
            maybe(t.longest_poll_ms),
            clean(t.location.as_deref().unwrap_or("–")),
        )?;
    }
    rest(out, report.tasks.len())
}

fn timers(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.timers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<20} {:<9} {:<10} {:>8} {:>8}  location",
        "timer of", "kind", "state", "duration", "late"
    )?;
    for t in report.timers.iter().take(ROWS) {
        writeln!(
            out,
            "{:<20} {:<9} {:<10} {:>8} {:>8}  {}",
            cut(&label(report, t.task), 20),
            t.kind,
            t.state,
            maybe(t.duration_ms),
            maybe(t.late_ms),
            clean(t.location.as_deref().unwrap_or("–")),
        )?;
    }
    rest(out, report.timers.len())
}

fn blocking(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.blocking.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{:<20} {:<24} {:>8} {:>8}  location",
        "blocking call", "thread", "queued", "ran"
    )?;
    for b in report.blocking.iter().take(ROWS) {
        writeln!(
            out,
            "{:<20} {:<24} {:>8} {:>8}  {}",
            cut(&label(report, Some(b.task)), 20),
            cut(&clean(b.thread.as_deref().unwrap_or("–")), 24),
            time(b.queued_ms),
            maybe(b.run_ms),
            clean(b.location.as_deref().unwrap_or("–")),
        )?;
    }
    rest(out, report.blocking.len())
}

fn rest(out: &mut String, rows: usize) -> std::fmt::Result {
    if rows > ROWS {
        writeln!(
            out,
            "… and {} more; --format json has them all",
            rows - ROWS
        )?;
    }
    Ok(())
}

fn label(report: &Report, task: Option<u64>) -> String {
    let Some(id) = task else {
        return "–".to_owned();
    };
    let row = report
        .tasks
        .binary_search_by_key(&id, |t| t.id)
        .map(|i| &report.tasks[i]);
    row.map_or_else(|_| format!("#{id}"), name)
}

fn name(task: &TaskRow) -> String {
    task.name
        .as_deref()
        .map_or_else(|| format!("#{} {}", task.id, clean(&task.kind)), clean)
}

fn maybe(ms: Option<f64>) -> String {
    ms.map_or("–".to_owned(), time)
}

/// Three significant digits.
fn time(ms: f64) -> String {
    let (value, unit) = match ms {
        _ if ms >= 1_000.0 => (ms / 1_000.0, "s"),
        _ if ms >= 1.0 || ms == 0.0 => (ms, "ms"),
        _ => (ms * 1_000.0, "µs"),
    };
    match value {
        0.0 => format!("0 {unit}"),
        _ if value >= 99.95 => format!("{value:.0} {unit}"),
        _ if value >= 9.995 => format!("{value:.1} {unit}"),
        _ => format!("{value:.2} {unit}"),
    }
}

/// Text from the target, made harmless to the terminal.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}
