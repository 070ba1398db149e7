//! Shield: what must not be cancelled.
//!
//! The guest leaves, but the order is paid and the kitchen finishes it. A cancelled wait stops at the
//! shield: who waited is told, and the task behind it knows nothing of it.
//!
//! On screen: the scopes end after 1 s, timed out and cancelled; `payment` sleeps on and ends well.
//! It must take 2.5 s, as `main` waits for the payment afterwards.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn pay() -> aio::Result<&'static str> {
    println!("payment started");
    aio::sleep(2.5).await?;
    println!("payment done");
    Ok("receipt")
}

/// Waits a second for a payment that must not be broken off.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let payment = aio::create_task(pay().named("payment"));
    match aio::wait_for(aio::shield(&payment), settings.secs("limit")).await {
        Err(aio::Error::TimedOut) => println!("no more patience, but the payment goes on"),
        result => println!("in time: {}", result?),
    }
    println!("at last: {}", payment.await?);
    Ok(())
}
