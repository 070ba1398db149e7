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
//! and add a line for it in `catalogue.rs`. What does not belong here: anything that draws, measures
//! or knows that it is watched.

pub mod aio;
mod catalogue;
mod settings;

mod blocking;
mod cpu;
mod gather;
mod hello;
mod serial;
mod taskgroup;
mod tasks;
mod template;
mod timeout;
mod to_thread;

pub use catalogue::{Main, Workload, all, find};
pub use settings::{Setting, Settings, SettingsError, Value};
