//! The one loop of the dashboard: frames and keys in, at most thirty pictures a second out.
//!
//! A target that is watched and a recording that is replayed differ in this alone: the one
//! has a live moment, whose frames come from a [`Source`]; the other has only a past, through
//! which [`travel`] leads.

mod live;
mod travel;

use std::{io, path::PathBuf, time::Duration};

use crossterm::event::Event as TermEvent;
use futures::StreamExt;
use tokio::time::Instant;

use self::{live::Live, travel::Traveller};
use crate::{
    cmd::{Metrics, Question, Signals, question},
    error::Error,
    frame::{Frame, Target},
    model::{Model, lint::Thresholds},
    recording::{History, Limits, Scribe, Status},
    target::Source,
    term::Screen,
    view::{self, Effect, Lesson, Mouse, ViewState},
};

/// No picture sooner than this after the last.
const FRAME: Duration = Duration::from_millis(33);
/// What the target tells is drawn as often as a launched one tells it. Its two streams come
/// at different moments, and one picture for both is enough.
const NEWS: Duration = Duration::from_millis(50);

/// How the dashboard is run.
pub struct Options {
    pub view: view::Options,
    /// What is wrong with the person's configuration.
    pub complaint: Option<String>,
    /// End after this time.
    pub limit: Option<Duration>,
    /// Finds the lines of a source file, or tells why there are none.
    pub sources: Sources,
    /// What there is to read about the target.
    pub lesson: Option<Lesson>,
    /// How much of the past is kept.
    pub history: Limits,
    /// Write a recording to this file from the beginning.
    pub record: Option<PathBuf>,
    /// From where on the lints find something.
    pub thresholds: Thresholds,
}

pub type Sources = Box<dyn Fn(&str) -> Result<Vec<String>, String>>;

/// What is left when the person has left.
pub struct Watched {
    pub model: Model,
    /// The target was still at work.
    pub running: bool,
    pub source: Source,
    pub recording: Status,
}

/// A recording, and how it is to be replayed.
pub struct Replay {
    pub history: History,
    /// How much faster than it was.
    pub speed: f64,
    /// From how long after its beginning.
    pub from: Duration,
    /// What there is to say of it.
    pub notice: Option<String>,
}

