//! Gather, settled: every outcome, good or bad.
//!
//! The waiter comes when all is settled and tells of each dish what became of it. `gather_settled` is
//! `gather` with `return_exceptions=True`: it waits for all, and an error is a result like any other.
//!
//! On screen: `dish-1` ends with an error after 1 s and the scope stays open; it ends, well, with the
//! last. It must take 3 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cook(number: usize, burnt: bool) -> aio::Result<String> {
    aio::sleep(0.5 + 0.5 * number as f64).await?;
    if burnt {
        return Err(aio::Error::msg(format!("dish {number} is burnt")));
    }
    Ok(format!("dish {number}"))
}

/// Cooks five dishes, burns some of them, and tells of all.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let burnt = settings.count("burnt");
    let dishes = (1..=5).map(|n| cook(n, n <= burnt).named(format!("dish-{n}")));
    for outcome in aio::gather_settled(dishes).await? {
        match outcome {
            Ok(dish) => println!("served: {dish}"),
            Err(error) => println!("not served: {error}"),
        }
    }
    Ok(())
}
