//! A poll that is longer than polls should be, and too short to block the loop.

use super::{
    Explanation, Finding, Kind, Lint, Scene, Severity, Subject, Verdict,
    blocked_loop::own_and_kept_off, scene::is_the_machines,
};

#[derive(Copy, Clone, Debug)]
pub struct LongPoll;

impl Lint for LongPoll {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "one poll took longer than a poll should"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A poll took between 10 ms and what counts as a blocked loop. Most polls take \
                   microseconds. Time in which the system ran other programs instead is left \
                   out, where the probe can tell.",
            why: "Such polls add up: ten tasks that each hold the loop for 20 ms make an eleventh \
                  one wait for 200 ms, and with more load they become a blocked loop.",
            mend: "Split the work and let others run between the pieces with `yield_now`, or move \
                   it off the loop with `spawn_blocking`. A build without optimisation can be ten \
                   times as slow: look at a release build before you change the code.",
            lesson: Ok("starvation"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let thresholds = scene.thresholds();
        let Subject::Poll(task, poll) = subject else {
            return Verdict::Fine;
        };
        let (own, kept_off) = own_and_kept_off(task, *poll, scene);
        let is_long = own >= thresholds.long_poll && own < thresholds.blocked_loop;
        if !poll.is_over || !is_long || is_the_machines(poll.lasted, kept_off) {
            return Verdict::Fine;
        }
        let message = format!("was polled for {} ms at once", poll.lasted.as_millis());
        let finding = Finding::of(Kind::LongPoll, task, poll.since, message)
            .one_of_many()
            .lasted("lasted_ms", poll.lasted)
            .with_kept_off(kept_off);
        Some(finding).into()
    }
}
