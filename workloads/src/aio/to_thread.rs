//! `asyncio.to_thread`.

use std::{any::type_name, future::poll_fn, panic::Location, pin::Pin, sync::Arc, task::Poll};

use tokio::task::JoinHandle;

use super::{
    control::{Control, Current},
    error::{Error, Result},
    event_loop::EventLoop,
    promise::Promise,
    scope::Scope,
    suspend::Suspend,
};

/// Runs a blocking call on a thread of its own and awaits what it returns (`asyncio.to_thread`).
///
/// Nothing happens before the await. The call sees the task's [context variables](super::ContextVar),
/// and what it sets stays with it. `tokio::task::spawn_blocking` starts at once, without them.
///
/// # Errors
///
/// What `call` raises. [`Error::Cancelled`] at once when the task is asked to end: a call that still
/// waits for a thread is then never made, but a thread that runs cannot be stopped, and
/// [`run`](super::run()) waits for it.
#[track_caller]
pub fn to_thread<T, F>(call: F) -> impl Future<Output = Result<T>> + Send + 'static
where
    F: FnOnce() -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let at = Location::caller();
    async move {
        let scope = Scope::open("to_thread", at).named(function_name::<F>());
        let started = {
            let _child = scope.enter();
            start(call)
        };
        let result = match started {
            Ok(call) => finish(call).await,
            Err(error) => Err(error.into()),
        };
        scope.close(&result);
        result
    }
}

/// A call that was handed over.
struct Call<T> {
    thread: JoinHandle<Result<T>>,
    /// There was a thread for it, so it will be made, whatever happens to the await.
    sure: bool,
}

/// Starts the call, with the task's context.
fn start<T, F>(call: F) -> std::io::Result<Call<T>>
where
    F: FnOnce() -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let mut current = Some(Current::new(Control::current(), Current::context()));
    let (unfinished, sure) = Unfinished::begin(Current::event_loop());
    let thread = tokio::task::Builder::new()
        .name(function_name::<F>())
        .spawn_blocking(move || {
            let _unfinished = unfinished;
            Current::lend(&mut current, call)
        })?;
    Ok(Call { thread, sure })
}

/// Counts a call until it has returned or will never be made.
struct Unfinished(Arc<EventLoop>);

impl Unfinished {
    /// Also tells whether a thread is free for the call.
    fn begin(event_loop: Arc<EventLoop>) -> (Self, bool) {
        let free = event_loop.begin_call();
        (Self(event_loop), free)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.end_call();
    }
}

async fn finish<T>(call: Call<T>) -> Result<T> {
    let Call { mut thread, sure } = call;
    let returned = Promise::new();
    let mut wait = Suspend::on(Arc::clone(&returned));
    let mut outcome = None;
    let end = poll_fn(|cx| {
        let poll = Pin::new(&mut wait).poll(cx);
        if poll.is_pending()
            && outcome.is_none()
            && let Poll::Ready(joined) = Pin::new(&mut thread).poll(cx)
        {
            outcome = Some(joined);
            returned.set(Ok(()));
        }
        poll
    })
    .await;
    if end.is_err() && !sure {
        // Only if it still has no thread; tokio lets the others run.
        thread.abort();
    }
    end?;
    match outcome {
        Some(Ok(result)) => result,
        Some(Err(panicked)) => Err(panicked.into()),
        None => Err(Error::Cancelled),
    }
}

/// The innermost name in `F`'s path: that of a function, or of the function around a closure.
fn function_name<F>() -> &'static str {
    let path = type_name::<F>();
    let mut parts = path.rsplit("::");
    parts.find(|part| !part.starts_with('{')).unwrap_or(path)
}
