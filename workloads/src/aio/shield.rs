//! `asyncio.shield`.

use std::{panic::Location, sync::Arc};

use super::{
    awaitable::Awaitable,
    control::{Control, Watch},
    error::Result,
    promise::Promise,
    scope::Scope,
    suspend::Suspend,
};

/// Awaits something that goes on when the one who awaits it is asked to end (`asyncio.shield`).
///
/// The task is made by the call. The end of [`run`](super::run()) asks it to end as it asks every
/// task: a shield keeps off only what reaches it through this await. In tokio every spawned task is
/// shielded like this, as nothing is passed on to it.
///
/// # Errors
///
/// [`Error::Cancelled`](super::Error::Cancelled) at once when the awaiting task is asked to end, or
/// what the awaited raises.
#[track_caller]
pub fn shield<A: Awaitable>(
    awaitable: A,
) -> impl Future<Output = Result<A::Output>> + Send + 'static {
    let scope = Scope::open("shield", Location::caller());
    let task = {
        let _child = scope.enter();
        awaitable.into_task()
    };
    let inner = task.control();
    // What the awaiter is suspended on, and what takes the request in place of the task.
    let outer = (!inner.is_done()).then(|| {
        let outer = Arc::new(Shield(Promise::new()));
        inner.watch(Arc::clone(&outer) as _);
        outer
    });
    async move {
        let result = match outer {
            None => task.outcome(),
            Some(outer) => match Suspend::on(Arc::clone(&outer.0)).await {
                Ok(()) => task.outcome(),
                Err(error) => Err(error),
            },
        };
        scope.close(&result);
        result
    }
}

struct Shield(Arc<Promise>);

impl Watch for Shield {
    fn task_done(&self, task: &Arc<Control>) {
        self.0.set(task.failure().map_or(Ok(()), Err));
    }
}
