//! Pool full: more blocking calls than threads.
//!
//! The house has two ovens. Six roasts want one for a second each, and the salad, which needs a moment
//! only, stands in the same line. A blocking call that finds every thread taken waits for one to be free.
//!
//! On screen: two `roast` calls run, the others are queued, `salad` behind them all, and the loop is
//! idle. It must take 6 roasts on 2 threads of 1 s each and then the salad's 0.01 s, 3 s in all.

use std::thread;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn roast(number: usize) -> aio::Result<()> {
    aio::to_thread(|| {
        thread::sleep(aio::scaled(1.0));
        Ok(())
    })
    .await?;
    println!("roast {number} is done");
    Ok(())
}

async fn salad() -> aio::Result<()> {
    aio::to_thread(|| {
        thread::sleep(aio::scaled(0.01));
        Ok(())
    })
    .await?;
    println!("the salad is done, at last");
    Ok(())
}

/// Gives the roasts and then the salad to the threads, of which there are too few.
pub async fn main(_: Settings) -> aio::Result<()> {
    let roasts = (1..=6).map(|n| aio::create_task(roast(n).named(format!("roast-{n}"))));
    let mut dishes: Vec<_> = roasts.collect();
    dishes.push(aio::create_task(salad().named("salad")));
    aio::gather(dishes).await?;
    Ok(())
}
