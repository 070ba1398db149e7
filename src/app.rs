//! The one loop of the dashboard: frames and keys in, at most thirty pictures a second out.

use std::time::Duration;

use crossterm::event::{Event as TermEvent, KeyEventKind};
use futures::StreamExt;
use tokio::time::Instant;

use crate::{
    cmd::Signals,
    error::Error,
    frame::{Event, Frame, Gap, Target},
    keymap,
    model::Model,
    target::Source,
    term::Screen,
    view::{self, Effect, Lesson, ViewState},
};

/// No picture sooner than this after the last.
const FRAME: Duration = Duration::from_millis(33);
/// What the target tells is drawn as often as a launched one tells it. Its two streams come
/// at different moments, and one picture for both is enough.
const NEWS: Duration = Duration::from_millis(50);
/// Frames taken in before a key is looked for.
const BATCH: usize = 256;

/// How the dashboard is run.
pub struct Options {
    pub view: view::Options,
    /// End after this time.
    pub limit: Option<Duration>,
    /// Finds the lines of a source file, or tells why there are none.
    pub sources: Sources,
    /// What there is to read about the target.
    pub lesson: Option<Lesson>,
}

pub type Sources = Box<dyn Fn(&str) -> Result<Vec<String>, String>>;

/// Shows the source on the screen until the person leaves, and gives the last model and
/// whether the target was still at work then. `start` makes the source anew.
pub async fn run(
    screen: &mut Screen,
    target: &Target,
    options: &Options,
    source: Source,
    start: impl AsyncFn() -> Result<Source, Error>,
) -> Result<(Model, bool, Source), Error> {
    let mut signals = Signals::listen()?;
    let limit = limit(options.limit);
    tokio::pin!(limit);
    let mut app = App {
        target,
        sources: &options.sources,
        source,
        running: true,
        model: Model::new(target.clone()),
        frozen: None,
        state: ViewState::new(options.view).with_lesson(options.lesson),
        stale: true,
        drawn: Instant::now(),
        due: Some(Instant::now()),
    };
    if let Ok(size) = screen.terminal.size() {
        app.state.resize(size.width, size.height);
    }
    loop {
        if app.due.is_some_and(|due| due <= Instant::now()) {
            app.refresh();
            app.due = None;
            app.drawn = Instant::now();
            let drawn = screen
                .terminal
                .draw(|frame| view::draw(frame, app.shown(), &app.state));
            if drawn.is_err() {
                // The terminal has gone, and with it the person.
                break;
            }
        }
        tokio::select! {
            frame = app.source.frames.recv(), if app.running => match frame {
                Some(frame) => app.take_in(&frame),
                None => app.running = false,
            },
            key = screen.keys.next() => match key {
                Some(Ok(event)) => match app.react(&event) {
                    Some(Effect::Quit) => break,
                    Some(Effect::RunAgain) => app.run_again(&start).await,
                    Some(Effect::Pause) | None => {}
                },
                Some(Err(_)) | None => break,
            },
            () = tokio::time::sleep_until(app.due.unwrap_or(app.drawn)), if app.due.is_some() => {}
            () = signals.any() => break,
            () = &mut limit => break,
        }
    }
    Ok((app.model, app.running, app.source))
}

/// Returns when the time is up, which without a limit is never.
pub async fn limit(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

struct App<'a> {
    target: &'a Target,
    sources: &'a Sources,
    source: Source,
    /// Frames may still come.
    running: bool,
    model: Model,
    /// The moment that a paused screen shows. The model goes on behind it.
    frozen: Option<Model>,
    state: ViewState,
    /// The model has changed since the state took notice of it.
    stale: bool,
    /// When the last picture was drawn.
    drawn: Instant,
    /// When the next is to be drawn, if there is something new.
    due: Option<Instant>,
}

impl App<'_> {
    fn shown(&self) -> &Model {
        self.frozen.as_ref().unwrap_or(&self.model)
    }

    /// Takes in a frame and all that wait behind it, within bounds.
    fn take_in(&mut self, frame: &Frame) {
        // The first news is what the person waits for.
        let pause = self.model.instrument().map_or(FRAME, |_| NEWS);
        self.model.apply(frame);
        for _ in 0..BATCH {
            match self.source.frames.try_recv() {
                Ok(frame) => self.model.apply(&frame),
                Err(_) => break,
            }
        }
        if self.frozen.is_none() {
            self.stale = true;
            self.draw_after(pause);
        }
    }

    /// Asks for a picture, no sooner than this after the last.
    fn draw_after(&mut self, pause: Duration) {
        let at = self.drawn + pause;
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Brings what the person has chosen up to date with the model.
    fn refresh(&mut self) {
        if std::mem::take(&mut self.stale) {
            let shown = self.frozen.as_ref().unwrap_or(&self.model);
            self.state.sync(shown);
        }
        if let Some(file) = self.state.wanted_source().map(str::to_owned) {
            let shown = self.frozen.as_ref().unwrap_or(&self.model);
            let text = (self.sources)(&file);
            self.state.give_source(&file, text, shown);
        }
    }

    fn react(&mut self, event: &TermEvent) -> Option<Effect> {
        let key = match event {
            TermEvent::Key(key) if key.kind != KeyEventKind::Release => *key,
            TermEvent::Resize(width, height) => {
                self.state.resize(*width, *height);
                self.draw_after(FRAME);
                return None;
            }
            _ => return None,
        };
        let action = keymap::action(key, self.state.context())?;
        self.draw_after(FRAME);
        self.refresh();
        let model = self.frozen.as_ref().unwrap_or(&self.model);
        let effect = self.state.act(action, model);
        if effect == Some(Effect::Pause) {
            self.toggle_pause();
        }
        let watched = self.state.watched().and_then(|id| self.model.tasks.get(id));
        self.source.watch_details(watched.map(|task| task.span));
        effect
    }

    fn toggle_pause(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => Some(self.model.clone()),
        };
        self.state.paused = self.frozen.is_some();
        self.stale = true;
    }

    /// Ends the target and starts it anew; what goes wrong is shown.
    async fn run_again(&mut self, start: &impl AsyncFn() -> Result<Source, Error>) {
        self.source.stop();
        self.model = Model::new(self.target.clone());
        self.frozen = None;
        self.state.paused = false;
        match start().await {
            Ok(source) => {
                let old = std::mem::replace(&mut self.source, source);
                tokio::spawn(old.stopped());
                self.running = true;
            }
            Err(error) => {
                self.running = false;
                let reason = error.to_string();
                self.model
                    .apply(&Frame::here(Event::Gap(Gap::ConnectionLost { reason })));
            }
        }
        self.stale = true;
        self.draw_after(FRAME);
    }
}
