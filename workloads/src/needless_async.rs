//! Needless async: many little tasks that have nothing to wait for.
//!
//! The waiter writes a slip for every sum, puts it on the pile, and takes it up again to do the sum: a
//! task that never awaits does at its turn what a plain call would have done at once.
//!
//! On screen: hundreds of tasks, done in one poll each, all busy, and no faster for being tasks. It must
//! take 30 rounds of 0.05 s, with 20 ms of sums in each: 2.1 s.

use std::time::Instant;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

#[expect(
    clippy::unused_async,
    reason = "an async fn that never awaits is the lesson"
)]
async fn sum(number: u64) -> aio::Result<u64> {
    let (start, time) = (Instant::now(), aio::scaled(0.001));
    let mut sum = number;
    while start.elapsed() < time {
        sum = sum.wrapping_mul(31).wrapping_add(number);
    }
    Ok(sum)
}

/// Makes a task of every little sum, round after round.
pub async fn main(settings: Settings) -> aio::Result<()> {
    for round in 1..=settings.count("rounds") {
        let sums = (0..20).map(|n| sum(n).named(format!("sum-{round}.{n}")));
        let sums = aio::gather(sums).await?;
        println!("round {round}: {} sums", sums.len());
        aio::sleep(0.05).await?;
    }
    Ok(())
}
