//! What all tasks have done together, those that were forgotten included.

use std::time::Duration;

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
