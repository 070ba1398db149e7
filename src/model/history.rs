//! Busy and ready shares over time, in buckets, for the strips on screen.

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Window,
    kept::{Sound, Unsound},
};
use crate::frame::Time;

/// A share of time is kept in these parts.
const WHOLE: u32 = 1 << 16;

/// Shares of the last minute. Only buckets in which something happened take memory, so a
/// sleeping task costs next to nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Strip {
    /// Ordered by index.
    buckets: VecDeque<Bucket>,
}

#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
struct Bucket {
    /// Time since the epoch in units of [`Strip::BUCKET`].
    index: u64,
    busy: u32,
    ready: u32,
}

/// What happened in a part of a strip, each as a share of that time, 0 to 1.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Share {
    pub busy: f32,
    pub ready: f32,
}

/// What a stretch of time was spent on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    Busy,
    Ready,
}

impl Sound for Strip {
    fn sound(self) -> Result<Self, Unsound> {
        let buckets = &self.buckets;
        let last = u64::MAX / Self::BUCKET.as_nanos() as u64;
        let in_order = buckets.iter().zip(buckets.iter().skip(1));
        let sound = in_order.into_iter().all(|(a, b)| a.index < b.index)
            && buckets.len() as u64 <= Self::KEPT
            && (buckets.iter()).all(|b| b.index <= last && b.busy <= WHOLE && b.ready <= WHOLE);
        sound.then_some(self).ok_or(Unsound("a strip out of order"))
    }
}

impl Strip {
    /// The finest step that a strip can tell apart.
    pub const BUCKET: Duration = Duration::from_millis(50);
    const KEPT: u64 = 1_200;

    /// Adds `amount`, spread evenly over a window.
    pub(crate) fn add(&mut self, over: Window, amount: Duration, spent: Spent) {
        if amount.is_zero() || over.is_empty() {
            return;
        }
        let width = Self::BUCKET.as_nanos() as u64;
        let (from, to) = (over.from.as_nanos(), over.to.as_nanos());
        let density = (amount.as_nanos() as f64 / (to - from) as f64).min(1.0);
        let last = (to - 1) / width;
        let newest = self.buckets.back().map_or(last, |b| b.index.max(last));
        let oldest = (newest + 1).saturating_sub(Self::KEPT);
        let first = (from / width).max(oldest);
        let mut at = self.place_of(first);
        for index in first..=last {
            let start = index * width;
            let overlap = to.min(start.saturating_add(width)) - from.max(start);
            let share = (density * overlap as f64 / width as f64 * f64::from(WHOLE)) as u32;
            if share == 0 {
                continue;
            }
            while self.buckets.get(at).is_some_and(|b| b.index < index) {
                at += 1;
            }
            let bucket = self.bucket(at, index);
            let part = match spent {
                Spent::Busy => &mut bucket.busy,
                Spent::Ready => &mut bucket.ready,
            };
            *part = (*part + share).min(WHOLE);
        }
        while self.buckets.front().is_some_and(|b| b.index < oldest) {
            self.buckets.pop_front();
        }
    }

    /// How much of this time was busy: at most, as a bucket does not tell where it was.
    pub(super) fn busy_in(&self, from: Time, to: Time) -> Duration {
        let width = Self::BUCKET.as_nanos() as u64;
        let first = from.as_nanos() / width;
        let at = self.buckets.partition_point(|b| b.index < first);
        let buckets = self.buckets.range(at..);
        let buckets = buckets.take_while(|b| b.index <= to.as_nanos() / width);
        let busy: u64 = buckets.map(|b| u64::from(b.busy)).sum();
        Self::BUCKET.mul_f64(busy as f64 / f64::from(WHOLE))
    }

    /// Where the bucket with this index is, or belongs: nearly always at the end.
    fn place_of(&self, index: u64) -> usize {
        match self.buckets.back() {
            Some(newest) if newest.index > index => {
                self.buckets.partition_point(|b| b.index < index)
            }
            Some(newest) if newest.index == index => self.buckets.len() - 1,
            _ => self.buckets.len(),
        }
    }

    /// The bucket with this index, which is at this place, or is made there.
    fn bucket(&mut self, at: usize, index: u64) -> &mut Bucket {
        if self.buckets.get(at).is_none_or(|b| b.index != index) {
            self.buckets.insert(
                at,
                Bucket {
                    index,
                    busy: 0,
                    ready: 0,
                },
            );
        }
        &mut self.buckets[at]
    }

