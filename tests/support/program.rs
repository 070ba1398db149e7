//! A program with the instruments in it: lives through what a scenario tells, and says of
//! itself what console-subscriber and our probe would.
//!
//! Where the instruments are wrong or blind, this is, too: a span is entered once more
//! when its future is dropped; wakes of a `block_on` are not seen; a plain sleep gives no
//! poll ops, as its async op is unknown; the time between a task's last poll and an abort
//! counts as scheduled.

use std::{collections::HashMap, time::Duration};

use console_api as console;
use console_api::{async_ops, field, instrument, resources, tasks};
use hdrhistogram::serialization::{Serializer, V2Serializer};
use loopview::frame::Time;
use loopview_api::v1;

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
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Task,
    Local,
    BlockOn,
    Blocking,
    Worker,
}

impl Kind {
    /// tokio's field `kind`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::BlockOn => "block_on",
            Self::Blocking | Self::Worker => "blocking",
        }
    }
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
    with_probe: bool,
    tasks: Vec<Task>,
    timers: Vec<Timer>,
    resources: Vec<Resource>,
    resource_names: HashMap<String, usize>,
    ops: Vec<AsyncOp>,
    poll_ops: Vec<resources::PollOp>,
    scopes: Vec<Sent<v1::Scope>>,
    threads: Vec<Thread>,
    workers: Vec<v1::Worker>,
    last_span: u64,
    lost: u64,
    introduced: bool,
    ended: Option<Time>,
    runtime_busy: Duration,
    runtime_polls: u64,
}

/// Something that is sent when it has changed.
#[derive(Debug)]
struct Sent<T> {
    value: T,
    changed: bool,
}

/// What console-subscriber counts of whatever can be polled.
#[derive(Debug, Default)]
struct Polls {
    current: u32,
    count: u64,
    first: Option<Time>,
    started: Option<Time>,
    ended: Option<Time>,
    busy: Duration,
    scheduled: Duration,
}

struct Task {
    span: u64,
    kind: Kind,
    name: String,
    location: (String, u32),
    created: Time,
    dropped: Option<Time>,
    polls: Polls,
    last_wake: Option<Time>,
    wakes: u64,
    self_wakes: u64,
    waker_clones: u64,
    waker_drops: u64,
    poll_times: Vec<Duration>,
    scheduled_times: Vec<Duration>,
    described: bool,
    changed: bool,
    /// The thread that polls it.
    on: Option<usize>,
    fact: Sent<v1::Task>,
    awaits: Option<usize>,
    last_poll: Duration,
}

struct Timer {
    wire: Sent<v1::Timer>,
    span: u64,
    owner: usize,
    /// As tokio writes it: an interval's sleep has tokio's own.
    location: (String, u32),
    period: Option<Duration>,
    created: Time,
    dropped: Option<Time>,
    /// When it is to fire; the driver does it at the whole millisecond after.
    due: Option<Time>,
    duration: Duration,
    state: TimerState,
    kept: bool,
    /// The async op that console-subscriber knows its polls by.
    op: Option<usize>,
    /// The `Interval` around it.
    interval: Option<usize>,
    latest: Duration,
    described: bool,
    changed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimerState {
    /// Made, and not polled yet.
    New,
    Armed,
    /// The driver has woken its task.
    Elapsed,
    /// A poll has found it elapsed.
    Fired,
}

struct Resource {
    span: u64,
    concrete_type: &'static str,
    parent: Option<u64>,
    location: (String, u32),
    /// The semaphore inside.
    inner: Option<usize>,
    attributes: Vec<(String, u64)>,
    created: Time,
    described: bool,
    changed: bool,
}

struct AsyncOp {
    span: u64,
    resource: u64,
    source: &'static str,
    parent: Option<u64>,
    task: usize,
    polls: Polls,
    created: Time,
    dropped: Option<Time>,
    described: bool,
    changed: bool,
}

struct Thread {
    name: String,
    wire: Sent<v1::Thread>,
    /// The tasks that it polls, one within the other.
    polling: Vec<usize>,
}

impl Polls {
    /// Tells how long it was scheduled, if that is known.
    fn start(&mut self, at: Time, last_wake: Option<Time>) -> Option<Duration> {
        self.current += 1;
        if self.current > 1 {
            return None;
        }
        self.count += 1;
        self.first.get_or_insert(at);
        self.started = Some(at);
        let scheduled = at.since(last_wake.max(self.ended)?);
        self.scheduled += scheduled;
        Some(scheduled)
    }

    fn end(&mut self, at: Time) -> Option<Duration> {
        self.current -= 1;
        if self.current > 0 {
            return None;
        }
        let lasted = at.since(self.started?);
        self.ended = Some(at);
        self.busy += lasted;
        Some(lasted)
    }

