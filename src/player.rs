//! The player: a recording and a keys script, as the pictures that a person would have seen.
//!
//! There is no terminal and no clock. Time passes by ticks, so many a second, and at each tick
//! the script does what is due; the same recording, script and options always give the same
//! pictures, cell by cell.

use std::{sync::atomic::AtomicBool, time::Duration};

use crossterm::event::Event;
use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    recording::{self, History},
    script::{self, Command, Problem, Script, Step},
    stage::{Sources, Stage},
    travel::Traveller,
    view::{self, Effect, Lesson, ViewState},
};

/// How a recording is played.
pub struct Options {
    pub view: view::Options,
    pub lesson: Option<Lesson>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// From how long after its beginning.
    pub from: Duration,
    /// How much faster than it was; none to stand still.
    pub speed: Option<f64>,
    /// Pictures a second, at most.
    pub rate: u32,
    /// No two pictures are farther apart.
    pub idle_limit: Option<Duration>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Recording(#[from] recording::Error),
    /// What the script waits for never comes.
    #[error("{0}")]
    Script(#[from] script::Error),
}

pub struct Player<'a> {
    stage: Stage<'a>,
    script: std::vec::IntoIter<Step>,
    /// What is being waited for, and since when.
    waiting: Option<(Step, Duration)>,
    /// Ticks since the first picture was drawn, of which there are `rate` a second.
    ticks: Option<u32>,
    rate: u32,
    /// Something may look different from the picture.
    changed: bool,
    /// The picture has not been given yet.
    fresh: bool,
    /// Nothing more will happen.
    over: bool,
    /// The picture.
    screen: Buffer,
    /// The place to draw the next.
    spare: Buffer,
    idle_limit: Option<Duration>,
    /// When the last picture was shown, without what was left out.
    shown_at: Duration,
    /// The time that was left out, as nothing changed in it.
    left_out: Duration,
}

impl<'a> Player<'a> {
    /// It needs a recording with at least one frame.
    pub fn new(
        history: History,
        script: Script,
        options: &Options,
        sources: &'a Sources,
    ) -> Result<Self, Error> {
        if history.range().is_none() {
            return Err(recording::Error::NoFrames.into());
        }
        let (width, height) = options.size;
        let mut state = ViewState::new(options.view.clone()).with_lesson(options.lesson);
        state.resize(width, height);
        let speed = options.speed.unwrap_or(1.0);
        let mut traveller = Traveller::recorded(history, options.from, speed);
        if options.speed.is_none() {
            traveller.pause(None);
        }
        let blank = Buffer::empty(Rect::new(0, 0, width, height));
        Ok(Self {
            stage: Stage::new(traveller, state, sources),
            script: script.steps.into_iter(),
            waiting: None,
            ticks: None,
            rate: options.rate.max(1),
            changed: true,
            fresh: false,
            over: false,
            screen: blank.clone(),
            spare: blank,
            idle_limit: options.idle_limit,
            shown_at: Duration::ZERO,
            left_out: Duration::ZERO,
        })
    }

    /// The time since the beginning of what was given last, as the one who looks on measures it.
    pub fn time(&self) -> Duration {
        self.now().saturating_sub(self.left_out)
    }

    /// The last picture.
    pub fn screen(&self) -> &Buffer {
        &self.screen
    }

    /// Plays up to the next picture that differs from the last. False when the script is over:
    /// the last picture is seen up to this time.
    pub fn advance(&mut self) -> Result<bool, Error> {
        while !self.over && !self.fresh {
            match self.ticks {
                Some(ticks) => self.tick(ticks.saturating_add(1)),
                None => self.ticks = Some(0),
            }
            self.settle()?;
            self.over = !self.act()?;
            self.draw();
        }
        self.leave_out();
        Ok(std::mem::take(&mut self.fresh))
    }

    /// Lets time pass up to this tick.
    fn tick(&mut self, ticks: u32) {
        let before = self.now();
        self.ticks = Some(ticks);
        let time = self.now().saturating_sub(before);
        self.changed |= self.stage.pass(time, &|| true);
    }

    /// Goes to the moment that is wanted.
    fn settle(&mut self) -> Result<(), Error> {
        while let Some((history, goal)) = self.stage.traveller.look() {
            let found = history.seek(goal, &AtomicBool::new(false))?;
            let arrived = self.stage.traveller.arrive(goal, Ok(found));
            self.stage.changed(arrived);
            self.changed = true;
        }
        Ok(())
    }

    /// Does what is due by the script, and says whether it goes on.
    fn act(&mut self) -> Result<bool, Error> {
        loop {
            let now = self.now();
            let next = || self.script.next().map(|step| (step, now));
            let Some((step, since)) = self.waiting.take().or_else(next) else {
                return Ok(false);
            };
            let waited = now.saturating_sub(since);
            let wrong = |problem| script::Error {
                place: step.place,
                problem,
            };
            let done = match &step.command {
                Command::Wait(time) => waited >= *time,
                Command::WaitEnd if self.stage.traveller.is_over() => true,
                Command::WaitEnd if !self.stage.traveller.is_playing() => {
                    return Err(wrong(Problem::Still).into());
                }
                Command::WaitEnd => false,
                Command::Until { text, limit } => {
                    self.draw();
                    let seen = self.sees(text);
                    if !seen && waited >= *limit {
                        let (text, limit) = (text.clone(), *limit);
                        return Err(wrong(Problem::Unseen { text, limit }).into());
                    }
                    seen
                }
                Command::Speed(speed) => {
                    self.stage.traveller.set_speed(*speed);
                    self.changed = true;
                    true
                }
                Command::Press(key) => {
                    let effect = self.stage.react(&Event::Key(*key), None, &|| true);
                    self.changed = true;
                    self.settle()?;
                    if effect == Some(Effect::Quit) {
                        return Ok(false);
                    }
                    true
                }
            };
            if !done {
                self.waiting = Some((step, since));
                return Ok(true);
            }
        }
    }

    /// Draws what may look different.
    fn draw(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        self.stage.refresh(None);
        if let Some(model) = self.stage.shown(None) {
            self.spare.reset();
            view::paint(&mut self.spare, model, &self.stage.state);
        }
        if self.spare != self.screen {
            std::mem::swap(&mut self.spare, &mut self.screen);
            self.fresh = true;
        }
    }

    /// The text is in a line of the picture.
    fn sees(&self, text: &str) -> bool {
        let width = usize::from(self.screen.area.width.max(1));
        let lines = self.screen.content().chunks(width);
        lines
            .into_iter()
            .any(|line| view::text::of(line).contains(text))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1) * self.ticks.unwrap_or(0) / self.rate
    }

    /// Counts what nobody wants to wait for.
    fn leave_out(&mut self) {
        let now = self.now();
        let idle = now.saturating_sub(self.shown_at);
        if let Some(limit) = self.idle_limit {
            self.left_out += idle.saturating_sub(limit);
        }
        self.shown_at = now;
    }
}
