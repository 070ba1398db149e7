//! How long a task's polls and its waits for them took: a histogram that costs next to
//! nothing until there is something to count.
//!
//! Buckets are log-linear, as those of `HdrHistogram` (hdrhistogram.org), in units of 64 ns,
//! which is what a poll costs that does nothing: one for each unit below 4 µs, and above 32
//! for each power of two. So a duration is known to 32 ns or 1.6 %. The first four samples are four numbers of buckets in one atomic; only a task
//! with more of them has lists of buckets.

use std::sync::{
    Mutex, TryLockError,
    atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// 64 ns.
const UNIT_BITS: u32 = 6;
/// 32 steps for each power of two.
const STEP_BITS: u32 = 5;
/// Below this, each unit has a bucket of its own.
const EXACT: u64 = 1 << (STEP_BITS + 1);

/// The bucket of a duration in nanoseconds, from 1: 0 is no sample.
fn bucket(nanos: u64) -> u16 {
    let units = nanos >> UNIT_BITS;
    if units < EXACT {
        return units as u16 + 1;
    }
    let power = units.ilog2() - STEP_BITS;
    ((u64::from(power) << STEP_BITS) + (units >> power)) as u16 + 1
}

/// The middle of a bucket, in nanoseconds.
fn middle(bucket: u16) -> u64 {
    let index = u64::from(bucket) - 1;
    let (lowest, bits) = if index < EXACT {
        (index, UNIT_BITS)
    } else {
        let power = (index >> STEP_BITS) as u32 - 1;
        let steps = (index & ((1 << STEP_BITS) - 1)) + (1 << STEP_BITS);
        (steps, power + UNIT_BITS)
    };
    (lowest << bits) + (1 << bits >> 1)
}

/// Four numbers of buckets, the last one in the lowest bits.
type Few = u64;
const FEW: u32 = 4;

fn buckets(few: Few) -> impl Iterator<Item = u16> {
    (0..FEW)
        .map(move |i| (few >> (16 * i)) as u16)
        .filter(|b| *b > 0)
}

fn is_full(few: Few) -> bool {
    few >> (16 * (FEW - 1)) > 0
}

/// Counts by bucket, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Buckets {
    counts: Vec<(u16, u32)>,
    /// Where the last one was counted: the next one is often there, too.
    last: usize,
}

impl Buckets {
    fn add(&mut self, few: Few) {
        for bucket in buckets(few) {
            let is_at = |at: usize| self.counts.get(at).is_some_and(|(b, _)| *b == bucket);
            if !is_at(self.last) {
                let near = [self.last + 1, self.last.wrapping_sub(1)];
                match near.into_iter().find(|at| is_at(*at)) {
                    Some(at) => self.last = at,
                    None => self.find(bucket),
                }
            }
            let count = &mut self.counts[self.last].1;
            *count = count.saturating_add(1);
        }
    }

    fn find(&mut self, bucket: u16) {
        self.last = match self.counts.binary_search_by_key(&bucket, |(b, _)| *b) {
            Ok(at) => at,
            Err(at) => {
                self.counts.insert(at, (bucket, 0));
                at
            }
        };
    }

    /// Durations in nanoseconds, with how often each was seen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.counts.iter().map(|(bucket, n)| (middle(*bucket), *n))
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<(u16, u32)>()
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Many {
    polls: Buckets,
    waits: Buckets,
    missed: u32,
}

/// Filled by whichever thread polls the task, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    polls: AtomicU64,
    waits: AtomicU64,
    /// A reader copies this; the thread that polls never waits for it.
    many: Mutex<Option<Box<Many>>>,
    /// Samples that came while it was being copied, and that did not fit elsewhere.
    missed: AtomicU32,
}

impl Samples {
    pub(crate) fn poll(&self, nanos: u64) {
        self.sample(&self.polls, nanos);
    }

    /// From a wake to the poll that it led to.
    pub(crate) fn wait(&self, nanos: u64) {
        self.sample(&self.waits, nanos);
    }

