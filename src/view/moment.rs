//! Which moment is shown, and how time passes there. Who feeds the model says so.

use std::time::Duration;

use crate::{
    frame::Time,
    model::{Sign, TaskId},
};

#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub enum Moment {
    /// The newest, as it comes.
    #[default]
    Live,
    Past(Past),
}

/// A moment that is not live.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How long before the newest that is known.
    pub behind: Duration,
    /// How much faster than it did time passes now; none while it stands still.
    pub speed: Option<f64>,
    /// It is of a recording: nothing newer can come.
    pub recorded: bool,
    /// Another one is being looked for.
    pub seeking: bool,
}

/// Where in time a key asks to go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Travel {
    /// A moment that was remembered.
    To(Time),
    /// Back or forth from the moment that is shown.
    Step {
        by: Stride,
        back: bool,
    },
    Slower,
    Faster,
    Now,
}

/// How far a step goes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stride {
    Time(Duration),
    Frame,
    /// To the next sign of this kind, of this task where it is one of a task.
    Sign {
        sign: Sign,
        task: Option<TaskId>,
    },
}
