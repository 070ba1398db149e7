//! `asyncio.gather`.

use std::{
    collections::HashSet,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    awaitable::Awaitable,
    control::{Asked, Awaited, Control, Watch},
    error::{Error, Result},
    promise::Promise,
    scope::Scope,
    suspend::{Ends, Suspend},
    task::Task,
};

/// Runs all at once and gives their results in the order of the arguments (`asyncio.gather`).
///
/// The tasks are made by the call, before the await. A task given twice runs once and fills both
/// places.
///
/// `futures::future::try_join_all` drops the others when one fails, and `tokio::task::JoinSet` gives
/// results in the order in which they come.
///
/// # Errors
///
/// The first error of a child, at once; the others run on and their errors are dropped.
/// [`Error::Cancelled`] if the awaiting task was asked to end, which the children are asked first.
#[track_caller]
pub fn gather<I>(
    awaitables: I,
) -> impl Future<Output = Result<Vec<<I::Item as Awaitable>::Output>>> + Send + 'static
where
    I: IntoIterator<Item: Awaitable>,
{
    let children = Children::start(awaitables, Settle::AtFirstError);
    async move {
        let end = Suspend::on(Arc::clone(&children.gathering)).await;
        let result = end.and_then(|()| children.tasks.iter().map(Task::outcome).collect());
        children.scope.close(&result);
        result
    }
}

/// As [`gather`], but errors are results: waits for all, and gives in each place what the child
/// returned or raised (`asyncio.gather(…, return_exceptions=True)`).
///
/// # Errors
///
/// [`Error::Cancelled`] if the awaiting task was asked to end, when all children have.
#[track_caller]
pub fn gather_settled<I>(
    awaitables: I,
) -> impl Future<Output = Result<Vec<Result<<I::Item as Awaitable>::Output>>>> + Send + 'static
where
    I: IntoIterator<Item: Awaitable>,
{
    let children = Children::start(awaitables, Settle::AtLastEnd);
    async move {
        let end = Suspend::on(Arc::clone(&children.gathering)).await;
        let result = end.map(|()| children.tasks.iter().map(Task::outcome).collect());
        children.scope.close(&result);
        result
    }
}

/// What a call has started, to be awaited.
struct Children<T> {
    scope: Scope,
    tasks: Vec<Task<T>>,
    gathering: Arc<Gathering>,
}

impl<T: Clone + Send + 'static> Children<T> {
    #[track_caller]
    fn start<I>(awaitables: I, settle: Settle) -> Self
    where
        I: IntoIterator<Item: Awaitable<Output = T>>,
    {
        let scope = Scope::open("gather", Location::caller());
        let mut tasks = Vec::new();
        {
            let _children = scope.enter();
            // A loop and not `map`: the spawn location does not reach into a closure.
            for awaitable in awaitables {
                tasks.push(awaitable.into_task());
            }
        }
        let gathering = Gathering::watching(tasks.iter().map(Task::control), settle);
        Self {
            scope,
            tasks,
            gathering,
        }
    }
}

/// When a gathering is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settle {
    AtFirstError,
    AtLastEnd,
}

/// Many tasks, as one thing to await.
struct Gathering {
    /// In the order of the arguments. One that was given twice is asked to end twice, as in asyncio,
    /// which counts the requests.
    children: Vec<Arc<Control>>,
    settle: Settle,
    outer: Arc<Promise>,
    state: Mutex<State>,
}

struct State {
    unfinished: usize,
    cancelled: bool,
}

impl Gathering {
    fn watching(tasks: impl Iterator<Item = Arc<Control>>, settle: Settle) -> Arc<Self> {
        let children: Vec<_> = tasks.collect();
        let mut seen = HashSet::with_capacity(children.len());
        let each_once = children.iter().filter(|task| seen.insert(task.serial()));
        let each_once: Vec<_> = each_once.cloned().collect();
        let gathering = Arc::new(Self {
            outer: Promise::new(),
            settle,
            state: Mutex::new(State {
                unfinished: each_once.len(),
                cancelled: false,
            }),
            children,
        });
        if gathering.children.is_empty() {
            gathering.outer.set(Ok(()));
        }
        let mut done = Vec::new();
        for child in &each_once {
            if child.is_done() {
                done.push(child);
            } else {
                child.watch(Arc::clone(&gathering) as _);
            }
        }
        // What has ended already is told now and not in a later turn.
        for child in done {
            gathering.task_done(child);
        }
        gathering
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Gathering {
    fn task_done(&self, task: &Arc<Control>) {
        let all_done = {
            let mut state = self.lock();
            state.unfinished -= 1;
            // All have swallowed the request: whoever awaits them was asked all the same.
            (state.unfinished == 0).then_some(state.cancelled)
        };
        if self.settle == Settle::AtFirstError
            && let Some(error) = task.failure()
        {
            self.outer.set(Err(error));
            return;
        }
        match all_done {
            Some(true) => self.outer.set(Err(Error::Cancelled)),
            Some(false) => self.outer.set(Ok(())),
            None => false,
        };
    }
}

/// A request goes to all children; it is answered when they have ended.
impl Awaited for Gathering {
    fn cancel(self: Arc<Self>) -> Asked {
        let mut asked = Asked::Over;
        if !self.outer.is_done() {
            for child in &self.children {
                asked = asked.max(Arc::clone(child).cancel());
            }
            self.lock().cancelled |= asked == Asked::Taken;
        }
        asked
    }

    fn wake_at_end(&self, waiter: &Arc<Control>, key: u64) -> bool {
        self.outer.wake_at_end(waiter, key)
    }

    fn is(&self, _: &Control) -> bool {
        false
    }

    fn tokio_id(&self) -> Option<tokio::task::Id> {
        None
    }
}

impl Ends for Gathering {
    type Value = ();

    fn end(&self) -> Option<Result<()>> {
        self.outer.end()
    }
}
