//! A place to leave a waker for whoever will have news.

use std::{
    sync::{Mutex, PoisonError},
    task::Waker,
};

/// Holds the waker of the one future that waits here.
#[derive(Debug, Default)]
pub(super) struct WakeCell(Mutex<Option<Waker>>);

impl WakeCell {
    pub(super) fn register(&self, waker: &Waker) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *slot {
            Some(old) => old.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    pub(super) fn wake(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
