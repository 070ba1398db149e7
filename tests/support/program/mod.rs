//! A program with the instruments in it: lives through what a scenario tells, and says of
//! itself what console-subscriber and our probe would.
//!
//! Where the instruments are wrong or blind, this is, too: a span is entered once more
//! when its future is dropped; wakes of a `block_on` are not seen; a plain sleep gives no
//! poll ops, as its async op is unknown; the time between a task's last poll and an abort
//! counts as scheduled; a first message tells everything and the next one tells it again.
//!
//! One file a thing that it has: this one lets its tasks live; what is counted of them is
//! in [`task`], and what is said of everything in [`send`].

mod locks;
mod resources;
pub mod send;
mod task;
mod threads;
mod timers;

use std::{collections::HashMap, time::Duration};

use console_api::resources::PollOp;
use loopview::frame::Time;
use loopview_api::v1;

use self::{
    resources::{AsyncOp, Resource},
    send::{Seen, Sent, duration, known},
    task::{Polls, Task},
    threads::Thread,
    timers::Timer,
};
use super::words::Options;

type Result<T = ()> = std::result::Result<T, String>;

/// What the names of a story stand for in a model.
#[derive(Debug, Default)]
pub struct Names {
    /// Tasks, by tokio's ids.
    pub tasks: HashMap<String, u64>,
    /// Timers, by their places in the order in which they were made.
    pub timers: HashMap<String, usize>,
    /// Scopes, by the probe's ids.
    pub scopes: HashMap<String, u64>,
    /// Resources, by their spans.
    pub resources: HashMap<String, u64>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    Local,
    BlockOn,
    Blocking,
    Worker,
    /// A worker in the place of one that blocks.
    StandIn,
}

impl Kind {
    /// tokio's field `kind`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::BlockOn => "block_on",
            Self::Blocking | Self::Worker | Self::StandIn => "blocking",
        }
    }
}

/// A poll that has ended, as the probe writes it down.
pub struct Poll {
    pub task: u64,
    pub thread: u32,
    pub started: Time,
    pub lasted: Duration,
    /// How long the task was ready for it, if it was woken.
    pub ready: Option<Duration>,
    /// 0 if it was no task.
    pub woken_by: u64,
}

pub struct Spawn {
    pub name: String,
    pub kind: Kind,
    pub options: Options,
}

#[derive(Default)]
pub struct Program {
    pub names: Names,
    started: Time,
    tasks: Vec<Task>,
    timers: Vec<Timer>,
    resources: Vec<Resource>,
    ops: Vec<AsyncOp>,
    poll_ops: Vec<PollOp>,
    scopes: Vec<Sent<v1::Scope>>,
    threads: Vec<Thread>,
    workers: Vec<v1::Worker>,
    last_span: u64,
    lost: u64,
    /// Somebody new watches the console protocol, or the probe.
    newcomer: (bool, bool),
    ended: Option<Time>,
    /// Polls that have ended and were not told of.
    polls: Vec<Poll>,
    lost_polls: u64,
    runtime_busy: Duration,
    runtime_polls: u64,
}

impl Program {
    pub fn new(started: Time) -> Self {
        Self {
            started,
            newcomer: (true, true),
            ..Self::default()
        }
    }

    /// Each worker is a blocking closure that runs as long as the runtime.
    pub fn set_workers(&mut self, count: usize) {
        for number in 1..=count {
            let name = format!("worker-{number}");
            let worker = Spawn {
                name: name.clone(),
                kind: Kind::Worker,
                options: Options {
                    unnamed: true,
                    ..Options::default()
                },
            };
            self.spawn(self.started, worker)
                .expect("a worker can be spawned");
            self.start_poll(self.started, &name, Some(name.clone()))
                .expect("a worker can run");
            let thread = self.thread(&name);
            self.workers.push(v1::Worker {
                index: self.workers.len() as u32,
                thread: Some(self.threads[thread].wire.value.id),
                ..v1::Worker::default()
            });
        }
    }

    fn new_span(&mut self) -> u64 {
        self.last_span += 1;
        self.last_span
    }

    fn task(&self, name: &str) -> Result<usize> {
        let id = self.names.tasks.get(name);
        id.map(|id| *id as usize - 1)
            .ok_or_else(|| format!("no task is called `{name}`"))
    }

