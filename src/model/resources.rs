//! What a task can wait for, from the console protocol: resources (a mutex, a semaphore,
//! a channel, …) and the async ops on them. Timers are in [`super::timers`].

use std::collections::{BTreeSet, HashMap};

use console_api::{async_ops as wire_ops, resources as wire_resources};

use serde::{Deserialize, Serialize};

use super::{
    kept::{self, Sound, Unsound},
    task::TaskId,
    tasks::Tasks,
    wire::Location,
};
use crate::frame::Time;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// tokio's name of the type: "Mutex", "Semaphore", "Sleep", …
    pub concrete_type: Box<str>,
    /// What it is made of for its owner: the semaphore in a mutex is internal.
    pub is_internal: bool,
    pub parent: Option<u64>,
    pub location: Option<Location>,
    /// As the target writes them: name and value with its unit.
    pub attributes: Vec<(Box<str>, Box<str>)>,
}

/// An operation that a task awaits or awaited: `Mutex::lock`, `Acquire::new`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsyncOp {
    pub source: Box<str>,
    /// By span, in [`Resources::get`].
    pub resource: u64,
    pub task: Option<TaskId>,
    /// When it was last polled.
    pub polled: Option<Time>,
    /// The last poll gave a result.
    pub ready: bool,
}

/// The live ones, by their spans; what has been dropped is forgotten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Resources {
    #[serde(serialize_with = "kept::sorted")]
    all: HashMap<u64, Resource>,
    #[serde(serialize_with = "kept::sorted")]
    ops: HashMap<u64, AsyncOp>,
    #[serde(skip)]
    of_task: BTreeSet<(TaskId, u64)>,
}

impl Sound for Resources {
    fn sound(mut self) -> Result<Self, Unsound> {
        let of_task = |(span, op): (&u64, &AsyncOp)| op.task.map(|task| (task, *span));
        self.of_task = self.ops.iter().filter_map(of_task).collect();
        Ok(self)
    }
}

impl Resources {
    pub fn get(&self, span: u64) -> Option<&Resource> {
        self.all.get(&span)
    }

    /// The operation that a task waits for: the outermost that was pending when last
    /// polled, in that task's last poll.
    pub fn awaited_by(&self, task: TaskId, last_poll: Option<Time>) -> Option<&AsyncOp> {
        let ops = self.of_task.range((task, 0)..=(task, u64::MAX));
        ops.filter_map(|(_, span)| self.ops.get(span))
            .filter(|op| !op.ready && op.polled >= last_poll)
            .min_by_key(|op| self.all.get(&op.resource).is_none_or(|r| r.is_internal))
    }

    /// The resource that a person made: not one that is a part of another.
    pub fn outermost(&self, span: u64) -> Option<&Resource> {
        let mut resource = self.all.get(&span)?;
        // Parents cannot form a cycle in a sound target; a bound holds for the others.
        for _ in 0..8 {
            match resource.parent.and_then(|p| self.all.get(&p)) {
                Some(parent) if resource.is_internal => resource = parent,
                _ => break,
            }
        }
        Some(resource)
    }

    pub(super) fn apply(
        &mut self,
        resources: Option<&wire_resources::ResourceUpdate>,
        ops: Option<&wire_ops::AsyncOpUpdate>,
        tasks: &Tasks,
    ) {
        if let Some(update) = resources {
            self.apply_resources(update);
        }
        if let Some(update) = ops {
            self.apply_ops(update, tasks);
        }
        if let Some(update) = resources {
            for op in &update.new_poll_ops {
                let op_span = op.async_op_id.map(|id| id.id);
                if let Some(known) = op_span.and_then(|span| self.ops.get_mut(&span)) {
                    known.ready = op.is_ready;
                }
            }
        }
    }

    fn apply_resources(&mut self, update: &wire_resources::ResourceUpdate) {
        for wire in &update.new_resources {
            // These come and go by the thousand, and are followed as timers.
            let is_timer = matches!(wire.concrete_type.as_str(), "Sleep" | "Interval");
            let Some(id) = wire.id.filter(|_| !is_timer) else {
                continue;
            };
            self.all.insert(
                id.id,
                Resource {
                    concrete_type: wire.concrete_type.as_str().into(),
                    is_internal: wire.is_internal,
                    parent: wire.parent_resource_id.map(|id| id.id),
                    location: wire.location.as_ref().and_then(|l| l.try_into().ok()),
                    attributes: Vec::new(),
                },
            );
        }
        for (span, stats) in &update.stats_update {
            if stats.dropped_at.is_some() {
                self.all.remove(span);
            } else if let Some(resource) = self.all.get_mut(span) {
                resource.attributes = stats.attributes.iter().filter_map(attribute).collect();
            }
        }
    }

    fn apply_ops(&mut self, update: &wire_ops::AsyncOpUpdate, tasks: &Tasks) {
        for wire in &update.new_async_ops {
            let (Some(id), Some(resource)) = (wire.id, wire.resource_id) else {
                continue;
            };
            // What is done to a timer is not an op to wait for: the timer is.
            if !self.all.contains_key(&resource.id) {
                continue;
            }
            self.forget_op(id.id);
            self.ops.insert(
                id.id,
                AsyncOp {
                    source: wire.source.as_str().into(),
                    resource: resource.id,
                    task: None,
                    polled: None,
                    ready: false,
                },
            );
        }
        for (span, stats) in &update.stats_update {
            if stats.dropped_at.is_some() {
                self.forget_op(*span);
                continue;
            }
            let Some(op) = self.ops.get_mut(span) else {
                continue;
            };
            let polls = stats.poll_stats.as_ref();
            op.polled = polls.and_then(|p| Time::from_wire(p.last_poll_started.as_ref()?));
            let task = stats.task_id.and_then(|id| tasks.by_span(id.id));
            if let Some(task) = task.filter(|task| op.task != Some(*task)) {
                if let Some(before) = op.task.replace(task) {
                    self.of_task.remove(&(before, *span));
                }
                self.of_task.insert((task, *span));
            }
        }
    }

    fn forget_op(&mut self, span: u64) {
        if let Some(task) = self.ops.remove(&span).and_then(|op| op.task) {
            self.of_task.remove(&(task, span));
        }
    }
}

fn attribute(wire: &console_api::Attribute) -> Option<(Box<str>, Box<str>)> {
    let field = wire.field.as_ref()?;
    let console_api::field::Name::StrName(name) = field.name.as_ref()? else {
        return None;
    };
    let value = field.value.as_ref()?.to_string();
    let unit = wire.unit.as_deref().unwrap_or_default();
    Some((name.as_str().into(), format!("{value}{unit}").into()))
}