    fn to_wire(&self) -> console::PollStats {
        console::PollStats {
            polls: self.count,
            first_poll: self.first.map(timestamp),
            last_poll_started: self.started.map(timestamp),
            last_poll_ended: self.ended.map(timestamp),
            busy_time: Some(duration(self.busy)),
        }
    }
}

impl Task {
    fn enter(&mut self, at: Time) {
        self.last_poll = Duration::ZERO;
        let scheduled = self.polls.start(at, self.last_wake);
        self.scheduled_times.extend(scheduled);
        self.changed = true;
    }

    fn exit(&mut self, at: Time) {
        if let Some(lasted) = self.polls.end(at) {
            self.poll_times.push(lasted);
            self.last_poll = lasted;
        }
        self.changed = true;
        self.fact.changed = true;
    }

    fn is_polled(&self) -> bool {
        self.polls.current > 0
    }

    /// Woken, or new, and not polled since.
    fn is_ready(&self) -> bool {
        self.dropped.is_none()
            && !self.is_polled()
            && (self.polls.started.is_none() || self.last_wake > self.polls.started)
    }

    fn to_wire(&self) -> tasks::Task {
        let mut fields = vec![
            text_field("kind", self.kind.as_str()),
            text_field("task.name", &self.name),
            number_field("task.id", self.fact.value.id),
        ];
        let function = match self.kind {
            Kind::Worker => {
                Some("tokio::runtime::scheduler::multi_thread::worker::Launch::launch::{{closure}}")
            }
            Kind::Blocking => Some("story::hash::{{closure}}"),
            _ => None,
        };
        fields.extend(function.map(|f| text_field("fn", f)));
        fields.push(number_field("size.bytes", 256));
        tasks::Task {
            id: Some(id(self.span)),
            metadata: Some(console::MetaId { id: 1 }),
            kind: tasks::task::Kind::Spawn.into(),
            fields,
            parents: Vec::new(),
            location: Some(location(&self.location)),
        }
    }

    fn stats(&self) -> tasks::Stats {
        tasks::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: self.dropped.map(timestamp),
            wakes: self.wakes,
            waker_clones: self.waker_clones,
            waker_drops: self.waker_drops,
            last_wake: self.last_wake.map(timestamp),
            poll_stats: Some(self.polls.to_wire()),
            self_wakes: self.self_wakes,
            scheduled_time: Some(duration(self.polls.scheduled)),
        }
    }
}

impl Program {
    pub fn new(started: Time) -> Self {
        Self {
            started,
            with_probe: true,
            ..Self::default()
        }
    }

    pub fn set_probe(&mut self, with_probe: bool) {
        self.with_probe = with_probe;
    }

