//! Timers: sleeps, the ticks of intervals, and time limits.
//!
//! With our probe every time here is exact. From the console protocol alone, the deadline
//! is worked out: tokio tells a sleep's duration at its first poll, and the protocol tells
//! of that poll only that it lay between two updates. Where this leaves room for doubt,
//! [`Timer::exact`] is false; where it leaves too much, the figure is absent.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use console_api::{field, resources as wire_resources};
use loopview_api::v1;

use super::{
    Window,
    tasks::{TaskId, Tasks},
    wire::{self, Location},
};
use crate::frame::Time;

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u64);

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimerKind {
    Sleep,
    Interval,
    Timeout,
}

impl TimerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Interval => "interval",
            Self::Timeout => "timeout",
        }
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimerState {
    Waiting,
    Fired,
    /// Dropped before it fired.
    Cancelled,
}

impl TimerState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fired => "fired",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Timer {
    pub id: TimerId,
    pub kind: TimerKind,
    /// The task that last polled it.
    pub task: Option<TaskId>,
    pub created: Time,
    /// As tokio tells it, in whole milliseconds; absent until its first poll.
    pub duration: Option<Duration>,
    pub deadline: Option<Time>,
    /// When it (last) fired.
    pub fired: Option<Time>,
    pub fires: u64,
    /// How far behind its deadline it fired; for an interval, the worst of its ticks.
    pub late: Option<Duration>,
    pub dropped: Option<Time>,
    pub location: Option<Location>,
    /// Deadline and lateness are measured, not worked out.
    pub exact: bool,
}

impl Timer {
    pub fn state(&self) -> TimerState {
        match (self.fired, self.dropped) {
            (Some(_), _) => TimerState::Fired,
            (None, Some(_)) if self.fires > 0 => TimerState::Fired,
            (None, Some(_)) => TimerState::Cancelled,
            (None, None) => TimerState::Waiting,
        }
    }

    /// It can still fire.
    pub fn is_live(&self) -> bool {
        self.dropped.is_none() && self.fired.is_none()
    }

    /// Time to the deadline, for one that waits and is not overdue.
    pub fn remaining(&self, now: Time) -> Option<Duration> {
        self.deadline
            .filter(|d| self.is_live() && *d > now)
            .map(|d| d.since(now))
    }

    /// How long ago it should have fired, for one that still waits.
    pub fn overdue(&self, now: Time) -> Option<Duration> {
        self.deadline
            .filter(|d| self.is_live() && *d <= now)
            .map(|d| now.since(d))
    }
}

/// All timers that are alive, and the newest of those that are gone.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    all: BTreeMap<TimerId, Timer>,
    /// Console protocol: live timers by their resource's span.
    by_span: HashMap<u64, TimerId>,
    gone: VecDeque<TimerId>,
    /// Those that can still fire, by the task that polls them.
    live: BTreeSet<TimerId>,
    of_task: HashMap<TaskId, Vec<TimerId>>,
    next: u64,
}

impl Timers {
    /// Timers kept after their end; the oldest are forgotten first.
    const MAX_GONE: usize = 20_000;

    pub fn get(&self, id: TimerId) -> Option<&Timer> {
        self.all.get(&id)
    }

