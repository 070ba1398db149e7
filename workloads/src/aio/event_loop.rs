//! What the tasks of one run share: the queue of what is to be called next, and the timers.
//!
//! # Turns
//!
//! asyncio's loop is one queue of calls, first in, first out: the step of a task, the call that tells
//! a `gather` that a child is done, a timer's. What happens at one instant happens in the order of
//! that queue, so the order is kept here, on top of tokio's: a [`Handle`] in `ready` is a call that is
//! due, and tokio's own task behind a [`Handle::Step`] or [`Handle::Wake`] runs when its turn has come.
//!
//! There is no thread or task that works the queue off. Whoever holds the *turn* does: a task that
//! has made its step calls what follows it, up to the next task's step, wakes that task, and so gives
//! the turn away. When nothing is left the turn is free, and the next to be woken from outside, by a
//! timer or a socket, takes it. So a step costs one wake of one task, as in plain tokio.
//!
//! On many threads there is no order to keep: the turn is kept while calls are made, but steps do not
//! take it.

use std::{
    cell::Cell,
    collections::VecDeque,
    ptr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    config::{Config, Flavor},
    control::{Control, Watch},
    heap::Heap,
    registry::Registry,
};

/// Timers that are due within this many seconds are due now, as by asyncio's clock.
const RESOLUTION: f64 = 1e-9;

thread_local! {
    /// The loop of the task that makes a step on this thread; null outside of a step. Whoever makes a
    /// step makes the calls that follow it. Elsewhere whoever adds a call makes it.
    static STEPPING: Cell<*const EventLoop> = const { Cell::new(ptr::null()) };
}

/// One run: its speed, its clock, its queue and the tasks that have not ended.
pub(super) struct EventLoop {
    pub(super) scale: f64,
    /// Whether tasks run one at a time, in the order of the queue.
    pub(super) ordered: bool,
    /// Whether tokio's clock stands still while anything runs.
    pub(super) paused: bool,
    start: Instant,
    /// How many calls can run on threads at once.
    max_threads: usize,
    /// How many have neither returned nor been given up, and news of the last that does.
    calls: AtomicUsize,
    no_calls: Notify,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Those that have not ended.
    tasks: Registry,
    /// How many there have been.
    serials: u64,
    /// The last N of a `Task-N`; tasks that have a name of their own do not count.
    names: u64,
    ready: VecDeque<Handle>,
    /// How many of `ready` belong to this iteration of the loop. Timers are looked at between two.
    left: usize,
    /// Somebody makes the calls, or a task was woken to make its step.
    taken: bool,
    timers: Heap<Arc<Timer>>,
    /// How many of `timers` nobody waits for any more.
    cancelled_timers: usize,
    /// Until when tokio's timers have fired, in seconds of the loop.
    fired: f64,
    stop: Stop,
}

/// How `run_until_stopped` is told to return.
#[derive(Default)]
struct Stop {
    wanted: bool,
    reached: bool,
    waker: Option<Waker>,
}

/// A call that is due.
pub(super) enum Handle {
    /// The first step of a task, or another look at a request to end.
    Step(Arc<Control>),
    /// A step of a task: what it awaits, by the number of that await, has ended.
    Wake(Arc<Control>, u64),
    /// The first hears that the second has ended.
    Done(Arc<dyn Watch>, Arc<Control>),
    Timer(Arc<Timer>),
    /// [`EventLoop::stop`] after so many more turns.
    StopAfter(u8),
}

/// A call at a later time.
pub(super) struct Timer {
    cancelled: AtomicBool,
    /// It is one of the queue's `timers`; changed while the queue is locked.
    waiting: AtomicBool,
    due: Arc<dyn Due>,
}

/// What happens when a timer's time has come.
pub(super) trait Due: Send + Sync {
    fn due(&self);
}

