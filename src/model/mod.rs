//! What is known of the target: a pure function of its frames.
//!
//! Nothing here reads a clock, a file or a socket, or knows a colour, a width or a key.
//! One file a kind of thing: [`task`] and [`tasks`], [`timer`] and [`timers`], [`resources`] (what a
//! task can wait for) and their [`holders`], [`why`] (what keeps a task from going on), [`scopes`],
//! [`threads`], [`runtimes`] (their workers), [`usage`] (processor and memory), [`totals`] (what
//! all tasks have done together), [`lengths`] (of polls), [`history`] (busy shares over time),
//! [`timeline`] (what each task did when), [`lint`] (what is wrong), [`lost`] (what was not seen).
//! To add one, add its file, a field here, and a line in [`moment`], where what is told of a moment
//! is taken in.

mod bounds;
pub mod details;
pub mod expired;
mod hand_overs;
pub mod history;
pub mod holders;
mod kept;
pub mod lengths;
pub mod lint;
mod lost;
mod moment;
pub mod output;
mod pages;
pub mod places;
mod polls;
pub mod resources;
pub mod runtimes;
pub mod scopes;
mod sign;
pub mod task;
pub mod tasks;
pub mod threads;
pub mod timeline;
pub mod timer;
pub mod timers;
pub mod totals;
pub mod tree;
pub mod usage;
pub mod wait;
pub mod why;
mod window;
mod wire;

use std::time::Duration;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use crate::frame::{Event, Exit, Frame, Gap, Target, Time};

pub use details::Details;
pub use history::Strip;
pub use holders::{Hold, Holder, Holders};
pub use lengths::Lengths;
pub use lint::{Blocked, Finding, Victim};
pub use lost::Lost;
pub use output::Output;
pub use places::Place;
pub use polls::{Polled, polls};
pub use resources::{AsyncOp, Resource, ResourceKind};
pub use runtimes::{Flavor, Runtime, Worker, WorkerId};
pub use scopes::{Scope, ScopeId};
pub use sign::Sign;
pub use task::{Kind, Outcome, Task, TaskId};
pub use threads::{Role, Thread};
pub use timeline::Timeline;
pub use timer::{Timer, TimerId, TimerKind, TimerState};
pub use totals::Totals;
pub use wait::{State, Wait};
pub use why::{Cycle, Link, Why};
pub(crate) use window::Window;
pub use wire::Location;

/// By an id. Ids are looked up for each poll, so by a hash that costs little.
pub(crate) type IdMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// Where the target is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// No endpoint has answered yet; for how long, once it is worth telling.
    Connecting {
        #[serde(with = "kept::span")]
        waited: Option<Duration>,
    },
    Live,
    /// The connection is gone and the process, if it is ours, has not ended.
    Disconnected {
        reason: String,
        trying: Option<Trying>,
    },
    Ended(Exit),
}

/// That a connection is tried again.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trying {
    /// How long ago the last was lost.
    #[serde(with = "kept::span")]
    pub lost: Duration,
    /// In how long: at once, if that is nothing.
    #[serde(with = "kept::span")]
    pub again: Duration,
}

