//! What was not told, by kind: as the console protocol counts it.

use std::{
    ops::{AddAssign, Sub},
    sync::atomic::Ordering::Relaxed,
};

use crate::hear::Heard;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) tasks: u64,
    pub(super) resources: u64,
    pub(super) ops: u64,
}

impl Dropped {
    /// What was not recorded so far, which nobody is told of.
    pub(super) fn by(heard: &Heard) -> Self {
        let lost = &heard.lost;
        Self {
            tasks: lost.tasks.load(Relaxed) + lost.events.load(Relaxed),
            resources: lost.resources.load(Relaxed),
            ops: lost.ops.load(Relaxed),
        }
    }
}

impl AddAssign for Dropped {
    fn add_assign(&mut self, more: Self) {
        self.tasks += more.tasks;
        self.resources += more.resources;
        self.ops += more.ops;
    }
}

impl Sub for Dropped {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            tasks: self.tasks - before.tasks,
            resources: self.resources - before.resources,
            ops: self.ops - before.ops,
        }
    }
}
