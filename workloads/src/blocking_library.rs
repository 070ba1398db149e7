//! Blocking library: the first mistake, in earnest.
//!
//! Nobody writes `thread::sleep` into a server; people call a library that waits. ureq is a good HTTP
//! client, and a blocking one: inside an `async fn` it holds the whole loop until the answer is there.
//!
//! On screen: each `fetch` is busy in one long poll, one after the other, and the ticker's timers fire
//! late. It must take 0.2 s and then 0.6, 0.7 and 0.8 s, and 0.75 s for the ticks that are left: 3.1 s,
//! where the async library takes 1 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
    http::Server,
};

async fn ticker() -> aio::Result<()> {
    for tick in 1..=4 {
        aio::sleep(0.25).await?;
        println!("tick {tick}");
    }
    Ok(())
}

async fn fetch(url: String) -> aio::Result<()> {
    aio::sleep(0.2).await?;
    let answer = ureq::get(&url).call()?.body_mut().read_to_string()?; // blocks the loop
    println!("{answer}");
    Ok(())
}

/// Fetches from a slow server beside a ticker, or tries to.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let server = Server::start()?;
    let ticker = aio::create_task(ticker().named("ticker"));
    let requests = 1..=settings.count("requests");
    let fetches = requests.map(|n| fetch(server.url(n)).named(format!("fetch-{n}")));
    aio::gather(fetches).await?;
    ticker.await?;
    Ok(())
}
