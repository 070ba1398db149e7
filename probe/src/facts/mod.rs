//! What is known of each task, resource, operation, scope and thread.
//!
//! The program's threads fill these in place, by atomics alone: nobody who reads them ever
//! holds a lock that a thread of the program would wait for, but for the [`holders`] of a
//! lock. The first change after a reading puts an entity on the list of what is new; later
//! ones find it there. While nobody watches, only what ends is listed, as only its last
//! state is kept.

pub(crate) mod attributes;
pub(crate) mod budget;
pub(crate) mod changes;
pub(crate) mod fence;
pub(crate) mod holders;
pub(crate) mod op;
pub(crate) mod polls;
pub(crate) mod resource;
pub(crate) mod samples;
pub(crate) mod scope;
pub(crate) mod site;
pub(crate) mod spare;
pub(crate) mod task;
pub(crate) mod thread;
pub(crate) mod timer;

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// Of what only one thread at a time writes: cheaper than `fetch_add`.
pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
}

/// Of what several threads write.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// Marks that something has a change nobody has read; true if it is the first one.
///
/// The reader takes the mark away before it reads, with a fence between the two as there is
/// one here: so either it sees what was written before this, or this sees that the mark is gone.
pub(crate) fn first_change(listed: &std::sync::atomic::AtomicBool) -> bool {
    fence::light();
    !listed.load(Relaxed) && !listed.swap(true, AcqRel)
}
