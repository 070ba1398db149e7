//! A Chrome trace, for Perfetto and `chrome://tracing`.
//!
//! | process | its threads | its slices |
//! |---|---|---|
//! | threads | the target's own threads | polls (`poll`) and blocking calls (`call`), by task |
//! | tasks | one for each task | running, ready, and what it waited for |
//!
//! An arrow leads from the poll that woke a task to the poll that it was woken for. Live tasks
//! and queues are counters, warnings are instants of their tasks. Times count from the
//! program's start, as in the report. A poll that goes on at the end has no end. Without the
//! probe no single poll is known, and a task's states are as long as they were seen from one
//! update to the next.

mod entry;
mod judge;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::{
    entry::{Entry, Line, micros},
    judge::{doing, since, wake},
};
use super::{Encoder, polls::Waiting};
use crate::{
    frame::{Event, Frame, Time},
    model::{Kind, Model, Outcome, Polled, State, Task, TaskId},
};

#[derive(Debug, Default)]
pub struct Trace {
    /// Where times count from, once something is drawn.
    start: Option<Time>,
    begun: bool,
    /// The console protocol has told something.
    connected: bool,
    /// Live tasks: up to when each is drawn, and what it did since.
    tasks: BTreeMap<TaskId, Track>,
    /// The newest task that was looked at.
    newest: Option<TaskId>,
    /// Threads that have been named.
    threads: BTreeSet<u64>,
    /// Polls whose tasks are not known yet.
    waiting: Waiting,
    arrows: u64,
}

#[derive(Debug)]
struct Track {
    until: Time,
    doing: String,
    /// Something is drawn, so it cannot begin earlier any more.
    drawn: bool,
    /// Its polls and since when it does what it does, when it was looked at last.
    stands: Option<(u64, Time)>,
    /// That was the same the time before.
    is_calm: bool,
    /// It was told that the task has ended; its last poll may be told a moment later.
    ended: bool,
}

impl Trace {
    fn at(&self, time: Time) -> f64 {
        micros(time.since(self.start.unwrap_or_default()))
    }

    fn put(&mut self, entry: &Entry<'_>, out: &mut String) {
        out.push_str(if self.begun { ",\n" } else { "" });
        self.begun = true;
        // It has no maps with other keys than text, and text has room.
        out.push_str(&serde_json::to_string(entry).unwrap_or_default());
    }

    /// Tells of a line what it is called, and how many are above it.
    fn name(&mut self, what: &str, line: Line, name: &str, out: &mut String) {
        let place = if what == "process" {
            line.pid
        } else {
            line.tid
        };
        for (word, args) in [
            ("name", json!({ "name": name })),
            ("sort_index", json!({ "sort_index": place })),
        ] {
            let word = format!("{what}_{word}");
            let entry = Entry {
                args: Some(args),
                ..Entry::new("M", &word, line, 0.0)
            };
            self.put(&entry, out);
        }
    }

    /// Draws what a task did up to a time, as far as that is not drawn yet.
    fn draw(&mut self, task: TaskId, doing: Option<&str>, to: Time, out: &mut String) {
        let start = self.start.unwrap_or_default();
        let Some(track) = self.tasks.get_mut(&task) else {
            return;
        };
        let from = track.until.max(start);
        if to <= from {
            return;
        }
        track.until = to;
        track.drawn = true;
        let was = track.doing.clone();
        let doing = doing.unwrap_or(&was);
        let entry = Entry {
            dur: Some(micros(to.since(from))),
            ..Entry::new("X", doing, Line::task(task), self.at(from))
        };
        self.put(&entry, out);
    }

    fn poll(&mut self, poll: &Polled, model: &Model, out: &mut String) {
        let task = model.tasks.by_tokio_id(poll.task);
        // That of a worker is its whole life, and calls are drawn by what is told of their tasks.
        if task.is_some_and(|task| !task.kind.is_async()) {
            return;
        }
        let name = task.map_or_else(|| format!("task {}", poll.task), |t| t.label().into_owned());
        let ready = poll.woken.map(|woken| micros(poll.started.since(woken)));
        let waker = poll.woken_by.and_then(|id| model.tasks.by_tokio_id(id));
        let line = self.thread(poll.thread, model, out);
        let entry = Entry {
            dur: Some(micros(poll.lasted)),
            cat: Some("poll"),
            args: Some(json!({
                "task": task.map(|task| task.id.0),
                "ready_us": ready,
                "woken_by": waker.map(|task| task.id.0),
            })),
            ..Entry::new("X", &name, line, self.at(poll.started))
        };
        self.put(&entry, out);
        let Some(task) = task else { return };
        let is_first = task.first_poll == Some(poll.started);
        let woken = poll.woken.unwrap_or(poll.started);
        let known = if is_first { task.created } else { woken };
        self.meet(task, known, "ready", out);
        if let Some(woken) = poll.woken {
            self.draw(task.id, None, woken, out);
        }
        let waited = poll.woken.is_some() || is_first;
        self.draw(task.id, waited.then_some("ready"), poll.started, out);
        self.draw(task.id, Some("running"), poll.started + poll.lasted, out);
        if let Some(track) = self.tasks.get_mut(&task.id) {
            "idle".clone_into(&mut track.doing);
        }
        let wake = waker.and_then(|waker| Some((waker.id, wake(model, waker, poll.woken?)?)));
        if let Some(from) = wake {
            self.arrow(from, (task.id, poll.started), out);
        }
    }

