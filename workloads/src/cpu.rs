//! CPU: `async` without `await`.
//!
//! The waiter sits down to do the accounts and does not look up. Marking a function `async` does not
//! make it give way; only an await does. A long computation belongs on a thread, as in to-thread.
//!
//! On screen: `primes` is busy in one poll from start to end; `ticker` was ready first thing and gets
//! its turn when all is over. It must take the 3 s of the computation, and a tick more.

use std::time::Instant;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

#[expect(
    clippy::unused_async,
    reason = "an async fn that never awaits is the lesson"
)]
async fn primes(secs: f64) -> aio::Result<usize> {
    let (start, time) = (Instant::now(), aio::scaled(secs));
    println!("counting primes");
    let mut count = 0;
    let mut number = 2;
    while start.elapsed() < time {
        count += usize::from(is_prime(number));
        number += 1;
    }
    println!("{count} primes found");
    Ok(count)
}

fn is_prime(number: u64) -> bool {
    !(2..=number.isqrt()).any(|divisor| number.is_multiple_of(divisor))
}

async fn ticker() -> aio::Result<()> {
    let start = Instant::now();
    aio::sleep(0.5).await?;
    println!("tick after {} ms", start.elapsed().as_millis());
    Ok(())
}

/// Starts the computation and hopes that the ticker runs beside it.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let ticker = aio::create_task(ticker().named("ticker"));
    let primes = aio::create_task(primes(settings.secs("secs")).named("primes"));
    primes.await?;
    ticker.await?;
    Ok(())
}
