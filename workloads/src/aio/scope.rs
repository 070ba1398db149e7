//! What an observer is told of a combinator: a span from its call to its end.

use std::panic::Location;

use tracing::{Span, field::Empty, span::Entered};

use super::error::{Error, Result};

/// A combinator at work. Tasks that are spawned while it is entered are its children.
pub(super) struct Scope {
    span: Span,
}

impl Scope {
    /// Opens a scope of the current task, written at `at`.
    pub(super) fn open(kind: &'static str, at: &Location<'_>) -> Self {
        let span = tracing::trace_span!(
            target: "loopview::scope",
            "scope",
            kind,
            name = Empty,
            outcome = Empty,
            loc.file = at.file(),
            loc.line = at.line(),
            loc.col = at.column(),
        );
        Self { span }
    }

    /// Adds the name that a reader would call it by.
    pub(super) fn named(self, name: &str) -> Self {
        self.span.record("name", name);
        self
    }

    /// Enters it until the guard is dropped. A guard and not a closure: `#[track_caller]` does not
    /// reach into a closure, and a child's location must stay the user's line.
    pub(super) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Closes it with what the combinator is about to return.
    pub(super) fn close<T>(self, result: &Result<T>) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(Error::Cancelled) => "cancelled",
            Err(Error::TimedOut) => "timed_out",
            Err(Error::Group(_) | Error::Failed(_)) => "error",
        };
        self.span.record("outcome", outcome);
    }
}
