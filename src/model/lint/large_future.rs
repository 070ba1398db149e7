//! A task with a future of many bytes.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};

#[derive(Copy, Clone, Debug)]
pub struct LargeFuture;

impl Lint for LargeFuture {
    fn severity(&self) -> Severity {
        Severity::Note
    }

    fn summary(&self) -> &'static str {
        "a task's future takes many bytes"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "The future that was spawned takes 2,048 bytes or more. It holds all that lives \
                   across an `await` in it and in what it awaits. A build without optimisation \
                   makes futures larger than they will be.",
            why: "Each such task takes as much memory, and the future is copied whenever it is \
                  moved: into the spawn, and into whatever else holds it by value.",
            mend: "Do not hold large buffers across an `await`: make them in a block of their own, \
                   or keep them on the heap (`Vec`, `Box`). `Box::pin` a large part of it that is \
                   rarely needed.",
            lesson: None,
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::New(task) = subject else {
            return Verdict::Fine;
        };
        let size = task.figure("size.bytes").unwrap_or_default();
        if !task.kind.is_async() || size < scene.thresholds().large_future {
            return Verdict::Fine;
        }
        let message = format!("has a future of {size} bytes");
        let finding = Finding::of(Kind::LargeFuture, task, task.created, message)
            .with("size_bytes", Figure::Count(size));
        Some(finding).into()
    }
}
