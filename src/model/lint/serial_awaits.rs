//! Tasks that were awaited one after the other though each only waits.

use std::time::Duration;

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::Task;

#[derive(Copy, Clone, Debug)]
pub struct SerialAwaits;

/// So many tasks are looked at for a child's older siblings.
const LOOK_BACK: usize = 200;
/// A shorter wait is not worth a word.
const LEAST: Duration = Duration::from_millis(10);

impl Lint for SerialAwaits {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "tasks that mostly wait are awaited one after the other"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task spawned a child and awaited it, then the next one, and so on, three or \
                   more; each mostly waited, and no two ran side by side. A task is known to be \
                   awaited if its end woke its parent through a `JoinHandle`, which the probe \
                   tells, or if the program says so, as those that use `aio`; the future given to \
                   `block_on`, such as `main`, is woken in secret.",
            why: "The waits add up. Together they would take as long as the longest of them.",
            mend: "If none needs the result of another, start all and then await all: `gather`, a \
                   `TaskGroup`, `JoinSet` or `join!`. If each does need the one before, leave \
                   them as they are, or await plain `async fn` calls without spawning.",
            lesson: Ok("serial-tasks"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Ended(child) = subject else {
            return Verdict::Fine;
        };
        let tasks = &scene.model.tasks;
        let parent = child.parent.and_then(|id| tasks.get(id));
        let Some(parent) = parent.filter(|_| was_awaited_for_its_wait(child)) else {
            return Verdict::Fine;
        };
        let older = tasks.before(child.id).take(LOOK_BACK);
        let siblings = older.filter(|task| task.parent == child.parent && task.kind == child.kind);
        let (mut chain, mut next) = (vec![*child], *child);
        for sibling in siblings {
            let in_turn = sibling.dropped.is_some_and(|end| end <= next.created);
            if !in_turn || !was_awaited_for_its_wait(sibling) {
                break;
            }
            chain.push(sibling);
            next = sibling;
        }
        if (chain.len() as u64) < scene.thresholds().serial_awaits.max(2) {
            return Verdict::Fine;
        }
        let now = scene.model.now;
        let took: Duration = chain.iter().map(|task| task.total(now)).sum();
        let longest = chain.iter().map(|task| task.total(now)).max();
        let message = format!(
            "awaited {} tasks one after the other, which took {} ms",
            chain.len(),
            took.as_millis()
        );
        let finding = Finding {
            // Where they are made, which is what there is to mend.
            location: child.location.clone().or_else(|| parent.location.clone()),
            ..Finding::of(Kind::SerialAwaits, parent, next.created, message)
        };
        let finding = finding
            .with("tasks", Figure::Count(chain.len() as u64))
            .lasted("took_ms", took)
            .with("longest_ms", Figure::Time(longest.unwrap_or_default()));
        Some(finding).into()
    }
}

/// Its parent awaited it, and it spent most of its life waiting.
fn was_awaited_for_its_wait(task: &Task) -> bool {
    let Some(end) = task.dropped else {
        return false;
    };
    let idle = task.idle(end);
    task.parent.is_some()
        && task.awaited_by == task.parent
        && idle >= LEAST
        && idle * 2 >= task.total(end)
}
