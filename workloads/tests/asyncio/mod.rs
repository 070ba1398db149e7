//! Scenarios with what Python's asyncio made of them, and a runner that does the same with `aio`.
//!
//! README.md tells the language and where the data comes from.

mod interpreter;
mod language;
mod outcome;

use std::{panic, sync::mpsc, thread, time::Duration};

use serde::Deserialize as _;
use serde_json::{Value, json};

use interpreter::{Clock, Event, Report};
use language::Spec;

/// What became of one record.
pub struct Checked {
    /// The record with our own result and events; or with the reason why there are none.
    pub record: Value,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// What differs, in a few lines.
    Failed(String),
    /// Different, where Python's own outcome is an accident.
    Differs(String),
    Skipped(String),
}

/// Runs the scenarios of all records and compares. Those on the real clock run side by side, as they
/// do nothing but wait; the others one by one before them, not to be in their way.
pub fn check_all(records: &[Value]) -> Vec<Checked> {
    let is_real = |record: &Value| record["clock"] == "threads";
    let mut checked: Vec<_> = records
        .iter()
        .map(|record| (!is_real(record)).then(|| check(record)))
        .collect();
    thread::scope(|scope| {
        for (record, checked) in records.iter().zip(&mut checked) {
            if checked.is_none() {
                scope.spawn(|| *checked = Some(check(record)));
            }
        }
    });
    checked.into_iter().flatten().collect()
}

/// Runs the scenario of a record and compares.
fn check(record: &Value) -> Checked {
    if let Some(reason) = language::unsupported(&record["spec"]) {
        return skipped(record, reason);
    }
    let spec = match Spec::deserialize(&record["spec"]) {
        Ok(spec) => spec,
        Err(error) => return failed(record, &format!("the scenario cannot be read: {error}")),
    };
    let real = record["clock"] == "threads";
    let clock = if real { Clock::Real } else { Clock::Paused };
    // On the real clock a busy machine may be late; it is not three times.
    let mut tries = if real { 3 } else { 1 };
    loop {
        tries -= 1;
        let checked = match run_apart(&spec, clock) {
            Ok(report) => compare(record, report, clock),
            Err(reason) => failed(record, &reason),
        };
        if tries == 0 || checked.verdict == Verdict::Passed {
            return checked;
        }
    }
}

/// Runs it on a thread of its own, so that one that panics or hangs is only one that fails.
fn run_apart(spec: &Spec, clock: Clock) -> Result<Report, String> {
    const LIMIT: Duration = Duration::from_secs(30);
    let (send, receive) = mpsc::channel();
    let spec = spec.clone();
    let builder = thread::Builder::new().stack_size(16 << 20);
    let running = builder.spawn(move || {
        let report = panic::catch_unwind(|| interpreter::run(&spec, clock));
        // Nobody listens any more if it took too long.
        let _ = send.send(report);
    });
    if let Err(error) = running {
        return Err(format!("no thread: {error}"));
    }
    match receive.recv_timeout(LIMIT) {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(_)) => Err("it panicked".to_owned()),
        Err(_) => Err(format!("it did not end within {} s", LIMIT.as_secs())),
    }
}

fn skipped(record: &Value, reason: &str) -> Checked {
    let mut record = record.clone();
    record["result"] = Value::Null;
    record["events"] = json!([]);
    record["skipped"] = json!(reason);
    Checked {
        record,
        verdict: Verdict::Skipped(reason.to_owned()),
    }
}

fn failed(record: &Value, reason: &str) -> Checked {
    let mut record = record.clone();
    record["result"] = Value::Null;
    record["events"] = json!([]);
    Checked {
        record,
        verdict: Verdict::Failed(reason.to_owned()),
    }
}

fn compare(record: &Value, report: Report, clock: Clock) -> Checked {
    let rounded = |ms: i64| match clock {
        Clock::Paused => ms,
        Clock::Real => (ms + 25).div_euclid(50) * 50,
    };
    let mut events = report.events;
    for event in &mut events {
        event.ms = rounded(event.ms);
    }
    let mut ours = record.clone();
    ours["events"] = in_normal_order(events);
    ours["result"] = json!({
        "main": report.main,
        "t": rounded(report.ended_ms),
        "closed_t": rounded(report.closed_ms),
        "notes": report.notes,
        "tasks": report.tasks,
    });
    let expected = match clock {
        Clock::Paused => record.clone(),
        Clock::Real => with_times(record, rounded),
    };
    let verdict = if ours == expected {
        Verdict::Passed
    } else if record["portable"] == false {
        Verdict::Differs(difference(&expected, &ours))
    } else {
        Verdict::Failed(difference(&expected, &ours))
    };
    Checked {
        record: ours,
        verdict,
    }
}

fn difference(expected: &Value, ours: &Value) -> String {
    let mut lines = Vec::new();
    for field in ["result", "events"] {
        if expected[field] != ours[field] {
            lines.push(format!("  {field} expected {}", expected[field]));
            lines.push(format!("  {field} got      {}", ours[field]));
        }
    }
    lines.join("\n")
}

/// A record whose times are changed.
fn with_times(record: &Value, change: impl Fn(i64) -> i64) -> Value {
    let mut record = record.clone();
    for field in ["t", "closed_t"] {
        if let Some(ms) = record["result"][field].as_i64() {
            record["result"][field] = json!(change(ms));
        }
    }
    let events: Result<Vec<(i64, String, String)>, _> = Vec::deserialize(&record["events"]);
    // What is no list of events stays as it is, and is no match for ours.
    if let Ok(events) = events {
        let events = events.into_iter().map(|(ms, kind, who)| Event {
            ms: change(ms),
            kind,
            who,
        });
        record["events"] = in_normal_order(events.collect());
    }
    record
}

/// What happens at one instant to several has no order that anybody promises: of events that follow
/// each other with the same time and kind, those of these kinds are in the order of the names.
fn in_normal_order(mut events: Vec<Event>) -> Value {
    const UNORDERED: [&str; 6] = ["start", "ok", "err", "cleanup", "cancelled", "thread_end"];
    let same = |a: &Event, b: &Event| a.ms == b.ms && a.kind == b.kind;
    for run in events.chunk_by_mut(same) {
        if UNORDERED.contains(&run[0].kind.as_str()) {
            run.sort_by(|a, b| a.who.cmp(&b.who));
        }
    }
    events
        .iter()
        .map(|event| json!([event.ms, event.kind, event.who]))
        .collect()
}
