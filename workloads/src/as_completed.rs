//! As completed: each result as soon as it is there.
//!
//! The waiter carries out every dish when the kitchen rings, whatever the order of the orders. All run
//! at once, as with `gather`, but nobody waits for the slowest before the first is served.
//!
//! On screen: `soup`, `fish` and `cake` sleep side by side and `main` wakes at each end. It must take
//! 3 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook(dish: &'static str, secs: f64) -> aio::Result<&'static str> {
    aio::sleep(secs).await?;
    Ok(dish)
}

/// Cooks three dishes and serves each when it is ready, until the kitchen closes.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let orders = [
        cook("cake", 3.0).named("cake"),
        cook("soup", 1.0).named("soup"),
        cook("fish", 2.0).named("fish"),
    ];
    let limit = Some(settings.secs("limit")).filter(|limit| *limit > 0.0);
    let mut dishes = aio::as_completed(orders, limit);
    while let Some(dish) = dishes.next().await {
        match dish {
            Ok(dish) => println!("served: {dish}"),
            Err(aio::Error::TimedOut) => println!("not ready in time"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
