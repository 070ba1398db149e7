//! `loopview workload NAME`: the process that `loopview run NAME` starts.

use std::{
    io::{self, Write},
    panic,
    process::ExitCode,
    time::Duration,
};

use loopview_workloads::{Settings, aio};

use crate::{
    cli::{self, Flavor, WorkloadOptions},
    error::{Error, exit},
};

/// How long the last state may take to be read. Whoever watches leaves much sooner.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub fn execute(name: &str, options: &WorkloadOptions) -> Result<ExitCode, Error> {
    let workload = super::find_workload(name)?;
    let settings = Settings::parse(workload, options.set.iter().map(String::as_str))?;
    die_with_parent();
    tell_panics_in_short();
    let instrument = Instrument::start(options.instrument);
    let flavor = match options.flavor {
        Flavor::CurrentThread => aio::Flavor::CurrentThread,
        Flavor::MultiThread => aio::Flavor::MultiThread {
            workers: options.workers.map(usize::from),
        },
    };
    let config = aio::Config::new(options.scale, flavor);
    let result = workload.run(&config, settings);
    let code = match result {
        Ok(()) => exit::OK,
        Err(error) => {
            eprintln!("{name}: {error}");
            exit::TARGET_FAILED
        }
    };
    instrument.finish();
    Ok(ExitCode::from(code))
}

/// What tells of the workload.
enum Instrument {
    Probe(Result<loopview_probe::Probe, loopview_probe::Error>),
    ConsoleSubscriber,
}

impl Instrument {
    fn start(which: cli::Instrument) -> Self {
        match which {
            cli::Instrument::Probe => Self::Probe(
                loopview_probe::Builder::default()
                    .with_default_env()
                    .and_then(loopview_probe::Builder::try_init),
            ),
            cli::Instrument::ConsoleSubscriber => {
                console_subscriber::ConsoleLayer::builder()
                    .with_default_env()
                    .init();
                Self::ConsoleSubscriber
            }
        }
    }

    /// Gives the last state the time to be read.
    fn finish(self) {
        match self {
            Self::Probe(Ok(probe)) => probe.finish(LAST_WORDS),
            Self::Probe(Err(error)) => eprintln!("loopview-probe: {error}"),
            // It does not know who watches, nor when it was read: some updates will do.
            Self::ConsoleSubscriber => std::thread::sleep(LAST_WORDS / 4),
        }
    }
}

/// Some lessons panic. A trace of that, which `RUST_BACKTRACE` asks for, would block their loop for a
/// fifth of a second and leave no room for their other output.
fn tell_panics_in_short() {
    panic::set_hook(Box::new(|panic| {
        // Where nobody reads it, the task's end says enough.
        let _ = writeln!(io::stderr(), "{panic}");
    }));
}

/// Not even a dashboard that is killed leaves its workload behind.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, set_parent_process_death_signal};
        // The loss of this is no reason not to run.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
}
