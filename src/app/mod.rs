//! The one loop of the dashboard: frames and keys in, at most thirty pictures a second out.
//!
//! A target that is watched and a recording that is replayed differ in this alone: the one
//! has a live moment, whose frames come from a [`Source`]; the other has only a past, through
//! which [`crate::travel`] leads.

mod live;
mod search;

use std::{io, path::PathBuf, time::Duration};

use crossterm::event::Event as TermEvent;
use tokio::time::Instant;

use self::{live::Live, search::Search};
use crate::{
    cmd::{Metrics, Question, Signals, question},
    error::Error,
    frame::{Frame, Target, TargetKind},
    model::{Model, Phase, lint::Thresholds},
    recording::{History, Limits, Scribe, Status},
    stage::{Sources, Stage},
    target::Source,
    term::Screen,
    travel::Traveller,
    view::{self, Effect, Lesson, Travel, ViewState},
};

/// No picture sooner than this after the last.
const FRAME: Duration = Duration::from_millis(33);
/// What the target tells is drawn as often as a launched one tells it. Its two streams come
/// at different moments, and one picture for both is enough.
const NEWS: Duration = Duration::from_millis(50);
/// How long frames of the past may be applied before the next picture.
const BUDGET: Duration = Duration::from_millis(10);

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
    let mut scribe = Scribe::start(&model, options.history).map_err(Error::Runtime)?;
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
        app.stage.state.say(metrics.words());
    }
    app.metrics = metrics;
    app.show(screen, options.limit, start).await?;
    let lost = matches!(live.model.phase, Phase::Disconnected { .. });
    Ok(Watched {
        running: live.running && !(lost && is_attached(target)),
        model: live.model,
        source: live.source,
        recording: live.scribe.finish(),
    })
}

/// Shows a recording on the screen until the person leaves.
pub async fn replay(screen: &mut Screen, options: &Options, replay: Replay) -> Result<(), Error> {
    let traveller = Traveller::recorded(replay.history, replay.from, replay.speed);
    let mut app = App::new(options, traveller);
    if let Some(notice) = replay.notice {
        app.stage.state.complain(notice);
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

/// The target ran before and runs on: to run it again is to connect to it again.
fn is_attached(target: &Target) -> bool {
    target.kind == TargetKind::Attached
}

/// Says so until frames have been applied for as long as they may be.
fn budget() -> impl Fn() -> bool {
    let began = Instant::now();
    move || began.elapsed() < BUDGET
}

struct App<'a> {
    live: Option<&'a mut Live>,
    metrics: Option<Metrics>,
    stage: Stage<'a>,
    search: Option<Search>,
    /// Time has passed up to then, where it passes.
    passed: Instant,
    /// How the recording fared when that was last told.
    told: Status,
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
            live: None,
            metrics: None,
            stage: Stage::new(traveller, state, &options.sources),
            search: None,
            passed: Instant::now(),
            told: Status::None,
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
        if let Ok(size) = screen.size() {
            self.stage.state.resize(size.width, size.height);
        }
        loop {
            self.look();
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                self.pass();
                self.refresh();
                self.drawn = Instant::now();
                let live = self.live.as_ref().map(|live| &live.model);
                let Some(model) = self.stage.shown(live) else {
                    return Ok(());
                };
                let state = &self.stage.state;
                let drawn = screen.draw(|frame| view::draw(frame, model, state));
                if drawn.is_err() {
                    // The terminal has gone, and with it the person.
                    return Ok(());
                }
            }
            tokio::select! {
                frame = next(&mut self.live) => self.take_in(frame),
                (goal, found) = Search::found(&mut self.search) => {
                    self.search = None;
                    let arrived = self.stage.traveller.arrive(goal, found);
                    self.changed(arrived);
                }
                question = question(&mut self.metrics) => self.answer(question),
                event = screen.event() => match event {
                    Some(event) => match self.react(&event) {
                        Some(Effect::Copy(text)) => screen.copy(&text),
                        Some(Effect::Quit) => return Ok(()),
                        Some(Effect::RunAgain) => self.run_again(&start).await,
                        _ => {}
                    },
                    None => return Ok(()),
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
                if self.stage.traveller.shown().is_none() {
                    self.stage.changed(Ok(()));
                }
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

    /// Looks for the moment that is wanted, and for no other.
    fn look(&mut self) {
        if !self.stage.traveller.is_seeking() {
            self.search = None;
        }
        if let Some((history, goal)) = self.stage.traveller.look() {
            self.search = Some(Search::begin(history, goal));
        }
    }

    /// Lets time pass where it does, up to this picture.
    fn pass(&mut self) {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.passed);
        self.passed = now;
        self.stage.pass(time, &budget());
        if self.stage.traveller.is_playing() {
            self.due = Some(Instant::now() + FRAME);
        }
    }

    /// Shows what something has come to, or why it has come to nothing.
    fn changed(&mut self, how: Result<(), String>) {
        self.stage.changed(how);
        // What it took to get there is no time that passed.
        self.passed = Instant::now();
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
        self.stage
            .refresh(self.live.as_ref().map(|live| &live.model));
        if let Some(live) = &self.live {
            let watched = self.stage.state.watched();
            let watched = watched.and_then(|id| live.model.tasks.get(id));
            live.source.watch_details(watched.map(|task| task.span));
        }
    }

    /// Tells what has become of the recording since that was told.
    fn tell_recording(&mut self) {
        let Some(live) = &self.live else { return };
        let status = live.scribe.status();
        self.stage.state.recording = matches!(status, Status::On(_));
        if status != self.told {
            if let Some(words) = status.words() {
                self.stage.state.say(words);
            }
            self.told = status;
        }
        if let Some(trouble) = live
            .scribe
            .trouble()
            .filter(|_| !self.stage.state.is_saying())
        {
            let notice = format!("the history is only kept in memory: {trouble}");
            self.stage.state.complain(notice);
        }
    }

    fn react(&mut self, event: &TermEvent) -> Option<Effect> {
        let live = self.live.as_ref().map(|live| &live.model);
        let effect = self.stage.react(event, live, &budget());
        self.draw_after(FRAME);
        match &effect {
            Some(Effect::Pause | Effect::Travel(_)) => self.passed = Instant::now(),
            Some(Effect::Record) => {
                if let Some(live) = &mut self.live {
                    let done = live.toggle_recording();
                    self.changed(done);
                }
            }
            Some(Effect::GiveUp) => {
                if let Some(live) = &self.live {
                    live.source.give_up();
                }
            }
            Some(Effect::Quit | Effect::RunAgain | Effect::Copy(_)) | None => {}
        }
        effect
    }

    /// Ends the target and starts it anew, or connects to it anew, which its frames then tell of;
    /// the stage itself begins a recording again.
    async fn run_again(&mut self, start: &impl AsyncFn() -> Result<Source, Error>) {
        let Some(live) = &mut self.live else {
            return self.changed(Ok(()));
        };
        if is_attached(&live.model.target) {
            live.source.connect_again();
            let now = self.stage.traveller.travel(Travel::Now, None, &budget());
            return self.changed(now);
        }
        if let Err(error) = live.run_again(start).await {
            return self.changed(Err(error.to_string()));
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.begin_anew();
        }
        self.stage.traveller = Traveller::live(live.scribe.history().clone());
        self.stage.state.forget_tasks();
        self.search = None;
        self.changed(Ok(()));
    }
}
