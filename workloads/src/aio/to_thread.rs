//! `asyncio.to_thread`.

use std::{any::type_name, panic::Location};

use tokio::task::JoinHandle;

use super::{
    control::Control,
    error::{Error, Result},
    leaf::leaf,
    scope::Scope,
};

/// Runs a blocking call on a thread of its own and awaits what it returns (`asyncio.to_thread`).
///
/// Nothing happens before the await.
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
    let control = Control::current();
    tokio::task::Builder::new()
        .name(function_name::<F>())
        .spawn_blocking(move || control.sync_scope(call))
}

async fn finish<T>(mut thread: JoinHandle<Result<T>>) -> Result<T> {
    match leaf(None, &mut thread).await {
        Ok(Ok(result)) => result,
        Ok(Err(panicked)) => Err(panicked.into()),
        Err(Error::Cancelled) => {
            // Only a call that has no thread yet; tokio lets the others run.
            thread.abort();
            Err(Error::Cancelled)
        }
        Err(error) => Err(error),
    }
}

/// The innermost name in `F`'s path: that of a function, or of the function around a closure.
fn function_name<F>() -> &'static str {
    let path = type_name::<F>();
    let mut parts = path.rsplit("::");
    parts.find(|part| !part.starts_with('{')).unwrap_or(path)
}
