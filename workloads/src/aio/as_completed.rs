//! `asyncio.as_completed`.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    future::poll_fn,
    panic::Location,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Sleep;

use super::{
    awaitable::Awaitable,
    control::{Control, Watch},
    error::{Error, Result},
    event_loop::Due,
    promise::Promise,
    scope::Scope,
    suspend::Suspend,
    task::Task,
    timer::{Alarm, Call},
};

/// Runs all at once and gives each result as soon as it is there (`asyncio.as_completed`), for at most
/// `secs` seconds, scaled; `None` is no limit.
///
/// The tasks are made, and the time starts to run, by the call. Whoever leaves early cancels nothing:
/// the tasks run on. A `tokio::task::JoinSet` aborts them when it is dropped.
///
/// ```
/// # use loopview_workloads::aio;
/// # async fn cook(dish: &str) -> aio::Result<String> { Ok(dish.to_owned()) }
/// # async fn kitchen() -> aio::Result<()> {
/// let mut dishes = aio::as_completed([cook("soup"), cook("fish")], None);
/// while let Some(dish) = dishes.next().await {
///     println!("{} is ready", dish?);
/// }
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn as_completed<I>(
    awaitables: I,
    secs: impl Into<Option<f64>>,
) -> AsCompleted<<I::Item as Awaitable>::Output>
where
    I: IntoIterator<Item: Awaitable>,
{
    let scope = Scope::open("as_completed", Location::caller());
    let mut tasks = Vec::new();
    let alarm = {
        let _children = scope.enter();
        let mut seen = HashSet::new();
        // A loop and not `map`: a location does not reach into a closure. So below.
        for awaitable in awaitables {
            let task = awaitable.into_task();
            if seen.insert(task.control().serial()) {
                tasks.push(task);
            }
        }
        match secs.into() {
            Some(secs) if !tasks.is_empty() => Some((secs, Alarm::new(secs))),
            _ => None,
        }
    };
    let shared = Arc::new(Shared(Mutex::new(State {
        running: tasks.iter().map(|task| task.control().serial()).collect(),
        ..State::default()
    })));
    for task in &tasks {
        task.control().watch(Arc::clone(&shared) as _);
    }
    let limit = alarm.map(|(secs, (mut alarm, sleep))| {
        let event_loop = &Control::current().event_loop;
        let when = event_loop.time() + secs;
        let mut sleep = Box::pin(sleep);
        alarm.set(sleep.as_mut(), event_loop, secs, when);
        let call = Call::at(event_loop, when, Arc::clone(&shared) as _);
        shared.lock().limit = Some(call);
        (alarm, sleep)
    });
    AsCompleted {
        left: tasks.len(),
        tasks,
        shared,
        limit,
        scope: Some(scope),
    }
}

/// Results in the order in which they come (what `asyncio.as_completed` gives).
#[must_use = "results are given by `next`"]
pub struct AsCompleted<T> {
    tasks: Vec<Task<T>>,
    /// How many times `next` has something to wait for.
    left: usize,
    shared: Arc<Shared>,
    limit: Option<(Alarm, Pin<Box<Sleep>>)>,
    scope: Option<Scope>,
}

impl<T: Clone + Send + 'static> AsCompleted<T> {
    /// The next that is done; none after the last.
    ///
    /// What it gives is the item's own error; [`Error::TimedOut`] for each that was not done in time;
    /// or [`Error::Cancelled`] if the awaiting task was asked to end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        let item = if self.left == 0 {
            None
        } else {
            self.left -= 1;
            Some(self.wait_for_one().await)
        };
        if self.left == 0
            && let Some(scope) = self.scope.take()
        {
            let failure = item.as_ref().and_then(|item| item.as_ref().err().cloned());
            scope.close(&failure.map_or(Ok(()), Err));
        }
        item
    }

    async fn wait_for_one(&mut self) -> Result<T> {
        loop {
            let news = {
                let mut state = self.shared.lock();
                if let Some(item) = state.done.pop_front() {
                    let Some(serial) = item else {
                        return Err(Error::TimedOut);
                    };
                    let is_it = |task: &&Task<T>| task.control().serial() == serial;
                    let task = self.tasks.iter().find(is_it);
                    return task.expect("only what is awaited comes").outcome();
                }
                let news = Promise::new();
                state.news = Some(Arc::clone(&news));
                news
            };
            let mut wait = Suspend::on(news);
            let limit = &mut self.limit;
            poll_fn(|cx| {
                if let Some((alarm, sleep)) = limit {
                    let event_loop = &Control::current().event_loop;
                    alarm.poll(sleep.as_mut(), event_loop, cx);
                }
                Pin::new(&mut wait).poll(cx)
            })
            .await?;
        }
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    /// Those that have neither ended nor been given up.
    running: HashSet<u64>,
    /// What `next` has not given yet; none stands for one that was given up.
    done: VecDeque<Option<u64>>,
    news: Option<Arc<Promise>>,
    /// Until all have ended, whether or not anybody asks for the next.
    limit: Option<Call>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes who waits for news, if there are any.
    fn tell(&self) {
        let news = {
            let mut state = self.lock();
            if state.done.is_empty() {
                return;
            }
            state.news.take()
        };
        if let Some(news) = news {
            news.set(Ok(()));
        }
    }
}

impl Watch for Shared {
    fn task_done(&self, task: &Arc<Control>) {
        let limit = {
            let mut state = self.lock();
            if !state.running.remove(&task.serial()) {
                return;
            }
            state.done.push_back(Some(task.serial()));
            let all_done = state.running.is_empty();
            state.limit.take_if(|_| all_done)
        };
        self.tell();
        drop(limit);
    }
}

/// The time is up.
impl Due for Shared {
    fn due(&self) {
        let limit = {
            let mut guard = self.lock();
            let state = &mut *guard;
            let given_up = state.running.drain().map(|_| None);
            state.done.extend(given_up);
            state.limit.take()
        };
        self.tell();
        drop(limit);
    }
}