/// Shows the source on the screen until the person leaves. `start` makes the source anew.
/// Meanwhile metrics are told to whoever asks for them.
pub async fn run(
    screen: &mut Screen,
    target: &Target,
    options: &Options,
    metrics: Option<Metrics>,
    source: Source,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<Watched, Error> {
    let model = Model::with_thresholds(target.clone(), &options.thresholds);
    let mut scribe = Scribe::start(target.clone(), options.history).map_err(Error::Runtime)?;
    if let Some(path) = &options.record {
        let begun = scribe.record(path, &model);
        begun.map_err(|error| Error::record(path, error))?;
    }
    let traveller = Traveller::live(scribe.history().clone());
    let mut live = Live {
        source,
        running: true,
        scribe,
        model,
        limits: options.history,
    };
    let mut app = App::new(options, traveller);
    app.live = Some(&mut live);
    if let Some(metrics) = &metrics {
        app.state.say(metrics.words());
    }
    app.metrics = metrics;
    app.show(screen, options.limit, start).await?;
    Ok(Watched {
        model: live.model,
        running: live.running,
        source: live.source,
        recording: live.scribe.finish(),
    })
}

/// Shows a recording on the screen until the person leaves.
pub async fn replay(screen: &mut Screen, options: &Options, replay: Replay) -> Result<(), Error> {
    let traveller = Traveller::recorded(replay.history, replay.from, replay.speed);
    let mut app = App::new(options, traveller);
    if let Some(notice) = replay.notice {
        app.state.complain(notice);
    }
    let nothing = async || Err(Error::Runtime(io::ErrorKind::Unsupported.into()));
    app.show(screen, options.limit, nothing).await
}

/// Returns when the time is up, which without a limit is never.
pub async fn limit(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// The next frame of what is live; it never comes where nothing is.
async fn next(live: &mut Option<&mut Live>) -> Option<Frame> {
    match live {
        Some(live) if live.running => live.source.frames.recv().await,
        _ => std::future::pending().await,
    }
}

struct App<'a> {
    sources: &'a Sources,
    live: Option<&'a mut Live>,
    metrics: Option<Metrics>,
    traveller: Traveller,
    state: ViewState,
    /// How the recording fared when that was last told.
    told: Status,
    /// The model has changed since the state took notice of it.
    stale: bool,
    /// When the last picture was drawn.
    drawn: Instant,
    /// When the next is to be drawn, if there is something new.
    due: Option<Instant>,
}

impl<'a> App<'a> {
    fn new(options: &'a Options, traveller: Traveller) -> Self {
        let mut state = ViewState::new(options.view.clone()).with_lesson(options.lesson);
        if let Some(complaint) = &options.complaint {
            state.complain(complaint);
        }
        Self {
            sources: &options.sources,
            live: None,
            metrics: None,
            traveller,
            state,
            told: Status::None,
            stale: true,
            drawn: Instant::now(),
            due: Some(Instant::now()),
        }
    }

    async fn show(
        &mut self,
        screen: &mut Screen,
        time: Option<Duration>,
        start: impl AsyncFn() -> Result<Source, Error>,
    ) -> Result<(), Error> {
        let mut signals = Signals::listen()?;
        let limit = limit(time);
        tokio::pin!(limit);
        if let Ok(size) = screen.terminal.size() {
            self.state.resize(size.width, size.height);
        }
        loop {
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                self.pass();
                self.refresh();
                self.drawn = Instant::now();
                let Some(model) = shown(&self.traveller, self.live.as_deref()) else {
                    return Ok(());
                };
                let state = &self.state;
                let drawn = screen
                    .terminal
                    .draw(|frame| view::draw(frame, model, state));
                if drawn.is_err() {
                    // The terminal has gone, and with it the person.
                    return Ok(());
                }
            }
            tokio::select! {
                frame = next(&mut self.live) => self.take_in(frame),
                found = self.traveller.found() => self.arrive(found),
                question = question(&mut self.metrics) => self.answer(question),
                key = screen.keys.next() => match key {
                    Some(Ok(event)) => match self.react(&event) {
                        Some(Effect::Copy(text)) => screen.copy(&text),
                        Some(Effect::Quit) => return Ok(()),
                        Some(Effect::RunAgain) => self.run_again(&start).await?,
                        _ => {}
                    },
                    Some(Err(_)) | None => return Ok(()),
                },
                () = tokio::time::sleep_until(self.due.unwrap_or(self.drawn)),
                    if self.due.is_some() => {}
                () = signals.any() => return Ok(()),
                () = &mut limit => return Ok(()),
            }
        }
    }

    fn take_in(&mut self, frame: Option<Frame>) {
        let Some(live) = &mut self.live else { return };
        match frame {
            Some(frame) => {
                // The first news is what the person waits for.
                let pause = live.model.instrument().map_or(FRAME, |_| NEWS);
                live.take_in(frame);
                // In the past it only gets farther away.
                self.stale |= self.traveller.shown().is_none();
                self.draw_after(pause);
            }
            None => live.running = false,
        }
    }

    /// Tells the metrics of the newest moment, whatever is shown.
    fn answer(&mut self, question: Question) {
        if let (Some(metrics), Some(live)) = (&mut self.metrics, &self.live) {
            metrics.answer(question, &live.model);
        }
    }

    /// Lets time pass where it does, up to this picture.
    fn pass(&mut self) {
        match self.traveller.pass(Instant::now()) {
            Ok(changed) => self.stale |= changed,
            Err(notice) => self.state.complain(notice),
        }
        if self.traveller.is_playing() {
            self.due = Some(Instant::now() + FRAME);
        }
    }

    /// Shows another moment, or why there is none.
    fn arrive(&mut self, found: Result<(), String>) {
        match found {
            Ok(()) => {}
            Err(notice) => self.state.complain(notice),
        }
        self.stale = true;
        self.draw_after(FRAME);
    }

    /// Asks for a picture, no sooner than this after the last.
    fn draw_after(&mut self, pause: Duration) {
        let at = self.drawn + pause;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Brings what the person has chosen up to date with the model.
    fn refresh(&mut self) {
        self.tell_recording();
        self.state.moment = self.traveller.moment();
        let Some(shown) = shown(&self.traveller, self.live.as_deref()) else {
            return;
        };
        if std::mem::take(&mut self.stale) {
            self.state.sync(shown);
        }
        if let Some(file) = self.state.wanted_source().map(str::to_owned) {
            let text = (self.sources)(&file);
            self.state.give_source(&file, text, shown);
        }
    }

    /// Tells what has become of the recording since that was told.
    fn tell_recording(&mut self) {
        let Some(live) = &self.live else { return };
        let status = live.scribe.status();
        self.state.recording = matches!(status, Status::On(_));
        if status != self.told {
            if let Some(words) = status.words() {
                self.state.say(words);
            }
            self.told = status;
        }
        if let Some(trouble) = live.scribe.trouble().filter(|_| !self.state.is_saying()) {
            let notice = format!("the history is only kept in memory: {trouble}");
            self.state.complain(notice);
        }
    }

    fn react(&mut self, event: &TermEvent) -> Option<Effect> {
        // What is done is done to what is shown, not to what has come since.
        self.refresh();
        let shown = shown(&self.traveller, self.live.as_deref())?;
        let effect = match event {
            TermEvent::Key(key) => {
                let action = self.state.action(*key)?;
                self.state.act(action, shown)
            }
            TermEvent::Mouse(event) => self.state.mouse(Mouse::from_event(*event)?, shown),
            TermEvent::Paste(text) => {
                self.state.insert(text, shown);
                None
            }
            TermEvent::Resize(width, height) => {
                self.state.resize(*width, *height);
                None
            }
            _ => return None,
        };
        self.draw_after(FRAME);
        let live = self.live.as_ref().map(|live| &live.model);
        match &effect {
            Some(Effect::Pause) => {
                self.traveller.pause(live);
                self.stale = true;
            }
            Some(Effect::Travel(to)) => {
                let travelled = self.traveller.travel(*to, live);
                self.arrive(travelled);
            }
            Some(Effect::Record) => {
                let done = match &mut self.live {
                    Some(live) => live.toggle_recording(),
                    None => Err("this is a recording already".to_owned()),
                };
                self.arrive(done);
            }
            Some(Effect::Quit | Effect::RunAgain | Effect::Copy(_)) | None => {}
        }
        if let Some(live) = &mut self.live {
            let watched = self.state.watched().and_then(|id| live.model.tasks.get(id));
            live.source.watch_details(watched.map(|task| task.span));
        }
        effect
    }

    /// Ends the target and starts it anew; a recording is replayed from its beginning.
    async fn run_again(
        &mut self,
        start: &impl AsyncFn() -> Result<Source, Error>,
    ) -> Result<(), Error> {
        match &mut self.live {
            Some(live) => {
                live.run_again(start).await?;
                if let Some(metrics) = &mut self.metrics {
                    metrics.begin_anew();
                }
                self.traveller = Traveller::live(live.scribe.history().clone());
            }
            None => self.traveller.again(),
        }
        self.arrive(Ok(()));
        Ok(())
    }
}

/// The model of the moment that is shown.
fn shown<'a>(traveller: &'a Traveller, live: Option<&'a Live>) -> Option<&'a Model> {
    traveller.shown().or(live.map(|live| &live.model))
}