    /// A blocking call that has ended. It is no poll of those that are told one by one.
    fn call(&mut self, task: &Task, ended: Time, model: &Model, out: &mut String) {
        let Some(began) = task.first_poll else {
            return;
        };
        self.draw(task.id, Some("ready"), began, out);
        self.draw(task.id, Some("running"), ended, out);
        let Some(thread) = task.thread else { return };
        let line = self.thread(thread, model, out);
        let name = task.label();
        let entry = Entry {
            dur: Some(micros(ended.since(began))),
            cat: Some("call"),
            args: Some(json!({
                "task": task.id.0,
                "ready_us": micros(began.since(task.created)),
            })),
            ..Entry::new("X", &name, line, self.at(began))
        };
        self.put(&entry, out);
    }

    fn arrow(&mut self, from: (TaskId, Time), to: (TaskId, Time), out: &mut String) {
        self.arrows += 1;
        for (ph, bp, (task, at)) in [("s", None, from), ("f", Some("e"), to)] {
            let entry = Entry {
                cat: Some("wake"),
                id: Some(self.arrows),
                bp,
                ..Entry::new(ph, "wake", Line::task(task), self.at(at))
            };
            self.put(&entry, out);
        }
    }

    /// The line of a thread, which is named the first time.
    fn thread(&mut self, number: u64, model: &Model, out: &mut String) -> Line {
        let line = Line::thread(number);
        if self.threads.insert(number) {
            let name = model.threads.get(number).map_or("", |thread| &thread.name);
            self.name("thread", line, format!("{name} {number}").trim(), out);
        }
        line
    }

    /// It is known what a task does from this time on. It gets a track, if it has none.
    fn meet(&mut self, task: &Task, from: Time, doing: &str, out: &mut String) {
        if let Some(track) = self.tasks.get_mut(&task.id) {
            if !track.drawn {
                track.until = track.until.min(from);
            }
            return;
        }
        let track = Track {
            until: from,
            doing: doing.to_owned(),
            drawn: false,
            stands: None,
            is_calm: false,
            ended: false,
        };
        self.tasks.insert(task.id, track);
        self.name("thread", Line::task(task.id), &task.label(), out);
    }

    /// Takes note of what tasks do now, and of those that have ended.
    fn look(&mut self, model: &Model, out: &mut String) {
        let polls = model.process.is_some();
        for task in model.tasks.iter() {
            let is_new = self.newest < Some(task.id);
            self.newest = self.newest.max(Some(task.id));
            // A worker runs as long as the runtime, and is none of its tasks.
            if task.kind == Kind::Worker {
                continue;
            }
            if task.is_done() {
                // A call, or what was never polled, may have come and gone.
                let is_known = task.kind == Kind::Blocking || task.first_poll.is_none();
                if polls && is_new && is_known {
                    self.meet(task, task.created, "ready", out);
                }
                continue;
            }
            self.meet(task, since(task), "idle", out);
            let Some(track) = self.tasks.get_mut(&task.id) else {
                continue;
            };
            // What it waits for is told with its poll or a moment later, and stays until the
            // next: 10,000 tasks at rest are not judged again and again.
            let stands = Some((task.polls(), since(task)));
            let is_same = track.stands == stands;
            track.stands = stands;
            if std::mem::replace(&mut track.is_calm, is_same) && is_same {
                continue;
            }
            let state = model.state(task);
            // Polls tell when it ran, and when it could.
            if polls && matches!(state, State::Running | State::Ready) {
                continue;
            }
            let doing = doing(model, task, state);
            if track.doing == doing {
                continue;
            }
            let was = std::mem::replace(&mut track.doing, doing);
            if !polls {
                let since = since(task);
                let polled = task
                    .last_poll_started
                    .filter(|at| was == "ready" && *at < since);
                // It was polled between two updates.
                if let Some(polled) = polled {
                    self.draw(task.id, Some(&was), polled, out);
                    self.draw(task.id, Some("running"), since, out);
                } else {
                    self.draw(task.id, Some(&was), since, out);
                }
            }
        }
        let mut gone = Vec::new();
        for (id, track) in &mut self.tasks {
            let task = model.tasks.get(*id);
            let lives = task.is_some_and(|task| !task.is_done());
            // All is told of a task that was seen to have ended before.
            if !lives && (task.is_none() || std::mem::replace(&mut track.ended, true)) {
                gone.push((*id, task));
            }
        }
        for (id, task) in gone {
            if let Some(task) = task {
                self.finish(task, model, out);
            }
            self.tasks.remove(&id);
        }
    }

