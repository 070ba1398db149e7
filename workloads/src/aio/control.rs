//! All that is known of one task: its name, whether it was asked to end, where it is suspended, who
//! wants to know when it is done, and what it ended with.

use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
    thread::{self, ThreadId},
};

use super::{
    context::Context,
    error::{Error, Result},
    event_loop::{EventLoop, Handle, Next},
    outcome::{Outcome, Slot},
    suspend::Ends,
};

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// The task that runs, and the context variables as it sees them.
pub(super) struct Current {
    task: Arc<Control>,
    context: Context,
}

/// What a task can be suspended on: another task, or something that only ends.
pub(super) trait Awaited: Send + Sync {
    /// Asks it to end.
    fn cancel(self: Arc<Self>) -> Asked;

    /// Has `waiter` woken when it ends; false if it has ended already.
    fn wake_at_end(&self, waiter: &Arc<Control>, key: u64) -> bool;

    /// Whether it is `task`: a task that awaits itself would wait for ever.
    fn is(&self, task: &Control) -> bool;

    /// tokio's number for it, if it is a task.
    fn tokio_id(&self) -> Option<tokio::task::Id>;
}

/// What became of a request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// What has ended takes none.
    Over,
    /// The request has come back to a task that passes it on: they await each other, and whoever
    /// passed it last has to answer, or none of them will ever end.
    Circular,
    Taken,
}

/// Who is told when a task is done.
pub(super) trait Watch: Send + Sync {
    fn task_done(&self, task: &Arc<Control>);
}

/// One task: with its outcome for those who await it, and without for those to whom all tasks are
/// alike. Both are the same allocation.
pub(super) struct Control<O: ?Sized = dyn Outcome> {
    name: Name,
    numbers: Numbers,
    pub(super) event_loop: Arc<EventLoop>,
    /// tokio's own number for the task, known once it is spawned.
    pub(super) tokio_id: OnceLock<tokio::task::Id>,
    /// Whether it was given the turn to make a step.
    turn: AtomicBool,
    /// A request that no await has answered yet. Two requests before an answer are one. Changes with
    /// `state` locked, and is read without.
    unanswered: AtomicBool,
    /// Whether it has ended, and `outcome` is set. Changes with `state` locked, and is read without.
    done: AtomicBool,
    state: Mutex<State>,
    pub(super) outcome: O,
}

enum Name {
    Given(String),
    /// The text is made when somebody reads it.
    Numbered(OnceLock<String>),
}

/// What the loop gives a task when it begins.
#[derive(Default)]
struct Numbers {
    serial: AtomicU64,
    /// The N of `Task-N`, where it has no other name.
    name: AtomicU64,
    /// Its place among the run's tasks.
    place: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// How many times the task was asked to end, less what its own timeouts and groups took back.
    requests: usize,
    /// Who passes a request on to what the task awaits.
    passing: Option<ThreadId>,
    /// Where the task is suspended. One place, unless it joins futures by other means than ours;
    /// the latest then stands for all.
    waits: Vec<Wait>,
    next_wait: u64,
    /// Wakes the task as a whole.
    waker: Option<Waker>,
    callbacks: Callbacks,
}

struct Wait {
    key: u64,
    /// None where it is the task's own. Inside an executor of its own, such as `FuturesUnordered`, an
    /// await has another.
    waker: Option<Waker>,
    on: Option<Arc<dyn Awaited>>,
    /// Its turn has come.
    resumed: bool,
}

enum Callback {
    Wake(Arc<Control>, u64),
    Watch(Arc<dyn Watch>),
}

impl Callback {
    /// The call that tells of the end of `task`.
    fn of<T: Send + 'static>(self, task: &Arc<Control<Slot<T>>>) -> Handle {
        match self {
            Self::Wake(waiter, key) => Handle::Wake(waiter, key),
            Self::Watch(watcher) => Handle::Done(watcher, Arc::clone(task) as _),
        }
    }
}

/// Mostly one, which takes no room of its own.
#[derive(Default)]
struct Callbacks {
    first: Option<Callback>,
    others: Vec<Callback>,
}

impl Callbacks {
    fn push(&mut self, callback: Callback) {
        if self.first.is_none() {
            self.first = Some(callback);
        } else {
            self.others.push(callback);
        }
    }
}

