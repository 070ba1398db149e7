//! Watches a target: on a screen where there is one, else by a report at its end.

use std::{
    io::{IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::sources;
use crate::{
    app,
    cli::{Color, Format, Lang, Watch},
    config,
    error::{Error, exit},
    frame::{Event, Gap, HOW_TO_OPEN, Target},
    model::Model,
    sink::{self, Outcome, Report},
    target::{ConnectError, Source},
    term::Screen,
    view::Lesson,
};

/// How to draw, by the command line.
#[derive(Copy, Clone, Debug)]
pub struct Style {
    pub color: Color,
    pub ascii: bool,
    pub lang: Lang,
}

/// Watches what `start` starts, which is the file `program` if it is started here; it is called
/// again when the person runs the target again. With a lesson there is something to read about it.
pub fn watch(
    target: &Target,
    program: Option<&Path>,
    lesson: Option<Lesson>,
    options: &Watch,
    style: Style,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<ExitCode, Error> {
    super::runtime()?.block_on(async {
        let screen = !options.headless && options.format.is_none() && has_screen();
        let (model, stopped) = if screen {
            let source = start().await?;
            let options = app::Options {
                view: config::options(style.color, style.ascii, |name| std::env::var(name).ok()),
                limit: options.time,
                sources: sources::of(target, program),
                lesson,
            };
            let mut screen = Screen::open().map_err(Error::Terminal)?;
            let (model, stopped, source) =
                app::run(&mut screen, target, &options, source, start).await?;
            // The terminal is the person's again before the target has ended.
            drop(screen);
            source.stopped().await;
            (model, stopped)
        } else {
            headless(target, options, start).await?
        };
        let outcome = Outcome::of(&model, stopped);
        if !screen {
            let report = Report::new(&model, outcome);
            super::print(&match options.format.unwrap_or_default() {
                Format::Text => {
                    let page = lesson.filter(|lesson| lesson.open);
                    let page =
                        page.map_or_else(String::new, |lesson| lesson.page.to_owned() + "\n");
                    page + &sink::text::encode(&report)
                }
                Format::Json => sink::json::encode(&report),
            })?;
        }
        if outcome == Outcome::Lost && model.instrument().is_none() {
            return Err(ConnectError::NeverOpened.into());
        }
        Ok(ExitCode::from(match outcome {
            Outcome::Ok | Outcome::Stopped => exit::OK,
            Outcome::Failed | Outcome::Signalled => exit::TARGET_FAILED,
            Outcome::Lost => exit::CONNECTION,
        }))
    })
}

fn has_screen() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Reads all frames, and gives the model that they make and whether we ended the target.
async fn headless(
    target: &Target,
    options: &Watch,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<(Model, bool), Error> {
    let mut signals = Signals::listen()?;
    let mut source = start().await?;
    let mut model = Model::new(target.clone());
    let (mut stopped, mut hinted) = (false, false);
    let limit = app::limit(options.time);
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
                model.apply(&frame);
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
    Ok((model, stopped))
}

fn hint(seconds: u64) {
    let told = format!("the program has not opened a console endpoint for {seconds} s");
    let _ = writeln!(std::io::stderr(), "loopview: {told}: {HOW_TO_OPEN}");
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
