//! `contextvars`: values that a task hands on to the tasks it creates.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    marker::PhantomData,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::control::Current;

type Value = Arc<dyn Any + Send + Sync>;

/// The variables that one task sees. A copy costs nothing before either side changes it.
#[derive(Clone, Default)]
pub(super) struct Context(Option<Arc<HashMap<u64, Value>>>);

/// A variable of which every task has a value of its own (`contextvars.ContextVar`).
///
/// A new task, and a call in [`to_thread`](super::to_thread()), starts with a copy of the variables of
/// the task that made it; from then on neither sees what the other sets. tokio's `task_local!` is
/// handed on to neither.
///
/// ```
/// use loopview_workloads::aio::{self, ContextVar};
///
/// static TABLE: ContextVar<u32> = ContextVar::new();
///
/// # fn main() -> aio::Result<()> {
/// aio::run(&aio::Config::default(), async {
///     TABLE.set(7);
///     let order = aio::create_task(async {
///         let table = TABLE.get();
///         TABLE.set(8);
///         Ok(table)
///     });
///     assert_eq!(order.await?, Some(7));
///     assert_eq!(TABLE.get(), Some(7));
///     Ok(())
/// })
/// # }
/// ```
pub struct ContextVar<T> {
    id: OnceLock<u64>,
    value: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// A variable that nobody has set.
    pub const fn new() -> Self {
        Self {
            id: OnceLock::new(),
            value: PhantomData,
        }
    }

    /// Its value as the running task sees it (`ContextVar.get`); none if neither this task nor those
    /// it descends from have set it.
    pub fn get(&self) -> Option<T> {
        let context = Current::context();
        let value = context.0.as_ref()?.get(&self.id())?;
        value.downcast_ref().cloned()
    }

    /// Sets it for the running task and for those it will create (`ContextVar.set`).
    #[track_caller]
    pub fn set(&self, value: T) {
        let value = Arc::new(value);
        let before = Current::change_context(|context| {
            let variables = Arc::make_mut(context.0.get_or_insert_default());
            variables.insert(self.id(), value)
        });
        // Only now: what it drops may look at variables, too.
        drop(before);
    }

    fn id(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        *self.id.get_or_init(|| NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl<T: Clone + Send + Sync + 'static> Default for ContextVar<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextVar").finish_non_exhaustive()
    }
}
