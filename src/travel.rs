//! Time travel: which moment is shown, and how one comes to another.
//!
//! It knows no clock and no thread. Who uses it says how much time has passed, and looks in the
//! history for the moment that is wanted: on another thread where somebody watches meanwhile,
//! and at once where nobody does. Until that has arrived, the moment before is shown; of what
//! is wanted meanwhile, the last is remembered.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{
    frame::Time,
    model::Model,
    recording::{Cursor, Error, Goal, History},
    view::{Moment, Past, Stride, Travel},
};

/// How much faster than it did time may pass.
const SPEEDS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0];

/// The way through a history.
pub struct Traveller {
    history: History,
    /// Nothing newer can come: there is no live moment.
    recorded: bool,
    /// The moment that is shown, unless it is the live one.
    here: Option<Here>,
    /// Where to go next.
    wanted: Option<Goal>,
    /// The moment before that is still being looked for.
    looking: bool,
    speed: f64,
}

struct Here {
    model: Model,
    /// The way on; none where the live model was stopped, whose place is not known exactly.
    cursor: Option<Cursor>,
    /// The moment itself: between the last frame that the model has and the next.
    at: Time,
    /// Time passes.
    playing: bool,
    /// The live moment, held only while another one is looked for.
    on_leave: bool,
}

/// What was found in a history.
pub type Found = Result<Option<(Model, Cursor)>, Error>;

impl Traveller {
    /// At the live moment of a history that goes on.
    pub fn live(history: History) -> Self {
        Self {
            history,
            recorded: false,
            here: None,
            wanted: None,
            looking: false,
            speed: 1.0,
        }
    }

    /// At the beginning of a recording, or a while after it. Playing as soon as it is found.
    pub fn recorded(history: History, from: Duration, speed: f64) -> Self {
        let model = history.beginning();
        let (first, last) = history.range().unwrap_or_default();
        let at = (first + from).min(last);
        let mut traveller = Self {
            recorded: true,
            here: Some(Here {
                model,
                cursor: None,
                at,
                playing: true,
                on_leave: false,
            }),
            speed: speed.max(0.0),
            ..Self::live(history)
        };
        traveller.go(Goal::Time(at));
        traveller
    }

    /// From the beginning of a recording.
    pub fn again(&mut self) {
        *self = Self::recorded(self.history.clone(), Duration::ZERO, self.speed);
    }

    /// The model of the moment that is shown, unless it is the live one.
    pub fn shown(&self) -> Option<&Model> {
        self.here.as_ref().map(|here| &here.model)
    }

    /// It is a recording that one goes through.
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// It is a recording, and its end is shown.
    pub fn is_over(&self) -> bool {
        let here = self.here.as_ref();
        self.recorded && !self.is_playing() && here.is_some_and(|here| here.at >= self.latest())
    }

    /// How much faster than it did time is to pass.
    pub fn set_speed(&mut self, speed: f64) {
        self.speed = speed.max(0.0);
    }

    /// What the screen says of the moment.
    pub fn moment(&self) -> Moment {
        let Some(here) = &self.here else {
            return Moment::Live;
        };
        Moment::Past(Past {
            behind: self.latest().since(here.at),
            speed: here.playing.then_some(self.speed),
            recorded: self.recorded,
            seeking: self.is_seeking(),
        })
    }

    /// Time passes here, so that pictures have to be drawn.
    pub fn is_playing(&self) -> bool {
        let here = self.here.as_ref();
        here.is_some_and(|here| here.playing) && !self.is_seeking()
    }

    /// Another moment is wanted, or being looked for.
    pub fn is_seeking(&self) -> bool {
        self.looking || self.wanted.is_some()
    }

    /// What is to be looked for in the history now; what is found is to [`arrive`](Self::arrive).
    pub fn look(&mut self) -> Option<(History, Goal)> {
        if self.looking {
            return None;
        }
        let goal = self.wanted.take()?;
        self.looking = true;
        Some((self.history.clone(), goal))
    }

    /// Stops time, or lets it go on. `live` is the live model, if there is one.
    pub fn pause(&mut self, live: Option<&Model>) {
        let Some(here) = &mut self.here else {
            if let Some(live) = live {
                self.stop(live);
            }
            return;
        };
        if std::mem::take(&mut here.playing) {
            return;
        }
        if live.is_some() && here.cursor.is_none() && !self.looking && self.wanted.is_none() {
            // The live moment was only held.
            self.here = None;
            return;
        }
        here.playing = true;
        let (first, latest) = self.history.range().unwrap_or_default();
        if self.recorded && here.at >= latest {
            here.at = first;
            self.go(Goal::Time(first));
        }
    }

    fn stop(&mut self, live: &Model) -> &mut Here {
        let at = self.latest();
        self.here.insert(Here {
            model: live.clone(),
            cursor: None,
            at,
            playing: false,
            on_leave: false,
        })
    }

    /// Goes where a key leads, seen from here. Frames on the way are applied at once while they
    /// are `in_time`. An error is what to say.
    pub fn travel(
        &mut self,
        to: Travel,
        live: Option<&Model>,
        in_time: &dyn Fn() -> bool,
    ) -> Result<(), String> {
        match to {
            Travel::Slower => self.speed = slower(self.speed),
            Travel::Faster => self.speed = faster(self.speed),
            Travel::Now if self.recorded => {
                let latest = self.latest();
                self.halt(latest);
                self.go(Goal::Time(latest));
            }
            Travel::Now => {
                self.here = None;
                self.wanted = None;
                self.looking = false;
            }
            Travel::To(at) => {
                if self.here.is_none() {
                    let Some(live) = live else { return Ok(()) };
                    self.stop(live);
                }
                self.halt(at);
                self.go(Goal::Time(at));
            }
            Travel::Step { by, back } => {
                if self.history.range().is_none() {
                    return Err("nothing is kept of the past".to_owned());
                }
                if self.here.is_none() {
                    let Some(live) = live.filter(|_| back) else {
                        return Ok(());
                    };
                    self.stop(live).on_leave = true;
                }
                return self.step(by, back, in_time);
            }
        }
        Ok(())
    }

