//! The way in: `asyncio.run`.

use super::{config::Config, done::Done, error::Result, event_loop::EventLoop, task::spawn_on};

/// Runs `main` as the task `main` on an event loop of its own and returns what it returns
/// (`asyncio.run`).
///
/// When `main` has ended, tasks that have not are asked to end, and their cleanup is awaited; then
/// threads that still run are.
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
    let runtime = config.runtime()?;
    let event_loop = EventLoop::new(config.scale);
    let main = {
        let _entered = runtime.enter();
        spawn_on(&event_loop, Some("main".to_owned()), main)
    };
    runtime.block_on(async {
        Done::of(main.control()).await;
        event_loop.cancel_leftovers().await;
    });
    // Waits for the threads.
    drop(runtime);
    main.outcome()
}
