//! asyncio's words, each on its happy path and when something goes wrong. The clock is stopped, so
//! every time is exact; a note is `MILLISECONDS WHAT`.

mod as_completed;
mod cancel;
mod context;
mod gather;
mod notes;
mod run;
mod semaphore;
mod shield;
mod task_group;
mod timeout;
mod to_thread;
mod wait_for;
