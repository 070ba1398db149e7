//! How a run is set up: the runtime's flavour and how fast its sleeps pass.

use tokio::runtime::{Builder, Runtime};

/// The settings of a [`run`](super::run()).
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Multiplies every [`sleep`](super::sleep()) and every limit: 0.1 makes them ten times shorter.
    pub scale: f64,
    /// On how many threads tasks run.
    pub flavor: Flavor,
    /// How many calls of [`to_thread`](super::to_thread()) can run at once; tokio has its own number
    /// if this is `None`.
    pub max_threads: Option<usize>,
    /// Starts with tokio's clock stopped; it moves only when every task waits.
    #[cfg(feature = "test-util")]
    #[doc(hidden)]
    pub paused: bool,
}

/// On how many threads tasks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// All on the thread that called [`run`](super::run()), as in asyncio.
    #[default]
    CurrentThread,
    /// On a pool, which asyncio does not have.
    MultiThread {
        /// How many threads; tokio takes one for each core if this is `None`.
        workers: Option<usize>,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self::new(1.0, Flavor::default())
    }
}

impl Config {
    /// A run at this speed, on this runtime.
    pub fn new(scale: f64, flavor: Flavor) -> Self {
        Self {
            scale,
            flavor,
            max_threads: None,
            #[cfg(feature = "test-util")]
            paused: false,
        }
    }

    /// One thread and a stopped clock: tests take no time and see exact times.
    #[cfg(feature = "test-util")]
    #[doc(hidden)]
    pub fn paused() -> Self {
        Self {
            paused: true,
            ..Self::default()
        }
    }

    pub(super) fn runtime(&self) -> std::io::Result<Runtime> {
        let mut builder = match self.flavor {
            Flavor::CurrentThread => Builder::new_current_thread(),
            Flavor::MultiThread { workers } => {
                let mut builder = Builder::new_multi_thread();
                if let Some(workers) = workers {
                    // tokio panics on none; a pool without threads can only have meant the least.
                    builder.worker_threads(workers.max(1));
                }
                builder
            }
        };
        builder.max_blocking_threads(self.threads());
        #[cfg(feature = "test-util")]
        builder.start_paused(self.paused);
        builder.enable_all().build()
    }

    /// How many calls can run on threads at once.
    pub(super) fn threads(&self) -> usize {
        const TOKIOS_OWN: usize = 512;
        self.max_threads.unwrap_or(TOKIOS_OWN).max(1)
    }

    /// Whether the clock moves only when every task waits.
    #[cfg_attr(
        not(feature = "test-util"),
        expect(
            clippy::unused_self,
            reason = "only tests have a clock that can stand still"
        )
    )]
    pub(super) fn is_paused(&self) -> bool {
        #[cfg(feature = "test-util")]
        return self.paused;
        #[cfg(not(feature = "test-util"))]
        return false;
    }
}
