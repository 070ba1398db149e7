//! Where a task is suspended, and where it answers a request to end.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    control::{Awaited, Control},
    error::{Error, Misuse, Result},
    event_loop::Handle,
};

/// What can be awaited for what it ends with.
pub(super) trait Ends: Awaited {
    type Value;

    /// What it ended with, if it has.
    fn end(&self) -> Option<Result<Self::Value>>;
}

/// Awaits something of ours (`await future`).
///
/// As in asyncio, an await of what has ended is ready at once and answers no request, and one that
/// was suspended looks at the request before it looks at how the awaited ended.
pub(super) struct Suspend<A> {
    on: Arc<A>,
    place: Option<Place>,
}

impl<A> Suspend<A> {
    pub(super) fn on(on: Arc<A>) -> Self {
        Self { on, place: None }
    }
}

impl<A: Ends + 'static> Future for Suspend<A> {
    type Output = Result<A::Value>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(place) = &mut self.place {
            match place.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(cancelled)) => return Poll::Ready(Err(cancelled)),
                Poll::Ready(Ok(())) => {}
            }
        }
        if let Some(end) = self.on.end() {
            return Poll::Ready(end);
        }
        let task = Control::current();
        if self.on.is(&task) {
            if self.place.is_some() {
                return Poll::Ready(Err(Misuse::AwaitsItself.into()));
            }
            // Told a turn later: a request to end comes first.
            self.place = Some(Place::for_one_turn(task, cx));
            return Poll::Pending;
        }
        let on: Arc<dyn Awaited> = Arc::clone(&self.on) as _;
        let (key, asked) = task.suspend(cx.waker(), Some(on));
        if !self.on.wake_at_end(&task, key) {
            task.event_loop
                .call_soon(Handle::Wake(Arc::clone(&task), key));
        }
        if asked {
            task.pass_request_to(&self.on);
        }
        let awaits = self.on.tokio_id();
        if let Some(id) = awaits {
            tell_awaits(Some(id));
        }
        self.place = Some(Place {
            task,
            key: Some(key),
            awaits: awaits.is_some(),
        });
        Poll::Pending
    }
}

/// Goes to the back of the queue once (`await asyncio.sleep(0)`). `tokio::task::yield_now` would also
/// wait for a look at the sockets and timers, which is later than asyncio's one turn.
pub(super) async fn one_turn() -> Result<()> {
    let mut place = None;
    poll_fn(|cx| {
        if let Some(place) = &mut place {
            return Place::poll(place, cx);
        }
        let task = Control::current();
        let (key, _) = task.suspend(cx.waker(), None);
        task.event_loop
            .call_soon(Handle::Wake(Arc::clone(&task), key));
        place = Some(Place {
            task,
            key: Some(key),
            awaits: false,
        });
        Poll::Pending
    })
    .await
}

/// Runs a block that can be cancelled by itself: at an await that is not ours, where nobody can answer a
/// request, the block is dropped and the answer is given for it.
pub(super) async fn body<T, F: Future<Output = Result<T>>>(inner: F) -> Result<T> {
    let control = Control::current();
    let mut inner = pin!(inner);
    poll_fn(move |cx| answered_by(&control, inner.as_mut().poll(cx))).await
}

/// `poll`, or the answer to a request that nobody else can give.
pub(super) fn answered_by<T>(control: &Control, poll: Poll<Result<T>>) -> Poll<Result<T>> {
    if poll.is_pending() && control.take_unheard_request() {
        return Poll::Ready(Err(Error::Cancelled));
    }
    poll
}

/// A suspension, until its turn has come or the await is dropped.
struct Place {
    task: Arc<Control>,
    key: Option<u64>,
    /// An observer was told that a task is awaited.
    awaits: bool,
}

impl Place {
    /// One at the back of the queue.
    fn for_one_turn(task: Arc<Control>, cx: &Context<'_>) -> Self {
        let (key, _) = task.suspend(cx.waker(), None);
        let handle = Handle::Wake(Arc::clone(&task), key);
        task.event_loop.call_soon(handle);
        Self {
            task,
            key: Some(key),
            awaits: false,
        }
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<()>> {
        let Some(key) = self.key else {
            return Poll::Ready(Ok(()));
        };
        let Some(cancelled) = self.task.take_turn_of(key, cx.waker()) else {
            return Poll::Pending;
        };
        self.key = None;
        self.tell_over();
        Poll::Ready(if cancelled {
            Err(Error::Cancelled)
        } else {
            Ok(())
        })
    }

    fn tell_over(&mut self) {
        if std::mem::take(&mut self.awaits) {
            tell_awaits(None);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.task.forget(key);
        }
        self.tell_over();
    }
}

/// Tells an observer for which task, by tokio's number, the current one waits; 0 for none.
pub(super) fn tell_awaits(task: Option<tokio::task::Id>) {
    tracing::trace!(target: "loopview::task", awaits = number(task));
}

fn number(task: Option<tokio::task::Id>) -> u64 {
    task.and_then(|id| id.to_string().parse().ok())
        .unwrap_or_default()
}
