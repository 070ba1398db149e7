//! An event of the trace, as its readers expect it.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::model::TaskId;

/// A line of slices: of a process of the trace, and a thread of that.
#[derive(Copy, Clone, Debug, Serialize)]
pub(super) struct Line {
    pub pid: u64,
    pub tid: u64,
}

impl Line {
    pub const THREADS: u64 = 1;
    pub const TASKS: u64 = 2;
    /// To readers a thread 0 is the idle one, and one with its process's number is the main
    /// one. So numbers begin above all that.
    const FIRST: u64 = 10;

    pub fn thread(number: u64) -> Self {
        Self {
            pid: Self::THREADS,
            tid: number.saturating_add(Self::FIRST),
        }
    }

    pub fn task(id: TaskId) -> Self {
        Self {
            pid: Self::TASKS,
            tid: id.0.saturating_add(Self::FIRST),
        }
    }

    /// Of a process as a whole.
    pub fn process(pid: u64) -> Self {
        Self { pid, tid: pid }
    }
}

/// One event of the trace; microseconds.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    pub ph: &'a str,
    pub name: &'a str,
    #[serde(flatten)]
    pub line: Line,
    pub ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cat: Option<&'a str>,
    /// Of an arrow: its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Of an arrow's end: that it leads to the slice around it, and not to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bp: Option<&'a str>,
    /// Of an instant: for whom it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Value>,
}

impl<'a> Entry<'a> {
    pub fn new(ph: &'a str, name: &'a str, line: Line, ts: f64) -> Self {
        Self {
            ph,
            name,
            line,
            ts,
            dur: None,
            cat: None,
            id: None,
            bp: None,
            s: None,
            args: None,
        }
    }
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000.0
}
