//! Making room: the oldest polls become sums, and sums coarser, a little at each frame.
//!
//! A pass goes through all lanes. It begins before memory is used up, and what it does at a
//! frame is bounded, so that no frame takes long; only a frame that tells more than there is
//! room for waits for its end. While it goes on some lanes have more than others: since when
//! all of them are exact is what holds for the last of them, from its beginning on.

use super::{Lane, TaskId, Timeline};
use crate::frame::Time;

/// Threads come first: many polls of theirs become few sums, while those of a task that is
/// polled now and then take more than it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LaneId {
    Thread(u64),
    Task(TaskId),
}

/// A turn through all lanes.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// When it began; ages are counted from then.
    now: u64,
    /// Polls that ended before are summed.
    horizon: u64,
    /// Sums are of stretches as long as their age divided by two to this power.
    shift: u32,
    /// Lanes of tasks that ended up to then are forgotten.
    forgets: Option<u64>,
    /// Nothing more can be done after it.
    is_last: bool,
    /// Lanes that are to come, the next one last.
    rest: Vec<LaneId>,
    /// Of the lanes seen that have ended: how many, and the sum of their ends.
    ended: (u64, u128),
    /// Of the sums seen: how many pairs of neighbours, and the sum of the binary logarithms of
    /// their lengths.
    pairs: (u64, u64),
}

/// What a pass has found out for the next one.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Found {
    /// The mean of the ends of the tasks that have ended, if any has.
    mean_end: Option<u64>,
    /// How long two sums side by side usually are.
    pair: u64,
}

impl Pass {
    fn grain(&self, from: u64) -> u64 {
        (self.now.saturating_sub(from) >> self.shift).max(Timeline::GRAIN)
    }

    fn is_forgotten(&self, lane: &Lane) -> bool {
        self.forgets.is_some_and(|until| {
            let ended = lane.ended();
            ended.is_some_and(|ended| ended <= until)
        })
    }

    fn note(&mut self, lane: &Lane) {
        if let Some(ended) = lane.ended() {
            self.ended.0 += 1;
            self.ended.1 += u128::from(ended);
        }
        let (count, sum) = lane.coarse_pairs();
        self.pairs.0 += count;
        self.pairs.1 += sum;
    }

    fn found(&self) -> Found {
        let mean_end = self.ended.1.checked_div(u128::from(self.ended.0));
        let pair = self.pairs.1.checked_div(self.pairs.0).unwrap_or_default();
        Found {
            mean_end: mean_end.and_then(|mean| u64::try_from(mean).ok()),
            pair: 1_u64.checked_shl(pair as u32 + 1).unwrap_or(u64::MAX),
        }
    }
}

impl Timeline {
    /// A frame goes through this part of what there may be, at least.
    const STEPS: usize = 64;
    /// What a lane takes by itself, in polls that are looked at: its memory is far from that of
    /// the one before.
    const LANE: usize = 512;
    /// Each pass leaves less; so many of them at one frame leave next to nothing.
    const MOST_PASSES: usize = 40;

    /// At this use a pass begins.
    pub(super) fn full_at(limit: usize, used: usize) -> usize {
        (limit / 8 * 7).max(used / 4 * 5)
    }

    /// Goes on with a pass, or begins one if it is time to.
    pub(in crate::model) fn make_room(&mut self, now: Time) {
        let grown = std::mem::take(&mut self.grown);
        let polls = |bytes: usize| bytes / size_of::<super::Record>();
        let lanes = self.pass.as_ref().map_or(0, |pass| pass.rest.len());
        let to_do = lanes * Self::LANE + polls(self.used);
        // As much of the rest as was used of the room that is left.
        let room = self.most().saturating_sub(self.used).max(1);
        let share = grown.saturating_mul(to_do) / room;
        self.work(now, polls(self.limit) / Self::STEPS + share);
    }

    /// It is used up at this use: a pass does not wait for another frame.
    fn most(&self) -> usize {
        self.full_at / 7 * 8
    }

