//! Uncalled: a coroutine that nobody awaits does nothing.
//!
//! An order that is written down and never handed to the kitchen is never cooked. Calling an `async fn`
//! only makes a coroutine; no line of its body runs before it is awaited or made a task.
//!
//! On screen: one task, `main`, and a timer for the fish alone; `soup started` is never printed. It must take
//! 1 s.

use crate::{Settings, aio};

async fn cook(dish: &str) -> aio::Result<()> {
    println!("{dish} started");
    aio::sleep(1.0).await?;
    println!("{dish} done");
    Ok(())
}

/// Calls for soup and fish, and awaits the fish; the soup only if it is told to.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let soup = cook("soup");
    let fish = cook("fish");
    println!("both are called for, and nothing has begun");

    fish.await?;
    if settings.count("awaited") > 1 {
        soup.await?;
    }
    Ok(())
}
