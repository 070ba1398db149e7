//! Takes in each span and event where it happens.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
};

use loopview_api::v1::{Outcome, TimerKind};
use tracing::{Event, Metadata, span};

use super::{
    Heard,
    fields::{OpName, PollOpEvent, StateEvent, TaskEvent, WakerEvent, WakerOp},
    here::{Entered, Here, JustEnded, here},
    spans::{Entity, Released},
};
use crate::{
    clock,
    facts::{
        attributes::{Update, Value},
        changes::Changed,
        first_change,
        op::Op,
        polls::Poll,
        resource::Resource,
        scope::Scope,
        site::Role,
        task::{Task, Woken, Words},
        timer::Timer,
    },
    panics,
};

const SPAWN: &str = "runtime.spawn";
const RESOURCE: &str = "runtime.resource";
const OP: &str = "runtime.resource.async_op";
/// Of spans of tasks: they are told by their name, as those of blocking calls have another.
const SPAWNS: &str = "tokio::task";
const WAKER: &str = "tokio::task::waker";
const POLL_OP: &str = "runtime::resource::poll_op";
const RESOURCE_STATE: &str = "runtime::resource::state_update";
const OP_STATE: &str = "runtime::resource::async_op::state_update";
const SCOPE: &str = "loopview::scope";
const TASK: &str = "loopview::task";

/// What the probe wants to hear.
pub(crate) fn wanted(meta: &Metadata<'_>) -> bool {
    let target = meta.target();
    if meta.is_event() {
        matches!(target, WAKER | POLL_OP | RESOURCE_STATE | OP_STATE | TASK)
    } else if meta.is_span() {
        matches!(meta.name(), SPAWN | RESOURCE | OP) || target == SCOPE
    } else {
        // Somebody asks by `enabled!` whether this target is heard at all.
        matches!(
            target,
            SPAWNS | WAKER | POLL_OP | RESOURCE_STATE | OP_STATE | TASK | SCOPE
        )
    }
}

/// Takes in each span and event where it happens.
#[derive(Clone, Debug)]
pub(super) struct Ear {
    pub(super) heard: Arc<Heard>,
}

impl Ear {
    fn here<R>(&self, with: impl FnOnce(&mut Here) -> R) -> Option<R> {
        here(&self.heard, with)
    }

    fn touch_task(&self, task: &Arc<Task>) {
        if first_change(&task.listed) {
            self.heard.changes.push(Changed::Task(Arc::clone(task)));
        }
    }

    fn touch_resource(&self, resource: &Arc<Resource>) {
        if first_change(&resource.listed) {
            let resource = Arc::clone(resource);
            self.heard.changes.push(Changed::Resource(resource));
        }
    }

    fn touch_op(&self, op: &Arc<Op>) {
        if first_change(&op.listed) {
            self.heard.changes.push(Changed::Op(Arc::clone(op)));
        }
    }

    fn touch_scope(&self, scope: &Arc<Scope>) {
        if first_change(&scope.listed) {
            self.heard.changes.push(Changed::Scope(Arc::clone(scope)));
        }
    }

    fn new_task(&self, here: &mut Here, attrs: &span::Attributes<'_>) -> Entity {
        let (site, fields) = here.told(attrs);
        let words = Words {
            name: fields.name.as_str().into(),
            other: std::mem::take(&mut fields.other),
            ..Words::default()
        };
        // Without tokio's own number, one that cannot be one of those.
        let id = fields.task_id;
        let id = id.unwrap_or_else(|| self.heard.next_id() | 1 << 63);
        let mut task = Task::new(id, site, words, clock::now());
        task.parent = here.task_id();
        task.scope = here.scope().map_or(0, |scope| scope.id);
        // Most likely the one that is spawned in: its first poll will tell.
        task.runtime = here.runtime().into();
        Entity::Task(self.heard.spare.tasks.fill(&mut here.hands.tasks, task))
    }

    fn new_resource(&self, here: &mut Here, attrs: &span::Attributes<'_>) -> Entity {
        let (site, _) = here.told(attrs);
        let is_timer = &*site.what == "Sleep";
        let id = self.heard.next_id();
        let parent = here.resource().cloned();
        let mut resource = Resource::new(id, site, parent, clock::now());
        if is_timer {
            let in_limit = here.entered.last().is_some_and(|e| match &e.entity {
                Entity::Scope(scope) => scope.is_time_limit(),
                _ => false,
            });
            let kind = if in_limit {
                TimerKind::Timeout
            } else {
                TimerKind::Sleep
            };
            resource.timer = Some(Timer::new(kind));
        }
        Entity::Resource(
            self.heard
                .spare
                .resources
                .fill(&mut here.hands.resources, resource),
        )
    }

