//! A task that had not ended when the program did.

use super::{Explanation, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::{
    frame::Time,
    model::{self, Model, Outcome, Task},
};

#[derive(Copy, Clone, Debug)]
pub struct ForgottenTask;

impl Lint for ForgottenTask {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "a task that nobody awaited was cut off by the program's end"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task was still alive when `main` had returned, and nobody had awaited it. The \
                   runtime dropped it where it stood, at whichever `await` that was. Only the \
                   probe can tell.",
            why: "What it had not done by then is lost: the second half of a write, a clean-up, an \
                  error that nobody will see.",
            mend: "Keep the `JoinHandle` and await it before `main` ends, spawn it in a \
                   `TaskGroup` or `JoinSet`, or tell it to stop and wait until it has. A task that \
                   is meant to run as long as the program is fine: allow the lint.",
            lesson: Ok("leak"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Left(task, main_ended) = subject else {
            return Verdict::Fine;
        };
        let is_spawned = matches!(task.kind, model::Kind::Task | model::Kind::Local);
        let was_cut_off = match task.dropped {
            None => true,
            Some(end) => {
                let unfinished = matches!(task.outcome, Some(Outcome::Cancelled) | None);
                unfinished && main_ended.is_some_and(|main| end >= main)
            }
        };
        if !is_spawned || !was_cut_off || task.awaited_by.is_some() {
            return Verdict::Fine;
        }
        let lived = task.total(scene.model.ended.unwrap_or(scene.model.now));
        let message = "had not ended when the program did, and nobody awaited it".to_owned();
        let finding =
            Finding::of(Kind::ForgottenTask, task, task.created, message).lasted("lived_ms", lived);
        Some(finding).into()
    }
}

impl Model {
    /// When the program's main was over: the last task that a `block_on` awaited, or else the
    /// last `block_on` itself.
    pub(super) fn main_ended(&self) -> Option<Time> {
        let is_root = |id| self.tasks.get(id).map(|t| &t.kind) == Some(&model::Kind::BlockOn);
        let mains = self
            .tasks
            .iter()
            .filter(|t| t.awaited_by.is_some_and(is_root));
        let roots = self.tasks.iter().filter(|t| t.kind == model::Kind::BlockOn);
        let last = |end: Option<Time>, task: &Task| end.max(task.dropped);
        mains.fold(None, last).or_else(|| roots.fold(None, last))
    }
}
