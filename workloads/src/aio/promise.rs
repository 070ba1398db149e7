//! `asyncio.Future`, without a value: something that ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    control::{Asked, Awaited, Control},
    error::{Error, Result},
    event_loop::{Due, Handle},
    suspend::Ends,
};

/// Something that ends once, with nothing or with an error; who awaits it has a turn then.
#[derive(Default)]
pub(super) struct Promise(Mutex<State>);

#[derive(Default)]
struct State {
    end: Option<Result<()>>,
    waiters: Vec<(Arc<Control>, u64)>,
}

impl Promise {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Ends it; false if it has ended already.
    pub(super) fn set(&self, end: Result<()>) -> bool {
        let waiters = {
            let mut state = self.lock();
            if state.end.is_some() {
                return false;
            }
            state.end = Some(end);
            std::mem::take(&mut state.waiters)
        };
        for (waiter, key) in waiters {
            let event_loop = Arc::clone(&waiter.event_loop);
            event_loop.call_soon(Handle::Wake(waiter, key));
        }
        true
    }

    pub(super) fn is_done(&self) -> bool {
        self.lock().end.is_some()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        matches!(self.lock().end, Some(Err(Error::Cancelled)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Awaited for Promise {
    fn cancel(self: Arc<Self>) -> Asked {
        if self.set(Err(Error::Cancelled)) {
            Asked::Taken
        } else {
            Asked::Over
        }
    }

    fn wake_at_end(&self, waiter: &Arc<Control>, key: u64) -> bool {
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        state.waiters.push((Arc::clone(waiter), key));
        true
    }

    fn is(&self, _: &Control) -> bool {
        false
    }

    fn tokio_id(&self) -> Option<tokio::task::Id> {
        None
    }
}

impl Ends for Promise {
    type Value = ();

    fn end(&self) -> Option<Result<()>> {
        self.lock().end.clone()
    }
}

/// A timer ends it.
impl Due for Promise {
    fn due(&self) {
        self.set(Ok(()));
    }
}
