//! The tasks of a run that have not ended (`asyncio.all_tasks`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::control::Control;

/// Holds each task at a place of its own, so that adding and removing cost the same for any number.
#[derive(Default)]
pub(super) struct Registry(Mutex<Places>);

#[derive(Default)]
struct Places {
    tasks: Vec<Option<Arc<Control>>>,
    free: Vec<usize>,
}

impl Registry {
    /// Adds the task that `make` makes for a place.
    pub(super) fn add(&self, make: impl FnOnce(usize) -> Arc<Control>) -> Arc<Control> {
        let mut places = self.lock();
        let place = places.free.pop().unwrap_or(places.tasks.len());
        let task = make(place);
        let held = Some(Arc::clone(&task));
        match places.tasks.get_mut(place) {
            Some(free) => *free = held,
            None => places.tasks.push(held),
        }
        task
    }

    pub(super) fn remove(&self, place: usize) {
        let mut places = self.lock();
        let task = places.tasks[place].take();
        places.free.push(place);
        drop(places);
        drop(task);
    }

    /// All of them, in the order in which they were created.
    pub(super) fn all(&self) -> Vec<Arc<Control>> {
        let mut tasks: Vec<_> = self.lock().tasks.iter().flatten().cloned().collect();
        tasks.sort_unstable_by_key(|task| task.serial);
        tasks
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
