//! What a task does, since when, and whom it woke while it did.

use std::time::Duration;

use crate::{
    frame::Time,
    model::{Kind, Model, State, Task, Wait},
};

/// Since when a task does what it does now.
pub(super) fn since(task: &Task) -> Time {
    let exact = task.running_since().or(task.ready_since());
    exact.or(task.last_poll_ended).unwrap_or(task.created)
}

/// Where the arrow of a wake at this time begins: in a poll or a call that is drawn.
pub(super) fn wake(model: &Model, waker: &Task, at: Time) -> Option<Time> {
    let (began, ended) = match model.timeline.poll_at(waker.id, at) {
        // Who waits for a call is woken when it has ended.
        _ if waker.kind == Kind::Blocking => (waker.first_poll?, waker.dropped),
        Some(poll) if poll.is_exact() => (poll.started(), Some(poll.ended())),
        _ => (waker.running_since()?, None),
    };
    let last = ended.map_or(at, |ended| ended - Duration::from_nanos(1));
    (began <= at).then(|| at.min(last).max(began))
}

/// What a task does, in few words.
pub(super) fn doing(model: &Model, task: &Task, state: State) -> String {
    match (state, model.wait(task)) {
        (State::Running, _) => "running".to_owned(),
        (State::Ready, _) => "ready".to_owned(),
        (_, Some(Wait::Timer(_))) => "sleeping".to_owned(),
        (_, Some(Wait::Resource(op))) => format!("waiting: {}", op.source),
        (_, Some(Wait::Task(other))) => format!("waiting: task {}", other.label()),
        (_, Some(Wait::Scope(scope))) => format!("waiting: {}", scope.kind),
        (_, None) => "idle".to_owned(),
    }
}