    fn new_op(&self, here: &mut Here, attrs: &span::Attributes<'_>) -> Option<Entity> {
        let (site, _) = here.told(attrs);
        // Since tokio 1.53, a sleep's resource is not entered when its operation is made.
        let explicit = attrs.parent().map(span::Id::into_u64);
        let resource = |entity: &Entity| match entity {
            Entity::Resource(resource) => Some(Arc::clone(resource)),
            _ => None,
        };
        let explicit = explicit.and_then(|span| self.heard.spans.look(span, resource));
        let resource = match explicit.flatten() {
            Some(resource) => resource,
            None => Arc::clone(here.resource()?),
        };
        let parent = here.op().cloned();
        let op = Op::new(
            self.heard.next_id(),
            site,
            &resource,
            here.task_id(),
            parent,
            clock::now(),
        );
        Some(Entity::Op(
            self.heard.spare.ops.fill(&mut here.hands.ops, op),
        ))
    }

    fn new_scope(&self, here: &mut Here, attrs: &span::Attributes<'_>) -> Entity {
        let around = here.task().map_or(0, |task| task.scope);
        let parent = here.scope().map_or(around, |scope| scope.id);
        let id = self.heard.next_id();
        let meta = attrs.metadata();
        let mut scope = Scope::new(id, meta, parent, here.task_id(), clock::now());
        let fields = here.told_of_scope(attrs);
        scope.kind = (*fields.site.kind).into();
        scope.name = fields.name.as_str().into();
        scope.place = fields.site.place();
        Entity::Scope(Arc::new(scope))
    }

    fn enter(&self, here: &mut Here, span: u64, entity: Entity) {
        let mut woken = Woken::default();
        match &entity {
            Entity::Task(task) => woken = self.enter_task(here, span, task),
            Entity::Resource(resource) => {
                if let Some(timer) = &resource.timer {
                    timer.enter();
                }
            }
            Entity::Op(op) => {
                op.enter(clock::now());
                self.touch_op(op);
            }
            Entity::Scope(_) => {}
        }
        here.entered.push(Entered {
            span,
            entity,
            woken,
            unwinds: thread::panicking(),
        });
    }

    fn enter_task(&self, here: &mut Here, span: u64, task: &Arc<Task>) -> Woken {
        self.settle_yields(here);
        let first = task.polls() == 0;
        let adjacent = here.just_left == span;
        (here.just_left, here.just_ended, here.cloned) = (0, None, false);
        here.may_change_runtime(task.site.role);
        if first {
            here.thread.runs(task.site.role);
            task.runtime.store(here.runtime(), Relaxed);
        }
        let at = clock::now();
        let woken = task.enter(at, here.thread.id, adjacent);
        if task.site.role != Role::Worker {
            here.thread.polls(task.id, at);
        }
        self.touch_task(task);
        woken
    }

    fn exit(&self, here: &mut Here, span: u64) {
        // Nearly always the innermost one.
        let innermost = here.entered.pop_if(|innermost| innermost.span == span);
        let left = innermost.or_else(|| {
            let index = here.entered.iter().rposition(|e| e.span == span)?;
            Some(here.entered.remove(index))
        });
        let Some(Entered {
            entity,
            woken,
            unwinds,
            ..
        }) = left
        else {
            return;
        };
        match &entity {
            Entity::Task(task) => {
                // One whose future is dropped while another panic unwinds has not panicked.
                if thread::panicking() && !unwinds {
                    task.ends(Outcome::Panicked, Some(&panics::said()));
                }
                self.exit_task(here, span, task, woken);
            }
            Entity::Resource(resource) => {
                if let Some(timer) = &resource.timer {
                    timer.exit(clock::now, here.interval());
                    self.touch_resource(resource);
                }
            }
            Entity::Op(op) => {
                op.exit(clock::now());
                self.touch_op(op);
            }
            Entity::Scope(_) => {}
        }
        if let Entity::Task(task) = entity {
            here.left(span, task);
        }
    }

    fn exit_task(&self, here: &mut Here, span: u64, task: &Arc<Task>, woken: Woken) {
        let at = clock::now();
        let poll = task.exit(at, woken);
        if here.cloned {
            here.cloned = false;
            if let Some(mark) = here.driver_mark(task.runtime.load(Relaxed)) {
                task.may_yield(mark);
            }
        }
        here.just_left = span;
        here.may_change_runtime(task.site.role);
        if task.site.role != Role::Worker {
            // A `LocalSet` polls its tasks within the poll of the `block_on` around it.
            let outer = here.task_id();
            here.thread.polls(outer, at);
            if task.site.role != Role::Blocking
                && let Some(ring) = here.ring()
            {
                ring.push(poll);
            }
        }
        self.touch_task(task);
    }

