//! The programs that loopview shows: each one lesson in asynchronous programming.
//!
//! ```text
//!  catalogue ──▶ Workload { main, settings, source, … } ──▶ whoever runs or lists it
//!                   │
//!                NAME.rs: one lesson a file, to be read by a learner
//!                   │
//!                 aio: asyncio's words on tokio
//! ```
//!
//! To add a lesson, write `NAME.rs` with `pub async fn main(settings: Settings) -> aio::Result<()>`
//! and its page in `lessons/`, in both languages, and add a line for it in `catalogue.rs`. What does
//! not belong here: anything that draws, measures or knows that it is watched.

pub mod aio;
mod catalogue;
mod http;
mod settings;
mod workload;

mod as_completed;
mod async_library;
mod blocking;
mod blocking_library;
mod cancel;
mod channel;
mod chaos;
mod cpu;
mod deadlock;
mod gather;
mod gather_error;
mod gather_settled;
mod hello;
mod large_future;
mod leak;
mod lost_permits;
mod lost_waker;
mod many;
mod many_wakes;
mod mutex;
mod needless_async;
mod panic;
mod pool_full;
mod semaphore;
mod serial;
mod serial_tasks;
mod shield;
mod spawn_storm;
mod starvation;
mod taskgroup;
mod taskgroup_error;
mod tasks;
mod template;
mod timeout;
mod timeout_cleanup;
mod to_thread;
mod to_thread_library;
mod uncalled;

pub use catalogue::{all, find};
pub use settings::{Setting, Settings, SettingsError, Value};
pub use workload::{Main, Workload};
