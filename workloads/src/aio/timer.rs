//! Seconds of a program into time on tokio's clock.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

use super::{
    control::Control,
    event_loop::{Due, EventLoop, Handle, Timer},
};

/// `secs` seconds at the speed of this run, for waits that are not [`sleep`](super::sleep()): a
/// lesson's blocking call keeps step with its sleeps. Works in [`to_thread`](super::to_thread()) too.
#[track_caller]
pub fn scaled(secs: f64) -> Duration {
    Control::current().event_loop.scaled(secs)
}

/// Seconds since the run began, before scaling (`loop.time()`): what
/// [`timeout_at`](super::timeout_at()) and [`Timeout::reschedule`](super::Timeout::reschedule) count.
#[track_caller]
pub fn time() -> f64 {
    Control::current().event_loop.time()
}

/// A call that comes at a later time unless this is dropped (`asyncio.TimerHandle`).
pub(super) struct Call {
    event_loop: Arc<EventLoop>,
    timer: Arc<Timer>,
    /// In seconds of the loop; none if as soon as possible.
    when: Option<f64>,
}

impl Call {
    pub(super) fn at(event_loop: &Arc<EventLoop>, when: f64, due: Arc<dyn Due>) -> Self {
        let timer = Timer::new(due);
        event_loop.call_at(when, Arc::clone(&timer));
        Self {
            event_loop: Arc::clone(event_loop),
            timer,
            when: Some(when),
        }
    }

    /// One that comes as soon as possible.
    pub(super) fn soon(event_loop: &Arc<EventLoop>, due: Arc<dyn Due>) -> Self {
        let timer = Timer::new(due);
        event_loop.call_soon(Handle::Timer(Arc::clone(&timer)));
        Self {
            event_loop: Arc::clone(event_loop),
            timer,
            when: None,
        }
    }

    pub(super) fn when(&self) -> Option<f64> {
        self.when
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.event_loop.cancel_timer(&self.timer);
    }
}

/// tokio's timer behind a [`Call`]: it wakes the task, and an observer sees it.
///
/// tokio notes where a timer is made, and that must be the user's line; so it is made by the call, and
/// set when it is known for when.
pub(super) struct Alarm {
    made: Instant,
    time: Duration,
    /// The time of the loop that it is set to, as long as it has not fired.
    when: Option<f64>,
}

impl Alarm {
    /// tokio's timer is to be pinned by whoever polls it.
    #[track_caller]
    pub(super) fn new(secs: f64) -> (Self, Sleep) {
        let time = scaled(secs);
        let alarm = Self {
            made: Instant::now(),
            time,
            when: None,
        };
        (alarm, tokio::time::sleep(time))
    }

    /// Sets it `secs` seconds from now, which is `when` by the loop.
    pub(super) fn set(
        &mut self,
        sleep: Pin<&mut Sleep>,
        event_loop: &EventLoop,
        secs: f64,
        when: f64,
    ) {
        /// tokio's timers are exact to a millisecond.
        const TICK: Duration = Duration::from_millis(1);
        let time = event_loop.scaled(secs);
        if time != self.time || self.when.is_some() || self.made.elapsed() >= TICK {
            sleep.reset(Instant::now() + time);
            self.time = time;
        }
        self.when = Some(when);
    }

    /// Looks whether it has fired, and if so tells the loop.
    pub(super) fn poll(
        &mut self,
        sleep: Pin<&mut Sleep>,
        event_loop: &EventLoop,
        cx: &mut Context<'_>,
    ) {
        if let Some(when) = self.when
            && let Poll::Ready(()) = sleep.poll(cx)
        {
            self.when = None;
            event_loop.fired(when);
        }
    }
}
