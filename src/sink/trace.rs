//! A Chrome trace, for Perfetto and `chrome://tracing`.
//!
//! | process | its threads | its slices |
//! |---|---|---|
//! | threads | the target's own threads | polls, by task |
//! | tasks | one for each task | running, ready, and what it waited for |
//!
//! An arrow leads from the poll that woke a task to the poll that it was woken for. Live tasks
//! and queues are counters, warnings are instants. Without the probe no single poll is known,
//! and a task's states are as long as they were seen from one update to the next.

use std::collections::{BTreeMap, BTreeSet};

use loopview_api::v1;
use serde::Serialize;
use serde_json::{Value, json};

use super::Encoder;
use crate::{
    frame::{Event, Frame, Time},
    model::{Model, Outcome, Polled, State, Task, TaskId, Wait, polls},
};

const THREADS: u64 = 1;
const TASKS: u64 = 2;

/// One event of the trace; microseconds.
#[derive(Serialize)]
struct Entry<'a> {
    ph: &'a str,
    name: &'a str,
    pid: u64,
    tid: u64,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    /// Of an arrow: its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'a str>,
    /// Of an arrow's end: that it leads to the slice around it, and not to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'a str>,
    /// Of an instant: for whom it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Value>,
}

impl Entry<'_> {
    const NONE: Entry<'static> = Entry {
        ph: "",
        name: "",
        pid: 0,
        tid: 0,
        ts: 0.0,
        dur: None,
        id: None,
        cat: None,
        bp: None,
        s: None,
        args: None,
    };
}

#[derive(Debug)]
pub struct Trace {
    /// Where times count from.
    start: Time,
    begun: bool,
    /// Live tasks: up to when each is drawn, and what it did since.
    tasks: BTreeMap<TaskId, Track>,
    /// Threads that have been named.
    threads: BTreeSet<u64>,
    /// Single polls are told.
    polls: bool,
    arrows: u64,
}

#[derive(Debug)]
struct Track {
    until: Time,
    doing: String,
}

impl Trace {
    /// Of what is told from this time on.
    pub fn new(start: Time) -> Self {
        Self {
            start,
            begun: false,
            tasks: BTreeMap::new(),
            threads: BTreeSet::new(),
            polls: false,
            arrows: 0,
        }
    }

    fn at(&self, time: Time) -> f64 {
        time.since(self.start).as_nanos() as f64 / 1_000.0
    }

    fn put(&mut self, entry: &Entry<'_>, out: &mut String) {
        out.push_str(if self.begun { ",\n" } else { "" });
        self.begun = true;
        // It has no maps with other keys than text, and text has room.
        out.push_str(&serde_json::to_string(entry).unwrap_or_default());
    }

    fn name(&mut self, what: &str, pid: u64, tid: u64, name: &str, out: &mut String) {
        let entry = Entry {
            ph: "M",
            name: what,
            pid,
            tid,
            args: Some(json!({ "name": name })),
            ..Entry::NONE
        };
        self.put(&entry, out);
    }

    fn slice(&mut self, slice: &Slice<'_>, out: &mut String) {
        let from = slice.from.max(self.start);
        if slice.to <= from && !slice.is_poll {
            return;
        }
        let entry = Entry {
            ph: "X",
            name: slice.name,
            pid: slice.pid,
            tid: slice.tid,
            ts: self.at(from),
            dur: Some(slice.to.since(from).as_nanos() as f64 / 1_000.0),
            args: slice.args.clone(),
            ..Entry::NONE
        };
        self.put(&entry, out);
    }

    /// Draws what a task did up to a time, as far as that is not drawn yet.
    fn draw(&mut self, task: TaskId, doing: Option<&str>, to: Time, out: &mut String) {
        let Some(track) = self.tasks.get_mut(&task) else {
            return;
        };
        let from = track.until;
        track.until = from.max(to);
        let was = track.doing.clone();
        let slice = Slice {
            name: doing.unwrap_or(&was),
            pid: TASKS,
            tid: task.0,
            from,
            to,
            is_poll: false,
            args: None,
        };
        self.slice(&slice, out);
    }

