//! The time between two console updates.

use std::time::Duration;

use crate::frame::Time;

#[derive(Copy, Clone, Debug)]
pub(crate) struct Window {
    pub from: Time,
    pub to: Time,
}

impl Window {
    /// There was no update before this one.
    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }

    pub fn holds(self, at: Time) -> bool {
        self.from <= at && at <= self.to
    }

    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    /// What lies in it of the time between two others.
    pub fn part(self, from: Time, to: Time) -> Self {
        let from = from.clamp(self.from, self.to);
        let to = to.clamp(from, self.to);
        Self { from, to }
    }
}
