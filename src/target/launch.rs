//! A source that starts a process, connects, and reaps it.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{io::BufReader, sync::mpsc, time::Instant};

use super::{
    Orders, PATIENCE, Source,
    connect::{Connection, End},
    endpoint::Endpoint,
    lines,
    process::Process,
};
use crate::{
    error::Error,
    frame::{Event, Exit, Frame, Gap, Stream},
};

/// The socket's name in its private folder.
const SOCKET: &str = "probe.sock";
/// The length that the path of a Unix socket has to stay below; on Linux it is a little more.
const SOCKET_PATH: usize = 104;
/// How often a launched program publishes, unless the environment says otherwise.
const PUBLISH_INTERVAL: &str = "50ms";
/// How long a program with our probe waits for us, so that nothing is missed.
const WAIT: &str = "2s";
/// How long the last frames and output may take once the process has gone: a child that
/// left its group can hold the pipes open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How often the person is told that there is no connection yet.
const TELL: Duration = Duration::from_millis(250);
/// For how long a program keeps what has ended, for those who come later: nobody does, and
/// console-subscriber takes tens of kilobytes for each task.
const RETENTION: &str = "2s";

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// It is known to have the probe: no console address is needed.
    pub has_probe: bool,
}

/// Starts a program, in a group of its own and with everything in its environment that
/// makes its probe listen where only we look.
pub fn launch(what: &Launch) -> Result<Source, Error> {
    let folder = private_folder().map_err(Error::Folder)?;
    let socket = folder.path().join(SOCKET);
    let mut endpoints = vec![Endpoint::Unix(socket.clone())];
    let mut command = std::process::Command::new(&what.program);
    command
        .args(&what.args)
        .env("LOOPVIEW_SOCKET", &socket)
        .env("LOOPVIEW_WAIT", WAIT);
    for (name, value) in [
        ("TOKIO_CONSOLE_PUBLISH_INTERVAL", PUBLISH_INTERVAL),
        ("TOKIO_CONSOLE_RETENTION", RETENTION),
    ] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    if what.has_probe {
        command.env_remove("TOKIO_CONSOLE_BIND");
    } else {
        let address = free_address().map_err(Error::Folder)?;
        command.env("TOKIO_CONSOLE_BIND", &address);
        endpoints.push(Endpoint::Http(format!("http://{address}")));
    }
    let process = Process::start(command).map_err(|error| cannot_start(what, error))?;
    Ok(Source::start(|frames, orders| {
        let launched = Launched {
            process,
            socket,
            endpoints,
            _folder: folder,
        };
        launched.drive(frames, orders)
    }))
}

fn private_folder() -> io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let room = usual.as_os_str().len() + "/loopview-abcdef/".len() + SOCKET.len();
    let parent = if room < SOCKET_PATH {
        usual
    } else {
        PathBuf::from("/tmp")
    };
    tempfile::Builder::new()
        .prefix("loopview-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

/// A loopback address that was free a moment ago: the console protocol's variable takes a
/// port, not a socket that is open already.
fn free_address() -> io::Result<String> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .to_string())
}

fn cannot_start(what: &Launch, error: io::Error) -> Error {
    let program = what.program.to_string_lossy().into_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Error::ProgramNotFound { program },
        io::ErrorKind::PermissionDenied => Error::ProgramNotExecutable { program },
        _ => Error::Program { program, error },
    }
}

struct Launched {
    process: Process,
    socket: PathBuf,
    endpoints: Vec<Endpoint>,
    /// Held so that it is removed when the target has gone.
    _folder: TempDir,
}

impl Launched {
    async fn drive(mut self, frames: mpsc::Sender<Frame>, mut orders: Orders) {
        let (stdout, stderr) = self.process.pipes();
        let output = async {
            tokio::join!(
                pump(stdout.map(BufReader::new), Stream::Stdout, &frames),
                pump(stderr.map(BufReader::new), Stream::Stderr, &frames),
            )
        };
        // The run begins here, whenever it will be heard of.
        let _ = frames.send(Frame::here(Event::Silence)).await;
        let mut watching = orders.clone();
        let connected = AtomicBool::new(false);
        let watch = async {
            let connection = dial(&self.socket, &self.endpoints, &frames).await?;
            connected.store(true, Ordering::Relaxed);
            match connection.run(&frames, &mut watching).await {
                End::Lost(reason) => Some(reason),
                End::Finished | End::Unread => None,
            }
        };
        tokio::pin!(output, watch);
        let (mut output_open, mut watch_open) = (true, true);
        let mut lost = None;
        let exit = loop {
            tokio::select! {
                exit = self.process.ended() => break exit,
                () = orders.stopped() => break self.process.end().await,
                _ = &mut output, if output_open => output_open = false,
                end = &mut watch, if watch_open => {
                    watch_open = false;
                    lost = end.map(|reason| (Instant::now() + LAST_WORDS, reason));
                }
                // A connection usually goes because its process does, a moment later: only
                // if the process lives on is that news.
                Some(reason) = due(&mut lost) => {
                    let gap = Gap::ConnectionLost { reason };
                    let _ = frames.send(Frame::here(Event::Gap(gap))).await;
                }
            }
        };
        self.process.sweep();
        let last_words = async {
            if output_open {
                output.await;
            }
            if watch_open && connected.load(Ordering::Relaxed) {
                let _ = watch.await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
        let exit = exit.unwrap_or(Exit::Signal(0));
        let _ = frames.send(Frame::here(Event::Exit(exit))).await;
    }
}

/// Makes a pipe's lines frames, until it ends.
async fn pump<R>(pipe: Option<BufReader<R>>, stream: Stream, frames: &mpsc::Sender<Frame>)
where
    R: tokio::io::AsyncRead + Unpin,
{
    let Some(mut pipe) = pipe else { return };
    while let Some(line) = lines::next(&mut pipe, stream).await {
        if frames.send(Frame::here(Event::Output(line))).await.is_err() {
            return;
        }
    }
}

/// Waits until it is time to tell of what was lost.
async fn due(lost: &mut Option<(Instant, String)>) -> Option<String> {
    let (at, _) = lost.as_ref()?;
    tokio::time::sleep_until(*at).await;
    lost.take().map(|(_, reason)| reason)
}

/// Connects as soon as the program listens. Nothing if nobody wants to know any more.
async fn dial(
    socket: &Path,
    endpoints: &[Endpoint],
    frames: &mpsc::Sender<Frame>,
) -> Option<Connection> {
    let started = Instant::now();
    let mut told = started;
    let mut pause = Duration::from_millis(5);
    loop {
        for endpoint in endpoints {
            // A path is cheap to look at, and a refused dial is not free.
            if (!matches!(endpoint, Endpoint::Unix(_)) || socket.exists())
                && let Ok(connection) = Connection::open(endpoint).await
            {
                return Some(connection);
            }
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            let waited = started.elapsed();
            let event = if waited < PATIENCE {
                Event::Silence
            } else {
                Event::Gap(Gap::NoEndpoint { waited })
            };
            frames.send(Frame::here(event)).await.ok()?;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(Duration::from_millis(100));
    }
}
