//! Who has a lock, or permits of a semaphore.
//!
//! tokio tells who obtains permits, and that some are given back, but not whose those were:
//! they are taken for those of the task that gives them back. A task that gives back what
//! it never had was handed a guard by another, or got it by `try_acquire`, of which tokio
//! says nothing.
//!
//! Of a channel permits are places for messages, and who receives gives them back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Nanos;

/// The publisher waits for no one in a program's thread but here, and they for it: for as
/// long as it takes to copy [`Held::MOST`] rows, once a publish.
#[derive(Debug, Default)]
pub(crate) struct Holders(Mutex<Held>);

/// The holders as they were when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The first first.
    pub(crate) list: Vec<Hold>,
    /// Permits of those for whom there was no room in the list.
    pub(crate) others: u64,
    /// Whose permits were given back was not always told: the list is a guess.
    pub(crate) is_guess: bool,
    /// Of a channel, which nobody holds: the task that made room in it last, 0 for none.
    pub(crate) receiver: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// 0 for code that is no task's.
    pub(crate) task: u64,
    pub(crate) permits: u64,
    pub(crate) since: Nanos,
}

impl Holders {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn obtained(&self, task: u64, permits: u64, at: Nanos) {
        self.lock().obtained(task, permits, at);
    }

    /// It has a guard now: what it was not heard to obtain, it got by `try_lock`.
    pub(crate) fn has(&self, task: u64, at: Nanos) {
        let mut held = self.lock();
        if !held.list.iter().any(|hold| hold.task == task) {
            held.obtained(task, 1, at);
        }
    }

    /// `task` gave them back.
    pub(crate) fn returned(&self, task: u64, permits: u64) {
        self.lock().returned(task, permits);
    }

    /// `from` gave permits back, and they were given to `to`, who waited for them.
    pub(crate) fn passed(&self, from: u64, to: u64, permits: u64, at: Nanos) {
        let mut held = self.lock();
        held.returned(from, permits);
        held.obtained(to, permits, at);
    }

    /// `task` made room in a channel. Tells whether that is news.
    pub(crate) fn received(&self, task: u64) -> bool {
        std::mem::replace(&mut self.lock().receiver, task) != task
    }

    pub(crate) fn read(&self) -> Held {
        self.lock().clone()
    }
}

impl Held {
    const MOST: usize = 64;

    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.list.capacity() * size_of::<Hold>()
    }

    fn obtained(&mut self, task: u64, permits: u64, at: Nanos) {
        if let Some(hold) = self.list.iter_mut().find(|hold| hold.task == task) {
            hold.permits = hold.permits.saturating_add(permits);
        } else if self.list.len() < Self::MOST {
            self.list.push(Hold {
                task,
                permits,
                since: at,
            });
        } else {
            self.others = self.others.saturating_add(permits);
        }
    }

    fn returned(&mut self, task: u64, permits: u64) {
        if let Some(index) = self.list.iter().position(|hold| hold.task == task) {
            self.take(index, permits);
        } else if self.others > 0 {
            self.others = self.others.saturating_sub(permits);
        } else {
            // Without another clue, those of who has had them for the longest.
            self.is_guess |= self.list.len() > 1;
            self.take(0, permits);
        }
    }

    fn take(&mut self, index: usize, permits: u64) {
        if let Some(hold) = self.list.get_mut(index) {
            hold.permits = hold.permits.saturating_sub(permits);
            if hold.permits == 0 {
                self.list.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(holders: &Holders) -> Vec<(u64, u64)> {
        let held = holders.read();
        held.list.iter().map(|h| (h.task, h.permits)).collect()
    }

    #[test]
    fn a_lock_goes_from_one_to_the_next() {
        let lock = Holders::default();
        lock.obtained(1, 1, 10);
        lock.has(1, 11);
        assert_eq!(tasks(&lock), [(1, 1)], "its guard is what it obtained");
        lock.passed(1, 2, 1, 20);
        assert_eq!(
            (tasks(&lock), lock.read().list[0].since),
            (vec![(2, 1)], 20)
        );
        lock.returned(2, 1);
        lock.has(3, 30);
        assert_eq!(tasks(&lock), [(3, 1)], "by `try_lock`");
    }

    #[test]
    fn a_release_that_is_told_late_is_no_guess() {
        let lock = Holders::default();
        lock.obtained(1, 1, 10);
        lock.obtained(2, 1, 20);
        lock.returned(1, 1);
        assert_eq!((tasks(&lock), lock.read().is_guess), (vec![(2, 1)], false));
    }

    #[test]
    fn a_guard_of_the_only_holder_can_be_dropped_by_anyone() {
        let permits = Holders::default();
        permits.obtained(1, 3, 10);
        permits.returned(9, 1);
        let held = permits.read();
        assert_eq!((tasks(&permits), held.is_guess), (vec![(1, 2)], false));
    }

    #[test]
    fn whose_permits_came_back_is_a_guess_among_several() {
        let permits = Holders::default();
        permits.obtained(1, 2, 10);
        permits.obtained(2, 1, 20);
        permits.returned(9, 1);
        let held = permits.read();
        assert_eq!(
            (tasks(&permits), held.is_guess),
            (vec![(1, 1), (2, 1)], true)
        );
    }

    #[test]
    fn those_who_find_no_room_are_counted() {
        let permits = Holders::default();
        for task in 1..=Held::MOST as u64 + 2 {
            permits.obtained(task, 1, task);
        }
        assert_eq!(permits.read().others, 2);
        permits.returned(Held::MOST as u64 + 1, 1);
        let held = permits.read();
        assert_eq!((held.others, held.list.len()), (1, Held::MOST));
        assert!(!held.is_guess);
    }
}
