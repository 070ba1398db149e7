//! `asyncio.to_thread`.

use std::{any::type_name, future::poll_fn, panic::Location, pin::Pin, sync::Arc, task::Poll};

use tokio::task::JoinHandle;

use super::{
    control::{Control, Current},
    error::{Error, Result},
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
        let thread = {
            let _child = scope.enter();
            start(call)
        };
        let result = match thread {
            Ok(thread) => finish(thread).await,
            Err(error) => Err(error.into()),
        };
        scope.close(&result);
        result
    }
}

/// Starts the call, with the task's context.
fn start<T, F>(call: F) -> std::io::Result<JoinHandle<Result<T>>>
where
    F: FnOnce() -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let mut current = Some(Current::new(Control::current(), Current::context()));
    tokio::task::Builder::new()
        .name(function_name::<F>())
        .spawn_blocking(move || Current::lend(&mut current, call))
}

async fn finish<T>(mut thread: JoinHandle<Result<T>>) -> Result<T> {
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
    if end.is_err() {
        // Only a call that has no thread yet; tokio lets the others run.
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