/// It can be kept as bytes and read again, exactly; see [`kept`] for what that takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub target: Target,
    pub phase: Phase,
    /// How many connections there were before the one that told all of this.
    pub connection: u32,
    /// Up to when tasks are known: the last console update.
    pub now: Time,
    /// The oldest thing known: the run's start, or the first frame.
    pub started: Option<Time>,
    /// When the run said that it was over: the state is final.
    pub ended: Option<Time>,
    /// Somebody paused the target's instrument, for everyone.
    pub target_paused: bool,
    /// Who the target is, if it has our probe, and what it and the probe use.
    pub process: Option<Process>,
    pub usage: usage::Usage,
    #[serde(deserialize_with = "kept::sound")]
    pub tasks: tasks::Tasks,
    #[serde(deserialize_with = "kept::sound")]
    pub timers: timers::Timers,
    #[serde(deserialize_with = "kept::sound")]
    pub resources: resources::Resources,
    #[serde(deserialize_with = "kept::sound")]
    pub scopes: scopes::Scopes,
    pub threads: threads::Threads,
    pub runtimes: runtimes::Runtimes,
    /// The share of the workers' time spent in polls.
    #[serde(deserialize_with = "kept::sound")]
    pub busy: Strip,
    #[serde(deserialize_with = "kept::sound")]
    pub timeline: Timeline,
    /// Of what the probe tells poll by poll.
    pub poll_lengths: lengths::PollLengths,
    pub details: Option<Details>,
    #[serde(deserialize_with = "kept::sound")]
    pub output: Output,
    #[serde(deserialize_with = "kept::sound")]
    pub lints: lint::Lints,
    #[serde(deserialize_with = "kept::sound")]
    pub places: places::Places,
    #[serde(deserialize_with = "kept::sound")]
    pub lost: Lost,
    /// Polls that wait for what is told of the same moment.
    #[serde(with = "kept::polls")]
    polls: Vec<v1::Polls>,
    /// Sleeps that wait for these.
    naps: Vec<timeline::Nap>,
    /// The newest frame's time.
    latest: Time,
    /// Time of the last console update, to spread figures over what lies between two.
    console_at: Option<Time>,
    /// Time of the probe's last update that was more than polls.
    probe_at: Option<Time>,
    /// The part of `busy` that a strip forgets: all of it, and over how long.
    #[serde(with = "kept::span")]
    polled: Duration,
    #[serde(with = "kept::span")]
    watched: Duration,
    /// Tasks of which something was told that has no place yet.
    changed: Vec<TaskId>,
}

/// What the probe says of its process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    pub instrument: String,
    pub probe_version: String,
    #[serde(with = "kept::span")]
    pub publish_interval: Duration,
}

impl Model {
    pub fn new(target: Target) -> Self {
        Self {
            target,
            phase: Phase::Connecting { waited: None },
            connection: 0,
            now: Time::default(),
            started: None,
            ended: None,
            target_paused: false,
            process: None,
            usage: usage::Usage::default(),
            tasks: tasks::Tasks::default(),
            timers: timers::Timers::default(),
            resources: resources::Resources::default(),
            scopes: scopes::Scopes::default(),
            threads: threads::Threads::default(),
            runtimes: runtimes::Runtimes::default(),
            busy: Strip::default(),
            timeline: Timeline::default(),
            poll_lengths: lengths::PollLengths::default(),
            details: None,
            output: Output::default(),
            lints: lint::Lints::default(),
            places: places::Places::default(),
            lost: Lost::default(),
            polls: Vec::new(),
            naps: Vec::new(),
            latest: Time::default(),
            console_at: None,
            probe_at: None,
            polled: Duration::ZERO,
            watched: Duration::ZERO,
            changed: Vec::new(),
        }
    }

    /// The same, with other thresholds for its lints.
    pub fn with_thresholds(target: Target, thresholds: &lint::Thresholds) -> Self {
        let mut model = Self::new(target);
        model.lints.thresholds = thresholds.clone();
        model
    }

    /// The same model, with a timeline so small that it can be kept again and again. Read from
    /// a keyframe, it has room as any other.
    #[must_use]
    pub fn for_keyframes(mut self) -> Self {
        self.timeline.bound(Timeline::KEPT, self.latest);
        self
    }

    /// What is told from here on may be of another process, and of the same one it is told from its
    /// beginning. What was not seen on this side stays so, and no number comes to mean another
    /// task.
    fn begin_anew(&mut self) {
        let thresholds = &self.lints.thresholds;
        *self = Self {
            connection: self.connection.saturating_add(1),
            tasks: self.tasks.successor(),
            timeline: self.timeline.successor(),
            lost: self.lost.successor(),
            ..Self::with_thresholds(self.target.clone(), thresholds)
        };
    }

