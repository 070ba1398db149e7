//! Task group: a block that ends when all of its tasks have ended.
//!
//! A party of guests leaves the restaurant together, and one may still bring a friend. Nobody is
//! forgotten: if one fails, the others are asked to stop, and the block ends when they have.
//!
//! On screen: `A` adds `C` while `main` waits at the end of the block already; the scope stays open
//! for it. It must take 2 s for A and B, and 1 s more for C, which starts when A ends.

use crate::{
    Settings,
    aio::{self, NamedExt, TaskGroup},
};

async fn do_work(name: &str, secs: f64) -> aio::Result<()> {
    println!("{name} started");
    aio::sleep(secs).await?;
    println!("{name} done");
    Ok(())
}

async fn bring_a_friend(group: TaskGroup) -> aio::Result<()> {
    do_work("A", 2.0).await?;
    group.create_task(do_work("C", 1.0).named("C"))?;
    println!("A added C");
    Ok(())
}

/// Opens a group for A and B, and for whoever they bring.
pub async fn main(_: Settings) -> aio::Result<()> {
    TaskGroup::run(async |group| {
        group.create_task(bring_a_friend(group.clone()).named("A"))?;
        group.create_task(do_work("B", 2.0).named("B"))?;
        println!("the group waits");
        Ok(())
    })
    .await?;
    println!("all are done");
    Ok(())
}
