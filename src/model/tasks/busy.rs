//! Time in polls, by what is polled.

use std::time::Duration;

use crate::model::{
    Window,
    task::{Ended, Kind, Task},
};

/// Time in the polls of one window.
#[derive(Default)]
pub(super) struct Busy {
    spawned: Duration,
    local: Duration,
    block_on: Duration,
}

impl Busy {
    pub fn add(&mut self, task: &mut Task, window: Window, ended: Ended) {
        let busy = task.draw(window, ended);
        match task.kind {
            Kind::Task | Kind::Other(_) => self.spawned += busy,
            Kind::Local => self.local += busy,
            Kind::BlockOn => self.block_on += busy,
            Kind::Blocking | Kind::Worker => {}
        }
    }

    /// A `LocalSet` polls its tasks within the poll of a `block_on`; and that one is not on
    /// a worker, if there are workers.
    pub fn of_the_loop(&self, workers: usize) -> Duration {
        let own = if workers == 0 {
            self.local.max(self.block_on)
        } else {
            Duration::ZERO
        };
        self.spawned + own
    }
}
