//! Starvation: to yield is not to rest.
//!
//! Eight cooks shout for the waiter, and each shouts again as soon as he was heard. The waiter is never
//! with one of them for long, and never free. A task that yields is ready again at once: its turns are
//! short, but between two of them come those of all the others, and timers wait for the end of the round.
//!
//! On screen: the `cook` tasks are busy for 16 ms at a time and ready for the 112 ms that the other seven
//! take; the guest's timers, of 0.1 s, fire late. It must take 8 × 40 × 16 ms, 5.1 s.

use std::time::Instant;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook() -> aio::Result<()> {
    for _ in 0..40 {
        let (start, time) = (Instant::now(), aio::scaled(0.016));
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn guest() -> aio::Result<()> {
    for wave in 1..=3 {
        let start = Instant::now();
        aio::sleep(0.1).await?;
        println!(
            "wave {wave} was seen after {} ms",
            start.elapsed().as_millis()
        );
    }
    Ok(())
}

/// Seats one guest among cooks who never rest.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let guest = aio::create_task(guest().named("guest"));
    let cooks = (1..=settings.count("cooks")).map(|n| cook().named(format!("cook-{n}")));
    aio::gather(cooks).await?;
    guest.await?;
    Ok(())
}
