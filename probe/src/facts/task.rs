//! A task: how often and how long it was polled, who woke it, and how it ended.

use std::sync::{
    OnceLock,
    atomic::{
        AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use loopview_api::v1::Outcome;

use super::{
    add,
    attributes::Value,
    count,
    polls::Poll,
    samples::{Sampled, Samples},
    scope::outcome,
    site::{Role, Site},
};
use crate::{clock::Nanos, metrics::Number};

/// The future of a task that has completed is dropped within this time, even if the thread
/// has to wait for the processor in between. It is 10 ms.
const MOMENT: Nanos = 10_000_000;

/// What few tasks have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) name: Box<str>,
    /// The error's or panic's text.
    pub(crate) error: Box<str>,
    /// Fields that tokio does not have yet.
    pub(crate) other: Vec<(&'static str, Value)>,
    /// Whose end it awaits, 0 for nobody's.
    pub(crate) awaits: u64,
    /// The scope in which it was spawned, 0 for none.
    pub(crate) scope: u64,
}

impl Words {
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.error.len() + self.other.len() * 48
    }
}

#[derive(Debug)]
pub(crate) struct Task {
    /// It has a change that nobody has read, or nobody wants to.
    pub(crate) listed: AtomicBool,
    /// Its end has been read.
    pub(crate) is_kept: AtomicBool,
    outcome: AtomicU8,
    /// The poll that is going on followed the one before directly, on the same thread.
    adjacent: AtomicBool,
    /// It was the first to wake itself since its last poll began.
    woke_itself: AtomicBool,
    /// The thread that last polled it.
    thread: AtomicU32,
    /// Its runtime, 0 while it is unknown.
    pub(crate) runtime: AtomicU16,
    /// Operations that it polled and that are not ready.
    pending_ops: AtomicU32,
    /// tokio's id, which is never reused.
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    words: Option<Box<Words>>,
    error: OnceLock<Box<str>>,
    /// The task that spawned it, and the scope in which it did; 0 for none.
    pub(crate) parent: u64,
    pub(crate) scope: u64,
    pub(crate) created: Nanos,
    closed: AtomicU64,

    polls: AtomicU64,
    first_poll: AtomicU64,
    started: AtomicU64,
    ended: AtomicU64,
    busy: AtomicU64,
    /// The last poll that has ended. It counts as one once it is known to have been one:
    /// the span is also entered when the future is dropped, and that is always the last
    /// time.
    last: AtomicU64,
    longest: AtomicU64,
    samples: Samples,

    /// When it was woken and has not been polled since, and by which task.
    woken: AtomicU64,
    woken_by: AtomicU64,
    last_wake: AtomicU64,
    wakes: AtomicU64,
    /// Of these, those by itself.
    self_wakes: AtomicU64,
    waker_clones: AtomicU64,
    waker_drops: AtomicU64,
    /// What happens in its own polls is not among these: only its own thread counts it.
    own: Own,
    scheduled: AtomicU64,

    /// Whose end it awaits, 0 for nobody's.
    awaits: AtomicU64,
    /// It may have yielded in its last poll: see [`Task::may_yield`].
    yielded: AtomicU64,
}

/// What a task does with its own waker.
#[derive(Debug, Default)]
struct Own {
    wakes: AtomicU64,
    clones: AtomicU64,
    drops: AtomicU64,
}

/// A task as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    pub(crate) words: Option<Box<Words>>,
    pub(crate) parent: u64,
    pub(crate) created: Nanos,
    pub(crate) closed: Nanos,
    /// With the drop of the future.
    pub(crate) polls: u64,
    pub(crate) first_poll: Nanos,
    pub(crate) started: Nanos,
    pub(crate) ended: Nanos,
    pub(crate) busy: u64,
    pub(crate) longest: u64,
    pub(crate) last_wake: Nanos,
    pub(crate) wakes: u64,
    pub(crate) self_wakes: u64,
    pub(crate) waker_clones: u64,
    pub(crate) waker_drops: u64,
    pub(crate) scheduled: u64,
    pub(crate) thread: u32,
    pub(crate) runtime: Number,
    outcome: u8,
}

