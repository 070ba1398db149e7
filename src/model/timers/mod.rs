//! All timers: which there are, what is due next, and what has fired.
//!
//! With our probe every time here is exact; what [`console`] works out without it is not.

mod console;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost,
    kept::{self, Sound, Unsound},
    task::TaskId,
    tasks::Tasks,
    timer::{Placed, Timer, TimerId},
};
use crate::frame::Time;

/// All timers that are alive, and the newest of those that are gone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    all: BTreeMap<TimerId, Timer>,
    /// Console protocol: the timer that a resource's span stands for.
    #[serde(serialize_with = "kept::sorted")]
    by_span: IdMap<u64, TimerId>,
    /// Oldest first.
    gone: VecDeque<TimerId>,
    /// Those that can still fire, by deadline.
    #[serde(skip)]
    due: BTreeSet<(Time, TimerId)>,
    /// The same, by the task that polls them; time limits come after what they limit.
    #[serde(skip)]
    of_task: BTreeSet<(TaskId, bool, Time, TimerId)>,
    /// Those that cannot, with a deadline, by their task.
    #[serde(skip)]
    past: BTreeSet<(TaskId, Time, TimerId)>,
    /// Those that fired since it was last asked, as the probe tells.
    just_fired: Vec<TimerId>,
    next: u64,
    /// Timers that were kept after their end, and are not any more.
    forgotten: u64,
    /// Those of them that had fired late, and those of the others that have.
    forgotten_late: u64,
    #[serde(skip)]
    late: u64,
}

impl Sound for Timers {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.next, self.forgotten, self.forgotten_late])?;
        for timer in self.all.values() {
            self.past.extend(timer.past());
            self.late += u64::from(timer.fired_late());
            if let Some((task, is_limit, deadline)) = timer.place() {
                self.due.insert((deadline, timer.id));
                if let Some(task) = task {
                    self.of_task.insert((task, is_limit, deadline, timer.id));
                }
            }
        }
        Ok(self)
    }
}

impl Timers {
    /// Timers kept after their end; the oldest are forgotten first.
    const MAX_GONE: usize = 20_000;

    pub fn get(&self, id: TimerId) -> Option<&Timer> {
        self.all.get(&id)
    }

    /// In the order in which they were made.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Timer> {
        self.all.values()
    }

    /// How many can still fire.
    pub fn live_count(&self) -> usize {
        self.due.len()
    }

    /// How many have fired or were dropped, and are kept.
    pub fn over_count(&self) -> usize {
        self.all.len().saturating_sub(self.due.len())
    }

    /// Those that have ended and are kept, in the order in which they ended.
    pub fn gone(&self) -> impl ExactSizeIterator<Item = Option<&Timer>> {
        self.gone.iter().map(|id| self.all.get(id))
    }

    /// How many that had ended were forgotten, to bound memory.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Those that can still fire: what is due first comes first, and what has no known
    /// deadline last.
    pub fn live(&self) -> impl Iterator<Item = &Timer> {
        self.live_ids().filter_map(|id| self.all.get(&id))
    }

    /// The same, by their ids alone.
    pub fn live_ids(&self) -> impl Iterator<Item = TimerId> {
        self.due.iter().map(|(_, id)| *id)
    }

    /// Those that should have fired, the latest first.
    pub fn overdue(&self, now: Time) -> impl Iterator<Item = &Timer> {
        self.live().take_while(move |t| t.overdue(now).is_some())
    }

    /// The live timer of a task that is due first; a time limit only if it has no other.
    pub fn next_of(&self, task: TaskId) -> Option<&Timer> {
        let first = (task, false, Time::default(), TimerId(0));
        let (owner, .., id) = self.of_task.range(first..).next()?;
        self.all.get(id).filter(|_| *owner == task)
    }

    /// The timers of a task that can still fire, time limits last.
    pub fn of(&self, task: TaskId) -> impl Iterator<Item = &Timer> {
        let first = (task, false, Time::default(), TimerId(0));
        let own = self.of_task.range(first..);
        own.take_while(move |(owner, ..)| *owner == task)
            .filter_map(|(.., id)| self.all.get(id))
    }

    /// The timers of a task that have fired or were dropped, and are kept: those that were due
    /// then or later, with when they were.
    pub fn past_of(&self, task: TaskId, since: Time) -> impl Iterator<Item = (Time, TimerId)> + '_ {
        let last = (task, Time::from_nanos(u64::MAX), TimerId(u64::MAX));
        let own = self.past.range((task, since, TimerId(0))..=last);
        own.map(|(_, deadline, id)| (*deadline, *id))
    }

    /// How many fired late, the forgotten ones included. An interval counts once.
    pub fn fired_late(&self) -> u64 {
        self.forgotten_late.saturating_add(self.late)
    }

    /// Those that are not gone.
    fn kept_alive(&self) -> usize {
        self.all.len().saturating_sub(self.gone.len())
    }

    pub(super) fn apply_probe(&mut self, timers: &[v1::Timer], tasks: &mut Tasks, lost: &mut Lost) {
        for wire in timers {
            let is_known = self.all.contains_key(&TimerId(wire.id));
            if !is_known && !lost.has_room(self.kept_alive()) {
                continue;
            }
            let task = wire.task.map(|id| tasks.refer(id));
            if let Some(task) = task {
                tasks.touch(task);
            }
            let id = TimerId(wire.id);
            let fires = self.all.get(&id).map_or(0, |timer| timer.fires);
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
            if let Some(timer) = self.all.get_mut(&id) {
                timer.neglected = true;
            }
        }
    }

    /// Changes a timer, which is made if there is none, and what is known of where it is.
    fn change(&mut self, id: TimerId, with: impl FnOnce(&mut Timer)) {
        let timer = self.all.entry(id).or_insert_with(|| Timer::new(id));
        let before = (timer.place(), timer.past(), timer.dropped.is_some());
        self.late -= u64::from(timer.fired_late());
        with(timer);
        self.late += u64::from(timer.fired_late());
        let after = (timer.place(), timer.past(), timer.dropped.is_some());
        if before.0 != after.0 {
            self.place(id, before.0, after.0);
        }
        if before.1 != after.1 {
            if let Some(before) = before.1 {
                self.past.remove(&before);
            }
            self.past.extend(after.1);
        }
        if after.2 && !before.2 {
            self.gone.push_back(id);
        }
        if self.gone.len() > Self::MAX_GONE {
            self.forget_oldest();
        }
    }

    /// Takes a timer from its place among those that can still fire to another.
    fn place(&mut self, id: TimerId, from: Option<Placed>, to: Option<Placed>) {
        if let Some((task, is_limit, deadline)) = from {
            self.due.remove(&(deadline, id));
            if let Some(task) = task {
                self.of_task.remove(&(task, is_limit, deadline, id));
            }
        }
        if let Some((task, is_limit, deadline)) = to {
            self.due.insert((deadline, id));
            if let Some(task) = task {
                self.of_task.insert((task, is_limit, deadline, id));
            }
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.gone.pop_front();
        self.forgotten += 1;
        let timer = oldest.and_then(|id| self.all.remove(&id));
        let was_late = u64::from(timer.as_ref().is_some_and(Timer::fired_late));
        self.late -= was_late;
        self.forgotten_late += was_late;
        if let Some(past) = timer.as_ref().and_then(Timer::past) {
            self.past.remove(&past);
        }
        let span = timer.and_then(|timer| timer.span);
        if let Some(span) = span
            && self.by_span.get(&span) == oldest.as_ref()
        {
            self.by_span.remove(&span);
        }
    }
}
