//! Memory of tasks that have ended, for new ones.
//!
//! The program's threads would take memory from the allocator that the publisher's thread
//! gives back, which is what allocators are worst at.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::task::Task;

#[derive(Debug)]
pub(crate) struct Spare(ArrayQueue<Arc<Task>>);

impl Default for Spare {
    fn default() -> Self {
        Self(ArrayQueue::new(Self::ROOM))
    }
}

impl Spare {
    const ROOM: usize = 1 << 12;

    /// Takes back the memory of one that nobody else knows any more.
    pub(crate) fn put(&self, task: Arc<Task>) {
        if Arc::strong_count(&task) == 1 {
            // If there is no room, it goes to the allocator.
            let _ = self.0.push(task);
        }
    }

    pub(crate) fn fill(&self, task: Task) -> Arc<Task> {
        if let Some(mut spare) = self.0.pop()
            && let Some(place) = Arc::get_mut(&mut spare)
        {
            *place = task;
            return spare;
        }
        Arc::new(task)
    }
}