/// What a poll began with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Woken {
    at: Nanos,
    by: u64,
}

impl Task {
    pub(crate) fn new(id: u64, site: &'static Site, words: Words, created: Nanos) -> Self {
        let plain = words.name.is_empty() && words.other.is_empty();
        Self {
            listed: AtomicBool::new(true),
            is_kept: AtomicBool::new(false),
            outcome: AtomicU8::new(Outcome::Unspecified as u8),
            adjacent: AtomicBool::new(false),
            woke_itself: AtomicBool::new(false),
            thread: AtomicU32::new(0),
            runtime: AtomicU16::new(0),
            pending_ops: AtomicU32::new(0),
            id,
            site,
            words: (!plain).then(|| Box::new(words)),
            error: OnceLock::new(),
            parent: 0,
            scope: 0,
            created,
            closed: AtomicU64::new(0),
            polls: AtomicU64::new(0),
            first_poll: AtomicU64::new(0),
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            last: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            samples: Samples::default(),
            woken: AtomicU64::new(0),
            woken_by: AtomicU64::new(0),
            last_wake: AtomicU64::new(0),
            wakes: AtomicU64::new(0),
            self_wakes: AtomicU64::new(0),
            waker_clones: AtomicU64::new(0),
            waker_drops: AtomicU64::new(0),
            own: Own::default(),
            scheduled: AtomicU64::new(0),
            awaits: AtomicU64::new(0),
            yielded: AtomicU64::new(0),
        }
    }

    /// Memory that it takes while it lives.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.words.as_ref().map_or(0, |words| words.bytes())
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    /// When its last poll ended.
    pub(crate) fn ended(&self) -> Nanos {
        self.ended.load(Relaxed)
    }

    /// A poll begins. `adjacent`: nothing happened on this thread since its last one ended.
    pub(crate) fn enter(&self, at: Nanos, thread: u32, adjacent: bool) -> Woken {
        let polls = self.polls.load(Relaxed);
        self.polls.store(polls + 1, Relaxed);
        self.thread.store(thread, Relaxed);
        let since = at.saturating_sub(self.ended.load(Relaxed));
        self.adjacent.store(adjacent && since < MOMENT, Relaxed);
        if polls == 0 {
            self.first_poll.store(at, Relaxed);
        } else {
            let last = self.last.load(Relaxed);
            self.samples.poll(last);
            if last > self.longest.load(Relaxed) {
                self.longest.store(last, Relaxed);
            }
            if self.yielded.load(Relaxed) > 0 {
                self.yielded.store(0, Relaxed);
            }
        }
        let mut woken = self.woken.load(Relaxed);
        let mut by = 0;
        if woken > 0 {
            self.woken.store(0, Relaxed);
            by = self.woken_by.load(Relaxed);
        }
        if self.woke_itself.load(Relaxed) {
            self.woke_itself.store(false, Relaxed);
            (woken, by) = (self.started.load(Relaxed), self.id);
        }
        if woken > 0 {
            // A task that is woken in its own poll cannot run before that one has ended.
            let ready = woken.max(self.ended.load(Relaxed));
            let waited = at.saturating_sub(ready);
            add(&self.scheduled, waited);
            self.samples.wait(waited);
        } else if polls > 0 && self.site.role == Role::BlockOn {
            // tokio tells of no wakes of these, but every poll after the first had one.
            add(&self.wakes, 1);
            self.last_wake.store(at, Relaxed);
        }
        self.started.store(at, Relaxed);
        Woken { at: woken, by }
    }

