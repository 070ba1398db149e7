//! Who holds up the event loop, and who is late because of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    frame::Time,
    model::{Flavor, IdMap, Kind, Model, Phase, Task, TaskId, TimerId, kept},
};

/// A poll that goes on for too long, and who is late because of it.
#[derive(Clone, Debug)]
pub struct Blocked {
    pub task: TaskId,
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

impl Model {
    /// The poll that holds up the event loop now.
    pub fn blocked(&self) -> Option<Blocked> {
        let (task, _, lasted) = self.blocking()?;
        Some(Blocked {
            task: task.id,
            lasted,
            victims: self.victims(task.runtime),
        })
    }

    /// There is such a poll: known sooner than who is late because of it.
    pub fn is_blocked(&self) -> bool {
        self.blocking().is_some()
    }

    fn blocking(&self) -> Option<(&Task, Time, Duration)> {
        if matches!(self.phase, Phase::Ended(_)) {
            return None;
        }
        let least = self.lints.thresholds.blocked_loop;
        let candidates = self
            .tasks
            .running()
            .filter(|t| self.can_block(t) && !self.tasks.is_in_place(t))
            .filter_map(|t| {
                let since = t.running_since()?;
                let lasted = self.now.since(since);
                (lasted >= least).then_some((t, since, lasted))
            });
        candidates.max_by_key(|(_, _, lasted)| *lasted)
    }

    /// A `block_on` beside the workers of a multi-thread runtime holds up nobody; and if it
    /// runs a `LocalSet`, its polls are made of those of the set's tasks.
    pub(in crate::model) fn can_block(&self, task: &Task) -> bool {
        let runtime = task.runtime.and_then(|id| self.runtimes.get(id));
        let has_workers = match runtime.map(|r| r.flavor) {
            Some(flavor) => flavor != Flavor::CurrentThread,
            None => self.tasks.workers() > 0,
        };
        match task.kind {
            Kind::BlockOn => !has_workers && !self.tasks.any_local(),
            ref kind => kind.is_async(),
        }
    }

    /// Who is late on this runtime; where runtimes are not told apart, on any.
    pub(super) fn victims(&self, runtime: Option<u64>) -> Vec<Victim> {
        /// tokio's timers count whole milliseconds, so less is no delay.
        const LEAST: Duration = Duration::from_millis(2);
        let mut late: IdMap<TaskId, Victim> = IdMap::default();
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
        late.sort_unstable_by_key(|v| (std::cmp::Reverse(v.late), v.task));
        late
    }
}
