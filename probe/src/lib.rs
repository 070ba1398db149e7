#![doc = include_str!("../README.md")]

// `builder`     settings, and how the environment overrides them
// `hear`        hears tokio's spans and events on the program's threads
// `facts`       what is known of each task, resource, scope and thread, filled in place
// `tell`        collects what changed, once an interval, and tells everyone who watches
// `metrics`     the runtimes' own counters, and what the process uses
// `panics`      hears what a panic says
// `last_words`  holds the end of `main` until those who watch have read it

// rustdoc has flags of its own, and compiles nothing.
#[cfg(not(any(tokio_unstable, doc, doctest)))]
compile_error!(
    "tokio tells nothing of its tasks without `--cfg tokio_unstable`: \
     put it into build.rustflags in .cargo/config.toml"
);

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

/// The probe as a layer, to go beside others in a subscriber of your own, with the settings that
/// the environment gives. It listens from now on.
///
/// ```no_run
/// use tracing_subscriber::prelude::*;
///
/// # fn main() -> Result<(), loopview_probe::Error> {
/// tracing_subscriber::registry().with(loopview_probe::layer()?).init();
/// # Ok(())
/// # }
/// ```
///
/// A filter for the whole subscriber keeps tokio's spans from the probe: see [`Builder::layer`].
pub fn layer<S>() -> Result<impl tracing_subscriber::Layer<S>, Error>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let (layer, _probe) = Builder::default().with_default_env()?.layer()?;
    Ok(layer)
}
