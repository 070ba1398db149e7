//! The command line's types, and nothing else: what they mean is in [`crate::cmd`].

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{ArgPredicate, PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;

use crate::{recording::Limits, target::Endpoint, view::ThemeName};

/// The manual page makes a section of each paragraph, with the first line as its title; so
/// too of those below.
const EXAMPLES: &str = "\
Examples:
  loopview                                 pick a workload from a list
  loopview run gather                      watch one of them
  loopview run gather --lesson --lang zh   with its page beside the screen, in Chinese
  loopview run -- target/debug/shop -p 80  start a program of yours and watch it
  loopview attach http://127.0.0.1:6669    watch one that runs already
  loopview replay gather.lv                see a recording again

Files:
  $XDG_CONFIG_HOME/loopview/config.toml, else ~/.config/loopview/config.toml
     keys, theme, columns and more: `loopview config` prints what can be set

Exit status:
  0  all went well
  1  the target failed, or a check did not hold
  2  the command line was wrong
  3  no connection, or it was lost
  4  the recording cannot be read";

const RUN_USAGE: &str = "\
loopview run [OPTIONS] NAME
       loopview run [OPTIONS] -- PROGRAM [ARGS]...";

const RUN_EXAMPLES: &str = "\
Examples:
  loopview run gather --scale 0.1          ten times as fast
  loopview run blocking --set secs=1       with a setting of its own
  loopview run blocking --lesson           with its page to read
  loopview run cpu --format json           a report for a script, without a screen
  loopview run --for 5s -- ./shop -p 80    a program of yours, for five seconds
  loopview run --prometheus 9185 -- ./shop and its metrics on http://127.0.0.1:9185/metrics";

const EXPORT_EXAMPLES: &str = "\
Examples:
  loopview export gather.lv --to chrome -o gather.json
  loopview export gather.lv --to csv --table polls | head
  loopview export gather.lv --to svg --at 2.5s -o gather.svg
  loopview export gather.lv --to cast --keys gather.keys --idle-limit 2s -o gather.cast";

const REPLAY_EXAMPLES: &str = "\
Examples:
  loopview run gather --record gather.lv   record it first
  loopview replay gather.lv                see it again
  loopview replay gather.lv --from 1.5s --speed 0.2
  loopview replay gather.lv --format json  the report that the run has given";

const CHECK_USAGE: &str = "\
loopview check [OPTIONS] NAME|FILE
       loopview check [OPTIONS] -- PROGRAM [ARGS]...";

const CHECK_EXAMPLES: &str = "\
Examples:
  loopview check blocking                  a lesson with a mistake in it: exits with 1
  loopview check --max-poll 10ms -- ./shop fail if any poll is as long as 10 ms
  loopview check --deny all --allow forgotten-task --for 30s -- ./shop -p 80";

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
    #[command(flatten)]
    pub look: Look,
}

