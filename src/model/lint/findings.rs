//! What was found so far.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Finding, FindingId, Kind, Thresholds, Victim, growing_queue::Queues, needless_async::Tallies,
    recent::Recent,
};
use crate::{
    frame::Time,
    model::{
        Task, TaskId,
        kept::{self, Sound, Unsound},
    },
};

/// The findings, and what the lints remember to judge by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lints {
    pub thresholds: Thresholds,
    /// By lint and cause.
    found: BTreeMap<FindingId, Finding>,
    /// Findings beyond those that are kept.
    more: usize,
    /// The newest case of a task that was counted.
    counted: BTreeMap<(TaskId, Kind), Time>,
    /// Tasks to be judged again.
    pub(super) later: Vec<TaskId>,
    pub(super) recent: Recent,
    pub(super) tallies: Tallies,
    pub(super) queues: Queues,
}

impl Lints {
    /// A poll as long as this blocks its loop, if no other threshold was set.
    pub const BLOCKED: Duration = Duration::from_millis(100);
    /// Findings kept: so many causes are more than a person reads.
    const MAX: usize = 1_000;
    /// Cases remembered, to count each once.
    const MAX_COUNTED: usize = 100_000;
    /// Victims named in a finding; the others are counted.
    const VICTIMS: usize = 20;

    /// Those that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Finding> {
        let mut found: Vec<&Finding> = self.found.values().collect();
        found.sort_by_key(|f| (f.at, f.kind, f.task, f.cause));
        found.into_iter()
    }

    pub fn get(&self, id: FindingId) -> Option<&Finding> {
        self.found.get(&id)
    }

    /// How many were found, those that are not kept included.
    pub fn len(&self) -> usize {
        self.found.len() + self.more
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in a case: a new finding, one more of a known one, or news of the same one.
    pub(super) fn add(&mut self, mut new: Finding) {
        new.victims.truncate(Self::VICTIMS);
        let is_new_case = self.count(&new);
        let room = self.found.len() < Self::MAX;
        let Some(known) = self.found.get_mut(&new.id()) else {
            if room {
                self.found.insert(new.id(), new);
            } else if is_new_case {
                self.more += 1;
            }
            return;
        };
        if new.count > 1 {
            // It tells of all cases until now: what was said of fewer is out of date.
            known.count = known.count.max(new.count);
            (known.message, known.evidence) = (new.message, new.evidence);
            return;
        }
        new.count = known.count.saturating_add(u64::from(is_new_case));
        let is_same_case = (known.task, known.case) == (new.task, new.case);
        if is_same_case && known.late > new.late {
            // The same poll, longer by now: it keeps the longest list of victims.
            (new.victims, new.late) = (std::mem::take(&mut known.victims), known.late);
        }
        if is_same_case || new.lasted > known.lasted {
            *known = new;
        } else {
            known.count = new.count;
        }
    }

    /// Nothing new can come of such a case of this task, of which it has one at most, and which
    /// has no length: it is counted, and the finding describes another task.
    pub(super) fn is_settled(&self, kind: Kind, task: &Task) -> bool {
        let is_counted = self.counted.contains_key(&(task.id, kind));
        let described = || self.found.get(&(kind, task.cause()))?.task;
        is_counted && described() != Some(task.id)
    }

    /// Whether this case was not counted before.
    fn count(&mut self, new: &Finding) -> bool {
        let Some(task) = new.task else {
            return false;
        };
        let before = self.counted.insert((task, new.kind), new.case);
        if self.counted.len() > Self::MAX_COUNTED {
            self.counted.pop_first();
        }
        before.is_none_or(|before| before < new.case)
    }

    /// Adds to the poll of this task that began then somebody who was late because of it,
    /// unless that is known.
    pub(super) fn add_victim(&mut self, cause: u64, since: Time, victim: Victim) {
        let found = self.found.get_mut(&(Kind::BlockedLoop, cause));
        let Some(found) = found.filter(|found| found.at == since) else {
            return;
        };
        let mut known = found.victims.iter_mut();
        if let Some(known) = known.find(|v| v.task == victim.task) {
            if known.late < victim.late {
                *known = victim;
            }
        } else if found.late < Self::VICTIMS {
            found.late += 1;
            found.victims.push(victim);
        }
        found.victims.sort_by_key(|v| std::cmp::Reverse(v.late));
    }
}

impl Sound for Lints {
    fn sound(self) -> Result<Self, Unsound> {
        let counts = self.found.values().flat_map(|f| [f.count, f.late as u64]);
        let counts: Vec<u64> = counts.chain([self.more as u64]).collect();
        kept::countable(&counts)?;
        Ok(Self {
            tallies: self.tallies.sound()?,
            queues: self.queues.sound()?,
            ..self
        })
    }
}
