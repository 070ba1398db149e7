//! A task with a future of many bytes.

use super::{
    Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict, auto_boxed_future,
};

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
            what: "The future that was spawned takes 2,048 bytes or more: all that lives across an \
                   `await` in it and in what it awaits. A build without optimisation makes it \
                   larger, and tokio boxes it there; the size is that before.",
            why: "Each such task takes as much memory, and the future is copied whenever it is \
                  moved: into the spawn, and into whatever else holds it by value.",
            mend: "Do not hold large buffers across an `await`: make them in a block of their own, \
                   or keep them on the heap (`Vec`, `Box`). `Box::pin` a large part of it that is \
                   rarely needed.",
            lesson: Ok("large-future"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::New(task) = subject else {
            return Verdict::Fine;
        };
        // The latter is told of what tokio boxed, and the former is then that of a pointer.
        let (size, original) = (
            task.figure("size.bytes"),
            task.figure("original_size.bytes"),
        );
        let size = size.max(original).unwrap_or_default();
        let is_large = task.kind.is_async() && size >= scene.thresholds().large_future;
        if !is_large || auto_boxed_future::boxed(task, scene).is_some() {
            return Verdict::Fine;
        }
        let message = format!("has a future of {size} bytes");
        let finding = Finding::of(Kind::LargeFuture, task, task.created, message)
            .with("size_bytes", Figure::Count(size));
        Some(finding).into()
    }
}
