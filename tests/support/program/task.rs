//! A task, and what the instruments count of it.

use std::time::Duration;

use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Kind,
    send::{Seen, Sent},
};

/// What console-subscriber counts of whatever can be polled.
#[derive(Debug, Default)]
pub struct Polls {
    pub current: u32,
    pub count: u64,
    pub first: Option<Time>,
    pub started: Option<Time>,
    pub ended: Option<Time>,
    pub busy: Duration,
    pub scheduled: Duration,
}

pub struct Task {
    pub span: u64,
    pub kind: Kind,
    pub name: String,
    pub location: (String, u32),
    pub created: Time,
    pub dropped: Option<Time>,
    pub polls: Polls,
    pub last_wake: Option<Time>,
    pub wakes: u64,
    pub self_wakes: u64,
    pub waker_clones: u64,
    pub waker_drops: u64,
    pub poll_times: Vec<Duration>,
    pub scheduled_times: Vec<Duration>,
    pub seen: Seen,
    /// The thread that polls it.
    pub on: Option<usize>,
    pub fact: Sent<v1::Task>,
    pub awaits: Option<usize>,
    /// What it holds.
    pub timers: Vec<usize>,
    pub ops: Vec<usize>,
    pub last_poll: Duration,
    /// When it was woken and not polled since, and by which task, by tokio's id.
    pub woken: Option<(Time, u64)>,
    /// The same of the poll that goes on: how long it was ready for it.
    pub ready: Option<(Duration, u64)>,
    /// Its poll keeps no waker.
    pub forgets: bool,
    /// The size of its future, and of what was spawned if tokio boxed that.
    pub size: u64,
    pub original_size: Option<u64>,
}

impl Polls {
    /// Tells how long it was scheduled, if that is known.
    pub fn start(&mut self, at: Time, last_wake: Option<Time>) -> Option<Duration> {
        self.current += 1;
        if self.current > 1 {
            return None;
        }
        self.count += 1;
        self.first.get_or_insert(at);
        self.started = Some(at);
        let scheduled = at.since(last_wake.max(self.ended)?);
        self.scheduled += scheduled;
        Some(scheduled)
    }

    pub fn end(&mut self, at: Time) -> Option<Duration> {
        self.current -= 1;
        if self.current > 0 {
            return None;
        }
        let lasted = at.since(self.started?);
        self.ended = Some(at);
        self.busy += lasted;
        Some(lasted)
    }
}

impl Task {
    pub fn enter(&mut self, at: Time) {
        self.last_poll = Duration::ZERO;
        let scheduled = self.polls.start(at, self.last_wake);
        self.scheduled_times.extend(scheduled);
        self.seen.changed = true;
    }

    pub fn exit(&mut self, at: Time) {
        if let Some(lasted) = self.polls.end(at) {
            self.poll_times.push(lasted);
            self.last_poll = lasted;
        }
        self.seen.changed = true;
        self.fact.changed = true;
    }

    /// What it waits for has a waker of it, if nothing else has.
    pub fn keep_a_waker(&mut self) {
        if self.waker_clones == self.waker_drops {
            self.waker_clones += 1;
        }
    }

    pub fn is_polled(&self) -> bool {
        self.polls.current > 0
    }

    /// Woken, or new, and not polled since.
    pub fn is_ready(&self) -> bool {
        self.dropped.is_none()
            && !self.is_polled()
            && (self.polls.started.is_none() || self.last_wake > self.polls.started)
    }
}