impl<T> Control<Slot<T>> {
    /// A task that the loop has yet to [begin](EventLoop::begin_task).
    pub(super) fn new(name: Option<String>, event_loop: Arc<EventLoop>) -> Arc<Self> {
        let name = match name {
            Some(name) => Name::Given(name),
            None => Name::Numbered(OnceLock::new()),
        };
        Arc::new(Self {
            name,
            numbers: Numbers::default(),
            event_loop,
            tokio_id: OnceLock::new(),
            turn: AtomicBool::new(false),
            unanswered: AtomicBool::new(false),
            done: AtomicBool::new(false),
            state: Mutex::default(),
            outcome: Slot::default(),
        })
    }
}

impl<T: Send + 'static> Control<Slot<T>> {
    /// Ends the task: it takes no more requests, and those who wait for it are told. Gives what it
    /// raised.
    pub(super) fn close(self: &Arc<Self>, outcome: Result<T>) -> Option<Error> {
        let (failure, callbacks, unheard) = {
            let mut state = self.lock();
            // A request that met no further await still counts, unless the task failed. What it
            // returned is dropped when the lock is free.
            let (outcome, unheard) = match outcome {
                Ok(value) if self.is_asked() => (Err(Error::Cancelled), Some(value)),
                outcome => (outcome, None),
            };
            let failure = outcome.as_ref().err().cloned();
            self.outcome.set(outcome);
            self.done.store(true, Ordering::Release);
            (failure, std::mem::take(&mut state.callbacks), unheard)
        };
        drop(unheard);
        let callbacks = callbacks.first.into_iter().chain(callbacks.others);
        let calls = callbacks.map(|callback| callback.of(self));
        let place = self.numbers.place.load(Ordering::Relaxed);
        self.event_loop.end_task(place, calls);
        failure
    }
}

impl<O: ?Sized> Control<O> {
    /// Notes what the loop calls it, before anybody else knows the task.
    pub(super) fn set_numbers(&self, serial: u64, place: usize) {
        self.numbers.serial.store(serial, Ordering::Relaxed);
        self.numbers.place.store(place, Ordering::Relaxed);
    }

    /// As [`set_numbers`](Self::set_numbers): the N of `Task-N`.
    pub(super) fn set_name_number(&self, number: u64) {
        self.numbers.name.store(number, Ordering::Relaxed);
    }

    pub(super) fn has_name(&self) -> bool {
        matches!(self.name, Name::Given(_))
    }

    /// Counts the tasks of a run in the order in which they were created.
    pub(super) fn serial(&self) -> u64 {
        self.numbers.serial.load(Ordering::Relaxed)
    }