    /// The poll ends that began with `woken`.
    pub(crate) fn exit(&self, at: Nanos, woken: Woken) -> Poll {
        let started = self.started.load(Relaxed);
        let lasted = at.saturating_sub(started);
        self.last.store(lasted, Relaxed);
        add(&self.busy, lasted);
        if self.woke_itself.load(Relaxed) {
            self.last_wake.store(at, Relaxed);
        }
        self.ended.store(at, Relaxed);
        Poll {
            task: self.id,
            started,
            lasted,
            woken: woken.at,
            woken_by: woken.by,
        }
    }

    /// It is woken by itself, in its own poll.
    pub(crate) fn wakes_itself(&self) {
        add(&self.own.wakes, 1);
        // No time is read: what counts is the end of the poll.
        if self.woken.load(Relaxed) == 0 {
            self.woke_itself.store(true, Relaxed);
        }
    }

    /// It is woken from outside of its polls; `by` is the task that does it, 0 for none.
    pub(crate) fn woken(&self, at: Nanos, by: u64) {
        count(&self.wakes);
        if by == self.id {
            count(&self.self_wakes);
        }
        self.last_wake.store(at, Relaxed);
        self.is_ready(at, by);
    }

    /// The first wake counts: until the next poll, others change nothing.
    fn is_ready(&self, at: Nanos, by: u64) {
        if self.woken.load(Relaxed) == 0
            && self.woken.compare_exchange(0, at, Relaxed, Relaxed).is_ok()
        {
            self.woken_by.store(by, Relaxed);
        }
    }

    pub(crate) fn waker_cloned(&self) {
        count(&self.waker_clones);
    }

    pub(crate) fn waker_dropped(&self) {
        count(&self.waker_drops);
    }

    /// In its own poll.
    pub(crate) fn clones_waker(&self) {
        add(&self.own.clones, 1);
    }

    /// In its own poll.
    pub(crate) fn drops_waker(&self) {
        add(&self.own.drops, 1);
    }

    /// Its waker was cloned in this poll and kept by nothing that tokio tells of. If the
    /// thread's runtime then wakes it, it has most likely called `yield_now`.
    /// `mark` is for the thread, and what its I/O driver has done so far.
    pub(crate) fn may_yield(&self, mark: u64) {
        if self.pending_ops.load(Relaxed) == 0 {
            self.yielded.store(mark, Relaxed);
        }
    }

    /// It may have done so, if this is the same thread.
    pub(crate) fn may_have_yielded(&self, mark: u64) -> bool {
        self.yielded.load(Relaxed) >> 32 == mark >> 32
    }

    /// The last wake was its own.
    pub(crate) fn has_yielded(&self) {
        count(&self.self_wakes);
        if self.woken_by.load(Relaxed) == 0 && self.woken.load(Relaxed) > 0 {
            self.woken_by.store(self.id, Relaxed);
        }
    }

    pub(crate) fn pending_ops(&self, more: i32) {
        if more != 0 {
            let ops = self.pending_ops.load(Relaxed);
            self.pending_ops
                .store(ops.saturating_add_signed(more), Relaxed);
        }
    }

    pub(crate) fn awaits(&self, task: u64) {
        self.awaits.store(task, Relaxed);
    }

    pub(crate) fn ends(&self, outcome: Outcome, error: Option<&str>) {
        if self.outcome.load(Relaxed) != Outcome::Panicked as u8 {
            self.outcome.store(outcome as u8, Relaxed);
            if let Some(error) = error.filter(|e| !e.is_empty()) {
                // A panic after an error keeps the error's text: it came first.
                let _ = self.error.set(error.into());
            }
        }
    }

    pub(crate) fn close(&self, at: Nanos) {
        self.awaits.store(0, Relaxed);
        if self.outcome.load(Relaxed) == Outcome::Unspecified as u8 {
            self.outcome.store(self.plain_outcome() as u8, Relaxed);
        }
        if self.site.role == Role::BlockOn && self.polls.load(Relaxed) > 1 {
            // The drop of the future was taken for a poll that somebody woke it for.
            self.wakes.fetch_sub(1, Relaxed);
        }
        self.last.store(0, Relaxed);
        self.closed.store(at, Release);
    }

