//! A task that could run and was not polled.

use super::{
    Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict,
    scene::is_the_machines,
};
use crate::model;

#[derive(Copy, Clone, Debug)]
pub struct Starved;

impl Lint for Starved {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a task was ready for long and not polled"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task was woken, or spawned, and waited 100 ms or more for its turn, though no \
                   single poll blocked the loop: many others stood before it in the queue, or \
                   came back again and again.",
            why: "Its wait is pure delay, and whatever it serves is late by as much. It grows with \
                  the load, so a program that is fine today stalls on a busy day.",
            mend: "Look at the Tasks view for those that are ready and running all the time: give \
                   them less to do at once, limit how many there are (`Semaphore`), move \
                   computing off the loop with `spawn_blocking`, or use more workers.",
            lesson: Ok("starvation"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let is_spawned = task.kind.is_async() && task.kind != model::Kind::BlockOn;
        let Some(since) = task.ready_since().filter(|_| is_spawned) else {
            return Verdict::Fine;
        };
        let (now, thresholds) = (scene.model.now, scene.thresholds());
        let ready = now.since(since);
        // Looked at for each ready task: nearly all leave here.
        if ready < thresholds.starved {
            return Verdict::Fine;
        }
        let kept_off = scene.kept_off(task, since, now);
        let blocked = scene.in_polls_of(thresholds.blocked_loop, task, (since, now));
        let own = ready.saturating_sub(kept_off.unwrap_or_default());
        if own.saturating_sub(blocked) < thresholds.starved || is_the_machines(ready, kept_off) {
            return Verdict::Fine;
        }
        let message = format!("was ready for {} ms and not polled", ready.as_millis());
        let others = scene.model.tasks.ready_count() as u64;
        let finding = Finding::of(Kind::Starved, task, since, message)
            .one_of_many()
            .lasted("ready_ms", ready)
            .with("ready_tasks", Figure::Count(others))
            .with_kept_off(kept_off);
        Some(finding).into()
    }
}
