//! Deadlock: two who wait for each other.
//!
//! One cook has the knife and waits for the board, the other has the board and waits for the knife.
//! Neither is busy, neither is late; they just never go on. The remedy is one order for all locks.
//!
//! On screen: after 0.5 s `left` and `right` wait for a mutex each, `main` for both, and nothing moves
//! any more. It never ends by itself.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn cut(first: Arc<Mutex<&str>>, second: Arc<Mutex<&str>>) -> aio::Result<()> {
    let first = first.lock().await;
    println!("took the {first}");
    aio::sleep(0.5).await?;
    let second = second.lock().await;
    println!("has the {first} and the {second}");
    Ok(())
}

/// Lets two cooks take the same two things in opposite order.
pub async fn main(_: Settings) -> aio::Result<()> {
    let knife = Arc::new(Mutex::new("knife"));
    let board = Arc::new(Mutex::new("board"));
    let left = cut(Arc::clone(&knife), Arc::clone(&board)).named("left");
    let right = cut(board, knife).named("right");
    aio::gather([left, right]).await?;
    println!("never printed");
    Ok(())
}
