//! Blocking: the first mistake.
//!
//! The waiter stands in the kitchen and watches the oven; the bell rings at every table. A blocking
//! call does not await, so the loop, which has one thread, can do nothing else until it returns.
//!
//! On screen: `library` is busy in one long poll; the ticker's timer, due 0.1 s after it began, fires
//! about 3 s late, and so does `guest`'s. The remedy is the next lesson, to-thread.
//! It must take 8 ticks of 0.5 s and the 3 s by which one of them is late, 7 s in all.

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
    thread::sleep(aio::scaled(secs));
    println!("library call done");
    Ok(())
}

async fn guest() -> aio::Result<()> {
    aio::sleep(1.5).await?;
    println!("a guest is served");
    Ok(())
}

/// Runs the three side by side, or tries to.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let ticker = aio::create_task(ticker().named("ticker"));
    let library = aio::create_task(library(settings.secs("secs")).named("library"));
    let guest = aio::create_task(guest().named("guest"));
    aio::gather([ticker, library, guest]).await?;
    Ok(())
}
