//! What the combinators accept: a coroutine, a coroutine with a name, or a task.

use super::{
    error::Result,
    task::{Task, spawn},
};

/// What can be awaited together with others: asyncio's *awaitable*.
pub trait Awaitable {
    /// What awaiting it gives.
    type Output: Clone + Send + 'static;

    /// The task itself, or a new one around the coroutine (`asyncio.ensure_future`).
    #[track_caller]
    fn into_task(self) -> Task<Self::Output>;

    /// What `await` does with it: a coroutine runs inside the task that awaits it. One that has been
    /// given a name becomes a task, as the name is a task's.
    #[track_caller]
    fn into_await(self) -> impl Future<Output = Result<Self::Output>> + Send + 'static;
}

impl<F, T> Awaitable for F
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    type Output = T;

    #[track_caller]
    fn into_task(self) -> Task<T> {
        spawn(None, self)
    }

    fn into_await(self) -> impl Future<Output = Result<T>> + Send + 'static {
        self
    }
}

impl<F, T> Awaitable for Named<F>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    type Output = T;

    #[track_caller]
    fn into_task(self) -> Task<T> {
        spawn(Some(self.name), self.future)
    }

    #[track_caller]
    fn into_await(self) -> impl Future<Output = Result<T>> + Send + 'static {
        self.into_task().into_future()
    }
}

impl<T: Clone + Send + 'static> Awaitable for Task<T> {
    type Output = T;

    fn into_task(self) -> Task<T> {
        self
    }

    fn into_await(self) -> impl Future<Output = Result<T>> + Send + 'static {
        self.into_future()
    }
}

impl<T: Clone + Send + 'static> Awaitable for &Task<T> {
    type Output = T;

    fn into_task(self) -> Task<T> {
        self.clone()
    }

    fn into_await(self) -> impl Future<Output = Result<T>> + Send + 'static {
        self.into_future()
    }
}

/// A coroutine and the name of the task that will run it.
#[derive(Clone, Debug)]
#[must_use = "a coroutine runs only when it is awaited or made a task"]
pub struct Named<F> {
    name: String,
    future: F,
}

/// Gives a coroutine the name of its task: `worker(0).named("Worker-0")`.
pub trait NamedExt: Future + Sized {
    /// Names the task that will run this coroutine (`create_task(…, name=…)`).
    fn named(self, name: impl Into<String>) -> Named<Self> {
        Named {
            name: name.into(),
            future: self,
        }
    }
}

impl<F: Future> NamedExt for F {}