    /// How it ended that said nothing itself. tokio drops the future right after the poll
    /// in which it completes; one that is dropped at another time was cancelled.
    fn plain_outcome(&self) -> Outcome {
        match self.site.role {
            Role::Worker => Outcome::Unspecified,
            _ if self.adjacent.load(Relaxed) => Outcome::Ok,
            Role::BlockOn => Outcome::Unspecified,
            Role::Task | Role::Blocking => Outcome::Cancelled,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire) > 0
    }

    /// Looks at each part, so that all of it is near when it is read.
    pub(crate) fn fetch(&self) {
        let parts = [
            &self.closed,
            &self.busy,
            &self.woken,
            &self.waker_drops,
            &self.yielded,
        ];
        std::hint::black_box(parts.map(|part| part.load(Relaxed)));
    }

    pub(crate) fn sampled(&self) -> Sampled {
        self.samples.read()
    }

    /// The last poll that has ended, if it is not among the samples.
    pub(crate) fn last_poll(&self) -> Option<u64> {
        let ended = self.ended.load(Relaxed) > 0;
        let between = self.started.load(Relaxed) <= self.ended.load(Relaxed);
        (ended && between && !self.is_closed()).then(|| self.last.load(Relaxed))
    }

    pub(crate) fn read(&self) -> State {
        let closed = self.closed.load(Acquire);
        let mut words = self.words.clone();
        if let Some(error) = self.error.get() {
            words.get_or_insert_default().error.clone_from(error);
        }
        let awaits = self.awaits.load(Relaxed);
        if awaits > 0 {
            words.get_or_insert_default().awaits = awaits;
        }
        if self.scope > 0 {
            words.get_or_insert_default().scope = self.scope;
        }
        let with = |all: &AtomicU64, own: &AtomicU64| {
            let all = all.load(Relaxed);
            all.saturating_add(own.load(Relaxed))
        };
        State {
            id: self.id,
            site: self.site,
            words,
            parent: self.parent,
            created: self.created,
            closed,
            polls: self.polls.load(Relaxed),
            first_poll: self.first_poll.load(Relaxed),
            started: self.started.load(Relaxed),
            ended: self.ended.load(Relaxed),
            busy: self.busy.load(Relaxed),
            longest: self.longest.load(Relaxed).max(self.last.load(Relaxed)),
            last_wake: self.last_wake.load(Relaxed),
            wakes: with(&self.wakes, &self.own.wakes),
            self_wakes: with(&self.self_wakes, &self.own.wakes),
            waker_clones: with(&self.waker_clones, &self.own.clones),
            waker_drops: with(&self.waker_drops, &self.own.drops),
            scheduled: self.scheduled.load(Relaxed),
            thread: self.thread.load(Relaxed),
            runtime: self.runtime.load(Relaxed),
            outcome: self.outcome.load(Relaxed),
        }
    }
}

impl State {
    /// It has not ended yet.
    pub(crate) fn revive(&mut self) {
        self.closed = 0;
        self.outcome = Outcome::Unspecified as u8;
    }

    /// Polls that began, the drop of the future not counted.
    pub(crate) fn true_polls(&self) -> u64 {
        self.polls.saturating_sub(u64::from(self.closed > 0))
    }

    pub(crate) fn outcome(&self) -> Outcome {
        outcome(self.outcome)
    }

    pub(crate) fn scope(&self) -> u64 {
        self.words.as_ref().map_or(0, |words| words.scope)
    }

    pub(crate) fn awaits(&self) -> u64 {
        self.words.as_ref().map_or(0, |words| words.awaits)
    }

    pub(crate) fn name(&self) -> &str {
        self.words.as_ref().map_or("", |words| &words.name)
    }

    pub(crate) fn error(&self) -> &str {
        self.words.as_ref().map_or("", |words| &words.error)
    }
}
