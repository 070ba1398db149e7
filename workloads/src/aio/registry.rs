//! The tasks of a run that have not ended (`asyncio.all_tasks`).

use std::sync::Arc;

use super::control::Control;

/// Holds each task at a place of its own, so that adding and removing cost the same for any number.
#[derive(Default)]
pub(super) struct Registry {
    places: Vec<Option<Arc<Control>>>,
    free: Vec<usize>,
}

impl Registry {
    /// Adds a task, and tells its place.
    pub(super) fn add(&mut self, task: Arc<Control>) -> usize {
        let task = Some(task);
        if let Some(place) = self.free.pop() {
            self.places[place] = task;
            place
        } else {
            self.places.push(task);
            self.places.len() - 1
        }
    }

    pub(super) fn remove(&mut self, place: usize) -> Option<Arc<Control>> {
        self.free.push(place);
        self.places[place].take()
    }

    /// All of them, in the order in which they were created.
    pub(super) fn all(&self) -> Vec<Arc<Control>> {
        let mut tasks: Vec<_> = self.places.iter().flatten().cloned().collect();
        tasks.sort_unstable_by_key(|task| task.serial());
        tasks
    }
}
