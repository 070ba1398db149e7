//! A lock that is held while its holder waits for something else.

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::model::{Hold, Holder, Resource, ResourceKind, State, Wait};

#[derive(Copy, Clone, Debug)]
pub struct LockHeld;

impl Lint for LockHeld {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "a task waits with a lock in hand while others wait for the lock"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "A task holds a `Mutex` or an `RwLock` and awaits something else than a lock, and for 100 ms \
                   or more another task has waited for the lock meanwhile.",
            why: "Everybody who needs the lock waits as long as the holder's sleep, request or \
                  query takes, one after the other: the tasks run in turn, as if there were one.",
            mend: "Let go of the guard before the `await`: end its block, or `drop` it. Do the slow \
                   thing first and lock only to write down the result. Give the data to one task \
                   and talk to it over a channel, or allow several at once with a `Semaphore`.",
            lesson: Ok("mutex"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Resource(lock) = subject else {
            return Verdict::Fine;
        };
        let is_lock = matches!(lock.kind, ResourceKind::Mutex | ResourceKind::RwLock);
        let holds = scene.model.resources.holders(lock.span);
        let holds = holds.filter(|_| is_lock).map_or(&[][..], |held| &held.list);
        let found = holds
            .iter()
            .find_map(|hold| held_for_long(lock, hold, scene));
        found.into()
    }
}

fn held_for_long(lock: &Resource, hold: &Hold, scene: Scene<'_>) -> Option<Finding> {
    let model = scene.model;
    let Holder::Task(holder) = hold.by else {
        return None;
    };
    let holder = model.tasks.get(holder)?;
    let since = hold.since?.max(holder.last_poll_ended?);
    let waits = model.now.since(since) >= scene.thresholds().lock_held
        && matches!(
            model.state(holder),
            State::Sleeping | State::Waiting | State::Idle
        );
    // One that waits for a lock itself is held up by whoever holds that one.
    let is_held_up = match model.wait(holder) {
        Some(Wait::Resource(op)) => model.resources.holders(op.resource).is_some(),
        _ => false,
    };
    if !waits || is_held_up {
        return None;
    }
    let mut waiters = model.resources.waiters(lock.span).peekable();
    let came = waiters.peek().and_then(|op| op.waits_since())?;
    let both = model.now.since(since.max(came));
    if both < scene.thresholds().lock_held {
        return None;
    }
    let place = lock.location.as_ref();
    let place = place.map_or(String::new(), |l| format!(" of {}", l.short()));
    let kind = lock.kind.as_str();
    let message = format!(
        "holds the {kind}{place} and waits, and another waits for it for {} ms",
        both.as_millis()
    );
    let finding = Finding::of(Kind::LockHeld, holder, hold.since?, message)
        .one_of_many()
        .lasted("waited_ms", both)
        .with("held_ms", Figure::Time(model.now.since(hold.since?)))
        .with("waiters", Figure::Count(waiters.count() as u64));
    Some(finding)
}
