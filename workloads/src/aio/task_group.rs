//! `asyncio.TaskGroup`.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::Location,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use super::{
    awaitable::Awaitable,
    control::{Cancel, Control, Watch},
    error::{Error, Result},
    leaf::{body, leaf},
    scope::Scope,
    task::Task,
    wake::WakeCell,
};

/// A handle to a group of tasks that end together (`asyncio.TaskGroup`). A clone is the same group, so
/// that children can add children.
#[derive(Clone)]
pub struct TaskGroup {
    group: Arc<Group>,
}

impl TaskGroup {
    /// Runs `block` with a new group, waits for every task of the group, and gives what the block
    /// returned (`async with asyncio.TaskGroup() as group`).
    ///
    /// When a child or the block fails, the others are asked to end and their cleanup is awaited.
    ///
    /// ```
    /// # use loopview_workloads::aio::{self, TaskGroup};
    /// # async fn cook(dish: &str) -> aio::Result<()> { Ok(()) }
    /// # async fn kitchen() -> aio::Result<()> {
    /// TaskGroup::run(async |group| {
    ///     group.create_task(cook("soup"))?;
    ///     group.create_task(cook("fish"))?;
    ///     Ok(())
    /// })
    /// .await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Group`] with what the children raised, in the order in which they ended, the block's
    /// own error last. [`Error::Cancelled`] if the task was asked to end and none of them failed.
    #[track_caller]
    pub fn run<T, B>(block: B) -> impl Future<Output = Result<T>>
    where
        B: AsyncFnOnce(TaskGroup) -> Result<T>,
    {
        let at = Location::caller();
        async move {
            let group = Arc::new(Group::new(Scope::open("task_group", at)));
            let handle = TaskGroup {
                group: Arc::clone(&group),
            };
            let dropped = Dropped(&group);
            let result = group.block(block(handle)).await;
            let result = group.leave(result).await;
            if let Some(scope) = group.lock().scope.take() {
                scope.close(&result);
            }
            drop(dropped);
            result
        }
    }

    /// Adds a task to the group (`TaskGroup.create_task`). A child may do so while the group waits.
    ///
    /// # Errors
    ///
    /// If the group has begun to shut down, or has ended.
    #[track_caller]
    pub fn create_task<A: Awaitable>(&self, awaitable: A) -> Result<Task<A::Output>> {
        // Held until the task is noted, so that the group cannot end in between.
        let mut state = self.group.lock();
        match (&state.scope, state.aborting) {
            (None, _) => return Err(Error::msg("the TaskGroup is finished")),
            (_, true) => return Err(Error::msg("the TaskGroup is shutting down")),
            (Some(_), false) => {}
        }
        let task = {
            let _child = state.scope.as_ref().map(Scope::enter);
            awaitable.into_task()
        };
        let control = task.control();
        state.children.insert(control.serial, Arc::clone(&control));
        drop(state);
        control.watch(&self.group);
        Ok(task)
    }
}

struct Group {
    news: WakeCell,
    state: Mutex<State>,
}

struct State {
    /// None when the group has ended.
    scope: Option<Scope>,
    /// Those that have not ended, in the order in which they were added.
    children: BTreeMap<u64, Arc<Control>>,
    errors: Vec<Error>,
    aborting: bool,
}

impl Group {
    fn new(scope: Scope) -> Self {
        Self {
            news: WakeCell::default(),
            state: Mutex::new(State {
                scope: Some(scope),
                children: BTreeMap::new(),
                errors: Vec::new(),
                aborting: false,
            }),
        }
    }

    /// Runs the block; if a child fails meanwhile, asks the block to end, once, and takes that request
    /// back afterwards.
    async fn block<T>(&self, block: impl Future<Output = Result<T>>) -> Block<T> {
        let parent = Control::current();
        let mut interrupted = false;
        let mut block = pin!(body(block));
        let result = poll_fn(|cx| {
            self.news.register(cx.waker());
            if self.has_failed() && self.abort() {
                interrupted = true;
                parent.cancel();
            }
            block.as_mut().poll(cx)
        })
        .await;
        Block {
            result,
            ours: interrupted && parent.uncancel() == 0,
        }
    }

    /// Leaves the block: waits for the children and settles what the whole raises.
    async fn leave<T>(&self, block: Block<T>) -> Result<T> {
        let parent = Control::current();
        if block.result.is_err() {
            self.abort();
        }
        // The request that only interrupted the block is ours and stays inside.
        let mut cancelled = matches!(block.result, Err(Error::Cancelled)) && !block.ours;
        while leaf(None, self.all_done()).await.is_err() {
            // Asked from outside. Only the first request reaches the children.
            cancelled |= self.abort();
        }
        let mut errors = std::mem::take(&mut self.lock().errors);
        if cancelled && errors.is_empty() {
            return Err(Error::Cancelled);
        }
        match block.result {
            Err(Error::Cancelled) => {}
            Err(error) => errors.push(error),
            Ok(value) if errors.is_empty() => return Ok(value),
            Ok(_) => {}
        }
        if parent.requests() > 0 {
            // The group hides a request from outside: ask again, for the next await to answer.
            parent.uncancel();
            parent.cancel();
        }
        Err(Error::Group(errors))
    }

    /// Waits for the children; when one fails, asks the others to end. The abort comes from here and
    /// not from the failing child's last step, so that children that fail in one turn all run.
    async fn all_done(&self) {
        poll_fn(|cx| {
            self.news.register(cx.waker());
            if self.has_failed() {
                self.abort();
            }
            if self.lock().children.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn has_failed(&self) -> bool {
        !self.lock().errors.is_empty()
    }

    /// Asks every child to end, the first time; tells whether this was it.
    fn abort(&self) -> bool {
        let children: Vec<Arc<Control>> = {
            let mut state = self.lock();
            if std::mem::replace(&mut state.aborting, true) {
                return false;
            }
            state.children.values().cloned().collect()
        };
        for child in children {
            child.cancel();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves no child behind when the group itself is dropped half-way, which only `select!` and a panic
/// do: they are asked to end, but nobody can wait for them. After the end there is nobody to ask.
struct Dropped<'a>(&'a Group);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.abort();
        self.0.lock().scope = None;
    }
}

/// How the block of a group ended.
struct Block<T> {
    result: Result<T>,
    /// Nobody but the group asked it to end.
    ours: bool,
}

impl Watch for Group {
    fn task_done(&self, task: &Control, failure: Option<&Error>) {
        {
            let mut state = self.lock();
            state.children.remove(&task.serial);
            // A child that was cancelled, by whomever, is no error.
            state
                .errors
                .extend(failure.filter(|error| !error.is_cancelled()).cloned());
        }
        self.news.wake();
    }
}
