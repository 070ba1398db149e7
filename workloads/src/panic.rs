//! Panic: one task fails badly, and the house stays open.
//!
//! The fish is ordered for a table that is not there, and its cook falls over in the kitchen. A panic
//! ends its own task and no other: whoever awaits that task is told by an error.
//!
//! On screen: after 1 s `fish` ends as panicked, and what it said is in the output. `soup` and `cake`
//! sleep on and are served. It must take 3 s, as long as the cake.

use std::sync::Arc;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn serve(
    dish: &'static str,
    number: usize,
    secs: f64,
    tables: Arc<Vec<String>>,
) -> aio::Result<String> {
    aio::sleep(secs).await?;
    let table = &tables[number - 1]; // panics if there is no such table
    Ok(format!("{dish} for the {table}"))
}

/// Serves three dishes, one of them at table 7, and tells of all.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let tables = 1..=settings.count("tables");
    let tables: Arc<Vec<String>> = Arc::new(tables.map(|n| format!("table number {n}")).collect());
    let orders = [("soup", 1, 2.0), ("fish", 7, 1.0), ("cake", 2, 3.0)];
    let dishes = orders
        .map(|(dish, number, secs)| serve(dish, number, secs, Arc::clone(&tables)).named(dish));
    for outcome in aio::gather_settled(dishes).await? {
        match outcome {
            Ok(dish) => println!("served: {dish}"),
            Err(error) => println!("not served: {error}"),
        }
    }
    Ok(())
}
