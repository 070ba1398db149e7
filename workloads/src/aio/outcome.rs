//! What a task ended with, kept for all who await it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::{Error, Result};

/// What a task ended with, for those to whom its value means nothing.
pub(super) trait Outcome: Send + Sync {
    /// What it raised, [`Error::Cancelled`] included; nothing while it runs.
    fn failure(&self) -> Option<Error>;
}

/// The outcome itself; none while the task runs.
pub(super) struct Slot<T>(Mutex<Option<Result<T>>>);

impl<T> Slot<T> {
    pub(super) fn set(&self, outcome: Result<T>) {
        *self.lock() = Some(outcome);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Result<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Slot<T> {
    pub(super) fn get(&self) -> Option<Result<T>> {
        self.lock().clone()
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Send> Outcome for Slot<T> {
    fn failure(&self) -> Option<Error> {
        match &*self.lock() {
            Some(Err(error)) => Some(error.clone()),
            Some(Ok(_)) | None => None,
        }
    }
}
