//! The order of rows, worked out once for each new state of the model and not at each
//! drawing: ten thousand tasks are sorted when they change, and forty of them formatted. In the
//! order in which they were spawned they are not even looked at until one comes, goes or ends.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    time::Duration,
};

use super::{find::Found, layout::Pane, lints, name_order::Name, text, words};
use crate::{
    frame::Time,
    model::{
        IdMap, Kind, Model, Role, ScopeId, Task, TaskId, TimerId, TimerState, Wait, WorkerId,
        lint::FindingId,
    },
};

/// By what the task table is sorted.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// As they were spawned, the finished ones after the others.
    #[default]
    Spawn,
    State,
    Name,
    Kind,
    Total,
    Busy,
    Ready,
    Idle,
    Polls,
    Wakes,
    Longest,
    Waits,
}

impl SortBy {
    pub const ALL: [Self; 12] = [
        Self::Spawn,
        Self::State,
        Self::Name,
        Self::Kind,
        Self::Total,
        Self::Busy,
        Self::Ready,
        Self::Idle,
        Self::Polls,
        Self::Wakes,
        Self::Longest,
        Self::Waits,
    ];

    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::State => "state",
            Self::Name => "name",
            Self::Kind => "kind",
            Self::Total => "total",
            Self::Busy => "busy",
            Self::Ready => "ready",
            Self::Idle => "idle",
            Self::Polls => "polls",
            Self::Wakes => "wakes",
            Self::Longest => "longest",
            Self::Waits => "waits",
        }
    }

    /// Of figures, a person wants the greatest first.
    fn greatest_first(self) -> bool {
        matches!(
            self,
            Self::Total
                | Self::Busy
                | Self::Ready
                | Self::Idle
                | Self::Polls
                | Self::Wakes
                | Self::Longest
        )
    }
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub by: SortBy,
    pub reversed: bool,
}

impl Sort {
    /// The least comes first.
    pub fn is_ascending(self) -> bool {
        self.by.greatest_first() == self.reversed
    }
}

/// What a task is sorted by that is no figure. Only keys of one kind are ever compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Kind(&'a str),
    Name(Name<'a>),
    Wait(u8, Option<Time>, u64),
}

/// The rows of the table, before they are in order. Figures are compared several times as fast as
/// other keys, and most are figures.
enum Rows<'a> {
    Figures(Vec<(u64, TaskId)>),
    Keys(Vec<(Key<'a>, TaskId)>),
}

impl<'a> Rows<'a> {
    fn new(by: SortBy) -> Self {
        match by {
            SortBy::Name | SortBy::Kind | SortBy::Waits => Self::Keys(Vec::new()),
            _ => Self::Figures(Vec::new()),
        }
    }

    fn add(&mut self, by: SortBy, task: &'a Task, model: &Model) {
        match self {
            Self::Figures(rows) => rows.push((figure(by, task, model), task.id)),
            Self::Keys(rows) => rows.push((key(by, task, model), task.id)),
        }
    }

    fn sorted(self, sort: Sort) -> Vec<TaskId> {
        match self {
            Self::Figures(mut rows) if sort.by == SortBy::Spawn => {
                // They come nearly as they were spawned, which this makes use of.
                rows.sort();
                if sort.reversed {
                    rows.reverse();
                }
                rows.into_iter().map(|(_, id)| id).collect()
            }
            Self::Figures(mut rows) => {
                if !sort.is_ascending() {
                    for (figure, _) in &mut rows {
                        *figure = !*figure;
                    }
                }
                rows.sort_unstable();
                rows.into_iter().map(|(_, id)| id).collect()
            }
            Self::Keys(mut rows) => {
                // Tasks that are alike stay in the order in which they were spawned.
                let is_ascending = sort.is_ascending();
                rows.sort_by(|(a, _), (b, _)| if is_ascending { a.cmp(b) } else { b.cmp(a) });
                rows.into_iter().map(|(_, id)| id).collect()
            }
        }
    }
}

/// The figure that a task is sorted by, where it is one. What is unknown is less than all.
fn figure(by: SortBy, task: &Task, model: &Model) -> u64 {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let now = model.now;
    match by {
        SortBy::State => model.state(task).rank().into(),
        SortBy::Total => nanos(task.total(now)),
        SortBy::Busy => nanos(task.busy(now)),
        SortBy::Ready => (task.ready(now)).map_or(0, |time| nanos(time).saturating_add(1)),
        SortBy::Idle => nanos(task.idle(now)),
        SortBy::Polls => task.polls(),
        SortBy::Wakes => task.wakes,
        SortBy::Longest => nanos(task.longest_poll(now).0),
        // Tasks are numbered as they become known, which may be by a poll, before those that were
        // spawned earlier.
        SortBy::Spawn | SortBy::Name | SortBy::Kind | SortBy::Waits => {
            const DONE: u64 = 1 << 63;
            let done = if task.is_done() { DONE } else { 0 };
            done | task.created.as_nanos().min(DONE - 1)
        }
    }
}

fn key<'a>(by: SortBy, task: &'a Task, model: &Model) -> Key<'a> {
    match by {
        SortBy::Waits => match model.wait(task) {
            Some(Wait::Timer(timer)) => Key::Wait(0, timer.deadline, 0),
            Some(Wait::Resource(op)) => Key::Wait(1, None, op.resource),
            Some(Wait::Task(awaited)) => Key::Wait(2, None, awaited.id.0),
            Some(Wait::Scope(scope)) => Key::Wait(3, None, scope.id.0),
            None => Key::Wait(4 + u8::from(task.is_done()), None, 0),
        },
        SortBy::Kind => Key::Kind(task.kind.as_str()),
        _ => Key::Name(Name(task.label())),
    }
}

