//! A coroutine that the loop runs by itself: `asyncio.Task`.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    awaitable::Awaitable,
    control::{Cancel, Control},
    done::Done,
    error::{Error, Result},
    event_loop::EventLoop,
    leaf::{body, leaf},
};

/// Starts a task that runs concurrently with this one (`asyncio.create_task`).
///
/// Its first step comes when this task next suspends. Nobody has to await it.
#[track_caller]
pub fn create_task<A: Awaitable>(awaitable: A) -> Task<A::Output> {
    awaitable.into_task()
}

/// A coroutine that runs by itself (`asyncio.Task`).
///
/// Awaiting it gives its result, as often as one likes: `(&task).await` keeps the task, and a clone is
/// the same task. Dropping it changes nothing for the coroutine.
pub struct Task<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    control: Arc<Control>,
    outcome: Mutex<Option<Result<T>>>,
}

impl<T: Clone + Send + 'static> Task<T> {
    /// Asks the task to end (`Task.cancel`); false if it has ended already.
    #[expect(
        clippy::must_use_candidate,
        reason = "asking is the point, whether it was taken is not"
    )]
    pub fn cancel(&self) -> bool {
        self.shared.control.cancel()
    }

    /// The name it was given, or `Task-N` (`Task.get_name`).
    pub fn name(&self) -> &str {
        &self.shared.control.name
    }

    /// Whether it has ended, in whatever way (`Task.done`).
    pub fn is_done(&self) -> bool {
        self.shared.lock().is_some()
    }

    /// How many requests to end are pending (`Task.cancelling`).
    pub fn cancelling(&self) -> usize {
        self.shared.control.requests()
    }

    pub(super) fn control(&self) -> Arc<Control> {
        Arc::clone(&self.shared.control)
    }

    /// What the task ended with.
    ///
    /// # Panics
    ///
    /// If it has not ended.
    pub(super) fn outcome(&self) -> Result<T> {
        let outcome = self.shared.lock().clone();
        outcome.expect("the task has ended")
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.shared.control.name)
            .finish_non_exhaustive()
    }
}

// Not a `Future`: only so can a task and any coroutine both be awaitables.
impl<T: Clone + Send + 'static> IntoFuture for Task<T> {
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let control = self.control();
            leaf(Some(Arc::clone(&control) as _), Done::of(control)).await?;
            self.outcome()
        })
    }
}

impl<T: Clone + Send + 'static> IntoFuture for &Task<T> {
    type Output = Result<T>;
    type IntoFuture = <Task<T> as IntoFuture>::IntoFuture;

    fn into_future(self) -> Self::IntoFuture {
        self.clone().into_future()
    }
}

/// Starts a task in the run of the current one.
#[track_caller]
pub(super) fn spawn<T, F>(name: Option<String>, coroutine: F) -> Task<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    spawn_on(&Control::current().event_loop, name, coroutine)
}

/// Starts a task on `event_loop`, whose runtime is entered.
#[track_caller]
pub(super) fn spawn_on<T, F>(
    event_loop: &Arc<EventLoop>,
    name: Option<String>,
    coroutine: F,
) -> Task<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    let shared = Arc::new(Shared {
        control: event_loop.add(name),
        outcome: Mutex::new(None),
    });
    let control = Arc::clone(&shared.control);
    let steps = Arc::clone(&control).scope(drive(Ending(Arc::clone(&shared)), coroutine));
    let handle = tokio::task::Builder::new()
        .name(&control.name)
        .spawn(steps)
        .expect("tokio cannot fail to spawn a task that needs no thread");
    if let Ok(id) = handle.id().to_string().parse() {
        // The only place that sets it.
        let _ = control.tokio_id.set(id);
    }
    Task { shared }
}

async fn drive<T, F>(ending: Ending<T>, coroutine: F)
where
    F: Future<Output = Result<T>>,
{
    // Asked before the first step: the body never runs.
    let outcome = if ending.0.control.take_request() {
        drop(coroutine);
        Err(Error::Cancelled)
    } else {
        body(coroutine).await
    };
    ending.end(outcome);
}

/// Ends the task, also when its coroutine is dropped half-way: by a panic or by the end of the run.
struct Ending<T>(Arc<Shared<T>>);

impl<T> Ending<T> {
    fn end(self, outcome: Result<T>) {
        // A request that met no further await still counts, unless the task failed.
        let outcome = match outcome {
            Ok(_) if self.0.control.close() => Err(Error::Cancelled),
            outcome => outcome,
        };
        report(outcome.as_ref().err());
        self.0.finish(outcome);
    }
}

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        if self.0.lock().is_none() {
            let outcome = if std::thread::panicking() {
                Err(Error::msg(format!("task {} panicked", self.0.control.name)))
            } else {
                Err(Error::Cancelled)
            };
            self.0.finish(outcome);
        }
    }
}

impl<T> Shared<T> {
    fn finish(&self, outcome: Result<T>) {
        self.control.close();
        let failure = outcome.as_ref().err().cloned();
        *self.lock() = Some(outcome);
        self.control.tell(failure.as_ref());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Result<T>>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells an observer, from inside the task, how it ended.
fn report(failure: Option<&Error>) {
    match failure {
        None => tracing::trace!(target: "loopview::task", outcome = "ok"),
        Some(Error::Cancelled) => tracing::trace!(target: "loopview::task", outcome = "cancelled"),
        Some(error) => {
            tracing::trace!(target: "loopview::task", outcome = "error", error = %error);
        }
    }
}
