//! Memory of what has ended, for what is new.
//!
//! The program's threads would take memory from the allocator that the publisher's thread
//! gives back, which is what allocators are worst at.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

#[derive(Debug)]
pub(crate) struct Spare<E>(ArrayQueue<Arc<E>>);

impl<E> Default for Spare<E> {
    fn default() -> Self {
        Self(ArrayQueue::new(Self::ROOM))
    }
}

impl<E> Spare<E> {
    const ROOM: usize = 1 << 12;

    /// Takes back the memory of one that nobody else knows any more.
    pub(crate) fn put(&self, ended: Arc<E>) {
        if Arc::strong_count(&ended) == 1 {
            // If there is no room, it goes to the allocator.
            let _ = self.0.push(ended);
        }
    }

    pub(crate) fn fill(&self, new: E) -> Arc<E> {
        if let Some(mut spare) = self.0.pop()
            && let Some(place) = Arc::get_mut(&mut spare)
        {
            *place = new;
            return spare;
        }
        Arc::new(new)
    }
}
