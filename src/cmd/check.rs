//! `loopview check`: runs a target without a screen, or reads a recording, and fails if a
//! denied lint found something.

use std::{collections::BTreeSet, path::Path, process::ExitCode, sync::atomic::AtomicBool};

use super::{lints, replay, run, watch};
use crate::{
    cli::{self, Format},
    error::{Error, exit},
    model::{
        Model,
        lint::{Kind, Severity, Thresholds},
    },
    recording::{self, Goal},
    sink::{self, Check, Outcome, Report},
    target::launch,
};

pub fn execute(check: cli::Check) -> Result<ExitCode, Error> {
    let (denied, format) = (denied(&check)?, check.format);
    let mut thresholds = lints::thresholds(&check.thresholds.threshold)?;
    thresholds.long_poll = check.max_poll.unwrap_or(thresholds.long_poll);
    let (model, stopped) = match check.name.as_deref() {
        Some(file) if is_recording(file) => (recorded(Path::new(file), &thresholds)?, false),
        _ => watched(check, &thresholds)?,
    };
    let outcome = watch::known(Outcome::of(&model, stopped), &model)?;
    let check_of = Check::new(Report::new(&model, outcome), &denied);
    super::print(&match format {
        Format::Text => sink::check::text(&check_of),
        Format::Json => sink::json::encode(&check_of),
    })?;
    Ok(match watch::exit_code(outcome) {
        exit::OK if !check_of.holds => exit::TARGET_FAILED,
        code => code,
    }
    .into())
}

/// No workload has such a name.
fn is_recording(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|of| of == "lv")
}

/// Runs a target to its end.
fn watched(check: cli::Check, thresholds: &Thresholds) -> Result<(Model, bool), Error> {
    let (target, what) = match &check.name {
        Some(name) => run::workload(name, &check.options)?,
        None => run::program(check.program)?,
    };
    let start = async || launch(&what);
    let seen = watch::headless(&target, check.time, thresholds, None, None, start);
    let (model, stopped, _) = super::runtime()?.block_on(seen)?;
    Ok((model, stopped))
}

/// Judges a recording anew, from its first frame on.
fn recorded(path: &Path, thresholds: &Thresholds) -> Result<Model, Error> {
    let unreadable = |error| Error::recording(path, error);
    let recording = replay::open(path)?;
    watch::tell(recording.incomplete.map(replay::words));
    let history = recording.history;
    let begin = history.seek(Goal::Frame(0), &AtomicBool::new(false));
    let begin = begin.map_err(unreadable)?;
    let (mut model, mut cursor) = begin.ok_or_else(|| unreadable(recording::Error::NoFrames))?;
    model.lints.thresholds = thresholds.clone();
    while let Some(frame) = history.next(&mut cursor).map_err(unreadable)? {
        model.apply(&frame);
    }
    Ok(model)
}

/// The errors, or those that are named; the length of a poll, if that has a limit; and never
/// what is allowed.
fn denied(check: &cli::Check) -> Result<BTreeSet<Kind>, Error> {
    let of = |names: &[String]| -> Result<BTreeSet<Kind>, Error> {
        let mut kinds = BTreeSet::new();
        for name in names {
            match name.as_str() {
                "all" => kinds.extend(Kind::ALL),
                name => kinds.extend([lints::find(name)?]),
            }
        }
        Ok(kinds)
    };
    let errors = Kind::ALL.iter().copied();
    let errors = errors.filter(|kind| kind.severity() == Severity::Error);
    let mut denied: BTreeSet<Kind> = errors.collect();
    denied.extend(of(&check.deny)?);
    denied.extend(check.max_poll.map(|_| Kind::LongPoll));
    let allowed = of(&check.allow)?;
    Ok(denied.difference(&allowed).copied().collect())
}
