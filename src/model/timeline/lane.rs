//! What one task did over time, or one thread.
//!
//! ```text
//! start        coarse sums         blocks of exact polls        tail            now
//!   ├─────────────────────────────┼────────────────────────────┼────────────────┤
//! ```
//!
//! Each poll knows what was before it, so a lane has no gaps and no overlaps whatever the
//! target says: what would reach into the poll before is cut.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{
    block::{Block, quiet, walk},
    cells::{self, Cell, Grid, Span, What},
    coarse::Coarse,
    doing::Doing,
    poll::Poll,
};

/// What is known of a lane's newest state.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Judgement {
    /// Where its lane begins, unless that is known.
    pub start: u64,
    pub ended: Option<u64>,
    pub running: Option<u64>,
    /// Another thread runs its worker meanwhile.
    pub in_place: bool,
    pub ready: Option<u64>,
    /// It sleeps until then.
    pub due: Option<u64>,
    /// What it does between two polls; none if that cannot be told now.
    pub rest: Option<Doing>,
    /// The first poll in the lane follows the spawn: nobody wakes a task for it.
    pub is_whole: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lane {
    coarse: Coarse,
    blocks: VecDeque<Block>,
    /// Unknown before it is judged.
    start: Option<u64>,
    ended: Option<u64>,
    running: Option<u64>,
    /// Another thread runs its worker meanwhile.
    in_place: bool,
    ready: Option<u64>,
    due: Option<u64>,
    rest: Doing,
    /// It was judged to rest since its last poll.
    is_rest_seen: bool,
    /// Its first poll is to come, and was ready from the start.
    is_unpolled: bool,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            coarse: Coarse::default(),
            blocks: VecDeque::new(),
            start: None,
            ended: None,
            running: None,
            in_place: false,
            ready: None,
            due: None,
            rest: Doing::Idle,
            is_rest_seen: false,
            is_unpolled: false,
        }
    }

    /// Polls of which all is known.
    pub(super) fn exact_polls(&self) -> usize {
        self.blocks.iter().map(|block| block.polls.len()).sum()
    }

    /// A poll of it is known, if only in a sum.
    pub(super) fn is_polled(&self) -> bool {
        self.exact_to().or(self.coarse.to()).is_some()
    }

    /// Where its exact polls end.
    pub(super) fn exact_to(&self) -> Option<u64> {
        self.blocks.back().map(|block| block.to)
    }

    pub(super) fn is_judged(&self) -> bool {
        self.start.is_some()
    }

    /// Sums up what was read, if it could have come about.
    pub(super) fn sound(&mut self) -> bool {
        self.link(0);
        self.sum_up();
        let polls = self.blocks.iter().flat_map(|block| &block.polls);
        let after = self.coarse.to().into_iter();
        self.coarse.is_sound()
            && self.blocks.iter().all(|block| !block.polls.is_empty())
            && after.chain(polls.map(|poll| poll.started)).is_sorted()
    }

    pub(super) fn bytes(&self) -> usize {
        let polls: usize = self.blocks.iter().map(Block::bytes).sum();
        self.coarse.bytes() + self.blocks.capacity() * size_of::<Block>() + polls
    }

    pub(super) fn coarse_bytes(&self) -> usize {
        self.coarse.bytes()
    }

    pub(super) fn coarse_pairs(&self) -> (u64, u64) {
        self.coarse.pairs()
    }

    pub(super) fn ended(&self) -> Option<u64> {
        self.ended
    }

    /// Takes a poll in, and tells by how many bytes the lane grew; none if it came too late,
    /// as only sums are left of its time.
    pub(super) fn push(&mut self, mut poll: Poll) -> Option<usize> {
        if self.coarse.to().is_some_and(|to| poll.started < to) {
            return None;
        }
        // The first poll after the deadline has found the timer; what follows has nothing to do
        // with it.
        if let Some(due) = self.due.take_if(|due| *due <= poll.started)
            && Self::is_late(due, poll.ready())
            && poll.woken_by().is_none()
            && poll.woken().is_some()
        {
            // Nobody could wake it while the loop was blocked, and yet it could have run.
            poll.lead = poll.started.saturating_sub(due);
        }
        if std::mem::take(&mut self.is_rest_seen) {
            poll.before = poll.before.or(Some(self.rest));
        }
        self.running = self.running.filter(|since| *since > poll.started);
        self.ready = self.ready.filter(|since| *since > poll.started);
        if poll.is_sum() && self.add_to_sum(&poll) {
            return Some(0);
        }
        let is_newest = self.last().is_none_or(|last| last.started <= poll.started);
        Some(if is_newest {
            self.append(poll)
        } else {
            self.insert(poll)
        })
    }

    /// It slept in this time, and so it did in each pause between two polls that is mostly in it.
    pub(super) fn slept(&mut self, from: u64, to: u64) {
        let first = self.blocks.partition_point(|block| block.to <= from);
        for block in self.blocks.range_mut(first..) {
            if block.from >= to {
                return;
            }
            block.slept(from, to);
            if block.sum.is_none() {
                block.sum_up(self.rest);
            }
        }
    }

    /// In the lane of a thread sums of several tasks lie over each other: they are one.
    fn add_to_sum(&mut self, poll: &Poll) -> bool {
        let Some(block) = self.blocks.back_mut() else {
            return false;
        };
        let overlaps =
            |last: &&mut Poll| last.is_sum() && (last.started..last.end()).contains(&poll.started);
        let Some(last) = block.polls.last_mut().filter(overlaps) else {
            return false;
        };
        last.lead = last.end().max(poll.end()) - last.started;
        last.lasted = last.lasted.saturating_add(poll.lasted).min(last.lead);
        block.to = block.to.max(last.end());
        block.sum = None;
        true
    }

    /// tokio's timers count whole milliseconds, so less is no delay.
    fn is_late(due: u64, at: u64) -> bool {
        due.saturating_add(2_000_000) <= at
    }

    fn last(&self) -> Option<&Poll> {
        self.blocks.back().and_then(|block| block.polls.last())
    }

    fn append(&mut self, poll: Poll) -> usize {
        let mut grown = 0;
        if self.blocks.back().is_none_or(Block::is_full) {
            let from = self.blocks.back().map(|block| block.to);
            let from = from.unwrap_or_else(|| self.exact_from(&poll));
            grown += self.push_block(Block {
                from,
                to: from,
                ..Block::default()
            });
        }
        let more = self.blocks.len() > 1;
        let last = self.blocks.back_mut();
        grown + last.map_or(0, |block| block.append(poll, more))
    }

    fn push_block(&mut self, block: Block) -> usize {
        let before = self.blocks.capacity();
        if self.blocks.len() == before {
            self.blocks.reserve_exact(before / 2 + 1);
        }
        self.blocks.push_back(block);
        (self.blocks.capacity() - before) * size_of::<Block>()
    }

    /// Another thread's polls are told after this one's, though they were before them.
    fn insert(&mut self, poll: Poll) -> usize {
        let later = |block: &Block| {
            let first = block.polls.first();
            first.is_some_and(|first| first.started > poll.started)
        };
        let at = self.blocks.partition_point(|block| !later(block));
        let at = at.saturating_sub(1);
        let Some(block) = self.blocks.get_mut(at) else {
            return 0;
        };
        let before = block.bytes();
        let place = block.polls.partition_point(|p| p.started <= poll.started);
        block.polls.insert(place, poll);
        let mut grown = block.bytes() - before;
        if block.polls.len() > 2 * Block::FULL {
            let second = Block {
                polls: block.polls.split_off(Block::FULL),
                ..Block::default()
            };
            let blocks = self.blocks.capacity();
            grown += second.bytes();
            self.blocks.insert(at + 1, second);
            grown += (self.blocks.capacity() - blocks) * size_of::<Block>();
        }
        self.link(at);
        grown
    }

    /// Where the exact part begins, or would with this poll as its first.
    fn exact_from(&self, first: &Poll) -> u64 {
        let start = self.start.map(|start| start.min(first.ready()));
        self.coarse.to().or(start).unwrap_or(first.ready())
    }

    /// Puts the blocks from this one on one after the other.
    fn link(&mut self, first: usize) {
        let before = first.checked_sub(1).and_then(|at| self.blocks.get(at));
        let mut from = match (before, self.blocks.front().and_then(|b| b.polls.first())) {
            (Some(before), _) => before.to,
            (None, Some(first)) => self.exact_from(first),
            (None, None) => return,
        };
        for block in self.blocks.iter_mut().skip(first) {
            block.link(from);
            from = block.to;
        }
    }

    /// Sums up the full blocks that are not yet: the newest.
    pub(super) fn sum_up(&mut self) {
        let rest = self.rest;
        let new = self.blocks.iter_mut().rev();
        let new = new.skip_while(|block| !block.is_full());
        for block in new.take_while(|block| block.sum.is_none()) {
            block.sum_up(rest);
        }
    }

    /// Takes note of how things stand now, and of what that says of the newest polls.
    pub(super) fn judge(&mut self, now: &Judgement) {
        let is_new = self.start.is_none();
        if is_new {
            self.start = Some(now.start);
            self.is_unpolled = now.is_whole;
        }
        self.ended = now.ended;
        self.running = now.running;
        self.in_place = now.in_place;
        self.ready = now.ready;
        self.due = now.due;
        self.rest = now.rest.unwrap_or(self.rest);
        self.is_rest_seen |= now.rest.is_some();
        if is_new {
            self.link(0);
        }
        let first = self.blocks.front_mut().and_then(|b| b.polls.first_mut());
        if let Some(first) = first.filter(|_| self.is_unpolled) {
            self.is_unpolled = false;
            if first.lead == Poll::UNTOLD {
                first.lead = first.started.saturating_sub(now.start);
                self.link(0);
            }
        }
        if now.rest.is_some() || now.ended.is_some() {
            self.judge_polls();
        }
        self.sum_up();
    }

    /// Before the newest polls it did what it does now.
    fn judge_polls(&mut self) {
        for block in self.blocks.iter_mut().rev() {
            let unjudged = block.polls.iter_mut().rev();
            let mut any = false;
            for poll in unjudged.take_while(|poll| poll.before.is_none()) {
                poll.before = Some(self.rest);
                any = true;
            }
            if !any {
                break;
            }
            block.sum = None;
        }
    }

    /// Since when a thread polls what it polls now, and whether another one runs its worker.
    pub(super) fn set_running(&mut self, since: Option<u64>, in_place: bool) {
        self.in_place = in_place;
        let last = self.exact_to().unwrap_or(0);
        self.running = since.filter(|since| *since >= last);
        if !self.is_polled() {
            self.start = self.start.or(since);
        }
    }

    /// Where the lane begins, as far as it is known.
    fn from(&self) -> Option<u64> {
        let first = self.blocks.front().map(|block| block.from);
        self.coarse.from().or(first).or(self.start)
    }

    /// Tells in order what lies in a stretch of time, up to `now`. What is within one cell of
    /// the grid may be told as a sum.
    pub(super) fn visit(
        &self,
        (from, to): (u64, u64),
        now: u64,
        grid: Option<&Grid>,
        mut f: impl FnMut(Span),
    ) {
        self.coarse.visit(from, to, &mut f);
        let first = self.blocks.partition_point(|block| block.to <= from);
        for block in self.blocks.range(first..) {
            if block.from >= to {
                return;
            }
            if grid.is_some_and(|grid| grid.is_within_one(block.from, block.to)) {
                f(block.summary(self.rest));
            } else {
                walk(&block.polls, block.from, self.rest, &mut f);
            }
        }
        self.tail(now, f);
    }

    fn tail(&self, now: u64, mut f: impl FnMut(Span)) {
        let last = self.exact_to().or(self.coarse.to());
        let Some(at) = last.or(self.start) else {
            return;
        };
        let now = self.ended.unwrap_or(now).max(at);
        let running = self.running.map_or(now, |since| since.clamp(at, now));
        let due = self.due.filter(|due| Self::is_late(*due, now));
        let ready = self.ready.or(due);
        let ready = ready.map_or(running, |since| since.clamp(at, running));
        quiet(at, ready, self.rest, &mut f);
        quiet(ready, running, Doing::Ready, &mut f);
        if running < now {
            f(Span {
                from: running,
                to: now,
                what: What::One(Doing::Running),
                longest: if self.in_place { 0 } else { now - running },
                polls: 1,
            });
        }
    }

    pub(super) fn cells(&self, grid: &Grid, now: u64) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); grid.count()];
        let view = (grid.from().as_nanos(), grid.to().as_nanos());
        self.visit(view, now, Some(grid), |span| {
            cells::add(&mut cells, grid, &span);
        });
        cells
    }

    /// What was done at a time: the stretch around it, or, now, the one that goes on.
    pub(super) fn at(&self, at: u64, now: u64) -> Option<Span> {
        let mut found = None;
        let goes_on = at == now && self.ended.is_none();
        let around = (at.saturating_sub(1), at.saturating_add(1));
        self.visit(around, now, None, |span| {
            if span.from <= at && (at < span.to || goes_on && at == span.to) {
                found = Some(span);
            }
        });
        found.filter(|_| self.from().is_some_and(|from| from <= at))
    }

    /// The exact polls that begin after a time, in order.
    pub(super) fn polls_after(&self, at: u64) -> impl Iterator<Item = &Poll> {
        let ended = |block: &Block| block.polls.last().is_none_or(|p| p.started <= at);
        let first = self.blocks.partition_point(ended);
        let polls = self.blocks.range(first..).flat_map(|block| &block.polls);
        polls.filter(move |poll| poll.started > at)
    }

    /// The exact polls that began before a time, the latest first.
    pub(super) fn polls_before(&self, at: u64) -> impl Iterator<Item = &Poll> {
        let begun = |block: &Block| block.polls.first().is_some_and(|p| p.started < at);
        let end = self.blocks.partition_point(begun);
        let blocks = self.blocks.range(..end).rev();
        let polls = blocks.flat_map(|block| block.polls.iter().rev());
        polls.filter(move |poll| poll.started < at)
    }

    /// Keeps of what was before the horizon only sums, each of `grain` of its time, as long as
    /// there is effort left; tells whether that was all. A poll that is looked at takes one.
    pub(super) fn coarsen(
        &mut self,
        horizon: u64,
        grain: impl Fn(u64) -> u64,
        effort: &mut usize,
    ) -> bool {
        /// What it takes to free one.
        const BLOCK: usize = 128;
        let rest = self.rest;
        while let Some(block) = self.blocks.front_mut() {
            let over = block.polls.partition_point(|poll| poll.end() <= horizon);
            let (coarse, from) = (&mut self.coarse, block.from);
            let whole = over == block.polls.len();
            let fits = whole && coarse.has_room(block.from, block.to, grain(block.from));
            let to = if fits {
                coarse.push(&block.summary(rest), grain(from));
                block.to
            } else {
                *effort = effort.saturating_sub(over);
                walk(&block.polls[..over], from, rest, |span| {
                    coarse.push(&span, grain(span.from));
                })
            };
            if whole {
                self.blocks.pop_front();
                *effort = effort.saturating_sub(BLOCK);
                if *effort == 0 {
                    return false;
                }
                continue;
            }
            if over > 0 {
                block.polls.drain(..over);
                block.polls.shrink_to_fit();
                block.link(to);
            }
            break;
        }
        *effort = effort.saturating_sub(self.coarse.compact(grain));
        if self.blocks.capacity() > self.blocks.len() * 2 {
            self.blocks.shrink_to_fit();
        }
        true
    }
}
