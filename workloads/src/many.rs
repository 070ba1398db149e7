//! Many: a thousand at once, on one thread.
//!
//! One waiter can have a thousand tables as long as they only wait. A task is a few hundred bytes and
//! a timer, not a thread.
//!
//! On screen: as many tasks asleep as you like, and a loop with next to nothing to do. It must take
//! 3 s, as long as the longest sleep, whatever their number.

use crate::{
    Settings,
    aio::{self, NamedExt, TaskGroup},
};

/// So many are made before the others get a turn: nobody waits for all to be made.
const AT_ONCE: usize = 50;

async fn guest(secs: f64) -> aio::Result<()> {
    aio::sleep(secs).await
}

/// Seats all guests, who stay for 2 to 3 s.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let guests = settings.count("tasks");
    TaskGroup::run(async |group| {
        for number in 0..guests {
            let secs = 2.0 + number as f64 / guests as f64;
            group.create_task(guest(secs).named(format!("guest-{number}")))?;
            if number % AT_ONCE == 0 {
                aio::sleep(0.0).await?;
            }
        }
        println!("{guests} guests are seated");
        Ok(())
    })
    .await?;
    println!("all have left");
    Ok(())
}
