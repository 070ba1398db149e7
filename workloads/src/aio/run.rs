//! The way in: `asyncio.run` and `asyncio.Runner`.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::runtime::Runtime;

use super::{
    config::Config,
    control::{Control, Watch},
    error::Result,
    event_loop::{EventLoop, Handle},
    suspend::tell_awaits,
    task::spawn_on,
};

/// Runs `main` as the task `main` on an event loop of its own and returns what it returns
/// (`asyncio.run`).
///
/// When `main` has ended, tasks that have not are asked to end, and their cleanup is awaited; then
/// threads that still run are. A tokio runtime that is dropped only drops its tasks.
///
/// # Errors
///
/// What `main` raises, or [`Error::Failed`](super::Error::Failed) if the runtime cannot start.
///
/// # Panics
///
/// If called from inside a runtime.
#[track_caller]
pub fn run<T, F>(config: &Config, main: F) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Clone + Send + 'static,
{
    let mut runner = Runner::new(config)?;
    let result = runner.run(main);
    runner.close();
    result
}

/// An event loop that can be used more than once (`asyncio.Runner`). Dropping it closes it.
pub struct Runner {
    /// None when it is closed.
    runtime: Option<Runtime>,
    event_loop: Arc<EventLoop>,
    closed_at: f64,
}

impl Runner {
    /// A loop on a runtime of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`](super::Error::Failed) if the runtime cannot start.
    pub fn new(config: &Config) -> Result<Self> {
        let runtime = config.runtime()?;
        let event_loop = {
            let _entered = runtime.enter();
            EventLoop::new(config)
        };
        Ok(Self {
            runtime: Some(runtime),
            event_loop,
            closed_at: 0.0,
        })
    }

    /// Runs `main` to its end (`Runner.run`). Tasks that have not ended by then wait for the next run,
    /// or for the [end](Self::close).
    ///
    /// # Errors
    ///
    /// What `main` raises.
    ///
    /// # Panics
    ///
    /// If called from inside a runtime, or when the runner is closed.
    #[track_caller]
    pub fn run<T, F>(&mut self, main: F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Clone + Send + 'static,
    {
        let runtime = self.runtime.as_ref().expect("the runner is open");
        let main = {
            let _entered = runtime.enter();
            spawn_on(Arc::clone(&self.event_loop), Some("main".to_owned()), main)
        };
        main.control().watch(Arc::new(StopWhenDone) as _);
        runtime.block_on(async {
            tell_awaits(main.tokio_id());
            self.event_loop.run_until_stopped().await;
            tell_awaits(None);
        });
        main.outcome()
    }

    /// The loop's time: seconds since it was made, before scaling (`loop.time()`); when it is closed,
    /// those that it took.
    pub fn time(&self) -> f64 {
        match &self.runtime {
            Some(runtime) => {
                let _entered = runtime.enter();
                self.event_loop.time()
            }
            None => self.closed_at,
        }
    }

    /// Asks every task that is left to end, once, and waits for their cleanup; then waits for threads
    /// (`Runner.close`).
    ///
    /// # Panics
    ///
    /// If called from inside a runtime.
    pub fn close(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        let leftovers = self.event_loop.all_tasks();
        if !leftovers.is_empty() {
            let stop: Arc<dyn Watch> = Arc::new(StopAfter(AtomicUsize::new(leftovers.len())));
            for task in leftovers {
                Arc::clone(&task).cancel();
                task.watch(Arc::clone(&stop));
            }
            runtime.block_on(self.event_loop.run_until_stopped());
        }
        self.closed_at = {
            let _entered = runtime.enter();
            self.event_loop.time()
        };
        // A paused clock has nothing to tell of the threads, which wait in real time.
        if self.event_loop.has_calls() {
            runtime.block_on(self.event_loop.run_until_calls_return());
        }
        drop(runtime);
        if !self.event_loop.paused {
            self.closed_at = self.event_loop.time();
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("closed", &self.runtime.is_none())
            .finish_non_exhaustive()
    }
}

struct StopWhenDone;

impl Watch for StopWhenDone {
    fn task_done(&self, task: &Arc<Control>) {
        task.event_loop.stop();
    }
}

/// Stops the loop when so many tasks have ended.
struct StopAfter(AtomicUsize);

impl Watch for StopAfter {
    fn task_done(&self, task: &Arc<Control>) {
        if self.0.fetch_sub(1, Ordering::AcqRel) == 1 {
            // asyncio gathers them, then awaits two coroutines, which have nothing to do here: one
            // that closes generators and one for threads. What leftovers have made in their cleanup
            // has those turns, too.
            task.event_loop.call_soon(Handle::StopAfter(4));
        }
    }
}
