//! Gather, with an error: one fails, the others run on.
//!
//! One dish is burnt and the guest hears of it at once. Nobody tells the cooks of the others, who go
//! on. `gather` raises the first error as soon as there is one and cancels nothing.
//!
//! On screen: `soup` ends with an error after 1 s and so does the scope; `fish` and `cake` sleep on.
//! It must take 3 s, as `main` waits for them afterwards.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook(dish: &'static str, secs: f64) -> aio::Result<&'static str> {
    aio::sleep(secs).await?;
    println!("{dish} is ready");
    Ok(dish)
}

async fn burn(dish: &'static str, secs: f64) -> aio::Result<&'static str> {
    aio::sleep(secs).await?;
    Err(aio::Error::msg(format!("{dish} is burnt")))
}

/// Gathers three dishes, of which one fails, and then waits for the other two.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let soup = aio::create_task(burn("soup", settings.secs("fails")).named("soup"));
    let fish = aio::create_task(cook("fish", 2.0).named("fish"));
    let cake = aio::create_task(cook("cake", 3.0).named("cake"));

    match aio::gather([&soup, &fish, &cake]).await {
        Ok(dishes) => println!("served: {dishes:?}"),
        Err(error) => println!("gather raised: {error}; the others cook on"),
    }
    fish.await?;
    cake.await?;
    Ok(())
}
