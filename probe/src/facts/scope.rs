//! A block of structured concurrency: a span with the target `loopview::scope`.

use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use loopview_api::v1::Outcome;

use tracing::Metadata;

use super::site::Place;
use crate::clock::Nanos;

#[derive(Debug)]
pub(crate) struct Scope {
    /// It has a change that nobody has read, or nobody wants to.
    pub(crate) listed: AtomicBool,
    /// Its end has been read.
    pub(crate) is_kept: AtomicBool,
    pub(crate) meta: &'static Metadata<'static>,
    pub(crate) id: u64,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    /// The scope around it, 0 for none.
    pub(crate) parent: u64,
    /// The task that opened it, 0 for none.
    pub(crate) task: u64,
    pub(crate) place: Option<Place>,
    pub(crate) opened: Nanos,
    closed: AtomicU64,
    outcome: AtomicU8,
}

/// A scope as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: u64,
    pub(crate) kind: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) parent: u64,
    pub(crate) task: u64,
    pub(crate) place: Option<Place>,
    pub(crate) opened: Nanos,
    pub(crate) closed: Nanos,
    pub(crate) outcome: Outcome,
}

impl Scope {
    pub(crate) fn new(
        id: u64,
        meta: &'static Metadata<'static>,
        parent: u64,
        task: u64,
        opened: Nanos,
    ) -> Self {
        Self {
            listed: AtomicBool::new(true),
            is_kept: AtomicBool::new(false),
            meta,
            id,
            kind: Box::default(),
            name: Box::default(),
            parent,
            task,
            place: None,
            opened,
            closed: AtomicU64::new(0),
            outcome: AtomicU8::new(Outcome::Unspecified as u8),
        }
    }

    /// A timer that is made in it limits the time of what runs in it.
    pub(crate) fn is_time_limit(&self) -> bool {
        matches!(&*self.kind, "wait_for" | "timeout")
    }

    pub(crate) fn ends(&self, outcome: Outcome) {
        self.outcome.store(outcome as u8, Relaxed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire) > 0
    }

    pub(crate) fn close(&self, at: Nanos) {
        self.closed.store(at, Release);
    }

    pub(crate) fn read(&self) -> State {
        State {
            id: self.id,
            kind: self.kind.clone(),
            name: self.name.clone(),
            parent: self.parent,
            task: self.task,
            place: self.place.clone(),
            opened: self.opened,
            closed: self.closed.load(Relaxed),
            outcome: outcome(self.outcome.load(Relaxed)),
        }
    }
}

/// An outcome as it is kept in an atomic.
pub(crate) fn outcome(kept: u8) -> Outcome {
    Outcome::try_from(i32::from(kept)).unwrap_or_default()
}
