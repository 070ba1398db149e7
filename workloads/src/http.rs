//! The web as the lessons need it: a server that takes its time, and a client that awaits.
//!
//! The server is threads that block, without a runtime, so that it goes on while a lesson blocks its
//! own loop, and so that what is seen on screen is the lesson's alone.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::aio;

/// An HTTP server on loopback. What is asked for is a number, and the higher it is the later comes
/// the answer: after 0.5 s, scaled, and a tenth more for each, up to 1 s.
pub(crate) struct Server {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one, at the speed of the task's run.
    pub(crate) fn start() -> aio::Result<Self> {
        let second = aio::scaled(1.0);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let closed = Arc::new(AtomicBool::new(false));
        let is_closed = Arc::clone(&closed);
        let thread = thread::Builder::new()
            .name("http-server".to_owned())
            .spawn(move || accept(&listener, &is_closed, second))?;
        Ok(Self {
            address,
            closed,
            thread: Some(thread),
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it has the answer `number`.
    pub(crate) fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }
}

/// Takes no more guests; those that are served already get their answers.
impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        // It looks up only when somebody comes.
        let woken = std::net::TcpStream::connect(self.address);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            // It cannot have panicked, and nothing depends on it any more.
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, closed: &AtomicBool, second: Duration) {
    for stream in listener.incoming() {
        if closed.load(Ordering::Acquire) {
            return;
        }
        // A client that has left, or has no thread, sees its connection closed.
        if let Ok(stream) = stream {
            let _ = thread::Builder::new().spawn(move || serve(&stream, second));
        }
    }
}

/// Answers one request and closes.
fn serve(mut stream: &std::net::TcpStream, second: Duration) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for header in lines {
        if header?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let number: u32 = path.trim_start_matches('/').parse().unwrap_or_default();
    thread::sleep(second * (5 + number.min(5)) / 10);
    let text = format!("answer {number}");
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// Asks `server` for the answer `number` and awaits it: hyper's client, on a connection of its own.
pub(crate) async fn get(server: SocketAddr, number: usize) -> aio::Result<String> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(format!("/{number}"))
        .header("host", server.to_string())
        .body(Empty::<Bytes>::new())?;
    let exchange = async {
        let answer = sender.send_request(request).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    };
    // The connection makes no progress by itself: whoever asks drives it.
    let (body, ()) = tokio::try_join!(exchange, connection)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}