    /// Each worker is a blocking closure that runs as long as the runtime.
    pub fn set_workers(&mut self, count: usize) {
        for number in 1..=count {
            let name = format!("worker-{number}");
            let spawn = Spawn {
                name: name.clone(),
                kind: Kind::Worker,
                options: Options {
                    unnamed: true,
                    ..Options::default()
                },
            };
            self.spawn(self.started, spawn)
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

    // ── tasks ──────────────────────────────────────────────────────────────────────────

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

    pub fn spawn(&mut self, at: Time, spawn: Spawn) -> Result {
        let Spawn {
            name,
            kind,
            options,
        } = spawn;
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
            described: false,
            changed: true,
            on: None,
            fact: Sent {
                value: v1::Task {
                    span_id: span,
                    id: tokio_id,
                    parent: parent.map(|p| self.tasks[p].fact.value.id),
                    scope: scope.map(|s| self.scopes[s].value.id),
                    ..v1::Task::default()
                },
                changed: true,
            },
            awaits: None,
            last_poll: Duration::ZERO,
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
        for op in 0..self.ops.len() {
            if self.ops[op].task == task && self.ops[op].dropped.is_none() {
                self.poll_op(at, op, false);
            }
        }
        for timer in 0..self.timers.len() {
            if self.timers[timer].owner == task {
                self.poll_timer(at, timer);
            }
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
            self.threads[thread].polling.retain(|t| *t != task);
            let index = self.threads[thread].worker_index();
            if let Some(worker) = index.and_then(|index| self.workers.get_mut(index)) {
                worker.busy = Some(duration(known(worker.busy) + lasted));
                worker.polls += 1;
                worker.parks += 1;
            }
            if !matches!(self.tasks[task].kind, Kind::Blocking | Kind::Worker) {
                self.runtime_busy += lasted;
                self.runtime_polls += 1;
            }
            self.look_at_thread(thread, at);
        }
        let last = self.tasks[task].last_poll;
        let longest = &mut self.tasks[task].fact.value.longest_poll;
        *longest = Some(duration(known(*longest).max(last)));
        if let Some((outcome, error)) = ending {
            self.tasks[task].fact.value.set_outcome(outcome);
            self.tasks[task].fact.value.error = error;
            self.finish(at, task);
        }
        Ok(())
    }

    /// Drops a task's future, and what it holds.
    fn finish(&mut self, at: Time, task: usize) {
        self.tasks[task].enter(at);
        for op in &mut self.ops {
            if op.task == task && op.dropped.is_none() {
                (op.dropped, op.changed) = (Some(at), true);
            }
        }
        for timer in &mut self.timers {
            if timer.owner == task && timer.dropped.is_none() {
                timer.drop(at);
            }
        }
        let task = &mut self.tasks[task];
        task.exit(at);
        task.dropped = Some(at);
        task.awaits = None;
        task.waker_drops = task.waker_clones;
    }

    pub fn wake(&mut self, at: Time, name: &str, itself: bool) -> Result {
        let task = if itself {
            self.polled_task(at, name)?
        } else {
            self.task(name)?
        };
        if self.tasks[task].dropped.is_some() {
            return Err(format!("`{name}` has ended"));
        }
        self.wake_task(at, task, itself);
        Ok(())
    }

    fn wake_task(&mut self, at: Time, task: usize, itself: bool) {
        let task = &mut self.tasks[task];
        // Its waker is a thread's, of which tracing hears nothing.
        if task.kind == Kind::BlockOn {
            return;
        }
        task.wakes += 1;
        task.self_wakes += u64::from(itself);
        task.last_wake = task.last_wake.max(Some(at));
        task.waker_drops = task.waker_clones.min(task.waker_drops + 1);
        task.changed = true;
    }

    pub fn drop(&mut self, at: Time, name: &str) -> Result {
        if let Some(timer) = self.names.timers.get(name) {
            let timer = &mut self.timers[*timer];
            if timer.dropped.is_some() {
                return Err(format!("`{name}` is dropped already"));
            }
            timer.drop(at);
            return Ok(());
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

    // ── timers ─────────────────────────────────────────────────────────────────────────

    fn timer_named(&self, name: &str) -> Result<usize> {
        if let Some(timer) = self.names.timers.get(name) {
            return Ok(*timer);
        }
        let task = self.task(name)?;
        let mut waiting = (0..self.timers.len()).filter(|t| {
            let timer = &self.timers[*t];
            timer.owner == task && timer.dropped.is_none() && !timer.fired
        });
        match (waiting.next(), waiting.next()) {
            (Some(timer), None) => Ok(timer),
            (None, _) => Err(format!("`{name}` has no timer that waits")),
            _ => Err(format!("`{name}` has several timers: say which")),
        }
    }

    pub fn timer(
        &mut self,
        at: Time,
        kind: &str,
        owner: &str,
        lasts: Duration,
        options: Options,
    ) -> Result {
        let owner = self.polled_task(at, owner)?;
        let index = self.timers.len();
        if let Some(name) = options.name {
            self.names.timers.insert(name, index);
        }
        let place = options.location.unwrap_or(("src/main.rs".to_owned(), 1));
        let interval = (kind == "interval").then(|| {
            self.push_resource(at, "Interval", place.clone(), None);
            self.resources.len() - 1
        });
        let span = self.new_span();
        let tokio_place = ("/home/tokio-1.54.1/src/time/interval.rs".to_owned(), 135);
        let wire = v1::Timer {
            span_id: span,
            id: index as u64 + 1,
            kind: match kind {
                "timeout" => v1::TimerKind::Timeout,
                "interval" => v1::TimerKind::Interval,
                _ => v1::TimerKind::Sleep,
            }
            .into(),
            task: Some(self.tasks[owner].fact.value.id),
            created_at: Some(timestamp(at)),
            location: Some(v1::Location {
                file: place.0.clone(),
                line: place.1,
                column: 5,
            }),
            ..v1::Timer::default()
        };
        self.timers.push(Timer {
            wire: Sent {
                value: wire,
                changed: true,
            },
            span,
            owner,
            location: if interval.is_some() {
                tokio_place
            } else {
                place
            },
            period: interval.map(|_| lasts),
            created: at,
            dropped: None,
            deadline: None,
            duration: if interval.is_some() {
                Duration::ZERO
            } else {
                lasts
            },
            attribute: None,
            elapsed: interval.is_some(),
            fired: false,
            kept: options.kept,
            op: None,
            interval,
            latest: Duration::ZERO,
            described: false,
            changed: true,
        });
        if let Some(interval) = interval {
            let span = self.resources[interval].span;
            self.timers[index].op = Some(self.push_op(at, span, "Interval::tick", None, owner));
        }
        if !options.unpolled {
            self.poll_timer(at, index);
        }
        Ok(())
    }

    pub fn reset(&mut self, at: Time, name: &str, lasts: Duration) -> Result {
        let timer = self.timer_named(name)?;
        let (span, owner) = (self.timers[timer].span, self.timers[timer].owner);
        if self.timers[timer].interval.is_none() {
            self.drop_op(at, self.timers[timer].op);
            self.timers[timer].op = Some(self.push_op(at, span, "Sleep::reset", None, owner));
        }
        let timer = &mut self.timers[timer];
        (timer.elapsed, timer.fired) = (false, false);
        timer.duration = lasts;
        timer.arm(at);
        Ok(())
    }

    pub fn fire(&mut self, at: Time, name: &str) -> Result {
        let index = self.timer_named(name)?;
        let timer = &mut self.timers[index];
        if timer.deadline.is_none_or(|deadline| at < deadline) || timer.dropped.is_some() {
            return Err(format!(
                "the timer of `{name}` cannot fire yet, or any more"
            ));
        }
        timer.elapsed = true;
        let owner = timer.owner;
        self.wake_task(at, owner, false);
        Ok(())
    }

    /// A poll of the task that owns it reaches this timer.
    fn poll_timer(&mut self, at: Time, index: usize) {
        let timer = &mut self.timers[index];
        if timer.dropped.is_some() || timer.fired {
            return;
        }
        if timer.deadline.is_none() {
            timer.arm(at);
        }
        let ready = timer.elapsed || timer.duration.is_zero();
        self.tell_timer_poll(index, ready);
        if !ready {
            let owner = &mut self.tasks[self.timers[index].owner];
            owner.waker_clones += 1;
            return;
        }
        let timer = &mut self.timers[index];
        timer.fire(at);
        match (timer.period, timer.deadline) {
            (Some(period), Some(deadline)) => {
                let next = deadline + period;
                timer.duration = next.since(at);
                (timer.deadline, timer.elapsed, timer.fired) = (None, false, false);
                let (op, owner) = (timer.op, timer.owner);
                let interval = timer.interval.map(|i| self.resources[i].span);
                self.drop_op(at, op);
                if let Some(span) = interval {
                    self.timers[index].op =
                        Some(self.push_op(at, span, "Interval::tick", None, owner));
                }
                self.poll_timer(at, index);
            }
            _ if timer.kept => timer.fired = true,
            _ => timer.drop(at),
        }
    }

    /// Each poll of a sleep gives two ops, the first of which is about the budget.
    fn tell_timer_poll(&mut self, index: usize, ready: bool) {
        let timer = &self.timers[index];
        let Some(op) = timer.op else { return };
        let (op, task) = (self.ops[op].span, self.tasks[timer.owner].span);
        let mut tell = |resource, name: &str, is_ready| {
            self.poll_ops.push(resources::PollOp {
                metadata: Some(console::MetaId { id: 2 }),
                resource_id: Some(id(resource)),
                name: name.to_owned(),
                task_id: Some(id(task)),
                async_op_id: Some(id(op)),
                is_ready,
            });
        };
        tell(timer.span, "poll_elapsed", true);
        tell(timer.span, "poll_elapsed", ready);
        if let Some(interval) = timer.interval {
            tell(self.resources[interval].span, "poll_tick", ready);
        }
    }

    // ── resources ──────────────────────────────────────────────────────────────────────

    fn push_resource(
        &mut self,
        at: Time,
        concrete_type: &'static str,
        location: (String, u32),
        parent: Option<u64>,
    ) -> usize {
        let span = self.new_span();
        self.resources.push(Resource {
            span,
            concrete_type,
            parent,
            location,
            inner: None,
            attributes: Vec::new(),
            created: at,
            described: false,
            changed: true,
        });
        self.resources.len() - 1
    }

    fn push_op(
        &mut self,
        at: Time,
        resource: u64,
        source: &'static str,
        parent: Option<u64>,
        task: usize,
    ) -> usize {
        let span = self.new_span();
        let mut op = AsyncOp {
            span,
            resource,
            source,
            parent,
            task,
            polls: Polls::default(),
            created: at,
            dropped: None,
            described: false,
            changed: true,
        };
        op.polls.start(at, None);
        op.polls.end(at);
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn drop_op(&mut self, at: Time, op: Option<usize>) {
        if let Some(op) = op {
            (self.ops[op].dropped, self.ops[op].changed) = (Some(at), true);
        }
    }

    /// Polls an op that is not of a timer.
    fn poll_op(&mut self, at: Time, index: usize, ready: bool) {
        let op = &mut self.ops[index];
        op.polls.start(at, None);
        op.polls.end(at);
        op.changed = true;
        if self.timers.iter().any(|t| t.op == Some(index)) {
            return;
        }
        self.poll_ops.push(resources::PollOp {
            metadata: Some(console::MetaId { id: 2 }),
            resource_id: Some(id(op.resource)),
            name: "poll".to_owned(),
            task_id: Some(id(self.tasks[op.task].span)),
            async_op_id: Some(id(op.span)),
            is_ready: ready,
        });
    }

    pub fn resource(&mut self, at: Time, name: &str, of: &str, options: Options) -> Result {
        let (concrete_type, inner) = match of {
            "Mutex" => ("Mutex", true),
            "RwLock" => ("RwLock", true),
            "Semaphore" => ("Semaphore", true),
            "Barrier" => ("Barrier", false),
            "oneshot" => ("Sender|Receiver", false),
            other => return Err(format!("`{other}` is no type of resource")),
        };
        let place = options.location.unwrap_or(("src/main.rs".to_owned(), 1));
        let outer = self.push_resource(at, concrete_type, place.clone(), None);
        if inner {
            let parent = self.resources[outer].span;
            let inner = self.push_resource(at, "Semaphore", place, Some(parent));
            self.resources[outer].inner = Some(inner);
        }
        self.resource_names.insert(name.to_owned(), outer);
        Ok(())
    }

    fn resource_named(&self, name: &str) -> Result<usize> {
        self.resource_names
            .get(name)
            .copied()
            .ok_or_else(|| format!("no resource is called `{name}`"))
    }

    pub fn set_attribute(&mut self, name: &str, attribute: &str, value: u64) -> Result {
        let resource = self.resource_named(name)?;
        let resource = &mut self.resources[resource];
        resource.attributes.retain(|(name, _)| name != attribute);
        resource.attributes.push((attribute.to_owned(), value));
        resource.changed = true;
        Ok(())
    }

    pub fn await_resource(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let Resource {
            span,
            inner,
            concrete_type,
            ..
        } = self.resources[resource];
        let source = match concrete_type {
            "Mutex" => "Mutex::lock",
            "RwLock" => "RwLock::write",
            "Semaphore" => "Semaphore::acquire",
            "Barrier" => "Barrier::wait",
            _ => "Receiver::await",
        };
        let outer = self.push_op(at, span, source, None, task);
        self.poll_op(at, outer, false);
        if let Some(inner) = inner {
            let (parent, span) = (self.ops[outer].span, self.resources[inner].span);
            let inner = self.push_op(at, span, "Acquire::new", Some(parent), task);
            self.poll_op(at, inner, false);
        }
        self.tasks[task].waker_clones += 1;
        Ok(())
    }

    pub fn got_resource(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let resource = &self.resources[resource];
        let inner = resource.inner.map(|i| self.resources[i].span);
        let spans = [Some(resource.span), inner];
        let mut had = false;
        for op in 0..self.ops.len() {
            let AsyncOp {
                resource,
                task: by,
                dropped,
                ..
            } = self.ops[op];
            if by == task && dropped.is_none() && spans.contains(&Some(resource)) {
                self.poll_op(at, op, true);
                self.drop_op(at, Some(op));
                had = true;
            }
        }
        if had {
            Ok(())
        } else {
            Err("it was not awaited".to_owned())
        }
    }

    // ── scopes and threads ─────────────────────────────────────────────────────────────

    fn scope(&self, name: &str) -> Result<usize> {
        let id = self.names.scopes.get(name);
        id.map(|id| *id as usize - 1)
            .ok_or_else(|| format!("no scope is called `{name}`"))
    }

    pub fn open(&mut self, at: Time, name: &str, kind: &str, options: Options) -> Result {
        let task = options.by.map(|by| self.task(&by)).transpose()?;
        let parent = options.within.map(|name| self.scope(&name)).transpose()?;
        let id = self.scopes.len() as u64 + 1;
        self.names.scopes.insert(name.to_owned(), id);
        let value = v1::Scope {
            id,
            kind: kind.to_owned(),
            name: options.named.unwrap_or_default(),
            parent: parent.map(|p| self.scopes[p].value.id),
            task: task.map(|t| self.tasks[t].fact.value.id),
            opened_at: Some(timestamp(at)),
            location: options.location.map(|(file, line)| v1::Location {
                file,
                line,
                column: 5,
            }),
            ..v1::Scope::default()
        };
        self.scopes.push(Sent {
            value,
            changed: true,
        });
        Ok(())
    }

    pub fn close(&mut self, at: Time, name: &str, outcome: v1::Outcome) -> Result {
        let scope = self.scope(name)?;
        let scope = &mut self.scopes[scope];
        scope.value.closed_at = Some(timestamp(at));
        scope.value.set_outcome(outcome);
        scope.changed = true;
        Ok(())
    }

    fn usual_thread(&mut self, kind: Kind) -> usize {
        match kind {
            Kind::BlockOn | Kind::Local => self.thread("main"),
            Kind::Task | Kind::Worker if self.workers.is_empty() => self.thread("main"),
            Kind::Task | Kind::Worker => self.thread("worker-1"),
            Kind::Blocking => {
                let free = (1..)
                    .map(|number| format!("blocking-{number}"))
                    .find(|name| {
                        let busy = |t: &Thread| t.name == *name && !t.polling.is_empty();
                        !self.threads.iter().any(busy)
                    });
                self.thread(&free.unwrap_or_default())
            }
        }
    }

    fn thread(&mut self, name: &str) -> usize {
        if let Some(known) = self.threads.iter().position(|t| t.name == name) {
            return known;
        }
        let role = match name.split_once('-') {
            Some(("worker", _)) => v1::ThreadRole::Worker,
            Some(("blocking", _)) => v1::ThreadRole::Blocking,
            _ => v1::ThreadRole::BlockOn,
        };
        let wire = v1::Thread {
            id: self.threads.len() as u64 + 1,
            name: if role == v1::ThreadRole::BlockOn {
                name.to_owned()
            } else {
                "tokio-rt-worker".to_owned()
            },
            role: role.into(),
            ..v1::Thread::default()
        };
        self.threads.push(Thread {
            name: name.to_owned(),
            wire: Sent {
                value: wire,
                changed: true,
            },
            polling: Vec::new(),
        });
        self.threads.len() - 1
    }

    /// Notes what a thread polls now.
    fn look_at_thread(&mut self, thread: usize, at: Time) {
        let tasks = &self.tasks;
        let thread = &mut self.threads[thread];
        let mut polling = thread.polling.iter().rev().map(|t| &tasks[*t]);
        let innermost = polling.find(|t| t.kind != Kind::Worker);
        thread.wire.value.task = innermost.map(|t| t.fact.value.id);
        thread.wire.value.since = innermost.map(|_| timestamp(at));
        thread.wire.changed = true;
    }

    // ── what is sent ───────────────────────────────────────────────────────────────────

    pub fn lose(&mut self, events: u64) {
        self.lost += events;
    }

    pub fn end_run(&mut self, at: Time) {
        self.ended = Some(at);
    }

    /// Whoever watches from now on gets everything.
    pub fn forget_what_was_sent(&mut self) {
        self.introduced = false;
        for task in &mut self.tasks {
            (task.described, task.changed, task.fact.changed) = (false, true, true);
        }
        for timer in &mut self.timers {
            (timer.described, timer.changed, timer.wire.changed) = (false, true, true);
        }
        for resource in &mut self.resources {
            (resource.described, resource.changed) = (false, true);
        }
        for op in &mut self.ops {
            (op.described, op.changed) = (false, true);
        }
        for scope in &mut self.scopes {
            scope.changed = true;
        }
        for thread in &mut self.threads {
            thread.wire.changed = true;
        }
        self.poll_ops.clear();
    }

    pub fn console_update(&mut self, at: Time) -> instrument::Update {
        let mut new_tasks = Vec::new();
        // A span that is used again hides the task that had it.
        let mut of_span = HashMap::new();
        for (index, task) in self.tasks.iter().enumerate() {
            of_span.insert(task.span, index);
        }
        let mut task_stats = HashMap::new();
        for (index, task) in self.tasks.iter_mut().enumerate() {
            if of_span[&task.span] != index {
                continue;
            }
            if !std::mem::replace(&mut task.described, true) {
                new_tasks.push(task.to_wire());
            }
            if std::mem::take(&mut task.changed) {
                task_stats.insert(task.span, task.stats());
            }
        }
        let (mut new_resources, mut resource_stats) = (Vec::new(), HashMap::new());
        for resource in &mut self.resources {
            if !std::mem::replace(&mut resource.described, true) {
                new_resources.push(resource.to_wire());
            }
            if std::mem::take(&mut resource.changed) {
                resource_stats.insert(resource.span, resource.stats());
            }
        }
        for timer in &mut self.timers {
            if !std::mem::replace(&mut timer.described, true) {
                new_resources.push(timer.to_wire());
            }
            if std::mem::take(&mut timer.changed) {
                resource_stats.insert(timer.span, timer.stats());
            }
        }
        let (mut new_async_ops, mut op_stats) = (Vec::new(), HashMap::new());
        for op in &mut self.ops {
            if !std::mem::replace(&mut op.described, true) {
                new_async_ops.push(op.to_wire());
            }
            if std::mem::take(&mut op.changed) {
                op_stats.insert(op.span, op.stats(self.tasks[op.task].span));
            }
        }
        instrument::Update {
            now: Some(timestamp(at)),
            task_update: Some(tasks::TaskUpdate {
                new_tasks,
                stats_update: task_stats,
                dropped_events: std::mem::take(&mut self.lost),
            }),
            resource_update: Some(resources::ResourceUpdate {
                new_resources,
                stats_update: resource_stats,
                new_poll_ops: std::mem::take(&mut self.poll_ops),
                dropped_events: 0,
            }),
            async_op_update: Some(async_ops::AsyncOpUpdate {
                new_async_ops,
                stats_update: op_stats,
                dropped_events: 0,
            }),
            new_metadata: None,
        }
    }

    pub fn probe_update(&mut self, at: Time, interval: Duration) -> v1::Update {
        let process = (!std::mem::replace(&mut self.introduced, true)).then(|| v1::Process {
            pid: 4242,
            probe_version: "0.1.0".to_owned(),
            instrument: "probe".to_owned(),
            publish_interval: Some(duration(interval)),
            started_at: Some(timestamp(self.started)),
        });
        let ids: Vec<u64> = self.tasks.iter().map(|t| t.fact.value.id).collect();
        for task in &mut self.tasks {
            task.fact.value.awaits = task.awaits.map(|other| ids[other]);
        }
        let runtime = self.runtime(interval);
        v1::Update {
            now: Some(timestamp(at)),
            process,
            runtimes: vec![runtime],
            tasks: changed(self.tasks.iter_mut().map(|t| &mut t.fact)),
            timers: changed(self.timers.iter_mut().map(|t| &mut t.wire)),
            scopes: changed(self.scopes.iter_mut()),
            threads: changed(self.threads.iter_mut().map(|t| &mut t.wire)),
            ended_at: self.ended.map(timestamp),
        }
    }

    fn runtime(&mut self, interval: Duration) -> v1::Runtime {
        let of_loop = |t: &&Task| matches!(t.kind, Kind::Task | Kind::Local);
        let live = self.tasks.iter().filter(of_loop);
        let live = live.filter(|t| t.dropped.is_none()).count() as u64;
        let ready = self.tasks.iter().filter(of_loop);
        let ready = ready.filter(|t| t.is_ready()).count() as u64;
        let calls = self.tasks.iter().filter(|t| t.kind == Kind::Blocking);
        let queued = calls.filter(|t| t.is_ready()).count() as u64;
        let pool = self.threads.iter();
        let pool: Vec<_> = pool.filter(|t| t.name.starts_with("blocking")).collect();
        let idle = pool.iter().filter(|t| t.polling.is_empty()).count() as u64;
        let (flavor, mut workers) = if self.workers.is_empty() {
            let main = self.threads.iter().find(|t| t.name == "main");
            let worker = v1::Worker {
                busy: Some(duration(self.runtime_busy)),
                polls: self.runtime_polls,
                parks: self.runtime_polls,
                thread: main.map(|t| t.wire.value.id),
                ..v1::Worker::default()
            };
            ("current-thread", vec![worker])
        } else {
            ("multi-thread", self.workers.clone())
        };
        workers[0].local_queue_depth = ready;
        v1::Runtime {
            id: 1,
            flavor: flavor.to_owned(),
            workers,
            live_tasks: live,
            blocking_queue_depth: queued,
            blocking_threads: pool.len() as u64,
            idle_blocking_threads: idle,
            elapsed: Some(duration(interval)),
            ..v1::Runtime::default()
        }
    }

    pub fn details(&self, at: Time, name: &str) -> Result<tasks::TaskDetails> {
        let task = &self.tasks[self.task(name)?];
        Ok(tasks::TaskDetails {
            task_id: Some(id(task.span)),
            now: Some(timestamp(at)),
            poll_times_histogram: Some(tasks::task_details::PollTimesHistogram::Histogram(
                histogram(&task.poll_times),
            )),
            scheduled_times_histogram: Some(histogram(&task.scheduled_times)),
        })
    }
}

impl Timer {
    fn arm(&mut self, at: Time) {
        self.deadline = Some(at + self.duration);
        self.attribute = Some(self.duration.as_millis() as u64);
        self.wire.value.duration = Some(duration(self.duration));
        self.wire.value.deadline = self.deadline.map(timestamp);
        self.wire.value.fired_at = None;
        (self.changed, self.wire.changed) = (true, true);
    }

    fn fire(&mut self, at: Time) {
        let late = self.deadline.map_or(Duration::ZERO, |d| at.since(d));
        self.latest = self.latest.max(late);
        self.wire.value.fires += 1;
        self.wire.value.fired_at = Some(timestamp(at));
        self.wire.value.latest = Some(duration(self.latest));
        self.wire.changed = true;
    }

    fn drop(&mut self, at: Time) {
        self.dropped = Some(at);
        self.wire.value.dropped_at = Some(timestamp(at));
        (self.changed, self.wire.changed) = (true, true);
    }

    fn to_wire(&self) -> resources::Resource {
        resources::Resource {
            id: Some(id(self.span)),
            metadata: Some(console::MetaId { id: 3 }),
            concrete_type: "Sleep".to_owned(),
            kind: Some(resources::resource::Kind {
                kind: Some(resources::resource::kind::Kind::Known(
                    resources::resource::kind::Known::Timer.into(),
                )),
            }),
            location: Some(location(&self.location)),
            parent_resource_id: None,
            is_internal: false,
        }
    }

    fn stats(&self) -> resources::Stats {
        let attribute = self.attribute.map(|ms| console::Attribute {
            field: Some(number_field("duration", ms)),
            unit: Some("ms".to_owned()),
        });
        resources::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: self.dropped.map(timestamp),
            attributes: attribute.into_iter().collect(),
        }
    }
}

impl Resource {
    fn to_wire(&self) -> resources::Resource {
        resources::Resource {
            id: Some(id(self.span)),
            metadata: Some(console::MetaId { id: 3 }),
            concrete_type: self.concrete_type.to_owned(),
            kind: Some(resources::resource::Kind {
                kind: Some(resources::resource::kind::Kind::Other("Sync".to_owned())),
            }),
            location: Some(location(&self.location)),
            parent_resource_id: self.parent.map(id),
            is_internal: self.parent.is_some(),
        }
    }

    fn stats(&self) -> resources::Stats {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let field = Some(number_field(name, *value));
            console::Attribute { field, unit: None }
        });
        resources::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: None,
            attributes: attributes.collect(),
        }
    }
}

impl AsyncOp {
    fn to_wire(&self) -> async_ops::AsyncOp {
        async_ops::AsyncOp {
            id: Some(id(self.span)),
            metadata: Some(console::MetaId { id: 4 }),
            source: self.source.to_owned(),
            parent_async_op_id: self.parent.map(id),
            resource_id: Some(id(self.resource)),
        }
    }

