//! What a task does at a time, and how long it did each.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::State;

/// A live task's state, as a timeline keeps it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doing {
    Running,
    Ready,
    Waiting,
    Sleeping,
    Idle,
}

impl Doing {
    /// In the order in which a person looks for them.
    pub const ALL: [Self; 5] = [
        Self::Ready,
        Self::Running,
        Self::Waiting,
        Self::Sleeping,
        Self::Idle,
    ];

    /// What a task does that is neither polled nor ready; none if it is, or has ended.
    pub(super) fn resting(state: State) -> Option<Self> {
        match state {
            State::Waiting => Some(Self::Waiting),
            State::Sleeping => Some(Self::Sleeping),
            State::Idle => Some(Self::Idle),
            State::Running | State::Ready | State::Done(_) => None,
        }
    }

    /// What a task does that is in this state; none if it has ended.
    pub(in crate::model) fn of(state: State) -> Option<Self> {
        match state {
            State::Running => Some(Self::Running),
            State::Ready => Some(Self::Ready),
            State::Done(_) => None,
            State::Waiting | State::Sleeping | State::Idle => Self::resting(state),
        }
    }

    pub fn state(self) -> State {
        match self {
            Self::Running => State::Running,
            Self::Ready => State::Ready,
            Self::Waiting => State::Waiting,
            Self::Sleeping => State::Sleeping,
            Self::Idle => State::Idle,
        }
    }
}

/// Time spent on each, in nanoseconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent([u64; 5]);

impl Spent {
    pub fn nanos(&self, doing: Doing) -> u64 {
        self.0[doing as usize]
    }

    pub fn time(&self, doing: Doing) -> Duration {
        Duration::from_nanos(self.nanos(doing))
    }

    pub fn total(&self) -> u64 {
        self.0.iter().copied().fold(0, u64::saturating_add)
    }

    pub(super) fn add(&mut self, doing: Doing, nanos: u64) {
        let sum = &mut self.0[doing as usize];
        *sum = sum.saturating_add(nanos);
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for doing in Doing::ALL {
            self.add(doing, other.nanos(doing));
        }
    }

    pub(super) fn be_worse(&mut self, other: &Self) {
        for (nanos, other) in self.0.iter_mut().zip(other.0) {
            *nanos = (*nanos).max(other);
        }
    }

    /// The part that falls to `part` of `whole` nanoseconds.
    pub(super) fn part(&self, part: u64, whole: u64) -> Self {
        if part >= whole {
            return *self;
        }
        let share = |n: u64| u128::from(n) * u128::from(part) / u128::from(whole);
        Self(self.0.map(|n| share(n) as u64))
    }
}