    /// A task that does something, so it is being polled, if only until now.
    fn polled_task(&self, at: Time, name: &str) -> Result<usize> {
        let index = self.task(name)?;
        let task = &self.tasks[index];
        if task.is_polled() || task.dropped.is_none() && task.polls.ended == Some(at) {
            Ok(index)
        } else {
            Err(format!("`{name}` is not being polled"))
        }
    }

    pub fn spawn(&mut self, at: Time, new: Spawn) -> Result {
        let Spawn {
            name,
            kind,
            options,
        } = new;
        if self.names.tasks.contains_key(&name) {
            return Err(format!("there is a task `{name}` already"));
        }
        let span = match &options.reusing {
            Some(gone) => {
                let gone = &self.tasks[self.task(gone)?];
                if gone.dropped.is_none() {
                    return Err("the span of a live task is not reused".to_owned());
                }
                gone.span
            }
            None => self.new_span(),
        };
        let parent = options.by.map(|by| self.polled_task(at, &by)).transpose()?;
        let scope = options.within.map(|name| self.scope(&name)).transpose()?;
        let tokio_id = self.tasks.len() as u64 + 1;
        self.names.tasks.insert(name.clone(), tokio_id);
        let named = !options.unnamed && matches!(kind, Kind::Task | Kind::Local);
        self.tasks.push(Task {
            span,
            kind,
            name: if named { name } else { String::new() },
            location: options.location.unwrap_or(("src/main.rs".to_owned(), 1)),
            created: at,
            dropped: None,
            polls: Polls::default(),
            last_wake: None,
            wakes: 0,
            self_wakes: 0,
            waker_clones: 0,
            waker_drops: 0,
            poll_times: Vec::new(),
            scheduled_times: Vec::new(),
            seen: Seen::new(),
            on: None,
            fact: Sent::new(v1::Task {
                span_id: span,
                id: tokio_id,
                parent: parent.map(|p| self.tasks[p].fact.value.id),
                scope: scope.map(|s| self.scopes[s].value.id),
                runtime: Some(options.runtime.max(1)),
                ..v1::Task::default()
            }),
            awaits: None,
            timers: Vec::new(),
            ops: Vec::new(),
            last_poll: Duration::ZERO,
            woken: None,
            ready: None,
            forgets: false,
            size: options.size.unwrap_or(256),
            original_size: options.original_size,
        });
        Ok(())
    }

    pub fn start_poll(&mut self, at: Time, name: &str, thread: Option<String>) -> Result {
        let task = self.task(name)?;
        if self.tasks[task].dropped.is_some() {
            return Err(format!("`{name}` has ended"));
        }
        if self.tasks[task].is_polled() {
            return Err(format!("`{name}` is being polled"));
        }
        let thread = match thread {
            Some(thread) => self.thread(&thread),
            None => self.usual_thread(self.tasks[task].kind),
        };
        self.tasks[task].on = Some(thread);
        let woken = self.tasks[task].woken.take();
        let ended = self.tasks[task].polls.ended;
        self.tasks[task].ready =
            woken.map(|(woken, by)| (at.since(woken.max(ended.unwrap_or(woken))), by));
        self.tasks[task].enter(at);
        self.tasks[task].fact.value.polls += 1;
        self.tasks[task].fact.value.thread = Some(self.threads[thread].wire.value.id);
        self.tasks[task].fact.changed = true;
        if let Some(other) = self.tasks[task].awaits
            && self.tasks[other].dropped.is_some()
        {
            self.tasks[task].awaits = None;
        }
        self.threads[thread].polling.push(task);
        self.look_at_thread(thread, at);
        for op in self.tasks[task].ops.clone() {
            self.poll_op(at, op, false);
        }
        for timer in self.tasks[task].timers.clone() {
            self.poll_timer(at, timer);
        }
        Ok(())
    }

