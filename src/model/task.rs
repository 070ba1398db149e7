//! One task: what the console protocol counts of it, and what our probe adds. How that is taken in
//! is in [`told`].

mod told;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{history::Strip, kept, scopes::ScopeId, timeline::Doing, wire::Location};
use crate::frame::Time;

pub(super) use told::{Ended, EndedPoll};

/// Our own number for a task, in the order in which tasks became known. The wire's id is
/// a span's and comes back once the span is gone; this one never does.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId(pub u64);

impl From<u64> for TaskId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<TaskId> for u64 {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

/// What a task is, from tokio's field `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Spawned with `tokio::spawn` and its like.
    Task,
    /// Spawned on a `LocalSet`.
    Local,
    /// The future given to `block_on`.
    BlockOn,
    /// A closure on the blocking pool.
    Blocking,
    /// A worker of the multi-thread runtime: tokio starts each as a blocking closure that
    /// runs as long as the runtime.
    Worker,
    Other(Box<str>),
}

impl Kind {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Task => "task",
            Self::Local => "local",
            Self::BlockOn => "block_on",
            Self::Blocking => "blocking",
            Self::Worker => "worker",
            Self::Other(name) => name,
        }
    }

    /// It is polled by the event loop, so that a long poll of it holds others up.
    pub fn is_async(&self) -> bool {
        !matches!(self, Self::Blocking | Self::Worker)
    }
}

/// How a task or a scope ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Ok,
    Error,
    Cancelled,
    Panicked,
    /// Of a scope only.
    TimedOut,
}

