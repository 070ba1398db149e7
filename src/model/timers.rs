//! Timers: sleeps, the ticks of intervals, and time limits.
//!
//! With our probe every time here is exact. From the console protocol alone, the deadline
//! is worked out: tokio tells a sleep's duration at its first poll, and the protocol tells
//! of that poll only that it lay between two updates. Where this leaves room for doubt,
//! [`Timer::exact`] is false; where it leaves too much, the figure is absent.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use console_api::{field, instrument, resources as wire_resources};
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost, Window,
    kept::{self, Sound, Unsound},
    task::TaskId,
    tasks::Tasks,
    wire::{self, Location},
};
use crate::frame::Time;

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerId(pub u64);

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timer {
    pub id: TimerId,
    pub kind: TimerKind,
    /// The task that last polled it.
    pub task: Option<TaskId>,
    pub created: Time,
    /// As tokio tells it, in whole milliseconds; absent until its first poll.
    #[serde(with = "kept::span")]
    pub duration: Option<Duration>,
    pub deadline: Option<Time>,
    /// When it (last) fired.
    pub fired: Option<Time>,
    pub fires: u64,
    /// How far behind its deadline it fired; for an interval, the worst of its ticks.
    #[serde(with = "kept::span")]
    pub late: Option<Duration>,
    pub dropped: Option<Time>,
    pub location: Option<Location>,
    /// Deadline and lateness are measured, not worked out.
    pub exact: bool,
    /// Its task was polled when it was overdue already, and did not look at it: it is late by
    /// its task's own doing.
    pub neglected: bool,
    /// Console protocol: its resource's span.
    span: Option<u64>,
    /// Console protocol: the span of the async op that its last reset began.
    reset: Option<u64>,
}

impl Timer {
    /// tokio's timers count whole milliseconds, so less is no delay.
    pub const LATE: Duration = Duration::from_millis(2);

    pub fn fired_late(&self) -> bool {
        self.fires > 0 && self.late.is_some_and(|late| late >= Self::LATE)
    }

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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    all: BTreeMap<TimerId, Timer>,
    /// Console protocol: the timer that a resource's span stands for.
    #[serde(serialize_with = "kept::sorted")]
    by_span: IdMap<u64, TimerId>,
    /// Oldest first.
    gone: VecDeque<TimerId>,
    /// Those that can still fire, by deadline.
    #[serde(skip)]
    due: BTreeSet<(Time, TimerId)>,
    /// The same, by the task that polls them; time limits come after what they limit.
    #[serde(skip)]
    of_task: BTreeSet<(TaskId, bool, Time, TimerId)>,
    /// Those that cannot, with a deadline, by their task.
    #[serde(skip)]
    past: BTreeSet<(TaskId, Time, TimerId)>,
    /// Those that fired since it was last asked, as the probe tells.
    just_fired: Vec<TimerId>,
    next: u64,
    /// Timers that were kept after their end, and are not any more.
    forgotten: u64,
    /// Those of them that had fired late, and those of the others that have.
    forgotten_late: u64,
    #[serde(skip)]
    late: u64,
}

