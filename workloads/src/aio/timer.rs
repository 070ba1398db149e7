//! Seconds of a program into time on tokio's clock.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, Sleep};

use super::control::Control;

/// Further away than any program runs, and still addable to any `Instant`.
const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);

/// tokio's timers are exact to a millisecond.
const TICK: Duration = Duration::from_millis(1);

/// `secs` seconds at the speed of this run, for waits that are not [`sleep`](super::sleep()): a
/// lesson's blocking call keeps step with its sleeps. Works in [`to_thread`](super::to_thread()) too.
#[track_caller]
pub fn scaled(secs: f64) -> Duration {
    let secs = (secs * Control::current().event_loop.scale).max(0.0);
    Duration::try_from_secs_f64(secs).map_or(FOREVER, |time| time.min(FOREVER))
}

/// A timer made here and started at its await.
///
/// tokio notes where a timer is made, and that must be the user's line; asyncio's time starts to run
/// at the await, which may come later.
pub(super) struct Timer {
    sleep: Sleep,
    made: Instant,
    time: Duration,
}

impl Timer {
    /// A timer of `secs` seconds, scaled; none if it takes no time.
    #[track_caller]
    pub(super) fn new(secs: f64) -> Option<Self> {
        let time = scaled(secs);
        if time.is_zero() {
            return None;
        }
        Some(Self {
            sleep: tokio::time::sleep(time),
            made: Instant::now(),
            time,
        })
    }

    pub(super) async fn elapse(self) {
        let mut sleep = pin!(self.sleep);
        if self.made.elapsed() >= TICK {
            sleep.as_mut().reset(Instant::now() + self.time);
        }
        sleep.await;
    }
}
