//! One connection: the console protocol and the probe's, as frames.

use std::{
    io,
    time::{Duration, Instant},
};

use console_api::instrument::{
    InstrumentRequest, State, StateRequest, TaskDetailsRequest, Temporality, Update,
    instrument_client::InstrumentClient,
};
use console_api::tasks::TaskDetails;
use hyper_util::rt::TokioIo;
use loopview_api::v1;
use tokio::{net::UnixStream, sync::mpsc};
use tonic::{Code, Status, Streaming, transport::Channel};
use tower::service_fn;

use super::{Endpoint, Orders, lag::Lag, stream};
use crate::{
    decode::decode,
    frame::{Event, Frame, HOW_TO_OPEN, Time},
};

/// Where all is told, by the probe and by the console protocol.
const PROBE: &str = "/loopview.v1.Probe/Watch";
const CONSOLE: &str = "/rs.tokio.console.instrument.Instrument/WatchUpdates";
/// How long an endpoint may take to accept, and then to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Why a connection ended, where nothing better is known.
const TARGET_GONE: &str = "the target has gone";

/// Why there is no connection, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "cannot connect to {endpoint}: {reason}; is the program running, with loopview_probe or console_subscriber switched on?"
    )]
    Refused { endpoint: String, reason: String },
    #[error(
        "{endpoint} accepts connections, but does not speak gRPC: is it the program's console address?"
    )]
    NotGrpc { endpoint: String },
    #[error(
        "{endpoint} speaks gRPC, but not the tokio console protocol: is it the program's console address?"
    )]
    NotConsole { endpoint: String },
    #[error("{endpoint} answers, and cannot be watched: {reason}")]
    TooMuch { endpoint: String, reason: String },
    #[error("the program opened no console endpoint: {HOW_TO_OPEN}")]
    NeverOpened,
}

impl ConnectError {
    /// In as few words as there is room for beside others.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Refused { reason, .. } | Self::TooMuch { reason, .. } => reason,
            Self::NotGrpc { .. } => "what answers does not speak gRPC",
            Self::NotConsole { .. } => "what answers does not speak the console protocol",
            Self::NeverOpened => "it opened no console endpoint",
        }
    }
}

/// Why a connection that worked has ended.
pub(super) enum End {
    /// The run is over and its last state has been read.
    Finished,
    /// The other side has gone, or told us to.
    Lost(String),
    /// Nobody reads the frames any more.
    Unread,
}

/// A connection that has answered.
pub(super) struct Connection {
    console: InstrumentClient<Channel>,
    updates: Updates,
    /// The first of them, and what it stands for.
    first: Option<Told>,
    state: Option<Streaming<State>>,
    details: Option<Streaming<TaskDetails>>,
}

/// What tells of the target.
enum Updates {
    /// The probe: its stream has the console protocol's updates in it.
    Probe(Streaming<v1::Update>),
    Console(Streaming<Update>),
}

/// A message of one of them.
enum Told {
    Probe(Box<v1::Update>),
    Console(Box<Update>),
}

impl Updates {
    async fn next(&mut self) -> Result<Option<Told>, Status> {
        Ok(match self {
            Self::Probe(updates) => {
                let update = updates.message().await?;
                update.map(Told::from_probe).transpose()?
            }
            Self::Console(updates) => updates.message().await?.map(|u| Told::Console(Box::new(u))),
        })
    }
}

impl Told {
    /// A message of the probe is its own, or an update of the console protocol.
    fn from_probe(update: v1::Update) -> Result<Self, Status> {
        if update.console.is_empty() {
            return Ok(Self::Probe(Box::new(update)));
        }
        let update = decode(&update.console)?;
        Ok(Self::Console(Box::new(update)))
    }

    fn frame(self) -> Frame {
        match self {
            Self::Probe(update) => Frame::new(stamp(update.now.as_ref()), Event::Probe(update)),
            Self::Console(update) => Frame::new(stamp(update.now.as_ref()), Event::Console(update)),
        }
    }
}