    fn waker(&self, here: &mut Here, event: &Event<'_>) {
        let mut fields = WakerEvent::default();
        event.record(&mut fields);
        let Some(op) = fields.op else { return };
        here.just_left = 0;
        if let Some(innermost) = here.entered.last()
            && innermost.span == fields.span
            && let Entity::Task(task) = &innermost.entity
        {
            // A change of its own will be noted when its poll ends.
            here.cloned |= op == WakerOp::Clone;
            return own_waker(task, op);
        }
        if here.is_entered(fields.span) {
            let entered = here.entered.iter().rev().find(|e| e.span == fields.span);
            if let Some(Entity::Task(task)) = entered.map(|e| &e.entity) {
                own_waker(task, op);
            }
            return;
        }
        let mut by = here.task_id();
        let mut at = None;
        let mark = here.mark().filter(|_| by == 0 && here.just_ended.is_none());
        if by == 0
            && op == WakerOp::WakeByRef
            && let Some(ended) = &mut here.just_ended
        {
            by = ended.task;
            at = ended.at.take();
        }
        let at = || at.unwrap_or_else(clock::now);
        let mut may_have_yielded = None;
        let mut hear = |task: &Arc<Task>| {
            match op {
                WakerOp::Clone => task.waker_cloned(),
                WakerOp::Drop => task.waker_dropped(),
                WakerOp::WakeByRef => task.woken(at(), by),
                WakerOp::Wake => {
                    task.waker_dropped();
                    // The scheduler wakes who has yielded, outside of any task.
                    let yielded = mark.filter(|mark| task.may_have_yielded(*mark));
                    may_have_yielded = yielded.map(|mark| (Arc::clone(task), mark));
                    task.woken(at(), by);
                }
            }
            self.touch_task(task);
        };
        if let Some(task) = here.polled_last(fields.span) {
            hear(task);
        } else {
            self.heard.spans.look(fields.span, |entity| {
                if let Entity::Task(task) = entity {
                    hear(task);
                }
            });
        }
        here.may_have_yielded.extend(may_have_yielded);
    }

    /// The I/O driver wakes as the scheduler does, and counts its events right after that:
    /// only if there were none, it was the scheduler.
    fn settle_yields(&self, here: &mut Here) {
        if here.may_have_yielded.is_empty() {
            return;
        }
        let now = here.mark();
        for (task, mark) in here.may_have_yielded.drain(..) {
            if now == Some(mark) {
                task.has_yielded();
                self.touch_task(&task);
            }
        }
    }

    fn poll_op(&self, here: &mut Here, event: &Event<'_>) {
        let mut fields = PollOpEvent::default();
        event.record(&mut fields);
        let Some(ready) = fields.is_ready else { return };
        let task = here.task_id();
        if let Some(timer) = here.resource().and_then(|r| r.timer.as_ref()) {
            timer.poll_op(task, ready);
        }
        if let (Some(op), Some(polled)) = (here.op(), here.task()) {
            op.site.poll_op.get_or_init(|| {
                let mut name = OpName::default();
                event.record(&mut name);
                (event.metadata(), name.0.into())
            });
            polled.pending_ops(op.poll_op(task, ready));
            self.touch_op(op);
        }
    }

    fn state_update(&self, here: &mut Here, event: &Event<'_>) {
        let mut fields = StateEvent::default();
        event.record(&mut fields);
        let Some((name, value)) = &fields.field else {
            return;
        };
        let meta = event.metadata();
        let update = |of| Update {
            of,
            meta,
            name,
            value,
            unit: fields.unit.as_deref(),
            change: fields.change,
        };
        if meta.target() == OP_STATE {
            if let Some(op) = here.op() {
                let parent = op.update(&update(op.id));
                let giver = here.gives_to(op).then(|| here.task_id());
                let held = op.obtains(&update(op.id), giver, clock::now());
                if let Some(lender) = held {
                    self.touch_resource(lender);
                }
                self.touch_op(op);
                if let Some(parent) = parent {
                    self.touch_op(parent);
                }
            }
        } else if let Some(resource) = here.resource() {
            if let (Some(timer), "duration", Value::U64(millis)) = (&resource.timer, *name, value) {
                timer.arm(clock::now(), *millis);
                let unit = || fields.unit.as_deref().unwrap_or_default().into();
                resource.site.duration.get_or_init(|| (meta, unit()));
                return self.touch_resource(resource);
            }
            let parent = resource.update(&update(resource.id));
            let lender = resource.lend(&update(resource.id), here.task_id(), clock::now());
            if let Some(lender) = lender {
                self.touch_resource(lender);
            }
            self.touch_resource(resource);
            if let Some(parent) = parent {
                self.touch_resource(parent);
            }
        }
    }

