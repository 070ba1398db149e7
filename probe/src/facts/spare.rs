//! Memory of what has ended, for what is new.
//!
//! The program's threads would take memory from the allocator that the publisher's thread
//! gives back, which is what allocators are worst at. It changes hands a handful at a time.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

use super::{op::Op, resource::Resource, task::Task};

const HANDFUL: usize = 32;

/// What threads hand over.
#[derive(Debug)]
pub(crate) struct Spare<E>(ArrayQueue<Vec<Arc<E>>>);

/// What a thread has at hand.
#[derive(Debug)]
pub(crate) struct Hand<E>(Vec<Arc<E>>);

impl<E> Default for Spare<E> {
    fn default() -> Self {
        Self(ArrayQueue::new(Self::ROOM / HANDFUL))
    }
}

impl<E> Default for Hand<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E> Spare<E> {
    const ROOM: usize = 1 << 12;

    /// Takes back the memory of one that nobody else knows any more.
    pub(crate) fn put(&self, hand: &mut Hand<E>, ended: Arc<E>) {
        if Arc::strong_count(&ended) == 1 {
            hand.0.push(ended);
            if hand.0.len() >= HANDFUL {
                // If there is no room, it goes to the allocator.
                let _ = self.0.push(std::mem::take(&mut hand.0));
            }
        }
    }

    pub(crate) fn fill(&self, hand: &mut Hand<E>, new: E) -> Arc<E> {
        if hand.0.is_empty()
            && let Some(more) = self.0.pop()
        {
            hand.0 = more;
        }
        if let Some(mut spare) = hand.0.pop()
            && let Some(place) = Arc::get_mut(&mut spare)
        {
            *place = new;
            return spare;
        }
        Arc::new(new)
    }
}

/// Of each kind of which there are many.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    pub(crate) tasks: Spare<Task>,
    pub(crate) resources: Spare<Resource>,
    pub(crate) ops: Spare<Op>,
}

#[derive(Debug, Default)]
pub(crate) struct Hands {
    pub(crate) tasks: Hand<Task>,
    pub(crate) resources: Hand<Resource>,
    pub(crate) ops: Hand<Op>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_once_there_is_a_handful_of_it() {
        let spare = Spare::default();
        let (mut gives, mut takes) = (Hand::default(), Hand::default());
        let all: Vec<Arc<usize>> = (0..HANDFUL).map(Arc::new).collect();
        let places: Vec<_> = all.iter().map(Arc::as_ptr).collect();
        let known_elsewhere = Arc::new(0);
        spare.put(&mut gives, Arc::clone(&known_elsewhere));
        for ended in all {
            assert_eq!(spare.0.len(), 0);
            spare.put(&mut gives, ended);
        }
        assert_eq!((spare.0.len(), gives.0.len()), (1, 0));
        let again: Vec<_> = (0..HANDFUL)
            .map(|n| spare.fill(&mut takes, n + 100))
            .collect();
        for (n, filled) in again.iter().enumerate() {
            assert_eq!(**filled, n + 100);
            assert!(places.contains(&Arc::as_ptr(filled)), "it is used again");
        }
        assert_eq!(*spare.fill(&mut takes, 7), 7, "there is none left");
    }
}
