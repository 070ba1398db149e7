//! What the end of the program, the publisher and the server share.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use super::watcher::Reads;
use crate::{
    clock::{self, Nanos},
    facts::changes::Early,
    hear::Heard,
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) heard: Arc<Heard>,
    /// Of clients of `loopview.v1.Probe`.
    watching: Mutex<usize>,
    watching_changed: Condvar,
    pub(super) ended: Mutex<Nanos>,
    pub(super) wake: Early,
    pub(super) reads: Arc<Reads>,
    /// Everyone has been sent the last word.
    pub(super) said_it_all: AtomicBool,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(heard: Arc<Heard>) -> Arc<Self> {
        Arc::new(Self {
            heard,
            watching: Mutex::default(),
            watching_changed: Condvar::new(),
            ended: Mutex::default(),
            wake: Early::default(),
            reads: Arc::default(),
            said_it_all: AtomicBool::new(false),
        })
    }

    /// Counts a watcher for as long as the result lives.
    pub(super) fn count_watcher(self: &Arc<Self>) -> Watching {
        *lock(&self.watching) += 1;
        self.watching_changed.notify_all();
        Watching(Arc::clone(self))
    }

    /// Blocks until somebody watches, or the limit is up.
    pub(crate) fn wait_for_watcher(&self, limit: Duration) -> bool {
        self.wait_until(limit, |watching| watching > 0)
    }

    /// Publishes the final state, and blocks until nobody watches any more. A client that
    /// reads nothing for as long as the limit is not waited for.
    pub(crate) fn finish(&self, limit: Duration) {
        /// Limits that clients may take as long as they go on reading what they lack.
        const PATIENCE: u32 = 10;
        *lock(&self.ended) = clock::now();
        self.wake.wake();
        for _ in 0..PATIENCE {
            let before = self.reads.messages();
            // The last word was sent, and is to be read within another limit.
            let said_it_all = self.said_it_all.load(Relaxed);
            let nobody_is_left = self.wait_until(limit, |watching| watching == 0);
            let nothing_moves = self.reads.messages() == before;
            if nobody_is_left || nothing_moves || said_it_all {
                return;
            }
        }
    }

    fn wait_until(&self, limit: Duration, holds: impl Fn(usize) -> bool) -> bool {
        let watching = lock(&self.watching);
        self.watching_changed
            .wait_timeout_while(watching, limit, |watching| !holds(*watching))
            .is_ok_and(|(_, waited)| !waited.timed_out())
    }
}

/// A watcher that has not left.
#[derive(Debug)]
pub(crate) struct Watching(Arc<Shared>);

impl Drop for Watching {
    fn drop(&mut self) {
        *lock(&self.0.watching) -= 1;
        self.0.watching_changed.notify_all();
    }
}
