//! What a program that returns from `main` has not told yet.

use std::{cell::RefCell, sync::Arc, thread, time::Duration};

use crate::tell::Shared;

/// How long the last state may take to be read. A loopview that watches leaves as soon as
/// it has it, and without one there is no wait at all.
const LIMIT: Duration = Duration::from_secs(1);

thread_local! {
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

/// Publishes the final state when it is dropped.
struct LastWords(Arc<Shared>);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.finish(LIMIT);
    }
}

/// Keeps the program, when its main thread ends, until its last state has been read: a
/// thread's own values are dropped with it, those of the main thread when `main` returns or
/// the process exits. Does nothing in another thread, whose end is not the program's.
pub(crate) fn after_main(shared: &Arc<Shared>) {
    if thread::current().name() == Some("main") {
        let last_words = LastWords(Arc::clone(shared));
        // Of several probes, which only tests have, the last is the one that serves.
        LAST_WORDS.with(|kept| kept.replace(Some(last_words)));
    }
}
