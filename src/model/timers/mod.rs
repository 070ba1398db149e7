//! All timers: which there are, what is due next, and what has fired.
//!
//! With our probe every time here is exact; what [`console`] works out without it is not. What
//! follows from them is in [`index`].

mod console;
mod index;

use std::collections::VecDeque;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost,
    kept::{self, Sound, Unsound},
    pages::Pages,
    task::TaskId,
    tasks::Tasks,
    timer::{Timer, TimerId},
};
use crate::frame::Time;

use self::index::{Entry, Index};

/// All timers that are alive, and the newest of those that are gone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    all: Pages<TimerId, Timer>,
    #[serde(skip)]
    index: Index,
    /// Console protocol: the timer that a resource's span stands for.
    #[serde(serialize_with = "kept::sorted")]
    by_span: IdMap<u64, TimerId>,
    /// Oldest first.
    gone: VecDeque<TimerId>,
    /// Those that fired since it was last asked, as the probe tells.
    just_fired: Vec<TimerId>,
    next: u64,
    /// Timers that were kept after their end, and are not any more.
    forgotten: u64,
    /// Those of them that had fired late.
    forgotten_late: u64,
}

impl Sound for Timers {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.next, self.forgotten, self.forgotten_late])?;
        for timer in self.all.values() {
            self.index.change(Entry::default(), Entry::of(timer));
        }
        Ok(self)
    }
}

impl Timers {
    /// Timers kept after their end; the oldest are forgotten first.
    const MAX_GONE: usize = 20_000;

    pub fn get(&self, id: TimerId) -> Option<&Timer> {
        self.all.get(id)
    }

    /// In the order in which they were made.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Timer> {
        self.all.values()
    }

    /// How many can still fire.
    pub fn live_count(&self) -> usize {
        self.index.due.len()
    }

    /// How many have fired or were dropped, and are kept.
    pub fn over_count(&self) -> usize {
        self.all.len().saturating_sub(self.index.due.len())
    }

    /// Those that have ended and are kept, in the order in which they ended.
    pub fn gone(&self) -> impl ExactSizeIterator<Item = Option<&Timer>> {
        self.gone.iter().map(|id| self.all.get(*id))
    }

    /// How many that had ended were forgotten, to bound memory.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Those that can still fire: what is due first comes first, and what has no known
    /// deadline last.
    pub fn live(&self) -> impl Iterator<Item = &Timer> {
        self.live_ids().filter_map(|id| self.all.get(id))
    }

    /// The same, by their ids alone.
    pub fn live_ids(&self) -> impl Iterator<Item = TimerId> {
        self.index.due.iter().map(|(_, id)| *id)
    }

    /// Those that should have fired, the latest first.
    pub fn overdue(&self, now: Time) -> impl Iterator<Item = &Timer> {
        self.live().take_while(move |t| t.overdue(now).is_some())
    }

    /// The live timer of a task that is due first; a time limit only if it has no other.
    pub fn next_of(&self, task: TaskId) -> Option<&Timer> {
        self.all.get(self.index.next_of(task)?.1)
    }

    /// When that is, if it is known. Nobody has to look at the timer itself for this.
    pub(super) fn next_deadline_of(&self, task: TaskId) -> Option<Time> {
        let (deadline, _) = self.index.next_of(task)?;
        (deadline < Index::NEVER).then_some(deadline)
    }

    /// The timers of a task that can still fire, time limits last.
    pub fn of(&self, task: TaskId) -> impl Iterator<Item = &Timer> {
        let first = (task, false, Time::default(), TimerId(0));
        let own = self.index.of_task.range(first..);
        own.take_while(move |(owner, ..)| *owner == task)
            .filter_map(|(.., id)| self.all.get(*id))
    }

    /// The timers of a task that have fired or were dropped, and are kept: those that were due
    /// then or later, with when they were.
    pub fn past_of(&self, task: TaskId, since: Time) -> impl Iterator<Item = (Time, TimerId)> + '_ {
        let last = (task, Time::from_nanos(u64::MAX), TimerId(u64::MAX));
        let own = self.index.past.range((task, since, TimerId(0))..=last);
        own.map(|(_, deadline, id)| (*deadline, *id))
    }

    /// How many fired late, the forgotten ones included. An interval counts once.
    pub fn fired_late(&self) -> u64 {
        self.forgotten_late.saturating_add(self.index.late)
    }

    /// Those that are not gone.
    fn kept_alive(&self) -> usize {
        self.all.len().saturating_sub(self.gone.len())
    }

    pub(super) fn apply_probe(&mut self, timers: &[v1::Timer], tasks: &mut Tasks, lost: &mut Lost) {
        for wire in timers {
            let is_known = self.all.contains(TimerId(wire.id));
            if !is_known && !lost.has_room(self.kept_alive()) {
                continue;
            }
            let task = wire.task.map(|id| tasks.refer(id));
            if let Some(task) = task {
                tasks.touch(task);
            }
            let id = TimerId(wire.id);
            let fires = self.all.get(id).map_or(0, |timer| timer.fires);
            self.change(id, |timer| timer.update_probe(wire, task));
            if wire.fires > fires {
                self.just_fired.push(id);
            }
        }
    }

    pub(super) fn take_fired(&mut self) -> Vec<TimerId> {
        std::mem::take(&mut self.just_fired)
    }

    /// Marks the timers that are overdue though their tasks were polled since.
    pub(super) fn look_for_neglect(&mut self, now: Time, tasks: &Tasks) {
        let polled_since = |timer: &&Timer| {
            let task = timer.task.and_then(|id| tasks.get(id));
            let polled = task.and_then(|task| task.last_poll_started);
            let deadline = timer.deadline.map(|deadline| deadline + Timer::GRAIN * 2);
            deadline < polled && deadline.is_some()
        };
        let found = self.overdue(now).filter(polled_since).map(|timer| timer.id);
        for id in found.collect::<Vec<_>>() {
            if let Some(timer) = self.all.get_mut(id) {
                timer.neglected = true;
            }
        }
    }

    /// Changes a timer, which is made if there is none, and what follows from it.
    fn change(&mut self, id: TimerId, with: impl FnOnce(&mut Timer)) {
        let before = self.all.get(id).map_or_else(Entry::default, Entry::of);
        let timer = self.all.get_or_insert_with(id, || Timer::new(id));
        let was_gone = timer.dropped.is_some();
        with(timer);
        self.index.change(before, Entry::of(timer));
        if timer.dropped.is_some() && !was_gone {
            self.gone.push_back(id);
        }
        if self.gone.len() > Self::MAX_GONE {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.gone.pop_front();
        self.forgotten += 1;
        let Some(timer) = oldest.and_then(|id| self.all.remove(id)) else {
            return;
        };
        self.forgotten_late += u64::from(timer.fired_late());
        self.index.change(Entry::of(&timer), Entry::default());
        if let Some(span) = timer.span
            && self.by_span.get(&span) == Some(&timer.id)
        {
            self.by_span.remove(&span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_nobody_has_polled_yet_waits_live_as_when_it_is_read() {
        let mut timers = Timers::default();
        let told = v1::Timer {
            id: 1,
            ..v1::Timer::default()
        };
        timers.apply_probe(&[told], &mut Tasks::default(), &mut Lost::default());
        let bytes = postcard::to_stdvec(&timers).expect("room");
        let read = postcard::from_bytes::<Timers>(&bytes).expect("timers");
        let read = read.sound().expect("sound timers");
        for timers in [timers, read] {
            assert_eq!((timers.live_count(), timers.over_count()), (1, 0));
        }
    }
}
