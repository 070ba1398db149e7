//! Blocking calls that wait for a thread.

use std::time::Duration;

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model;

#[derive(Copy, Clone, Debug)]
pub struct BlockingPoolFull;

impl Lint for BlockingPoolFull {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a blocking call waits for a thread: all are taken"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A call given to `spawn_blocking` (`to_thread`) has waited 10 ms or more for a \
                   thread, while every thread of the blocking pool was at work.",
            why: "The call has not even begun. tokio uses the same pool for files and for looking \
                  up host names, so these wait, too.",
            mend: "Limit how many such calls are under way (`Semaphore`), give long-lived ones a \
                   thread of their own (`std::thread`), or raise `max_blocking_threads`.",
            lesson: Ok("pool-full"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Task(call) = subject else {
            return Verdict::Fine;
        };
        let is_queued = call.kind == model::Kind::Blocking && call.first_poll.is_none();
        if !is_queued || call.is_done() {
            return Verdict::Fine;
        }
        let model = scene.model;
        let waited = model.now.since(call.created);
        // One that waits for a thread that is just being started waits for one update at most.
        let started = model
            .process
            .as_ref()
            .map_or(Duration::ZERO, |process| process.publish_interval);
        let runtime = call.runtime.and_then(|id| model.runtimes.get(id));
        let has_room =
            runtime.is_some_and(|r| r.idle_blocking_threads > 0 || r.blocking_queue == 0);
        if waited < scene.thresholds().blocking_pool_full.max(started) || has_room {
            return Verdict::Fine;
        }
        let message = format!("has waited {} ms for a thread", waited.as_millis());
        let finding = Finding::of(Kind::BlockingPoolFull, call, call.created, message)
            .lasted("queued_ms", waited);
        let finding = match runtime {
            Some(pool) => finding
                .with("queue", Figure::Count(pool.blocking_queue))
                .with("threads", Figure::Count(pool.blocking_threads)),
            None => finding,
        };
        Some(finding).into()
    }
}
