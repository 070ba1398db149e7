//! Makes a tokio program visible to loopview, and to tokio-console.
//!
//! One line at the start of `main` is all:
//!
//! ```no_run
//! loopview_probe::init();
//! ```
//!
//! The program has to be built with `--cfg tokio_unstable` (in `.cargo/config.toml`:
//! `build.rustflags = ["--cfg", "tokio_unstable"]`) and with tokio's feature `tracing`.
//!
//! Then `loopview attach` and `tokio-console` both show it; the example `observed` is a program
//! to try that with.
//!
//! The probe listens on a loopback address or a Unix socket, never elsewhere unless told
//! to, from a thread and a runtime of its own: an event loop that is blocked is still seen.
//! On one gRPC server it offers the console protocol and `loopview.v1.Probe`
//! (crate `loopview-api`), which adds what that protocol cannot say: a timer's owner and
//! its exact deadline, every poll, who spawned whom, how a task ended, threads, scopes,
//! [tokio-metrics](tokio_metrics)' runtime metrics, and what the process uses.
//!
//! | part | what it does |
//! |---|---|
//! | [`Builder`] | settings, and how the environment overrides them |
//! | `hear` | hears tokio's spans and events on the program's threads |
//! | `facts` | what is known of each task, resource, scope and thread, filled in place |
//! | `tell` | collects what changed, once an interval, and tells everyone who watches |
//! | `metrics` | the runtimes' own counters, and what the process uses |
//! | `panics` | hears what a panic says |
//! | `last_words` | holds the end of `main` until those who watch have read it |

mod builder;
mod clock;
mod facts;
mod hear;
mod last_words;
mod metrics;
mod panics;
mod tell;

pub use builder::{Builder, Error, Probe};

/// Makes the program visible, with the settings that the environment gives (see
/// [`Builder::with_default_env`]).
///
/// A program runs on whether or not this works: what is wrong is told on standard error.
/// A second call does nothing else than to say so.
pub fn init() {
    if let Err(error) = Builder::default()
        .with_default_env()
        .and_then(Builder::try_init)
    {
        eprintln!("loopview-probe: {error}; the program runs on unobserved");
    }
}

/// The probe as a layer, to go beside others in a subscriber of your own:
///
/// ```no_run
/// use tracing_subscriber::prelude::*;
///
/// # fn main() -> Result<(), loopview_probe::Error> {
/// tracing_subscriber::registry().with(loopview_probe::layer()?).init();
/// # Ok(())
/// # }
/// ```
pub fn layer<S>() -> Result<impl tracing_subscriber::Layer<S>, Error>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let (layer, _probe) = Builder::default().with_default_env()?.layer()?;
    Ok(layer)
}
