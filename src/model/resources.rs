//! What a task can wait for: locks, semaphores, channels, and the async ops on them. Who
//! holds them is in [`super::holders`]; timers are in [`super::timers`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use console_api::{async_ops as wire_ops, resources as wire_resources};
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost, bounds,
    holders::{Got, Holders},
    kept::{self, Sound, Unsound},
    task::TaskId,
    tasks::Tasks,
    wire::Location,
};
use crate::frame::Time;

/// What a resource is, as people name it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResourceKind {
    Mutex,
    RwLock,
    Semaphore,
    /// A bounded `mpsc` channel, of which tokio shows the semaphore that counts its room.
    Channel,
    Barrier,
    Oneshot,
    OnceCell,
    Other,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resource {
    /// Its id in the console protocol.
    pub span: u64,
    pub kind: ResourceKind,
    /// tokio's name of the type: "Mutex", "Semaphore", "Sender|Receiver", …
    pub concrete_type: Box<str>,
    /// What it is made of for its owner: the semaphore in a mutex is internal.
    pub is_internal: bool,
    pub parent: Option<u64>,
    pub location: Option<Location>,
    pub created: Option<Time>,
    /// As the target writes them: name and value with its unit.
    pub attributes: Vec<(Box<str>, Box<str>)>,
    /// Of a lock or a semaphore: who has it. See [`Resources::holders`].
    pub(super) holders: Holders,
}

/// An operation that a task awaits or awaited: `Mutex::lock`, `Acquire::new`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsyncOp {
    pub source: Box<str>,
    /// By span, in [`Resources::get`].
    pub resource: u64,
    /// The operation that it is a part of.
    pub parent: Option<u64>,
    pub task: Option<TaskId>,
    pub created: Time,
    /// When it was last polled.
    pub polled: Option<Time>,
    /// The last poll gave a result.
    pub ready: bool,
    /// Where it stands in line.
    place: Option<InLine>,
}

/// The resource, since when, and the operation: semaphores let those in first who came
/// first.
type InLine = (u64, Time, u64);

/// The live ones, by their spans; what has been dropped is forgotten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Resources {
    #[serde(serialize_with = "kept::sorted")]
    all: IdMap<u64, Resource>,
    #[serde(serialize_with = "kept::sorted")]
    ops: IdMap<u64, AsyncOp>,
    #[serde(skip)]
    of_task: BTreeSet<(TaskId, u64)>,
    #[serde(skip)]
    waiting: BTreeSet<InLine>,
    /// What the probe says of those that the next console update will name.
    #[serde(serialize_with = "kept::sorted")]
    promised: HashMap<u64, Holders>,
}

impl Resource {
    /// What it is, as people name it; tokio's word where there is no other.
    pub fn kind_name(&self) -> &str {
        match self.kind {
            ResourceKind::Other => &self.concrete_type,
            kind => kind.as_str(),
        }
    }

    /// The runtime made it for itself: each has a channel that tells of its end.
    pub fn is_made_by_runtime(&self) -> bool {
        let file = self.location.as_ref().map(|at| &*at.file);
        file.is_some_and(|file| file.contains("/tokio-") && file.contains("/src/runtime/"))
    }

    /// The value of an attribute, if it has one that can be read so.
    pub fn attribute<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let found = self.attributes.iter().find(|(of, _)| **of == *name);
        found.and_then(|(_, value)| value.parse().ok())
    }
}

impl ResourceKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutex => "Mutex",
            Self::RwLock => "RwLock",
            Self::Semaphore => "Semaphore",
            Self::Channel => "channel",
            Self::Barrier => "Barrier",
            Self::Oneshot => "oneshot",
            Self::OnceCell => "OnceCell",
            Self::Other => "other",
        }
    }

    /// It can be held: as long as somebody has it, or all of its permits, others wait.
    pub fn can_be_held(self) -> bool {
        matches!(
            self,
            Self::Mutex | Self::RwLock | Self::Semaphore | Self::OnceCell
        )
    }

    fn of(wire: &wire_resources::Resource, location: Option<&Location>) -> Self {
        let in_cell = location.is_some_and(|l| l.file.ends_with("sync/once_cell.rs"));
        match wire.concrete_type.as_str() {
            "Mutex" => Self::Mutex,
            "RwLock" => Self::RwLock,
            // A cell is made by whose future ends first while it has the only permit.
            "Semaphore" if in_cell => Self::OnceCell,
            "Semaphore" if wire.is_internal && wire.parent_resource_id.is_none() => Self::Channel,
            "Semaphore" => Self::Semaphore,
            "Barrier" => Self::Barrier,
            "Sender|Receiver" => Self::Oneshot,
            _ => Self::Other,
        }
    }
}

impl AsyncOp {
    /// Since when its task waits for it, if it does.
    pub fn waits_since(&self) -> Option<Time> {
        self.place.map(|(_, since, _)| since)
    }
}

