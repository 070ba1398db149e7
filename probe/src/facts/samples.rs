//! How long a task's polls and its waits for them took: a histogram that costs next to
//! nothing until there is something to count.
//!
//! Buckets are log-linear, as those of `HdrHistogram` (hdrhistogram.org), in units of 64 ns,
//! which is what a poll costs that does nothing: one for each unit below 4 µs, and above 32
//! for each power of two. So a duration is known to 32 ns or 1.6 %. The first samples are in
//! one atomic, which has room for four buckets; only a task that needs more has lists of them.

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

/// Four places, filled from the lowest bits on: each has the number of a bucket, and above it
/// how many samples it has beyond the first.
type Few = u64;
const FEW: u32 = 4;
const PLACE_BITS: u32 = 16;
/// No duration has a greater number.
const BUCKET_BITS: u32 = 11;
const MORE: u16 = (1 << (PLACE_BITS - BUCKET_BITS)) - 1;

/// Buckets, each with how many samples it has.
fn buckets(few: Few) -> impl Iterator<Item = (u16, u32)> {
    (0..FEW)
        .map(move |i| (few >> (PLACE_BITS * i)) as u16)
        .map(|place| (place & ((1 << BUCKET_BITS) - 1), place >> BUCKET_BITS))
        .filter(|(bucket, _)| *bucket > 0)
        .map(|(bucket, more)| (bucket, u32::from(more) + 1))
}

/// With one more sample, if there is room for it.
fn with(few: Few, bucket: u16) -> Option<Few> {
    for shift in (0..FEW).map(|i| PLACE_BITS * i) {
        let place = (few >> shift) as u16;
        if place == 0 {
            return Some(few | Few::from(bucket) << shift);
        }
        if place & ((1 << BUCKET_BITS) - 1) == bucket && place >> BUCKET_BITS < MORE {
            return Some(few + (1 << (shift + BUCKET_BITS)));
        }
    }
    None
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
        for (bucket, n) in buckets(few) {
            let is_at = |at: usize| self.counts.get(at).is_some_and(|(b, _)| *b == bucket);
            if !is_at(self.last) {
                let near = [self.last + 1, self.last.wrapping_sub(1)];
                match near.into_iter().find(|at| is_at(*at)) {
                    Some(at) => self.last = at,
                    None => self.find(bucket),
                }
            }
            let count = &mut self.counts[self.last].1;
            *count = count.saturating_add(n);
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
        let bucket = bucket(nanos);
        let more = with(few.load(Relaxed), bucket);
        let more = more.or_else(|| self.spill().then_some(bucket.into()));
        if let Some(more) = more {
            few.store(more, Relaxed);
        } else {
            self.missed.fetch_add(1, Relaxed);
        }
    }

    /// Moves the few to the many; false if they are being read.
    #[cold]
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
    use std::collections::BTreeMap;

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
        assert!(bucket(u64::MAX) < 1 << BUCKET_BITS, "it fits in its place");
    }

    #[test]
    fn no_sample_is_lost_between_the_few_and_the_many() {
        let samples = Samples::default();
        let (mut polls, mut waits) = (BTreeMap::new(), BTreeMap::new());
        for i in 0..1_003_u64 {
            samples.poll(i * 977);
            *polls.entry(middle(bucket(i * 977))).or_default() += 1;
            // Long runs of the same, and some that take turns.
            for nanos in [i / 100 * 64, i % 4 * 6_400] {
                samples.wait(nanos);
                *waits.entry(middle(bucket(nanos))).or_default() += 1;
            }
            let read = samples.read();
            assert!(read.polls(None).iter().eq(polls.clone()), "after {i}");
            assert!(read.waits().iter().eq(waits.clone()), "after {i}");
        }
        let more = samples.read().polls(Some(5));
        *polls.entry(middle(bucket(5))).or_default() += 1;
        assert!(more.iter().eq(polls));
        assert_eq!(samples.read().missed(), 0);
    }

    #[test]
    fn a_task_whose_polls_are_alike_has_no_lists() {
        let samples = Samples::default();
        (0..4 * 32).for_each(|i| samples.poll(i % 4 * 64));
        assert_eq!(samples.read().bytes(), 0);
        samples.poll(0);
        assert!(samples.read().bytes() > 0);
    }

    #[test]
    fn a_reader_does_not_hold_the_poll_up() {
        let samples = Samples::default();
        (0..5).for_each(|i| samples.poll(i * 64));
        let reader = samples.many.lock().expect("nobody panicked");
        (5..10).for_each(|i| samples.poll(i * 64));
        drop(reader);
        assert_eq!(samples.read().missed(), 2);
        samples.poll(7);
        let all = samples.read().polls(None);
        assert_eq!(all.iter().map(|(_, n)| n).sum::<u32>(), 9);
    }
}