    /// In the order in which they were made.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Timer> {
        self.all.values()
    }

    pub fn live(&self) -> impl Iterator<Item = &Timer> {
        self.live.iter().filter_map(|id| self.all.get(id))
    }

    /// The live timer of a task that is due first.
    pub fn next_of(&self, task: TaskId) -> Option<&Timer> {
        let timers = self
            .of_task
            .get(&task)?
            .iter()
            .filter_map(|id| self.all.get(id));
        timers.min_by_key(|t| (t.deadline.is_none(), t.deadline))
    }

    pub(super) fn apply_probe(&mut self, timers: &[v1::Timer], tasks: &Tasks) {
        for wire in timers {
            let id = TimerId(wire.id);
            let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
            let timer = Timer {
                id,
                kind: match wire.kind() {
                    v1::TimerKind::Sleep => TimerKind::Sleep,
                    v1::TimerKind::Interval => TimerKind::Interval,
                    v1::TimerKind::Timeout => TimerKind::Timeout,
                },
                task: wire.task.and_then(|id| tasks.by_tokio_id(id)).map(|t| t.id),
                created: time(&wire.created_at).unwrap_or_default(),
                duration: wire.duration.as_ref().map(|d| wire::duration(Some(d))),
                deadline: time(&wire.deadline),
                fired: time(&wire.fired_at),
                fires: wire.fires,
                late: wire.latest.as_ref().map(|d| wire::duration(Some(d))),
                dropped: time(&wire.dropped_at),
                location: wire.location.as_ref().and_then(|l| l.try_into().ok()),
                exact: true,
            };
            self.put(timer);
        }
    }

    /// Puts a timer in the place of what was known of it.
    fn put(&mut self, timer: Timer) {
        let (id, live, task) = (timer.id, timer.is_live(), timer.task);
        let gone = timer.dropped.is_some();
        let before = self.all.insert(id, timer);
        let owner = before.as_ref().filter(|t| t.is_live()).and_then(|t| t.task);
        if owner != task.filter(|_| live) {
            if let Some(timers) = owner.and_then(|t| self.of_task.get_mut(&t)) {
                timers.retain(|t| *t != id);
            }
            if let Some(task) = task.filter(|_| live) {
                self.of_task.entry(task).or_default().push(id);
            }
        }
        if live {
            self.live.insert(id);
        } else {
            self.live.remove(&id);
        }
        if gone && before.is_none_or(|t| t.dropped.is_none()) {
            self.gone.push_back(id);
            if let Some(task) = task
                && self.of_task.get(&task).is_some_and(Vec::is_empty)
            {
                self.of_task.remove(&task);
            }
        }
        while self.gone.len() > Self::MAX_GONE {
            let Some(old) = self.gone.pop_front() else {
                break;
            };
            self.all.remove(&old);
        }
    }

    /// Works the timers out from the console protocol's resources and poll ops.
    pub(super) fn apply_console(
        &mut self,
        update: &wire_resources::ResourceUpdate,
        window: Window,
        tasks: &Tasks,
    ) {
        for resource in &update.new_resources {
            let Some(span) = resource.id.map(|id| id.id) else {
                continue;
            };
            let known = self.by_span.get(&span).and_then(|id| self.all.get(id));
            if resource.concrete_type == "Sleep" && known.is_none_or(|t| t.dropped.is_some()) {
                let id = TimerId(self.next);
                self.next += 1;
                self.by_span.insert(span, id);
                self.put(Timer::from_console(id, resource, window));
            }
        }
        // Each poll of a sleep gives two ops: one for the task's budget, which is nearly
        // always ready, then one for the time. The last is the answer.
        let mut polled = HashMap::new();
        for op in &update.new_poll_ops {
            let id = op.resource_id.and_then(|id| self.by_span.get(&id.id));
            if let Some(id) = id {
                let task = op.task_id.and_then(|id| tasks.by_span(id.id));
                polled.insert(*id, (task, op.is_ready));
            }
        }
        for (span, stats) in &update.stats_update {
            let Some(id) = self.by_span.get(span).copied() else {
                continue;
            };
            let task = polled.get(&id).and_then(|(task, _)| *task);
            let owner_polled = self.owner_polled(id, task, tasks);
            self.change(id, |timer| {
                timer.update_console(stats, window, owner_polled)
            });
            if self.all.get(&id).is_some_and(|t| t.dropped.is_some()) {
                self.by_span.remove(span);
            }
        }
        for (id, (task, ready)) in polled {
            let owner_polled = self.owner_polled(id, task, tasks);
            self.change(id, |timer| {
                timer.task = task.or(timer.task);
                if ready && timer.duration.is_some() {
                    let at = timer
                        .dropped
                        .or(owner_polled)
                        .filter(|at| window.holds(*at));
                    timer.fire(at.unwrap_or(window.to));
                }
            });
        }
    }

    /// When the task that polls a timer was last polled itself.
    fn owner_polled(&self, id: TimerId, task: Option<TaskId>, tasks: &Tasks) -> Option<Time> {
        tasks
            .get(task.or(self.all.get(&id)?.task)?)?
            .last_poll_started
    }

    fn change(&mut self, id: TimerId, with: impl FnOnce(&mut Timer)) {
        if let Some(mut timer) = self.all.get(&id).cloned() {
            with(&mut timer);
            self.put(timer);
        }
    }
}

impl Timer {
    fn from_console(id: TimerId, resource: &wire_resources::Resource, window: Window) -> Self {
        let location: Option<Location> = resource.location.as_ref().and_then(|l| l.try_into().ok());
        // The sleep inside an interval is made by tokio itself; where the interval was
        // made is not told with it.
        let inner = location
            .as_ref()
            .is_some_and(|l| l.file.ends_with("time/interval.rs"));
        Self {
            id,
            kind: if inner {
                TimerKind::Interval
            } else {
                TimerKind::Sleep
            },
            task: None,
            created: window.to,
            duration: None,
            deadline: None,
            fired: None,
            fires: 0,
            late: None,
            dropped: None,
            location: location.filter(|_| !inner),
            exact: false,
        }
    }

    /// `owner_polled`: when the task that owns it was last polled.
    fn update_console(
        &mut self,
        stats: &wire_resources::Stats,
        window: Window,
        owner_polled: Option<Time>,
    ) {
        let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
        self.created = time(&stats.created_at).unwrap_or(self.created);
        self.dropped = time(&stats.dropped_at);
        let duration = stats.attributes.iter().find_map(duration_attribute);
        if duration.is_some() && duration != self.duration {
            self.duration = duration;
            self.fired = None;
            // Most sleeps are awaited where they are made.
            let armed = Some(self.created)
                .filter(|at| window.is_empty() || window.holds(*at))
                .or(owner_polled.filter(|at| window.holds(*at)));
            self.deadline = armed.zip(duration).map(|(at, d)| at + d);
        }
    }

    fn fire(&mut self, at: Time) {
        self.fired = Some(at);
        self.fires += 1;
        let late = self.deadline.map(|deadline| at.since(deadline));
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