impl Sound for Resources {
    fn sound(mut self) -> Result<Self, Unsound> {
        let of_task = |(span, op): (&u64, &AsyncOp)| op.task.map(|task| (task, *span));
        self.of_task = self.ops.iter().filter_map(of_task).collect();
        for (span, op) in &self.ops {
            if op.place.is_some_and(|(.., of)| of != *span) {
                return Err(Unsound("an operation in another's place"));
            }
            self.waiting.extend(op.place);
        }
        Ok(self)
    }
}

impl Resources {
    pub fn get(&self, span: u64) -> Option<&Resource> {
        self.all.get(&span)
    }

    /// Those that a person made, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        let is_part = |r: &&Resource| r.is_internal && r.kind != ResourceKind::Channel;
        self.all.values().filter(move |r| !is_part(r))
    }

    /// The operation that a task waits for: the outermost that was pending when last
    /// polled, in that task's last poll.
    pub fn awaited_by(&self, task: TaskId, last_poll: Option<Time>) -> Option<&AsyncOp> {
        self.pending_of(task)
            .filter(|op| op.polled >= last_poll)
            .min_by_key(|op| self.all.get(&op.resource).is_none_or(|r| r.is_internal))
    }

    /// All operations of a task that were pending when last polled, parts of others
    /// included.
    pub fn pending_of(&self, task: TaskId) -> impl Iterator<Item = &AsyncOp> {
        let ops = self.of_task.range((task, 0)..=(task, u64::MAX));
        ops.filter_map(|(_, span)| self.ops.get(span))
            .filter(|op| !op.ready)
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

    /// Who holds a lock or permits; nothing for what cannot be held, such as a channel.
    pub fn holders(&self, span: u64) -> Option<&Holders> {
        let resource = self.outermost(span)?;
        resource.kind.can_be_held().then_some(&resource.holders)
    }

    /// The task that takes messages out of a channel, if that is told: by the probe, once it has
    /// taken one.
    pub fn receiver(&self, span: u64) -> Option<TaskId> {
        let channel = self.outermost(span)?;
        let receiver = channel.holders.receiver;
        receiver.filter(|_| channel.kind == ResourceKind::Channel)
    }

    /// The operations that wait for a resource, in the order in which they are let in.
    pub fn waiters(&self, span: u64) -> impl Iterator<Item = &AsyncOp> {
        let outer = self.outermost(span).map_or(span, |r| r.span);
        let in_line = (outer, Time::default(), 0)..=(outer, Time::from_nanos(u64::MAX), u64::MAX);
        let in_line = self.waiting.range(in_line);
        in_line.filter_map(|(_, _, op)| self.ops.get(op))
    }

    /// Those for which somebody waits.
    pub fn awaited(&self) -> impl Iterator<Item = &Resource> {
        let mut last = None;
        let spans = self.waiting.iter().map(|(span, ..)| *span);
        let spans = spans.filter(move |span| last.replace(*span) != Some(*span));
        spans.filter_map(|span| self.all.get(&span))
    }

    /// How many wait for each of these.
    pub(super) fn queues(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut queues = BTreeMap::new();
        for (span, ..) in &self.waiting {
            *queues.entry(*span).or_default() += 1;
        }
        queues.into_iter()
    }

    /// `guess`: work out who holds what; the probe tells.
    pub(super) fn apply(
        &mut self,
        resources: Option<&wire_resources::ResourceUpdate>,
        ops: Option<&wire_ops::AsyncOpUpdate>,
        tasks: &Tasks,
        guess: bool,
        lost: &mut Lost,
    ) {
        if let Some(update) = resources {
            self.apply_resources(update, lost);
        }
        if let Some(update) = ops {
            self.apply_new_ops(update, lost);
        }
        let polls = resources.map_or(&[][..], |update| &update.new_poll_ops);
        let got = self.apply_polls(polls, ops, tasks);
        if let Some(update) = ops {
            self.apply_op_stats(update, tasks);
        }
        for poll in polls {
            if let Some(id) = poll.async_op_id {
                self.stand_in_line(id.id);
            }
        }
        if let Some(update) = resources.filter(|_| guess) {
            self.work_out_holders(update, &got);
        }
        self.promised.clear();
    }

    pub(super) fn apply_probe(&mut self, resources: &[v1::Resource], tasks: &mut Tasks) {
        for wire in resources {
            let holders = Holders::from_wire(wire, tasks);
            match self.all.get_mut(&wire.span_id) {
                Some(resource) => resource.holders = holders,
                None if self.promised.len() < bounds::MOST => {
                    self.promised.insert(wire.span_id, holders);
                }
                None => {}
            }
        }
    }

    /// What was worked out gives way to what the probe tells.
    pub(super) fn forget_holders(&mut self) {
        for resource in self.all.values_mut() {
            resource.holders = Holders::default();
        }
    }

    fn apply_resources(&mut self, update: &wire_resources::ResourceUpdate, lost: &mut Lost) {
        for wire in &update.new_resources {
            // These come and go by the thousand, and are followed as timers.
            let is_timer = matches!(wire.concrete_type.as_str(), "Sleep" | "Interval");
            let Some(id) = wire.id.filter(|_| !is_timer) else {
                continue;
            };
            let stats = update.stats_update.get(&id.id);
            let created = stats.and_then(|s| Time::from_wire(s.created_at.as_ref()?));
            // After a reconnection all are told again.
            if self.all.get(&id.id).is_some_and(|r| r.created == created) {
                continue;
            }
            if !self.all.contains_key(&id.id) && !lost.has_room(self.all.len()) {
                continue;
            }
            let location = wire.location.as_ref().and_then(|l| l.try_into().ok());
            self.all.insert(
                id.id,
                Resource {
                    span: id.id,
                    kind: ResourceKind::of(wire, location.as_ref()),
                    concrete_type: wire.concrete_type.as_str().into(),
                    is_internal: wire.is_internal,
                    parent: wire.parent_resource_id.map(|id| id.id),
                    location,
                    created,
                    attributes: Vec::new(),
                    holders: self.promised.remove(&id.id).unwrap_or_default(),
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

    fn apply_new_ops(&mut self, update: &wire_ops::AsyncOpUpdate, lost: &mut Lost) {
        for wire in &update.new_async_ops {
            let (Some(id), Some(resource)) = (wire.id, wire.resource_id) else {
                continue;
            };
            // What is done to a timer is not an op to wait for: the timer is.
            if !self.all.contains_key(&resource.id) {
                continue;
            }
            let stats = update.stats_update.get(&id.id);
            let created = stats.and_then(|s| Time::from_wire(s.created_at.as_ref()?));
            let created = created.unwrap_or_default();
            if self.ops.get(&id.id).is_some_and(|op| op.created == created) {
                continue;
            }
            self.forget_op(id.id);
            if !lost.has_room(self.ops.len()) {
                continue;
            }
            self.ops.insert(
                id.id,
                AsyncOp {
                    source: wire.source.as_str().into(),
                    resource: resource.id,
                    parent: wire.parent_async_op_id.map(|id| id.id),
                    task: None,
                    created,
                    polled: None,
                    ready: false,
                    place: None,
                },
            );
        }
    }

    /// Gives what was got by tasks, by resource.
    fn apply_polls(
        &mut self,
        polls: &[wire_resources::PollOp],
        ops: Option<&wire_ops::AsyncOpUpdate>,
        tasks: &Tasks,
    ) -> HashMap<u64, Vec<Got>> {
        let mut got: HashMap<u64, Vec<Got>> = HashMap::new();
        for poll in polls {
            let Some(span) = poll.async_op_id.map(|id| id.id) else {
                continue;
            };
            let Some(op) = self.ops.get_mut(&span) else {
                continue;
            };
            let was_ready = std::mem::replace(&mut op.ready, poll.is_ready);
            if poll.is_ready && !was_ready && op.parent.is_none() {
                let stats = ops.and_then(|update| update.stats_update.get(&span));
                let polls = stats.and_then(|stats| stats.poll_stats.as_ref());
                got.entry(op.resource).or_default().push(Got {
                    task: poll.task_id.and_then(|id| tasks.by_span(id.id)),
                    at: polls.and_then(|p| Time::from_wire(p.last_poll_ended.as_ref()?)),
                });
            }
        }
        got
    }

    fn apply_op_stats(&mut self, update: &wire_ops::AsyncOpUpdate, tasks: &Tasks) {
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
            self.stand_in_line(*span);
        }
    }

    /// Puts an operation where it belongs among those that wait.
    fn stand_in_line(&mut self, span: u64) {
        let Some(op) = self.ops.get(&span) else {
            return;
        };
        let waits = !op.ready && op.task.is_some() && op.parent.is_none();
        let place = waits.then(|| {
            // A receiver's is made with its channel, long before anybody awaits it.
            let is_early = &*op.source == "Receiver::await";
            let since = op.polled.filter(|_| is_early).unwrap_or(op.created);
            let outer = self.outermost(op.resource).map_or(op.resource, |r| r.span);
            op.place.unwrap_or((outer, since, span))
        });
        let before = self
            .ops
            .get_mut(&span)
            .and_then(|op| std::mem::replace(&mut op.place, place));
        if before != place {
            before.map(|before| self.waiting.remove(&before));
            self.waiting.extend(place);
        }
    }

    fn forget_op(&mut self, span: u64) {
        let Some(op) = self.ops.remove(&span) else {
            return;
        };
        if let Some(task) = op.task {
            self.of_task.remove(&(task, span));
        }
        if let Some(place) = op.place {
            self.waiting.remove(&place);
        }
    }

    /// Who holds what, from what was got since the last update and what the attributes say
    /// is held now.
    fn work_out_holders(
        &mut self,
        update: &wire_resources::ResourceUpdate,
        got: &HashMap<u64, Vec<Got>>,
    ) {
        let changed: BTreeSet<u64> = update
            .stats_update
            .keys()
            .chain(got.keys())
            .copied()
            .collect();
        for span in changed {
            let Some(resource) = self.all.get_mut(&span) else {
                continue;
            };
            if !resource.kind.can_be_held() || resource.is_internal {
                continue;
            }
            let got = got.get(&span).map_or(&[][..], Vec::as_slice);
            let mut holders = std::mem::take(&mut resource.holders);
            holders.work_out(resource, got, update.stats_update.contains_key(&span));
            resource.holders = holders;
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
