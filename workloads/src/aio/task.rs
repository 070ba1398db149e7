//! A coroutine that the loop runs by itself: `asyncio.Task`.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    awaitable::Awaitable,
    control::{Asked, Control, Current},
    error::{Error, Result},
    event_loop::{EventLoop, Next},
    outcome::Slot,
    suspend::{Suspend, answered_by},
};

/// Starts a task that runs concurrently with this one (`asyncio.create_task`).
///
/// Its first step comes when this task next suspends. Nobody has to await it.
#[track_caller]
pub fn create_task<A: Awaitable>(awaitable: A) -> Task<A::Output> {
    awaitable.into_task()
}

/// The task that runs (`asyncio.current_task`).
///
/// # Panics
///
/// Outside a task.
#[track_caller]
pub fn current_task() -> CurrentTask {
    CurrentTask(Control::current())
}

/// A coroutine that runs by itself (`asyncio.Task`).
///
/// Awaiting it gives its result, as often as one likes: `(&task).await` keeps the task, and a clone is
/// the same task. Dropping it changes nothing for the coroutine.
///
/// To cancel it is to ask: it may still clean up with further awaits, and may refuse. A request to a
/// task that awaits this one is passed on to this one. tokio's `JoinHandle::abort` does neither: the
/// future is dropped at once, and one that awaited it is left alone.
pub struct Task<T> {
    control: Arc<Control<Slot<T>>>,
}

impl<T: Clone + Send + 'static> Task<T> {
    /// Asks the task to end (`Task.cancel`); false if it has ended already.
    #[expect(
        clippy::must_use_candidate,
        reason = "asking is the point, whether it was taken is not"
    )]
    pub fn cancel(&self) -> bool {
        self.control().cancel() == Asked::Taken
    }

    /// Takes one request back and tells how many are left (`Task.uncancel`): for code that has asked
    /// and has dealt with the answer, as [`timeout`](super::timeout()) does.
    #[expect(
        clippy::must_use_candidate,
        reason = "few ask how many requests are left"
    )]
    pub fn uncancel(&self) -> usize {
        self.control.uncancel()
    }

    /// How many requests to end are pending (`Task.cancelling`). Answering one does not lower the
    /// count.
    pub fn cancelling(&self) -> usize {
        self.control.requests()
    }

    /// Whether it has ended, in whatever way (`Task.done`).
    pub fn done(&self) -> bool {
        self.control.is_done()
    }

    /// What it ended with (`Task.result`); none as long as it runs.
    pub fn result(&self) -> Option<Result<T>> {
        self.control.outcome.get()
    }

    /// The name it was given, or `Task-N` (`Task.get_name`).
    pub fn name(&self) -> &str {
        self.control.name()
    }

    pub(super) fn control(&self) -> Arc<Control> {
        Arc::clone(&self.control) as _
    }

    /// tokio's number for it, known while somebody observes.
    pub(super) fn tokio_id(&self) -> Option<tokio::task::Id> {
        self.control.tokio_id.get().copied()
    }

    /// What the task ended with.
    ///
    /// # Panics
    ///
    /// If it has not ended.
    pub(super) fn outcome(&self) -> Result<T> {
        self.control.outcome.get().expect("the task has ended")
    }
}

impl<T> Clone for Task<T> {
    fn clone(&self) -> Self {
        Self {
            control: Arc::clone(&self.control),
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.control.name())
            .finish_non_exhaustive()
    }
}

/// The task that runs, seen by itself or by whom it gives this to. What it will end with is not known
/// here; otherwise it is a [`Task`].
#[derive(Clone)]
pub struct CurrentTask(Arc<Control>);

impl CurrentTask {
    /// As [`Task::cancel`]. A task that asks itself is answered at its next await, or else ends as
    /// cancelled.
    #[expect(
        clippy::must_use_candidate,
        reason = "asking is the point, whether it was taken is not"
    )]
    pub fn cancel(&self) -> bool {
        Arc::clone(&self.0).cancel() == Asked::Taken
    }

    /// As [`Task::uncancel`].
    #[expect(
        clippy::must_use_candidate,
        reason = "few ask how many requests are left"
    )]
    pub fn uncancel(&self) -> usize {
        self.0.uncancel()
    }

    /// As [`Task::cancelling`].
    pub fn cancelling(&self) -> usize {
        self.0.requests()
    }

    /// As [`Task::done`].
    pub fn done(&self) -> bool {
        self.0.is_done()
    }

    /// As [`Task::name`].
    pub fn name(&self) -> &str {
        self.0.name()
    }
}

impl fmt::Debug for CurrentTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentTask").field(&self.name()).finish()
    }
}

