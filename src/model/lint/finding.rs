//! One thing that was found wrong.

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Kind, Victim};
use crate::{
    frame::Time,
    model::{Location, Task, TaskId, kept},
};

/// What was found, and how often. Of several cases with one cause it describes the worst.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub kind: Kind,
    /// When that began: a poll, a wait, a task.
    pub at: Time,
    pub task: Option<TaskId>,
    pub location: Option<Location>,
    /// How long it took, which is how bad it is; 0 of what is bad without a length.
    #[serde(with = "kept::span")]
    pub lasted: Duration,
    /// Of a blocked loop: who was late most, and how many were late in all.
    pub victims: Vec<Victim>,
    pub late: usize,
    /// How many cases there were. A lint tells of one, or of all that it knows of.
    pub count: u64,
    /// The sentence that a person reads, but for the task's name, which comes first.
    pub message: String,
    /// What it was judged by. A key ends with its figure's unit, if it has one.
    pub evidence: Vec<(Cow<'static, str>, Figure)>,
    /// The cause: cases of one lint with the same cause are one finding.
    pub(super) cause: u64,
    /// Tells the cases of one task apart; the same for all if a task has one case at most.
    pub(super) case: Time,
}

/// A figure of the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// Told in milliseconds.
    Time(#[serde(with = "kept::span")] Duration),
    Count(u64),
    Text(Box<str>),
}

/// Which finding it is: of which lint, and what its cases have in common.
pub type FindingId = (Kind, u64);

impl Finding {
    pub fn id(&self) -> FindingId {
        (self.kind, self.cause)
    }

    /// Something about the target as a whole.
    pub(super) fn new(kind: Kind, at: Time, message: String) -> Self {
        Self {
            kind,
            at,
            task: None,
            location: None,
            lasted: Duration::ZERO,
            victims: Vec::new(),
            late: 0,
            count: 1,
            message,
            evidence: Vec::new(),
            cause: 0,
            case: Time::default(),
        }
    }

    /// Something about a task. Tasks of one place in the code with names that differ in a
    /// number are taken to have one cause.
    pub(super) fn of(kind: Kind, task: &Task, at: Time, message: String) -> Self {
        Self {
            task: Some(task.id),
            location: task.location.clone(),
            cause: task.cause(),
            ..Self::new(kind, at, message)
        }
    }

    /// How long it took. It goes into the evidence, too, under this key.
    pub(super) fn lasted(mut self, key: &'static str, lasted: Duration) -> Self {
        self.lasted = lasted;
        self.with(key, Figure::Time(lasted))
    }

    /// A task may have many such cases, which differ in when they began.
    pub(super) fn one_of_many(mut self) -> Self {
        self.case = self.at;
        self
    }

    pub(super) fn with(mut self, key: &'static str, figure: Figure) -> Self {
        self.evidence.push((key.into(), figure));
        self
    }

    /// For how much of the time the system did not run the thread, where that is told.
    pub(super) fn with_kept_off(self, kept_off: Option<Duration>) -> Self {
        match kept_off {
            Some(kept_off) => self.with("kept_off_ms", Figure::Time(kept_off)),
            None => self,
        }
    }
}
