//! What a `Sleep` resource is: a deadline, and when it was met.

use std::sync::{
    OnceLock,
    atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
};

use loopview_api::v1::TimerKind;

use super::{add, site::Site};
use crate::clock::Nanos;

#[derive(Debug)]
pub(crate) struct Timer {
    kind: AtomicU8,
    /// The task that last polled it.
    task: AtomicU64,
    /// Plus 1, as a sleep of no time is a sleep.
    duration: AtomicU64,
    deadline: AtomicU64,
    fired: AtomicU64,
    fires: AtomicU64,
    latest: AtomicU64,
    /// What the poll that is going on has said so far. Its last word counts: the first is
    /// about the task's budget.
    ready: AtomicU8,
    /// The interval whose ticks it makes.
    interval: OnceLock<&'static Site>,
}

const UNKNOWN: u8 = 0;
const PENDING: u8 = 1;
const READY: u8 = 2;

/// A timer as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) kind: TimerKind,
    pub(crate) task: u64,
    /// In nanoseconds.
    pub(crate) duration: Option<u64>,
    pub(crate) deadline: Nanos,
    pub(crate) fired: Nanos,
    pub(crate) fires: u64,
    pub(crate) latest: u64,
    pub(crate) interval: Option<&'static Site>,
}

impl Timer {
    pub(crate) fn new(kind: TimerKind) -> Self {
        Self {
            kind: AtomicU8::new(kind as u8),
            task: AtomicU64::new(0),
            duration: AtomicU64::new(0),
            deadline: AtomicU64::new(0),
            fired: AtomicU64::new(0),
            fires: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            ready: AtomicU8::new(UNKNOWN),
            interval: OnceLock::new(),
        }
    }

    pub(crate) fn enter(&self) {
        self.ready.store(UNKNOWN, Relaxed);
    }

    pub(crate) fn poll_op(&self, task: u64, ready: bool) {
        if task > 0 {
            self.task.store(task, Relaxed);
        }
        let ready = if ready { READY } else { PENDING };
        self.ready.store(ready, Relaxed);
    }

    /// `millis`: tokio tells how long from now on in whole milliseconds.
    pub(crate) fn arm(&self, at: Nanos, millis: u64) {
        let duration = millis.saturating_mul(1_000_000);
        self.duration.store(duration.saturating_add(1), Relaxed);
        self.deadline.store(at.saturating_add(duration), Relaxed);
        self.fired.store(0, Relaxed);
    }

    pub(crate) fn exit(&self, at: impl FnOnce() -> Nanos, interval: Option<&'static Site>) {
        if let Some(interval) = interval
            && self.interval.set(interval).is_ok()
        {
            self.kind.store(TimerKind::Interval as u8, Relaxed);
        }
        let deadline = self.deadline.load(Relaxed);
        if self.ready.load(Relaxed) == READY && deadline > 0 && self.fired.load(Relaxed) == 0 {
            let at = at();
            let late = at.saturating_sub(deadline);
            self.latest
                .store(self.latest.load(Relaxed).max(late), Relaxed);
            add(&self.fires, 1);
            self.fired.store(at, Relaxed);
        }
    }

    pub(crate) fn fires(&self) -> u64 {
        self.fires.load(Relaxed)
    }

    pub(crate) fn read(&self) -> State {
        State {
            kind: TimerKind::try_from(i32::from(self.kind.load(Relaxed))).unwrap_or_default(),
            task: self.task.load(Relaxed),
            duration: self.duration.load(Relaxed).checked_sub(1),
            deadline: self.deadline.load(Relaxed),
            fired: self.fired.load(Relaxed),
            fires: self.fires.load(Relaxed),
            latest: self.latest.load(Relaxed),
            interval: self.interval.get().copied(),
        }
    }
}
