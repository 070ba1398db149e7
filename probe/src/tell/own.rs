//! The messages of `loopview.v1.Probe`.

use loopview_api::v1;
use prost::{Message, bytes::Bytes};

use super::{PART, entities::TaskState, horizon::Times};
use crate::{
    clock::{self, Nanos},
    facts::{
        holders::{Held, Hold},
        polls::Poll,
        resource, scope,
        site::Place,
        thread::{self, Thread},
        timer,
    },
};

/// Updates in the making, each of a size that can be sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Updates {
    full: Vec<v1::Update>,
    now: v1::Update,
    size: usize,
}

/// What stands in every update, and not only in one of a publish.
#[derive(Clone, Debug, Default)]
pub(super) struct Always {
    pub(super) times: Times,
    pub(super) ended: Nanos,
    pub(super) overhead: v1::Overhead,
}

impl Updates {
    pub(super) fn size(&self) -> usize {
        self.size + self.full.len() * PART
    }

    /// No more fits into one message.
    pub(super) fn is_full(&self) -> bool {
        !self.full.is_empty()
    }

    fn add(&mut self, size: usize) {
        // A tag and a length for each.
        self.size += size + 6;
        if self.size > PART {
            self.full.push(std::mem::take(&mut self.now));
            self.size = 0;
        }
    }

    pub(super) fn task(&mut self, state: &TaskState) {
        let task = task(state);
        // Measuring it would take as long as encoding it: this is the most that its numbers
        // can take.
        let size = 90 + task.error.len();
        self.now.tasks.push(task);
        self.add(size);
    }

    /// What the protocol tells of a resource: that it is a timer, or who holds it.
    pub(super) fn resource(&mut self, state: &resource::State) {
        // What is gone is held by nobody.
        if let Some(held) = state.held.as_ref().filter(|_| state.closed == 0) {
            let holders = resource_holders(state, held);
            let size = holders.encoded_len();
            self.now.resources.push(holders);
            self.add(size);
        }
        if let Some(of) = &state.timer {
            let timer = timer(state, of);
            let size = 170 + timer.location.as_ref().map_or(0, |place| place.file.len());
            self.now.timers.push(timer);
            self.add(size);
        }
    }

    pub(super) fn scope(&mut self, state: &scope::State) {
        let scope = v1::Scope {
            id: state.id,
            kind: state.kind.to_string(),
            name: state.name.to_string(),
            parent: some(state.parent),
            task: some(state.task),
            opened_at: Some(clock::wire(state.opened)),
            closed_at: clock::wire_if(state.closed),
            outcome: state.outcome.into(),
            location: location(state.place.as_ref()),
        };
        let size = scope.encoded_len();
        self.now.scopes.push(scope);
        self.add(size);
    }

    pub(super) fn thread(
        &mut self,
        thread: &Thread,
        state: &thread::State,
        kept_off: Option<Nanos>,
    ) {
        let thread = v1::Thread {
            id: thread.id.into(),
            name: thread.name.to_string(),
            role: state.role.into(),
            task: some(state.task),
            since: clock::wire_if(state.since),
            ended_at: clock::wire_if(state.ended),
            kept_off: kept_off.map(clock::wire_duration),
        };
        let size = thread.encoded_len();
        self.now.threads.push(thread);
        self.add(size);
    }

    pub(super) fn runtimes(&mut self, runtimes: Vec<v1::Runtime>) {
        let size = runtimes.iter().map(Message::encoded_len).sum();
        self.now.runtimes = runtimes;
        self.add(size);
    }

    pub(super) fn process(&mut self, process: v1::Process) {
        self.now.process = Some(process);
    }

    pub(super) fn usage(&mut self, usage: v1::Usage) {
        self.now.usage = Some(usage);
    }

    /// Polls that could not be sent.
    pub(super) fn lost_polls(&mut self, lost: u64) {
        self.now.polls = Some(v1::Polls {
            lost,
            ..v1::Polls::default()
        });
    }

    /// What this client is not told.
    pub(super) fn missed(&mut self, missed: v1::Missed) {
        self.now.missed = Some(missed);
        self.add(missed.encoded_len());
    }

    /// The updates: one at least, as silence is news, too.
    pub(super) fn finish(mut self, always: &Always) -> Vec<v1::Update> {
        if self.size > 0 || self.full.is_empty() {
            self.full.push(self.now);
        }
        let last = self.full.len() - 1;
        for (n, update) in self.full.iter_mut().enumerate() {
            update.now = Some(clock::wire(always.times.of(n == last)));
            update.overhead = Some(always.overhead);
        }
        // It is the last word: everything else has been told before it.
        if let Some(last) = self.full.last_mut() {
            last.ended_at = clock::wire_if(always.ended);
        }
        self.full
    }
}

/// A message with nothing else. They are in lists of their own, which are always read to their
/// ends: so they are of the present.
pub(super) fn only_polls(polls: v1::Polls, always: &Always) -> v1::Update {
    v1::Update {
        now: Some(clock::wire(clock::now())),
        overhead: Some(always.overhead),
        polls: Some(polls),
        ..v1::Update::default()
    }
}

/// A message with an update of the console protocol, and nothing else: more comes of its time.
pub(super) fn only_console(update: &Bytes, always: &Always) -> v1::Update {
    v1::Update {
        now: Some(clock::wire(always.times.before)),
        overhead: Some(always.overhead),
        console: update.to_vec(),
        ..v1::Update::default()
    }
}

fn some(id: u64) -> Option<u64> {
    (id > 0).then_some(id)
}

fn location(place: Option<&Place>) -> Option<v1::Location> {
    place.map(|place| v1::Location {
        file: place.file.to_string(),
        line: place.line,
        column: place.column,
    })
}

