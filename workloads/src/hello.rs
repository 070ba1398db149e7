//! Hello: the smallest asynchronous program.
//!
//! One waiter takes an order, and until the kitchen rings he is free. `await` is where he may walk
//! away: the program waits, but the loop does not.
//!
//! On screen: one task, `main`, asleep on one timer. It must take 1 s.

use crate::{Settings, aio};

/// Says hello, waits, says goodbye.
pub async fn main(_: Settings) -> aio::Result<()> {
    println!("hello");
    aio::sleep(1.0).await?;
    println!("goodbye");
    Ok(())
}
