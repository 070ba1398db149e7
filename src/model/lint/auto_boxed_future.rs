//! A task with a future so large that tokio put it on the heap.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::Task;

#[derive(Copy, Clone, Debug)]
pub struct AutoBoxedFuture;

impl Lint for AutoBoxedFuture {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "a task's future was so large that tokio boxed it"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "The future that was spawned is larger than tokio keeps in a task, 16 KiB, so \
                   tokio moved it to the heap first. In a build without optimisation, where futures \
                   are larger, tokio does so from 2 KiB on; that alone is a `large-future`.",
            why: "It costs an allocation and a copy of the whole future for each spawn. The same \
                  future, nested in others, is copied there, too, and can overflow a stack.",
            mend: "Make the future smaller as with `large-future`, or `Box::pin` it yourself where \
                   it is made.",
            lesson: Ok("large-future"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::New(task) = subject else {
            return Verdict::Fine;
        };
        let Some((original, size)) = boxed(task, scene) else {
            return Verdict::Fine;
        };
        let message = format!("has a future of {original} bytes, which tokio put on the heap");
        let finding = Finding::of(Kind::AutoBoxedFuture, task, task.created, message)
            .with("original_size_bytes", Figure::Count(original))
            .with("size_bytes", Figure::Count(size));
        Some(finding).into()
    }
}

/// The sizes before and after, in bytes, of a task's future that tokio boxed for being that large.
pub(super) fn boxed(task: &Task, scene: Scene<'_>) -> Option<(u64, u64)> {
    let original = task.figure("original_size.bytes")?;
    let size = task.figure("size.bytes")?;
    let least = scene.thresholds().auto_boxed_future;
    (task.kind.is_async() && original > size && original >= least).then_some((original, size))
}
