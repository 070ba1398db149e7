//! What the program says of itself: the console protocol as console-subscriber fills it,
//! and the probe's.

use std::{collections::HashMap, time::Duration};

use console_api as console;
use console_api::{async_ops, field, instrument, resources, tasks};
use hdrhistogram::serialization::{Serializer, V2Serializer};
use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Kind, Program, Result,
    resources::{AsyncOp, Resource},
    task::{Polls, Task},
    timers::Timer,
};

/// What of a thing the console protocol has told.
#[derive(Debug)]
pub struct Seen {
    described: bool,
    pub changed: bool,
}

impl Seen {
    pub fn new() -> Self {
        Self {
            described: false,
            changed: true,
        }
    }

    /// Whether to describe it, and to tell its figures. A newcomer is told all, which
    /// counts for nothing: console-subscriber tells it again with what is new.
    fn look(&mut self, all: bool) -> (bool, bool) {
        if all {
            return (true, true);
        }
        let is_new = !std::mem::replace(&mut self.described, true);
        (is_new, std::mem::take(&mut self.changed))
    }
}

/// What the probe tells when it has changed.
#[derive(Debug)]
pub struct Sent<T> {
    pub value: T,
    pub changed: bool,
}

impl<T> Sent<T> {
    pub fn new(value: T) -> Self {
        Self {
            value,
            changed: true,
        }
    }
}

fn news<'a, T: Clone + 'a>(all: bool, sent: impl Iterator<Item = &'a mut Sent<T>>) -> Vec<T> {
    sent.filter_map(|sent| {
        let changed = std::mem::take(&mut sent.changed);
        (all || changed).then(|| sent.value.clone())
    })
    .collect()
}

impl Program {
    pub fn lose(&mut self, events: u64) {
        self.lost += events;
    }

    pub fn end_run(&mut self, at: Time) {
        self.ended = Some(at);
    }

    /// Somebody new watches.
    pub fn welcome(&mut self) {
        self.newcomer = (true, true);
        self.poll_ops.clear();
        // While nobody wants them, polls are not written down.
        self.polls.clear();
    }