/// How far a scope's tasks have come.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    /// Of those that are done: ended by an error or a panic.
    pub failed: usize,
    pub all: usize,
}

impl Progress {
    fn add(&mut self, task: &Task) {
        self.all += 1;
        self.done += usize::from(task.is_done());
        self.failed += usize::from(task.has_failed());
    }
}

/// A row of the blocking pane.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// By the probe's number of the thread.
    Running {
        task: TaskId,
        thread: Option<u64>,
    },
    Queued(TaskId),
    IdleThread(u64),
    Done(TaskId),
}

/// What a row of the blocking pane is known by while it changes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CallId {
    Task(TaskId),
    Thread(u64),
}

impl Call {
    pub fn id(&self) -> CallId {
        match *self {
            Self::Running { task, .. } | Self::Queued(task) | Self::Done(task) => {
                CallId::Task(task)
            }
            Self::IdleThread(id) => CallId::Thread(id),
        }
    }

    pub fn task(&self) -> Option<TaskId> {
        match self.id() {
            CallId::Task(task) => Some(task),
            CallId::Thread(_) => None,
        }
    }
}

/// All that a walk over all tasks depends on, in the order in which they were spawned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Walked {
    revision: u64,
    /// Tells one run from the next.
    started: Option<Time>,
    reversed: bool,
    show_done: bool,
}

/// Cells for a task's name, and for where it was spawned if it has none.
fn name_width(task: &Task) -> usize {
    let origin = words::origin(task).map_or(0, |place| 1 + text::about_width(&place));
    text::about_width(&task.label()) + origin
}

#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// Rows of the task table.
    pub tasks: Vec<TaskId>,
    /// Cells of the longest name that is near the top, and those of a short one at least.
    pub longest_name: usize,
    /// Finished tasks that the table leaves out.
    pub hidden: usize,
    /// Tasks that have not ended, and all that were seen; workers are neither.
    pub live: usize,
    pub spawned: u64,
    /// Of these: ended in an error or a panic.
    pub failed: u64,
    /// Soonest first, then those that are gone, newest first.
    pub timers: Vec<TimerId>,
    pub waiting_timers: usize,
    pub calls: Vec<Call>,
    pub running_calls: usize,
    pub queued_calls: usize,
    pub workers: Vec<WorkerId>,
    /// The worst first, and of these the oldest.
    pub lints: Vec<FindingId>,
    pub scopes: IdMap<ScopeId, Progress>,
    /// What the last walk over all tasks was of, if it need not be made again for the same.
    walked: Option<Walked>,
    /// The tasks that the filter lets through, if there is one.
    found: Option<HashSet<TaskId>>,
    /// What it does not let through has no row.
    hides: bool,
    /// How many rows there would be without it.
    all_tasks: usize,
    all_timers: usize,
    all_calls: usize,
    all_lints: usize,
}

impl Lists {
    /// Rows whose names say how wide the column of names is.
    const NEAR: usize = 1_000;
    const SHORT_NAME: usize = 10;
    /// Timers and calls that are over, at most: nobody scrolls farther.
    const MAX_GONE: usize = 500;

    /// The lists of a model's state; of those before, what is the same still is kept.
    #[must_use]
    pub fn renew(self, model: &Model, sort: Sort, show_done: bool, found: Option<&Found>) -> Self {
        let lets_through = |found: &Found| {
            let tasks = model.tasks.iter();
            let found = tasks.filter(|task| found.filter.lets_through(task, model));
            found.map(|task| task.id).collect()
        };
        let walked = (sort.by == SortBy::Spawn && found.is_none()).then(|| Walked {
            revision: model.tasks.revision(),
            started: model.started,
            reversed: sort.reversed,
            show_done,
        });
        let mut lists = if walked.is_some() && walked == self.walked {
            self
        } else {
            let mut lists = Self {
                found: found.map(lets_through),
                hides: found.is_some_and(|found| found.hides),
                walked,
                ..Self::default()
            };
            lists.walk(model, sort, show_done);
            lists
        };
        lists.sort_timers(model, show_done);
        lists.sort_calls(model, show_done);
        lists.workers = model.runtimes.worker_ids().collect();
        lists.sort_lints(model);
        lists
    }

