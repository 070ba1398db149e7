//! To thread, with a library: the other remedy.
//!
//! Sometimes there is only the blocking library. Each call of ureq then goes to a thread of its own,
//! and the waiter, who has cooks enough, goes on.
//!
//! On screen: three calls on three blocking threads, side by side; each `fetch` waits for its thread and
//! the ticker's timers fire on time. It must take 0.2 s and then 0.8 s: 1 s in all.

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
    let answer = aio::to_thread(move || {
        let text = ureq::get(&url).call()?.body_mut().read_to_string()?;
        Ok(text)
    });
    println!("{}", answer.await?);
    Ok(())
}

/// Fetches from a slow server, on threads, beside a ticker.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let server = Server::start()?;
    let ticker = aio::create_task(ticker().named("ticker"));
    let requests = 1..=settings.count("requests");
    let fetches = requests.map(|n| fetch(server.url(n)).named(format!("fetch-{n}")));
    aio::gather(fetches).await?;
    ticker.await?;
    Ok(())
}
