//! Leak: tasks that nobody remembers.
//!
//! For every guest the waiter lights a candle and forgets it; when the house closes they all still
//! burn. A task that is created and never awaited lives on by itself, and what it holds with it. A task
//! group would not have let go of it.
//!
//! On screen: a new `candle` every 0.4 s, none of which ever ends; when `main` does they are cancelled
//! all at once. It must take 5 × 0.4 s, 2 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn candle() -> aio::Result<()> {
    aio::sleep(3600.0).await?;
    println!("never printed");
    Ok(())
}

/// Serves some guests and leaves a task behind for each.
pub async fn main(settings: Settings) -> aio::Result<()> {
    for guest in 1..=settings.count("guests") {
        aio::create_task(candle().named(format!("candle-{guest}")));
        aio::sleep(0.4).await?;
        println!("guest {guest} is served, and the candle burns");
    }
    Ok(())
}