/// How to draw.
#[derive(Clone, Debug, Default, Args)]
pub struct Look {
    /// Colours: as the terminal can, always, or never (as `NO_COLOR` does)
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
    /// Which colours
    #[arg(long, global = true, value_parser = themes(), value_name = "NAME")]
    pub theme: Option<ThemeName>,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// The language of the lessons' pages [default: the locale's, else English]
    #[arg(long, global = true, value_enum)]
    pub lang: Option<Lang>,
    /// Leave the mouse to the terminal, which then selects text with it
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Read the configuration from this file; `loopview config` says where it is else
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

fn themes() -> impl TypedValueParser<Value = ThemeName> {
    let names = PossibleValuesParser::new(ThemeName::ALL.map(ThemeName::word));
    names.map(|name| ThemeName::find(&name).unwrap_or_default())
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
    ///
    /// On a screen, a connection that is lost is tried again, after pauses of 1 to 8 seconds;
    /// without one, it is the end.
    #[command(after_help = ATTACH_EXAMPLES)]
    Attach {
        /// Where it listens: `http://HOST:PORT` or `unix:/PATH`
        #[arg(default_value = "http://127.0.0.1:6669")]
        url: Endpoint,
        #[command(flatten)]
        watch: Watch,
    },
    /// Show a recording as it was, or its end as a report
    ///
    /// It is the whole dashboard: time can be stopped, turned back, and made faster.
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(Replay),
    /// Make something else of a recording
    ///
    /// `json` and `text` are the report of its end, `csv` is one table, `chrome` is a trace
    /// for Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing`. `cast` and `cast3` are
    /// the screen as an asciicast of version 2 or 3, which asciinema plays, and `svg` is the
    /// screen as a picture.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Export),
    /// Run a workload or a program, or read a recording, and fail if something is wrong with it
    ///
    /// Exits with 1 if a denied lint found something: those that are errors, if no other is named.
    #[command(override_usage = CHECK_USAGE, after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// List the lints, or explain one of them
    Lints {
        /// The lint to explain
        name: Option<String>,
        /// Explain them all
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
    /// Print the configuration as it is without a file, and where that is looked for
    Config,
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

#[derive(Debug, Args)]
pub struct Replay {
    /// What `--record`, or the key `W`, has written
    pub file: PathBuf,
    /// How much faster than it was, from 0.1 to 50
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true, value_parser = speed)]
    pub speed: f64,
    /// Begin this long after the beginning, such as `1.5s`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    pub from: Duration,
    /// Print a report of the end instead of drawing a screen; so it is off a terminal
    #[arg(long)]
    pub headless: bool,
    /// The report's format; with it there is no screen
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

#[derive(Debug, Args)]
pub struct Export {
    /// What `--record`, or the key `W`, has written
    pub file: PathBuf,
    /// What to make of it
    #[arg(long, value_enum)]
    pub to: Form,
    /// Which table, for `csv`
    #[arg(long, value_enum, default_value_t)]
    pub table: Table,
    /// Write to this file; one that is there is replaced [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub screen: ExportScreen,
}

/// What is seen, and for how long, where the screen is exported.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options for cast, cast3 and svg")]
pub struct ExportScreen {
    /// Columns and rows
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "120x40", value_parser = columns_and_rows)]
    pub size: (u16, u16),
    /// Press the keys of this script, and end with it [default: the whole recording]
    #[arg(long, value_name = "SCRIPT")]
    pub keys: Option<PathBuf>,
    /// How much faster than it was, from 0.1 to 50
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true, value_parser = speed)]
    pub speed: f64,
    /// Begin this long after the beginning, such as `1.5s`
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    pub from: Duration,
    /// Nothing stays as it is for longer than this, such as `2s`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub idle_limit: Option<Duration>,
    /// Pictures a second, at most
    #[arg(long, value_name = "PICTURES", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=30))]
    pub rate: u32,
    /// svg: the screen at this time; by default that at the end
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with_all = ["from", "speed", "animated"])]
    pub at: Option<Duration>,
    /// svg: all pictures, which take each other's place
    #[arg(long)]
    pub animated: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Chrome,
    Csv,
    Json,
    Text,
    Cast,
    Cast3,
    Svg,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Table {
    #[default]
    Tasks,
    Polls,
    Timers,
}

#[derive(Debug, Args)]
pub struct Check {
    /// A workload, or a recording: a file whose name ends with `.lv`
    #[arg(required_unless_present = "program", value_name = "NAME|FILE")]
    pub name: Option<String>,
    #[command(flatten)]
    pub options: WorkloadOptions,
    /// Fail if this lint finds something, or any does: `all`; `loopview lints` lists them
    #[arg(long, value_name = "LINT")]
    pub deny: Vec<String>,
    /// Do not fail because of this lint, whatever else is said
    #[arg(long, value_name = "LINT")]
    pub allow: Vec<String>,
    /// Fail if a poll is as long as this: the threshold of long-poll, which is denied then
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub max_poll: Option<Duration>,
    #[command(flatten)]
    pub thresholds: ThresholdOptions,
    /// End after this time, such as `5s`, and judge what was seen
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    pub time: Option<Duration>,
    /// For people, or for a script
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// A program and its arguments, instead of a workload; its standard input is empty
    #[arg(last = true, value_name = "PROGRAM", conflicts_with_all = ["name", "scale", "set", "flavor", "instrument", "workers"])]
    pub program: Vec<OsString>,
}