    pub fn end_poll(
        &mut self,
        at: Time,
        name: &str,
        ending: Option<(v1::Outcome, String)>,
    ) -> Result {
        let task = self.task(name)?;
        if !self.tasks[task].is_polled() {
            return Err(format!("`{name}` is not being polled"));
        }
        self.tasks[task].exit(at);
        if let Some(thread) = self.tasks[task].on.take() {
            let lasted = self.tasks[task].last_poll;
            let woken = self.tasks[task].ready.take();
            self.polls.push(Poll {
                task: self.tasks[task].fact.value.id,
                thread: self.threads[thread].wire.value.id as u32,
                started: at - lasted,
                lasted,
                ready: woken.map(|(ready, _)| ready),
                woken_by: woken.map_or(0, |(_, by)| by),
            });
            self.threads[thread].polling.retain(|t| *t != task);
            let index = self.threads[thread].worker();
            if let Some(worker) = index.and_then(|index| self.workers.get_mut(index)) {
                worker.busy = Some(duration(known(worker.busy) + lasted));
                worker.polls += 1;
                worker.parks += 1;
            }
            if !matches!(
                self.tasks[task].kind,
                Kind::Blocking | Kind::Worker | Kind::StandIn
            ) {
                self.runtime_busy += lasted;
                self.runtime_polls += 1;
            }
            self.look_at_thread(thread, at);
        }
        let last = self.tasks[task].last_poll;
        let longest = &mut self.tasks[task].fact.value.longest_poll;
        *longest = Some(duration(known(*longest).max(last)));
        if ending.is_none() && !std::mem::take(&mut self.tasks[task].forgets) {
            self.tasks[task].keep_a_waker();
        }
        if let Some((outcome, error)) = ending {
            self.tasks[task].fact.value.set_outcome(outcome);
            self.tasks[task].fact.value.error = error;
            self.finish(at, task);
        }
        Ok(())
    }

    /// The poll that goes on keeps no waker.
    pub fn forget_waker(&mut self, name: &str) -> Result {
        let task = self.task(name)?;
        self.tasks[task].forgets = true;
        Ok(())
    }

    /// Drops a task's future, and what it holds.
    fn finish(&mut self, at: Time, task: usize) {
        self.tasks[task].enter(at);
        for timer in self.tasks[task].timers.clone() {
            self.drop_timer(at, timer);
        }
        for op in self.tasks[task].ops.clone() {
            self.drop_op(at, op);
        }
        self.release_all(at, task);
        let task = &mut self.tasks[task];
        task.exit(at);
        task.dropped = Some(at);
        task.awaits = None;
        task.waker_drops = task.waker_clones;
    }

    /// `by`: the task that did it, if it was one, in its poll or by its end.
    pub fn wake(&mut self, at: Time, name: &str, itself: bool, by: Option<String>) -> Result {
        let task = if itself {
            self.polled_task(at, name)?
        } else {
            self.task(name)?
        };
        let by = by.map(|by| match self.task(&by) {
            Ok(task) if self.tasks[task].dropped.is_some() => Ok(task),
            _ => self.polled_task(at, &by),
        });
        let by = by.transpose()?;
        if self.tasks[task].dropped.is_some() {
            return Err(format!("`{name}` has ended"));
        }
        self.wake_task(at, task, itself);
        if let Some(by) = by.or(itself.then_some(task)) {
            let by = self.tasks[by].fact.value.id;
            self.tasks[task].woken = self.tasks[task].woken.map(|(at, _)| (at, by));
        }
        Ok(())
    }

    fn wake_task(&mut self, at: Time, task: usize, itself: bool) {
        let task = &mut self.tasks[task];
        // Its waker is a thread's, of which tracing hears nothing.
        if task.kind == Kind::BlockOn {
            return;
        }
        task.woken.get_or_insert((at, 0));
        task.wakes += 1;
        task.self_wakes += u64::from(itself);
        task.last_wake = task.last_wake.max(Some(at));
        task.waker_drops = task.waker_clones.min(task.waker_drops + 1);
        task.seen.changed = true;
    }

    pub fn drop(&mut self, at: Time, name: &str) -> Result {
        if let Some(timer) = self.names.timers.get(name) {
            let timer = *timer;
            if self.timers[timer].dropped.is_some() {
                return Err(format!("`{name}` is dropped already"));
            }
            self.drop_timer(at, timer);
            return Ok(());
        }
        if self.names.resources.contains_key(name) {
            return self.drop_resource(at, name);
        }
        let task = self.task(name)?;
        if self.tasks[task].is_polled() || self.tasks[task].dropped.is_some() {
            return Err(format!("`{name}` is being polled or has ended"));
        }
        self.finish(at, task);
        self.tasks[task].fact.changed = true;
        Ok(())
    }

    pub fn join(&mut self, at: Time, name: &str, other: &str) -> Result {
        let (task, other) = (self.polled_task(at, name)?, self.task(other)?);
        self.tasks[task].awaits = Some(other);
        self.tasks[task].fact.changed = true;
        Ok(())
    }
}
