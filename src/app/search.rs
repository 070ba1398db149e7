//! A moment that is looked for on another thread, as that may take longer than a picture.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::JoinHandle;

use crate::{
    recording::{Error, Goal, History},
    travel::Found,
};

/// It is given up when this is dropped.
pub(super) struct Search {
    goal: Goal,
    enough: Arc<AtomicBool>,
    found: JoinHandle<Found>,
}

impl Search {
    pub fn begin(history: History, goal: Goal) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let told = enough.clone();
        Self {
            goal,
            enough,
            found: tokio::task::spawn_blocking(move || history.seek(goal, &told)),
        }
    }

    /// What was looked for, once it is found; never if there is no search.
    pub async fn found(search: &mut Option<Self>) -> (Goal, Found) {
        let Some(Self { goal, found, .. }) = search else {
            return std::future::pending().await;
        };
        let found = found.await;
        let found = found.unwrap_or_else(|panic| Err(Error::Io(std::io::Error::other(panic))));
        (*goal, found)
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
    }
}