    pub(super) fn name(&self) -> &str {
        match &self.name {
            Name::Given(name) => name,
            Name::Numbered(name) => name.get_or_init(|| {
                let number = self.numbers.name.load(Ordering::Relaxed);
                format!("Task-{number}")
            }),
        }
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
            self.unanswered.store(false, Ordering::Release);
        }
        state.requests
    }

    /// Takes the request that waits for an answer, if there is one: the caller answers it.
    pub(super) fn take_request(&self) -> bool {
        self.is_asked() && {
            let _state = self.lock();
            self.unanswered.swap(false, Ordering::AcqRel)
        }
    }

    /// Takes the request if the task is suspended where nobody of ours can answer.
    pub(super) fn take_unheard_request(&self) -> bool {
        self.is_asked() && {
            let state = self.lock();
            state.waits.is_empty() && self.unanswered.swap(false, Ordering::AcqRel)
        }
    }

    fn is_asked(&self) -> bool {
        self.unanswered.load(Ordering::Acquire)
    }

    /// Leaves the task suspended, and notes how to wake it, unless that is `known`.
    pub(super) fn rest(&self, known: &mut Option<Waker>, waker: &Waker) -> Poll<()> {
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
            self.lock().waker.clone_from(known);
        }
        // It may have been given meanwhile, to a task that nobody could wake yet.
        if self.has_turn() {
            waker.wake_by_ref();
        }
        Poll::Pending
    }

    /// Suspends the task until [`resume`](Self::resume) is called with the number that this gives. If it
    /// was asked to end while it ran, `on` is to be asked, and so is told.
    pub(super) fn suspend(&self, waker: &Waker, on: Option<Arc<dyn Awaited>>) -> (u64, bool) {
        let mut state = self.lock();
        state.next_wait += 1;
        let key = state.next_wait;
        let asked = on.is_some() && self.unanswered.swap(false, Ordering::AcqRel);
        let waker = state.own_waker(waker);
        state.waits.push(Wait {
            key,
            waker,
            on,
            resumed: false,
        });
        (key, asked)
    }

    /// What was asked while the task ran goes to what it awaits now, or is answered when that ends.
    pub(super) fn pass_request_to<A: Awaited>(&self, on: &Arc<A>) {
        if Arc::clone(on).cancel() != Asked::Taken {
            let _state = self.lock();
            self.unanswered.store(true, Ordering::Release);
        }
    }

    /// Whether the await called `key` has its turn. If so it is over, and the answer is whether it
    /// ends with a request.
    pub(super) fn take_turn_of(&self, key: u64, waker: &Waker) -> Option<bool> {
        let mut state = self.lock();
        let at = state.waits.iter().position(|wait| wait.key == key)?;
        if state.waits[at].resumed {
            state.waits.swap_remove(at);
            Some(self.unanswered.swap(false, Ordering::AcqRel))
        } else {
            state.waits[at].waker = state.own_waker(waker);
            None
        }
    }

    /// Ends the suspension at the await called `key`, which nobody polls any more.
    pub(super) fn forget(&self, key: u64) {
        self.lock().waits.retain(|wait| wait.key != key);
    }

    /// Gives the task the turn to step. `resting` is the task that can take it without being woken.
    pub(super) fn give_turn(&self, resting: Option<&Control>) -> Option<Next> {
        let state = self.lock();
        // With the lock held: one that has ended would never give the turn away.
        let runs = !self.is_done();
        runs.then(|| self.wake(&state, resting))
    }

    /// Gives the turn to the task if it still waits at the await called `key`.
    pub(super) fn resume(&self, key: u64, resting: Option<&Control>) -> Option<Next> {
        let mut state = self.lock();
        let wait = state.waits.iter_mut().find(|wait| wait.key == key)?;
        wait.resumed = true;
        Some(self.wake(&state, resting))
    }

    fn wake(&self, state: &State, resting: Option<&Control>) -> Next {
        self.turn.store(true, Ordering::Release);
        let resumed = state.waits.iter().filter(|wait| wait.resumed);
        for waker in resumed.filter_map(|wait| wait.waker.as_ref()) {
            waker.wake_by_ref();
        }
        if resting.is_some_and(|resting| self.is(resting)) {
            return Next::Step;
        }
        // Before its first rest a task has no waker: tokio polls it all the same.
        if let Some(waker) = &state.waker {
            waker.wake_by_ref();
        }
        Next::Rest
    }

    /// Whether the task has been given the turn.
    pub(super) fn has_turn(&self) -> bool {
        self.turn.load(Ordering::Acquire)
    }

    /// Ends the task's turn, if it had it.
    pub(super) fn end_turn(&self) -> bool {
        self.turn.swap(false, Ordering::AcqRel) && self.event_loop.ordered
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Whether it is `task`: whatever is known of their outcomes, they are one place in memory.
    fn is(&self, task: &Control) -> bool {
        std::ptr::addr_eq(self, task)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// The task that runs.
    #[track_caller]
    pub(super) fn current() -> Arc<Self> {
        Current::with(|current| Arc::clone(&current.task))
    }

    /// Whether this is the task that runs.
    fn is_current(&self) -> bool {
        CURRENT.with_borrow(|current| current.as_ref().is_some_and(|now| self.is(&now.task)))
    }

    /// What the task raised, [`Error::Cancelled`] included; nothing while it runs.
    pub(super) fn failure(&self) -> Option<Error> {
        self.outcome.failure()
    }

    /// Has `watcher` told, one turn after the task's end (`add_done_callback`).
    pub(super) fn watch(self: &Arc<Self>, watcher: Arc<dyn Watch>) {
        {
            let mut state = self.lock();
            if !self.is_done() {
                state.callbacks.push(Callback::Watch(watcher));
                return;
            }
        }
        let task = Arc::clone(self);
        self.event_loop.call_soon(Handle::Done(watcher, task));
    }

    /// Asks the task to end.
    pub(super) fn cancel(self: Arc<Self>) -> Asked {
        let this_thread = Some(thread::current().id());
        let mut on = {
            let mut state = self.lock();
            if self.is_done() {
                return Asked::Over;
            }
            if state.passing == this_thread {
                return Asked::Circular;
            }
            state.requests += 1;
            state.passing = this_thread;
            state.awaited()
        };
        // Our lock is free by now: what is awaited takes locks of its own, and so do those behind it.
        // Meanwhile, on many threads, the task may have gone on to another await.
        let answers = loop {
            let asked = on.clone().map_or(Asked::Over, Awaited::cancel);
            let mut state = self.lock();
            let now = state.awaited();
            let moved = now.as_ref().map(Arc::as_ptr) != on.as_ref().map(Arc::as_ptr);
            if asked != Asked::Taken && moved && !self.is_done() {
                on = now;
                continue;
            }
            state.passing = None;
            if asked != Asked::Taken {
                self.unanswered.store(true, Ordering::Release);
            }
            break match asked {
                Asked::Taken => None,
                // Its turn will come with the end of what it awaits, which is near.
                Asked::Over if !state.waits.is_empty() => None,
                // At an await that is not ours, nobody but the task itself can answer.
                Asked::Over => Some(Handle::Step(Arc::clone(&self))),
                Asked::Circular => {
                    let wait = state.waits.last();
                    wait.map(|wait| Handle::Wake(Arc::clone(&self), wait.key))
                }
            };
        };
        if let Some(answer) = answers
            && !self.is_current()
        {
            self.event_loop.call_soon(answer);
        }
        Asked::Taken
    }
}

impl<T: Send + 'static> Awaited for Control<Slot<T>> {
    fn cancel(self: Arc<Self>) -> Asked {
        Control::cancel(self)
    }

    fn wake_at_end(&self, waiter: &Arc<Control>, key: u64) -> bool {
        let mut state = self.lock();
        if self.is_done() {
            return false;
        }
        let callback = Callback::Wake(Arc::clone(waiter), key);
        state.callbacks.push(callback);
        true
    }

    fn is(&self, task: &Control) -> bool {
        self.is(task)
    }

    fn tokio_id(&self) -> Option<tokio::task::Id> {
        self.tokio_id.get().copied()
    }
}

