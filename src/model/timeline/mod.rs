//! What each task and each thread did over time.
//!
//! Of the recent past every poll is kept, as the probe tells them; between polls a task does
//! what it was judged to do at the frames, or sleeps where a timer says so ([`nap`]). A [`lane`]
//! has them in [`block`]s. Before memory is used up, the oldest polls become sums ([`coarse`]), a
//! few at each frame ([`room`]): of a stretch of time, how much of it a task spent on what, and
//! its longest poll. The older it is, the longer are the stretches; so an hour has room.
//!
//! Without the probe, the polls are those that the console protocol lets one tell apart, and
//! sums of the others.

mod block;
mod cells;
mod coarse;
mod columns;
mod doing;
mod lane;
mod nap;
mod poll;
mod room;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    Lost, State,
    kept::{Sound, Unsound},
    pages::Pages,
    polls::is_sound,
    task::{EndedPoll, Kind, Task, TaskId},
    tasks::Tasks,
    threads::Thread,
};
use crate::frame::Time;

use self::{
    lane::{Judgement, Lane},
    poll::{Nature, Poll as Record},
    room::{Found, Pass},
};

pub use cells::{Cell, Grid};
pub use doing::{Doing, Spent};
pub(super) use nap::Nap;
pub use poll::Poll;

/// A stretch in which a lane was in one state, or of which only sums are known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Time,
    pub to: Time,
    pub what: Told,
    /// The longest poll in it.
    pub longest: Duration,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Exactly(Doing),
    InSum(Spent),
}

/// How a task stands at a frame.
#[derive(Copy, Clone, Debug)]
pub(super) struct Standing {
    pub state: State,
    /// When the timer is due that it sleeps for.
    pub due: Option<Time>,
    /// Every poll is told, since the target is watched.
    pub with_probe: bool,
    /// It is polled, and another thread runs its worker.
    pub in_place: bool,
}

/// What a timeline holds, and how much of it is exact.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of polls and sums, and at how many the oldest polls become sums.
    pub used: usize,
    pub limit: usize,
    /// Beside them, what it takes to know of each task at all.
    pub lanes: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timeline {
    tasks: Pages<TaskId, Lane>,
    /// By the probe's numbers; 0 for polls of which it is not known who did them.
    threads: BTreeMap<u64, Lane>,
    /// Polls that were long, whoever is to blame: how many nanoseconds.
    long: BTreeMap<(Time, TaskId), u64>,
    #[serde(skip, default = "Timeline::limit")]
    limit: usize,
    #[serde(skip)]
    used: usize,
    /// The part of it that sums take.
    #[serde(skip)]
    sums: usize,
    /// By how much it grew since room was last made.
    #[serde(skip)]
    grown: usize,
    /// The use at which room is to be made.
    #[serde(skip)]
    full_at: usize,
    /// One that is read has room of its own, and makes none before it is full.
    #[serde(skip)]
    pass: Option<Pass>,
    /// By the last pass.
    #[serde(skip)]
    found: Found,
    /// How much coarser than at first the past is: each step halves its memory.
    #[serde(skip)]
    pressure: u32,
    /// Where the probe's polls begin; none without any.
    exact: Option<u64>,
    /// Of what was before there may be only sums.
    summed: Option<u64>,
    /// When the target began to tell.
    watched: Option<Time>,
}

impl Sound for Timeline {
    fn sound(mut self) -> Result<Self, Unsound> {
        let lanes = self.tasks.values_mut();
        let is_sound = lanes.chain(self.threads.values_mut()).all(Lane::sound);
        if !is_sound {
            return Err(Unsound("a lane out of order"));
        }
        self.used = self.lanes().map(Lane::bytes).sum();
        self.sums = self.lanes().map(Lane::coarse_bytes).sum();
        self.full_at = Self::full_at(self.limit, self.used);
        Ok(self)
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self::with_limit(Self::LIMIT)
    }
}

impl Timeline {
    /// Bytes of polls and sums.
    pub const LIMIT: usize = 32 << 20;
    /// The same in a keyframe: what is read, and written again and again, each time.
    pub(super) const KEPT: usize = 1 << 20;
    /// A poll as long as this is worth finding again.
    pub const LONG: Duration = Duration::from_millis(10);
    const MAX_LONG: usize = 20_000;
    const MAX_THREADS: usize = 4_096;
    /// The finest sums, in nanoseconds: 17 ms.
    const GRAIN: u64 = 1 << 24;
    /// At first, sums are of stretches as long as their age divided by two to this power.
    const FINE: u32 = 10;
    /// A target's clock may step by so much between a poll and its message.
    const SLACK: Duration = Duration::from_secs(1);

