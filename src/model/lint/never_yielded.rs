//! A task that is in its first poll still.

use super::{
    Explanation, Finding, Kind, Lint, Scene, Severity, Subject, Verdict,
    blocked_loop::own_and_kept_off,
};

#[derive(Copy, Clone, Debug)]
pub struct NeverYielded;

impl Lint for NeverYielded {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a task has not given the loop back since it began"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task has been in its very first poll for a second: since it was spawned it \
                   has come to no `await` that waits. A blocking closure or a worker thread is \
                   never meant by this, as it is not polled by the loop.",
            why: "It cannot be cancelled and no time limit can end it, for both need an `await` to \
                  act at. If its loop never ends, it never gives the thread back.",
            mend: "If it is a computation or blocking work, run it with `spawn_blocking` or on a \
                   thread of its own. If it is a loop that is meant to wait, look for the `await` \
                   that is missing in it.",
            lesson: Ok("cpu"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Poll(task, poll) = subject else {
            return Verdict::Fine;
        };
        if poll.is_over || task.first_poll != Some(poll.since) {
            return Verdict::Fine;
        }
        let (own, kept_off) = own_and_kept_off(task, *poll, scene);
        // On a busy machine the second is not all its own; but it would have blocked the loop there.
        let thresholds = scene.thresholds();
        if poll.lasted < thresholds.never_yielded || own < thresholds.blocked_loop {
            return Verdict::Fine;
        }
        let message = format!(
            "is in its first poll for {} ms and has not given the loop back",
            poll.lasted.as_millis()
        );
        let finding = Finding::of(Kind::NeverYielded, task, poll.since, message)
            .lasted("lasted_ms", poll.lasted)
            .with_kept_off(kept_off);
        Some(finding).into()
    }
}
