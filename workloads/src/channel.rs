//! Channel: a fast cook and a slow waiter.
//!
//! Two plates fit on the counter. When it is full the cook has to wait: a bounded channel passes the
//! pressure back to whoever is too fast, where an unbounded one would fill the memory.
//!
//! On screen: `cook` mostly waits for room in the channel, `waiter` sleeps between two plates. It must
//! take 10 plates of 0.3 s, 3 s in all.

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook(counter: Sender<usize>) -> aio::Result<()> {
    for plate in 1..=10 {
        aio::sleep(0.05).await?;
        counter.send(plate).await?; // waits for room
        println!("plate {plate} is on the counter");
    }
    Ok(())
}

async fn waiter(mut counter: Receiver<usize>) -> aio::Result<()> {
    while let Some(plate) = counter.recv().await {
        aio::sleep(0.3).await?;
        println!("plate {plate} is served");
    }
    Ok(())
}

/// Runs the cook and the waiter with a counter between them.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let (sender, receiver) = mpsc::channel(settings.count("capacity").max(1));
    let cook = aio::create_task(cook(sender).named("cook"));
    let waiter = aio::create_task(waiter(receiver).named("waiter"));
    cook.await?;
    waiter.await?;
    Ok(())
}
