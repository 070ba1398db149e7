//! Template: the shape of a whole program.
//!
//! Four steps make an asynchronous program: define coroutines with `async fn`, await what takes time,
//! run what is independent at once, and start it all from `main`. Here the waiting is real: requests
//! over a socket, to a small server of our own that takes its time.
//!
//! On screen: each `fetch` waits for its socket, which is no timer of ours, so it shows as idle; the
//! server's tasks sleep. It must take as long as the slowest answer, about 1 s, and not their sum.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{
    Settings,
    aio::{self, NamedExt},
};

// 1. Define: a coroutine for one request. 2. Await: every step that waits for the network.
async fn fetch(server: SocketAddr, number: usize) -> aio::Result<String> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    aio::create_task(async { Ok(connection.await?) }.named(format!("connection-{number}")));

    let request = Request::get(format!("/{number}"))
        .header("host", "localhost")
        .body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    let body = answer.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
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
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = aio::create_task(serve(listener).named("server"));

    fetch_all(address, settings.count("requests")).await?;
    server.cancel();
    Ok(())
}

/// The server: a task for each connection.
async fn serve(listener: TcpListener) -> aio::Result<()> {
    for number in 1.. {
        let (stream, _) = listener.accept().await?;
        let connection = server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(answer));
        aio::create_task(async { Ok(connection.await?) }.named(format!("served-{number}")));
    }
    Ok(())
}

/// Answers the later the higher the number: 0.5 s and up to half a second more.
async fn answer(request: Request<Incoming>) -> aio::Result<Response<Full<Bytes>>> {
    let number: f64 = request
        .uri()
        .path()
        .trim_start_matches('/')
        .parse()
        .unwrap_or_default();
    aio::sleep(0.5 + (number / 10.0).min(0.5)).await?;
    Ok(Response::new(Full::from(format!("answer {number}"))))
}
