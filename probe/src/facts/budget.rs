//! How much memory is in use, and its limit.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Memory for what is told, in bytes, and its limit.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// For each entity that lives, in tables: by its span, and by its own number.
    pub(crate) const ROWS: usize = 96;

    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
        }
    }

    /// Takes memory for something new; false if there is none left.
    fn take(&self, bytes: usize) -> bool {
        let used = self.used.fetch_add(bytes, Relaxed);
        let fits = used.saturating_add(bytes) <= self.limit;
        if !fits {
            self.give(bytes);
        }
        fits
    }

    /// Takes memory that is needed in any case.
    pub(crate) fn take_anyway(&self, bytes: usize) {
        self.used.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How much has to go so that there is room for what is new: an eighth of all is kept
    /// free once the limit is near.
    pub(crate) fn excess(&self) -> usize {
        self.used().saturating_sub(self.limit / 8 * 7)
    }

    /// So little is left that making room cannot wait. It is half of what is kept free: if it
    /// were all of it, somebody would have to make room for each that is new.
    pub(crate) fn is_short(&self) -> bool {
        self.used() > self.limit / 16 * 15
    }

    /// What a thread takes at once.
    fn portion(&self) -> usize {
        const MOST: usize = 8 << 10;
        MOST.min(self.limit >> 12)
    }
}

/// What is left of what a thread took at once: to take it for each that is new, threads would
/// write in the same place all the time.
#[derive(Debug, Default)]
pub(crate) struct Credit(usize);

impl Credit {
    pub(crate) fn has(&self, bytes: usize) -> bool {
        self.0 >= bytes
    }

    /// Takes memory for something new; false if there is none left.
    pub(crate) fn take(&mut self, bytes: usize, budget: &Budget) -> bool {
        if let Some(rest) = self.0.checked_sub(bytes) {
            self.0 = rest;
            return true;
        }
        let portion = budget.portion();
        if budget.take(bytes + portion) {
            self.0 += portion;
            return true;
        }
        budget.take(bytes)
    }

    pub(crate) fn give_back(&mut self, budget: &Budget) {
        budget.give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_takes_a_portion_at_once_and_gives_back_what_is_left() {
        let budget = Budget::new(8 << 20);
        let mut credit = Credit::default();
        assert!(credit.take(100, &budget));
        let used = budget.used();
        assert!(used > 100 && credit.has(100));
        assert!(credit.take(100, &budget));
        assert_eq!(budget.used(), used, "it was taken before");
        credit.give_back(&budget);
        assert_eq!(budget.used(), 200);
    }

    #[test]
    fn the_last_of_it_is_taken_to_the_byte() {
        let budget = Budget::new(8 << 20);
        budget.take_anyway((8 << 20) - 250);
        let mut credit = Credit::default();
        assert!(credit.take(100, &budget));
        assert!(credit.take(150, &budget));
        assert!(!credit.take(1, &budget));
        assert_eq!(budget.used(), budget.limit());
    }
}
