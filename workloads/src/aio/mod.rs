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
//! One file for each of asyncio's words, on top of three parts that are not public: `control` (the
//! request), `leaf` (the await that answers it) and `scope` (what an observer is told). Nothing here
//! knows the lessons, and nothing knows the dashboard: it is told through `tracing` alone.
//!
//! # Panics
//!
//! Everything but [`run`](run()) needs a running task and panics outside one, as asyncio raises
//! "no running event loop".

mod awaitable;
mod config;
mod control;
mod done;
mod error;
mod event_loop;
mod gather;
mod leaf;
mod run;
mod scope;
mod sleep;
mod task;
mod task_group;
mod timer;
mod to_thread;
mod wait_for;
mod wake;

pub use awaitable::{Awaitable, Named, NamedExt};
pub use config::{Config, Flavor};
pub use error::{Error, Result};
pub use gather::gather;
pub use run::run;
pub use sleep::sleep;
pub use task::{Task, create_task};
pub use task_group::TaskGroup;
pub use timer::scaled;
pub use to_thread::to_thread;
pub use wait_for::wait_for;