impl Sound for Timers {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.next, self.forgotten, self.forgotten_late])?;
        for timer in self.all.values() {
            self.past.extend(timer.past());
            self.late += u64::from(timer.fired_late());
            if let Some((task, is_limit, deadline)) = timer.place() {
                self.due.insert((deadline, timer.id));
                if let Some(task) = task {
                    self.of_task.insert((task, is_limit, deadline, timer.id));
                }
            }
        }
        Ok(self)
    }
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

    /// How many can still fire.
    pub fn live_count(&self) -> usize {
        self.due.len()
    }

    /// How many have fired or were dropped, and are kept.
    pub fn over_count(&self) -> usize {
        self.all.len().saturating_sub(self.due.len())
    }

    /// Those that have ended and are kept, in the order in which they ended.
    pub fn gone(&self) -> impl ExactSizeIterator<Item = Option<&Timer>> {
        self.gone.iter().map(|id| self.all.get(id))
    }

    /// How many that had ended were forgotten, to bound memory.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Those that can still fire: what is due first comes first, and what has no known
    /// deadline last.
    pub fn live(&self) -> impl Iterator<Item = &Timer> {
        self.live_ids().filter_map(|id| self.all.get(&id))
    }

    /// The same, by their ids alone.
    pub fn live_ids(&self) -> impl Iterator<Item = TimerId> {
        self.due.iter().map(|(_, id)| *id)
    }

    /// Those that should have fired, the latest first.
    pub fn overdue(&self, now: Time) -> impl Iterator<Item = &Timer> {
        self.live().take_while(move |t| t.overdue(now).is_some())
    }

    /// The live timer of a task that is due first; a time limit only if it has no other.
    pub fn next_of(&self, task: TaskId) -> Option<&Timer> {
        let first = (task, false, Time::default(), TimerId(0));
        let (owner, .., id) = self.of_task.range(first..).next()?;
        self.all.get(id).filter(|_| *owner == task)
    }

    /// The timers of a task that can still fire, time limits last.
    pub fn of(&self, task: TaskId) -> impl Iterator<Item = &Timer> {
        let first = (task, false, Time::default(), TimerId(0));
        let own = self.of_task.range(first..);
        own.take_while(move |(owner, ..)| *owner == task)
            .filter_map(|(.., id)| self.all.get(id))
    }

    /// The timers of a task that have fired or were dropped, and are kept: those that were due
    /// then or later, with when they were.
    pub fn past_of(&self, task: TaskId, since: Time) -> impl Iterator<Item = (Time, TimerId)> + '_ {
        let last = (task, Time::from_nanos(u64::MAX), TimerId(u64::MAX));
        let own = self.past.range((task, since, TimerId(0))..=last);
        own.map(|(_, deadline, id)| (*deadline, *id))
    }

    /// How many fired late, the forgotten ones included. An interval counts once.
    pub fn fired_late(&self) -> u64 {
        self.forgotten_late.saturating_add(self.late)
    }

    /// Those that are not gone.
    fn kept_alive(&self) -> usize {
        self.all.len().saturating_sub(self.gone.len())
    }

    pub(super) fn apply_probe(&mut self, timers: &[v1::Timer], tasks: &mut Tasks, lost: &mut Lost) {
        for wire in timers {
            let is_known = self.all.contains_key(&TimerId(wire.id));
            if !is_known && !lost.has_room(self.kept_alive()) {
                continue;
            }
            let task = wire.task.map(|id| tasks.refer(id));
            if let Some(task) = task {
                tasks.touch(task);
            }
            let id = TimerId(wire.id);
            let fires = self.all.get(&id).map_or(0, |timer| timer.fires);
            self.change(id, |timer| timer.update_probe(wire, task));
            if wire.fires > fires {
                self.just_fired.push(id);
            }
        }
    }

    pub(super) fn take_fired(&mut self) -> Vec<TimerId> {
        std::mem::take(&mut self.just_fired)
    }

    /// Marks the timers that are overdue though their tasks were polled since.
    pub(super) fn look_for_neglect(&mut self, now: Time, tasks: &Tasks) {
        let polled_since = |timer: &&Timer| {
            let task = timer.task.and_then(|id| tasks.get(id));
            let polled = task.and_then(|task| task.last_poll_started);
            let deadline = timer.deadline.map(|deadline| deadline + Timer::GRAIN * 2);
            deadline < polled && deadline.is_some()
        };
        let found = self.overdue(now).filter(polled_since).map(|timer| timer.id);
        for id in found.collect::<Vec<_>>() {
            if let Some(timer) = self.all.get_mut(&id) {
                timer.neglected = true;
            }
        }
    }

    /// Works the timers out from the console protocol's resources, async ops and poll ops.
    pub(super) fn apply_console(
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
            if self.all.get(&known).is_some_and(|t| t.created == created) {
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

    /// Changes a timer, which is made if there is none, and what is known of where it is.
    fn change(&mut self, id: TimerId, with: impl FnOnce(&mut Timer)) {
        let timer = self.all.entry(id).or_insert_with(|| Timer::new(id));
        let before = (timer.place(), timer.past(), timer.dropped.is_some());
        self.late -= u64::from(timer.fired_late());
        with(timer);
        self.late += u64::from(timer.fired_late());
        let after = (timer.place(), timer.past(), timer.dropped.is_some());
        if before.0 != after.0 {
            self.place(id, before.0, after.0);
        }
        if before.1 != after.1 {
            if let Some(before) = before.1 {
                self.past.remove(&before);
            }
            self.past.extend(after.1);
        }
        if after.2 && !before.2 {
            self.gone.push_back(id);
        }
        if self.gone.len() > Self::MAX_GONE {
            self.forget_oldest();
        }
    }

    /// Takes a timer from its place among those that can still fire to another.
    fn place(&mut self, id: TimerId, from: Option<Placed>, to: Option<Placed>) {
        if let Some((task, is_limit, deadline)) = from {
            self.due.remove(&(deadline, id));
            if let Some(task) = task {
                self.of_task.remove(&(task, is_limit, deadline, id));
            }
        }
        if let Some((task, is_limit, deadline)) = to {
            self.due.insert((deadline, id));
            if let Some(task) = task {
                self.of_task.insert((task, is_limit, deadline, id));
            }
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.gone.pop_front();
        self.forgotten += 1;
        let timer = oldest.and_then(|id| self.all.remove(&id));
        let was_late = u64::from(timer.as_ref().is_some_and(Timer::fired_late));
        self.late -= was_late;
        self.forgotten_late += was_late;
        if let Some(past) = timer.as_ref().and_then(Timer::past) {
            self.past.remove(&past);
        }
        let span = timer.and_then(|timer| timer.span);
        if let Some(span) = span
            && self.by_span.get(&span) == oldest.as_ref()
        {
            self.by_span.remove(&span);
        }
    }
}

/// A timer's place among those that can still fire: its task, whether it is a time limit, and
/// when it is due.
type Placed = (Option<TaskId>, bool, Time);

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
    fn new(id: TimerId) -> Self {
        Self {
            id,
            kind: TimerKind::Sleep,
            task: None,
            created: Time::default(),
            duration: None,
            deadline: None,
            fired: None,
            fires: 0,
            late: None,
            dropped: None,
            location: None,
            exact: false,
            neglected: false,
            span: None,
            reset: None,
        }
    }

    /// Where it belongs among those that can still fire: what is due at an unknown time
    /// comes last.
    fn place(&self) -> Option<Placed> {
        let deadline = self.deadline.unwrap_or(Time::from_nanos(u64::MAX));
        self.is_live()
            .then_some((self.task, self.kind == TimerKind::Timeout, deadline))
    }

    /// When it was due and whose it was, once it cannot fire.
    fn past(&self) -> Option<(TaskId, Time, TimerId)> {
        let over = (self.task?, self.deadline?, self.id);
        (!self.is_live()).then_some(over)
    }

    fn update_probe(&mut self, wire: &v1::Timer, task: Option<TaskId>) {
        let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
        let span = |d: &Option<prost_types::Duration>| d.as_ref().map(|d| wire::duration(Some(d)));
        let deadline = time(&wire.deadline);
        let location = wire::location(self.location.take(), wire.location.as_ref());
        *self = Self {
            id: self.id,
            kind: match wire.kind() {
                v1::TimerKind::Sleep => TimerKind::Sleep,
                v1::TimerKind::Interval => TimerKind::Interval,
                v1::TimerKind::Timeout => TimerKind::Timeout,
            },
            task,
            created: time(&wire.created_at).unwrap_or_default(),
            duration: span(&wire.duration),
            deadline,
            fired: time(&wire.fired_at),
            fires: wire.fires,
            late: span(&wire.latest),
            dropped: time(&wire.dropped_at),
            location,
            exact: true,
            neglected: self.neglected && self.deadline == deadline,
            span: None,
            reset: None,
        };
    }

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

    /// tokio's timers count whole milliseconds, and a duration is told as such.
    const GRAIN: Duration = Duration::from_millis(1);
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