    /// Takes in one frame.
    pub fn apply(&mut self, frame: &Frame) {
        // Nothing is known of the time in which nobody tells.
        if !matches!(frame.event, Event::Anew | Event::Gap(Gap::Away { .. })) {
            self.latest = self.latest.max(frame.at);
            let started = *self.started.get_or_insert(frame.at);
            self.started = Some(started.min(frame.at));
        }
        match &frame.event {
            Event::Console(update) => self.apply_console(frame.at, update),
            Event::Probe(update) => self.apply_probe(frame.at, update),
            Event::Silence => self.tell_time(),
            Event::Details(details) => self.apply_details(details),
            Event::Paused(paused) => self.target_paused = *paused,
            Event::Output(line) => self.output.push(frame.at, line),
            Event::Gap(Gap::NoEndpoint { waited }) => {
                if let Phase::Connecting { waited: told } = &mut self.phase {
                    *told = Some(*waited);
                }
            }
            Event::Gap(Gap::ConnectionLost { reason }) => {
                self.lost.gaps = self.lost.gaps.saturating_add(1);
                if self.ended.is_some() {
                    self.judge_the_end();
                }
                self.disconnected(reason, None);
            }
            Event::Gap(Gap::Missing { frames }) => {
                self.lost.frames = self.lost.frames.saturating_add(*frames);
                self.judge();
            }
            Event::Gap(Gap::Away {
                reason,
                lost,
                again,
            }) => {
                let lost = kept::bounded(*lost);
                let again = again.map(kept::bounded);
                self.disconnected(reason, again.map(|again| Trying { lost, again }));
            }
            Event::Anew => self.begin_anew(),
            Event::Exit(exit) => {
                self.phase = Phase::Ended(*exit);
                self.judge_the_end();
            }
        }
    }

    /// Polls were told of tasks that may still be unknown: all else of their moment is to come.
    pub fn polls_wait(&self) -> bool {
        !self.polls.is_empty()
    }

    /// The task that a worker polls now, if its thread is known.
    pub fn polled_by(&self, worker: WorkerId) -> Option<&Task> {
        let thread = self.runtimes.worker(worker)?.thread?;
        self.tasks.by_tokio_id(self.threads.get(thread)?.task?)
    }

    /// Up to when timers are known. With the probe that is its last update, which comes at
    /// other moments than the console's: by the wrong one of the two, timers that have fired
    /// would seem late.
    pub fn timers_at(&self) -> Time {
        match (&self.process, self.probe_at) {
            (Some(_), Some(probe)) => probe,
            _ => self.now,
        }
    }

    fn apply_details(&mut self, wire: &console_api::tasks::TaskDetails) {
        let task = wire
            .task_id
            .as_ref()
            .and_then(|id| self.tasks.by_span(id.id));
        match task.map(|task| Details::from_wire(task, wire)) {
            Some(Ok(details)) => self.details = Some(details),
            Some(Err(())) | None => self.lost.malformed += 1,
        }
    }

    fn connected(&mut self) {
        if !matches!(self.phase, Phase::Ended(_)) {
            self.phase = Phase::Live;
        }
    }

    fn disconnected(&mut self, reason: &str, trying: Option<Trying>) {
        if !matches!(self.phase, Phase::Ended(_)) {
            let reason = reason.to_owned();
            self.phase = Phase::Disconnected { reason, trying };
        }
    }

    /// How long the target has run, as of the newest frame.
    pub fn elapsed(&self) -> Duration {
        let end = self.ended.unwrap_or(self.latest);
        self.started.map_or(Duration::ZERO, |s| end.since(s))
    }

    /// How old the state is that is shown, where that is worth telling: the target has
    /// stalled, or its instrument cannot keep up with it.
    pub fn behind(&self) -> Option<Duration> {
        let interval = self
            .process
            .as_ref()
            .map_or(Self::USUAL_INTERVAL, |p| p.publish_interval);
        let behind = self.latest.since(self.now);
        let worth = interval
            .saturating_mul(2)
            .saturating_add(Self::WORTH_TELLING);
        (self.phase == Phase::Live && behind > worth).then_some(behind)
    }

    /// console-subscriber's publish interval, unless it is told otherwise.
    const USUAL_INTERVAL: Duration = Duration::from_secs(1);
    const WORTH_TELLING: Duration = Duration::from_millis(500);

    /// The share of the workers' time that went into polls, since the first update.
    pub fn busy_ratio(&self) -> Option<f64> {
        let whole = self.watched.as_secs_f64();
        (whole > 0.0).then(|| (self.polled.as_secs_f64() / whole).min(1.0))
    }

    /// Time that a worker has spent in polls since the first update, the mean of them: what
    /// [`Self::busy_ratio`] is a share of.
    pub fn loop_busy(&self) -> Duration {
        self.polled
    }

    /// What fills the console protocol in the target, once that is known.
    pub fn instrument(&self) -> Option<&str> {
        match (&self.process, self.console_at) {
            (Some(process), _) => Some(&process.instrument),
            (None, Some(_)) => Some("console-subscriber"),
            (None, None) => None,
        }
    }
}
