//! A client that reads everything there is, in this process.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use console_api::instrument::{InstrumentRequest, Update, instrument_client::InstrumentClient};
use hyper_util::rt::TokioIo;
use loopview_api::v1::{self, probe_client::ProbeClient};
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};

pub enum At {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

pub struct Client {
    thread: JoinHandle<()>,
    first: mpsc::Receiver<()>,
    stop: tokio::sync::oneshot::Sender<()>,
    dropped: Arc<AtomicU64>,
}

impl Client {
    pub fn start(at: At) -> Self {
        let (told, first) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let dropped = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&dropped);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = read(at, &told, &count) => {}
                }
            });
        });
        Self {
            thread,
            first,
            stop,
            dropped,
        }
    }

    pub fn wait_for_the_first_update(&self) -> Result<(), &'static str> {
        self.first
            .recv_timeout(Duration::from_secs(20))
            .map_err(|_| "there was no first update")
    }

    /// Tells how much the program said was dropped.
    pub fn stop(self) -> u64 {
        let _ = self.stop.send(());
        let _ = self.thread.join();
        self.dropped.load(Relaxed)
    }
}

async fn read(at: At, told: &mpsc::Sender<()>, dropped: &AtomicU64) {
    let Some(channel) = connect(&at).await else {
        return;
    };
    let console = async {
        let client = InstrumentClient::new(channel.clone());
        let updates = client
            .max_decoding_message_size(usize::MAX)
            .watch_updates(InstrumentRequest {})
            .await;
        let Ok(updates) = updates else { return };
        let mut updates = updates.into_inner();
        while let Ok(Some(update)) = updates.message().await {
            let _ = told.send(());
            dropped.fetch_add(console_dropped(&update), Relaxed);
        }
    };
    let own = async {
        let request = v1::WatchRequest::default();
        let updates = ProbeClient::new(channel.clone()).watch(request).await;
        // A program without the probe has no such service.
        let Ok(updates) = updates else { return };
        let mut updates = updates.into_inner();
        while let Ok(Some(update)) = updates.message().await {
            let overhead = update.overhead.unwrap_or_default();
            let now = overhead.lost_tasks + overhead.lost_resources + overhead.lost_events;
            // The console protocol has told of the same.
            dropped.store(dropped.load(Relaxed).max(now), Relaxed);
        }
    };
    tokio::join!(console, own);
}

/// As soon as the program listens.
async fn connect(at: &At) -> Option<Channel> {
    for _ in 0..200 {
        let connected = match at {
            At::Tcp(address) => {
                let endpoint = Endpoint::from_shared(format!("http://{address}"));
                endpoint.ok()?.connect().await
            }
            At::Unix(path) => {
                let path = path.clone();
                let connect = move |_| {
                    let path = path.clone();
                    async move { UnixStream::connect(path).await.map(TokioIo::new) }
                };
                Endpoint::from_static("http://localhost")
                    .connect_with_connector(tower::service_fn(connect))
                    .await
            }
        };
        if let Ok(channel) = connected {
            return Some(channel);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

fn console_dropped(update: &Update) -> u64 {
    let tasks = update.task_update.as_ref().map_or(0, |u| u.dropped_events);
    let resources = update.resource_update.as_ref();
    let ops = update.async_op_update.as_ref();
    tasks + resources.map_or(0, |u| u.dropped_events) + ops.map_or(0, |u| u.dropped_events)
}
