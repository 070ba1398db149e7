//! `loopview run NAME` and `loopview run -- PROGRAM`: one path, launch, connect, watch, reap.

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::ValueEnum;

use super::watch;
use crate::{
    cli::{Format, Instrument, Run, WorkloadOptions},
    config::Wishes,
    error::Error,
    frame::{Target, TargetKind},
    target::{Launch, launch},
};

pub fn execute(run: Run, wishes: &Wishes) -> Result<ExitCode, Error> {
    let (target, what) = match &run.name {
        Some(name) => workload(name, &run.options)?,
        None => program(run.program)?,
    };
    let lesson = super::lesson(&target, wishes.lang, run.lesson);
    if run.lesson && run.watch.format == Some(Format::Json) {
        return Err(Error::Usage {
            problem: "--lesson shows a page to read, and a report in JSON has none".to_owned(),
            command: "loopview run".to_owned(),
        });
    }
    let program = Some(Path::new(&what.program));
    let start = async || launch(&what);
    watch::watch(&target, program, lesson, &run.watch, wishes, start)
}

pub(super) fn program(mut words: Vec<OsString>) -> Result<(Target, Launch), Error> {
    let program = words.remove(0);
    // A name without a slash is looked for on PATH, whatever this folder holds. The system
    // says of a folder what it says of a file that may not be run.
    if program.as_encoded_bytes().contains(&b'/') && Path::new(&program).is_dir() {
        let program = program.to_string_lossy().into_owned();
        return Err(Error::ProgramIsFolder { program });
    }
    let name = Path::new(&program)
        .file_name()
        .unwrap_or(&program)
        .to_string_lossy()
        .into_owned();
    let target = Target {
        name,
        kind: TargetKind::Program,
    };
    Ok((
        target,
        Launch {
            program,
            args: words,
            has_probe: false,
        },
    ))
}

/// A workload runs in a process of its own, this same binary: it may block, panic or leak
/// without harm to the screen.
pub(super) fn workload(name: &str, options: &WorkloadOptions) -> Result<(Target, Launch), Error> {
    let workload = super::find_workload(name)?;
    let settings = options.set.iter().map(String::as_str);
    loopview_workloads::Settings::parse(workload, settings)?;
    let mut args: Vec<OsString> = ["workload", name, "--scale"].map(OsString::from).into();
    args.push(options.scale.to_string().into());
    for pair in &options.set {
        args.extend(["--set".into(), pair.into()]);
    }
    if let Some(flavor) = options.flavor.to_possible_value() {
        args.extend(["--flavor".into(), flavor.get_name().into()]);
    }
    if let Some(instrument) = options.instrument.to_possible_value() {
        args.extend(["--instrument".into(), instrument.get_name().into()]);
    }
    if let Some(workers) = options.workers {
        args.extend(["--workers".into(), workers.to_string().into()]);
    }
    let program = std::env::current_exe().map_err(Error::OwnPath)?.into();
    let target = Target {
        name: name.to_owned(),
        kind: TargetKind::Workload,
    };
    Ok((
        target,
        Launch {
            program,
            args,
            has_probe: options.instrument == Instrument::Probe,
        },
    ))
}