    pub(super) fn make_all_room(&mut self, now: Time) {
        self.work(now, usize::MAX);
    }

    fn work(&mut self, now: Time, mut effort: usize) {
        if self.pass.is_none() && self.used >= self.full_at {
            self.begin_pass(now.as_nanos());
        }
        let mut passes = 0;
        while let Some(mut pass) = self.pass.take() {
            if let Some(id) = pass.rest.pop() {
                if !self.pass_lane(id, &mut pass, &mut effort) {
                    pass.rest.push(id);
                }
                self.pass = Some(pass);
            } else {
                passes += 1;
                let is_last = pass.is_last || passes >= Self::MOST_PASSES;
                self.end_pass(now.as_nanos(), &pass, is_last);
            }
            if effort == 0 && self.used < self.most() {
                break;
            }
        }
    }

    /// Decides what a pass is to do, and begins it.
    fn begin_pass(&mut self, now: u64) {
        let exact = self.used.saturating_sub(self.sums);
        let mut pass = Pass {
            now,
            horizon: 0,
            shift: 0,
            forgets: None,
            is_last: false,
            rest: Vec::with_capacity(self.tasks.len() + self.threads.len()),
            ended: (0, 0),
            pairs: (0, 0),
        };
        let watched = self.watched.map(Time::as_nanos);
        if exact > self.limit / 2 {
            let since = self.summed.max(self.exact).or(watched).unwrap_or(now);
            let kept = u128::from(now.saturating_sub(since)) * (self.limit as u128 * 3 / 8);
            self.summed = Some(now.saturating_sub((kept / exact as u128) as u64));
        } else if self.pressure < Self::FINE {
            self.pressure += 1;
            // Below that, it would put hardly any together.
            let oldest = now.saturating_sub(watched.unwrap_or(now));
            while self.pressure < Self::FINE
                && oldest >> (Self::FINE - self.pressure) < self.found.pair
            {
                self.pressure += 1;
            }
        } else if self.found.mean_end.is_some() {
            // About half of them.
            pass.forgets = self.found.mean_end;
        } else {
            // Little is left of each task, and there are too many.
            self.summed = Some(now);
            pass.is_last = true;
        }
        pass.horizon = *self.summed.get_or_insert(0);
        pass.shift = Self::FINE - self.pressure;
        pass.rest.extend(self.tasks.keys().map(LaneId::Task));
        pass.rest
            .extend(self.threads.keys().map(|id| LaneId::Thread(*id)));
        // A map of tasks is in another order each time.
        pass.rest.sort_unstable_by(|a, b| b.cmp(a));
        self.pass = Some(pass);
    }

    /// Begins another pass, unless a quarter is free.
    fn end_pass(&mut self, now: u64, pass: &Pass, is_last: bool) {
        self.found = pass.found();
        let is_enough = self.used <= self.limit / 4 * 3;
        if is_enough || is_last {
            self.full_at = Self::full_at(self.limit, self.used);
        } else {
            self.begin_pass(now);
        }
    }

    /// Goes through a lane as far as the effort suffices, and tells whether that was all.
    fn pass_lane(&mut self, id: LaneId, pass: &mut Pass, effort: &mut usize) -> bool {
        *effort = effort.saturating_sub(Self::LANE);
        let lane = match id {
            LaneId::Task(id) => self.tasks.get_mut(id),
            LaneId::Thread(id) => self.threads.get_mut(&id),
        };
        let Some(lane) = lane else { return true };
        if let LaneId::Task(id) = id
            && pass.is_forgotten(lane)
        {
            self.forget(id);
            return true;
        }
        let (bytes, sums) = (lane.bytes(), lane.coarse_bytes());
        let is_all = lane.coarsen(pass.horizon, |from| pass.grain(from), effort);
        if is_all {
            pass.note(lane);
        }
        self.used = self.used - bytes + lane.bytes();
        self.sums = self.sums - sums + lane.coarse_bytes();
        is_all
    }
}
