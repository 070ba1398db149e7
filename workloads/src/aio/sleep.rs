//! `asyncio.sleep`.

use std::{future::poll_fn, task::Poll};

use super::{error::Result, leaf::leaf, timer::Timer};

/// Suspends the task for `secs` seconds, scaled (`asyncio.sleep`); for no time or less, just until
/// every task that is ready has had its turn.
///
/// # Errors
///
/// [`Error::Cancelled`](super::Error::Cancelled).
#[track_caller]
pub fn sleep(secs: f64) -> impl Future<Output = Result<()>> + Send + 'static {
    let timer = Timer::new(secs);
    async move {
        match timer {
            Some(timer) => leaf(None, timer.elapse()).await,
            None => leaf(None, one_turn()).await,
        }
    }
}

/// Goes to the back of the queue once. `tokio::task::yield_now` would also wait for a look at the
/// sockets and timers, which is later than asyncio's one turn.
async fn one_turn() {
    let mut gone = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gone, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
