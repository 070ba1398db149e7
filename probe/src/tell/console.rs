//! The console protocol's messages (`rs.tokio.console.*`).

use console_api as wire;
use console_api::{
    async_ops::{self, AsyncOpUpdate},
    instrument::Update,
    register_metadata::NewMetadata,
    resources::{self, ResourceUpdate},
    tasks::{self, TaskDetails, TaskUpdate},
};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2Serializer},
};
use prost::Message;
use tracing::Metadata;

use super::{PART, entities::TaskState, horizon::Times};
use crate::{
    clock::{self, Nanos},
    facts::{
        attributes::{Read, Value},
        op, resource,
        samples::Buckets,
        site::{Place, Role, Site},
    },
};

/// Updates in the making, each of a size that can be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Updates {
    full: Vec<Update>,
    now: Update,
    size: usize,
}

/// The most that a task's numbers can take: measuring them would take as long as encoding
/// them.
const STATS: usize = 200;

/// What was lost so far, which every update tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dropped {
    pub(super) tasks: u64,
    pub(super) resources: u64,
    pub(super) ops: u64,
}

impl Dropped {
    /// What was lost since it was `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            tasks: self.tasks - before.tasks,
            resources: self.resources - before.resources,
            ops: self.ops - before.ops,
        }
    }
}

impl Updates {
    pub(super) fn size(&self) -> usize {
        self.size + self.full.len() * PART
    }

    /// No more fits into one message.
    pub(super) fn is_full(&self) -> bool {
        !self.full.is_empty()
    }

    fn add(&mut self, size: usize) {
        // A tag and a length for each.
        self.size += size + 12;
        if self.size > PART {
            self.full.push(std::mem::take(&mut self.now));
            self.size = 0;
        }
    }

    pub(super) fn callsite(&mut self, meta: &'static Metadata<'static>) {
        let new = NewMetadata {
            id: Some(meta.into()),
            metadata: Some(meta.into()),
        };
        let size = new.encoded_len();
        let all = self.now.new_metadata.get_or_insert_default();
        all.metadata.push(new);
        self.add(size);
    }

    /// `is_new`: it has to be described, too.
    pub(super) fn task(&mut self, task: &TaskState, is_new: bool) {
        let update = self.now.task_update.get_or_insert_default();
        let mut size = 0;
        if is_new {
            let new = new_task(task);
            size += new.encoded_len();
            update.new_tasks.push(new);
        }
        let stats = task_stats(task);
        size += STATS;
        update.stats_update.insert(task.now.id, stats);
        self.add(size);
    }

    pub(super) fn resource(&mut self, resource: &resource::State, is_new: bool) {
        let update = self.now.resource_update.get_or_insert_default();
        let mut size = 0;
        if is_new {
            let new = new_resource(resource);
            size += new.encoded_len();
            update.new_resources.push(new);
        }
        let stats = resources::Stats {
            created_at: Some(clock::wire(resource.created)),
            dropped_at: clock::wire_if(resource.closed),
            attributes: resource.attributes().map(|a| attribute(&a)).collect(),
        };
        size += stats.encoded_len();
        update.stats_update.insert(resource.id, stats);
        self.add(size);
    }

    pub(super) fn op(&mut self, op: &op::State, is_new: bool) {
        let update = self.now.async_op_update.get_or_insert_default();
        let mut size = 0;
        if is_new {
            let new = async_ops::AsyncOp {
                id: Some(op.id.into()),
                metadata: Some(op.site.meta.into()),
                source: op.site.what.to_string(),
                parent_async_op_id: id(op.parent),
                resource_id: Some(op.resource.into()),
            };
            size += new.encoded_len();
            update.new_async_ops.push(new);
        }
        let stats = async_ops::Stats {
            created_at: Some(clock::wire(op.created)),
            dropped_at: clock::wire_if(op.closed),
            task_id: id(op.task),
            poll_stats: Some(wire::PollStats {
                polls: op.polls,
                first_poll: clock::wire_if(op.first_poll),
                last_poll_started: clock::wire_if(op.started),
                last_poll_ended: clock::wire_if(op.ended),
                busy_time: Some(clock::wire_duration(op.busy)),
            }),
            attributes: op.attributes.iter().map(attribute).collect(),
        };
        size += stats.encoded_len();
        update.stats_update.insert(op.id, stats);
        if let Some(last) = poll_op(op) {
            size += last.encoded_len();
            let update = self.now.resource_update.get_or_insert_default();
            update.new_poll_ops.push(last);
        }
        self.add(size);
    }

    /// The updates: one at least, as silence is news, too. What was dropped is told once.
    pub(super) fn finish(mut self, times: Times, dropped: Dropped) -> Vec<Update> {
        if self.size > 0 || self.full.is_empty() {
            self.full.push(self.now);
        }
        let last = self.full.len() - 1;
        for (n, update) in self.full.iter_mut().enumerate() {
            update.now = Some(clock::wire(times.of(n == last)));
            let dropped = if n == last {
                dropped
            } else {
                Dropped::default()
            };
            let tasks: &mut TaskUpdate = update.task_update.get_or_insert_default();
            tasks.dropped_events = dropped.tasks;
            let resources: &mut ResourceUpdate = update.resource_update.get_or_insert_default();
            resources.dropped_events = dropped.resources;
            let ops: &mut AsyncOpUpdate = update.async_op_update.get_or_insert_default();
            ops.dropped_events = dropped.ops;
        }
        self.full
    }
}

fn id(id: u64) -> Option<wire::Id> {
    (id > 0).then(|| id.into())
}

fn location(place: Option<&Place>) -> Option<wire::Location> {
    place.map(|place| wire::Location {
        file: Some(place.file.to_string()),
        module_path: None,
        line: Some(place.line),
        column: Some(place.column),
    })
}

