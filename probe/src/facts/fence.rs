//! A fence between the program's threads and the publisher, that costs the publisher alone.
//!
//! Who changes something writes it and then looks whether it is listed; who reads takes it off
//! the list and then looks what was written. One of the two has to see the other, which takes a
//! fence on both sides. The program's threads come by here twice a poll, the publisher once for
//! many changes: where the system can make all threads of the process pass a fence (Linux:
//! `membarrier`), theirs is only in the order of their code.

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
    compiler_fence, fence,
};

/// The publisher's fence is one for all threads.
static FOR_ALL: AtomicBool = AtomicBool::new(false);

/// To be called before anything is listed.
pub(crate) fn start() {
    FOR_ALL.store(system::prepare(), Relaxed);
}

/// On a thread of the program, between a change and the look whether it is listed.
#[inline]
pub(crate) fn light() {
    if FOR_ALL.load(Relaxed) {
        compiler_fence(SeqCst);
    } else {
        fence(SeqCst);
    }
}

/// On the publisher's thread, between taking something off the list and reading it.
pub(crate) fn heavy() {
    if FOR_ALL.load(Relaxed) && !system::pass() {
        // Somebody has forbidden it meanwhile.
        FOR_ALL.store(false, Relaxed);
    }
    fence(SeqCst);
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{MembarrierCommand, membarrier};

    pub(super) fn prepare() -> bool {
        membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
    }

    pub(super) fn pass() -> bool {
        membarrier(MembarrierCommand::PrivateExpedited).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn prepare() -> bool {
        false
    }

    pub(super) fn pass() -> bool {
        false
    }
}
