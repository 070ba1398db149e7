//! A task that nothing can wake.

use super::{Explanation, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::{
    frame::Time,
    model::{self, Model, Task},
};

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
            lesson: Ok("lost-waker"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        let model = scene.model;
        let Some(since) = model.without_waker_since(task) else {
            return Verdict::Fine;
        };
        if !model.is_lost(task) {
            return Verdict::Later;
        }
        let waited = model.now.since(since);
        let message = "waits, and nothing is left that could wake it".to_owned();
        let finding = Finding::of(Kind::LostWaker, task, since, message)
            .lasted("waited_ms", waited)
            .with("polls", super::Figure::Count(task.polls()));
        Some(finding).into()
    }
}

impl Model {
    /// Whether nothing is left that could wake this task.
    pub fn is_lost(&self, task: &Task) -> bool {
        // A wake that is under way has taken the waker and is not told yet.
        self.without_waker_since(task)
            .is_some_and(|since| self.now.since(since) >= self.lints.thresholds.lost_waker)
    }

    /// When the last poll of a task that waits ended, if no copy of its waker exists.
    fn without_waker_since(&self, task: &Task) -> Option<Time> {
        let is_spawned = task.kind.is_async() && task.kind != model::Kind::BlockOn;
        let waits = !task.is_done() && task.running_since().is_none();
        let waits = waits && task.ready_since().is_none();
        // When the run is over, wakers go before the tasks do.
        let has_waker = task.wakers() > 0 || self.ended.is_some();
        let since = task.last_poll_ended;
        since.filter(|_| is_spawned && waits && !has_waker)
    }
}
