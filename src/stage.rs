//! What is on the screen, and what keys and the mouse do to it, without the screen: the dashboard shows it
//! to a person, the player turns it into pictures.

use std::time::Duration;

use crossterm::event::Event;

use crate::{
    model::Model,
    travel::Traveller,
    view::{Effect, Mouse, ViewState},
};

/// Finds the lines of a source file, or tells why there are none.
pub type Sources = Box<dyn Fn(&str) -> Result<Vec<String>, String>>;

pub struct Stage<'a> {
    pub traveller: Traveller,
    pub state: ViewState,
    sources: &'a Sources,
    /// The model has changed since the state took notice of it.
    stale: bool,
}

impl<'a> Stage<'a> {
    pub fn new(traveller: Traveller, state: ViewState, sources: &'a Sources) -> Self {
        Self {
            traveller,
            state,
            sources,
            stale: true,
        }
    }

    /// The model of the moment that is shown; `live` is that of the newest, if there is one.
    pub fn shown<'m>(&'m self, live: Option<&'m Model>) -> Option<&'m Model> {
        self.traveller.shown().or(live)
    }

    /// The model that is shown has changed, or is another; an error is told.
    pub fn changed(&mut self, how: Result<(), String>) {
        self.stale = true;
        if let Err(notice) = how {
            self.state.complain(notice);
        }
    }

    /// Lets so much time pass where it does, and says whether something may look different. Time
    /// passes no faster than frames are applied `in_time`.
    pub fn pass(&mut self, time: Duration, in_time: &dyn Fn() -> bool) -> bool {
        let passed = self.traveller.pass(time, in_time);
        let may_differ = passed != Ok(false);
        if may_differ {
            self.changed(passed.map(drop));
        }
        may_differ
    }

    /// Brings what the person has chosen up to date with the model.
    pub fn refresh(&mut self, live: Option<&Model>) {
        self.state.moment = self.traveller.moment();
        let Some(shown) = self.traveller.shown().or(live) else {
            return;
        };
        if std::mem::take(&mut self.stale) {
            self.state.sync(shown);
        }
        // Where one is missing, another is wanted.
        while let Some(file) = self.state.wanted_source().map(str::to_owned) {
            let text = (self.sources)(&file);
            self.state.give_source(&file, text, shown);
        }
    }

    /// Does what a person asks for, as far as that is about the screen, and tells what others must
    /// do. Frames on the way to another moment are applied at once while they are `in_time`.
    pub fn react(
        &mut self,
        event: &Event,
        live: Option<&Model>,
        in_time: &dyn Fn() -> bool,
    ) -> Option<Effect> {
        // What is done is done to what is shown, not to what has come since.
        self.refresh(live);
        let shown = self.traveller.shown().or(live)?;
        let effect = match event {
            Event::Key(key) => {
                let action = self.state.action(*key)?;
                self.state.act(action, shown)
            }
            Event::Mouse(event) => self.state.mouse(Mouse::from_event(*event)?, shown),
            Event::Paste(text) => {
                self.state.insert(text, shown);
                None
            }
            Event::Resize(width, height) => {
                self.state.resize(*width, *height);
                None
            }
            _ => return None,
        };
        let recorded = self.traveller.is_recorded();
        match &effect {
            Some(Effect::Pause) => {
                self.traveller.pause(live);
                self.changed(Ok(()));
            }
            Some(Effect::Travel(to)) => {
                let travelled = self.traveller.travel(*to, live, in_time);
                self.changed(travelled);
            }
            Some(Effect::RunAgain) if recorded => {
                self.traveller.again();
                self.changed(Ok(()));
            }
            Some(Effect::Record) if recorded => {
                self.changed(Err("this is a recording already".to_owned()));
            }
            Some(
                Effect::Quit | Effect::RunAgain | Effect::GiveUp | Effect::Record | Effect::Copy(_),
            )
            | None => {}
        }
        effect
    }
}