    /// `count` cells of `width` each, oldest first; the last one holds `now`, and is the
    /// share of what has passed of it. Cells keep their borders as time goes on, so a strip
    /// moves cell by cell and never shimmers.
    pub fn cells(&self, now: Time, count: usize, width: Duration) -> Vec<Share> {
        let bucket = Self::BUCKET.as_nanos() as u64;
        let per_cell = (width.as_nanos() as u64 / bucket).max(1);
        let last = now.as_nanos() / bucket / per_cell;
        let first = (last + 1).saturating_sub(count as u64);
        let mut cells = vec![Share::default(); count];
        let from = self.buckets.partition_point(|b| b.index < first * per_cell);
        for b in self.buckets.range(from..) {
            let Some(cell) = (b.index / per_cell)
                .checked_sub(first)
                .and_then(|i| cells.get_mut(i as usize))
            else {
                continue;
            };
            let whole = WHOLE as f32 * per_cell as f32;
            cell.busy = (cell.busy + b.busy as f32 / whole).min(1.0);
            cell.ready = (cell.ready + b.ready as f32 / whole).min(1.0);
        }
        if let Some(newest) = cells.last_mut() {
            let cell = per_cell * bucket;
            let passed = (now.as_nanos() % cell).max(bucket);
            let scale = cell as f32 / passed as f32;
            newest.busy = (newest.busy * scale).min(1.0);
            newest.ready = (newest.ready * scale).min(1.0);
        }
        cells
    }

    /// The start of the cell `back` cells before the one that holds `now`.
    pub fn cell_start(now: Time, back: usize, width: Duration) -> Time {
        let width = (width.as_nanos() as u64).max(1);
        Time::from_nanos((now.as_nanos() / width).saturating_sub(back as u64) * width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn window(from: u64, to: u64) -> Window {
        Window {
            from: ms(from),
            to: ms(to),
        }
    }

    #[test]
    fn a_share_is_split_at_the_borders() {
        let mut strip = Strip::default();
        strip.add(window(1_025, 1_075), Duration::from_millis(50), Spent::Busy);
        let busy: Vec<f32> = strip
            .cells(ms(1_149), 3, Strip::BUCKET)
            .iter()
            .map(|c| c.busy)
            .collect();
        assert_eq!(busy, [0.5, 0.5, 0.0]);
    }

    #[test]
    fn a_wide_cell_is_the_mean_of_its_buckets() {
        let mut strip = Strip::default();
        strip.add(
            window(1_000, 1_050),
            Duration::from_millis(50),
            Spent::Ready,
        );
        let cells = strip.cells(ms(1_250), 2, Duration::from_millis(200));
        assert!((cells[0].ready - 0.25).abs() < 1e-3);
    }

    #[test]
    fn the_newest_cell_is_of_the_time_that_has_passed() {
        let mut strip = Strip::default();
        strip.add(window(2_000, 2_050), Duration::from_millis(50), Spent::Busy);
        let newest = |now| strip.cells(ms(now), 2, Duration::from_millis(200))[1].busy;
        assert!((newest(2_050) - 1.0).abs() < 1e-3);
        assert!((newest(2_100) - 0.5).abs() < 1e-3);
    }

    #[test]
    fn more_than_the_whole_is_the_whole() {
        let mut strip = Strip::default();
        for _ in 0..3 {
            strip.add(window(0, 50), Duration::from_millis(40), Spent::Busy);
        }
        assert!((strip.cells(ms(10), 1, Strip::BUCKET)[0].busy - 1.0).abs() < f32::EPSILON);
    }

    #[test]
    fn old_buckets_go() {
        let hour = 3_600_000;
        let mut strip = Strip::default();
        strip.add(window(0, hour), Duration::from_secs(3_600), Spent::Busy);
        assert_eq!(strip.buckets.len() as u64, Strip::KEPT);
        strip.add(window(2 * hour, 2 * hour + 50), Strip::BUCKET, Spent::Busy);
        assert_eq!(strip.buckets.len(), 1);
        strip.add(window(0, hour), Duration::from_secs(3_600), Spent::Busy);
        assert_eq!(strip.buckets.len(), 1);
    }

    #[test]
    fn windows_may_come_in_any_order() {
        let windows = [(500, 700), (900, 950), (600, 1_000), (0, 50), (100, 650)];
        let shares = |order: &[usize]| {
            let mut strip = Strip::default();
            for (from, to) in order.iter().map(|at| windows[*at]) {
                strip.add(window(from, to), Duration::from_millis(20), Spent::Busy);
            }
            let strip = strip.sound().expect("its buckets are in order");
            strip.cells(ms(999), 20, Strip::BUCKET)
        };
        let shares_in_turn = shares(&[0, 1, 2, 3, 4]);
        assert_eq!(shares(&[4, 3, 2, 1, 0]), shares_in_turn);
        assert_eq!(shares(&[3, 4, 0, 2, 1]), shares_in_turn);
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let mut strip = Strip::default();
        let end = Time::from_nanos(u64::MAX);
        let last = Window {
            from: end - Strip::BUCKET,
            to: end,
        };
        strip.add(last, Strip::BUCKET, Spent::Busy);
        assert_eq!(strip.cells(end, 2, Strip::BUCKET).len(), 2);
    }
}
