//! `asyncio.gather`.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use super::{
    awaitable::Awaitable,
    control::{Cancel, Control, Watch},
    error::{Error, Result},
    leaf::leaf,
    scope::Scope,
    task::Task,
    wake::WakeCell,
};

/// Runs all at once and gives their results in the order of the arguments (`asyncio.gather`).
///
/// The tasks are made by the call, before the await. A task given twice runs once and fills both
/// places.
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
    let scope = Scope::open("gather", Location::caller());
    let mut tasks = Vec::new();
    {
        let _children = scope.enter();
        // A loop and not `map`: the spawn location does not reach into a closure.
        for awaitable in awaitables {
            tasks.push(awaitable.into_task());
        }
    }
    async move {
        let result = outcome(&tasks).await;
        scope.close(&result);
        result
    }
}

async fn outcome<T: Clone + Send + 'static>(tasks: &[Task<T>]) -> Result<Vec<T>> {
    let gathering = Gathering::watching(tasks.iter().map(Task::control));
    leaf(
        Some(Arc::clone(&gathering) as _),
        poll_fn(|cx| {
            gathering.news.register(cx.waker());
            gathering.progress()
        }),
    )
    .await??;
    tasks.iter().map(Task::outcome).collect()
}

/// The children while they run.
struct Gathering {
    children: BTreeMap<u64, Arc<Control>>,
    news: WakeCell,
    state: Mutex<State>,
}

struct State {
    unfinished: usize,
    cancelled: bool,
    first_error: Option<Error>,
}

impl Gathering {
    fn watching(children: impl Iterator<Item = Arc<Control>>) -> Arc<Self> {
        // By number: a task given twice is watched, and asked to end, once.
        let children: BTreeMap<_, _> = children.map(|child| (child.serial, child)).collect();
        let gathering = Arc::new(Self {
            news: WakeCell::default(),
            state: Mutex::new(State {
                unfinished: children.len(),
                cancelled: false,
                first_error: None,
            }),
            children,
        });
        for child in gathering.children.values() {
            child.watch(&gathering);
        }
        gathering
    }

    fn progress(&self) -> Poll<Result<()>> {
        let state = self.lock();
        match &state.first_error {
            Some(error) => Poll::Ready(Err(error.clone())),
            // All have swallowed the request: whoever awaits them was asked all the same.
            None if state.unfinished == 0 && state.cancelled => Poll::Ready(Err(Error::Cancelled)),
            None if state.unfinished == 0 => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Gathering {
    fn task_done(&self, _: &Control, failure: Option<&Error>) {
        {
            let mut state = self.lock();
            state.unfinished -= 1;
            if state.first_error.is_none() {
                state.first_error = failure.cloned();
            }
        }
        if self.progress().is_ready() {
            self.news.wake();
        }
    }
}

impl Cancel for Gathering {
    fn cancel(&self) -> bool {
        if self.progress().is_ready() {
            return false;
        }
        let mut taken = false;
        for child in self.children.values() {
            taken |= child.cancel();
        }
        self.lock().cancelled |= taken;
        taken
    }
}