    fn limit() -> usize {
        Self::LIMIT
    }

    /// With room for so many bytes of polls and sums.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            tasks: Pages::default(),
            threads: BTreeMap::new(),
            long: BTreeMap::new(),
            limit,
            used: 0,
            sums: 0,
            grown: 0,
            full_at: Self::full_at(limit, 0),
            pass: None,
            found: Found::default(),
            pressure: 0,
            exact: None,
            summed: None,
            watched: None,
        }
    }

    /// With as much room, and nothing in it.
    pub(super) fn successor(&self) -> Self {
        Self::with_limit(self.limit)
    }

    /// Keeps to so many bytes of polls and sums, at once and from now on.
    pub(super) fn bound(&mut self, limit: usize, now: Time) {
        self.limit = limit;
        self.full_at = Self::full_at(limit, 0);
        self.pass = None;
        self.make_all_room(now);
    }

    /// Since when every poll is known; none while none was told of.
    pub fn exact_since(&self) -> Option<Time> {
        let exact = self.exact?;
        Some(Time::from_nanos(exact.max(self.summed.unwrap_or(0))))
    }

    /// Polls before that may be known only by their sums; none while all are kept.
    pub fn summed_before(&self) -> Option<Time> {
        self.summed.map(Time::from_nanos)
    }

    pub fn memory(&self) -> Memory {
        Memory {
            used: self.used,
            limit: self.limit,
            lanes: self.tasks.bytes() + self.threads.len() * size_of::<(u64, Lane)>(),
        }
    }

    /// What a task did in each cell, up to `now`; none if nothing is known of it.
    pub fn task(&self, id: TaskId, grid: &Grid, now: Time) -> Option<Vec<Cell>> {
        Some(self.tasks.get(id)?.cells(grid, now.as_nanos()))
    }

    /// The worst of what some tasks did in each cell: of each state the longest time that one
    /// of them was in it.
    pub fn worst(&self, ids: impl Iterator<Item = TaskId>, grid: &Grid, now: Time) -> Vec<Cell> {
        let mut worst = vec![Cell::default(); grid.count()];
        for lane in ids.filter_map(|id| self.tasks.get(id)) {
            let cells = lane.cells(grid, now.as_nanos());
            for (worst, cell) in worst.iter_mut().zip(cells) {
                worst.be_worse(&cell);
            }
        }
        worst
    }

    /// What a thread did in each cell, up to `now`: it is running or idle.
    pub fn thread(&self, id: u64, grid: &Grid, now: Time) -> Option<Vec<Cell>> {
        Some(self.threads.get(&id)?.cells(grid, now.as_nanos()))
    }

    /// Threads that have polled, by the probe's numbers; 0 stands for any.
    pub fn threads(&self) -> impl Iterator<Item = u64> {
        self.threads.keys().copied()
    }

    /// What a task did at a time.
    pub fn task_at(&self, id: TaskId, at: Time, now: Time) -> Option<Stretch> {
        let lane = self.tasks.get(id)?;
        lane.at(at.as_nanos(), now.as_nanos()).map(Stretch::from)
    }

    /// The poll of a task that was going on at a time.
    pub fn poll_at(&self, id: TaskId, at: Time) -> Option<Poll> {
        let lane = self.tasks.get(id)?;
        let mut before = lane.polls_before(at.as_nanos().saturating_add(1));
        before.next().copied().filter(|poll| at <= poll.ended())
    }

    /// The poll of a thread that was going on at a time, the innermost of several.
    pub fn thread_poll_at(&self, thread: u64, at: Time) -> Option<Poll> {
        /// A `LocalSet` polls its tasks within a poll; so many of them are looked through.
        const WITHIN: usize = 64;
        let lane = self.threads.get(&thread)?;
        let before = lane.polls_before(at.as_nanos().saturating_add(1));
        let mut before = before.take(WITHIN);
        before.find(|poll| at <= poll.ended()).copied()
    }

    /// The first exact poll of a task that began after a time.
    pub fn poll_after(&self, id: TaskId, at: Time) -> Option<Poll> {
        let lane = self.tasks.get(id)?;
        lane.polls_after(at.as_nanos()).next().copied()
    }

    /// The last exact poll of a task that began before a time.
    pub fn poll_before(&self, id: TaskId, at: Time) -> Option<Poll> {
        let lane = self.tasks.get(id)?;
        lane.polls_before(at.as_nanos()).next().copied()
    }

    /// Polls of [`Timeline::LONG`] or more that began before a time, the latest first: when, whose,
    /// and how long.
    pub fn long_before(&self, at: Time) -> impl Iterator<Item = (Time, TaskId, Duration)> + '_ {
        let long = self.long.range(..(at, TaskId(0))).rev();
        long.map(|((started, task), lasted)| (*started, *task, Duration::from_nanos(*lasted)))
    }

    /// Long polls that began after a time.
    pub fn long_after(&self, at: Time) -> impl Iterator<Item = (Time, TaskId, Duration)> + '_ {
        let long = self.long.range((at, TaskId(u64::MAX))..);
        long.map(|((started, task), lasted)| (*started, *task, Duration::from_nanos(*lasted)))
    }

    /// The polls for which a poll of a task woke others, or itself: one a task, the earliest
    /// first, and at most `most`.
    pub fn woken_in(&self, by: TaskId, poll: &Poll, most: usize) -> Vec<(TaskId, Poll)> {
        let mut woken: Vec<_> = self
            .tasks
            .iter()
            .filter_map(|(id, lane)| {
                // What was woken before this one ends is polled next.
                let mut after = lane.polls_after(poll.started);
                let next = after.next().filter(|next| next.ready() <= poll.end())?;
                (next.woken_by() == Some(by)).then_some((id, *next))
            })
            .collect();
        woken.sort_by_key(|(id, poll)| (poll.started, *id));
        woken.truncate(most);
        woken
    }

    /// Takes in what the probe tells of polls.
    pub(super) fn apply(
        &mut self,
        now: Time,
        started: Time,
        wire: &v1::Polls,
        tasks: &mut Tasks,
        lost: &mut Lost,
    ) {
        let mut missing = wire.lost;
        if !is_sound(wire) {
            lost.malformed = lost.malformed.saturating_add(1);
        }
        for (id, poll) in poll::read(wire, tasks) {
            if poll.started() < started || poll.ended() > now + Self::SLACK {
                lost.malformed = lost.malformed.saturating_add(1);
            } else if !tasks.is_worker(id) {
                // The poll of a worker is its whole life.
                missing = missing.saturating_add(u64::from(!self.push(id, poll)));
                self.exact.get_or_insert(poll.started);
            }
        }
        let known = lost.polls.unwrap_or_default();
        lost.polls = Some(known.saturating_add(missing));
    }

    /// Takes in what the console protocol lets one tell of a poll, unless the probe does.
    pub(super) fn apply_ended(&mut self, ended: &EndedPoll) {
        if self.exact.is_some() {
            return;
        }
        let poll = match ended.over {
            Some(over) => Record::sum(ended.since, over, ended.lasted),
            None => Record::new(ended.since, ended.lasted).woken_at(ended.woken),
        };
        self.push(ended.task, poll);
    }

    /// Takes in a sleep, whose polls are told.
    pub(super) fn slept(&mut self, nap: &Nap) {
        if let Some(lane) = self.tasks.get_mut(nap.task) {
            lane.slept(nap.from.as_nanos(), nap.to.as_nanos());
        }
    }

    /// Takes in a call on the blocking pool that has ended. No polls of it are told.
    fn push_call(&mut self, task: &Task) {
        let lane = self.tasks.get(task.id);
        if lane.is_some_and(Lane::is_polled) {
            return;
        }
        let Some(started) = task.first_poll.or(task.last_poll_started) else {
            return;
        };
        let thread = task.thread.and_then(|id| u16::try_from(id).ok());
        let poll = Record {
            thread: thread.unwrap_or_default(),
            ..Record::new(started, task.ended_busy()).woken_at(Some(task.created))
        };
        if self.push_to_task(task.id, poll)
            && let Some(thread) = poll.thread()
        {
            // The thread may be a worker at other times.
            let apart = Record {
                nature: Nature::Apart,
                ..poll.of(task.id)
            };
            self.push_to_thread(thread, apart);
        }
    }

    fn push(&mut self, id: TaskId, poll: Record) -> bool {
        if !self.push_to_task(id, poll) {
            return false;
        }
        self.push_to_thread(poll.thread().unwrap_or_default(), poll.of(id));
        let held = poll.held();
        if Duration::from_nanos(held) >= Self::LONG {
            self.long.insert((poll.started(), id), held);
            if self.long.len() > Self::MAX_LONG {
                self.long.pop_first();
            }
        }
        true
    }

    fn push_to_task(&mut self, id: TaskId, poll: Record) -> bool {
        let lane = self.tasks.get_or_insert_with(id, Lane::new);
        let grown = lane.push(poll);
        self.grow(grown.unwrap_or_default());
        grown.is_some()
    }

    fn push_to_thread(&mut self, id: u64, poll: Record) {
        let grown = self.thread_lane(id).push(poll);
        self.grow(grown.unwrap_or_default());
    }

    fn grow(&mut self, grown: usize) {
        self.used += grown;
        self.grown += grown;
    }

    /// It is made if there is none; the oldest goes if there are too many.
    fn thread_lane(&mut self, id: u64) -> &mut Lane {
        if self.threads.len() >= Self::MAX_THREADS && !self.threads.contains_key(&id) {
            let gone = self.threads.pop_first();
            self.leave(gone.map(|(_, lane)| lane));
        }
        self.threads.entry(id).or_insert_with(Lane::new)
    }

    /// Takes note of how a task stands at a frame.
    pub(super) fn judge(&mut self, task: &Task, now: &Standing) {
        if task.kind == Kind::Worker {
            return;
        }
        let lane = self.tasks.get_or_insert_with(task.id, Lane::new);
        let is_running = u64::from(task.running_since().is_some());
        // What it did before it was watched is unknown, unless there are sums of it.
        let is_whole = !now.with_probe
            || !lane.is_judged() && lane.exact_polls() as u64 + is_running >= task.polls();
        let watched = self.watched.unwrap_or(task.created);
        let start = if is_whole {
            task.created
        } else {
            task.created.max(watched)
        };
        lane.judge(&Judgement {
            start: start.as_nanos(),
            ended: task.dropped.map(Time::as_nanos),
            running: task.running_since().map(Time::as_nanos),
            in_place: now.in_place,
            ready: task.ready_since().map(Time::as_nanos),
            due: now.due.map(Time::as_nanos),
            rest: Doing::resting(now.state),
            is_whole: is_whole && task.kind != Kind::BlockOn,
        });
        if task.kind == Kind::Blocking && task.is_done() {
            self.push_call(task);
        }
    }

    pub(super) fn watch(&mut self, from: Time) {
        self.watched.get_or_insert(from);
    }

    /// The probe is there: what was worked out without it goes.
    pub(super) fn begin_anew(&mut self) {
        if self.exact.is_none() {
            *self = Self {
                watched: self.watched,
                ..Self::with_limit(self.limit)
            };
        }
    }

    /// `in_place`: it polls a task, and another thread runs its worker.
    pub(super) fn judge_thread(&mut self, thread: &Thread, in_place: bool) {
        let since = thread.task.and(thread.since).map(Time::as_nanos);
        if since.is_some() || self.threads.contains_key(&thread.id) {
            let lane = self.thread_lane(thread.id);
            lane.set_running(since, in_place);
            lane.sum_up();
        }
    }

    /// Without the probe all threads of the loop are one: it runs while any does.
    pub(super) fn judge_loop(&mut self, since: Option<Time>) {
        let since = since.map(Time::as_nanos);
        if since.is_some() || self.threads.contains_key(&0) {
            let lane = self.thread_lane(0);
            let since = since.map(|since| since.max(lane.exact_to().unwrap_or(0)));
            lane.set_running(since, false);
            lane.sum_up();
        }
    }

    pub(super) fn forget(&mut self, id: TaskId) {
        let gone = self.tasks.remove(id);
        self.leave(gone);
    }

    fn leave(&mut self, gone: Option<Lane>) {
        if let Some(lane) = gone {
            self.used = self.used.saturating_sub(lane.bytes());
            self.sums = self.sums.saturating_sub(lane.coarse_bytes());
        }
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.tasks.values().chain(self.threads.values())
    }
}

impl From<cells::Span> for Stretch {
    fn from(span: cells::Span) -> Self {
        Self {
            from: Time::from_nanos(span.from),
            to: Time::from_nanos(span.to),
            what: match span.what {
                cells::What::One(doing) => Told::Exactly(doing),
                cells::What::Mixed(spent) => Told::InSum(spent),
            },
            longest: Duration::from_nanos(span.longest),
        }
    }
}
