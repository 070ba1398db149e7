//! Single polls, once their tasks are known: a probe tells of them before all else of a moment.

use loopview_api::v1;

use crate::{
    frame::{Event, Frame},
    model::{Model, Polled, polls},
};

/// Polls that wait for the rest of their moment.
#[derive(Debug, Default)]
pub struct Waiting {
    told: Vec<v1::Polls>,
}

impl Waiting {
    /// Takes in a frame. What waits no longer is given in the order in which it began.
    pub fn next(&mut self, frame: &Frame, model: &Model) -> Vec<Polled> {
        if let Event::Probe(update) = &frame.event {
            self.told.extend(update.polls.clone());
        }
        // Polls come before even that there is a probe.
        if model.polls_wait() || model.process.is_none() {
            Vec::new()
        } else {
            self.rest()
        }
    }

    /// Those that still wait when there is nothing more to come.
    pub fn rest(&mut self) -> Vec<Polled> {
        let mut rest: Vec<Polled> = self.told.iter().flat_map(polls).collect();
        self.told.clear();
        rest.sort_by_key(|poll| poll.started);
        rest
    }
}
