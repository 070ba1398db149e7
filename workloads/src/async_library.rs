//! Async library: one remedy for a blocking library.
//!
//! The same requests with a client that was written for the loop, hyper's: wherever it would wait for
//! the socket it awaits, and the waiter walks on.
//!
//! On screen: the `fetch` tasks wait side by side, each for hyper's word of its socket, and the ticker's
//! timers fire on time. It must take 0.2 s and then 0.8 s, as long as the slowest answer: 1 s in all.

use std::net::SocketAddr;

use crate::{
    Settings,
    aio::{self, NamedExt},
    http::{self, Server},
};

async fn ticker() -> aio::Result<()> {
    for tick in 1..=4 {
        aio::sleep(0.25).await?;
        println!("tick {tick}");
    }
    Ok(())
}

async fn fetch(server: SocketAddr, number: usize) -> aio::Result<()> {
    aio::sleep(0.2).await?;
    let answer = http::get(server, number).await?; // lets the others run
    println!("{answer}");
    Ok(())
}

/// Fetches from a slow server beside a ticker.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let server = Server::start()?;
    let ticker = aio::create_task(ticker().named("ticker"));
    let requests = 1..=settings.count("requests");
    let fetches = requests.map(|n| fetch(server.address(), n).named(format!("fetch-{n}")));
    aio::gather(fetches).await?;
    ticker.await?;
    Ok(())
}