    fn sort_lints(&mut self, model: &Model) {
        let lints = lints::rows(model);
        self.all_lints = lints.len();
        let task = |id: &FindingId| model.lints.get(*id)?.task;
        self.lints = self.shown(lints, task);
    }

    /// Those rows that the filter does not hide, by the task of each.
    fn shown<T>(&self, mut rows: Vec<T>, task: impl Fn(&T) -> Option<TaskId>) -> Vec<T> {
        if self.hides {
            rows.retain(|row| self.is_shown(task(row)));
        }
        rows
    }

    /// There is a filter, and what it does not let through has no row.
    pub fn hides(&self) -> bool {
        self.hides
    }

    /// The filter lets it through, or there is none.
    pub fn is_found(&self, task: TaskId) -> bool {
        self.found
            .as_ref()
            .is_none_or(|found| found.contains(&task))
    }

    /// A row that belongs to this task, or to none that is known, is to be seen.
    pub fn is_shown(&self, task: Option<TaskId>) -> bool {
        !self.hides || task.is_some_and(|task| self.is_found(task))
    }

    /// Of a pane that the filter holds for: how many rows it lets through, and of how many.
    pub fn found_of(&self, pane: Pane) -> Option<(usize, usize)> {
        match pane {
            Pane::Tasks | Pane::Tree | Pane::Timeline => {
                let found = self.tasks.iter().filter(|task| self.is_found(**task));
                Some((found.count(), self.all_tasks))
            }
            Pane::Timers if self.hides => Some((self.timers.len(), self.all_timers)),
            Pane::Blocking if self.hides => Some((self.calls.len(), self.all_calls)),
            Pane::Lints if self.hides => Some((self.lints.len(), self.all_lints)),
            _ => None,
        }
    }

    /// Counts the tasks, and makes the rows of the table.
    fn walk(&mut self, model: &Model, sort: Sort, show_done: bool) {
        let mut workers = 0;
        self.failed = model.tasks.past().failed;
        let mut rows = Rows::new(sort.by);
        for task in model.tasks.iter() {
            if task.kind == Kind::Worker {
                workers += 1;
                continue;
            }
            let is_done = task.is_done();
            self.live += usize::from(!is_done);
            self.failed += u64::from(task.has_failed());
            if let Some(scope) = task.scope {
                self.scopes.entry(scope).or_default().add(task);
            }
            if is_done && !show_done {
                self.hidden += 1;
                continue;
            }
            self.all_tasks += 1;
            if self.is_shown(Some(task.id)) {
                rows.add(sort.by, task, model);
            }
        }
        self.spawned = model.tasks.spawned().saturating_sub(workers);
        self.tasks = rows.sorted(sort);
        let near = self.tasks.iter().take(Self::NEAR);
        let near = near.filter_map(|id| model.tasks.get(*id));
        let longest = near.map(name_width).max();
        self.longest_name = longest.unwrap_or_default().max(Self::SHORT_NAME);
    }

    fn sort_timers(&mut self, model: &Model, show_done: bool) {
        let mut timers: Vec<TimerId> = model.timers.live_ids().collect();
        self.waiting_timers = timers.len();
        if show_done {
            let gone = model.timers.iter().rev().filter(|t| !t.is_live());
            // Nobody looks for more than there are.
            let count = model.timers.over_count().min(Self::MAX_GONE);
            let mut gone: Vec<_> = gone.take(count).collect();
            // One that never waited for long enough to be told of is of no interest.
            gone.retain(|t| t.state() != TimerState::Cancelled || t.deadline.is_some());
            gone.sort_by(|a, b| newest(a.fired.or(a.dropped), b.fired.or(b.dropped)));
            timers.extend(gone.into_iter().map(|t| t.id));
        }
        self.all_timers = timers.len();
        let task = |id: &TimerId| model.timers.get(*id)?.task;
        self.timers = self.shown(timers, task);
    }

