//! To thread: the remedy for a blocking call.
//!
//! The waiter hires a cook to watch the oven and goes on serving. `to_thread` makes the same call on a
//! thread of its own; the task only awaits its end, and the loop is free.
//!
//! On screen: `library`'s call runs on a blocking thread from 0.9 s to 3.9 s; the ticker's timers and `guest`'s
//! fire on time. It must take 8 ticks of 0.5 s, 4 s in all.

use std::thread;

use tokio::time::Instant;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn ticker() -> aio::Result<()> {
    for tick in 1..=8 {
        let asleep = Instant::now();
        aio::sleep(0.5).await?;
        let late = asleep.elapsed().saturating_sub(aio::scaled(0.5));
        println!("tick {tick}, {} ms late", late.as_millis());
    }
    Ok(())
}

async fn library(secs: f64) -> aio::Result<()> {
    aio::sleep(0.9).await?;
    println!("library call started");
    aio::to_thread(move || {
        thread::sleep(aio::scaled(secs));
        Ok(())
    })
    .await?;
    println!("library call done");
    Ok(())
}

async fn guest() -> aio::Result<()> {
    aio::sleep(1.5).await?;
    println!("a guest is served");
    Ok(())
}

/// Runs the three side by side.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let ticker = aio::create_task(ticker().named("ticker"));
    let library = aio::create_task(library(settings.secs("secs")).named("library"));
    let guest = aio::create_task(guest().named("guest"));
    aio::gather([ticker, library, guest]).await?;
    Ok(())
}
