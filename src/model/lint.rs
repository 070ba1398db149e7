//! What is wrong, judged at each frame's time.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Model,
    kept::{self, Sound, Unsound},
    runtimes::Flavor,
    task::{Task, TaskId},
    timers::TimerId,
    wire::Location,
};
use crate::frame::Time;

/// A poll that goes on for too long, and who is late because of it.
#[derive(Clone, Debug)]
pub struct Blocked {
    pub task: TaskId,
    /// When the poll began.
    pub since: Time,
    pub lasted: Duration,
    /// The latest first.
    pub victims: Vec<Victim>,
}

/// A task that could have run, were the loop not blocked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Victim {
    pub task: TaskId,
    #[serde(with = "kept::span")]
    pub late: Duration,
    /// The timer that should have fired; none if the task was ready anyway.
    pub timer: Option<TimerId>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    BlockedLoop,
    PanickedTask,
    LostData,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lint {
    pub kind: Kind,
    pub at: Time,
    pub task: Option<TaskId>,
    pub location: Option<Location>,
    /// Of a blocked loop: how long, and who was late most.
    #[serde(with = "kept::span")]
    pub lasted: Duration,
    pub victims: Vec<Victim>,
    /// How many were late in all.
    pub late: usize,
    /// The sentence that a person reads, but for the task's name, which comes first.
    pub message: String,
}

impl Kind {
    /// The name by which it is known outside.
    pub fn name(self) -> &'static str {
        match self {
            Self::BlockedLoop => "blocked-loop",
            Self::PanickedTask => "panicked-task",
            Self::LostData => "lost-data",
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::BlockedLoop | Self::PanickedTask => Severity::Error,
            Self::LostData => Severity::Warning,
        }
    }
}

/// What was found, the newest of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lints {
    found: BTreeMap<Key, Lint>,
    total: usize,
}

/// What makes two findings the same one: the time of what it is about, its kind, its task.
type Key = (Time, Kind, Option<TaskId>);

impl Lints {
    /// A poll as long as this blocks its loop.
    pub const BLOCKED: Duration = Duration::from_millis(100);
    /// Findings kept; the oldest are forgotten first.
    const MAX: usize = 1_000;
    /// Victims named in a finding; the others are counted.
    const VICTIMS: usize = 20;

    /// Those that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Lint> {
        self.found.values()
    }

    /// How many were found, those that are forgotten included.
    pub fn len(&self) -> usize {
        self.total
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    fn add(&mut self, mut lint: Lint) {
        lint.victims.truncate(Self::VICTIMS);
        let key = (lint.at, lint.kind, lint.task);
        let known = self.found.remove(&key);
        self.total += usize::from(known.is_none());
        if let Some(known) = known.filter(|known| known.late > lint.late) {
            // The same poll, longer by now: it keeps the longest list of victims.
            (lint.victims, lint.late) = (known.victims, known.late);
        }
        self.found.insert(key, lint);
        if self.found.len() > Self::MAX {
            self.found.pop_first();
        }
    }
}

impl Sound for Lints {
    fn sound(self) -> Result<Self, Unsound> {
        kept::countable(&[self.total as u64])?;
        Ok(self)
    }
}

impl Model {
    /// The poll that holds up the event loop now.
    pub fn blocked(&self) -> Option<Blocked> {
        if matches!(self.phase, super::Phase::Ended(_)) {
            return None;
        }
        let candidates = self
            .tasks
            .running()
            .filter(|t| self.can_block(t))
            .filter_map(|t| {
                let since = t.running_since()?;
                let lasted = self.now.since(since);
                (lasted >= Lints::BLOCKED).then_some((t, since, lasted))
            });
        let (task, since, lasted) = candidates.max_by_key(|(_, _, lasted)| *lasted)?;
        Some(Blocked {
            task: task.id,
            since,
            lasted,
            victims: self.victims(task.runtime),
        })
    }

    /// A `block_on` beside the workers of a multi-thread runtime holds up nobody; and if it
    /// runs a `LocalSet`, its polls are made of those of the set's tasks.
    pub(super) fn can_block(&self, task: &Task) -> bool {
        let runtime = task.runtime.and_then(|id| self.runtimes.get(id));
        let has_workers = match runtime.map(|r| r.flavor) {
            Some(flavor) => flavor != Flavor::CurrentThread,
            None => self.tasks.workers() > 0,
        };
        match task.kind {
            super::Kind::BlockOn => !has_workers && !self.tasks.any_local(),
            ref kind => kind.is_async(),
        }
    }