impl Outcome {
    pub(super) fn from_wire(outcome: v1::Outcome) -> Option<Self> {
        match outcome {
            v1::Outcome::Unspecified => None,
            v1::Outcome::Ok => Some(Self::Ok),
            v1::Outcome::Error => Some(Self::Error),
            v1::Outcome::Cancelled => Some(Self::Cancelled),
            v1::Outcome::Panicked => Some(Self::Panicked),
            v1::Outcome::TimedOut => Some(Self::TimedOut),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: Box<str>,
    pub value: Box<str>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    pub id: TaskId,
    /// The console protocol's id.
    pub span: u64,
    /// tokio's own id, if the target tells it.
    pub tokio_id: Option<u64>,
    pub name: Option<Box<str>>,
    pub kind: Kind,
    pub location: Option<Location>,
    /// Other fields of the task's span.
    pub fields: Vec<Field>,
    pub created: Time,
    pub dropped: Option<Time>,
    pub wakes: u64,
    pub self_wakes: u64,
    pub waker_clones: u64,
    pub waker_drops: u64,
    pub first_poll: Option<Time>,
    pub last_wake: Option<Time>,
    pub last_poll_started: Option<Time>,
    pub last_poll_ended: Option<Time>,
    #[serde(deserialize_with = "kept::sound")]
    pub history: Strip,
    pub parent: Option<TaskId>,
    pub scope: Option<ScopeId>,
    /// The task whose end it awaits.
    pub awaits: Option<TaskId>,
    /// The newest call that it gave to the blocking pool.
    pub(super) called: Option<TaskId>,
    /// The task that awaits its end, or did so last.
    pub awaited_by: Option<TaskId>,
    pub outcome: Option<Outcome>,
    /// The error's or the panic's text.
    pub error: Option<Box<str>>,
    /// The probe's number of the thread that last polled it.
    pub thread: Option<u64>,
    /// The probe's number of the runtime that it runs on.
    pub runtime: Option<u64>,
    /// What it did at the last moment that was told as a whole, if an event loop polls it and it
    /// had not ended.
    pub(super) doing: Option<Doing>,
    /// What the stats messages count: enters of the span.
    enters: u64,
    /// Of polls that have ended.
    #[serde(with = "kept::span")]
    busy: Duration,
    /// What the wire counts as time from wake to poll.
    #[serde(with = "kept::span")]
    scheduled: Duration,
    /// The part of it in which nothing had woken the task.
    #[serde(with = "kept::span")]
    unwoken: Duration,
    /// The longest poll seen, whether or not it is all of them.
    #[serde(with = "kept::span")]
    longest: Duration,
    /// None of those that are only known by their sum was longer than this.
    #[serde(with = "kept::span")]
    hidden: Duration,
    /// The probe's own count, which is of polls and nothing else.
    polls_exact: Option<u64>,
    /// Of the busy time, what is in the history.
    #[serde(with = "kept::span")]
    drawn_busy: Duration,
    /// Of the ready time, what is in the history.
    #[serde(with = "kept::span")]
    drawn_ready: Duration,
}

impl Task {
    pub(super) fn new(id: TaskId, span: u64) -> Self {
        Self {
            id,
            span,
            tokio_id: None,
            name: None,
            kind: Kind::Task,
            location: None,
            fields: Vec::new(),
            created: Time::default(),
            dropped: None,
            wakes: 0,
            self_wakes: 0,
            waker_clones: 0,
            waker_drops: 0,
            first_poll: None,
            last_wake: None,
            last_poll_started: None,
            last_poll_ended: None,
            history: Strip::default(),
            parent: None,
            scope: None,
            awaits: None,
            called: None,
            awaited_by: None,
            outcome: None,
            error: None,
            thread: None,
            runtime: None,
            doing: None,
            enters: 0,
            busy: Duration::ZERO,
            scheduled: Duration::ZERO,
            unwoken: Duration::ZERO,
            longest: Duration::ZERO,
            hidden: Duration::ZERO,
            polls_exact: None,
            drawn_busy: Duration::ZERO,
            drawn_ready: Duration::ZERO,
        }
    }

    pub fn is_done(&self) -> bool {
        self.dropped.is_some()
    }

    /// It has ended in an error or a panic.
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Error | Outcome::Panicked))
    }

    /// When the poll that is going on began.
    pub fn running_since(&self) -> Option<Time> {
        let started = self.last_poll_started.filter(|_| !self.is_done())?;
        self.last_poll_ended
            .is_none_or(|ended| ended < started)
            .then_some(started)
    }

    /// Since when it could run but has not been polled: since its wake, or since it was
    /// spawned.
    pub fn ready_since(&self) -> Option<Time> {
        if self.is_done() || self.running_since().is_some() {
            return None;
        }
        match (self.last_poll_started, self.last_wake) {
            (None, _) => Some(self.created),
            // A wake during the poll counts from the poll's end.
            (Some(started), Some(wake)) if wake > started => {
                Some(wake.max(self.last_poll_ended.unwrap_or(wake)))
            }
            _ => None,
        }
    }

    /// Its life so far: up to now, or to what is known of it, if that is newer.
    pub fn total(&self, now: Time) -> Duration {
        let told = [self.last_wake, self.last_poll_started, self.last_poll_ended];
        let known = told.into_iter().flatten().fold(now, Time::max);
        self.dropped.unwrap_or(known).since(self.created)
    }

    /// Time in polls, the one going on included.
    pub fn busy(&self, now: Time) -> Duration {
        self.busy
            + self
                .running_since()
                .map_or(Duration::ZERO, |s| now.since(s))
    }

    /// Time in which it could have run but was not polled: from each wake, and from the
    /// spawn, to the poll. Sleeping and waiting are not in it. Unknown for a `block_on`,
    /// whose wakes the target does not tell.
    pub fn ready(&self, now: Time) -> Option<Duration> {
        if !self.wakes_seen() {
            return None;
        }
        let spawn = self
            .first_poll
            .map_or(Duration::ZERO, |first| first.since(self.created));
        let since = self.ready_since().map_or(Duration::ZERO, |s| now.since(s));
        Some(self.scheduled.saturating_sub(self.unwoken) + spawn + since)
    }

    /// The rest: it waited for something by its own wish.
    pub fn idle(&self, now: Time) -> Duration {
        self.total(now)
            .saturating_sub(self.busy(now))
            .saturating_sub(self.ready(now).unwrap_or_default())
    }

    /// Time in polls that have ended.
    pub(super) fn ended_busy(&self) -> Duration {
        self.busy
    }

    /// How often it was polled. The stats messages count how often its span was entered,
    /// and the span is entered once more when the future is dropped.
    pub fn polls(&self) -> u64 {
        match (self.polls_exact, self.is_done()) {
            (Some(polls), _) => polls,
            (None, true) => self.enters.saturating_sub(1),
            (None, false) => self.enters,
        }
    }

    /// Live wakers: clones that are not dropped yet.
    pub fn wakers(&self) -> u64 {
        self.waker_clones.saturating_sub(self.waker_drops)
    }

    /// The longest poll, and whether it is known to be the longest: without the probe,
    /// polls between two updates are only known by their sum.
    pub fn longest_poll(&self, now: Time) -> (Duration, bool) {
        let running = self
            .running_since()
            .map_or(Duration::ZERO, |s| now.since(s));
        let longest = self.longest.max(running);
        let exact = self.polls_exact.is_some() || self.hidden <= longest;
        (longest, exact)
    }

    /// The number by which a person knows it: tokio's, or our own where that is not told.
    pub fn number(&self) -> u64 {
        self.tokio_id.unwrap_or(self.id.0)
    }

    /// The name, or what stands for it.
    pub fn label(&self) -> std::borrow::Cow<'_, str> {
        match (&self.name, &self.kind, self.tokio_id) {
            (Some(name), _, _) => (&**name).into(),
            (None, Kind::BlockOn, _) => "block_on".into(),
            (None, Kind::Worker, _) => "worker".into(),
            (None, Kind::Blocking, _) => self.call_name().into(),
            (None, _, Some(id)) => format!("task {id}").into(),
            (None, _, None) => format!("#{}", self.id.0).into(),
        }
    }

    /// A field of its span that is a number.
    pub fn figure(&self, name: &str) -> Option<u64> {
        let field = self.fields.iter().find(|f| &*f.name == name)?;
        field.value.parse().ok()
    }

    /// Stands for what made it: the place in the code and the name without its number, so
    /// that `worker-1` and `worker-2` are of one kind. Without a place it stands for itself.
    pub(super) fn cause(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let name = self.name.as_deref().unwrap_or_default();
        name.trim_end_matches(|c: char| c.is_ascii_digit())
            .hash(&mut hasher);
        match &self.location {
            Some(place) => place.hash(&mut hasher),
            None => self.id.hash(&mut hasher),
        }
        hasher.finish()
    }

    fn function(&self) -> &str {
        let function = self.fields.iter().find(|f| &*f.name == "fn");
        function.map_or("", |f| &*f.value)
    }

    /// A worker that goes on in the place of one that runs `block_in_place`, and was not started
    /// with the runtime.
    pub(super) fn stands_in(&self) -> bool {
        self.kind == Kind::Worker && !self.function().contains("::Launch::")
    }

    /// The function that a blocking call runs, or in which its closure stands, by the name
    /// of its type.
    fn call_name(&self) -> &str {
        let path = self.function();
        // A name with generic parts is cut at them, or its last word is one of theirs.
        let path = path.split('<').next().unwrap_or(path);
        let mut words = path.rsplit("::");
        let word = words.find(|part| !part.is_empty() && !part.starts_with("{{"));
        word.unwrap_or("blocking call")
    }

    /// Bytes of its name, place and fields.
    pub(super) fn text(&self) -> usize {
        let fields = self.fields.iter();
        let fields: usize = fields
            .map(|f| size_of::<Field>() + f.name.len() + f.value.len())
            .sum();
        let file = self.location.as_ref().map_or(0, |place| place.file.len());
        self.name.as_ref().map_or(0, |name| name.len()) + file + fields
    }

    /// Wakes of a `block_on` are invisible to the console protocol: what it counts as
    /// scheduled there is all the time between two polls.
    pub fn wakes_seen(&self) -> bool {
        self.kind != Kind::BlockOn || self.wakes > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While a target is told of faster than it can be read, a task's figures are newer than the
    /// moment up to which all is known.
    #[test]
    fn a_task_lives_as_long_as_anything_is_known_of_it() {
        let at = |ms: u64| Time::default() + Duration::from_millis(ms);
        let mut task = Task::new(TaskId(0), 1);
        task.created = at(10);
        assert_eq!(task.total(at(30)), Duration::from_millis(20));
        (task.last_poll_started, task.last_poll_ended) = (Some(at(70)), Some(at(90)));
        task.busy = Duration::from_millis(60);
        assert_eq!(task.total(at(30)), Duration::from_millis(80));
        assert!(task.busy(at(30)) <= task.total(at(30)));
        task.dropped = Some(at(95));
        assert_eq!(task.total(at(30)), Duration::from_millis(85));
    }
}
