//! Settings, and how the environment overrides them.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use loopview_api::v1;
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::FilterFn, registry::LookupSpan};

use crate::{
    clock,
    facts::fence,
    hear::{self, Heard, ProbeLayer, ProbeSubscriber, wanted},
    last_words, panics,
    tell::{
        Settings, Shared,
        server::{self, Address, Listener},
    },
};

/// Why a program could not be made visible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A variable in the environment has a value that makes no sense.
    #[error("{variable} is {value:?}, and should be {expected}")]
    Environment {
        variable: &'static str,
        value: String,
        expected: &'static str,
    },
    /// An address or a socket cannot be had: mostly another program listens on it.
    #[error("cannot listen on {address}: {error}")]
    Listen { address: String, error: io::Error },
    /// The probe's own thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A program has one subscriber, and this one has another already.
    #[error("there is a tracing subscriber already: put loopview_probe::layer() into it")]
    Subscriber,
}

/// Sets the probe up. The names, the environment variables and their meaning are
/// console-subscriber's, where it has them.
#[derive(Clone, Debug)]
pub struct Builder {
    addresses: Vec<Address>,
    publish_interval: Duration,
    retention: Duration,
    memory_limit: usize,
    wait: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            addresses: Vec::new(),
            publish_interval: Self::DEFAULT_PUBLISH_INTERVAL,
            retention: Self::DEFAULT_RETENTION,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            wait: Duration::ZERO,
        }
    }
}

