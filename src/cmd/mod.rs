//! What the commands do, one file each: they join a target, the model, a view and sinks.

mod attach;
mod check;
mod completions;
mod config;
mod export;
mod lints;
mod list;
mod man;
mod metrics;
mod pick;
mod replay;
mod run;
mod screens;
mod sources;
mod usage;
mod watch;
mod workload;

use std::{io::Write, process::ExitCode};

pub use metrics::{Metrics, Question, question};
pub use usage::parse;
pub use watch::Signals;

use crate::{
    cli::{Cli, Command, Lang, Look},
    config::Wishes,
    error::{Error, exit},
    frame::{Target, TargetKind},
    view::Lesson,
};

/// Does what the command line says.
pub fn execute(cli: Cli) -> Result<ExitCode, Error> {
    let wishes = || wishes(&cli.look);
    match cli.command {
        None => pick::execute(&wishes()?),
        Some(Command::List { format }) => list::execute(format),
        Some(Command::Run(run)) => run::execute(run, &wishes()?),
        Some(Command::Attach { url, watch }) => attach::execute(&url, &watch, &wishes()?),
        Some(Command::Export(options)) => export::execute(&options, &cli.look),
        Some(Command::Replay(options)) => replay::execute(&options, &wishes()?),
        Some(Command::Check(check)) => check::execute(check),
        Some(Command::Lints { name, all }) => lints::execute(name.as_deref(), all),
        Some(Command::Config) => config::execute(),
        Some(Command::Completions { shell }) => completions::execute(shell),
        Some(Command::Man) => man::execute(),
        Some(Command::Workload { name, options }) => workload::execute(&name, &options),
    }
}

/// What the person wants of the screen.
fn wishes(look: &Look) -> Result<Wishes, Error> {
    Wishes::new(look, |name| std::env::var(name).ok()).map_err(|error| Error::Config {
        path: look.config.clone().unwrap_or_default(),
        error,
    })
}

/// Tells what is wrong with the configuration where it can be read for longer than on a
/// screen.
fn complain(wishes: &Wishes) {
    if let Some(complaint) = &wishes.complaint {
        let _ = writeln!(std::io::stderr(), "loopview: {complaint}");
    }
}

/// The dashboard's own runtime: one thread, so that it takes little from what it watches.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
}

/// Prints to standard output. A reader that has gone, such as `head`, is no error.
fn print(text: &str) -> Result<ExitCode, Error> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::Report(error)),
        _ => Ok(ExitCode::from(exit::OK)),
    }
}

/// The workload of this name, or the error that says what may have been meant.
fn find_workload(name: &str) -> Result<&'static loopview_workloads::Workload, Error> {
    loopview_workloads::find(name).ok_or_else(|| match nearest_workload(name) {
        Some(nearest) => Error::UnknownWorkload {
            name: name.to_owned(),
            nearest,
        },
        None => Error::NotAWorkload {
            name: name.to_owned(),
            command: format!("loopview run -- {name}"),
        },
    })
}

/// What there is to read about a workload.
fn page(workload: &loopview_workloads::Workload, lang: Lang) -> &'static str {
    match lang {
        Lang::En => workload.page_en,
        Lang::Zh => workload.page_zh,
    }
}

/// What there is to read about a target, if it is a workload; open from the beginning or not.
fn lesson(target: &Target, lang: Lang, open: bool) -> Option<Lesson> {
    let workload = loopview_workloads::find(&target.name);
    let workload = workload.filter(|_| target.kind == TargetKind::Workload)?;
    let page = page(workload, lang);
    Some(Lesson { page, open })
}

/// None for a path: no workload is called anything like it.
fn nearest_workload(name: &str) -> Option<&'static str> {
    let names = loopview_workloads::all().iter().map(|w| w.name);
    nearest(name, names.filter(|_| !name.contains('/')))
}

/// The one of these names that may have been meant.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// How alike two names have to be for one to stand for the other.
    const ALIKE: f64 = 0.6;
    names
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike > ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}
