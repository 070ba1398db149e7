//! asyncio's words, each on its happy path and when something goes wrong. The clock is stopped, so
//! every time is exact; a note is `MILLISECONDS WHAT`.

mod cancel;
mod gather;
mod notes;
mod run;
mod task_group;
mod to_thread;
mod wait_for;
