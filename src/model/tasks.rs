//! Tasks: what the console protocol counts, and what our probe adds.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use console_api::{self as console, field, tasks as wire_tasks};
use loopview_api::v1;

use super::{
    Lost, Window,
    history::{Spent, Strip},
    lint::Lints,
    scopes::ScopeId,
    wire::{self, Location},
};
use crate::frame::Time;

/// Our own number for a task, in the order in which tasks became known. The wire's id is
/// a span's and comes back once the span is gone; this one never does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// What a task is, from tokio's field `kind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Spawned with `tokio::spawn` and its like.
    Task,
    /// Spawned on a `LocalSet`.
    Local,
    /// The future given to `block_on`.
    BlockOn,
    /// A closure on the blocking pool.
    Blocking,
    /// A worker of the multi-thread runtime: tokio starts each as a blocking closure that
    /// runs as long as the runtime.
    Worker,
    Other(Box<str>),
}

impl Kind {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::BlockOn => "block_on",
            Self::Blocking => "blocking",
            Self::Worker => "worker",
            Self::Other(name) => name,
        }
    }

    /// It is polled by the event loop, so that a long poll of it holds others up.
    pub fn is_async(&self) -> bool {
        !matches!(self, Self::Blocking | Self::Worker)
    }
}

/// How a task or a scope ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Error,
    Cancelled,
    Panicked,
    /// Of a scope only.
    TimedOut,
}

