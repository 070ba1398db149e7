//! Gather: many at once, and their results in order.
//!
//! The waiter takes the orders of the whole room, and serves when the last dish is ready. `gather`
//! makes a task of each coroutine and gives their results in the order in which they were asked for.
//!
//! On screen: the workers end together; A, B and C end one after another, and the scope ends with C.
//! It must take 1 s and then 4 s, as long as the longest of each.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn worker(number: usize) -> aio::Result<usize> {
    println!("worker {number} started");
    aio::sleep(1.0).await?;
    println!("worker {number} done");
    Ok(number * number)
}

async fn do_work(name: &'static str, secs: f64) -> aio::Result<&'static str> {
    println!("{name} started");
    aio::sleep(secs).await?;
    println!("{name} done");
    Ok(name)
}

/// Gathers the workers, then A, B and C.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let numbers = 0..settings.count("workers");
    let squares = aio::gather(numbers.map(|n| worker(n).named(format!("Worker-{n}")))).await?;
    println!("squares: {squares:?}");

    let names = aio::gather([
        do_work("A", 2.0).named("A"),
        do_work("B", 3.0).named("B"),
        do_work("C", 4.0).named("C"),
    ])
    .await?;
    println!("results: {names:?}");
    Ok(())
}