    fn stats(&self, task: u64) -> async_ops::Stats {
        async_ops::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: self.dropped.map(timestamp),
            task_id: Some(id(task)),
            poll_stats: Some(self.polls.to_wire()),
            attributes: Vec::new(),
        }
    }
}

impl Thread {
    fn worker_index(&self) -> Option<usize> {
        let number: usize = self.name.strip_prefix("worker-")?.parse().ok()?;
        number.checked_sub(1)
    }
}

fn changed<'a, T: Clone + 'a>(all: impl Iterator<Item = &'a mut Sent<T>>) -> Vec<T> {
    all.filter_map(|sent| std::mem::take(&mut sent.changed).then(|| sent.value.clone()))
        .collect()
}

/// As console-subscriber keeps it: nothing above a second.
fn histogram(values: &[Duration]) -> tasks::DurationHistogram {
    const MAX: u64 = 1_000_000_000;
    let mut histogram =
        hdrhistogram::Histogram::<u64>::new_with_max(MAX, 2).expect("the bounds are sound");
    let nanos = || values.iter().map(|d| d.as_nanos() as u64);
    for value in nanos() {
        histogram.saturating_record(value.min(MAX));
    }
    let mut raw_histogram = Vec::new();
    V2Serializer::new()
        .serialize(&histogram, &mut raw_histogram)
        .expect("a vector takes everything");
    tasks::DurationHistogram {
        raw_histogram,
        max_value: MAX,
        high_outliers: nanos().filter(|v| *v > MAX).count() as u64,
        highest_outlier: nanos().filter(|v| *v > MAX).max(),
    }
}

/// A duration that was written here.
fn known(d: Option<prost_types::Duration>) -> Duration {
    d.and_then(|d| d.try_into().ok()).unwrap_or_default()
}

pub fn timestamp(at: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: (at.as_nanos() / 1_000_000_000) as i64,
        nanos: (at.as_nanos() % 1_000_000_000) as i32,
    }
}

pub fn duration(d: Duration) -> prost_types::Duration {
    loopview_api::duration(d)
}

pub fn id(id: u64) -> console::Id {
    console::Id { id }
}

pub fn text_field(name: &str, value: &str) -> console::Field {
    field_of(name, field::Value::DebugVal(value.to_owned()))
}

pub fn number_field(name: &str, value: u64) -> console::Field {
    field_of(name, field::Value::U64Val(value))
}

fn field_of(name: &str, value: field::Value) -> console::Field {
    console::Field {
        name: Some(field::Name::StrName(name.to_owned())),
        value: Some(value),
        metadata_id: Some(console::MetaId { id: 1 }),
    }
}

fn location((file, line): &(String, u32)) -> console::Location {
    console::Location {
        file: Some(file.clone()),
        module_path: None,
        line: Some(*line),
        column: Some(5),
    }
}
