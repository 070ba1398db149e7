//! The console protocol's messages (`rs.tokio.console.*`).

use console_api as wire;
use console_api::{
    async_ops,
    register_metadata::NewMetadata,
    resources,
    tasks::{self, TaskDetails},
};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2Serializer},
};
use prost::{Message, bytes::Bytes};
use tracing::Metadata;

use super::{PART, dropped::Dropped, entities::TaskState, horizon::Times, wire::Fields};
use crate::{
    clock::{self, Nanos},
    facts::{
        attributes::{Read, Value},
        op, resource,
        samples::Buckets,
        site::{Place, Role},
        task,
    },
};

/// Updates in the making, each of a size that can be sent.
#[derive(Debug, Default)]
pub(super) struct Updates {
    full: Vec<Parts>,
    now: Parts,
    size: usize,
}

/// The messages in one update, as they are written.
#[derive(Debug, Default)]
struct Parts {
    metadata: Fields,
    tasks: Fields,
    resources: Fields,
    ops: Fields,
}

impl Parts {
    fn len(&self) -> usize {
        self.metadata.len() + self.tasks.len() + self.resources.len() + self.ops.len()
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

    fn added(&mut self) {
        self.size = self.now.len();
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
        self.now.metadata.message(1, |fields| fields.made(&new));
        self.added();
    }

    /// `is_new`: it has to be described, too.
    pub(super) fn task(&mut self, task: &TaskState, is_new: bool) {
        let all = &mut self.now.tasks;
        if is_new {
            all.message(1, |fields| new_task(fields, task));
        }
        all.message(3, |entry| {
            entry.number(1, task.now.id);
            entry.message(2, |fields| task_stats(fields, &task.now));
        });
        self.added();
    }

    pub(super) fn resource(&mut self, resource: &resource::State, is_new: bool) {
        let all = &mut self.now.resources;
        if is_new {
            all.message(1, |fields| new_resource(fields, resource));
        }
        all.message(2, |entry| {
            entry.number(1, resource.id);
            entry.message(2, |fields| resource_stats(fields, resource));
        });
        self.added();
    }

    pub(super) fn op(&mut self, op: &op::State, is_new: bool) {
        let all = &mut self.now.ops;
        if is_new {
            all.message(1, |fields| new_op(fields, op));
        }
        all.message(2, |entry| {
            entry.number(1, op.id);
            entry.message(2, |fields| op_stats(fields, op));
        });
        poll_op(&mut self.now.resources, op);
        self.added();
    }

    /// The updates: one at least, as silence is news, too. What was dropped is told once.
    pub(super) fn finish(mut self, times: Times, dropped: Dropped) -> Vec<Bytes> {
        if self.size > 0 || self.full.is_empty() {
            self.full.push(self.now);
        }
        let last = self.full.len() - 1;
        let update = |(n, mut parts): (usize, Parts)| {
            if n == last {
                parts.tasks.number(4, dropped.tasks);
                parts.resources.number(4, dropped.resources);
                parts.ops.number(3, dropped.ops);
            }
            let mut update = Fields::with_room_for(parts.len() + 64);
            update.time(1, times.of(n == last));
            update.bytes(2, parts.tasks.as_bytes());
            update.bytes(3, parts.resources.as_bytes());
            update.bytes(4, parts.ops.as_bytes());
            if parts.metadata.len() > 0 {
                update.bytes(5, parts.metadata.as_bytes());
            }
            update.into_bytes()
        };
        self.full.into_iter().enumerate().map(update).collect()
    }
}

fn location(place: Option<&Place>) -> Option<wire::Location> {
    place.map(|place| wire::Location {
        file: Some(place.file.to_string()),
        module_path: None,
        line: Some(place.line),
        column: Some(place.column),
    })
}

fn new_task(fields: &mut Fields, state: &TaskState) {
    let now = &state.now;
    let site = now.site;
    let kind = match site.role {
        Role::Blocking | Role::Worker => tasks::task::Kind::Blocking,
        Role::Task | Role::BlockOn => tasks::task::Kind::Spawn,
    };
    fields.id(1, now.id);
    fields.id(2, id(site.meta));
    fields.number(3, kind as u64);
    // As tokio gave them.
    let own_id = now.id >> 63 == 0;
    let other = now.words.as_ref().map_or(&[][..], |w| &w.other);
    for name in site.meta.fields().iter().map(|field| field.name()) {
        let told = match name {
            "kind" => Some(Told::Debug(&site.kind)),
            "task.name" => Some(Told::Debug(now.name())),
            "task.id" if own_id => Some(Told::U64(now.id)),
            "fn" => Some(Told::Debug(&site.what)),
            "size.bytes" => site.size.map(Told::U64),
            "original_size.bytes" => site.original_size.map(Told::U64),
            name => {
                let other = other.iter().find(|(n, _)| *n == name);
                other.map(|(_, value)| Told::Other(value))
            }
        };
        if let Some(told) = told {
            field(fields, 4, (site.meta, name), &told);
        }
    }
    fields.id(5, now.parent);
    if let Some(place) = &site.place {
        fields.message(6, |fields| {
            fields.bytes(1, place.file.as_bytes());
            fields.number_or_0(3, place.line.into());
            fields.number_or_0(4, place.column.into());
        });
    }
}

/// The value of a field, which few tasks keep as one.
enum Told<'a> {
    U64(u64),
    Debug(&'a str),
    Other(&'a Value),
}

/// What tells a callsite from others.
fn id(meta: &'static Metadata<'static>) -> u64 {
    wire::MetaId::from(meta).id
}

fn field(
    fields: &mut Fields,
    number: u32,
    (meta, name): (&'static Metadata<'static>, &str),
    told: &Told<'_>,
) {
    fields.message(number, |fields| {
        fields.bytes(1, name.as_bytes());
        match told {
            Told::Debug(text) => fields.bytes(3, text.as_bytes()),
            Told::Other(Value::Debug(text)) => fields.bytes(3, text.as_bytes()),
            Told::Other(Value::Text(text)) => fields.bytes(4, text.as_bytes()),
            Told::U64(n) | Told::Other(Value::U64(n)) => fields.number_or_0(5, *n),
            Told::Other(Value::I64(n)) => fields.signed(6, *n),
            Told::Other(Value::Bool(yes)) => fields.number_or_0(7, (*yes).into()),
        }
        fields.id(8, id(meta));
    });
}

fn attribute(fields: &mut Fields, number: u32, read: &Read) {
    fields.message(number, |fields| {
        field(fields, 1, (read.meta, read.name), &Told::Other(&read.value));
        if let Some(unit) = &read.unit {
            fields.bytes(2, unit.as_bytes());
        }
    });
}

fn task_stats(fields: &mut Fields, now: &task::State) {
    fields.time(1, now.created);
    fields.time(2, now.closed);
    fields.number(3, now.wakes);
    fields.number(4, now.waker_clones);
    fields.number(5, now.waker_drops);
    fields.time(6, now.last_wake);
    let times = [now.first_poll, now.started, now.ended];
    poll_stats(fields, 7, now.polls, times, now.busy);
    fields.number(8, now.self_wakes);
    fields.duration(9, now.scheduled);
}

/// How often something was polled and for how long; when first, and when the last poll began and
/// ended.
fn poll_stats(
    fields: &mut Fields,
    number: u32,
    polls: u64,
    [first, started, ended]: [Nanos; 3],
    busy: u64,
) {
    fields.message(number, |fields| {
        fields.number(1, polls);
        fields.time(3, first);
        fields.time(4, started);
        fields.time(5, ended);
        fields.duration(6, busy);
    });
}

fn new_resource(fields: &mut Fields, state: &resource::State) {
    fields.id(1, state.id);
    fields.id(6, state.parent);
    let site = state.site;
    fields.written(site.written.new.get_or_init(|| {
        use resources::resource::{Kind, kind};
        let kind = match &*site.kind {
            "timer" => kind::Kind::Known(kind::Known::Timer.into()),
            other => kind::Kind::Other(other.to_owned()),
        };
        let new = resources::Resource {
            metadata: Some(site.meta.into()),
            concrete_type: site.what.to_string(),
            kind: Some(Kind { kind: Some(kind) }),
            location: location(site.place.as_ref()),
            is_internal: site.is_internal,
            ..resources::Resource::default()
        };
        new.encode_to_vec().into()
    }));
}

fn resource_stats(fields: &mut Fields, state: &resource::State) {
    fields.time(1, state.created);
    fields.time(2, state.closed);
    if let Some((duration, (meta, unit))) = state.duration() {
        let site = state.site;
        fields.message(3, |fields| {
            fields.message(1, |fields| {
                fields.written(site.written.duration.get_or_init(|| {
                    let field = wire::Field {
                        name: Some("duration".into()),
                        metadata_id: Some((*meta).into()),
                        value: None,
                    };
                    field.encode_to_vec().into()
                }));
                fields.number_or_0(5, duration);
            });
            fields.bytes(2, unit.as_bytes());
        });
    }
    for read in &state.others {
        attribute(fields, 3, read);
    }
}

fn new_op(fields: &mut Fields, state: &op::State) {
    fields.id(1, state.id);
    fields.id(4, state.parent);
    fields.id(5, state.resource);
    let site = state.site;
    fields.written(site.written.new.get_or_init(|| {
        let new = async_ops::AsyncOp {
            metadata: Some(site.meta.into()),
            source: site.what.to_string(),
            ..async_ops::AsyncOp::default()
        };
        new.encode_to_vec().into()
    }));
}

fn op_stats(fields: &mut Fields, state: &op::State) {
    fields.time(1, state.created);
    fields.time(2, state.closed);
    fields.id(4, state.task);
    let times = [state.first_poll, state.started, state.ended];
    poll_stats(fields, 5, state.polls, times, state.busy);
    for read in &state.attributes {
        attribute(fields, 6, read);
    }
}

/// The newest of an operation's polls: those before it are in its stats.
fn poll_op(resources: &mut Fields, state: &op::State) {
    let site = state.site;
    let (Some((meta, name)), Some(is_ready)) = (site.poll_op.get(), state.answer) else {
        return;
    };
    resources.message(3, |fields| {
        fields.id(3, state.resource);
        fields.id(5, state.task);
        fields.id(6, state.id);
        fields.number(7, is_ready.into());
        fields.written(site.written.poll_op.get_or_init(|| {
            let op = resources::PollOp {
                metadata: Some((*meta).into()),
                name: name.to_string(),
                ..resources::PollOp::default()
            };
            op.encode_to_vec().into()
        }));
    });
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