impl Outcome {
    pub(super) fn from_wire(outcome: v1::Outcome) -> Option<Self> {
        match outcome {
            v1::Outcome::Unspecified => None,
            v1::Outcome::Ok => Some(Self::Ok),
            v1::Outcome::Error => Some(Self::Error),
            v1::Outcome::Cancelled => Some(Self::Cancelled),
            v1::Outcome::Panicked => Some(Self::Panicked),
            v1::Outcome::TimedOut => Some(Self::TimedOut),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: Box<str>,
    pub value: Box<str>,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    /// The console protocol's id.
    pub span: u64,
    /// tokio's own id, if the target tells it.
    pub tokio_id: Option<u64>,
    pub name: Option<Box<str>>,
    pub kind: Kind,
    pub location: Option<Location>,
    /// Other fields of the task's span.
    pub fields: Vec<Field>,
    pub created: Time,
    pub dropped: Option<Time>,
    pub wakes: u64,
    pub self_wakes: u64,
    pub waker_clones: u64,
    pub waker_drops: u64,
    pub first_poll: Option<Time>,
    pub last_wake: Option<Time>,
    pub last_poll_started: Option<Time>,
    pub last_poll_ended: Option<Time>,
    pub history: Strip,
    pub parent: Option<TaskId>,
    pub scope: Option<ScopeId>,
    /// The task whose end it awaits.
    pub awaits: Option<TaskId>,
    pub outcome: Option<Outcome>,
    /// The error's or the panic's text.
    pub error: Option<Box<str>>,
    /// The probe's number of the thread that last polled it.
    pub thread: Option<u64>,
    /// What the stats messages count: enters of the span.
    enters: u64,
    /// Of polls that have ended.
    busy: Duration,
    /// From wake to poll, for polls that have begun.
    scheduled: Duration,
    /// The longest poll seen, whether or not it is all of them.
    longest: Duration,
    /// No poll went by unseen.
    longest_exact: bool,
    /// The probe's own count, which is of polls and nothing else.
    polls_exact: Option<u64>,
    /// What the wire counts as scheduled, of which `scheduled` is the part that is true.
    scheduled_wire: Duration,
    /// Up to where the history is drawn.
    drawn: Time,
    /// Busy time that is in the loop's history.
    counted: Duration,
}

impl Task {
    fn new(id: TaskId, span: u64) -> Self {
        Self {
            id,
            span,
            tokio_id: None,
            name: None,
            kind: Kind::Task,
            location: None,
            fields: Vec::new(),
            created: Time::default(),
            dropped: None,
            wakes: 0,
            self_wakes: 0,
            waker_clones: 0,
            waker_drops: 0,
            first_poll: None,
            last_wake: None,
            last_poll_started: None,
            last_poll_ended: None,
            history: Strip::default(),
            parent: None,
            scope: None,
            awaits: None,
            outcome: None,
            error: None,
            thread: None,
            enters: 0,
            busy: Duration::ZERO,
            scheduled: Duration::ZERO,
            longest: Duration::ZERO,
            longest_exact: true,
            polls_exact: None,
            scheduled_wire: Duration::ZERO,
            drawn: Time::default(),
            counted: Duration::ZERO,
        }
    }

    pub fn is_done(&self) -> bool {
        self.dropped.is_some()
    }

    /// When the poll that is going on began.
    pub fn running_since(&self) -> Option<Time> {
        let started = self.last_poll_started.filter(|_| !self.is_done())?;
        self.last_poll_ended
            .is_none_or(|ended| ended < started)
            .then_some(started)
    }

    /// Since when it could run but has not been polled: since its wake, or since it was
    /// spawned.
    pub fn ready_since(&self) -> Option<Time> {
        if self.is_done() || self.running_since().is_some() {
            return None;
        }
        match (self.last_poll_started, self.last_wake) {
            (None, _) => Some(self.created),
            // A wake during the poll counts from the poll's end.
            (Some(started), Some(wake)) if wake > started => {
                Some(wake.max(self.last_poll_ended.unwrap_or(wake)))
            }
            _ => None,
        }
    }

    /// Its life so far.
    pub fn total(&self, now: Time) -> Duration {
        self.dropped.unwrap_or(now).since(self.created)
    }

    /// Time in polls, the one going on included.
    pub fn busy(&self, now: Time) -> Duration {
        self.busy
            + self
                .running_since()
                .map_or(Duration::ZERO, |s| now.since(s))
    }

    /// Time in which it could have run but was not polled: from each wake, and from the
    /// spawn, to the poll. Sleeping and waiting are not in it. Unknown for a `block_on`,
    /// whose wakes the target does not tell.
    pub fn ready(&self, now: Time) -> Option<Duration> {
        if !self.wakes_seen() {
            return None;
        }
        let spawn = self
            .first_poll
            .map_or(Duration::ZERO, |first| first.since(self.created));
        let since = self.ready_since().map_or(Duration::ZERO, |s| now.since(s));
        Some(self.scheduled + spawn + since)
    }

    /// The rest: it waited for something by its own wish.
    pub fn idle(&self, now: Time) -> Duration {
        self.total(now)
            .saturating_sub(self.busy(now))
            .saturating_sub(self.ready(now).unwrap_or_default())
    }

    /// How often it was polled. The stats messages count how often its span was entered,
    /// and the span is entered once more when the future is dropped.
    pub fn polls(&self) -> u64 {
        match (self.polls_exact, self.is_done()) {
            (Some(polls), _) => polls,
            (None, true) => self.enters.saturating_sub(1),
            (None, false) => self.enters,
        }
    }

    /// Live wakers: clones that are not dropped yet.
    pub fn wakers(&self) -> u64 {
        self.waker_clones.saturating_sub(self.waker_drops)
    }

    /// The longest poll, and whether it is known to be the longest: without the probe,
    /// polls between two updates are only known by their sum.
    pub fn longest_poll(&self, now: Time) -> (Duration, bool) {
        let running = self
            .running_since()
            .map_or(Duration::ZERO, |s| now.since(s));
        (self.longest.max(running), self.longest_exact)
    }

    /// The name, or what stands for it.
    pub fn label(&self) -> std::borrow::Cow<'_, str> {
        match (&self.name, &self.kind, self.tokio_id) {
            (Some(name), _, _) => (&**name).into(),
            (None, Kind::BlockOn, _) => "block_on".into(),
            (None, Kind::Worker, _) => "worker".into(),
            (None, _, Some(id)) => format!("task {id}").into(),
            (None, _, None) => format!("#{}", self.id.0).into(),
        }
    }

    fn describe(&mut self, wire: &wire_tasks::Task) {
        self.location = wire.location.as_ref().and_then(|l| l.try_into().ok());
        let mut function = None;
        for f in &wire.fields {
            let (Some(name), Some(value)) = (field_name(f), &f.value) else {
                continue;
            };
            let text = value.to_string();
            match (name, value) {
                ("task.name", _) => self.name = (!text.is_empty()).then(|| text.into()),
                ("task.id", field::Value::U64Val(id)) => self.tokio_id = Some(*id),
                ("kind", _) => {
                    self.kind = match text.as_str() {
                        "task" => Kind::Task,
                        "local" => Kind::Local,
                        "block_on" => Kind::BlockOn,
                        "blocking" => Kind::Blocking,
                        _ => Kind::Other(text.into()),
                    }
                }
                _ => {
                    if name == "fn" {
                        function = Some(text.clone());
                    }
                    self.fields.push(Field {
                        name: name.into(),
                        value: text.into(),
                    });
                }
            }
        }
        if self.kind == Kind::Blocking && function.is_some_and(|f| f.contains("worker::Launch")) {
            self.kind = Kind::Worker;
        }
    }

    /// Takes in a stats message, which replaces the last one, and draws what is new into
    /// the history. Tells of the last poll, if it is new and has ended.
    fn update(&mut self, stats: &wire_tasks::Stats, window: Window) -> Option<EndedPoll> {
        let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
        let polls = stats.poll_stats.unwrap_or_default();
        let was_running = self.running_since();
        let wake_before = self.last_wake;
        if let Some(created) = time(&stats.created_at) {
            self.created = created;
        }
        self.dropped = time(&stats.dropped_at);
        self.wakes = stats.wakes;
        self.self_wakes = stats.self_wakes;
        self.waker_clones = stats.waker_clones;
        self.waker_drops = stats.waker_drops;
        self.last_wake = time(&stats.last_wake);
        self.first_poll = time(&polls.first_poll);
        self.last_poll_started = time(&polls.last_poll_started);
        self.last_poll_ended = time(&polls.last_poll_ended);

        let enters = polls.polls.saturating_sub(self.enters);
        self.enters = polls.polls;
        let busy = wire::duration(polls.busy_time.as_ref());
        let new_busy = busy.saturating_sub(self.busy);
        self.busy = busy;
        let scheduled = wire::duration(stats.scheduled_time.as_ref());
        let mut new_ready = scheduled.saturating_sub(self.scheduled_wire);
        self.scheduled_wire = scheduled;
        if self.dropped.is_some() && enters == 1 && wake_before == self.last_wake {
            // Dropped while it waited: nothing had woken it, so none of this was delay.
            new_ready = Duration::ZERO;
        }
        self.scheduled += new_ready;

        // The last poll is known exactly; those before it only by their sum.
        let mut poll = None;
        let mut rest = new_busy;
        let mut rest_polls =
            enters + u64::from(was_running.is_some()) - u64::from(self.running_since().is_some());
        let ended = self
            .last_poll_ended
            .filter(|ended| Some(*ended) >= self.last_poll_started);
        if let (Some(started), Some(ended)) = (self.last_poll_started, ended)
            && rest_polls > 0
        {
            let last = ended.since(started);
            let from = started.max(self.drawn);
            self.history
                .add(from, ended, ended.since(from), Spent::Busy);
            rest = rest.saturating_sub(last);
            rest_polls -= 1;
            // A finished task's last enter is the drop of its future, not a poll.
            if self.dropped.is_none() {
                self.longest = self.longest.max(last);
                poll = Some(EndedPoll {
                    task: self.id,
                    since: started,
                    lasted: last,
                });
            }
        }
        if rest_polls > 0 {
            self.longest = self
                .longest
                .max(rest / u32::try_from(rest_polls).unwrap_or(u32::MAX));
            self.longest_exact &= rest_polls == 1 || self.polls_exact.is_some();
        }
        // Of a poll that was going on, a part is drawn already.
        let seen = was_running
            .filter(|started| self.last_poll_started != Some(*started))
            .map_or(Duration::ZERO, |started| self.drawn.since(started));
        let from = if window.is_empty() {
            self.created
        } else {
            window.from.max(self.created)
        };
        self.history
            .add(from, window.to, rest.saturating_sub(seen), Spent::Busy);
        if self.wakes_seen() {
            let until = self.last_poll_started.unwrap_or(window.to);
            self.history
                .add(until - new_ready, until, new_ready, Spent::Ready);
        }
        poll
    }

    /// Brings the history up to now, and tells the busy time since it last did.
    fn advance(&mut self, now: Time) -> Duration {
        if let Some(started) = self.running_since() {
            let from = started.max(self.drawn);
            self.history.add(from, now, now.since(from), Spent::Busy);
        }
        if let Some(since) = self.ready_since() {
            let from = since.max(self.drawn);
            self.history.add(from, now, now.since(from), Spent::Ready);
        }
        self.drawn = now;
        let busy = self.busy(now);
        busy.saturating_sub(std::mem::replace(&mut self.counted, busy))
    }

    /// Wakes of a `block_on` are invisible to the console protocol: what it counts as
    /// scheduled there is all the time between two polls.
    fn wakes_seen(&self) -> bool {
        self.kind != Kind::BlockOn || self.wakes > 0
    }
}

/// A poll that is over.
#[derive(Copy, Clone, Debug)]
pub(super) struct EndedPoll {
    pub task: TaskId,
    pub since: Time,
    pub lasted: Duration,
}

fn field_name(field: &console::Field) -> Option<&str> {
    match field.name.as_ref()? {
        field::Name::StrName(name) => Some(name),
        field::Name::NameIdx(_) => None,
    }
}

/// All tasks that are alive, and the finished ones that are kept.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    all: BTreeMap<TaskId, Task>,
    by_span: HashMap<u64, TaskId>,
    by_tokio: HashMap<u64, TaskId>,
    /// Tasks in a poll, as of the newest update.
    running: BTreeSet<TaskId>,
    /// Tasks that could run, as of the newest update.
    ready: BTreeSet<TaskId>,
    /// Finished ones, oldest first.
    finished: std::collections::VecDeque<TaskId>,
    /// Long polls that have ended, not judged yet.
    long_polls: Vec<EndedPoll>,
    /// Tasks that panicked, not judged yet.
    panicked: Vec<TaskId>,
    /// Live tasks that are workers.
    workers: usize,
    next: u64,
    spawned: u64,
    first_created: Option<Time>,
    /// What the probe said of tasks that the console protocol has not named yet.
    early: HashMap<u64, v1::Task>,
}

