//! asyncio's words on tokio: the same names, the same order of events, the same errors.
//!
//! A coroutine is an `async fn` that returns [`Result`]. What Python raises travels as `Err`, so `?`
//! does what an uncaught exception does:
//!
//! ```
//! use loopview_workloads::aio;
//!
//! async fn do_work(name: &str, secs: f64) -> aio::Result<()> {
//!     println!("{name} started");
//!     aio::sleep(secs).await?;
//!     println!("{name} done");
//!     Ok(())
//! }
//!
//! # fn main() -> aio::Result<()> {
//! let config = aio::Config { scale: 0.001, ..aio::Config::default() };
//! aio::run(&config, async {
//!     aio::gather([do_work("A", 2.0), do_work("B", 3.0)]).await?;
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # Cancellation
//!
//! Cancelling a task *asks* it to end. The await at which the task is suspended (or the next one)
//! answers with [`Error::Cancelled`]; from there the code may clean up, with further awaits if it
//! needs them, may swallow the request, or may let `?` carry it out. A task that awaits another task
//! passes the request on to that one. A task cancelled before its first step never runs.
//!
//! An await that is not from this module (a socket, a channel) cannot answer. There the task ends as
//! if it had let the error pass: what it holds is dropped.
//!
//! # What lives here
//!
//! One file for each of asyncio's words, on top of a few parts that are not public: `event_loop` (whose
//! turn it is), `control` (a task and the requests to it), `promise` (what can be awaited besides a
//! task), `suspend` (the await that answers a request) and `scope` (what an observer is told). Nothing
//! here knows the lessons, and nothing knows the dashboard: it is told through `tracing` alone.
//!
//! # Faithfulness
//!
//! On one thread, results and the order of events are Python 3.13's to the turn of the loop: the tests
//! compare them with what Python gave, in `tests/asyncio`. On many threads tasks run at the same time,
//! so results are the same but the order of what happens at one instant is open.
//!
//! # Panics
//!
//! Everything but [`run`](run()) and [`Runner`] needs a running task and panics outside one, as asyncio
//! raises "no running event loop".

mod as_completed;
mod awaitable;
mod config;
mod context;
mod control;
mod error;
mod event_loop;
mod gather;
mod heap;
mod outcome;
mod promise;
mod registry;
mod run;
mod scope;
mod semaphore;
mod shield;
mod sleep;
mod suspend;
mod task;
mod task_group;
mod timeout;
mod timer;
mod to_thread;
mod wait_for;

pub use as_completed::{AsCompleted, as_completed};
pub use awaitable::{Awaitable, Named, NamedExt};
pub use config::{Config, Flavor};
pub use context::ContextVar;
pub use error::{Error, Misuse, Result};
pub use gather::{gather, gather_settled};
pub use run::{Runner, run};
pub use semaphore::{BoundedSemaphore, Semaphore};
pub use shield::shield;
pub use sleep::sleep;
pub use task::{AwaitTask, CurrentTask, Task, create_task, current_task};
pub use task_group::TaskGroup;
pub use timeout::{Timeout, timeout, timeout_at};
pub use timer::{scaled, time};
pub use to_thread::to_thread;
pub use wait_for::wait_for;
