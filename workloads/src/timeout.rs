//! Timeout: give up on a wait that takes too long.
//!
//! The guest waits for a second and then asks the kitchen to stop. `wait_for` cancels what it waits
//! for; the cancelled task may still clean up, and the timeout comes when it has.
//!
//! On screen: `eternity` sleeps on a timer of an hour; when `wait_for`'s own timer fires it ends as
//! cancelled, and the scope as timed out. It must take 1 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn eternity() -> aio::Result<()> {
    println!("eternity started");
    aio::sleep(3600.0).await?;
    println!("never printed");
    Ok(())
}

/// Waits for eternity, but not for long.
pub async fn main(settings: Settings) -> aio::Result<()> {
    match aio::wait_for(eternity().named("eternity"), settings.secs("limit")).await {
        Err(aio::Error::TimedOut) => println!("timed out"),
        result => result?,
    }
    Ok(())
}
