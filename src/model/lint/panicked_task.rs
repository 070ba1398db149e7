//! A task that panicked.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::Outcome;

#[derive(Copy, Clone, Debug)]
pub struct PanickedTask;

impl Lint for PanickedTask {
    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn summary(&self) -> &'static str {
        "a task panicked"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task ended by a panic. tokio catches it: the thread and all other tasks go \
                   on. Only the probe can tell.",
            why: "Whoever awaits the `JoinHandle` gets a `JoinError`; if nobody does, the panic is \
                  a line on standard error and the work is missing without a trace.",
            mend: "Mend what panicked, and await the handles of all tasks, so that a panic is not \
                   overlooked. For errors that are to be expected return a `Result`.",
            lesson: Ok("panic"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(task) = subject else {
            return Verdict::Fine;
        };
        if task.outcome != Some(Outcome::Panicked) {
            return Verdict::Fine;
        }
        let message = match &task.error {
            Some(text) => format!("panicked: {text}"),
            None => "panicked".to_owned(),
        };
        let at = task.dropped.unwrap_or(scene.model.now);
        let finding = Finding::of(Kind::PanickedTask, task, at, message);
        let error = task.error.clone().map(Figure::Text);
        let finding = match error {
            Some(error) => finding.with("error", error),
            None => finding,
        };
        Some(finding).into()
    }
}
