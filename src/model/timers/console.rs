//! Timers from the console protocol alone: their resources, async ops and poll ops.
//!
//! The deadline is worked out: tokio tells a sleep's duration at its first poll, and the protocol
//! tells of that poll only that it lay between two updates. Where this leaves room for doubt,
//! [`Timer::exact`] is false; where it leaves too much, the figure is absent.

use std::{collections::BTreeMap, time::Duration};

use console_api::{field, instrument, resources as wire_resources};

use super::Timers;
use crate::{
    frame::Time,
    model::{
        Lost, Window,
        task::TaskId,
        tasks::Tasks,
        timer::{Timer, TimerId, TimerKind},
        wire::Location,
    },
};

impl Timers {
    /// Works the timers out from the console protocol's resources, async ops and poll ops.
    pub(in crate::model) fn apply_console(
        &mut self,
        update: &instrument::Update,
        window: Window,
        tasks: &Tasks,
        lost: &mut Lost,
    ) {
        let Some(resources) = &update.resource_update else {
            return;
        };
        for resource in &resources.new_resources {
            if let Some(id) = resource.id.filter(|_| resource.concrete_type == "Sleep") {
                let stats = resources.stats_update.get(&id.id);
                let created = stats.and_then(|s| Time::from_wire(s.created_at.as_ref()?));
                self.describe(id.id, resource, created.unwrap_or(window.to), lost);
            }
        }
        // In order, for the message is in none.
        let mut changed: BTreeMap<TimerId, Told> = BTreeMap::new();
        for (span, stats) in &resources.stats_update {
            if let Some(id) = self.by_span.get(span) {
                changed.entry(*id).or_default().stats = Some(stats);
            }
        }
        let ops = update.async_op_update.iter().flat_map(|u| &u.new_async_ops);
        for op in ops.filter(|op| op.source == "Sleep::reset") {
            if let Some(id) = op.resource_id.and_then(|id| self.by_span.get(&id.id)) {
                changed.entry(*id).or_default().reset = op.id.map(|id| id.id);
            }
        }
        for op in &resources.new_poll_ops {
            if let Some(id) = op.resource_id.and_then(|id| self.by_span.get(&id.id)) {
                let told = changed.entry(*id).or_default();
                told.task = op.task_id.and_then(|id| tasks.by_span(id.id)).or(told.task);
                told.hear(op.is_ready);
            }
        }
        for (id, told) in changed {
            self.change(id, |timer| {
                timer.task = told.task.or(timer.task);
                let owner = timer.task.and_then(|task| tasks.get(task));
                let polled = owner.and_then(|task| task.last_poll_started);
                timer.update_console(&told, window, polled.filter(|at| window.holds(*at)));
            });
        }
    }

    /// Takes in a new sleep, unless it is known: after a reconnection all are told again.
    fn describe(
        &mut self,
        span: u64,
        resource: &wire_resources::Resource,
        created: Time,
        lost: &mut Lost,
    ) {
        if let Some(known) = self.by_span.get(&span).copied() {
            if self.all.get(known).is_some_and(|t| t.created == created) {
                return;
            }
            // Its span has been given to another one, so it is gone, unseen.
            self.change(known, |timer| {
                timer.dropped = timer.dropped.or(Some(created));
            });
        }
        if !lost.has_room(self.kept_alive()) {
            self.by_span.remove(&span);
            return;
        }
        let id = TimerId(self.next);
        self.next += 1;
        self.by_span.insert(span, id);
        self.change(id, |timer| {
            timer.span = Some(span);
            timer.created = created;
            timer.place_in_code(resource);
        });
    }
}

/// What one console update tells of a timer.
#[derive(Default)]
struct Told<'a> {
    stats: Option<&'a wire_resources::Stats>,
    /// The span of the async op that began with a reset.
    reset: Option<u64>,
    /// The task that polled it.
    task: Option<TaskId>,
    /// How often a poll found it elapsed.
    fires: u64,
    /// What the last poll found.
    pending: bool,
    /// Half of a poll was heard.
    in_budget: bool,
}

impl Told<'_> {
    /// Each poll of a sleep gives two ops: one for the task's budget, then, if that is not
    /// used up, one for the time.
    fn hear(&mut self, ready: bool) {
        let of_time = std::mem::take(&mut self.in_budget);
        if !of_time && ready {
            self.in_budget = true;
        } else {
            self.pending = !ready;
            self.fires += u64::from(ready);
        }
    }
}

impl Timer {
    /// The sleep inside an interval is made by tokio itself; where the interval was made
    /// is not told with it.
    fn place_in_code(&mut self, resource: &wire_resources::Resource) {
        let location: Option<Location> = resource.location.as_ref().and_then(|l| l.try_into().ok());
        match location {
            Some(l) if l.file.ends_with("time/interval.rs") => self.kind = TimerKind::Interval,
            location => self.location = location,
        }
    }

    /// `polled`: when its task was last polled, if that was in this window.
    fn update_console(&mut self, told: &Told, window: Window, polled: Option<Time>) {
        let is_new = self.duration.is_none();
        if let Some(stats) = told.stats {
            let dropped = stats.dropped_at.as_ref().and_then(Time::from_wire);
            self.dropped = self.dropped.or(dropped);
            let duration = stats.attributes.iter().find_map(duration_attribute);
            self.duration = duration.or(self.duration);
        }
        let reset = told.reset.is_some() && told.reset != self.reset;
        self.reset = told.reset.or(self.reset);

        if is_new {
            // Most sleeps are awaited where they are made.
            let at_once = window.is_empty() || window.holds(self.created);
            let at_once = at_once && self.kind != TimerKind::Interval && !reset;
            self.arm(Some(self.created).filter(|_| at_once).or(polled));
        }
        if told.fires > 0 {
            // A sleep is mostly dropped as soon as it has fired.
            self.fire(self.dropped.or(polled), told.fires, window);
        }
        if reset && !is_new || told.fires > 0 && told.pending {
            self.arm(polled);
        }
        // Polls of a sleep that was never reset are not told; but what is dropped when it is
        // due has most likely fired.
        if let (Some(dropped), Some(deadline)) = (self.dropped, self.deadline)
            && self.task.is_none()
            && self.fired.is_none()
            && dropped + Self::GRAIN >= deadline
        {
            self.fire(Some(dropped), 1, window);
        }
    }

    /// Sets the deadline; without knowing when the time began to run, there is none.
    fn arm(&mut self, at: Option<Time>) {
        self.fired = None;
        self.deadline = at.zip(self.duration).map(|(at, duration)| at + duration);
    }

    /// `at`: when it last fired, if that is known.
    fn fire(&mut self, at: Option<Time>, times: u64, window: Window) {
        self.fired = at.or(Some(window.to));
        self.fires = self.fires.saturating_add(times);
        // Of several firings only the last one's time is known, and not its deadline.
        let deadline = self.deadline.filter(|_| times == 1);
        let late = at.zip(deadline).map(|(at, deadline)| at.since(deadline));
        self.late = self.late.max(late);
    }
}

/// The attribute that tokio keeps on a sleep: `duration`, in milliseconds.
fn duration_attribute(attribute: &console_api::Attribute) -> Option<Duration> {
    let field = attribute.field.as_ref()?;
    match (field.name.as_ref()?, field.value.as_ref()?) {
        (field::Name::StrName(name), field::Value::U64Val(ms)) if name == "duration" => {
            Some(Duration::from_millis(*ms))
        }
        _ => None,
    }
}
