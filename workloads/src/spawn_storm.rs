//! Spawn storm: very many short tasks.
//!
//! A coach party comes in every few moments, and each guest drinks one coffee. To make a task costs
//! a microsecond or two, and its end frees it, so they may come by the ten thousand.
//!
//! On screen: the tasks spawned race ahead while only one wave of 100 is alive at any time. It must
//! take 100 waves of 0.02 s, 2 s and what the spawning takes.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

const WAVE: usize = 100;

async fn coffee() -> aio::Result<()> {
    aio::sleep(0.02).await
}

/// Sends wave after wave, until there were so many tasks.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let tasks = settings.count("tasks");
    for first in (0..tasks).step_by(WAVE) {
        let wave = first..tasks.min(first + WAVE);
        aio::gather(wave.map(|n| coffee().named(format!("coffee-{n}")))).await?;
    }
    println!("{tasks} coffees were drunk");
    Ok(())
}