    fn task_event(&self, here: &mut Here, event: &Event<'_>) {
        let mut fields = TaskEvent::default();
        event.record(&mut fields);
        let Some(task) = here.task() else { return };
        if let Some(awaited) = fields.awaits {
            task.awaits(awaited);
        }
        if let Some(outcome) = fields.outcome() {
            task.ends(outcome, Some(&fields.error));
        }
        self.touch_task(task);
    }

    fn close(&self, span: u64, entity: Option<Entity>, mut next: Option<u64>) {
        let at = self.here(|here| {
            let mut at = None;
            here.forget(span);
            if let Some(next) = next.take() {
                here.gives_back(next);
            }
            match &entity {
                Some(Entity::Task(task)) => {
                    // Its future was dropped the moment before.
                    at = (here.just_left == span).then(|| task.ended());
                    here.just_ended = Some(JustEnded { task: task.id, at });
                    if task.site.role != Role::Blocking
                        && let Some(ring) = here.thread.ring.get()
                    {
                        ring.push(Poll::drop_of(task.id));
                    }
                }
                Some(Entity::Op(op)) if op.is_pending() => {
                    if let Some(task) = here.task().filter(|task| task.id == op.task()) {
                        task.pending_ops(-1);
                    }
                }
                _ => {}
            }
            at
        });
        if let Some(next) = next {
            self.heard.spans.free(next);
        }
        if let Some(entity) = entity {
            self.heard
                .end(entity, at.flatten().unwrap_or_else(clock::now));
        }
    }

    /// `number` gives the span's id; nothing if the span is not heard.
    pub(super) fn new_span(
        &self,
        attrs: &span::Attributes<'_>,
        number: impl FnOnce(&mut Here) -> u64,
    ) -> Option<u64> {
        let meta = attrs.metadata();
        self.here(|here| {
            let entity = match meta.name() {
                _ if meta.target() == SCOPE => Some(self.new_scope(here, attrs)),
                SPAWN => Some(self.new_task(here, attrs)),
                RESOURCE => Some(self.new_resource(here, attrs)),
                _ => self.new_op(here, attrs),
            };
            let span = number(here);
            if let Some(entity) = entity {
                self.heard.keep(span, entity, &mut here.credit);
            }
            span
        })
    }

    pub(super) fn enters(&self, span: u64) {
        self.here(|here| {
            if let Some(entity) = here.find(span) {
                self.enter(here, span, entity);
            }
        });
    }

    pub(super) fn exits(&self, span: u64) {
        self.here(|here| self.exit(here, span));
    }

    pub(super) fn record(&self, span: u64, values: &span::Record<'_>) {
        if let Some(Entity::Scope(scope)) = self.heard.spans.get(span) {
            let mut fields = TaskEvent::default();
            values.record(&mut fields);
            if let Some(outcome) = fields.outcome() {
                scope.ends(outcome);
                self.touch_scope(&scope);
            }
        }
    }

    pub(super) fn event(&self, event: &Event<'_>) {
        let take: fn(&Self, &mut Here, &Event<'_>) = match event.metadata().target() {
            WAKER => Self::waker,
            POLL_OP => Self::poll_op,
            RESOURCE_STATE | OP_STATE => Self::state_update,
            TASK => Self::task_event,
            _ => return,
        };
        self.here(|here| take(self, here, event));
    }

    /// One less holds the span; true if it was the last one.
    pub(super) fn closes(&self, span: u64) -> bool {
        let Released::Closed(entity, next) = self.heard.release(span) else {
            return false;
        };
        self.close(span, entity, next);
        true
    }

    /// The span that is entered here.
    pub(super) fn current(&self) -> Option<(u64, &'static Metadata<'static>)> {
        self.here(|here| {
            let innermost = here.entered.last()?;
            Some((innermost.span, innermost.entity.meta()))
        })
        .flatten()
    }
}

/// What is done with a waker of a task in the task's own poll.
fn own_waker(task: &Task, op: WakerOp) {
    match op {
        WakerOp::Clone => task.clones_waker(),
        WakerOp::Drop => task.drops_waker(),
        WakerOp::WakeByRef => task.wakes_itself(),
        WakerOp::Wake => {
            task.drops_waker();
            task.wakes_itself();
        }
    }
}
