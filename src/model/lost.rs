//! What of the target was not seen, or not kept.

use serde::{Deserialize, Serialize};

use super::{
    bounds,
    kept::{self, Sound, Unsound},
};

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Events that the target's instrument dropped because its buffer was full, and what came and
    /// went of which the probe could not tell us, as we read too slowly.
    pub events: u64,
    /// Times that the connection was lost.
    pub gaps: u64,
    /// Finished tasks that were forgotten here to bound memory.
    pub forgotten: u64,
    /// Tasks that the probe counted and the console protocol had not named when the
    /// program ended.
    pub unnamed: u64,
    /// Polls that the probe counted and could not tell, or told too late; unknown without
    /// the probe.
    pub polls: Option<u64>,
    /// Messages or parts of them that made no sense.
    pub malformed: u64,
    /// Frames that are missing in the history or the recording.
    pub frames: u64,
    /// Tasks, timers and others that live and were not taken in, as there were too many.
    pub untaken: u64,
}

impl Sound for Lost {
    fn sound(self) -> Result<Self, Unsound> {
        let Self {
            events,
            gaps,
            forgotten,
            unnamed,
            malformed,
            polls,
            frames,
            untaken,
        } = self;
        let polls = polls.unwrap_or_default();
        kept::countable(&[
            events, gaps, forgotten, unnamed, polls, malformed, frames, untaken,
        ])?;
        Ok(self)
    }
}

impl Lost {
    pub(super) fn add(&mut self, events: u64) {
        self.events = self.events.saturating_add(events);
    }

    /// What was lost on this side, however the target is told of from now on.
    pub(super) fn successor(&self) -> Self {
        Self {
            gaps: self.gaps,
            frames: self.frames,
            ..Self::default()
        }
    }

    /// Tells whether there is room for one more, and counts it if not.
    pub(super) fn has_room(&mut self, kept: usize) -> bool {
        let has_room = kept < bounds::MOST;
        self.untaken += u64::from(!has_room);
        has_room
    }
}
