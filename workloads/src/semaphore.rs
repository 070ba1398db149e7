//! Semaphore: at most so many at once.
//!
//! The restaurant has three tables; who comes fourth waits at the door. A crawler asks for many pages
//! but bothers the server with only a few requests at a time.
//!
//! On screen: three `page` tasks sleep, all others wait for the semaphore, and whenever one is done the
//! next goes in. It must take four rounds of 0.8 s, 3.2 s, for 12 pages.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

async fn fetch(page: usize, limit: Arc<Semaphore>) -> aio::Result<()> {
    let _permit = limit.acquire().await?;
    println!("page {page} started");
    aio::sleep(0.8).await?;
    println!("page {page} done");
    Ok(())
}

/// Fetches twelve pages through a semaphore.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let limit = Arc::new(Semaphore::new(settings.count("limit").max(1)));
    let pages = (1..=12).map(|n| fetch(n, Arc::clone(&limit)).named(format!("page-{n}")));
    aio::gather(pages).await?;
    Ok(())
}
