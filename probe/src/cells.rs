//! What is known of each task, timer, scope and thread.
//!
//! A cell is filled in place by the threads of the program. The first change after a
//! publish puts it on the list of what is new; later ones find it there. So a publish
//! costs as much as has changed, and nothing is queued while nobody looks.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use loopview_api::v1;

use crate::clock;

/// A lock that cannot fail: what it guards is whole after each statement, so a panic of
/// the thread that held it leaves nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// State behind a lock, and whether it is on the list of what is new.
#[derive(Debug)]
pub(crate) struct Cell<T> {
    listed: AtomicBool,
    state: Mutex<T>,
}

impl<T> Cell<T> {
    fn new(state: T) -> Arc<Self> {
        Arc::new(Self {
            listed: AtomicBool::new(false),
            state: Mutex::new(state),
        })
    }

    /// Reads without a change.
    pub(crate) fn read<R>(&self, with: impl FnOnce(&T) -> R) -> R {
        with(&lock(&self.state))
    }
}

/// A cell that has changed.
#[derive(Clone, Debug)]
pub(crate) enum Changed {
    Task(Arc<Cell<Task>>),
    Timer(Arc<Cell<Timer>>),
    Scope(Arc<Cell<Scope>>),
    Thread(Arc<Cell<Thread>>),
}

impl From<Arc<Cell<Task>>> for Changed {
    fn from(cell: Arc<Cell<Task>>) -> Self {
        Self::Task(cell)
    }
}

impl From<Arc<Cell<Timer>>> for Changed {
    fn from(cell: Arc<Cell<Timer>>) -> Self {
        Self::Timer(cell)
    }
}

impl From<Arc<Cell<Scope>>> for Changed {
    fn from(cell: Arc<Cell<Scope>>) -> Self {
        Self::Scope(cell)
    }
}

impl From<Arc<Cell<Thread>>> for Changed {
    fn from(cell: Arc<Cell<Thread>>) -> Self {
        Self::Thread(cell)
    }
}

/// The list of what is new, and the numbers given out so far.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    new: Mutex<Vec<Changed>>,
    /// Of timers, scopes and threads: the wire promises that they are never reused.
    last_id: AtomicU64,
}

impl Cells {
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn insert<T>(&self, state: T) -> Arc<Cell<T>>
    where
        Arc<Cell<T>>: Into<Changed>,
    {
        let cell = Cell::new(state);
        self.change(&cell, |_| ());
        cell
    }

    pub(crate) fn change<T, R>(&self, cell: &Arc<Cell<T>>, with: impl FnOnce(&mut T) -> R) -> R
    where
        Arc<Cell<T>>: Into<Changed>,
    {
        let result = with(&mut lock(&cell.state));
        if !cell.listed.swap(true, Ordering::AcqRel) {
            lock(&self.new).push(Arc::clone(cell).into());
        }
        result
    }

    /// Takes the list. A change from here on lists its cell anew.
    pub(crate) fn take(&self) -> Vec<Changed> {
        let new = std::mem::take(&mut *lock(&self.new));
        for changed in &new {
            let listed = match changed {
                Changed::Task(cell) => &cell.listed,
                Changed::Timer(cell) => &cell.listed,
                Changed::Scope(cell) => &cell.listed,
                Changed::Thread(cell) => &cell.listed,
            };
            listed.store(false, Ordering::Release);
        }
        new
    }
}

/// A closure on the blocking pool that is a worker of a multi-thread runtime, by its type: one
/// that starts it, or one that takes its place while it runs `block_in_place`.
fn is_worker(function: &str) -> bool {
    function.contains("worker::Launch") || function.contains("worker::block_in_place")
}

