//! Where a request to end is answered: at the await where the task is suspended.

use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    control::{Cancel, Control},
    error::{Error, Result},
};

/// Awaits `inner` as one of our awaits: a request goes to `on` if it takes it, or else is answered
/// here with [`Error::Cancelled`].
///
/// As in asyncio, an await that is ready at once answers nothing, and one that was suspended looks at
/// the request before it looks at the value.
pub(super) async fn leaf<F: Future>(on: Option<Arc<dyn Cancel>>, inner: F) -> Result<F::Output> {
    let mut suspension = Suspension {
        control: Control::current(),
        key: None,
    };
    let mut inner = pin!(inner);
    poll_fn(move |cx| {
        if suspension.key.is_some() && suspension.control.take_request() {
            return Poll::Ready(Err(Error::Cancelled));
        }
        let poll = inner.as_mut().poll(cx).map(Ok);
        if poll.is_pending() {
            suspension.suspend(cx, on.as_ref());
        }
        poll
    })
    .await
}

/// Runs the body of a task or of a block that can be cancelled: at an await that is not ours, where
/// nobody can answer a request, the body is dropped and the answer is given for it.
pub(super) async fn body<T, F: Future<Output = Result<T>>>(inner: F) -> Result<T> {
    let control = Control::current();
    let mut inner = pin!(inner);
    poll_fn(move |cx| {
        control.set_waker(cx.waker());
        let poll = inner.as_mut().poll(cx);
        if poll.is_pending() && control.take_unheard_request() {
            return Poll::Ready(Err(Error::Cancelled));
        }
        poll
    })
    .await
}

/// Where the task is suspended, until the await ends or is dropped.
struct Suspension {
    control: Arc<Control>,
    key: Option<u64>,
}

impl Suspension {
    fn suspend(&mut self, cx: &Context<'_>, on: Option<&Arc<dyn Cancel>>) {
        self.control.suspend(&mut self.key, cx.waker(), on);
    }
}

impl Drop for Suspension {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.control.resume(key);
        }
    }
}
