//! `loopview workload NAME`: the process that `loopview run NAME` starts.

use std::{process::ExitCode, time::Duration};

use loopview_workloads::{Settings, aio};

use crate::{
    cli::{Flavor, WorkloadOptions},
    error::{Error, exit},
};

/// How long the last state may take to be read. Whoever watches leaves much sooner.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub fn execute(name: &str, options: &WorkloadOptions) -> Result<ExitCode, Error> {
    let workload = super::find_workload(name)?;
    let settings = Settings::parse(workload, options.set.iter().map(String::as_str))?;
    die_with_parent();
    let probe = loopview_probe::Builder::default()
        .with_default_env()
        .and_then(loopview_probe::Builder::try_init);
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
    match probe {
        Ok(probe) => probe.finish(LAST_WORDS),
        Err(error) => eprintln!("loopview-probe: {error}"),
    }
    Ok(ExitCode::from(code))
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