/// A task: what `v1::Task` tells, and what is needed to find it out.
#[derive(Debug, Default)]
pub(crate) struct Task {
    pub(crate) wire: v1::Task,
    /// A closure on the blocking pool, or a worker, which tokio starts as one.
    pub(crate) blocking: bool,
    pub(crate) block_on: bool,
    pub(crate) worker: bool,
    poll_started: Option<Instant>,
    /// The last poll that has ended. It counts once it is known to have been a poll: the
    /// span is also entered when the future is dropped, and that is always the last time.
    last: Duration,
    longest: Duration,
    pub(crate) closed: Option<Instant>,
}

impl Task {
    /// `kind` and `function` are tokio's fields `kind` and `fn`.
    pub(crate) fn new(wire: v1::Task, kind: Option<&str>, function: Option<&str>) -> Self {
        Self {
            wire,
            blocking: kind == Some("blocking"),
            block_on: kind == Some("block_on"),
            worker: function.is_some_and(is_worker),
            ..Self::default()
        }
    }

    pub(crate) fn enter(&mut self, at: Instant, thread: u64) {
        self.wire.polls += 1;
        self.wire.thread = Some(thread);
        self.poll_started = Some(at);
        self.longest = self.longest.max(self.last);
        self.last = Duration::ZERO;
    }

    /// `panic`: what the panic said that ends this poll.
    pub(crate) fn exit(&mut self, at: Instant, panic: Option<String>) {
        if let Some(started) = self.poll_started.take() {
            self.last = at.saturating_duration_since(started);
        }
        // The future is dropped, and its span left once more, while the thread unwinds.
        if let Some(text) = panic
            && self.wire.outcome() != v1::Outcome::Panicked
        {
            self.wire.set_outcome(v1::Outcome::Panicked);
            self.wire.error = text;
        }
    }

    pub(crate) fn close(&mut self, at: Instant) {
        self.closed = Some(at);
        self.wire.polls = self.wire.polls.saturating_sub(1);
        self.wire.awaits = None;
        self.last = Duration::ZERO;
    }

    pub(crate) fn to_wire(&self) -> v1::Task {
        let longest = clock::wire_duration(self.longest.max(self.last));
        v1::Task {
            longest_poll: Some(longest),
            ..self.wire.clone()
        }
    }
}

/// A timer: a `Sleep` resource.
#[derive(Debug)]
pub(crate) struct Timer {
    pub(crate) wire: v1::Timer,
    deadline: Option<Instant>,
    /// What the poll that is going on has said so far. Its last word counts: the first is
    /// about the task's budget.
    ready: Option<bool>,
    latest: Duration,
    pub(crate) closed: Option<Instant>,
}

impl Timer {
    pub(crate) fn new(wire: v1::Timer) -> Self {
        Self {
            wire,
            deadline: None,
            ready: None,
            latest: Duration::ZERO,
            closed: None,
        }
    }

    pub(crate) fn enter(&mut self) {
        self.ready = None;
    }

    pub(crate) fn poll_op(&mut self, task: Option<u64>, ready: bool) {
        self.wire.task = task.or(self.wire.task);
        self.ready = Some(ready);
    }

    pub(crate) fn arm(&mut self, at: Instant, duration: Duration) {
        let deadline = at + duration;
        self.deadline = Some(deadline);
        self.wire.duration = Some(clock::wire_duration(duration));
        self.wire.deadline = Some(clock::wire(deadline));
        self.wire.fired_at = None;
    }

    pub(crate) fn exit(&mut self, at: Instant) {
        if let (Some(true), Some(deadline), None) = (self.ready, self.deadline, self.wire.fired_at)
        {
            self.latest = self.latest.max(at.saturating_duration_since(deadline));
            self.wire.fires += 1;
            self.wire.fired_at = Some(clock::wire(at));
            self.wire.latest = Some(clock::wire_duration(self.latest));
        }
    }

    pub(crate) fn close(&mut self, at: Instant) {
        self.closed = Some(at);
        self.wire.dropped_at = Some(clock::wire(at));
    }
}

/// A span with the target `loopview::scope`.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) wire: v1::Scope,
    pub(crate) closed: Option<Instant>,
}

/// A thread that polls tasks or runs blocking calls.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) wire: v1::Thread,
}
