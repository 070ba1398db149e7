//! `asyncio.TaskGroup`.

use std::{
    fmt,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{
    awaitable::Awaitable,
    control::{Control, Watch},
    error::{Error, Misuse, Result},
    promise::Promise,
    scope::Scope,
    suspend::{Suspend, body},
    task::Task,
};

/// A handle to a group of tasks that end together (`asyncio.TaskGroup`). A clone is the same group, so
/// that children can add children.
///
/// A `tokio::task::JoinSet` does not end by itself when one of its tasks fails, and when it is dropped
/// it aborts its tasks and waits for none of them.
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
            let group = Arc::new(Group {
                parent: Control::current(),
                state: Mutex::new(State {
                    scope: Some(Scope::open("task_group", at)),
                    ..State::default()
                }),
            });
            let handle = TaskGroup {
                group: Arc::clone(&group),
            };
            let dropped = Dropped(&group);
            let result = body(block(handle)).await;
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
    /// [`Misuse::GroupShuttingDown`] or [`Misuse::GroupFinished`]; the task is then not made.
    #[track_caller]
    pub fn create_task<A: Awaitable>(&self, awaitable: A) -> Result<Task<A::Output>> {
        // Held until the task is noted, so that the group cannot end in between.
        let mut state = self.group.lock();
        if state.scope.is_none() || (state.exiting && state.unfinished == 0) {
            return Err(Misuse::GroupFinished.into());
        }
        if state.aborting {
            return Err(Misuse::GroupShuttingDown.into());
        }
        let task = {
            let _child = state.scope.as_ref().map(Scope::enter);
            awaitable.into_task()
        };
        let control = task.control();
        let swept = state.add(&control);
        drop(state);
        drop(swept);
        control.watch(Arc::clone(&self.group) as _);
        Ok(task)
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.group.lock();
        f.debug_struct("TaskGroup")
            .field("unfinished", &state.unfinished)
            .field("errors", &state.errors.len())
            .field("aborting", &state.aborting)
            .finish()
    }
}

struct Group {
    parent: Arc<Control>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None when the group has ended.
    scope: Option<Scope>,
    /// In the order in which they were added; those that have ended are swept out now and then. Not
    /// held: what they have returned is not the group's.
    tasks: Vec<Weak<Control>>,
    unfinished: usize,
    errors: Vec<Error>,
    /// The block has ended.
    exiting: bool,
    /// The tasks were asked to end.
    aborting: bool,
    /// A child failed, and the parent was asked to end for that.
    asked_parent: bool,
    /// What the parent waits on when the block has ended.
    all_done: Option<Arc<Promise>>,
}

impl State {
    /// Gives those that it has looked at: to drop one may drop what it returned, which needs no lock.
    #[must_use]
    fn add(&mut self, task: &Arc<Control>) -> Vec<Arc<Control>> {
        const FEW: usize = 16;
        let mut swept = Vec::new();
        // As many are swept as were added since the last time, so adding costs the same for any number.
        if self.tasks.len() >= 2 * self.unfinished.max(FEW) {
            swept.extend(self.tasks.iter().filter_map(Weak::upgrade));
            let left = swept.iter().filter(|task| !task.is_done());
            self.tasks = left.map(Arc::downgrade).collect();
        }
        self.tasks.push(Arc::downgrade(task));
        self.unfinished += 1;
        swept
    }
}

impl Group {
    /// Leaves the block: waits for the children and settles what the whole raises.
    async fn leave<T>(&self, block: Result<T>) -> Result<T> {
        self.lock().exiting = true;
        if block.is_err() {
            self.abort();
        }
        let mut cancelled = matches!(block, Err(Error::Cancelled));
        while let Some(all_done) = self.waiting() {
            if Suspend::on(all_done).await.is_err() {
                // Asked from outside, or by a child that failed. Only the first request reaches the
                // children, and only one from outside is passed on.
                cancelled |= self.abort();
            }
            self.lock().all_done = None;
        }
        let (mut errors, asked_parent) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.errors), state.asked_parent)
        };
        if asked_parent && self.parent.uncancel() == 0 {
            cancelled = false;
        }
        if cancelled && errors.is_empty() {
            return Err(Error::Cancelled);
        }
        match block {
            Err(Error::Cancelled) if errors.is_empty() => {
                // The request was the group's own and stays inside, but there is no value either.
                return Err(Error::Cancelled);
            }
            Err(Error::Cancelled) => {}
            Err(error) => errors.push(error),
            Ok(value) if errors.is_empty() => return Ok(value),
            Ok(_) => {}
        }
        if self.parent.requests() > 0 {
            // The group hides a request from outside: ask again, for the next await to answer.
            self.parent.uncancel();
            Arc::clone(&self.parent).cancel();
        }
        Err(Error::Group(errors))
    }

    /// What to wait on until the last task has ended.
    fn waiting(&self) -> Option<Arc<Promise>> {
        let mut state = self.lock();
        let waits = state.unfinished > 0;
        waits.then(|| Arc::clone(state.all_done.get_or_insert_default()))
    }

    /// Asks every task to end, the first time; tells whether this was it.
    fn abort(&self) -> bool {
        let tasks: Vec<Weak<Control>> = {
            let mut state = self.lock();
            if std::mem::replace(&mut state.aborting, true) {
                return false;
            }
            std::mem::take(&mut state.tasks)
        };
        for task in tasks.iter().filter_map(Weak::upgrade) {
            task.cancel();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Group {
    fn task_done(&self, task: &Arc<Control>) {
        // A child that was cancelled, by whomever, is no error.
        let failure = task.failure().filter(|error| !error.is_cancelled());
        let (all_done, ask_parent) = {
            let mut state = self.lock();
            state.unfinished -= 1;
            let is_last = state.unfinished == 0;
            let all_done = state.all_done.take_if(|_| is_last);
            let failed = failure.is_some();
            state.errors.extend(failure);
            let ask = failed && !state.aborting && !state.asked_parent && !self.parent.is_done();
            state.asked_parent |= ask;
            (all_done, ask)
        };
        if let Some(all_done) = all_done {
            all_done.set(Ok(()));
        }
        if ask_parent {
            self.abort();
            Arc::clone(&self.parent).cancel();
        }
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
