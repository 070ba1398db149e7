//! A poll that took so long that others were late.

use std::time::Duration;

use super::{Explanation, Finding, Kind, Lint, Poll, Scene, Severity, Subject, Verdict};
use crate::model::Task;

#[derive(Copy, Clone, Debug)]
pub struct BlockedLoop;

impl Lint for BlockedLoop {
    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn summary(&self) -> &'static str {
        "one poll kept the event loop from everything else"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task was polled for 100 ms or more without giving the loop back. The loop \
                   runs one task at a time, so meanwhile no other task ran and no timer fired. \
                   Who was late, and by how much, stands with the finding.",
            why: "Every connection, tick and time limit on this thread waits as long as that poll \
                  takes, however little it has to do itself.",
            mend: "Look for a call in the task that blocks: `std::thread::sleep`, a synchronous \
                   client, file access, or a long computation. Use the async form of it (`sleep`, \
                   an async client), or move it off the loop with `spawn_blocking` (`to_thread`) \
                   or `block_in_place`. \
                   A long loop can also let others run with `yield_now` now and then.",
            lesson: Ok("blocking"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Poll(task, poll) = subject else {
            return Verdict::Fine;
        };
        let (own, kept_off) = own_and_kept_off(task, *poll, scene);
        if own < scene.thresholds().blocked_loop {
            return Verdict::Fine;
        }
        let victims = if poll.is_over {
            Vec::new()
        } else {
            scene.model.victims(task.runtime)
        };
        let message = format!(
            "blocked the event loop for {} ms in one poll",
            poll.lasted.as_millis()
        );
        let finding = Finding::of(Kind::BlockedLoop, task, poll.since, message)
            .one_of_many()
            .lasted("lasted_ms", poll.lasted)
            .with_kept_off(kept_off);
        let finding = Finding {
            late: victims.len(),
            victims,
            ..finding
        };
        Some(finding).into()
    }
}

/// How long a poll was without the time in which the system ran others, and that time.
pub(super) fn own_and_kept_off(
    task: &Task,
    poll: Poll,
    scene: Scene<'_>,
) -> (Duration, Option<Duration>) {
    let kept_off = scene.kept_off(task, poll.since, poll.since + poll.lasted);
    let own = poll.lasted.saturating_sub(kept_off.unwrap_or_default());
    (own, kept_off)
}