    fn polls(&mut self, told: &v1::Polls, model: &Model, out: &mut String) {
        self.polls = true;
        for poll in polls(told) {
            self.poll(&poll, model, out);
        }
    }

    fn poll(&mut self, poll: &Polled, model: &Model, out: &mut String) {
        let task = model.tasks.by_tokio_id(poll.task);
        let name = task.map_or_else(|| format!("task {}", poll.task), |t| t.label().into_owned());
        let ended = poll.started + poll.lasted;
        if self.threads.insert(poll.thread) {
            let thread = model.threads.get(poll.thread);
            let thread = thread.map_or_else(String::new, |thread| thread.name.to_string());
            let thread = format!("{thread} {}", poll.thread);
            self.name("thread_name", THREADS, poll.thread, thread.trim(), out);
        }
        let ready = poll.woken.map(|woken| poll.started.since(woken));
        let slice = Slice {
            name: &name,
            pid: THREADS,
            tid: poll.thread,
            from: poll.started,
            to: ended,
            is_poll: true,
            args: Some(json!({
                "task": task.map(|task| task.id.0),
                "ready_us": ready.map(|ready| ready.as_nanos() as f64 / 1_000.0),
                "woken_by": poll.woken_by,
            })),
        };
        self.slice(&slice, out);
        let Some(task) = task else { return };
        self.meet(task, out);
        if let Some(woken) = poll.woken {
            self.draw(task.id, None, woken, out);
        }
        let waited = poll.woken.is_some() || task.first_poll == Some(poll.started);
        self.draw(task.id, waited.then_some("ready"), poll.started, out);
        self.draw(task.id, Some("running"), ended, out);
        if let Some(track) = self.tasks.get_mut(&task.id) {
            "idle".clone_into(&mut track.doing);
        }
        let waker = poll.woken_by.and_then(|id| model.tasks.by_tokio_id(id));
        if let (Some(waker), Some(woken)) = (waker, poll.woken) {
            self.arrow((waker.id, woken), (task.id, poll.started), out);
        }
    }

    fn arrow(&mut self, from: (TaskId, Time), to: (TaskId, Time), out: &mut String) {
        self.arrows += 1;
        for (ph, bp, (task, at)) in [("s", None, from), ("f", Some("e"), to)] {
            let entry = Entry {
                ph,
                name: "wake",
                cat: Some("wake"),
                pid: TASKS,
                tid: task.0,
                ts: self.at(at),
                id: Some(self.arrows),
                bp,
                ..Entry::NONE
            };
            self.put(&entry, out);
        }
    }

    /// Gives a task a track, if it has none.
    fn meet(&mut self, task: &Task, out: &mut String) {
        if self.tasks.contains_key(&task.id) {
            return;
        }
        let track = Track {
            until: task.created,
            doing: "ready".to_owned(),
        };
        self.tasks.insert(task.id, track);
        self.name("thread_name", TASKS, task.id.0, &task.label(), out);
    }

    /// Takes note of what tasks do now, and of those that have ended.
    fn look(&mut self, model: &Model, out: &mut String) {
        for task in model.tasks.iter().filter(|task| !task.is_done()) {
            self.meet(task, out);
            let state = model.state(task);
            let exact = matches!(state, State::Running | State::Ready);
            // Polls tell when it ran, and when it could.
            if self.polls && exact {
                continue;
            }
            let doing = doing(model, task, state);
            let was = self.tasks.get(&task.id).map(|track| track.doing.as_str());
            if was == Some(&doing) {
                continue;
            }
            if !self.polls {
                self.draw(task.id, None, model.now, out);
            }
            if let Some(track) = self.tasks.get_mut(&task.id) {
                track.doing = doing;
            }
        }
        let ended: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in ended {
            let task = model.tasks.get(id);
            if task.is_some_and(|task| !task.is_done()) {
                continue;
            }
            if let Some((task, dropped)) = task.and_then(|task| Some((task, task.dropped?))) {
                self.draw(id, None, dropped, out);
                if let Some(outcome) = task.outcome.filter(|o| *o != Outcome::Ok) {
                    self.instant(outcome.as_str(), TASKS, id.0, dropped, None, out);
                }
            }
            self.tasks.remove(&id);
        }
    }

