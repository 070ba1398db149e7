//! `asyncio.sleep`.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
};

use tokio::time::Sleep;

use super::{
    control::Control,
    error::Result,
    promise::Promise,
    suspend::{Suspend, one_turn},
    timer::{Alarm, Call},
};

/// Suspends the task for `secs` seconds, scaled (`asyncio.sleep`); for no time or less, just until
/// every task that is ready has had its turn.
///
/// The time starts to run at the await. `tokio::time::sleep(0)` is ready at once and lets nobody in.
///
/// # Errors
///
/// [`Error::Cancelled`](super::Error::Cancelled).
#[track_caller]
pub fn sleep(secs: f64) -> impl Future<Output = Result<()>> + Send + 'static {
    // Not `then`: the timer's location does not reach into a closure.
    let alarm = if secs > 0.0 {
        Some(Alarm::new(secs))
    } else {
        None
    };
    async move {
        match alarm {
            Some((alarm, sleep)) => sleep_until_it_fires(alarm, pin!(sleep), secs).await,
            None => one_turn().await,
        }
    }
}

async fn sleep_until_it_fires(
    mut alarm: Alarm,
    mut sleep: Pin<&mut Sleep>,
    secs: f64,
) -> Result<()> {
    let event_loop = Arc::clone(&Control::current().event_loop);
    let over = Promise::new();
    let when = event_loop.time() + secs;
    let _call = Call::at(&event_loop, when, Arc::clone(&over) as _);
    alarm.set(sleep.as_mut(), &event_loop, secs, when);
    let mut over = Suspend::on(over);
    poll_fn(|cx| {
        alarm.poll(sleep.as_mut(), &event_loop, cx);
        Pin::new(&mut over).poll(cx)
    })
    .await
}
