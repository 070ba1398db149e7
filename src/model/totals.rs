//! What all tasks have done together, those that were forgotten included.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{kept, task::Task};
use crate::frame::Time;

/// Sums over the tasks that an event loop polls: those of `block_on` are among them, blocking
/// calls and workers are not, but for how many failed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// That have ended in an error or a panic.
    pub failed: u64,
    pub polls: u64,
    /// Time in polls, those that go on included.
    #[serde(with = "kept::span")]
    pub busy: Duration,
    /// Time in which tasks could have run and were not polled; unknown while the wakes of none
    /// are seen.
    #[serde(with = "kept::span")]
    pub ready: Option<Duration>,
    #[serde(with = "kept::span")]
    longest: Duration,
    /// There may have been a longer poll.
    longest_is_least: bool,
}

impl Totals {
    /// The longest single poll; unknown where it may have been one of several that were only
    /// told by their sum.
    pub fn longest_poll(&self) -> Option<Duration> {
        (self.polls > 0 && !self.longest_is_least).then_some(self.longest)
    }

    pub(super) fn add(&mut self, task: &Task, now: Time) {
        self.failed = self.failed.saturating_add(u64::from(task.has_failed()));
        if !task.kind.is_async() {
            return;
        }
        self.polls = self.polls.saturating_add(task.polls());
        self.busy = self.busy.saturating_add(task.busy(now));
        if let Some(ready) = task.ready(now) {
            self.ready = Some(self.ready.unwrap_or_default().saturating_add(ready));
        }
        let (longest, exact) = task.longest_poll(now);
        self.longest = self.longest.max(longest);
        self.longest_is_least |= !exact;
    }
}

/// What a task for which time does not pass adds to the [`Sums`].
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    failed: u64,
    polls: u64,
    /// In nanoseconds.
    busy: u64,
    ready: u64,
    /// It is a task whose wakes are seen, so that its ready time is known.
    wakes_seen: u64,
    /// Its longest poll may have been one that is only known by a sum.
    inexact: u64,
    /// The longest poll of one that is polled by an event loop, in nanoseconds.
    longest: Option<u64>,
}

impl Share {
    pub fn of(task: &Task) -> Self {
        let failed = u64::from(task.has_failed());
        if !task.kind.is_async() {
            return Self {
                failed,
                ..Self::default()
            };
        }
        // Whatever the time is, as it does not pass.
        let now = Time::default();
        let nanos = |time: Duration| time.as_nanos() as u64;
        let (longest, exact) = task.longest_poll(now);
        let ready = task.ready(now);
        Self {
            failed,
            polls: task.polls(),
            busy: nanos(task.busy(now)),
            ready: ready.map_or(0, nanos),
            wakes_seen: u64::from(ready.is_some()),
            inexact: u64::from(!exact),
            longest: Some(nanos(longest)),
        }
    }

    fn combine(&mut self, other: &Self, with: fn(u64, u64) -> u64) {
        for (own, other) in [
            (&mut self.failed, other.failed),
            (&mut self.polls, other.polls),
            (&mut self.busy, other.busy),
            (&mut self.ready, other.ready),
            (&mut self.wakes_seen, other.wakes_seen),
            (&mut self.inexact, other.inexact),
        ] {
            *own = with(*own, other);
        }
    }
}

/// The totals of all tasks for which time does not pass, kept as they change. Sums are modulo
/// 2^64, so that what was added can always be taken out again.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    all: Share,
    /// How many tasks have a longest poll of so many nanoseconds.
    longest: BTreeMap<u64, usize>,
}

impl Sums {
    /// A task has changed, has come or has gone.
    pub fn change(&mut self, before: &Share, after: &Share) {
        self.all.combine(before, u64::wrapping_sub);
        self.all.combine(after, u64::wrapping_add);
        if before.longest != after.longest {
            self.remove_longest(before.longest);
            if let Some(longest) = after.longest {
                *self.longest.entry(longest).or_default() += 1;
            }
        }
    }

    fn remove_longest(&mut self, longest: Option<u64>) {
        let Some(longest) = longest else { return };
        if let Some(count) = self.longest.get_mut(&longest) {
            *count -= 1;
            if *count == 0 {
                self.longest.remove(&longest);
            }
        }
    }

    /// Adds the sums to what those have done that are forgotten.
    pub fn add_to(&self, past: Totals) -> Totals {
        let Share {
            failed,
            polls,
            busy,
            ready,
            wakes_seen,
            inexact,
            ..
        } = self.all;
        let longest = self.longest.last_key_value();
        let longest = longest.map_or(0, |(longest, _)| *longest);
        let ready = (wakes_seen > 0).then(|| Duration::from_nanos(ready));
        let all_ready = past.ready.into_iter().chain(ready);
        Totals {
            failed: past.failed.saturating_add(failed),
            polls: past.polls.saturating_add(polls),
            busy: past.busy.saturating_add(Duration::from_nanos(busy)),
            ready: all_ready.reduce(Duration::saturating_add),
            longest: past.longest.max(Duration::from_nanos(longest)),
            longest_is_least: past.longest_is_least || inexact > 0,
        }
    }
}
