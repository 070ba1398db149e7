//! `asyncio.wait_for`.

use std::{future::poll_fn, panic::Location, pin::pin, sync::Arc, task::Poll};

use super::{
    awaitable::Awaitable,
    control::Control,
    done::Done,
    error::{Error, Result},
    leaf::leaf,
    scope::Scope,
    task::Task,
    timer::Timer,
};

/// Awaits for at most `secs` seconds, scaled; `None` is no limit (`asyncio.wait_for`).
///
/// When the time is up, what is awaited is asked to end and its cleanup is awaited. If it swallows
/// the request its value is the result, late. The task is made by the call; the time starts to run
/// at the await. With a limit of 0 or less a coroutine never starts.
///
/// # Errors
///
/// [`Error::TimedOut`] when the time is up, or what the awaited raises.
#[track_caller]
pub fn wait_for<A: Awaitable>(
    awaitable: A,
    secs: impl Into<Option<f64>>,
) -> impl Future<Output = Result<A::Output>> + Send + 'static {
    let scope = Scope::open("wait_for", Location::caller());
    let (task, limit) = {
        let _child = scope.enter();
        let limit = match secs.into() {
            None => Limit::Never,
            Some(secs) => Timer::new(secs).map_or(Limit::Now, Limit::Later),
        };
        (awaitable.into_task(), limit)
    };
    async move {
        let result = outcome(&task, limit).await;
        scope.close(&result);
        result
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "there is one in a future, which a box would only enlarge"
)]
enum Limit {
    Never,
    Later(Timer),
    Now,
}

async fn outcome<T: Clone + Send + 'static>(task: &Task<T>, limit: Limit) -> Result<T> {
    let waiter = Control::current();
    let before = waiter.requests();
    let in_time = match limit {
        Limit::Never => return task.await,
        Limit::Now => task.is_done(),
        Limit::Later(timer) => {
            let race = done_before(task.control(), timer);
            leaf(Some(task.control()), race).await?
        }
    };
    if in_time {
        return task.outcome();
    }
    task.cancel();
    match task.await {
        // Asked by somebody else as well: that request is the one to answer.
        Err(Error::Cancelled) if waiter.requests() == before => Err(Error::TimedOut),
        result => result,
    }
}

/// Whether `task` is done before the time is up.
async fn done_before(task: Arc<Control>, timer: Timer) -> bool {
    let mut done = pin!(Done::of(task));
    let mut up = pin!(timer.elapse());
    poll_fn(|cx| {
        if done.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        up.as_mut().poll(cx).map(|()| false)
    })
    .await
}
