//! A timer that fired late though no long poll was in its way.

use super::{
    Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict,
    scene::is_the_machines,
};
use crate::model::TimerKind;

#[derive(Copy, Clone, Debug)]
pub struct LateTimer;

impl Lint for LateTimer {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a timer fired late on a loop that had too much to do"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A sleep or a time limit was found elapsed 20 ms or more after its deadline, \
                   while the loop was busy with many short polls. What is late because of one long \
                   poll stands with that poll instead, and an interval whose own work takes \
                   longer than its period is not meant.",
            why: "Time limits act too late and periodic work drifts. It is the first sign that the \
                  loop has no time left.",
            mend: "Make the loop do less: fewer tasks at once, larger pieces of work for each \
                   wake, computing on other threads, more workers.",
            lesson: Ok("starvation"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Timer(timer) = subject else {
            return Verdict::Fine;
        };
        let thresholds = scene.thresholds();
        let least = thresholds.late_timer;
        let late = timer.late.filter(|late| *late >= least);
        // An interval may be late by its own doing; a deadline that is worked out, by ours.
        let judged = timer.exact && timer.kind != TimerKind::Interval && !timer.neglected;
        let task = timer.task.and_then(|id| scene.model.tasks.get(id));
        let (Some(late), Some(fired), Some(task), true) = (late, timer.fired, task, judged) else {
            return Verdict::Fine;
        };
        let due = fired - late;
        let kept_off = scene.kept_off(task, due, fired);
        let own = late.saturating_sub(kept_off.unwrap_or_default());
        if own < least || is_the_machines(late, kept_off) {
            return Verdict::Fine;
        }
        let window = (due, fired);
        let one_poll = scene.culprit(thresholds.long_poll, task, window);
        let blocked = scene.in_polls_of(thresholds.blocked_loop, task, window);
        // A task that looked at its timer late while the loop was free did so by itself.
        let busy = scene.model.busy.busy_in(due, fired);
        if one_poll.is_some() || blocked * 2 > late || busy * 2 < own {
            return Verdict::Fine;
        }
        let message = format!("was woken by a timer {} ms late", late.as_millis());
        let finding = Finding {
            location: timer.location.clone().or_else(|| task.location.clone()),
            ..Finding::of(Kind::LateTimer, task, due, message)
        };
        let finding = finding
            .one_of_many()
            .lasted("late_ms", late)
            .with("timer", Figure::Count(timer.id.0))
            .with("busy_ms", Figure::Time(busy.min(late)))
            .with_kept_off(kept_off);
        Some(finding).into()
    }
}
