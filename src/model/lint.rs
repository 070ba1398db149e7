//! What is wrong, judged at each frame's time.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Model,
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
#[derive(Clone, Debug)]
pub struct Victim {
    pub task: TaskId,
    pub late: Duration,
    /// The timer that should have fired; none if the task was ready anyway.
    pub timer: Option<TimerId>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

#[derive(Clone, Debug)]
pub struct Lint {
    pub kind: Kind,
    pub at: Time,
    pub task: Option<TaskId>,
    pub location: Option<Location>,
    /// Of a blocked loop: how long, and how many were late.
    pub lasted: Duration,
    pub victims: Vec<Victim>,
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

/// Everything found, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Lints {
    found: BTreeMap<Key, Lint>,
}

/// What makes two findings the same one: its kind, its task, and the poll it is about.
type Key = (Kind, Option<TaskId>, Time);

impl Lints {
    /// A poll as long as this blocks its loop.
    pub const BLOCKED: Duration = Duration::from_millis(100);
    /// Findings kept; the newest are then not added, and nothing else is lost.
    const MAX: usize = 1_000;

    pub fn iter(&self) -> impl Iterator<Item = &Lint> {
        let mut all: Vec<&Lint> = self.found.values().collect();
        all.sort_by_key(|lint| lint.at);
        all.into_iter()
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn add(&mut self, lint: Lint) {
        let key = (lint.kind, lint.task, lint.at);
        if let Some(known) = self.found.get_mut(&key) {
            // The same poll, longer by now: it keeps the longest list of victims.
            let victims = if lint.victims.len() < known.victims.len() {
                std::mem::take(&mut known.victims)
            } else {
                lint.victims
            };
            *known = Lint { victims, ..lint };
        } else if self.found.len() < Self::MAX {
            self.found.insert(key, lint);
        }
    }
}

impl Model {
    /// The poll that holds up the event loop now.
    pub fn blocked(&self) -> Option<Blocked> {
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
            victims: self.victims(),
        })
    }

    /// A `block_on` beside the workers of a multi-thread runtime holds up nobody; and if it
    /// runs a `LocalSet`, its polls are made of those of the set's tasks.
    fn can_block(&self, task: &Task) -> bool {
        match task.kind {
            super::Kind::BlockOn => self.tasks.workers() == 0 && !self.tasks.any_local(),
            ref kind => kind.is_async(),
        }
    }

    fn victims(&self) -> Vec<Victim> {
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
        for timer in self.timers.overdue(self.now) {
            if let (Some(task), Some(by)) = (timer.task, timer.overdue(self.now)) {
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
        let mut late: Vec<Victim> = late.into_values().filter(|v| v.late >= LEAST).collect();
        late.sort_by_key(|v| std::cmp::Reverse(v.late));
        late
    }

    /// Judges the state that the newest frame gave.
    pub(super) fn judge(&mut self) {
        if let Some(blocked) = self.blocked() {
            self.blame(blocked.task, blocked.since, blocked.lasted, blocked.victims);
        }
        for poll in self.tasks.take_long_polls() {
            let can = self.tasks.get(poll.task).is_some_and(|t| self.can_block(t));
            if can {
                self.blame(poll.task, poll.since, poll.lasted, Vec::new());
            }
        }
        for id in self.tasks.take_panicked() {
            let Some(task) = self.tasks.get(id) else {
                continue;
            };
            let lint = Lint {
                kind: Kind::PanickedTask,
                at: task.dropped.unwrap_or(self.now),
                task: Some(id),
                location: task.location.clone(),
                lasted: Duration::ZERO,
                victims: Vec::new(),
                message: match &task.error {
                    Some(text) => format!("panicked: {text}"),
                    None => "panicked".to_owned(),
                },
            };
            self.lints.add(lint);
        }
        if self.lost.events > 0 {
            let lint = Lint {
                kind: Kind::LostData,
                at: Time::default(),
                task: None,
                location: None,
                lasted: Duration::ZERO,
                victims: Vec::new(),
                message: format!(
                    "{} events were dropped by the target's instrument: figures may be too low",
                    self.lost.events
                ),
            };
            self.lints.add(lint);
        }
    }

    fn blame(&mut self, task: TaskId, since: Time, lasted: Duration, victims: Vec<Victim>) {
        let lint = Lint {
            kind: Kind::BlockedLoop,
            at: since,
            task: Some(task),
            location: self.tasks.get(task).and_then(|t| t.location.clone()),
            lasted,
            victims,
            message: format!(
                "blocked the event loop for {} ms in one poll",
                lasted.as_millis()
            ),
        };
        self.lints.add(lint);
    }
}
