//! A task that nothing can wake.

use super::{Explanation, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model;

#[derive(Copy, Clone, Debug)]
pub struct LostWaker;

impl Lint for LostWaker {
    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn summary(&self) -> &'static str {
        "a task waits and nothing is left that could wake it"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task has not ended, is not being polled and was not woken, and no copy of its \
                   waker exists any more. Nothing can wake it. A `block_on` is never meant: its \
                   waker is its thread's.",
            why: "It will never go on. Whoever awaits it waits for ever, and what it holds is \
                  never freed.",
            mend: "Look at a `poll` written by hand that returns `Pending` without keeping \
                   `cx.waker().clone()`, or that keeps the waker of an earlier poll. If the task \
                   is meant to wait for ever (`std::future::pending`), abort it instead.",
            lesson: None,
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let is_spawned = task.kind.is_async() && task.kind != model::Kind::BlockOn;
        let waits = !task.is_done() && task.running_since().is_none();
        let waits = waits && task.ready_since().is_none();
        let (Some(since), true) = (task.last_poll_ended, is_spawned && waits) else {
            return Verdict::Fine;
        };
        // When the run is over, wakers go before the tasks do.
        if task.wakers() > 0 || scene.model.ended.is_some() {
            return Verdict::Fine;
        }
        // A wake that is under way has taken the waker and is not told yet.
        let waited = scene.model.now.since(since);
        if waited < scene.thresholds().lost_waker {
            return Verdict::Later;
        }
        let message = "waits, and nothing is left that could wake it".to_owned();
        let finding = Finding::of(Kind::LostWaker, task, since, message)
            .lasted("waited_ms", waited)
            .with("polls", super::Figure::Count(task.polls()));
        Some(finding).into()
    }
}
