//! Serial tasks: a task for each, and still one after the other.
//!
//! The waiter has a helper for every table, and sends the second one off when the first has come back.
//! A task that is awaited as soon as it is created is a call with more to carry.
//!
//! On screen: one `table` task at a time, each created when the one before is done, and `main`, which
//! waits for each. The remedy is in the lesson tasks. It must take 3 × 1 s, 3 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn serve(table: usize) -> aio::Result<()> {
    println!("table {table} has ordered");
    aio::sleep(1.0).await?;
    println!("table {table} is served");
    Ok(())
}

/// Makes a task for each table, and awaits it before it makes the next.
pub async fn main(settings: Settings) -> aio::Result<()> {
    for table in 1..=settings.count("tables") {
        let task = aio::create_task(serve(table).named(format!("table-{table}")));
        task.await?; // and only then the next
    }
    Ok(())
}