impl Builder {
    /// `127.0.0.1:6669`, where tokio-console and loopview look for a program if they are not
    /// told.
    pub const DEFAULT_ADDRESS: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 6669);
    /// One second, as console-subscriber's.
    pub const DEFAULT_PUBLISH_INTERVAL: Duration = Duration::from_secs(1);
    /// One hour, as console-subscriber's.
    pub const DEFAULT_RETENTION: Duration = Duration::from_secs(60 * 60);
    /// 256 MiB: room for some hundred thousand live tasks, or a million that have ended.
    pub const DEFAULT_MEMORY_LIMIT: usize = 256 << 20;

    /// How often what has changed is sent: 1 ms at least,
    /// [`DEFAULT_PUBLISH_INTERVAL`](Self::DEFAULT_PUBLISH_INTERVAL) if nothing is said.
    #[must_use]
    pub fn publish_interval(mut self, interval: Duration) -> Self {
        self.publish_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// How long what has ended is kept for those who come later, if there is memory for it:
    /// [`DEFAULT_RETENTION`](Self::DEFAULT_RETENTION) if nothing is said.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How many bytes the probe may take for what it knows of the program:
    /// [`DEFAULT_MEMORY_LIMIT`](Self::DEFAULT_MEMORY_LIMIT) if nothing is said. What ended
    /// first is forgotten when they are used up, and what is new is not recorded when all of
    /// them are taken by what lives; those who watch are told.
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Listens on this address, too. If neither an address nor a socket is named, it is
    /// [`DEFAULT_ADDRESS`](Self::DEFAULT_ADDRESS). Whoever reaches it sees the names, fields
    /// and source locations of all tasks.
    #[must_use]
    pub fn server_addr(mut self, address: SocketAddr) -> Self {
        self.addresses.push(Address::Tcp(address));
        self
    }

    /// Listens on this Unix socket, too, which only the owner of the process may open.
    #[must_use]
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.addresses.push(Address::Unix(path.into()));
        self
    }

    /// Holds the program at its start until somebody watches, so that nothing is missed,
    /// but no longer than this. It is not held if nothing is said.
    #[must_use]
    pub fn wait_for_watcher(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    /// Takes settings from the environment:
    ///
    /// | variable | is |
    /// |---|---|
    /// | `TOKIO_CONSOLE_BIND` | an address to listen on, `HOST:PORT` |
    /// | `LOOPVIEW_SOCKET` | a Unix socket to listen on |
    /// | `TOKIO_CONSOLE_PUBLISH_INTERVAL` | [`Self::publish_interval`], such as `50ms` |
    /// | `TOKIO_CONSOLE_RETENTION` | [`Self::retention`], such as `10min` |
    /// | `LOOPVIEW_MEMORY_LIMIT` | [`Self::memory_limit`], in bytes |
    /// | `LOOPVIEW_WAIT` | [`Self::wait_for_watcher`], such as `2s` |
    pub fn with_default_env(mut self) -> Result<Self, Error> {
        if let Some(bind) = variable("TOKIO_CONSOLE_BIND") {
            let address = bind.to_socket_addrs().ok().and_then(|mut all| all.next());
            self = self.server_addr(address.ok_or(Error::Environment {
                variable: "TOKIO_CONSOLE_BIND",
                value: bind,
                expected: "an address such as 127.0.0.1:6669",
            })?);
        }
        if let Some(path) = env::var_os("LOOPVIEW_SOCKET").filter(|path| !path.is_empty()) {
            self = self.socket(path);
        }
        if let Some(interval) = duration("TOKIO_CONSOLE_PUBLISH_INTERVAL")? {
            self = self.publish_interval(interval);
        }
        if let Some(retention) = duration("TOKIO_CONSOLE_RETENTION")? {
            self = self.retention(retention);
        }
        if let Some(limit) = variable("LOOPVIEW_MEMORY_LIMIT") {
            self.memory_limit = limit.parse().map_err(|_| Error::Environment {
                variable: "LOOPVIEW_MEMORY_LIMIT",
                value: limit,
                expected: "a number of bytes such as 100000000",
            })?;
        }
        if let Some(limit) = duration("LOOPVIEW_WAIT")? {
            self = self.wait_for_watcher(limit);
        }
        Ok(self)
    }

    /// Makes the program visible, by a subscriber that has the probe and nothing else.
    pub fn try_init(self) -> Result<Probe, Error> {
        let wait = self.wait;
        let (_, probe) = self.start(true, |heard| {
            tracing::subscriber::set_global_default(ProbeSubscriber::new(heard))
                .map_err(|_| Error::Subscriber)
        })?;
        probe.0.wait_for_watcher(wait);
        Ok(probe)
    }

    /// The probe as a layer, to go into a subscriber of your own. It listens from now on.
    ///
    /// A filter for the whole subscriber (`EnvFilter` as a layer, say) keeps tokio's spans
    /// from the probe: put it on the layer that it is meant for, by `with_filter`.
    pub fn layer<S>(self) -> Result<(impl Layer<S>, Probe), Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let wait = self.wait;
        let (heard, probe) = self.start(false, |_| Ok(()))?;
        let layer = ProbeLayer::new(heard).with_filter(FilterFn::new(wanted));
        probe.0.wait_for_watcher(wait);
        Ok((layer, probe))
    }

    /// `install`: if that cannot be done, nobody listens, as nothing would be told.
    fn start(
        self,
        alone: bool,
        install: impl FnOnce(Arc<Heard>) -> Result<(), Error>,
    ) -> Result<(Arc<Heard>, Probe), Error> {
        clock::start();
        fence::start();
        let listeners = self.listen()?;
        let (heard, changes) = Heard::new(self.memory_limit, alone);
        install(Arc::clone(&heard))?;
        let shared = Shared::new(Arc::clone(&heard));
        let settings = Settings {
            interval: self.publish_interval,
            retention: self.retention,
            process: v1::Process {
                pid: std::process::id(),
                probe_version: env!("CARGO_PKG_VERSION").to_owned(),
                instrument: "probe".to_owned(),
                publish_interval: Some(loopview_api::duration(self.publish_interval)),
                started_at: Some(clock::wire(clock::now())),
            },
        };
        let serving = Arc::clone(&shared);
        thread::Builder::new()
            .name("loopview-probe".into())
            .spawn(move || {
                // What the probe does itself is not what the person wants to see, neither
                // here nor in other layers.
                hear::ignore_this_thread();
                let mut runtime = tokio::runtime::Builder::new_current_thread();
                if !alone {
                    runtime.on_before_task_poll(|_| hear::hide_this_thread());
                }
                let runtime = runtime.enable_all().build();
                let served = runtime.map_err(Into::into).and_then(|runtime| {
                    runtime.block_on(server::serve(listeners, serving, settings, changes))
                });
                if let Err(error) = served {
                    eprintln!("loopview-probe: stopped: {error}; the program runs on unobserved");
                }
            })
            .map_err(Error::Thread)?;
        panics::listen();
        last_words::after_main(&shared);
        Ok((heard, Probe(shared)))
    }

    fn listen(&self) -> Result<Vec<Listener>, Error> {
        let default = [Address::Tcp(Self::DEFAULT_ADDRESS)];
        let addresses = if self.addresses.is_empty() {
            &default[..]
        } else {
            &self.addresses
        };
        addresses
            .iter()
            .map(|address| {
                match address {
                    Address::Tcp(address) => Listener::tcp(*address),
                    Address::Unix(path) => Listener::unix(path),
                }
                .map_err(|error| Error::Listen {
                    address: address.to_string(),
                    error,
                })
            })
            .collect()
    }
}

/// The probe of this process, at work.
#[derive(Clone, Debug)]
pub struct Probe(Arc<Shared>);

impl Probe {
    /// Says that the run is over, and stays until those who watch have read the final
    /// state and left, but no longer than `limit`. The end of the main thread does so by
    /// itself, if the probe was made there: this is for programs that end otherwise.
    pub fn finish(self, limit: Duration) {
        self.0.finish(limit);
    }
}

fn variable(name: &'static str) -> Option<String> {
    env::var_os(name)
        .map(|value| value.to_string_lossy().into_owned())
        .filter(|value| !value.is_empty())
}

fn duration(name: &'static str) -> Result<Option<Duration>, Error> {
    let Some(value) = variable(name) else {
        return Ok(None);
    };
    match humantime::parse_duration(&value) {
        Ok(duration) => Ok(Some(duration)),
        Err(_) => Err(Error::Environment {
            variable: name,
            value,
            expected: "a time such as 50ms",
        }),
    }
}
