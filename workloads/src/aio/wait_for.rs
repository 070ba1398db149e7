//! `asyncio.wait_for`.

use std::{panic::Location, sync::Arc};

use super::{
    awaitable::Awaitable,
    control::{Control, Watch},
    error::{Error, Result},
    promise::Promise,
    scope::Scope,
    suspend::Suspend,
    task::Task,
    timeout::{Deadline, Timeout},
};

/// Awaits for at most `secs` seconds, scaled; `None` is no limit (`asyncio.wait_for`).
///
/// When the time is up, what is awaited is asked to end and its cleanup is awaited. If it swallows
/// the request its value is the result, late. The time starts to run at the await. A coroutine runs
/// inside the awaiting task, unless it was given a name. With a limit of 0 or less a coroutine never
/// starts.
///
/// `tokio::time::timeout` drops its future when the time is up: there is no cleanup to wait for and
/// nothing to swallow, and a task behind the future runs on. With a limit of 0 it polls it once.
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
    let wait = {
        let _child = scope.enter();
        match secs.into() {
            Some(secs) if secs <= 0.0 => Wait::Never(awaitable.into_task()),
            secs => Wait::Until(Deadline::after(secs), awaitable.into_await()),
        }
    };
    async move {
        let result = match wait {
            Wait::Never(task) => without_time(&task).await,
            Wait::Until(deadline, awaited) => Timeout::enter(deadline, |_| awaited).await,
        };
        scope.close(&result);
        result
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "there is one in a future, which a box would only enlarge"
)]
enum Wait<T, F> {
    Never(Task<T>),
    Until(Deadline, F),
}

/// Only what has ended already is in time; anything else is asked to end, and that is waited for.
async fn without_time<T: Clone + Send + 'static>(task: &Task<T>) -> Result<T> {
    if task.done() {
        return task.outcome();
    }
    let over = Arc::new(Over(Promise::new()));
    task.control().watch(Arc::clone(&over) as _);
    task.control().cancel();
    Suspend::on(Arc::clone(&over.0)).await?;
    task.outcome().map_err(|error| match error {
        Error::Cancelled => Error::TimedOut,
        error => error,
    })
}

/// Ends when a task has, however it did.
struct Over(Arc<Promise>);

impl Watch for Over {
    fn task_done(&self, _: &Arc<Control>) {
        self.0.set(Ok(()));
    }
}
