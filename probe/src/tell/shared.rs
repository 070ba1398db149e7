//! What the end of the program, the publisher and the server share.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    clock::{self, Nanos},
    hear::Heard,
};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) heard: Arc<Heard>,
    /// Of clients of `loopview.v1.Probe`.
    watching: Mutex<usize>,
    watching_changed: Condvar,
    pub(super) ended: Mutex<Nanos>,
    pub(super) wake: Notify,
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
            wake: Notify::new(),
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

    /// Publishes the final state, and blocks until nobody watches any more, or the limit
    /// is up.
    pub(crate) fn finish(&self, limit: Duration) {
        *lock(&self.ended) = clock::now();
        self.wake.notify_one();
        self.wait_until(limit, |watching| watching == 0);
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
