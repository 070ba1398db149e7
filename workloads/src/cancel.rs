//! Cancel: to cancel is to ask.
//!
//! The guest waves the waiter off. Each cook hears it where he waits, at his await: one leaves, one
//! cleans up first, and one will not hear of it. Nothing is torn down in the middle of a line.
//!
//! On screen: after 1 s `quick` ends at once, `careful` after half a second more, both cancelled;
//! `stubborn` ends well after 3 s. It must take 3 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn quick() -> aio::Result<()> {
    aio::sleep(3.0).await
}

async fn careful() -> aio::Result<()> {
    let result = aio::sleep(3.0).await;
    if result.is_err() {
        println!("careful cleans up");
        aio::sleep(0.5).await?;
    }
    result
}

async fn stubborn() -> aio::Result<()> {
    let start = aio::time();
    if aio::sleep(3.0).await.is_err() {
        println!("stubborn goes on");
        aio::sleep(3.0 - (aio::time() - start)).await?;
    }
    Ok(())
}

/// Starts three tasks, asks them to end, and tells how each did.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let cooks = [
        aio::create_task(quick().named("quick")),
        aio::create_task(careful().named("careful")),
        aio::create_task(stubborn().named("stubborn")),
    ];
    aio::sleep(settings.secs("after")).await?;
    for cook in &cooks {
        println!("{} is asked to end: {}", cook.name(), cook.cancel());
    }
    for outcome in aio::gather_settled(&cooks).await? {
        match outcome {
            Ok(()) => println!("ended well"),
            Err(error) => println!("ended: {error}"),
        }
    }
    Ok(())
}