impl Tasks {
    /// Finished tasks kept; the oldest are forgotten first.
    const MAX_FINISHED: usize = 20_000;

    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.all.get(&id)
    }

    /// In the order in which they became known.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.all.values()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tasks that have not ended.
    pub fn live(&self) -> usize {
        self.all.len() - self.finished.len()
    }

    /// Tasks ever seen.
    pub fn spawned(&self) -> u64 {
        self.spawned
    }

    /// Tasks that could run and are not polled.
    pub fn ready(&self) -> impl Iterator<Item = &Task> {
        self.ready.iter().filter_map(|id| self.all.get(id))
    }

    /// Tasks in a poll.
    pub fn running(&self) -> impl Iterator<Item = &Task> {
        self.running.iter().filter_map(|id| self.all.get(id))
    }

    /// Workers that appear among the tasks: those of a multi-thread runtime.
    pub fn workers(&self) -> usize {
        self.workers
    }

    pub(super) fn take_long_polls(&mut self) -> Vec<EndedPoll> {
        std::mem::take(&mut self.long_polls)
    }

    pub(super) fn take_panicked(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.panicked)
    }

    /// The task that now has this id in the console protocol.
    pub fn by_span(&self, span: u64) -> Option<TaskId> {
        self.by_span.get(&span).copied()
    }

    pub fn by_tokio_id(&self, id: u64) -> Option<&Task> {
        self.by_tokio.get(&id).and_then(|id| self.all.get(id))
    }

    /// When the first task was made.
    pub fn first_created(&self) -> Option<Time> {
        self.first_created
    }

    /// Takes in an update, and tells how long the event loop's tasks were polled since the
    /// one before.
    pub(super) fn apply_console(
        &mut self,
        update: &wire_tasks::TaskUpdate,
        window: Window,
        lost: &mut Lost,
    ) -> Duration {
        let mut touched: BTreeSet<TaskId> = self.running.clone();
        for wire in &update.new_tasks {
            let Some(span) = wire.id.map(|id| id.id) else {
                lost.malformed += 1;
                continue;
            };
            // A first update after a reconnection names tasks that are known already.
            let known = self.by_span.get(&span).and_then(|id| self.all.get(id));
            if known.is_some_and(|t| !t.is_done()) {
                continue;
            }
            let id = TaskId(self.next);
            self.next += 1;
            self.spawned += 1;
            let mut task = Task::new(id, span);
            task.describe(wire);
            task.created = window.to;
            self.workers += usize::from(task.kind == Kind::Worker);
            self.by_span.insert(span, id);
            if let Some(tokio_id) = task.tokio_id {
                self.by_tokio.insert(tokio_id, id);
            }
            self.all.insert(id, task);
            let early = self.all[&id].tokio_id.and_then(|t| self.early.remove(&t));
            if let Some(early) = early {
                self.add_facts(&early);
            }
        }
        for (span, stats) in &update.stats_update {
            let Some(task) = self.by_span.get(span).and_then(|id| self.all.get_mut(id)) else {
                // Its description was dropped by a full buffer, which is counted there.
                continue;
            };
            touched.insert(task.id);
            let was_done = task.is_done();
            if let Some(poll) = task.update(stats, window)
                && poll.lasted >= Lints::BLOCKED
            {
                self.long_polls.push(poll);
            }
            self.first_created = Some(
                self.first_created
                    .map_or(task.created, |t| t.min(task.created)),
            );
            if task.running_since().is_some() {
                self.running.insert(task.id);
            } else {
                self.running.remove(&task.id);
            }
            if task.ready_since().is_some() {
                self.ready.insert(task.id);
            }
            if task.is_done() && !was_done {
                self.finished.push_back(task.id);
                self.workers -= usize::from(task.kind == Kind::Worker);
            }
        }
        self.ready
            .retain(|id| self.all.get(id).is_some_and(|t| t.ready_since().is_some()));
        touched.extend(&self.ready);
        let mut busy = Duration::ZERO;
        for id in touched {
            let Some(task) = self.all.get_mut(&id) else {
                continue;
            };
            let new = task.advance(window.to);
            if task.kind.is_async() && !window.is_empty() {
                busy += new;
            }
        }
        while self.finished.len() > Self::MAX_FINISHED {
            let Some(old) = self.finished.pop_front() else {
                break;
            };
            self.forget(old);
            lost.forgotten += 1;
        }
        busy
    }

    fn forget(&mut self, id: TaskId) {
        let Some(task) = self.all.remove(&id) else {
            return;
        };
        if self.by_span.get(&task.span) == Some(&id) {
            self.by_span.remove(&task.span);
        }
        if let Some(tokio_id) = task.tokio_id {
            self.by_tokio.remove(&tokio_id);
        }
    }

    pub(super) fn apply_probe(&mut self, facts: &[v1::Task]) {
        for fact in facts {
            self.add_facts(fact);
        }
    }

    fn add_facts(&mut self, fact: &v1::Task) {
        let refer = |id: Option<u64>| id.and_then(|id| self.by_tokio.get(&id).copied());
        let (parent, awaits) = (refer(fact.parent), refer(fact.awaits));
        let Some(task) = self
            .by_tokio
            .get(&fact.id)
            .and_then(|id| self.all.get_mut(id))
        else {
            if self.early.len() < Self::MAX_FINISHED {
                self.early.insert(fact.id, fact.clone());
            }
            return;
        };
        task.parent = parent.or(task.parent);
        task.awaits = awaits;
        task.scope = fact.scope.map(ScopeId);
        task.thread = fact.thread;
        let outcome = Outcome::from_wire(fact.outcome());
        if outcome == Some(Outcome::Panicked) && task.outcome != outcome {
            self.panicked.push(task.id);
        }
        task.outcome = outcome;
        task.error = (!fact.error.is_empty()).then(|| fact.error.as_str().into());
        task.polls_exact = Some(fact.polls);
        task.longest_exact = true;
        task.longest = wire::duration(fact.longest_poll.as_ref());
    }
}
