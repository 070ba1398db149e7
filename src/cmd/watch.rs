//! Watches a target: on a screen where there is one, else by a report at its end.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Metrics, question, sources};
use crate::{
    app,
    cli::{Format, Watch},
    config::Wishes,
    error::{Error, exit},
    frame::{Event, Gap, HOW_TO_OPEN, Target},
    model::{Model, lint::Thresholds},
    recording::{Limits, Scribe, Status},
    sink::{self, Outcome, Report},
    target::{ConnectError, Source},
    term::Screen,
    view::Lesson,
};

/// Watches what `start` starts, which is the file `program` if it is started here; it is called
/// again when the person runs the target again. With a lesson there is something to read about it.
pub fn watch(
    target: &Target,
    program: Option<&Path>,
    lesson: Option<Lesson>,
    options: &Watch,
    wishes: &Wishes,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<ExitCode, Error> {
    let thresholds = super::lints::thresholds(&options.thresholds.threshold)?;
    super::runtime()?.block_on(async {
        // What cannot be served is told before anything is started.
        let metrics = match &options.prometheus {
            Some(address) => Some(Metrics::listen(address).await?),
            None => None,
        };
        let screen = on_screen(options);
        let (model, stopped, recording) = if screen {
            let source = start().await?;
            let shown = app::Options {
                view: wishes.view.clone(),
                complaint: wishes.complaint.clone(),
                limit: options.time,
                sources: sources::of(target, program),
                lesson,
                history: options.limits(),
                record: options.record.clone(),
                thresholds,
            };
            let mut screen = Screen::open(wishes.mouse).map_err(Error::Terminal)?;
            let watched = app::run(&mut screen, target, &shown, metrics, source, start).await?;
            // The terminal is the person's again before the target has ended.
            drop(screen);
            watched.source.stopped().await;
            (watched.model, watched.running, watched.recording)
        } else {
            tell(metrics.as_ref().map(Metrics::words));
            headless(
                target,
                options.time,
                &thresholds,
                options.record.as_deref(),
                metrics,
                start,
            )
            .await?
        };
        super::complain(wishes);
        let outcome = Outcome::of(&model, stopped);
        if !screen {
            let report = Report::new(&model, outcome);
            let format = options.format.unwrap_or_default();
            let page = lesson.filter(|lesson| lesson.open && format == Format::Text);
            let page = page.map_or_else(String::new, |lesson| lesson.page.to_owned() + "\n");
            super::print(&(page + &encode(&report, format)))?;
        }
        match recording {
            Status::Failed(path, error) => {
                return Err(Error::record(&path, io::Error::other(error)));
            }
            closed => tell(closed.words()),
        }
        Ok(exit_code(known(outcome, &model)?).into())
    })
}

/// An outcome, unless nothing was ever seen of the target.
pub(super) fn known(outcome: Outcome, model: &Model) -> Result<Outcome, Error> {
    if outcome == Outcome::Lost && model.instrument().is_none() {
        return Err(ConnectError::NeverOpened.into());
    }
    Ok(outcome)
}

pub(super) fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Ok | Outcome::Stopped => exit::OK,
        Outcome::Failed | Outcome::Signalled => exit::TARGET_FAILED,
        Outcome::Lost => exit::CONNECTION,
    }
}

/// A report as it is printed.
pub(super) fn encode(report: &Report, format: Format) -> String {
    match format {
        Format::Text => sink::text::encode(report),
        Format::Json => sink::json::encode(report),
    }
}

/// It is watched on a screen, and not for a report.
pub(super) fn on_screen(options: &Watch) -> bool {
    !options.headless && options.format.is_none() && has_screen()
}

pub(super) fn has_screen() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Reads all frames, and gives the model that they make, whether we ended the target, and
/// what has become of the recording.
pub(super) async fn headless(
    target: &Target,
    time: Option<Duration>,
    thresholds: &Thresholds,
    file: Option<&Path>,
    mut metrics: Option<Metrics>,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<(Model, bool, Status), Error> {
    let mut signals = Signals::listen()?;
    let mut model = Model::with_thresholds(target.clone(), thresholds);
    let mut scribe = file.map(|path| record(path, &model)).transpose()?;
    let mut source = start().await?;
    let (mut stopped, mut hinted) = (false, false);
    let limit = app::limit(time);
    tokio::pin!(limit);
    loop {
        tokio::select! {
            frame = source.frames.recv() => {
                let Some(frame) = frame else { break };
                if let Event::Gap(Gap::NoEndpoint { waited }) = &frame.event
                    && !std::mem::replace(&mut hinted, true)
                {
                    hint(waited.as_secs());
                }
                match &mut scribe {
                    Some(scribe) => scribe.take([frame], &mut model),
                    None => model.apply(&frame),
                }
            }
            question = question(&mut metrics) => {
                if let Some(metrics) = &mut metrics {
                    metrics.answer(question, &model);
                }
            }
            () = signals.any(), if !stopped => {
                stopped = true;
                source.stop();
            }
            () = &mut limit, if !stopped => {
                stopped = true;
                source.stop();
            }
        }
    }
    Ok((
        model,
        stopped,
        scribe.map(Scribe::finish).unwrap_or_default(),
    ))
}

/// Begins a recording without a history: nobody will go back.
fn record(path: &Path, model: &Model) -> Result<Scribe, Error> {
    let limits = Limits {
        memory: 0,
        total: 0,
    };
    let mut scribe = Scribe::start(model, limits).map_err(Error::Runtime)?;
    let begun = scribe.record(path, model);
    begun.map_err(|error| Error::record(path, error))?;
    Ok(scribe)
}

/// Says what the person should know, beside the report.
pub(super) fn tell(words: Option<String>) {
    if let Some(words) = words {
        let _ = writeln!(std::io::stderr(), "loopview: {words}");
    }
}

fn hint(seconds: u64) {
    tell(Some(format!(
        "the program has not opened a console endpoint for {seconds} s: {HOW_TO_OPEN}"
    )));
}

/// The signals by which a person or the system ends us.
pub struct Signals([Signal; 3]);

impl Signals {
    pub fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::Runtime);
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    pub async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