    fn step(&mut self, by: Stride, back: bool, in_time: &dyn Fn() -> bool) -> Result<(), String> {
        let (Some((first, latest)), Some(here)) = (self.history.range(), &self.here) else {
            return Ok(());
        };
        let place = here.cursor.as_ref().map(Cursor::frames);
        let frames = place.unwrap_or_else(|| self.history.end());
        match by {
            Stride::Time(time) if back => {
                let at = (here.at - time).max(first);
                if here.at <= first && self.history.dropped() > 0 {
                    return Err("what was before is no longer kept".to_owned());
                }
                self.shift(at);
                self.go(Goal::Time(at));
            }
            Stride::Time(time) => {
                let at = here.at + time;
                if at >= latest && !self.recorded {
                    return self.travel(Travel::Now, None, in_time);
                }
                let at = at.min(latest);
                self.shift(at);
                if !self.forward(at, in_time)? {
                    self.go(Goal::Time(at));
                }
            }
            Stride::Frame => {
                let to = if back {
                    frames.saturating_sub(1)
                } else {
                    frames.saturating_add(1)
                };
                self.halt(here.at);
                self.go(Goal::Frame(to));
            }
            Stride::Sign { sign, task } => {
                self.halt(here.at);
                self.go(Goal::Sign {
                    sign,
                    task,
                    from: frames,
                    back,
                });
            }
        }
        Ok(())
    }

    /// Takes another moment for this one, whose model is to follow.
    fn shift(&mut self, at: Time) {
        if let Some(here) = &mut self.here {
            here.at = at;
        }
    }

    fn halt(&mut self, at: Time) {
        if let Some(here) = &mut self.here {
            here.at = at;
            here.playing = false;
        }
    }

    fn latest(&self) -> Time {
        self.history
            .range()
            .map_or(Time::default(), |(_, last)| last)
    }

    fn go(&mut self, goal: Goal) {
        self.wanted = Some(goal);
    }

    /// Goes to what was found. An error is what to say.
    pub fn arrive(&mut self, goal: Goal, found: Found) -> Result<(), String> {
        self.looking = false;
        let found = found.map_err(|error| error.to_string())?;
        let Some(here) = &mut self.here else {
            return Ok(());
        };
        match (found, goal) {
            (Some((model, cursor)), goal) => {
                if !matches!(goal, Goal::Time(_)) {
                    here.at = cursor.time();
                }
                here.model = model;
                here.cursor = Some(cursor);
                here.on_leave = false;
                Ok(())
            }
            (None, Goal::Sign { back, .. }) => {
                let where_to = if back { "before" } else { "after" };
                if here.on_leave {
                    self.here = None;
                }
                Err(format!("there is none {where_to} this moment"))
            }
            (None, Goal::Time(_) | Goal::Frame(_)) => {
                Err("that moment is no longer kept".to_owned())
            }
        }
    }

    /// Lets so much time pass, unless a moment is looked for, and says whether something may
    /// look different. Time passes no faster than frames are applied `in_time`.
    pub fn pass(&mut self, time: Duration, in_time: &dyn Fn() -> bool) -> Result<bool, String> {
        if !self.is_playing() {
            return Ok(false);
        }
        let (latest, speed) = (self.latest(), self.speed);
        let Some(here) = &mut self.here else {
            return Ok(false);
        };
        let at = here.at + time.mul_f64(speed);
        if at >= latest && !self.recorded {
            self.here = None;
            return Ok(true);
        }
        let at = at.min(latest);
        here.at = at;
        if here.cursor.is_none() {
            self.go(Goal::Time(at));
        } else if !self.forward(at, in_time)? {
            let reached = self.here.as_ref().and_then(|here| here.cursor.as_ref());
            let reached = reached.map_or(at, Cursor::time);
            self.shift(reached);
            return Ok(true);
        }
        if at >= latest {
            self.halt(latest);
        }
        Ok(true)
    }

    /// Applies the frames up to a time. Says whether it came so far in time.
    fn forward(&mut self, to: Time, in_time: &dyn Fn() -> bool) -> Result<bool, String> {
        if self.is_seeking() {
            return Ok(false);
        }
        let Some(Here {
            model,
            cursor: Some(cursor),
            ..
        }) = &mut self.here
        else {
            return Ok(false);
        };
        let mut step = || -> Result<bool, Error> {
            while let Some(time) = self.history.peek(cursor)? {
                if time > to {
                    return Ok(true);
                }
                if !in_time() {
                    return Ok(false);
                }
                self.history.step(model, cursor)?;
            }
            Ok(true)
        };
        step().map_err(|error| {
            self.halt(to);
            error.to_string()
        })
    }
}

/// The next speed below this one.
fn slower(speed: f64) -> f64 {
    let below = SPEEDS.into_iter().rev().find(|other| *other < speed);
    below.unwrap_or(SPEEDS[0])
}

/// The next speed above this one.
fn faster(speed: f64) -> f64 {
    let above = SPEEDS.into_iter().find(|other| *other > speed);
    above.unwrap_or(SPEEDS[SPEEDS.len() - 1])
}