impl<T: Clone + Send + 'static> Ends for Control<Slot<T>> {
    type Value = T;

    fn end(&self) -> Option<Result<T>> {
        // Mostly it runs, and then needs no lock.
        if self.is_done() {
            self.outcome.get()
        } else {
            None
        }
    }
}

impl State {
    /// A waker that an await has to itself; none if it is the task's.
    fn own_waker(&self, waker: &Waker) -> Option<Waker> {
        let of_task = self.waker.as_ref();
        let is_of_task = of_task.is_some_and(|of_task| of_task.will_wake(waker));
        (!is_of_task).then(|| waker.clone())
    }

    fn awaited(&self) -> Option<Arc<dyn Awaited>> {
        self.waits.last().and_then(|wait| wait.on.clone())
    }
}

impl Current {
    pub(super) fn new(task: Arc<Control>, context: Context) -> Self {
        Self { task, context }
    }

    /// The context variables of the task that runs; none outside of a task.
    pub(super) fn context() -> Context {
        CURRENT.with_borrow(|current| {
            let context = current.as_ref().map(|current| &current.context);
            context.cloned().unwrap_or_default()
        })
    }

    /// The loop of the task that runs.
    #[track_caller]
    pub(super) fn event_loop() -> Arc<EventLoop> {
        Self::with(|current| Arc::clone(&current.task.event_loop))
    }

    /// Changes the context variables of the task that runs.
    #[track_caller]
    pub(super) fn change_context<T>(change: impl FnOnce(&mut Context) -> T) -> T {
        CURRENT.with_borrow_mut(|current| change(&mut Self::running(current.as_mut()).context))
    }

    /// Makes this the current task, on this thread, while `call` runs.
    pub(super) fn lend<T>(current: &mut Option<Self>, call: impl FnOnce() -> T) -> T {
        /// Takes it back also when `call` panics.
        struct Lent<'a>(&'a mut Option<Current>);
        impl Drop for Lent<'_> {
            fn drop(&mut self) {
                CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
            }
        }
        CURRENT.with_borrow_mut(|running| std::mem::swap(running, current));
        let _lent = Lent(current);
        call()
    }

    #[track_caller]
    fn with<T>(read: impl FnOnce(&Self) -> T) -> T {
        CURRENT.with_borrow(|current| read(Self::running(current.as_ref())))
    }

    #[track_caller]
    fn running<C>(current: Option<C>) -> C {
        current.expect("no running event loop: call this from a task inside aio::run")
    }
}
