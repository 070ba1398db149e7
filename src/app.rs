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
    view::{self, Effect, ViewState},
};

/// No picture sooner than this after the last.
const FRAME: Duration = Duration::from_millis(33);
/// Frames taken in before a key is looked for.
const BATCH: usize = 256;

/// How the dashboard is run.
#[derive(Clone, Debug)]
pub struct Options {
    pub view: view::Options,
    /// End after this time.
    pub limit: Option<Duration>,
}

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
        source,
        running: true,
        model: Model::new(target.clone()),
        frozen: None,
        state: ViewState::new(options.view),
        changed: true,
    };
    if let Ok(size) = screen.terminal.size() {
        app.state.resize(size.width, size.height);
    }
    let mut next_picture = Instant::now();
    loop {
        if app.changed && Instant::now() >= next_picture {
            next_picture = Instant::now() + FRAME;
            app.changed = false;
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
            () = tokio::time::sleep_until(next_picture), if app.changed => {}
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
    source: Source,
    /// Frames may still come.
    running: bool,
    model: Model,
    /// The moment that a paused screen shows. The model goes on behind it.
    frozen: Option<Model>,
    state: ViewState,
    /// Something is not on the screen yet.
    changed: bool,
}

impl App<'_> {
    fn shown(&self) -> &Model {
        self.frozen.as_ref().unwrap_or(&self.model)
    }

    /// Takes in a frame and all that wait behind it, within bounds.
    fn take_in(&mut self, frame: &Frame) {
        self.model.apply(frame);
        for _ in 0..BATCH {
            match self.source.frames.try_recv() {
                Ok(frame) => self.model.apply(&frame),
                Err(_) => break,
            }
        }
        if self.frozen.is_none() {
            self.changed = true;
            self.state.sync(&self.model);
        }
    }

    fn react(&mut self, event: &TermEvent) -> Option<Effect> {
        let key = match event {
            TermEvent::Key(key) if key.kind != KeyEventKind::Release => *key,
            TermEvent::Resize(width, height) => {
                self.state.resize(*width, *height);
                self.changed = true;
                return None;
            }
            _ => return None,
        };
        let action = keymap::action(key, self.state.context())?;
        self.changed = true;
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
        self.state.sync(self.frozen.as_ref().unwrap_or(&self.model));
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
        self.state.sync(&self.model);
        self.changed = true;
    }
}