impl Connection {
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        let name = || endpoint.to_string();
        let refused = |error: &(dyn std::error::Error + 'static)| ConnectError::Refused {
            endpoint: name(),
            reason: root_cause(error),
        };
        let channel = dial(endpoint).await.map_err(|e| refused(&e))?;
        let mut console = InstrumentClient::new(channel.clone());
        let judge = |status: Status| match status.code() {
            Code::Unimplemented => ConnectError::NotConsole { endpoint: name() },
            Code::OutOfRange | Code::ResourceExhausted => ConnectError::TooMuch {
                endpoint: name(),
                reason: explain(&status),
            },
            _ => ConnectError::NotGrpc { endpoint: name() },
        };
        let silent = |_| ConnectError::NotGrpc { endpoint: name() };
        let opened = async {
            let all = v1::WatchRequest {
                console: true,
                polls: true,
            };
            let mut updates = match stream::open(&channel, PROBE, all).await {
                Ok(updates) => Updates::Probe(updates),
                // It has no such service: the console protocol has to do.
                Err(status) if status.code() == Code::Unimplemented => {
                    let updates = stream::open(&channel, CONSOLE, InstrumentRequest {}).await?;
                    Updates::Console(updates)
                }
                Err(status) => return Err(status),
            };
            let first = updates.next().await?;
            Ok::<_, Status>((updates, first))
        };
        let (updates, first) = tokio::time::timeout(ANSWER, opened)
            .await
            .map_err(silent)?
            .map_err(judge)?;
        // The probe pauses for nobody but who asks it to, and an old target does not tell.
        let state = match &updates {
            Updates::Probe(_) => None,
            Updates::Console(_) => console.watch_state(StateRequest {}).await.ok(),
        };
        Ok(Self {
            updates,
            first,
            state: state.map(tonic::Response::into_inner),
            details: None,
            console,
        })
    }

    /// Makes frames until the connection ends.
    pub(super) async fn run(mut self, frames: &mpsc::Sender<Frame>, orders: &mut Orders) -> End {
        let mut paused = false;
        let mut first = self.first.take();
        let mut lag = Lag::new(Instant::now());
        // What has been told already does not wait for another answer.
        orders.details.mark_changed();
        loop {
            let frame = if let Some(told) = first.take() {
                told.frame()
            } else {
                tokio::select! {
                    // Each turn starts the clock anew.
                    // After this long without a word, time goes on without the target.
                    () = tokio::time::sleep(Lag::PRESENT) => Frame::here(Event::Silence),
                    told = self.updates.next() => match told {
                        Ok(Some(told)) => told.frame(),
                        Ok(None) => return End::Lost("the target closed it".to_owned()),
                        Err(status) => return End::Lost(explain(&status)),
                    },
                    details = next(&mut self.details) => match details {
                        Some(details) => {
                            let at = stamp(details.now.as_ref());
                            Frame::new(at, Event::Details(Box::new(details)))
                        }
                        None => continue,
                    },
                    state = next(&mut self.state) => {
                        let now = state.is_some_and(|s| s.temporality() == Temporality::Paused);
                        if now == paused {
                            continue;
                        }
                        paused = now;
                        Frame::here(Event::Paused(paused))
                    }
                    Ok(()) = orders.details.changed() => {
                        let span = *orders.details.borrow_and_update();
                        self.follow(span).await;
                        continue;
                    }
                }
            };
            // The probe says so with the last thing that it tells.
            let is_last = match &frame.event {
                Event::Probe(update) => update.ended_at.is_some(),
                _ => false,
            };
            let took = Time::now().since(frame.at);
            if frames.send(frame).await.is_err() {
                return End::Unread;
            }
            if lag.is_worth_telling(took, Instant::now()) {
                let _ = frames.send(Frame::here(Event::Silence)).await;
            }
            if is_last {
                return End::Finished;
            }
        }
    }

    /// Streams the histograms of one task, or of none. A task that is unknown has none.
    async fn follow(&mut self, span: Option<u64>) {
        self.details = None;
        if let Some(id) = span {
            let request = TaskDetailsRequest {
                id: Some(console_api::Id { id }),
            };
            let details = self.console.watch_task_details(request).await;
            self.details = details.ok().map(tonic::Response::into_inner);
        }
    }
}

/// The next message of a stream that may be absent; one that ends becomes absent.
async fn next<T>(stream: &mut Option<Streaming<T>>) -> Option<T> {
    let Some(open) = stream else {
        return std::future::pending().await;
    };
    let message = open.message().await.ok().flatten();
    if message.is_none() {
        *stream = None;
    }
    message
}

async fn dial(endpoint: &Endpoint) -> Result<Channel, tonic::transport::Error> {
    match endpoint {
        Endpoint::Http(url) => {
            tonic::transport::Endpoint::from_shared(url.clone())?
                .connect_timeout(ANSWER)
                .connect()
                .await
        }
        Endpoint::Unix(path) => {
            let path = path.clone();
            // The URL only fills the request's authority.
            tonic::transport::Endpoint::from_static("http://localhost")
                .connect_with_connector(service_fn(move |_| {
                    let path = path.clone();
                    async move { UnixStream::connect(path).await.map(TokioIo::new) }
                }))
                .await
        }
    }
}

/// The source's clock, or ours where it tells none that makes sense.
fn stamp(at: Option<&prost_types::Timestamp>) -> Time {
    at.and_then(Time::from_wire).unwrap_or_else(Time::now)
}

/// What a person can use of a gRPC status.
fn explain(status: &Status) -> String {
    match status.code() {
        Code::OutOfRange => "a message was larger than 256 MiB".to_owned(),
        _ => std::error::Error::source(status)
            .map_or_else(|| status.message().to_owned(), root_cause),
    }
}

/// The innermost error: those around it only say that something failed.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "nothing listens there".to_owned(),
        Some(io::ErrorKind::NotFound) => "there is no such socket".to_owned(),
        Some(io::ErrorKind::PermissionDenied) => "permission denied".to_owned(),
        Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => TARGET_GONE.to_owned(),
        // HTTP/2 keeps of the I/O error only its text.
        _ if cause.to_string().contains("broken pipe") => TARGET_GONE.to_owned(),
        _ => cause.to_string(),
    }
}
