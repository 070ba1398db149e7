//! Listens and answers: one gRPC server with the console protocol and our own.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc as list,
    },
    task::{Context, Poll},
};

use console_api::{
    instrument::{
        InstrumentRequest, PauseRequest, PauseResponse, ResumeRequest, ResumeResponse, State,
        StateRequest, TaskDetailsRequest, Update, instrument_server::Instrument,
    },
    tasks::TaskDetails,
};
use loopview_api::v1::{
    self,
    probe_server::{Probe, ProbeServer},
};
use prost::bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};
use tokio_stream::{
    StreamExt,
    wrappers::{ReceiverStream, TcpListenerStream, UnixListenerStream},
};
use tonic::{Request, Response, Status, transport::server::Connected};

use super::{
    Publisher, Shared,
    console_server::{ConsoleServer, WrittenUpdates},
    publish::{self, Settings},
    shared::Watching,
    watcher::{self, Connection, Watched},
};
use crate::facts::changes::Changed;

/// An address that is listened on.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(crate) fn tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    /// The socket is for its owner only. One that a dead process left behind is replaced.
    pub(crate) fn unix(path: &Path) -> io::Result<Self> {
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_abandoned(path) => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self::Unix(listener))
    }
}

fn is_abandoned(path: &Path) -> bool {
    UnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Serves until the process ends.
pub(crate) async fn serve(
    listeners: Vec<Listener>,
    shared: Arc<Shared>,
    settings: Settings,
    changes: list::Receiver<Changed>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (requests, received) = mpsc::unbounded_channel();
    let service = Service {
        shared: Arc::clone(&shared),
        requests,
    };
    let publisher = Publisher::new(shared, settings, changes, received);
    let router = tonic::transport::Server::builder()
        .add_service(ConsoleServer::new(service.clone()))
        .add_service(ProbeServer::new(service));
    let mut tasks = tokio::task::JoinSet::new();
    for listener in listeners {
        let router = router.clone();
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let incoming = TcpListenerStream::new(listener).map(|io| io.map(Numbered::new));
                tasks.spawn(router.serve_with_incoming(incoming));
            }
            Listener::Unix(listener) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                let incoming = UnixListenerStream::new(listener).map(|io| io.map(Numbered::new));
                tasks.spawn(router.serve_with_incoming(incoming));
            }
        }
    }
    tasks.spawn(async {
        publisher.run().await;
        Ok(())
    });
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// A connection with a number, by which what one client asks for is told from what another
/// does: on a Unix socket, they have no addresses.
struct Numbered<Io> {
    io: Io,
    number: Connection,
}

impl<Io> Numbered<Io> {
    fn new(io: Io) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            io,
            number: LAST.fetch_add(1, Relaxed) + 1,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Number(Connection);

impl<Io> Connected for Numbered<Io> {
    type ConnectInfo = Number;

    fn connect_info(&self) -> Number {
        Number(self.number)
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Numbered<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Numbered<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[derive(Clone)]
struct Service {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedSender<publish::Request>,
}

/// Messages about one task, or about pauses, that a client may leave unread.
const FEW: usize = 4;

impl Service {
    fn ask(&self, request: publish::Request) -> Result<(), Status> {
        let sent = self.requests.send(request);
        sent.map_err(|_| Status::unavailable("the probe has stopped"))
    }
}

fn connection<T>(request: &Request<T>) -> Connection {
    let number = request.extensions().get::<Number>();
    number.map_or(0, |number| number.0)
}

#[tonic::async_trait]
impl Probe for Service {
    type WatchStream = Watched<v1::Update, Watching>;

    async fn watch(
        &self,
        request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let connection = connection(&request);
        let wants = request.into_inner();
        if wants.polls {
            // A program that is held until somebody watches is let go by the count: its first
            // polls are wanted, too.
            self.shared.heard.want_polls.store(true, Relaxed);
        }
        let counted = self.shared.count_watcher();
        let (watcher, stream) = watcher::watch(connection, &self.shared.reads, counted);
        self.ask(publish::Request::Own(watcher, wants))?;
        Ok(Response::new(stream))
    }
}

impl WrittenUpdates for Service {
    type Stream = Watched<Bytes>;

    fn watch(&self, request: &Request<InstrumentRequest>) -> Result<Self::Stream, Status> {
        let (watcher, stream) = watcher::watch(connection(request), &self.shared.reads, ());
        self.ask(publish::Request::Console(watcher))?;
        Ok(stream)
    }
}

#[tonic::async_trait]
impl Instrument for Service {
    type WatchUpdatesStream = ReceiverStream<Result<Update, Status>>;
    type WatchTaskDetailsStream = ReceiverStream<Result<TaskDetails, Status>>;
    type WatchStateStream = ReceiverStream<Result<State, Status>>;

    async fn watch_updates(
        &self,
        _: Request<InstrumentRequest>,
    ) -> Result<Response<Self::WatchUpdatesStream>, Status> {
        Err(Status::internal("updates are sent as they are written"))
    }

    async fn watch_task_details(
        &self,
        request: Request<TaskDetailsRequest>,
    ) -> Result<Response<Self::WatchTaskDetailsStream>, Status> {
        let id = request.into_inner().id;
        let id = id.ok_or_else(|| Status::invalid_argument("of which task?"))?;
        let (messages, received) = mpsc::channel(FEW);
        self.ask(publish::Request::Details(id.id, messages))?;
        Ok(Response::new(ReceiverStream::new(received)))
    }

    async fn watch_state(
        &self,
        request: Request<StateRequest>,
    ) -> Result<Response<Self::WatchStateStream>, Status> {
        let (messages, received) = mpsc::channel(FEW);
        self.ask(publish::Request::State(connection(&request), messages))?;
        Ok(Response::new(ReceiverStream::new(received)))
    }

    async fn pause(
        &self,
        request: Request<PauseRequest>,
    ) -> Result<Response<PauseResponse>, Status> {
        self.ask(publish::Request::Pause(connection(&request), true))?;
        Ok(Response::new(PauseResponse {}))
    }

    async fn resume(
        &self,
        request: Request<ResumeRequest>,
    ) -> Result<Response<ResumeResponse>, Status> {
        self.ask(publish::Request::Pause(connection(&request), false))?;
        Ok(Response::new(ResumeResponse {}))
    }
}
