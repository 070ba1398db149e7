//! Tasks: both at once.
//!
//! The waiter takes the order of table A, then that of table B, and waits for both. `create_task` hands
//! a coroutine to the loop, which starts it as soon as this task waits.
//!
//! On screen: `A` and `B` sleep side by side, `main` waits for A. It must take 2 s, not 4.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn do_work(name: &str, secs: f64) -> aio::Result<()> {
    println!("{name} started");
    aio::sleep(secs).await?;
    println!("{name} done");
    Ok(())
}

/// Starts A and B, then awaits both.
pub async fn main(_: Settings) -> aio::Result<()> {
    let a = aio::create_task(do_work("A", 2.0).named("A"));
    let b = aio::create_task(do_work("B", 2.0).named("B"));
    println!("both tasks are created");

    a.await?;
    b.await?;
    Ok(())
}
