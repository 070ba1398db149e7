//! The command line's types, and nothing else: what they mean is in [`crate::cmd`].

use std::{ffi::OsString, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::target::Endpoint;

/// The manual page makes a section of each paragraph, with the first line as its title; so
/// too of those below.
const EXAMPLES: &str = "\
Examples:
  loopview                                 pick a workload from a list
  loopview run gather                      watch one of them
  loopview run gather --lesson --lang zh   with its page beside the screen, in Chinese
  loopview run -- target/debug/shop -p 80  start a program of yours and watch it
  loopview attach http://127.0.0.1:6669    watch one that runs already

Exit status:
  0  all went well
  1  the target failed
  2  the command line was wrong
  3  no connection, or it was lost";

const RUN_USAGE: &str = "\
loopview run [OPTIONS] NAME
       loopview run [OPTIONS] -- PROGRAM [ARGS]...";

const RUN_EXAMPLES: &str = "\
Examples:
  loopview run gather --scale 0.1          ten times as fast
  loopview run blocking --set secs=1       with a setting of its own
  loopview run blocking --lesson           with its page to read
  loopview run cpu --format json           a report for a script, without a screen
  loopview run --for 5s -- ./shop -p 80    a program of yours, for five seconds";

const ATTACH_EXAMPLES: &str = "\
Examples:
  loopview attach                          at console-subscriber's own address
  loopview attach http://127.0.0.1:7000    at another port
  loopview attach unix:/run/shop.sock      at the socket that LOOPVIEW_SOCKET named
  loopview attach --for 5s --format json   a report of five seconds";

/// A live terminal dashboard for tokio's event loop
///
/// Watches a tokio program as it runs: its tasks, timers, blocking threads and workers.
/// Without a command it offers its own workloads: lessons, small programs of which each
/// shows one thing.
#[derive(Debug, Parser)]
#[command(name = "loopview", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Colours: as the terminal can, always, or never (as `NO_COLOR` does)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// The language of the lessons' pages [default: the locale's, else English]
    #[arg(long, global = true, value_enum)]
    pub lang: Option<Lang>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the workloads that `run` knows
    List {
        /// As a table, or for a script
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Run a workload, or any tokio program, and watch it
    ///
    /// A program needs `loopview_probe::init();` or `console_subscriber::init();` at the
    /// start of its main, and has to be built with `--cfg tokio_unstable`.
    #[command(override_usage = RUN_USAGE, after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Watch a program that runs already
    #[command(after_help = ATTACH_EXAMPLES)]
    Attach {
        /// Where it listens: `http://HOST:PORT` or `unix:/PATH`
        #[arg(default_value = "http://127.0.0.1:6669")]
        url: Endpoint,
        #[command(flatten)]
        watch: Watch,
    },
    /// Print a completion script
    Completions { shell: Shell },
    /// Print the manual page
    Man,
    /// Run a workload without a dashboard: what `run` starts
    #[command(hide = true)]
    Workload {
        name: String,
        #[command(flatten)]
        options: WorkloadOptions,
    },
}

#[derive(Debug, Args)]
pub struct Run {
    /// A workload; `loopview list` shows them all
    #[arg(required_unless_present = "program", value_name = "NAME")]
    pub name: Option<String>,
    /// Show the workload's page, too: beside the screen, or before the text report
    #[arg(long)]
    pub lesson: bool,
    #[command(flatten)]
    pub options: WorkloadOptions,
    #[command(flatten)]
    pub watch: Watch,
    /// A program and its arguments, instead of a workload; its standard input is empty
    #[arg(last = true, value_name = "PROGRAM", conflicts_with_all = ["name", "lesson", "scale", "set", "flavor", "instrument", "workers"])]
    pub program: Vec<OsString>,
}

/// How a workload is run.
#[derive(Clone, Debug, Args)]
pub struct WorkloadOptions {
    /// Make every sleep of a workload this many times as long
    // A negative number is refused as a number, not as an unknown option.
    #[arg(long, allow_negative_numbers = true)]
    #[arg(default_value_t = Self::default().scale, value_parser = scale)]
    pub scale: f64,
    /// Change a setting of a workload; `loopview list` shows them
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The runtime of a workload: one thread with one event loop, or several workers
    #[arg(long, value_enum, default_value_t)]
    pub flavor: Flavor,
    /// What tells of a workload: `console-subscriber` is there to compare with
    #[arg(long, value_enum, default_value_t)]
    pub instrument: Instrument,
    /// How many workers the multi-thread runtime has [default: one a core]
    #[arg(long, allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
}

impl Default for WorkloadOptions {
    fn default() -> Self {
        Self {
            scale: 1.0,
            set: Vec::new(),
            flavor: Flavor::default(),
            instrument: Instrument::default(),
            workers: None,
        }
    }
}

/// How a target is watched.
#[derive(Clone, Debug, Args)]
pub struct Watch {
    /// End after this time, such as `5s`
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub time: Option<Duration>,
    /// Print a report at the end instead of drawing a screen; so it is off a terminal
    #[arg(long)]
    pub headless: bool,
    /// The report's format; with it there is no screen
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Flavor {
    #[default]
    CurrentThread,
    MultiThread,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Instrument {
    #[default]
    Probe,
    ConsoleSubscriber,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The languages that the lessons' pages are written in.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    En,
    Zh,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if (0.0..=1_000.0).contains(&scale) => Ok(scale),
        _ => Err("expected a number from 0 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