    fn instant(
        &mut self,
        name: &str,
        pid: u64,
        tid: u64,
        at: Time,
        args: Option<Value>,
        out: &mut String,
    ) {
        let entry = Entry {
            ph: "i",
            name,
            pid,
            tid,
            ts: self.at(at),
            s: Some(if args.is_some() { "g" } else { "t" }),
            args,
            ..Entry::NONE
        };
        self.put(&entry, out);
    }

    fn counters(&mut self, model: &Model, out: &mut String) {
        let runtimes = &model.runtimes;
        let figures = [
            ("live tasks", model.tasks.live() as u64),
            ("global queue", runtimes.total(|r| r.global_queue)),
            ("blocking queue", runtimes.total(|r| r.blocking_queue)),
        ];
        for (name, figure) in figures {
            let entry = Entry {
                ph: "C",
                name,
                pid: THREADS,
                ts: self.at(model.now),
                args: Some(json!({ name: figure })),
                ..Entry::NONE
            };
            self.put(&entry, out);
        }
    }
}

struct Slice<'a> {
    name: &'a str,
    pid: u64,
    tid: u64,
    from: Time,
    to: Time,
    /// It is drawn however short it is.
    is_poll: bool,
    args: Option<Value>,
}

/// What a task does, in few words.
fn doing(model: &Model, task: &Task, state: State) -> String {
    match (state, model.wait(task)) {
        (State::Running, _) => "running".to_owned(),
        (State::Ready, _) => "ready".to_owned(),
        (_, Some(Wait::Timer(_))) => "sleeping".to_owned(),
        (_, Some(Wait::Resource(op))) => format!("waiting: {}", op.source),
        (_, Some(Wait::Task(other))) => format!("waiting: task {}", other.label()),
        (_, Some(Wait::Scope(scope))) => format!("waiting: {}", scope.kind),
        (_, None) => "idle".to_owned(),
    }
}

impl Encoder for Trace {
    fn begin(&mut self, _: &Model, out: &mut String) {
        out.push_str("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        self.name("process_name", THREADS, 0, "threads", out);
        self.name("process_name", TASKS, 0, "tasks", out);
    }

    fn frame(&mut self, frame: &Frame, model: &Model, out: &mut String) {
        match &frame.event {
            Event::Probe(update) => {
                if let Some(told) = &update.polls {
                    self.polls(told, model, out);
                }
                self.look(model, out);
                self.counters(model, out);
            }
            // With the probe, what it says of this moment is still to come.
            Event::Console(_) if model.process.is_none() => {
                self.look(model, out);
                self.counters(model, out);
            }
            _ => {}
        }
    }

    fn end(&mut self, model: &Model, out: &mut String) {
        let tasks: Vec<TaskId> = self.tasks.keys().copied().collect();
        for id in tasks {
            self.draw(id, None, model.now, out);
        }
        for lint in model.lints.iter() {
            let task = lint.task.and_then(|id| model.tasks.get(id));
            let label = task.map_or_else(String::new, |task| format!("{} ", task.label()));
            let args = json!({ "message": format!("{label}{}", lint.message) });
            let tid = lint.task.map_or(0, |id| id.0);
            self.instant(lint.kind.name(), TASKS, tid, lint.at, Some(args), out);
        }
        out.push_str("\n]}\n");
    }
}
