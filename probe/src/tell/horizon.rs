//! Up to when everything is known.
//!
//! While the program changes more than can be read at once, some of what was read is old: a task
//! that was in a poll then may have ended since, which is still on the list. To tell of it with the
//! present time would make a long poll of a short one. So what is told is of the newest time of
//! which nothing is on the list any more.

use crate::clock::Nanos;

#[derive(Debug)]
pub(super) struct Horizon {
    at: Nanos,
    /// A time, and how much of what was listed before is still to be read.
    next: Option<(Nanos, usize)>,
}

impl Horizon {
    pub(super) fn new(at: Nanos) -> Self {
        Self { at, next: None }
    }

    pub(super) fn at(&self) -> Nanos {
        self.at
    }

    /// So much is listed now. It is asked for only if it is needed.
    pub(super) fn look(&mut self, look: impl FnOnce() -> (Nanos, usize)) {
        self.next.get_or_insert_with(look);
    }

    /// So much was read, what had waited longest first.
    pub(super) fn read(&mut self, count: usize) {
        let Some((at, left)) = &mut self.next else {
            return;
        };
        *left = left.saturating_sub(count);
        if *left == 0 {
            self.at = *at;
            self.next = None;
        }
    }

    /// Nothing was listed any more at this time.
    pub(super) fn reach(&mut self, at: Nanos) {
        self.at = at;
        self.next = None;
    }
}

/// Of which time messages are that belong together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    /// Of all but the last: who has read them knows of some things only what was before.
    pub(super) before: Nanos,
    /// Of the last, with which all is told.
    pub(super) now: Nanos,
}

impl Times {
    pub(super) fn of(self, is_last: bool) -> Nanos {
        if is_last { self.now } else { self.before }
    }
}

#[cfg(test)]
mod tests {
    use super::Horizon;

    #[test]
    fn it_comes_nearer_as_what_was_listed_is_read() {
        let mut horizon = Horizon::new(10);
        horizon.look(|| (20, 5));
        horizon.read(3);
        // Meanwhile more is listed, which is later.
        horizon.look(|| unreachable!("it looks for one time after the other"));
        assert_eq!(horizon.at(), 10);
        horizon.read(3);
        assert_eq!(horizon.at(), 20);
        horizon.look(|| (30, 100));
        horizon.read(99);
        assert_eq!(horizon.at(), 20);
        horizon.reach(40);
        horizon.read(1);
        assert_eq!(horizon.at(), 40);
    }
}
