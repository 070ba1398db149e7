//! Serial: one after the other.
//!
//! The waiter serves table A to the end and only then looks at table B. Awaiting a coroutine runs it
//! as a part of this task: `async` alone makes nothing concurrent.
//!
//! On screen: one task, `main`, and one timer at a time. It must take 2 s + 2 s = 4 s.

use crate::{Settings, aio};

async fn do_work(name: &str, secs: f64) -> aio::Result<()> {
    println!("{name} started");
    aio::sleep(secs).await?;
    println!("{name} done");
    Ok(())
}

/// Awaits A, then B.
pub async fn main(_: Settings) -> aio::Result<()> {
    do_work("A", 2.0).await?;
    do_work("B", 2.0).await?;
    Ok(())
}