// Not a `Future`: only so can a task and any coroutine both be awaitables.
impl<T: Clone + Send + 'static> IntoFuture for Task<T> {
    type Output = Result<T>;
    type IntoFuture = AwaitTask<T>;

    fn into_future(self) -> AwaitTask<T> {
        AwaitTask(Suspend::on(self.control))
    }
}

impl<T: Clone + Send + 'static> IntoFuture for &Task<T> {
    type Output = Result<T>;
    type IntoFuture = AwaitTask<T>;

    fn into_future(self) -> AwaitTask<T> {
        self.clone().into_future()
    }
}

/// Awaits a [`Task`] and gives its result.
#[must_use = "a future does nothing unless it is awaited"]
pub struct AwaitTask<T>(Suspend<Control<Slot<T>>>);

impl<T: Clone + Send + 'static> Future for AwaitTask<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Starts a task in the run of the current one.
#[track_caller]
pub(super) fn spawn<T, F>(name: Option<String>, coroutine: F) -> Task<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    spawn_on(Current::event_loop(), name, coroutine)
}

/// Starts a task on `event_loop`, whose runtime is entered.
#[track_caller]
pub(super) fn spawn_on<T, F>(
    event_loop: Arc<EventLoop>,
    name: Option<String>,
    coroutine: F,
) -> Task<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    let control = Control::new(name, event_loop);
    let task: Arc<Control> = Arc::clone(&control) as _;
    control.event_loop.begin_task(&task);
    let builder = tokio::task::Builder::new();
    // A name and a number are only for an observer.
    let observed = tracing::enabled!(target: "tokio::task", tracing::Level::TRACE);
    let builder = if observed {
        builder.name(control.name())
    } else {
        builder
    };
    let steps = Steps {
        current: Some(Current::new(task, Current::context())),
        ending: Ending(Arc::clone(&control)),
        started: false,
        waker: None,
        coroutine: Some(coroutine),
    };
    let handle = builder
        .spawn(steps)
        .expect("tokio cannot fail to spawn a task that needs no thread");
    if observed {
        // The only place that sets it.
        let _ = control.tokio_id.set(handle.id());
    }
    Task { control }
}

pin_project_lite::pin_project! {
    /// Makes the steps of a task, each when its turn has come. By hand and not an `async fn`, which
    /// would hold the coroutine twice: it is moved with every spawn.
    struct Steps<T, F>
    where
        T: Send,
        T: 'static,
    {
        // Lent to the thread during a step.
        current: Option<Current>,
        ending: Ending<T>,
        started: bool,
        // As the control has it.
        waker: Option<Waker>,
        #[pin]
        coroutine: Option<F>,
    }
}

impl<T, F> Future for Steps<T, F>
where
    F: Future<Output = Result<T>>,
    T: Send + 'static,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let control = &*this.ending.0;
        let mut has_turn = control.has_turn();
        if !*this.started {
            // tokio may come by before it is this task's turn.
            if control.event_loop.ordered && !has_turn {
                return control.rest(this.waker, cx.waker());
            }
            *this.started = true;
            // Asked before the first step: the body never runs.
            if control.take_request() {
                this.coroutine.set(None);
            }
        }
        loop {
            let (ended, next) = control.event_loop.step(control, || {
                let poll = Current::lend(this.current, || {
                    match this.coroutine.as_mut().as_pin_mut() {
                        None => Poll::Ready(Err(Error::Cancelled)),
                        Some(coroutine) => answered_by(control, coroutine.poll(cx)),
                    }
                });
                let Poll::Ready(outcome) = poll else {
                    return false;
                };
                this.coroutine.set(None);
                this.ending.end(outcome);
                true
            });
            if ended {
                return Poll::Ready(());
            }
            // One step for each time that tokio comes by, so that it can look after the rest.
            if next == Next::Rest || std::mem::replace(&mut has_turn, true) {
                return control.rest(this.waker, cx.waker());
            }
        }
    }
}

/// Ends the task, also when its coroutine panics.
struct Ending<T: Send + 'static>(Arc<Control<Slot<T>>>);

impl<T: Send + 'static> Ending<T> {
    fn end(&self, outcome: Result<T>) {
        let failure = self.0.close(outcome);
        report(failure.as_ref());
    }
}

impl<T: Send + 'static> Drop for Ending<T> {
    fn drop(&mut self) {
        // At the end of the run a task that has not ended is dropped, and nobody waits any more.
        if std::thread::panicking() && !self.0.is_done() {
            let text = format!("task {} panicked", self.0.name());
            self.end(Err(Error::msg(text)));
        }
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