    fn sample(&self, few: &AtomicU64, nanos: u64) {
        if is_full(few.load(Relaxed)) && !self.spill() {
            self.missed.fetch_add(1, Relaxed);
            return;
        }
        few.store(few.load(Relaxed) << 16 | u64::from(bucket(nanos)), Relaxed);
    }

    /// Moves the few to the many; false if they are being read.
    fn spill(&self) -> bool {
        let mut many = match self.many.try_lock() {
            Ok(many) => many,
            Err(TryLockError::Poisoned(many)) => many.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let many = many.get_or_insert_default();
        many.polls.add(self.polls.load(Relaxed));
        many.waits.add(self.waits.load(Relaxed));
        self.polls.store(0, Relaxed);
        self.waits.store(0, Relaxed);
        true
    }

    pub(crate) fn read(&self) -> Sampled {
        // The few go to the many under the lock, so none is counted twice.
        let many = match self.many.lock() {
            Ok(many) => many,
            Err(poisoned) => poisoned.into_inner(),
        };
        let mut many = many.clone();
        if let Some(many) = &mut many {
            many.missed = self.missed.load(Relaxed);
        }
        Sampled {
            polls: self.polls.load(Relaxed),
            waits: self.waits.load(Relaxed),
            many,
        }
    }
}

/// What was sampled so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sampled {
    polls: Few,
    waits: Few,
    many: Option<Box<Many>>,
}

impl Sampled {
    /// Of polls, with the last one, which is not in it while it may turn out to be the drop
    /// of the future.
    pub(crate) fn polls(&self, last: Option<u64>) -> Buckets {
        let mut buckets = self
            .many
            .as_ref()
            .map(|m| m.polls.clone())
            .unwrap_or_default();
        buckets.add(self.polls);
        buckets.add(last.map_or(0, |nanos| Few::from(bucket(nanos))));
        buckets
    }

    pub(crate) fn waits(&self) -> Buckets {
        let mut buckets = self
            .many
            .as_ref()
            .map(|m| m.waits.clone())
            .unwrap_or_default();
        buckets.add(self.waits);
        buckets
    }

    /// Samples that are not in it.
    pub(crate) fn missed(&self) -> u32 {
        self.many.as_ref().map_or(0, |many| many.missed)
    }

    /// On the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.many.as_ref().map_or(0, |many| {
            size_of::<Many>() + many.polls.bytes() + many.waits.bytes()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_knows_its_durations_well() {
        let mut nanos = 1_u64;
        let mut before = bucket(0);
        while nanos < u64::MAX / 3 {
            for at in [nanos - 1, nanos, nanos + nanos / 3] {
                let off = middle(bucket(at)).abs_diff(at);
                let limit = (at as f64 * 0.016).max(32.0);
                assert!(off as f64 <= limit, "{at}: off by {off}");
            }
            assert!(bucket(nanos) >= before, "buckets are in order");
            before = bucket(nanos);
            nanos += nanos / 4 + 1;
        }
        assert!(bucket(u64::MAX) > before);
    }

    #[test]
    fn no_sample_is_lost_between_the_few_and_the_many() {
        let samples = Samples::default();
        for i in 0..1_003_u64 {
            samples.poll(i * 977);
            if i % 3 == 0 {
                samples.wait(i);
            }
        }
        let read = samples.read();
        let total = |buckets: Buckets| buckets.iter().map(|(_, n)| u64::from(n)).sum::<u64>();
        assert_eq!(total(read.polls(None)), 1_003);
        assert_eq!(total(read.polls(Some(5))), 1_004);
        assert_eq!(total(read.waits()), 335);
        assert_eq!(read.missed(), 0);
    }

    #[test]
    fn a_reader_does_not_hold_the_poll_up() {
        let samples = Samples::default();
        (0..5).for_each(|i| samples.poll(i));
        let reader = samples.many.lock().expect("nobody panicked");
        (0..5).for_each(|i| samples.poll(i));
        drop(reader);
        assert_eq!(samples.read().missed(), 2);
        samples.poll(7);
        let all = samples.read().polls(None);
        assert_eq!(all.iter().map(|(_, n)| n).sum::<u32>(), 9);
    }
}
