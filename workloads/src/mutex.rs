//! Mutex: one at a time, and a lock that is held too long.
//!
//! There is one coffee machine. Whoever stands at it and waits for a phone call keeps it from all the
//! others: a lock that is held across an await is held for as long as the await takes.
//!
//! On screen: one `barista` sleeps with the lock in hand, the others wait for it in the order in which
//! they came. It must take 4 turns of 0.6 s, 2.4 s in all.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn make_coffee(number: usize, machine: Arc<Mutex<usize>>, secs: f64) -> aio::Result<()> {
    let mut cups = machine.lock().await;
    println!("barista {number} has the machine");
    aio::sleep(secs).await?; // with the lock in hand
    *cups += 1;
    println!("cup {cups} is ready");
    Ok(())
}

/// Sends four baristas to one machine.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let secs = settings.secs("hold");
    let machine = Arc::new(Mutex::new(0));
    let baristas =
        (1..=4).map(|n| make_coffee(n, Arc::clone(&machine), secs).named(format!("barista-{n}")));
    aio::gather(baristas).await?;
    Ok(())
}
