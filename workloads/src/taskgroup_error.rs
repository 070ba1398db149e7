//! Task group, with an error: one fails, the others are asked to stop.
//!
//! One guest falls ill and the whole party leaves. The group cancels the other tasks, waits until they
//! have cleaned up, and raises all errors together.
//!
//! On screen: `A` ends with an error after 1 s; `B` and `C` are cancelled, and their timers with them.
//! C fails as well while it cleans up, so the group has two errors. It must take 1.5 s.

use crate::{
    Settings,
    aio::{self, NamedExt, TaskGroup},
};

async fn fall_ill(secs: f64) -> aio::Result<()> {
    aio::sleep(secs).await?;
    println!("A fails");
    Err(aio::Error::msg("A is ill"))
}

async fn dine() -> aio::Result<()> {
    let result = aio::sleep(4.0).await;
    println!("B: {}", if result.is_ok() { "done" } else { "cancelled" });
    result
}

async fn dine_and_pay() -> aio::Result<()> {
    if aio::sleep(4.0).await.is_err() {
        println!("C pays before it leaves");
        aio::sleep(0.5).await?;
        return Err(aio::Error::msg("C has no money"));
    }
    Ok(())
}

/// Runs a group of which one fails, and prints what the group raises.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let party = TaskGroup::run(async |group| {
        group.create_task(fall_ill(settings.secs("fails")).named("A"))?;
        group.create_task(dine().named("B"))?;
        group.create_task(dine_and_pay().named("C"))?;
        Ok(())
    });
    match party.await {
        Err(aio::Error::Group(errors)) => {
            println!("{:#}", aio::Error::Group(errors));
            Ok(())
        }
        other => other,
    }
}
