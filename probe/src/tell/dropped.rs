//! What was not told, by kind.

use std::{
    ops::{AddAssign, Sub},
    sync::atomic::Ordering::Relaxed,
};

use loopview_api::v1;

use crate::hear::Heard;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) tasks: u64,
    pub(super) resources: u64,
    pub(super) ops: u64,
    pub(super) scopes: u64,
}

impl Dropped {
    /// What was not recorded so far, which nobody is told of, as the console protocol counts it.
    pub(super) fn by(heard: &Heard) -> Self {
        let lost = &heard.lost;
        Self {
            tasks: lost.tasks.load(Relaxed) + lost.events.load(Relaxed),
            resources: lost.resources.load(Relaxed),
            ops: lost.ops.load(Relaxed),
            scopes: 0,
        }
    }

    /// What of it the console protocol has no room for: it has no scopes, and only its own
    /// updates have what is told by them.
    pub(super) fn to_wire(self, wants_console: bool) -> Option<v1::Missed> {
        let beside = v1::Missed {
            scopes: self.scopes,
            ..v1::Missed::default()
        };
        let missed = if wants_console {
            beside
        } else {
            v1::Missed {
                tasks: self.tasks,
                resources: self.resources,
                ..beside
            }
        };
        (missed != v1::Missed::default()).then_some(missed)
    }
}

impl AddAssign for Dropped {
    fn add_assign(&mut self, more: Self) {
        self.tasks += more.tasks;
        self.resources += more.resources;
        self.ops += more.ops;
        self.scopes += more.scopes;
    }
}

impl Sub for Dropped {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            tasks: self.tasks - before.tasks,
            resources: self.resources - before.resources,
            ops: self.ops - before.ops,
            scopes: self.scopes - before.scopes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_missed_is_told_by_both_protocols() {
        let missed = Dropped {
            tasks: 1,
            resources: 2,
            ops: 4,
            scopes: 8,
        };
        let told = |tasks, resources, scopes| {
            Some(v1::Missed {
                tasks,
                resources,
                scopes,
            })
        };
        assert_eq!(missed.to_wire(false), told(1, 2, 8));
        assert_eq!(missed.to_wire(true), told(0, 0, 8));
        let ops = Dropped {
            ops: 4,
            ..Dropped::default()
        };
        assert_eq!(ops.to_wire(false), None);
    }
}
