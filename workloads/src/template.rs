//! Template: the shape of a whole program.
//!
//! Four steps make an asynchronous program: define coroutines with `async fn`, await what takes time,
//! run what is independent at once, and start it all from `main`. Here the waiting is real: requests
//! over a socket, to a small server of our own that takes its time.
//!
//! On screen: each `fetch` waits for word from hyper, which reads its socket, and there is no timer. It
//! must take as long as the slowest answer, about 1 s, and not their sum.

use std::net::SocketAddr;

use crate::{
    Settings,
    aio::{self, NamedExt},
    http::{self, Server},
};

// 1. Define: a coroutine for one request. 2. Await: what waits for the network.
async fn fetch(server: SocketAddr, number: usize) -> aio::Result<String> {
    let text = http::get(server, number).await?;
    println!("{text}");
    Ok(text)
}

// 3. Run at once: all requests together.
async fn fetch_all(server: SocketAddr, requests: usize) -> aio::Result<()> {
    let fetches = (1..=requests).map(|n| fetch(server, n).named(format!("fetch-{n}")));
    let answers = aio::gather(fetches).await?;
    println!("{} answers", answers.len());
    Ok(())
}

// 4. Start.
/// Starts the server and fetches from it.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let server = Server::start()?;
    fetch_all(server.address(), settings.count("requests")).await
}
