//! What is known of one task besides its result: its name, whether it was asked to end, where it is
//! suspended, and who wants to know when it is done.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::Waker,
};

use super::{error::Error, event_loop::EventLoop};

tokio::task_local! {
    static CURRENT: Arc<Control>;
}

/// What can be asked to end: a task, or the many that a `gather` stands for.
pub(super) trait Cancel: Send + Sync {
    /// Asks, and tells whether the request was taken; what has ended takes none.
    fn cancel(&self) -> bool;
}

/// Who is told when a task is done.
pub(super) trait Watch: Send + Sync {
    /// `failure` is what the task raised, [`Error::Cancelled`] included.
    fn task_done(&self, task: &Control, failure: Option<&Error>);
}

/// One task, seen by those who cancel it or wait for it.
pub(super) struct Control {
    pub(super) name: String,
    /// Counts the tasks of a run in the order in which they were created.
    pub(super) serial: u64,
    pub(super) event_loop: Arc<EventLoop>,
    /// tokio's own number for the task, known once it is spawned.
    pub(super) tokio_id: OnceLock<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many times the task was asked to end, less what its own timeouts and groups took back.
    requests: usize,
    /// A request that no await has answered yet. Two requests before an answer are one.
    unanswered: bool,
    /// Where the task is suspended. One place, unless it joins futures by other means than ours;
    /// the latest then stands for all.
    waits: Vec<Wait>,
    next_wait: u64,
    /// Wakes the task where `waits` is empty: at an await that is not ours.
    waker: Option<Waker>,
    done: bool,
    watchers: Watchers,
}

struct Wait {
    key: u64,
    waker: Waker,
    on: Option<Arc<dyn Cancel>>,
}

enum Watchers {
    Waiting(Vec<Arc<dyn Watch>>),
    /// The task is done; this is what it raised.
    Told(Option<Error>),
}

impl Default for Watchers {
    fn default() -> Self {
        Self::Waiting(Vec::new())
    }
}

impl Control {
    pub(super) fn new(name: String, serial: u64, event_loop: Arc<EventLoop>) -> Arc<Self> {
        Arc::new(Self {
            name,
            serial,
            event_loop,
            tokio_id: OnceLock::new(),
            state: Mutex::default(),
        })
    }

    /// The task that runs.
    #[track_caller]
    pub(super) fn current() -> Arc<Self> {
        CURRENT
            .try_with(Arc::clone)
            .expect("no running event loop: call this from a task inside aio::run")
    }

    /// Makes this the current task while `body` is polled.
    pub(super) fn scope<F: Future>(self: Arc<Self>, body: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, body)
    }

    /// Makes this the current task, on this thread, while `call` runs.
    pub(super) fn sync_scope<T>(self: Arc<Self>, call: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, call)
    }

    /// How many requests are pending (`cancelling()`). Answering one does not lower the count.
    pub(super) fn requests(&self) -> usize {
        self.lock().requests
    }

    /// Takes one request back and tells how many are left (`uncancel()`).
    pub(super) fn uncancel(&self) -> usize {
        let mut state = self.lock();
        state.requests = state.requests.saturating_sub(1);
        if state.requests == 0 {
            state.unanswered = false;
        }
        state.requests
    }

    /// Takes the request that waits for an answer, if there is one: the caller answers it.
    pub(super) fn take_request(&self) -> bool {
        std::mem::take(&mut self.lock().unanswered)
    }

    /// Takes the request if the task is suspended where nobody of ours can answer.
    pub(super) fn take_unheard_request(&self) -> bool {
        let mut state = self.lock();
        state.waits.is_empty() && std::mem::take(&mut state.unanswered)
    }

    /// Notes whom to wake when the task is asked to end at an await that is not ours.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let mut state = self.lock();
        match &mut state.waker {
            Some(old) => old.clone_from(waker),
            None => state.waker = Some(waker.clone()),
        }
    }

    /// Suspends the task at an await that answers requests: `on` takes them, or else the await does.
    /// `key` names the await; the first call gives one.
    pub(super) fn suspend(
        &self,
        key: &mut Option<u64>,
        waker: &Waker,
        on: Option<&Arc<dyn Cancel>>,
    ) {
        let pending = {
            let mut state = self.lock();
            let key = *key.get_or_insert_with(|| {
                state.next_wait += 1;
                state.next_wait
            });
            state.waits.retain(|wait| wait.key != key);
            state.waits.push(Wait {
                key,
                waker: waker.clone(),
                on: on.cloned(),
            });
            std::mem::take(&mut state.unanswered)
        };
        // Asked while it ran: `on` is asked now, or this await answers at the next turn.
        if pending && !on.is_some_and(|on| on.cancel()) {
            self.lock().unanswered = true;
            waker.wake_by_ref();
        }
    }

    /// Ends the suspension at the await called `key`.
    pub(super) fn resume(&self, key: u64) {
        self.lock().waits.retain(|wait| wait.key != key);
    }

    /// Closes the task to further requests; tells whether one was never answered.
    pub(super) fn close(&self) -> bool {
        let mut state = self.lock();
        state.done = true;
        std::mem::take(&mut state.unanswered)
    }

    /// Tells the watchers that the task is done and with what error.
    pub(super) fn tell(&self, failure: Option<&Error>) {
        self.event_loop.forget(self);
        let told = Watchers::Told(failure.cloned());
        let watchers = std::mem::replace(&mut self.lock().watchers, told);
        if let Watchers::Waiting(watchers) = watchers {
            for watcher in watchers {
                watcher.task_done(self, failure);
            }
        }
    }

    /// Adds a watcher, who is told at once if the task is done.
    pub(super) fn watch(&self, watcher: &Arc<impl Watch + 'static>) {
        let failure = match &mut self.lock().watchers {
            Watchers::Waiting(watchers) => {
                watchers.push(Arc::clone(watcher) as Arc<dyn Watch>);
                return;
            }
            Watchers::Told(failure) => failure.clone(),
        };
        watcher.task_done(self, failure.as_ref());
    }

    /// Whether the task is done and its result can be read.
    pub(super) fn has_told(&self) -> bool {
        matches!(self.lock().watchers, Watchers::Told(_))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cancel for Control {
    fn cancel(&self) -> bool {
        let on = {
            let mut state = self.lock();
            if state.done {
                return false;
            }
            state.requests += 1;
            state.waits.last().and_then(|wait| wait.on.clone())
        };
        // Our lock is free by now: `on` takes locks of its own, and so do the tasks behind it.
        if on.is_some_and(|on| on.cancel()) {
            return true;
        }
        let waker = {
            let mut state = self.lock();
            state.unanswered = true;
            match state.waits.last() {
                Some(wait) => Some(wait.waker.clone()),
                None => state.waker.clone(),
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}