    /// Who is late on this runtime; where runtimes are not told apart, on any.
    fn victims(&self, runtime: Option<u64>) -> Vec<Victim> {
        /// tokio's timers count whole milliseconds, so less is no delay.
        const LEAST: Duration = Duration::from_millis(2);
        let mut late: BTreeMap<TaskId, Victim> = BTreeMap::new();
        for task in self.tasks.ready().filter(|t| t.kind.is_async()) {
            if let Some(since) = task.ready_since() {
                let victim = Victim {
                    task: task.id,
                    late: self.now.since(since),
                    timer: None,
                };
                late.insert(task.id, victim);
            }
        }
        let now = self.timers_at();
        for timer in self.timers.overdue(now) {
            if let (Some(task), Some(by)) = (timer.task, timer.overdue(now)) {
                let victim = Victim {
                    task,
                    late: by,
                    timer: Some(timer.id),
                };
                let known = late.entry(task).or_insert_with(|| victim.clone());
                if known.late < by {
                    *known = victim;
                }
            }
        }
        // What is in a poll itself is held up by nobody.
        for task in self.tasks.running() {
            late.remove(&task.id);
        }
        let here = |victim: &Victim| {
            let its = self.tasks.get(victim.task).and_then(|t| t.runtime);
            its.zip(runtime).is_none_or(|(its, runtime)| its == runtime)
        };
        let late = late.into_values().filter(|v| v.late >= LEAST && here(v));
        let mut late: Vec<Victim> = late.collect();
        late.sort_by_key(|v| std::cmp::Reverse(v.late));
        late
    }

    /// Judges the state that the newest frame gave.
    pub(super) fn judge(&mut self) {
        if let Some(blocked) = self.blocked() {
            self.blame(blocked.task, blocked.since, blocked.lasted, blocked.victims);
        }
        for poll in self.tasks.take_long_polls() {
            if self.tasks.get(poll.task).is_some_and(|t| self.can_block(t)) {
                self.blame(poll.task, poll.since, poll.lasted, Vec::new());
            }
        }
        for id in self.tasks.take_panicked() {
            let Some(task) = self.tasks.get(id) else {
                continue;
            };
            let message = match &task.error {
                Some(text) => format!("panicked: {text}"),
                None => "panicked".to_owned(),
            };
            let at = task.dropped.unwrap_or(self.now);
            self.lints.add(Lint {
                task: Some(id),
                location: task.location.clone(),
                ..Lint::new(Kind::PanickedTask, at, message)
            });
        }
        if self.usage.probe.is_some_and(|probe| probe.is_filtered) {
            self.report_loss(
                "a filter in the program keeps tokio's spans from the probe: put it on the \
                 layer that it is meant for, by with_filter"
                    .to_owned(),
            );
        } else if self.lost.frames > 0 {
            let frames = self.lost.frames;
            self.report_loss(format!(
                "{frames} messages came too fast to be kept: the history lacks them"
            ));
        } else if self.lost.events > 0 {
            let events = self.lost.events;
            self.report_loss(format!(
                "{events} events were dropped by the target's instrument: figures may be too low"
            ));
        }
    }

    /// Judges what is missing when nothing more can come.
    pub(super) fn judge_the_end(&mut self) {
        self.lost.unnamed = self.tasks.unnamed() as u64;
        if self.lost.unnamed > 0 {
            let tasks = self.lost.unnamed;
            self.report_loss(format!(
                "{tasks} tasks were not told of in time, before the program ended"
            ));
        }
    }

    fn report_loss(&mut self, message: String) {
        let at = self.started.unwrap_or_default();
        self.lints.add(Lint::new(Kind::LostData, at, message));
    }

    fn blame(&mut self, task: TaskId, since: Time, lasted: Duration, victims: Vec<Victim>) {
        let message = format!(
            "blocked the event loop for {} ms in one poll",
            lasted.as_millis()
        );
        self.lints.add(Lint {
            task: Some(task),
            location: self.tasks.get(task).and_then(|t| t.location.clone()),
            lasted,
            late: victims.len(),
            victims,
            ..Lint::new(Kind::BlockedLoop, since, message)
        });
    }
}

impl Lint {
    fn new(kind: Kind, at: Time, message: String) -> Self {
        Self {
            kind,
            at,
            task: None,
            location: None,
            lasted: Duration::ZERO,
            victims: Vec::new(),
            late: 0,
            message,
        }
    }
}
