//! `loopview replay FILE`: a recording on the screen, or its end as a report.

use std::{path::Path, process::ExitCode, sync::atomic::AtomicBool};

use super::watch;
use crate::{
    app, cli,
    config::Wishes,
    error::{Error, exit},
    model::{Model, lint::Thresholds},
    recording::{self, Goal, Incomplete, Limits, Recording},
    sink::{Outcome, Report},
    term::Screen,
};

pub fn execute(options: &cli::Replay, wishes: &Wishes) -> Result<ExitCode, Error> {
    let Recording {
        history,
        incomplete,
        ..
    } = open(&options.file)?;
    let notice = incomplete.map(words);
    if options.headless || options.format.is_some() || !watch::has_screen() {
        watch::tell(notice);
        let model = end(&options.file, &history)?;
        let report = Report::new(&model, Outcome::of(&model, false));
        return super::print(&watch::encode(&report, options.format.unwrap_or_default()));
    }
    let target = history.target();
    let shown = app::Options {
        view: wishes.view.clone(),
        complaint: wishes.complaint.clone(),
        limit: None,
        sources: super::sources::of(&target, None),
        lesson: super::lesson(&target, wishes.lang, false),
        history: Limits::default(),
        record: None,
        thresholds: Thresholds::default(),
    };
    let replay = app::Replay {
        history,
        speed: options.speed,
        from: options.from,
        notice,
    };
    super::runtime()?.block_on(async {
        let mut screen = Screen::open(wishes.mouse).map_err(Error::Terminal)?;
        app::replay(&mut screen, &shown, replay).await?;
        drop(screen);
        super::complain(wishes);
        Ok(ExitCode::from(exit::OK))
    })
}

/// Opens a recording, or says what is wrong with it.
pub(super) fn open(path: &Path) -> Result<Recording, Error> {
    recording::open(path).map_err(|error| Error::recording(path, error))
}

/// The model after all that was recorded.
pub(super) fn end(path: &Path, history: &recording::History) -> Result<Model, Error> {
    let end = history.seek(Goal::Frame(u64::MAX), &AtomicBool::new(false));
    let end = end.map_err(|error| Error::recording(path, error))?;
    let (model, _) = end.ok_or_else(|| Error::recording(path, recording::Error::NoFrames))?;
    Ok(model)
}

/// What a person is told of a recording that has no proper end.
pub(super) fn words(incomplete: Incomplete) -> String {
    match incomplete {
        Incomplete::Cut => "the recording was not closed: it may end too early".to_owned(),
        Incomplete::Damaged { at } => {
            format!("the recording is damaged at byte {at}: what comes after is left out")
        }
    }
}