impl Timer {
    pub(super) fn new(due: Arc<dyn Due>) -> Arc<Self> {
        Arc::new(Self {
            cancelled: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            due,
        })
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

/// What a task is to do when the calls after its step have been made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Return to tokio.
    Rest,
    /// Make another step: it is this task's turn, and it had none in this poll.
    Step,
}

impl Queue {
    /// Those that are next, and all of them when they are many: a limit of an hour that was kept in a
    /// second is not held for an hour.
    fn drop_cancelled_timers(&mut self) {
        const MANY: usize = 100;
        let count = self.timers.len();
        if count > MANY && self.cancelled_timers > count / 2 {
            self.timers.retain(|timer| !timer.is_cancelled());
        } else {
            self.timers.drop_while(|timer| timer.is_cancelled());
        }
        self.cancelled_timers -= (count - self.timers.len()).min(self.cancelled_timers);
    }
}

impl EventLoop {
    /// In the context of the runtime that the tasks will run on.
    pub(super) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            scale: config.scale,
            ordered: config.flavor == Flavor::CurrentThread,
            paused: config.is_paused(),
            max_threads: config.threads(),
            calls: AtomicUsize::new(0),
            no_calls: Notify::new(),
            start: Instant::now(),
            queue: Mutex::new(Queue {
                fired: f64::NEG_INFINITY,
                // asyncio's `Task-1` is the main task, which we call `main`.
                names: 1,
                // Until the run begins.
                taken: true,
                ..Queue::default()
            }),
        })
    }

    /// Seconds of the program since the run began (`loop.time()`).
    pub(super) fn time(&self) -> f64 {
        // Whole microseconds are exact, and their sums and ties are asyncio's.
        let secs = self.start.elapsed().as_micros() as f64 / 1e6;
        if self.scale > 0.0 {
            secs / self.scale
        } else {
            secs
        }
    }

    /// `secs` seconds of the program on tokio's clock.
    pub(super) fn scaled(&self, secs: f64) -> Duration {
        /// Further away than any program runs, and still addable to any `Instant`.
        const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);
        let secs = (secs * self.scale).max(0.0);
        Duration::try_from_secs_f64(secs).map_or(FOREVER, |time| time.min(FOREVER))
    }

    /// Adds a call to the end of the queue (`loop.call_soon`).
    pub(super) fn call_soon(&self, handle: Handle) {
        let mut queue = self.lock();
        queue.ready.push_back(handle);
        self.make_calls_if_free(queue);
    }

    /// Holds a new task until it [ends](Self::end_task), and gives it its first turn.
    pub(super) fn begin_task(&self, task: &Arc<Control>) {
        let mut queue = self.lock();
        let place = queue.tasks.add(Arc::clone(task));
        queue.serials += 1;
        task.set_numbers(queue.serials, place);
        if !task.has_name() {
            queue.names += 1;
            task.set_name_number(queue.names);
        }
        if self.ordered {
            queue.ready.push_back(Handle::Step(Arc::clone(task)));
        }
        self.make_calls_if_free(queue);
    }

    /// Lets go of a task that was at `place`; `calls` are for those who waited for its end.
    pub(super) fn end_task(&self, place: usize, calls: impl Iterator<Item = Handle>) {
        let mut queue = self.lock();
        let task = queue.tasks.remove(place);
        for call in calls {
            queue.ready.push_back(call);
        }
        self.make_calls_if_free(queue);
        drop(task);
    }

    /// The tasks that have not ended, in the order in which they were created.
    pub(super) fn all_tasks(&self) -> Vec<Arc<Control>> {
        self.lock().tasks.all()
    }

    fn make_calls_if_free(&self, queue: MutexGuard<'_, Queue>) {
        let is_free = !queue.taken;
        drop(queue);
        if is_free && !ptr::eq(STEPPING.get(), self) {
            self.make_calls(false, None);
        }
    }

    /// Adds a timer (`loop.call_at`). It fires when [`fired`](Self::fired) says that tokio's has; on a
    /// paused clock, as soon as its time has come.
    pub(super) fn call_at(&self, when: f64, timer: Arc<Timer>) {
        timer.waiting.store(true, Ordering::Release);
        self.lock().timers.push(when, timer);
    }

    /// Takes a timer back, which may have fired already.
    pub(super) fn cancel_timer(&self, timer: &Timer) {
        let mut queue = self.lock();
        let is_new = !timer.cancelled.swap(true, Ordering::AcqRel);
        // One that has fired is not among those that are looked through.
        if is_new && timer.waiting.load(Ordering::Acquire) {
            queue.cancelled_timers += 1;
        }
    }

    /// tokio's timer for `when` has fired; all that are due before it have as well.
    pub(super) fn fired(&self, when: f64) {
        let mut queue = self.lock();
        queue.fired = queue.fired.max(when);
    }

    /// Makes a `step` of `task`, then the calls that follow it if nobody else does.
    pub(super) fn step<T>(&self, task: &Control, step: impl FnOnce() -> T) -> (T, Next) {
        let stepping = Stepping::begin(self, task);
        let output = step();
        (output, stepping.end())
    }

    /// Makes the calls that are due, until the queue is empty or a task takes the turn; does nothing
    /// unless the caller `has_turn` or it is free. `resting` is the task that had no turn in this poll
    /// and can take one without being woken.
    fn make_calls(&self, mut has_turn: bool, resting: Option<&Control>) -> Next {
        let mut next = Next::Rest;
        loop {
            let handle = {
                let mut queue = self.lock();
                if queue.taken && !has_turn {
                    return next;
                }
                has_turn = true;
                let Some(handle) = self.next_call(&mut queue) else {
                    return next;
                };
                handle
            };
            let stepped = match handle {
                Handle::Step(task) => task.give_turn(resting),
                Handle::Wake(task, key) => task.resume(key, resting),
                Handle::Done(watcher, task) => {
                    watcher.task_done(&task);
                    None
                }
                Handle::Timer(timer) => {
                    if !timer.is_cancelled() {
                        timer.due.due();
                    }
                    None
                }
                Handle::StopAfter(turns) => {
                    match turns.checked_sub(1) {
                        Some(turns) => self.call_soon(Handle::StopAfter(turns)),
                        None => self.stop(),
                    }
                    None
                }
            };
            match stepped {
                Some(step) if self.ordered => return step,
                Some(Next::Step) => next = Next::Step,
                Some(Next::Rest) | None => {}
            }
        }
    }

    /// The next call; none if the queue is empty, which frees the turn, or if the run takes it.
    fn next_call(&self, queue: &mut Queue) -> Option<Handle> {
        if queue.left == 0 || !self.ordered {
            if std::mem::take(&mut queue.stop.wanted) {
                queue.taken = true;
                queue.stop.reached = true;
                if let Some(waker) = queue.stop.waker.take() {
                    waker.wake();
                }
                return None;
            }
            self.collect_timers(queue);
            queue.left = queue.ready.len();
        }
        queue.left = queue.left.saturating_sub(1);
        let handle = queue.ready.pop_front();
        queue.taken = handle.is_some();
        handle
    }

    fn collect_timers(&self, queue: &mut Queue) {
        if queue.timers.is_empty() {
            return;
        }
        queue.drop_cancelled_timers();
        let now = if self.paused {
            self.time().max(queue.fired)
        } else {
            queue.fired
        };
        while let Some(timer) = queue.timers.pop_before(now + RESOLUTION) {
            timer.waiting.store(false, Ordering::Release);
            if timer.is_cancelled() {
                queue.cancelled_timers = queue.cancelled_timers.saturating_sub(1);
            }
            queue.ready.push_back(Handle::Timer(timer));
        }
    }

    /// Has the run return once this iteration of the loop is over (`loop.stop`).
    pub(super) fn stop(&self) {
        self.lock().stop.wanted = true;
    }

    /// Lets the tasks run until [`stop`](Self::stop); to be awaited by `block_on`.
    pub(super) async fn run_until_stopped(&self) {
        let mut begun = false;
        std::future::poll_fn(|cx| {
            {
                let mut queue = self.lock();
                if std::mem::take(&mut queue.stop.reached) {
                    return std::task::Poll::Ready(());
                }
                queue.stop.waker = Some(cx.waker().clone());
                if !std::mem::replace(&mut begun, true) {
                    queue.taken = false;
                }
            }
            self.make_calls(false, None);
            std::task::Poll::Pending
        })
        .await;
    }

    /// Counts a call on a thread; tells whether there is a thread for it now.
    pub(super) fn begin_call(&self) -> bool {
        self.calls.fetch_add(1, Ordering::AcqRel) < self.max_threads
    }

    pub(super) fn end_call(&self) {
        if self.calls.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.no_calls.notify_one();
        }
    }

    /// Some call is left on a thread.
    pub(super) fn has_calls(&self) -> bool {
        self.calls.load(Ordering::Acquire) > 0
    }

    /// Lets the tasks run until no call is left on a thread. A runtime that is dropped would not make
    /// those that have only just been handed over.
    pub(super) async fn run_until_calls_return(&self) {
        /// For whoever awaited the last.
        const TURNS: usize = 8;
        self.lock().taken = false;
        self.make_calls(false, None);
        while self.has_calls() {
            self.no_calls.notified().await;
        }
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step under way. The turn goes on also when it panics.
struct Stepping<'a> {
    event_loop: &'a EventLoop,
    task: &'a Control,
    /// The loop of the step around this one: a task may run a loop of its own.
    outer: *const EventLoop,
}

