//! Serves metrics over HTTP while a target is watched: `--prometheus`.
//!
//! The server knows no model. It asks the loop that has it, which answers between two other
//! things, and it asks once a second at most, however many want to know. Whoever is slow to
//! ask or to read is left after a while, so that nobody keeps others out for long.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Bytes,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore, mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use crate::{error::Error, model::Model, sink::Prometheus};

/// A page is told to all who ask within this time.
const FRESH: Duration = Duration::from_secs(1);
/// For one question and its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at one time; others wait.
const MOST: usize = 16;
/// Before another connection is taken, when none could be.
const PAUSE: Duration = Duration::from_millis(100);

/// Where the page goes that somebody wants.
pub struct Question(oneshot::Sender<String>);

/// The loop's end of the server, which ends with the runtime.
pub struct Metrics {
    questions: mpsc::Receiver<Question>,
    address: SocketAddr,
    sink: Prometheus,
}

impl Metrics {
    /// Begins to listen on `HOST:PORT`.
    pub async fn listen(address: &str) -> Result<Self, Error> {
        let wrong = |error| Error::Listen {
            address: address.to_owned(),
            error,
        };
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let (ask, questions) = mpsc::channel(1);
        let pages = Pages {
            ask,
            last: Mutex::default(),
        };
        tokio::spawn(serve(listener, Arc::new(pages)));
        Ok(Self {
            questions,
            address,
            sink: Prometheus::default(),
        })
    }

    /// What to tell the person.
    pub fn words(&self) -> String {
        format!("metrics at http://{}/metrics", self.address)
    }

    pub fn answer(&mut self, question: Question, model: &Model) {
        // Who has gone meanwhile needs no page.
        let _ = question.0.send(self.sink.encode(model));
    }

    /// The target is run again.
    pub fn begin_anew(&mut self) {
        self.sink.begin_anew();
    }
}

/// The next question; it never comes where nothing is served.
pub async fn question(metrics: &mut Option<Metrics>) -> Question {
    let question = match metrics {
        Some(metrics) => metrics.questions.recv().await,
        None => None,
    };
    match question {
        Some(question) => question,
        None => std::future::pending().await,
    }
}

async fn serve(listener: TcpListener, pages: Arc<Pages>) {
    let room = Arc::new(Semaphore::new(MOST));
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let pages = Arc::clone(&pages);
                tokio::spawn(async move {
                    // Slow or broken: either way it is over, and nobody is left to tell.
                    let _ = timeout(PATIENCE, talk(stream, &pages)).await;
                    drop(place);
                });
            }
            // Out of files, most likely: there will be some again.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Answers one request.
async fn talk(stream: TcpStream, pages: &Pages) -> hyper::Result<()> {
    let answer = service_fn(async |request| Ok::<_, Infallible>(pages.answer(&request).await));
    http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await
}

/// The newest page, and how to get another.
struct Pages {
    ask: mpsc::Sender<Question>,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Pages {
    async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if request.uri().path() != "/metrics" {
            return plain(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "GET, or HEAD\n");
            let methods = HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, methods);
            return refusal;
        }
        match self.page().await {
            Some(page) => response(StatusCode::OK, Prometheus::MEDIA_TYPE, page),
            None => plain(StatusCode::SERVICE_UNAVAILABLE, "it is over\n"),
        }
    }

    /// None once the loop has ended. Who comes while another waits gets the same page.
    async fn page(&self) -> Option<Bytes> {
        let mut last = self.last.lock().await;
        if let Some((at, page)) = &*last
            && at.elapsed() < FRESH
        {
            return Some(page.clone());
        }
        let (answer, told) = oneshot::channel();
        self.ask.send(Question(answer)).await.ok()?;
        let page = Bytes::from(told.await.ok()?);
        *last = Some((Instant::now(), page.clone()));
        Some(page)
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain", text.into())
}

fn response(status: StatusCode, media: &'static str, text: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text));
    *response.status_mut() = status;
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}