    fn sort_calls(&mut self, model: &Model, show_done: bool) {
        let threads: HashMap<u64, u64> = model
            .threads
            .iter()
            .filter_map(|thread| Some((thread.task?, thread.id)))
            .collect();
        let (mut calls, mut queued, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for task in model.tasks.pool().filter(|t| t.kind == Kind::Blocking) {
            if task.is_done() {
                done.push(task);
            } else if task.last_poll_started.is_none() {
                queued.push(Call::Queued(task.id));
            } else {
                let thread = task.tokio_id.and_then(|id| threads.get(&id).copied());
                let task = task.id;
                calls.push(Call::Running { task, thread });
            }
        }
        self.running_calls = calls.len();
        self.queued_calls = queued.len();
        calls.append(&mut queued);
        let idle = model
            .threads
            .iter()
            .filter(|t| t.role == Role::Blocking && t.task.is_none());
        calls.extend(idle.map(|t| Call::IdleThread(t.id)));
        if show_done {
            done.sort_by(|a, b| newest(a.dropped, b.dropped));
            let done = done.into_iter().take(Self::MAX_GONE);
            calls.extend(done.map(|t| Call::Done(t.id)));
        }
        self.all_calls = calls.len();
        self.calls = self.shown(calls, Call::task);
    }
}

fn newest(a: Option<Time>, b: Option<Time>) -> Ordering {
    b.cmp(&a)
}

#[cfg(test)]
mod tests {
    use console_api::{Id, instrument, tasks};
    use loopview_api::v1;

    use super::*;
    use crate::frame::{Event, Frame, Target, TargetKind};

    fn told(at: u64, new: &[u64], ended: &[u64]) -> Frame {
        let time = |secs: u64| prost_types::Timestamp {
            seconds: secs.cast_signed(),
            nanos: 0,
        };
        let describe = |id: &u64| tasks::Task {
            id: Some(Id { id: *id }),
            fields: vec![console_api::Field {
                name: Some(console_api::field::Name::StrName("task.id".to_owned())),
                value: Some(console_api::field::Value::U64Val(*id)),
                metadata_id: None,
            }],
            ..tasks::Task::default()
        };
        let stats = |id: &u64| tasks::Stats {
            created_at: Some(time(*id)),
            dropped_at: ended.contains(id).then(|| time(at)),
            ..tasks::Stats::default()
        };
        let update = instrument::Update {
            now: Some(time(at)),
            task_update: Some(tasks::TaskUpdate {
                new_tasks: new.iter().map(describe).collect(),
                stats_update: new.iter().chain(ended).map(|id| (*id, stats(id))).collect(),
                dropped_events: 0,
            }),
            ..instrument::Update::default()
        };
        let at = Time::from_nanos(at * 1_000_000_000);
        Frame::new(at, Event::Console(Box::new(update)))
    }

    fn facts(at: u64, id: u64, outcome: v1::Outcome) -> Frame {
        let task = v1::Task {
            id,
            scope: Some(1),
            outcome: outcome.into(),
            ..v1::Task::default()
        };
        let update = v1::Update {
            tasks: vec![task],
            ..v1::Update::default()
        };
        let at = Time::from_nanos(at * 1_000_000_000);
        Frame::new(at, Event::Probe(Box::new(update)))
    }

    #[test]
    fn who_was_spawned_first_stands_first_whoever_was_told_of_first() {
        let mut model = Model::new(Target {
            name: "any".to_owned(),
            kind: TargetKind::Program,
        });
        model.apply(&facts(3, 2, v1::Outcome::Unspecified));
        model.apply(&told(3, &[1, 2, 3], &[]));
        let lists = Lists::default().renew(&model, Sort::default(), true, None);
        let tasks = lists.tasks.iter().filter_map(|id| model.tasks.get(*id));
        assert_eq!(tasks.map(Task::number).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn what_is_kept_is_what_would_be_made_anew() {
        let mut model = Model::new(Target {
            name: "any".to_owned(),
            kind: TargetKind::Program,
        });
        let frames = [
            told(3, &[1, 2, 3], &[]),
            told(4, &[], &[]),
            facts(4, 2, v1::Outcome::Unspecified),
            told(5, &[], &[2]),
            facts(5, 2, v1::Outcome::Error),
            told(6, &[4], &[1]),
        ];
        let mut kept = Lists::default();
        for frame in &frames {
            model.apply(frame);
            let sort = Sort::default();
            kept = kept.renew(&model, sort, true, None);
            let new = Lists::default().renew(&model, sort, true, None);
            assert_eq!(kept.tasks, new.tasks);
            assert_eq!(kept.scopes, new.scopes);
            let counts = |lists: &Lists| (lists.live, lists.failed, lists.spawned, lists.hidden);
            assert_eq!(counts(&kept), counts(&new));
        }
        assert_eq!((kept.live, kept.failed, kept.spawned), (2, 1, 4));
        let last = kept.tasks.last().and_then(|id| model.tasks.get(*id));
        assert_eq!(last.map(Task::number), Some(2));
    }
}
