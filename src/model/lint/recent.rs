//! The long polls of the last minute: they explain why others are late.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{frame::Time, model::TaskId};

/// A poll that held up others of its runtime.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
pub(super) struct LongPoll {
    pub task: TaskId,
    /// Of its task's finding.
    pub cause: u64,
    pub runtime: Option<u64>,
    pub since: Time,
    pub until: Time,
}

impl LongPoll {
    fn overlap(&self, from: Time, to: Time) -> Duration {
        self.until.min(to).since(self.since.max(from))
    }
}

/// Newest last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Recent(VecDeque<LongPoll>);

impl Recent {
    const MAX: usize = 1_000;
    const KEPT: Duration = Duration::from_secs(60);

    pub fn add(&mut self, poll: LongPoll) {
        let newest = self.0.iter_mut().rev();
        // One that goes on is told at each frame.
        let mut newest = newest.take_while(|known| known.until >= poll.since);
        match newest.find(|known| (known.task, known.since) == (poll.task, poll.since)) {
            Some(known) => known.until = known.until.max(poll.until),
            None => self.0.push_back(poll),
        }
        let old = |known: &LongPoll| known.until + Self::KEPT < poll.until;
        while self.0.len() > Self::MAX || self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
    }

    /// The polls of at least this length that took a part of this time, each with that part;
    /// those of one runtime, as far as runtimes are told apart.
    pub fn over(
        &self,
        runtime: Option<u64>,
        (from, to): (Time, Time),
        least: Duration,
    ) -> impl Iterator<Item = (&LongPoll, Duration)> {
        let here = move |poll: &&LongPoll| {
            let pair = poll.runtime.zip(runtime);
            pair.is_none_or(|(its, ours)| its == ours) && poll.until.since(poll.since) >= least
        };
        let polls = self.0.iter().filter(here);
        let parts = polls.map(move |poll| (poll, poll.overlap(from, to)));
        parts.filter(|(_, part)| !part.is_zero())
    }
}