fn task(state: &TaskState) -> v1::Task {
    let now = &state.now;
    v1::Task {
        span_id: now.id,
        id: now.id,
        parent: some(now.parent),
        scope: some(now.scope()),
        polls: now.true_polls(),
        longest_poll: Some(clock::wire_duration(now.longest)),
        thread: some(now.thread.into()),
        awaits: some(now.awaits()),
        outcome: now.outcome().into(),
        error: now.error().to_owned(),
        runtime: some(now.runtime.into()),
    }
}

fn resource_holders(state: &resource::State, held: &Held) -> v1::Resource {
    let to_wire = |hold: &Hold| v1::Hold {
        task: some(hold.task),
        permits: hold.permits,
        since: Some(clock::wire(hold.since)),
    };
    v1::Resource {
        span_id: state.id,
        holders: held.list.iter().map(to_wire).collect(),
        other_permits: held.others,
        guessed: held.is_guess,
        receiver: some(held.receiver),
    }
}

fn timer(state: &resource::State, timer: &timer::State) -> v1::Timer {
    // An interval's ticks are those of a sleep that tokio makes, at a place of its own.
    let site = timer.interval.unwrap_or(state.site);
    v1::Timer {
        span_id: state.id,
        id: state.id,
        kind: timer.kind.into(),
        task: some(timer.task),
        created_at: Some(clock::wire(state.created)),
        duration: timer.duration.map(clock::wire_duration),
        deadline: clock::wire_if(timer.deadline),
        fired_at: clock::wire_if(timer.fired),
        dropped_at: clock::wire_if(state.closed),
        fires: timer.fires,
        latest: (timer.fires > 0).then(|| clock::wire_duration(timer.latest)),
        location: location(site.place.as_ref()),
    }
}

/// Polls in the making, in messages of a size that can be sent.
#[derive(Debug, Default)]
pub(super) struct Polls {
    parts: Vec<v1::Polls>,
    last: Nanos,
    total: usize,
    lost: u64,
}

impl Polls {
    /// So many wait at most between two publishes.
    const MOST: usize = 1 << 18;
    /// 25 bytes each are many.
    const IN_ONE: usize = 1 << 14;

    pub(super) fn add(&mut self, thread: u32, poll: Poll) {
        if self.total >= Self::MOST {
            self.lost += 1;
            return;
        }
        if self.total.is_multiple_of(Self::IN_ONE) {
            self.parts.push(v1::Polls {
                since: Some(clock::wire(poll.started)),
                ..v1::Polls::default()
            });
            self.last = poll.started;
        }
        self.total += 1;
        let Some(wire) = self.parts.last_mut() else {
            return;
        };
        wire.task.push(poll.task);
        wire.thread.push(thread);
        wire.started
            .push(poll.started.cast_signed() - self.last.cast_signed());
        wire.lasted.push(poll.lasted);
        let woken = (poll.woken > 0).then(|| poll.started.saturating_sub(poll.woken) + 1);
        wire.woken.push(woken.unwrap_or_default());
        wire.woken_by.push(poll.woken_by);
        self.last = poll.started;
    }

    pub(super) fn lost(&mut self, polls: u64) {
        self.lost += polls;
    }

    /// How many there are, and how many there would be.
    pub(super) fn len(&self) -> u64 {
        self.total as u64 + self.lost
    }

    /// Those so far.
    pub(super) fn take(&mut self) -> Vec<v1::Polls> {
        let mut all = std::mem::take(self);
        if all.lost > 0 && all.parts.is_empty() {
            all.parts.push(v1::Polls::default());
        }
        if let Some(first) = all.parts.first_mut() {
            first.lost = all.lost;
        }
        all.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_told_in_parts_that_can_each_be_read_alone() {
        clock::start();
        let mut polls = Polls::default();
        let n = Polls::IN_ONE as u64 * 2 + 5;
        for i in 0..n {
            polls.add(
                3,
                Poll {
                    task: i,
                    // Threads are read one after the other: time goes back between them.
                    started: 1_000_000 + (i * 7_919) % 1_000_000,
                    lasted: i,
                    woken: if i.is_multiple_of(2) { 999_999 } else { 0 },
                    woken_by: i / 2,
                },
            );
        }
        polls.lost(4);
        assert_eq!(polls.len(), n + 4);
        let parts = polls.take();
        assert_eq!(parts.iter().map(|p| p.lost).sum::<u64>(), 4);
        let mut i = 0_u64;
        for part in &parts {
            assert!(part.encoded_len() < 3 << 20);
            let base = clock::wire(1_000_000);
            let since = part.since.expect("it has polls");
            let mut at = i64::from(since.nanos) - i64::from(base.nanos)
                + (since.seconds - base.seconds) * 1_000_000_000;
            for (n, task) in part.task.iter().enumerate() {
                at += part.started[n];
                assert_eq!(at, ((i * 7_919) % 1_000_000).cast_signed());
                assert_eq!((*task, part.lasted[n], part.woken_by[n]), (i, i, i / 2));
                let woken = if i.is_multiple_of(2) { at + 2 } else { 0 };
                assert_eq!(part.woken[n], woken.cast_unsigned());
                i += 1;
            }
        }
        assert_eq!(i, n);
        assert!(polls.take().is_empty());
    }

    #[test]
    fn polls_that_are_too_many_are_counted() {
        let mut polls = Polls::default();
        for task in 0..Polls::MOST as u64 + 9 {
            let poll = Poll {
                task,
                ..Poll::default()
            };
            polls.add(1, poll);
        }
        assert_eq!(polls.take()[0].lost, 9);
    }
}
