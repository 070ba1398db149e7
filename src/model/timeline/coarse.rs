//! The past of a lane of which only sums are kept: times in each state, and the longest poll.
//!
//! Buckets lie side by side without gaps. They are as long as what is in them, not of one
//! width: an hour of sleep is one bucket, and exact.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    cells::{Span, What},
    doing::{Doing, Spent},
};

/// What is kept apart, in the order of all; the rest of a bucket's time was idle.
const KEPT: [Doing; 4] = [
    Doing::Running,
    Doing::Ready,
    Doing::Waiting,
    Doing::Sleeping,
];

#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Bucket {
    from: u64,
    /// Nanoseconds, with the seven digits that half the memory has room for.
    spent: [f32; 4],
    longest: f32,
    polls: u32,
}

impl Bucket {
    fn new(span: &Span) -> Self {
        let spent = span.spent();
        Self {
            from: span.from,
            spent: KEPT.map(|doing| spent.nanos(doing) as f32),
            longest: span.longest as f32,
            polls: span.polls,
        }
    }

    fn take(&mut self, span: &Span) {
        match span.what {
            What::One(doing) => {
                if let Some(spent) = self.spent.get_mut(doing as usize) {
                    *spent += (span.to - span.from) as f32;
                }
                self.longest = self.longest.max(span.longest as f32);
                self.polls = self.polls.saturating_add(span.polls);
            }
            What::Mixed(_) => self.add(&Self::new(span)),
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in self.spent.iter_mut().zip(other.spent) {
            *sum += more;
        }
        self.longest = self.longest.max(other.longest);
        self.polls = self.polls.saturating_add(other.polls);
    }

    fn span(&self, to: u64) -> Span {
        let whole = to.saturating_sub(self.from);
        let mut spent = Spent::default();
        let mut left = whole;
        for (doing, nanos) in KEPT.into_iter().zip(self.spent) {
            // Rounded, one state may seem to have had more than the whole.
            let nanos = (nanos as u64).min(left);
            let all = nanos.saturating_add(whole >> 20) >= whole;
            if all {
                return self.with(to, What::One(doing));
            }
            spent.add(doing, nanos);
            left -= nanos;
        }
        if left == whole {
            return self.with(to, What::One(Doing::Idle));
        }
        spent.add(Doing::Idle, left);
        self.with(to, What::Mixed(spent))
    }

    fn with(&self, to: u64, what: What) -> Span {
        Span {
            from: self.from,
            to,
            what,
            longest: self.longest as u64,
            polls: self.polls,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Coarse {
    buckets: VecDeque<Bucket>,
    /// Where the last of them ends.
    to: u64,
}

impl Coarse {
    pub(super) fn from(&self) -> Option<u64> {
        self.buckets.front().map(|bucket| bucket.from)
    }

    /// Where it ends, if there is any.
    pub(super) fn to(&self) -> Option<u64> {
        (!self.buckets.is_empty()).then_some(self.to)
    }

    /// Buckets are in order.
    pub(super) fn is_sound(&self) -> bool {
        let from = self.buckets.iter().map(|bucket| bucket.from);
        from.chain([self.to]).is_sorted() || self.buckets.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// What comes next and is so long would be in one bucket.
    pub(super) fn has_room(&self, from: u64, to: u64, grain: u64) -> bool {
        let from = self.buckets.back().map_or(from, |last| last.from);
        to.saturating_sub(from) <= grain
    }

    /// Adds what comes next. It shares a bucket with what is before it if both are no longer
    /// than `grain` nanoseconds.
    pub(super) fn push(&mut self, span: &Span, grain: u64) {
        if span.to <= span.from {
            if let Some(last) = self.buckets.back_mut() {
                last.polls = last.polls.saturating_add(span.polls);
            }
            return;
        }
        match self.buckets.back_mut() {
            Some(last) if span.to.saturating_sub(last.from) <= grain => last.take(span),
            _ => {
                let new = Bucket::new(span);
                if self.buckets.len() == self.buckets.capacity() {
                    self.buckets.reserve_exact(self.buckets.len() / 2 + 1);
                }
                self.buckets.push_back(new);
            }
        }
        self.to = span.to;
    }

    /// Puts neighbours together that are no longer than the grain of their time, and tells how
    /// many there were.
    pub(super) fn compact(&mut self, grain: impl Fn(u64) -> u64) -> usize {
        let count = self.buckets.len();
        let mut kept = 0;
        for at in 1..count {
            let end = self.buckets.get(at + 1).map_or(self.to, |next| next.from);
            let bucket = self.buckets[at];
            let last = &mut self.buckets[kept];
            if end.saturating_sub(last.from) <= grain(last.from) {
                last.add(&bucket);
            } else {
                kept += 1;
                self.buckets[kept] = bucket;
            }
        }
        self.buckets.truncate(kept + 1);
        if self.buckets.capacity() > self.buckets.len() * 2 {
            self.buckets.shrink_to_fit();
        }
        count
    }

    /// How many pairs of neighbours there are, and the sum of the binary logarithms of their
    /// lengths: their usual length is its mean's power.
    pub(super) fn pairs(&self) -> (u64, u64) {
        let from = self.buckets.iter().map(|bucket| bucket.from);
        let ends = from.clone().skip(2).chain([self.to]);
        let lengths = from.zip(ends).take(self.buckets.len().saturating_sub(1));
        lengths.fold((0, 0), |(count, sum), (from, to)| {
            let length = to.saturating_sub(from).max(1);
            (count + 1, sum + u64::from(length.ilog2()))
        })
    }

    /// What lies in a stretch of time, in order.
    pub(super) fn visit(&self, from: u64, to: u64, mut f: impl FnMut(Span)) {
        let after = self.buckets.partition_point(|b| b.from <= from);
        let mut at = after.saturating_sub(1);
        while let Some(bucket) = self.buckets.get(at).filter(|b| b.from < to) {
            at += 1;
            f(bucket.span(self.buckets.get(at).map_or(self.to, |next| next.from)));
        }
    }
}