    /// Draws what is left of a task, up to its end or to the last that was told.
    fn finish(&mut self, task: &Task, model: &Model, out: &mut String) {
        let polls = model.process.is_some();
        let end = task.dropped.unwrap_or(model.now);
        let running = task.running_since().map(|since| (since, "running"));
        let ready = task.ready_since().map(|since| (since, "ready"));
        match running.or(ready).filter(|_| polls) {
            _ if polls && task.kind == Kind::Blocking && task.is_done() => {
                self.call(task, end, model, out);
            }
            Some((since, doing)) => {
                self.draw(task.id, None, since, out);
                self.draw(task.id, Some(doing), end, out);
            }
            None => {}
        }
        self.draw(task.id, None, end, out);
        if let Some(outcome) = task.outcome.filter(|o| *o != Outcome::Ok) {
            self.instant(outcome.as_str(), Some(task.id), end, None, out);
        }
    }

    /// Something that happened to a task, or to all.
    fn instant(
        &mut self,
        name: &str,
        task: Option<TaskId>,
        at: Time,
        args: Option<Value>,
        out: &mut String,
    ) {
        let line = task.map_or(Line::process(Line::TASKS), Line::task);
        let entry = Entry {
            s: Some(if task.is_some() { "t" } else { "g" }),
            args,
            ..Entry::new("i", name, line, self.at(at))
        };
        self.put(&entry, out);
    }

    fn counters(&mut self, model: &Model, out: &mut String) {
        let runtimes = &model.runtimes;
        let queues = runtimes.main().map(|_| {
            let global = runtimes.total(|r| r.global_queue);
            let blocking = runtimes.total(|r| r.blocking_queue);
            ("queue", json!({ "global": global, "blocking": blocking }))
        });
        let tasks = ("tasks", json!({ "live": model.tasks.live() }));
        for (name, figures) in queues.into_iter().chain([tasks]) {
            let line = Line::process(Line::THREADS);
            let entry = Entry {
                args: Some(figures),
                ..Entry::new("C", name, line, self.at(model.now))
            };
            self.put(&entry, out);
        }
    }

    /// What goes on when nothing more is told.
    fn leave(&mut self, model: &Model, out: &mut String) {
        for thread in model.threads.iter().filter(|t| t.ended.is_none()) {
            let task = thread.task.and_then(|id| model.tasks.by_tokio_id(id));
            let running = task.filter(|task| task.kind != Kind::Worker);
            let Some((task, since)) = running.and_then(|t| Some((t, t.running_since()?))) else {
                continue;
            };
            let line = self.thread(thread.id, model, out);
            let is_call = task.kind == Kind::Blocking;
            let name = task.label();
            let entry = Entry {
                cat: Some(if is_call { "call" } else { "poll" }),
                args: Some(json!({ "task": task.id.0 })),
                ..Entry::new("B", &name, line, self.at(since))
            };
            self.put(&entry, out);
        }
        let tasks: Vec<TaskId> = self.tasks.keys().copied().collect();
        for task in tasks.into_iter().filter_map(|id| model.tasks.get(id)) {
            self.finish(task, model, out);
        }
    }
}

impl Encoder for Trace {
    fn begin(&mut self, _: &Model, out: &mut String) {
        out.push_str("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        self.name("process", Line::process(Line::THREADS), "threads", out);
        self.name("process", Line::process(Line::TASKS), "tasks", out);
    }

    fn frame(&mut self, frame: &Frame, model: &Model, out: &mut String) {
        let polls = self.waiting.next(frame, model);
        let is_told = match &frame.event {
            Event::Probe(_) => model.process.is_some() && !model.polls_wait(),
            // With the probe, what it says of this moment is still to come; of the first moment
            // nobody knows yet whether there is one.
            Event::Console(_) => {
                let is_first = !std::mem::replace(&mut self.connected, true);
                model.process.is_none() && !is_first
            }
            _ => false,
        };
        if self.start.is_none() && (is_told || !polls.is_empty()) {
            self.start = model.started;
        }
        for poll in &polls {
            self.poll(poll, model, out);
        }
        if is_told {
            self.look(model, out);
            self.counters(model, out);
        }
    }

    fn end(&mut self, model: &Model, out: &mut String) {
        for poll in self.waiting.rest() {
            self.poll(&poll, model, out);
        }
        self.look(model, out);
        self.leave(model, out);
        for lint in model.lints.iter() {
            let task = lint.task.and_then(|id| model.tasks.get(id));
            let label = task.map_or_else(String::new, |task| format!("{} ", task.label()));
            let args = json!({ "message": format!("{label}{}", lint.message) });
            self.instant(lint.kind.name(), lint.task, lint.at, Some(args), out);
        }
        out.push_str("\n]}\n");
    }
}
