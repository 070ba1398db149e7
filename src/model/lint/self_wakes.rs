//! A task that mostly wakes itself.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};

#[derive(Copy, Clone, Debug)]
pub struct SelfWakes;

/// Fewer are a task that yields now and then, as it should.
const LEAST: u64 = 30;

impl Lint for SelfWakes {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a task mostly wakes itself"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "More than half of a task's wakes, and 30 at least, came from the task itself: \
                   it asked to be polled again at once instead of waiting for something.",
            why: "It is busy waiting. It takes part in each turn of the loop, uses a processor for \
                  nothing, and makes everyone's turn come later.",
            mend: "Await what it looks for: a channel, `Notify`, a timer. In a `poll` written by \
                   hand, give the waker to whatever will make it ready, instead of calling \
                   `wake_by_ref` and returning `Pending`. A long computation that lets others run \
                   with `yield_now` is better on a thread.",
            lesson: Ok("starvation"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let (own, all) = (task.self_wakes, task.wakes);
        let percent = own.saturating_mul(100) / all.max(1);
        if own < LEAST || percent <= scene.thresholds().self_wakes {
            return Verdict::Fine;
        }
        // Who yields all the time is looked at at each frame.
        if scene.model.lints.is_settled(Kind::SelfWakes, task) {
            return Verdict::Fine;
        }
        let message = format!("woke itself: {own} of its {all} wakes are its own ({percent} %)");
        let finding = Finding::of(Kind::SelfWakes, task, task.created, message)
            .with("self_wakes", Figure::Count(own))
            .with("wakes", Figure::Count(all))
            .with("self_wakes_percent", Figure::Count(percent));
        Some(finding).into()
    }
}