    pub fn console_update(&mut self, at: Time) -> instrument::Update {
        let all = std::mem::take(&mut self.newcomer.0);
        // A span that is used again hides the task that had it.
        let of_span: HashMap<u64, usize> = (0..self.tasks.len())
            .map(|index| (self.tasks[index].span, index))
            .collect();
        let (mut new_tasks, mut task_stats) = (Vec::new(), HashMap::new());
        for (index, task) in self.tasks.iter_mut().enumerate() {
            if of_span[&task.span] == index {
                let (is_new, is_changed) = task.seen.look(all);
                new_tasks.extend(is_new.then(|| task.to_wire()));
                task_stats.extend(is_changed.then(|| (task.span, task.stats())));
            }
        }
        let (mut new_resources, mut resource_stats) = (Vec::new(), HashMap::new());
        for resource in &mut self.resources {
            let (is_new, is_changed) = resource.seen.look(all);
            new_resources.extend(is_new.then(|| resource.to_wire()));
            resource_stats.extend(is_changed.then(|| (resource.span, resource.stats())));
        }
        for timer in &mut self.timers {
            let (is_new, is_changed) = timer.seen.look(all);
            new_resources.extend(is_new.then(|| timer.to_wire()));
            resource_stats.extend(is_changed.then(|| (timer.span, timer.stats())));
        }
        let (mut new_async_ops, mut op_stats) = (Vec::new(), HashMap::new());
        for op in &mut self.ops {
            let (is_new, is_changed) = op.seen.look(all);
            new_async_ops.extend(is_new.then(|| op.to_wire()));
            let task = self.tasks[op.task].span;
            op_stats.extend(is_changed.then(|| (op.span, op.stats(task))));
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

    /// The polls that have ended since this was last asked.
    pub fn polls_update(&mut self, at: Time) -> v1::Update {
        let mut wire = v1::Polls {
            since: Some(timestamp(at)),
            lost: std::mem::take(&mut self.lost_polls),
            ..v1::Polls::default()
        };
        let mut before = at;
        for poll in self.polls.drain(..) {
            let after = poll.started.as_nanos().cast_signed() - before.as_nanos().cast_signed();
            before = poll.started;
            wire.task.push(poll.task);
            wire.thread.push(poll.thread);
            wire.started.push(after);
            wire.lasted.push(poll.lasted.as_nanos() as u64);
            let ready = poll.ready.map(|ready| ready.as_nanos() as u64 + 1);
            wire.woken.push(ready.unwrap_or_default());
            wire.woken_by.push(poll.woken_by);
        }
        v1::Update {
            now: Some(timestamp(at)),
            polls: Some(wire),
            ..v1::Update::default()
        }
    }

    pub fn lose_polls(&mut self, polls: u64) {
        self.lost_polls += polls;
    }

    pub fn probe_update(&mut self, at: Time, interval: Duration) -> v1::Update {
        let all = std::mem::take(&mut self.newcomer.1);
        let process = all.then(|| v1::Process {
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
        // Of what is gone it says nothing.
        let locks = self.resources.iter_mut().filter(|r| r.dropped.is_none());
        let locks = locks.filter_map(|r| match &mut r.lock {
            Some(lock) => Some(&mut lock.wire),
            None => r.channel.as_mut(),
        });
        v1::Update {
            now: Some(timestamp(at)),
            process,
            runtimes: vec![runtime],
            tasks: news(all, self.tasks.iter_mut().map(|t| &mut t.fact)),
            timers: news(all, self.timers.iter_mut().map(|t| &mut t.wire)),
            resources: news(all, locks),
            scopes: news(all, self.scopes.iter_mut()),
            threads: news(all, self.threads.iter_mut().map(|t| &mut t.wire)),
            ended_at: self.ended.map(timestamp),
            usage: Some(v1::Usage {
                cpu: Some(duration(at.since(self.started) / 8)),
                memory: Some(12_345_678),
            }),
            missed: None,
            overhead: Some(v1::Overhead {
                memory: 45_600,
                memory_limit: 256 << 20,
                ..v1::Overhead::default()
            }),
            polls: None,
            console: Vec::new(),
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
        let pool: Vec<_> = pool.filter(|t| t.is_blocking()).collect();
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

impl Polls {
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
    fn to_wire(&self) -> tasks::Task {
        let mut fields = vec![
            field_of("kind", text(self.kind.as_str())),
            field_of("task.name", text(&self.name)),
            field_of("task.id", number(self.fact.value.id)),
        ];
        let function = match self.kind {
            Kind::Worker => {
                Some("tokio::runtime::scheduler::multi_thread::worker::Launch::launch::{{closure}}")
            }
            Kind::StandIn => Some(
                "tokio::runtime::scheduler::multi_thread::worker::maybe_move_runtime::{{closure}}",
            ),
            Kind::Blocking => Some("story::hash::{{closure}}"),
            _ => None,
        };
        fields.extend(function.map(|f| field_of("fn", text(f))));
        let original = self.original_size;
        fields.extend(original.map(|size| field_of("original_size.bytes", number(size))));
        fields.push(field_of("size.bytes", number(self.size)));
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

impl Timer {
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
        let duration = self.duration.map(|d| console::Attribute {
            field: Some(field_of("duration", number(d.as_millis() as u64))),
            unit: Some("ms".to_owned()),
        });
        resources::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: self.dropped.map(timestamp),
            attributes: duration.into_iter().collect(),
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
            // What tokio makes for itself has no place.
            location: (!self.is_internal).then(|| location(&self.location)),
            parent_resource_id: self.parent.map(id),
            is_internal: self.is_internal,
        }
    }

    fn stats(&self) -> resources::Stats {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let field = Some(field_of(name, value.clone()));
            console::Attribute { field, unit: None }
        });
        resources::Stats {
            created_at: Some(timestamp(self.created)),
            dropped_at: self.dropped.map(timestamp),
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

/// As console-subscriber keeps it: nothing above a second.
pub fn histogram(values: &[Duration]) -> tasks::DurationHistogram {
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
pub fn known(d: Option<prost_types::Duration>) -> Duration {
    d.and_then(|d| d.try_into().ok()).unwrap_or_default()
}

pub fn timestamp(at: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: (at.as_nanos() / 1_000_000_000).cast_signed(),
        nanos: (at.as_nanos() % 1_000_000_000) as i32,
    }
}

pub fn duration(d: Duration) -> prost_types::Duration {
    loopview_api::duration(d)
}

pub fn id(id: u64) -> console::Id {
    console::Id { id }
}

pub fn text(value: &str) -> field::Value {
    field::Value::DebugVal(value.to_owned())
}

pub fn number(value: u64) -> field::Value {
    field::Value::U64Val(value)
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

pub fn poll_op(resource: u64, name: &str, task: u64, op: u64, is_ready: bool) -> resources::PollOp {
    resources::PollOp {
        metadata: Some(console::MetaId { id: 2 }),
        resource_id: Some(id(resource)),
        name: name.to_owned(),
        task_id: Some(id(task)),
        async_op_id: Some(id(op)),
        is_ready,
    }
}