/// From where on lints find something.
#[derive(Clone, Debug, Default, Args)]
pub struct ThresholdOptions {
    /// Change the threshold of a lint, such as `starved=50ms`; `loopview lints` shows them
    #[arg(long, value_name = "LINT=VALUE")]
    pub threshold: Vec<String>,
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
    #[arg(default_value_if("workers", ArgPredicate::IsPresent, "multi-thread"))]
    pub flavor: Flavor,
    /// What tells of a workload: `console-subscriber` is there to compare with
    #[arg(long, value_enum, default_value_t)]
    pub instrument: Instrument,
    /// How many workers the runtime has, which makes it a multi-thread one [default: one a core]
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
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    pub time: Option<Duration>,
    /// Print a report at the end instead of drawing a screen; so it is off a terminal
    #[arg(long)]
    pub headless: bool,
    /// The report's format; with it there is no screen
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    #[command(flatten)]
    pub thresholds: ThresholdOptions,
    /// Record all that is told to this file, which must be a new one
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Serve metrics for Prometheus on <http://ADDR/metrics> meanwhile
    ///
    /// ADDR is `HOST:PORT`, or a port of loopback; port 0 is any that is free. Whoever can reach
    /// it can read the metrics.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub prometheus: Option<String>,
    /// How much of the past to keep for going back in time, such as `200M`
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub history: u64,
}

impl Watch {
    /// How much of the past is kept, and where.
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits {
            memory: limits.memory.min(self.history),
            total: self.history,
        }
    }
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

fn speed(text: &str) -> Result<f64, String> {
    match text.trim_end_matches(['x', '×']).parse() {
        Ok(speed) if (0.1..=50.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 0.1 to 50".to_owned()),
    }
}

/// A time; with a point in seconds, which humantime does not read.
fn time(text: &str) -> Result<Duration, String> {
    let seconds = text
        .strip_suffix('s')
        .and_then(|digits| digits.parse().ok());
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds {
        Some(time) => Ok(time),
        None => humantime::parse_duration(text)
            .map_err(|_| "expected a time such as 500ms, 1.5s or 2m".to_owned()),
    }
}

/// A time in which something can be seen.
fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("nothing can be seen in no time".to_owned()),
        time => Ok(time),
    }
}

/// The size of a screen, as `120x40`.
fn columns_and_rows(text: &str) -> Result<(u16, u16), String> {
    let numbers = text.split_once('x');
    let size =
        numbers.and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    match size {
        Some((columns @ 20..=500, rows @ 5..=200)) => Ok((columns, rows)),
        _ => Err("expected a size from 20x5 to 500x200, such as 120x40".to_owned()),
    }
}

/// Bytes, with a letter for thousands of them as binary numbers count.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match &*text[digits.len()..].to_ascii_uppercase() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        _ => 64,
    };
    let size = digits.parse::<u64>().ok();
    let size = size.and_then(|size| size.checked_mul(1_u64.checked_shl(power)?));
    size.ok_or_else(|| "expected a size such as 200M or 2G".to_owned())
}

/// `HOST:PORT`, for a port alone as well.
fn address(text: &str) -> Result<String, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    // An address of version 6 has brackets around it, so that its end is known.
    let is_bare = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    match port.parse::<u16>() {
        Ok(port) if !is_bare => Ok(format!("{host}:{port}")),
        _ => Err("expected HOST:PORT, or a port of loopback".to_owned()),
    }
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
    fn sizes_are_bytes_or_binary_thousands() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("7k"), Ok(7 << 10));
        assert_eq!(size("200M"), Ok(200 << 20));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        for wrong in ["", "M", "-1", "1.5G", "2T", "99999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "abc", "5", "-1s", "nans", "1e99s"] {
            let why = time(wrong).expect_err(wrong);
            assert!(why.starts_with("expected a time such as"), "{why}");
        }
    }

    #[test]
    fn to_watch_takes_time() {
        assert_eq!(some_time("1ms"), Ok(Duration::from_millis(1)));
        assert!(some_time("0s").is_err());
        for command in [&["run", "hello"][..], &["attach"], &["check", "hello"]] {
            let words = ["loopview"].iter().chain(command);
            let cli = Cli::try_parse_from(words.chain(&["--for", "0s"]));
            assert!(cli.is_err(), "{command:?}");
        }
    }

    #[test]
    fn a_port_alone_is_one_of_loopback() {
        for port in ["9185", ":9185", "127.0.0.1:9185"] {
            assert_eq!(address(port).as_deref(), Ok("127.0.0.1:9185"), "{port}");
        }
        for own in ["0.0.0.0:0", "localhost:80", "[::1]:9185"] {
            assert_eq!(address(own).as_deref(), Ok(own));
        }
        for wrong in ["", ":", "localhost", "host:", "host:65536", "::1", "::1:80"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