impl<'a> Stepping<'a> {
    fn begin(event_loop: &'a EventLoop, task: &'a Control) -> Self {
        Self {
            event_loop,
            task,
            outer: STEPPING.replace(event_loop),
        }
    }

    fn end(&self) -> Next {
        let has_turn = self.task.end_turn();
        let resting = Some(self.task).filter(|_| !has_turn);
        self.event_loop.make_calls(has_turn, resting)
    }
}

impl Drop for Stepping<'_> {
    fn drop(&mut self) {
        STEPPING.set(self.outer);
        if std::thread::panicking() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Due, EventLoop, Timer};
    use crate::aio::Config;

    struct Nothing;

    impl Due for Nothing {
        fn due(&self) {}
    }

    /// A loop that counted those would look through all its timers again and again.
    #[test]
    fn a_timer_that_has_fired_is_not_counted_as_cancelled() {
        let config = Config::default();
        let runtime = config.runtime().unwrap();
        let _entered = runtime.enter();
        let event_loop = EventLoop::new(&config);
        let timers = [1.0, 2.0, 3.0].map(|when| {
            let timer = Timer::new(Arc::new(Nothing));
            event_loop.call_at(when, Arc::clone(&timer));
            timer
        });
        event_loop.cancel_timer(&timers[1]);
        assert_eq!(event_loop.lock().cancelled_timers, 1);
        event_loop.fired(2.0);
        event_loop.collect_timers(&mut event_loop.lock());
        for timer in &timers {
            event_loop.cancel_timer(timer);
        }
        let queue = event_loop.lock();
        assert_eq!((queue.cancelled_timers, queue.timers.len()), (1, 1));
    }
}
