//! Timeout and cleanup: the timeout comes when the cleanup is over.
//!
//! The guest gives up after a second, but the cook must still put out the fire. `wait_for` asks its task
//! to end and waits until it has; a cleanup that awaits takes its time from whoever waits.
//!
//! On screen: the timer of `wait_for` fires after 1 s; then `cook` sleeps once more, and only when it
//! has ended, cancelled, the scope ends as timed out. It must take 1 s and 0.7 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook(cleanup: f64) -> aio::Result<()> {
    println!("cooking");
    let dish = aio::sleep(10.0).await;
    if dish.is_err() {
        println!("cancelled: putting out the fire");
        aio::sleep(cleanup).await?;
        println!("the fire is out");
    }
    dish
}

/// Waits a second for a cook who cleans up before he goes.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let start = aio::time();
    let cook = cook(settings.secs("cleanup")).named("cook");
    match aio::wait_for(cook, 1.0).await {
        Err(aio::Error::TimedOut) => println!("timed out after {:.1} s", aio::time() - start),
        result => result?,
    }
    Ok(())
}
