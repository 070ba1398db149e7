//! Starvation: to give way is not to rest.
//!
//! Eight cooks shout for the waiter, and each shouts again as soon as he was heard. The waiter is never
//! with one of them for long, and never free: whoever shouts waits for seven others. And the guest who
//! has an appointment is forgotten: while somebody is ready, tokio looks at its timers and sockets only
//! once in 61 polls.
//!
//! On screen: the `cook` tasks are busy for 16 ms at a time and ready for the 112 ms that the other seven
//! take; the guest's timers, of 0.1 s, fire nearly a second late. It must take 8 × 40 × 16 ms, 5.1 s.

use std::{future::poll_fn, task::Poll, time::Instant};

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
        give_way().await;
    }
    Ok(())
}

/// Lets the others have a turn and wants the next one: the task wakes itself.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn guest() -> aio::Result<()> {
    for appointment in 1..=3 {
        let start = Instant::now();
        aio::sleep(0.1).await?;
        let waited = start.elapsed().as_millis();
        println!("appointment {appointment} came after {waited} ms");
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
