//! A task that is woken far more often than it is polled.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};

#[derive(Copy, Clone, Debug)]
pub struct UnbalancedWakes;

/// Fewer wakes cost nothing, however they are spread.
const LEAST: u64 = 1_000;

impl Lint for UnbalancedWakes {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "a task is woken far more often than it is polled"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task was woken more than ten times for each of its polls, and 1,000 times at \
                   least. Wakes of a task that is woken already are lost: one poll answers all.",
            why: "Each wake has its price for the one who calls it. A producer that wakes for \
                  every item is busy with waking.",
            mend: "Hand over more at once: send batches, notify when a queue becomes full or was \
                   empty, and not for every item.",
            lesson: Ok("many-wakes"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let (wakes, polls) = (task.wakes, task.polls());
        let most = polls.saturating_mul(scene.thresholds().unbalanced_wakes);
        let is_many = wakes >= LEAST && wakes > most;
        if !is_many || scene.model.lints.is_settled(Kind::UnbalancedWakes, task) {
            return Verdict::Fine;
        }
        let message = format!("was woken {wakes} times for {polls} polls");
        let finding = Finding::of(Kind::UnbalancedWakes, task, task.created, message)
            .with("wakes", Figure::Count(wakes))
            .with("polls", Figure::Count(polls));
        Some(finding).into()
    }
}
