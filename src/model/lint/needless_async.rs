//! Tasks that never wait.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::{
    self, Outcome, Task,
    kept::{self, Sound, Unsound},
};

#[derive(Copy, Clone, Debug)]
pub struct NeedlessAsync;

/// Fewer tasks are worth a word, too, if their polls took as long as this together.
const LONG: Duration = Duration::from_secs(1);

impl Lint for NeedlessAsync {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "tasks of one place never wait: they need not be tasks"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "Twenty or more tasks, spawned at one place, were each done in their first poll, \
                   or fewer whose polls took a second together: nothing in them ever waited. At most \
                   one in ten of that place did. What a crate that cargo fetched spawns is not meant.",
            why: "`async` makes nothing faster. On one thread these tasks run one after another, \
                  just as plain calls would, and each costs a spawn, a wake and a turn in the queue.",
            mend: "Make it a plain function and call it. If it computes for long, use \
                   `spawn_blocking` or a thread pool such as rayon, which does use more than one \
                   core.",
            lesson: Ok("needless-async"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Ended(task) = subject else {
            return Verdict::Fine;
        };
        // How a library does its work is no choice of whoever uses it: a server spawns a task for
        // each connection, whether or not its request is there already.
        if task
            .location
            .as_ref()
            .is_some_and(|at| at.package().is_some())
        {
            return Verdict::Fine;
        }
        let Some(tally) = scene.model.lints.tallies.of(task) else {
            return Verdict::Fine;
        };
        let many = tally.needless >= scene.thresholds().needless_async.max(1);
        let enough = many || tally.busy >= LONG;
        let nearly_all = tally.spawned.saturating_mul(9) <= tally.needless.saturating_mul(10);
        if !enough || !nearly_all || !never_waited(task) {
            return Verdict::Fine;
        }
        let busy = tally.busy.as_millis();
        let message = match tally.needless {
            1 => format!("never waited: it was done in one poll of {busy} ms"),
            tasks => format!("and its like never waited: {tasks} tasks were done in one poll each"),
        };
        let finding = Finding::of(Kind::NeedlessAsync, task, task.created, message)
            .with("tasks", Figure::Count(tally.needless))
            .with("busy_ms", Figure::Time(tally.busy));
        Some(Finding {
            count: tally.needless,
            ..finding
        })
        .into()
    }
}

/// Done in one poll, and nothing came between that poll and its end.
fn never_waited(task: &Task) -> bool {
    /// Between the end of a poll and what is told of the task's end.
    const SLACK: Duration = Duration::from_micros(100);
    let (Some(first), Some(end)) = (task.first_poll, task.dropped) else {
        return false;
    };
    let ended_itself = !matches!(task.outcome, Some(Outcome::Cancelled | Outcome::Panicked));
    let busy = task.busy(end);
    ended_itself && task.ended_polls() == 1 && end.since(first) <= busy + busy / 10 + SLACK
}

/// How many tasks of each place there were, and how many never waited.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tallies(BTreeMap<u64, Tally>);

#[derive(Copy, Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    spawned: u64,
    /// They have ended and never waited.
    needless: u64,
    /// Of these.
    #[serde(with = "kept::span")]
    busy: Duration,
}

impl Tallies {
    /// Places followed; there are not many in a program.
    const MAX: usize = 10_000;

    /// Takes in a task that became known.
    pub fn add(&mut self, task: &Task) {
        let is_spawned = task.kind.is_async() && task.kind != model::Kind::BlockOn;
        let cause = task.cause();
        let has_room = self.0.len() < Self::MAX || self.0.contains_key(&cause);
        if is_spawned && has_room {
            self.0.entry(cause).or_default().spawned += 1;
        }
    }

    /// Takes in that it has ended.
    pub fn end(&mut self, task: &Task) {
        let tally = self.0.get_mut(&task.cause());
        if let Some(tally) = tally.filter(|_| never_waited(task)) {
            tally.needless += 1;
            let busy = task.busy(task.dropped.unwrap_or_default());
            tally.busy = tally.busy.saturating_add(busy);
        }
    }

    fn of(&self, task: &Task) -> Option<&Tally> {
        self.0.get(&task.cause())
    }
}

impl Sound for Tallies {
    fn sound(self) -> Result<Self, Unsound> {
        let counts = self.0.values().flat_map(|t| [t.spawned, t.needless]);
        kept::countable(&counts.collect::<Vec<_>>())?;
        Ok(self)
    }
}
