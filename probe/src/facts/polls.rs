//! Exact polls, in a bounded ring for each thread that polls.

use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::changes::Early;
use crate::clock::Nanos;

/// One poll of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Poll {
    /// `Task::id`.
    pub(crate) task: u64,
    pub(crate) started: Nanos,
    /// In nanoseconds.
    pub(crate) lasted: u64,
    /// When the task was woken for it; 0 if nobody told.
    pub(crate) woken: Nanos,
    /// The task that woke it; 0 if it was none: the driver, another thread, or its spawn.
    pub(crate) woken_by: u64,
}

impl Poll {
    /// The span of a task is also entered when its future is dropped, and that is known
    /// only when the span closes, right after: what came before this was no poll.
    pub(crate) fn drop_of(task: u64) -> Self {
        Self {
            task,
            lasted: u64::MAX,
            ..Self::default()
        }
    }

    fn is_drop(&self) -> bool {
        self.lasted == u64::MAX
    }

    fn ended(&self) -> Nanos {
        self.started.saturating_add(self.lasted)
    }
}

type Slot = [AtomicU64; 5];

/// Written by one thread, read by the publisher. What does not fit is counted.
#[derive(Debug)]
pub(crate) struct Ring {
    slots: Box<[Slot]>,
    written: AtomicU64,
    read: AtomicU64,
    lost: AtomicU64,
    half_full: Arc<Early>,
}

impl Ring {
    /// Polls that fit: a reader is woken when half of them are there.
    pub(crate) const LENGTH: usize = 4_096;
    pub(crate) const BYTES: usize = Self::LENGTH * size_of::<Slot>();

    pub(crate) fn new(half_full: Arc<Early>) -> Self {
        Self {
            slots: (0..Self::LENGTH).map(|_| Slot::default()).collect(),
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            half_full,
        }
    }

    fn slot(&self, index: u64) -> &Slot {
        &self.slots[index as usize % Self::LENGTH]
    }

    /// By the thread that it belongs to.
    pub(crate) fn push(&self, poll: Poll) {
        let written = self.written.load(Relaxed);
        let waiting = written - self.read.load(Acquire);
        if waiting >= Self::LENGTH as u64 {
            super::add(&self.lost, 1);
            return;
        }
        let slot = self.slot(written);
        for (place, value) in slot.iter().zip([
            poll.task,
            poll.started,
            poll.lasted,
            poll.woken,
            poll.woken_by,
        ]) {
            place.store(value, Relaxed);
        }
        self.written.store(written + 1, Release);
        if waiting == Self::LENGTH as u64 / 2 {
            self.half_full.wake();
        }
    }

    fn get(&self, index: u64) -> Poll {
        let [task, started, lasted, woken, woken_by] =
            self.slot(index).each_ref().map(|value| value.load(Relaxed));
        Poll {
            task,
            started,
            lasted,
            woken,
            woken_by,
        }
    }

    /// By the publisher: every poll that has not been read, and how many were lost in all.
    /// One that ended after `settled` may yet turn out to be a drop, and stays.
    pub(crate) fn drain(&self, settled: Nanos, mut take: impl FnMut(Poll)) -> u64 {
        let mut read = self.read.load(Relaxed);
        let written = self.written.load(Acquire);
        while read < written {
            let poll = self.get(read);
            let next = (read + 1 < written).then(|| self.get(read + 1));
            match next {
                _ if poll.is_drop() => {}
                None if poll.ended() > settled => break,
                Some(next) if next.is_drop() && next.task == poll.task => {}
                _ => take(poll),
            }
            read += 1;
        }
        self.read.store(read, Release);
        self.lost.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(n: u64) -> Poll {
        Poll {
            task: n,
            started: n * 10,
            lasted: n + 1,
            woken: n * 10 - 1,
            woken_by: n / 2,
        }
    }

    #[test]
    fn what_goes_in_comes_out_in_order_and_what_does_not_fit_is_counted() {
        let ring = Ring::new(Arc::default());
        let mut expected = 1;
        for round in 1..=3 {
            let mut out = Vec::new();
            (0..3_000).for_each(|i| ring.push(poll(expected + i)));
            assert_eq!(ring.drain(Nanos::MAX, |p| out.push(p)), 0, "round {round}");
            assert!(
                out.iter()
                    .copied()
                    .eq((expected..expected + 3_000).map(poll))
            );
            expected += 3_000;
        }
        (0..Ring::LENGTH as u64 + 7).for_each(|i| ring.push(poll(1 + i)));
        let mut n = 0;
        assert_eq!(ring.drain(Nanos::MAX, |_| n += 1), 7);
        assert_eq!(n, Ring::LENGTH);
    }

    #[test]
    fn the_drop_of_a_future_is_no_poll() {
        let ring = Ring::new(Arc::default());
        for p in [poll(1), poll(2), Poll::drop_of(2), poll(3)] {
            ring.push(p);
        }
        let mut out = Vec::new();
        ring.drain(31, |p| out.push(p.task));
        assert_eq!(out, [1], "the last one has only just ended");
        ring.push(Poll::drop_of(3));
        ring.push(poll(4));
        ring.drain(Nanos::MAX, |p| out.push(p.task));
        assert_eq!(out, [1, 4]);
    }

    #[test]
    fn a_reader_beside_the_writer_sees_whole_polls_only() {
        let ring = Arc::new(Ring::new(Arc::default()));
        let total = 200_000_u64;
        let writer = std::thread::spawn({
            let ring = Arc::clone(&ring);
            move || (1..=total).for_each(|n| ring.push(poll(n)))
        });
        let (mut seen, mut lost, mut newest) = (0, 0, 0);
        while seen + lost < total {
            lost = ring.drain(Nanos::MAX, |p| {
                assert_eq!(p, poll(p.task));
                assert!(p.task > newest);
                newest = p.task;
                seen += 1;
            });
        }
        writer.join().expect("it does not panic");
    }
}
