//! A resource for which more and more tasks wait.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Explanation, Figure, Finding, Kind, Lint, Scene, Severity, Subject, Verdict};
use crate::{
    frame::Time,
    model::{
        Holder, Resource, ResourceKind, Task,
        kept::{self, Sound, Unsound},
    },
};

#[derive(Copy, Clone, Debug)]
pub struct GrowingQueue;

impl Lint for GrowingQueue {
    fn severity(&self) -> Severity {
        Severity::Warning
    }

    fn summary(&self) -> &'static str {
        "more and more tasks wait for one lock, semaphore or channel"
    }

    fn explain(&self) -> Explanation {
        Explanation {
            what: "The tasks that wait for one `Mutex`, `RwLock`, `Semaphore`, `OnceCell` or bounded \
                   channel have become 100 more, and a quarter more at least, over three seconds or \
                   longer, and never fewer by much meanwhile. Many that come at once and then \
                   have their turns are not meant, nor are idle connections.",
            why: "More come than go. Each waits longer than the one before, until callers give up \
                  or memory does; and if nobody goes at all, nothing behind this line is done any \
                  more.",
            mend: "View 7 tells who holds it. A holder that has ended never gave it back: look for \
                   `forget`, or a permit that is kept somewhere. One that waits itself holds up \
                   all others: let go before that `await`. If all is as it should be, there is too \
                   little of it: raise the limit, or take in less work and refuse the rest early \
                   (`try_acquire`, a `timeout` around the wait).",
            lesson: Ok("lost-permits"),
        }
    }

    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict {
        let Subject::Resource(resource) = subject else {
            return Verdict::Fine;
        };
        let model = scene.model;
        let Some(queue) = model.lints.queues.grown(resource.span, model.now) else {
            return Verdict::Fine;
        };
        let least = scene.thresholds().growing_queue.max(queue.from / 4);
        let more = queue.most - queue.from;
        let mut waiters = model.resources.waiters(resource.span);
        let first = waiters.find_map(|op| Some((op, model.tasks.get(op.task?)?)));
        let Some((op, task)) = first.filter(|_| more >= least && is_meant_to_move(resource)) else {
            return Verdict::Fine;
        };
        let kind = resource.kind.as_str();
        let place = resource.location.as_ref();
        let place = place.map_or(String::new(), |l| format!(" of {}", l.short()));
        let grew = model.now.since(queue.since);
        let mut message = format!(
            "queued for the {kind}{place}: {} wait, {more} more than {} s ago",
            queue.most,
            grew.as_secs()
        );
        let (held, ended) = holders(resource, scene);
        if held > 0 && ended == held {
            message += "; who holds it has ended";
        }
        let mut finding = Finding::of(Kind::GrowingQueue, task, queue.since, message)
            .with("waiters", Figure::Count(queue.most))
            .with("more", Figure::Count(more))
            .with("grew_ms", Figure::Time(grew));
        if let Some(since) = op.waits_since() {
            finding = finding.with("waited_ms", Figure::Time(model.now.since(since)));
        }
        if resource.kind.can_be_held() {
            finding = finding
                .with("holders", Figure::Count(held))
                .with("ended_holders", Figure::Count(ended));
        }
        Some(Finding {
            count: queue.most,
            ..finding
        })
        .into()
    }
}

/// A barrier and a oneshot are there to be waited for, and so is a semaphore that nobody was ever
/// let through: it is a gate, which may be shut for long.
fn is_meant_to_move(resource: &Resource) -> bool {
    match resource.kind {
        ResourceKind::Mutex
        | ResourceKind::RwLock
        | ResourceKind::OnceCell
        | ResourceKind::Channel => true,
        ResourceKind::Semaphore => !resource.holders.is_empty(),
        ResourceKind::Barrier | ResourceKind::Oneshot | ResourceKind::Other => false,
    }
}

/// How many hold it, as far as they are told, and how many of these have ended.
fn holders(resource: &Resource, scene: Scene<'_>) -> (u64, u64) {
    let has_ended = |by| match by {
        Holder::Task(id) => scene.model.tasks.get(id).is_none_or(Task::is_done),
        Holder::Outside | Holder::Unknown => false,
    };
    let list = &resource.holders.list;
    let ended = list.iter().filter(|hold| has_ended(hold.by)).count();
    (
        list.len() as u64 + resource.holders.other_permits,
        ended as u64,
    )
}