fn new_task(state: &TaskState) -> tasks::Task {
    let site = state.now.site;
    let kind = match site.role {
        Role::Blocking | Role::Worker => tasks::task::Kind::Blocking,
        Role::Task | Role::BlockOn => tasks::task::Kind::Spawn,
    };
    tasks::Task {
        id: Some(state.now.id.into()),
        metadata: Some(site.meta.into()),
        kind: kind.into(),
        fields: task_fields(state, site),
        parents: (state.now.parent > 0)
            .then_some(wire::SpanId {
                id: state.now.parent,
            })
            .into_iter()
            .collect(),
        location: location(site.place.as_ref()),
    }
}

/// The fields of the span, as tokio gave them.
fn task_fields(state: &TaskState, site: &Site) -> Vec<wire::Field> {
    let own_id = state.now.id >> 63 == 0;
    let other = state.now.words.as_ref().map_or(&[][..], |w| &w.other);
    site.meta
        .fields()
        .iter()
        .filter_map(|field| {
            let value = match field.name() {
                "kind" => Value::Debug(site.kind.clone()),
                "task.name" => Value::Debug(state.now.name().into()),
                "task.id" if own_id => Value::U64(state.now.id),
                "fn" => Value::Debug(site.what.clone()),
                "size.bytes" => Value::U64(site.size?),
                "original_size.bytes" => Value::U64(site.original_size?),
                name => {
                    let (_, value) = other.iter().find(|(n, _)| *n == name)?;
                    value.clone()
                }
            };
            Some(named(site.meta, field.name(), &value))
        })
        .collect()
}

fn named(meta: &'static Metadata<'static>, name: &'static str, value: &Value) -> wire::Field {
    use wire::field::Value as Wire;
    wire::Field {
        name: Some(name.into()),
        metadata_id: Some(meta.into()),
        value: Some(match value {
            Value::U64(n) => Wire::U64Val(*n),
            Value::I64(n) => Wire::I64Val(*n),
            Value::Bool(yes) => Wire::BoolVal(*yes),
            Value::Text(text) => Wire::StrVal(text.to_string()),
            Value::Debug(text) => Wire::DebugVal(text.to_string()),
        }),
    }
}

fn attribute(read: &Read) -> wire::Attribute {
    wire::Attribute {
        field: Some(named(read.meta, read.name, &read.value)),
        unit: read.unit.as_deref().map(Into::into),
    }
}

fn task_stats(state: &TaskState) -> tasks::Stats {
    let now = &state.now;
    tasks::Stats {
        created_at: Some(clock::wire(now.created)),
        dropped_at: clock::wire_if(now.closed),
        wakes: now.wakes,
        waker_clones: now.waker_clones,
        waker_drops: now.waker_drops,
        last_wake: clock::wire_if(now.last_wake),
        poll_stats: Some(wire::PollStats {
            polls: now.polls,
            first_poll: clock::wire_if(now.first_poll),
            last_poll_started: clock::wire_if(now.started),
            last_poll_ended: clock::wire_if(now.ended),
            busy_time: Some(clock::wire_duration(now.busy)),
        }),
        self_wakes: now.self_wakes,
        scheduled_time: Some(clock::wire_duration(now.scheduled)),
    }
}

fn new_resource(state: &resource::State) -> resources::Resource {
    use resources::resource::{Kind, kind};
    let kind = match &*state.site.kind {
        "timer" => kind::Kind::Known(kind::Known::Timer.into()),
        other => kind::Kind::Other(other.to_owned()),
    };
    resources::Resource {
        id: Some(state.id.into()),
        metadata: Some(state.site.meta.into()),
        concrete_type: state.site.what.to_string(),
        kind: Some(Kind { kind: Some(kind) }),
        location: location(state.site.place.as_ref()),
        parent_resource_id: id(state.parent),
        is_internal: state.site.is_internal,
    }
}

/// The newest of an operation's polls: those before it are in its stats.
fn poll_op(state: &op::State) -> Option<resources::PollOp> {
    let (meta, name) = state.site.poll_op.get()?;
    Some(resources::PollOp {
        metadata: Some((*meta).into()),
        resource_id: Some(state.resource.into()),
        name: name.to_string(),
        task_id: id(state.task),
        async_op_id: Some(state.id.into()),
        is_ready: state.answer?,
    })
}

/// How long a task's polls, and its waits for them, took.
pub(super) fn details(task: u64, now: Nanos, polls: &Buckets, waits: &Buckets) -> TaskDetails {
    TaskDetails {
        task_id: Some(task.into()),
        now: Some(clock::wire(now)),
        poll_times_histogram: Some(tasks::task_details::PollTimesHistogram::Histogram(
            histogram(polls),
        )),
        scheduled_times_histogram: Some(histogram(waits)),
    }
}

/// Samples above this are outliers: console-subscriber's limit.
const MAX: u64 = 1_000_000_000;

fn histogram(buckets: &Buckets) -> tasks::DurationHistogram {
    let mut outliers = 0;
    let mut highest = None;
    let mut raw = Vec::new();
    // Both fail only for limits that make no sense, and for memory that cannot be had.
    if let Ok(mut histogram) = Histogram::<u64>::new_with_max(MAX, 2) {
        for (nanos, n) in buckets.iter() {
            if nanos > MAX {
                outliers += u64::from(n);
                highest = highest.max(Some(nanos));
            }
            histogram.saturating_record_n(nanos.min(MAX), n.into());
        }
        let _ = V2Serializer::new().serialize(&histogram, &mut raw);
    }
    tasks::DurationHistogram {
        raw_histogram: raw,
        max_value: MAX,
        high_outliers: outliers,
        highest_outlier: highest,
    }
}
