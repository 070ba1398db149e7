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
    sync::Arc,
    task::{Context, Poll},
};

use loopview_api::v1::{
    self,
    probe_server::{Probe, ProbeServer},
};
use tokio::sync::mpsc;
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream, UnixListenerStream},
};
use tonic::{Request, Response, Status};

use crate::publish::{Publisher, Shared, WATCHER_BUFFER, Watcher, Watching};

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
    console: console_subscriber::ServerParts,
    publisher: Publisher,
    new_watchers: mpsc::Sender<Watcher>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = Service {
        shared: Arc::clone(&publisher.shared),
        new_watchers,
    };
    let router = tonic::transport::Server::builder()
        .add_service(console.instrument_server)
        .add_service(ProbeServer::new(service));
    let mut servers = tokio::task::JoinSet::new();
    for listener in listeners {
        let router = router.clone();
        match listener {
            Listener::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                servers.spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
            }
            Listener::Unix(listener) => {
                let listener = tokio::net::UnixListener::from_std(listener)?;
                servers.spawn(router.serve_with_incoming(UnixListenerStream::new(listener)));
            }
        }
    }
    tokio::spawn(console.aggregator.run());
    tokio::spawn(publisher.run());
    while let Some(ended) = servers.join_next().await {
        ended??;
    }
    Ok(())
}

struct Service {
    shared: Arc<Shared>,
    new_watchers: mpsc::Sender<Watcher>,
}

#[tonic::async_trait]
impl Probe for Service {
    type WatchStream = Watch;

    async fn watch(&self, _: Request<v1::WatchRequest>) -> Result<Response<Watch>, Status> {
        let (watcher, updates) = mpsc::channel(WATCHER_BUFFER);
        let counted = self.shared.count_watcher();
        self.new_watchers
            .send(watcher)
            .await
            .map_err(|_| Status::unavailable("the probe has stopped"))?;
        Ok(Response::new(Watch {
            updates: ReceiverStream::new(updates),
            _counted: counted,
        }))
    }
}

/// The stream to one watcher. Dropping it is how the watcher leaves.
pub(crate) struct Watch {
    updates: ReceiverStream<Result<v1::Update, Status>>,
    _counted: Watching,
}

impl Stream for Watch {
    type Item = Result<v1::Update, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.updates).poll_next(cx)
    }
}