/// How the queues of all resources grow, counted once a second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Queues {
    counted: Time,
    all: BTreeMap<u64, Queue>,
}

/// A queue since it was last as short.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Queue {
    since: Time,
    from: u64,
    /// The longest since then.
    most: u64,
    /// How often it was longer than ever since then.
    rises: u32,
    /// It was so when it was last counted.
    is_longest: bool,
}

impl Queues {
    const EVERY: Duration = Duration::from_secs(1);
    /// A queue that is filled at once rises once, or twice if it is counted meanwhile.
    const RISES: u32 = 3;

    /// Whether it is time to count.
    pub fn is_due(&self, now: Time) -> bool {
        now.since(self.counted) >= Self::EVERY
    }

    /// Takes in how many wait for each resource for which somebody does.
    pub fn count(&mut self, now: Time, waiters: impl Iterator<Item = (u64, u64)>) {
        let mut before = std::mem::take(&mut self.all);
        let counted = waiters.map(|(span, waiters)| {
            let queue = before.remove(&span);
            (
                span,
                queue.unwrap_or(Queue::new(now, waiters)).then(now, waiters),
            )
        });
        self.all = counted.collect();
        self.counted = now;
    }

    /// A queue that has just been found longer than it was for long.
    fn grown(&self, span: u64, now: Time) -> Option<&Queue> {
        let queue = self.all.get(&span).filter(|_| self.counted == now);
        queue.filter(|queue| queue.is_longest && queue.rises >= Self::RISES)
    }
}

impl Queue {
    fn new(now: Time, waiters: u64) -> Self {
        Self {
            since: now,
            from: waiters,
            most: waiters,
            rises: 0,
            is_longest: false,
        }
    }

    fn then(self, now: Time, waiters: u64) -> Self {
        let is_shorter = waiters < self.from || waiters < self.most - self.most / 10;
        if is_shorter {
            return Self::new(now, waiters);
        }
        let is_longest = waiters > self.most;
        Self {
            most: self.most.max(waiters),
            rises: self.rises.saturating_add(u32::from(is_longest)),
            is_longest,
            ..self
        }
    }
}

impl Sound for Queues {
    fn sound(self) -> Result<Self, Unsound> {
        let counts = self.all.values().flat_map(|q| [q.from, q.most]);
        kept::countable(&counts.collect::<Vec<_>>())?;
        let is_sound = |queue: &Queue| queue.from <= queue.most;
        let sound = self.all.values().all(is_sound);
        sound
            .then_some(self)
            .ok_or(Unsound("a queue that shrank as it grew"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a queue as long as this, second by second, is found to have grown at its end.
    fn grown(waiters: impl IntoIterator<Item = u64>) -> Option<(u64, u64)> {
        let mut queues = Queues::default();
        let mut now = Time::default();
        for waiters in waiters {
            now = now + Queues::EVERY;
            assert!(queues.is_due(now));
            let awaited = (waiters > 0).then_some((7, waiters));
            queues.count(now, awaited.into_iter());
            assert!(!queues.is_due(now + Queues::EVERY / 2));
        }
        queues.grown(7, now).map(|queue| (queue.from, queue.most))
    }

    #[test]
    fn a_queue_grows_that_is_longer_than_ever_again_and_again() {
        assert_eq!(grown([5, 55, 105, 155]), Some((5, 155)));
        assert_eq!(grown([5, 55, 105]), None);
        // A few that go meanwhile make no difference, …
        assert_eq!(grown([5, 55, 105, 100, 155]), Some((5, 155)));
        // … but it has to be longer now.
        assert_eq!(grown([5, 55, 105, 155, 154]), None);
    }

    #[test]
    fn many_that_come_at_once_are_no_growing_queue() {
        assert_eq!(grown([1_000, 990, 980, 970, 960, 950]), None);
        assert_eq!(grown([400, 1_000, 1_000, 1_000, 1_000]), None);
    }

    #[test]
    fn a_queue_that_comes_and_goes_does_not_grow() {
        assert_eq!(grown([10, 90, 150, 30, 100, 160, 20, 90, 150]), None);
        assert_eq!(grown([5, 55, 0, 105, 155, 205]), None);
    }
}
