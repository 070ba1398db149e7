//! Single polls, as the probe tells them: in columns on the wire, one by one here. Whoever wants
//! to know of polls reads them through this.

use std::time::Duration;

use loopview_api::v1;

use crate::frame::Time;

/// One poll that has ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// tokio's id of the task.
    pub task: u64,
    /// The probe's number of the thread.
    pub thread: u64,
    pub started: Time,
    pub lasted: Duration,
    /// When the task was woken for it, if that was told.
    pub woken: Option<Time>,
    /// tokio's id of the task that woke it; none if it was no task, or was not told.
    pub woken_by: Option<u64>,
}

/// The polls of a message. What makes no sense ends them.
pub fn polls(wire: &v1::Polls) -> impl Iterator<Item = Polled> {
    let since = wire.since.as_ref().and_then(Time::from_wire);
    let first = since.unwrap_or_default().as_nanos();
    let columns = wire
        .task
        .iter()
        .zip(&wire.thread)
        .zip(&wire.started)
        .zip(&wire.lasted)
        .zip(&wire.woken)
        .zip(&wire.woken_by);
    columns
        .scan(first, |at, row| {
            let (((((task, thread), started), lasted), woken), woken_by) = row;
            *at = at.checked_add_signed(*started)?;
            let started = Time::from_nanos(*at);
            let before = woken.checked_sub(1).map(Duration::from_nanos);
            Some(Polled {
                task: *task,
                thread: u64::from(*thread),
                started,
                lasted: Duration::from_nanos(*lasted),
                woken: before.map(|before| started - before),
                woken_by: (*woken_by > 0).then_some(*woken_by),
            })
        })
        .filter(move |_| since.is_some())
}

/// How many polls a message would have if all of its columns were as long as they are together.
pub(super) fn count(wire: &v1::Polls) -> usize {
    let columns = [
        wire.task.len(),
        wire.thread.len(),
        wire.started.len(),
        wire.lasted.len(),
        wire.woken.len(),
        wire.woken_by.len(),
    ];
    columns.iter().sum::<usize>() / columns.len()
}

/// The columns of a message are as long as each other, and there is a time to count from.
pub(super) fn is_sound(wire: &v1::Polls) -> bool {
    let n = wire.task.len();
    let others = [
        wire.thread.len(),
        wire.started.len(),
        wire.lasted.len(),
        wire.woken.len(),
        wire.woken_by.len(),
    ];
    let since = wire.since.as_ref().and_then(Time::from_wire);
    others.iter().all(|other| *other == n) && (n == 0 || since.is_some())
}
