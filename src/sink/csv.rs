//! Tables for other programs, as RFC 4180 has them: a line of names, then one for each row.
//!
//! Times are milliseconds since the run began, spans of time are milliseconds but for polls,
//! which have microseconds. What is unknown is empty. A row is written once nothing more can
//! come of it: tasks and timers in the order in which they ended, then those that live on.

use std::time::Duration;

use super::{
    Encoder,
    polls::Waiting,
    report::{self, TaskRow, TimerRow},
};
use crate::{
    frame::Frame,
    model::{Kind, Model, Polled, Task, Timer},
};

/// A value as a cell, quoted where it has to be.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn row<const N: usize>(cells: &[String; N], out: &mut String) {
    for (at, text) in cells.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        out.push_str(&cell(text));
    }
    out.push_str("\r\n");
}

fn maybe(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// How much of what has ended is left alone for now: something may still be told of it.
const SETTLING: usize = 5_000;

/// Which of those that have ended are written: they are forgotten one after the other.
#[derive(Debug, Default)]
struct Written(u64);

impl Written {
    /// How many to pass over and how many to write, of `kept` that have ended and are kept
    /// after `forgotten` others; `settling` of them are left for later.
    fn next(&mut self, forgotten: u64, kept: usize, settling: usize) -> (usize, usize) {
        let passed = self.0.saturating_sub(forgotten).min(kept as u64);
        let due = (kept as u64).saturating_sub(passed + settling as u64);
        self.0 = forgotten + passed + due;
        (passed as usize, due as usize)
    }
}

#[derive(Debug, Default)]
pub struct Tasks(Written);

impl Tasks {
    /// Writes a task's row. A worker has none, as in the report.
    fn write(model: &Model, task: &Task, out: &mut String) {
        if task.kind == Kind::Worker {
            return;
        }
        let TaskRow {
            id,
            label: _,
            name,
            kind,
            parent,
            state,
            outcome,
            location,
            place: _,
            created_ms,
            total_ms,
            busy_ms,
            scheduled_ms,
            idle_ms,
            polls,
            wakes,
            self_wakes,
            wakers,
            longest_poll_ms,
        } = report::task(model, task);
        let cells = [
            id.to_string(),
            maybe(name),
            kind,
            maybe(parent),
            state.to_owned(),
            maybe(outcome),
            maybe(location),
            created_ms.to_string(),
            total_ms.to_string(),
            busy_ms.to_string(),
            maybe(scheduled_ms),
            idle_ms.to_string(),
            polls.to_string(),
            maybe(wakes),
            maybe(self_wakes),
            wakers.to_string(),
            maybe(longest_poll_ms),
        ];
        row(&cells, out);
    }

    fn ended(&mut self, model: &Model, settling: usize, out: &mut String) {
        let ended = model.tasks.ended();
        let (passed, due) = self.0.next(model.lost.forgotten, ended.len(), settling);
        for task in ended.skip(passed).take(due).flatten() {
            Self::write(model, task, out);
        }
    }
}

impl Encoder for Tasks {
    fn begin(&mut self, model: &Model, out: &mut String) {
        self.0 = Written(model.lost.forgotten);
        out.push_str(
            "id,name,kind,parent,state,outcome,location,created_ms,total_ms,busy_ms,\
             scheduled_ms,idle_ms,polls,wakes,self_wakes,wakers,longest_poll_ms\r\n",
        );
    }

    fn frame(&mut self, _: &Frame, model: &Model, out: &mut String) {
        self.ended(model, SETTLING, out);
    }

    fn end(&mut self, model: &Model, out: &mut String) {
        self.ended(model, 0, out);
        for task in model.tasks.iter().filter(|task| !task.is_done()) {
            Self::write(model, task, out);
        }
    }
}

#[derive(Debug, Default)]
pub struct Timers(Written);

impl Timers {
    fn write(model: &Model, timer: &Timer, out: &mut String) {
        let TimerRow {
            id,
            kind,
            task,
            duration_ms,
            created_ms,
            fired_ms,
            late_ms,
            state,
            location,
            place: _,
        } = report::timer(model, timer);
        let cells = [
            id.to_string(),
            kind.to_owned(),
            maybe(task),
            maybe(duration_ms),
            created_ms.to_string(),
            maybe(fired_ms),
            maybe(late_ms),
            state.to_owned(),
            maybe(location),
        ];
        row(&cells, out);
    }

    fn gone(&mut self, model: &Model, settling: usize, out: &mut String) {
        let gone = model.timers.gone();
        let (passed, due) = self.0.next(model.timers.forgotten(), gone.len(), settling);
        for timer in gone.skip(passed).take(due).flatten() {
            Self::write(model, timer, out);
        }
    }
}

impl Encoder for Timers {
    fn begin(&mut self, model: &Model, out: &mut String) {
        self.0 = Written(model.timers.forgotten());
        out.push_str("id,kind,task,duration_ms,created_ms,fired_ms,late_ms,state,location\r\n");
    }

    fn frame(&mut self, _: &Frame, model: &Model, out: &mut String) {
        self.gone(model, SETTLING, out);
    }

    fn end(&mut self, model: &Model, out: &mut String) {
        self.gone(model, 0, out);
        for timer in model.timers.iter().filter(|timer| timer.dropped.is_none()) {
            Self::write(model, timer, out);
        }
    }
}

/// Single polls: those that were told together in the order in which they began.
#[derive(Debug, Default)]
pub struct Polls(Waiting);

impl Polls {
    fn write(model: &Model, poll: &Polled, out: &mut String) {
        let task = |id| model.tasks.by_tokio_id(id);
        let us = |d: Duration| d.as_nanos() as f64 / 1_000.0;
        let ms = |d: Duration| d.as_nanos() as f64 / 1_000_000.0;
        let polled = task(poll.task);
        let start = model.started.unwrap_or_default();
        let waker = poll.woken_by.and_then(task);
        let cells = [
            maybe(polled.map(|task| task.id.0)),
            maybe(polled.map(Task::label)),
            poll.thread.to_string(),
            ms(poll.started.since(start)).to_string(),
            us(poll.lasted).to_string(),
            maybe(poll.woken.map(|woken| us(poll.started.since(woken)))),
            maybe(waker.map(|task| task.id.0)),
        ];
        row(&cells, out);
    }
}

impl Encoder for Polls {
    fn begin(&mut self, _: &Model, out: &mut String) {
        out.push_str("task,name,thread,started_ms,lasted_us,ready_us,woken_by\r\n");
    }

    fn frame(&mut self, frame: &Frame, model: &Model, out: &mut String) {
        for poll in self.0.next(frame, model) {
            Self::write(model, &poll, out);
        }
    }

    fn end(&mut self, model: &Model, out: &mut String) {
        for poll in self.0.rest() {
            Self::write(model, &poll, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a, \"b\"\n"), "\"a, \"\"b\"\"\n\"");
    }

    #[test]
    fn each_is_written_once_however_many_are_forgotten() {
        let mut written = Written::default();
        assert_eq!(written.next(0, 7, 5), (0, 2));
        assert_eq!(written.next(0, 7, 5), (2, 0));
        assert_eq!(written.next(1, 9, 5), (1, 3));
        // More were forgotten than had been written.
        assert_eq!(written.next(20, 6, 5), (0, 1));
        assert_eq!(written.next(20, 6, 0), (1, 5));
        assert_eq!(written.next(20, 6, 0), (6, 0));
    }
}
