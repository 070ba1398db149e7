//! What is known of the target: a pure function of its frames.
//!
//! Nothing here reads a clock, a file or a socket, or knows a colour, a width or a key.
//! One file a kind of thing: [`task`] and [`tasks`], [`timer`] and [`timers`], [`resources`] (what a
//! task can wait for) and their [`holders`], [`why`] (what keeps a task from going on), [`scopes`],
//! [`threads`], [`runtimes`] (their workers), [`usage`] (processor and memory), [`totals`] (what
//! all tasks have done together), [`lengths`] (of polls), [`history`] (busy shares over time),
//! [`timeline`] (what each task did when), [`lint`] (what is wrong).
//! To add one, add its file, a field here, and a line in [`Model::apply`].

mod bounds;
pub mod details;
pub mod expired;
pub mod history;
pub mod holders;
mod kept;
pub mod lengths;
pub mod lint;
pub mod output;
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
mod wire;

use std::time::Duration;

use console_api::instrument::Update;
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use crate::frame::{Event, Exit, Frame, Gap, Target, Time};

pub use details::Details;
pub use history::Strip;
pub use holders::{Hold, Holder, Holders};
pub use lengths::Lengths;
pub use lint::{Blocked, Finding, Victim};
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
    },
    Ended(Exit),
}

/// What was not seen.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Events that the target's instrument dropped because its buffer was full.
    pub events: u64,
    /// Times that the connection was lost.
    pub gaps: u64,
    /// Finished tasks that were forgotten here to bound memory.
    pub forgotten: u64,
    /// Tasks that the probe counted and the console protocol had not named when the
    /// program ended.
    pub unnamed: u64,
    /// Polls that the probe counted and could not tell, or told too late; unknown without
    /// the probe.
    pub polls: Option<u64>,
    /// Messages or parts of them that made no sense.
    pub malformed: u64,
    /// Frames that are missing in the history or the recording.
    pub frames: u64,
    /// Tasks, timers and others that live and were not taken in, as there were too many.
    pub untaken: u64,
}

impl kept::Sound for Lost {
    fn sound(self) -> Result<Self, kept::Unsound> {
        let Self {
            events,
            gaps,
            forgotten,
            unnamed,
            malformed,
            polls,
            frames,
            untaken,
        } = self;
        let polls = polls.unwrap_or_default();
        kept::countable(&[
            events, gaps, forgotten, unnamed, polls, malformed, frames, untaken,
        ])?;
        Ok(self)
    }
}

impl Lost {
    fn add(&mut self, events: u64) {
        self.events = self.events.saturating_add(events);
    }

    /// Tells whether there is room for one more, and counts it if not.
    fn has_room(&mut self, kept: usize) -> bool {
        let has_room = kept < bounds::MOST;
        self.untaken += u64::from(!has_room);
        has_room
    }
}

/// It can be kept as bytes and read again, exactly; see [`kept`] for what that takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub target: Target,
    pub phase: Phase,
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
    /// Time of the probe's last update that was more than polls.
    facts_at: Option<Time>,
    /// The newest frame's time.
    latest: Time,
    /// Time of the last console update, to spread figures over what lies between two.
    console_at: Option<Time>,
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
            facts_at: None,
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

    /// Takes in one frame.
    pub fn apply(&mut self, frame: &Frame) {
        self.latest = self.latest.max(frame.at);
        let started = *self.started.get_or_insert(frame.at);
        self.started = Some(started.min(frame.at));
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
                if !matches!(self.phase, Phase::Ended(_)) {
                    self.phase = Phase::Disconnected {
                        reason: reason.clone(),
                    };
                }
            }
            Event::Gap(Gap::Missing { frames }) => {
                self.lost.frames = self.lost.frames.saturating_add(*frames);
                self.judge();
            }
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

    fn tell_time(&mut self) {
        let known = self.console_at.or(self.probe_at).unwrap_or(self.latest);
        self.now = self.now.max(known);
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

    fn apply_console(&mut self, now: Time, update: &Update) {
        self.connected();
        let from = self.console_at.unwrap_or(now);
        let window = Window {
            from,
            to: now.max(from),
        };
        if let Some(tasks) = &update.task_update {
            self.lost.add(tasks.dropped_events);
            let busy = self.tasks.apply_console(tasks, window, &mut self.lost);
            let changed = tasks.stats_update.keys();
            self.changed
                .extend(changed.filter_map(|span| self.tasks.by_span(*span)));
            let workers = self.runtimes.worker_count(&self.tasks);
            self.busy.add(window, busy / workers, history::Spent::Busy);
            self.polled = kept::bounded(self.polled.saturating_add(busy / workers));
            self.watched = kept::bounded(self.watched.saturating_add(window.length()));
            if let Some(first) = self.tasks.first_created() {
                self.started = self.started.map(|s| s.min(first));
            }
        }
        if let Some(ops) = &update.async_op_update {
            self.lost.add(ops.dropped_events);
        }
        if let Some(resources) = &update.resource_update {
            self.lost.add(resources.dropped_events);
        }
        if self.process.is_none() {
            self.timers
                .apply_console(update, window, &self.tasks, &mut self.lost);
        }
        self.resources.apply(
            update.resource_update.as_ref(),
            update.async_op_update.as_ref(),
            &self.tasks,
            self.process.is_none(),
            &mut self.lost,
        );
        let before = self.console_at.replace(window.to);
        self.tell_time();
        // The probe tells of timers and scopes right after this.
        if self.process.is_none() || self.much_waits() {
            self.place_polls();
        }
        self.note_history(now);
        // Of the first moment nobody knows yet whether there is a probe to tell of it, too.
        let is_alone = self.process.is_none() && before.is_some();
        if is_alone || is_whole(self.console_at, before, self.probe_at) {
            self.judge();
        }
    }

    /// Tells the timeline what has become of the tasks, once all of a moment is told: with the
    /// probe that is the polls, then the console's update and the probe's facts.
    fn note_history(&mut self, now: Time) {
        let with_probe = self.process.is_some();
        let is_all = self.console_at >= Some(now) && self.facts_at >= Some(now);
        self.timeline.watch(now);
        if with_probe && !is_all && !self.much_waits() {
            return;
        }
        let started = self.started.unwrap_or(now);
        for polls in std::mem::take(&mut self.polls) {
            self.tasks.note_joins(&polls);
            // Polls are told up to the present, and all else up to when all of it is known.
            let (tasks, lost) = (&mut self.tasks, &mut self.lost);
            self.timeline
                .apply(self.latest, started, &polls, tasks, lost);
        }
        for nap in std::mem::take(&mut self.naps) {
            self.timeline.slept(&nap);
        }
        for ended in self.tasks.take_ended() {
            let task = self.tasks.get(ended.task);
            // The poll of a worker is its whole life, and a call runs on a thread of its own.
            if !with_probe && task.is_some_and(|task| task.kind.is_async()) {
                self.timeline.apply_ended(&ended);
            }
        }
        for id in self.tasks.take_touched() {
            if let Some(task) = self.tasks.get(id) {
                let state = self.state(task);
                let timer = self.timers.next_of(id).filter(|timer| timer.exact);
                let due = timer.and_then(|timer| timer.deadline);
                // One that was due before its last poll ended was dealt with there.
                let is_ahead = |due: &Time| Some(*due) > task.last_poll_ended;
                let standing = timeline::Standing {
                    state,
                    due: due.filter(|due| state == State::Sleeping && is_ahead(due)),
                    with_probe,
                };
                self.timeline.judge(task, &standing);
                self.tasks.note_doing(id, timeline::Doing::of(state));
            }
        }
        for id in self.tasks.take_gone() {
            self.timeline.forget(id);
        }
        for thread in self.threads.iter() {
            self.timeline.judge_thread(thread);
        }
        if !with_probe {
            let running = self.tasks.running().filter(|task| task.kind.is_async());
            let since = running.filter_map(Task::running_since).min();
            self.timeline.judge_loop(since);
        }
        self.timeline.make_room(now);
    }

    /// Something else than the probe speaks, or only a part of it: more waits for what completes
    /// its moment than is told of any.
    fn much_waits(&self) -> bool {
        let told: usize = self.polls.iter().map(polls::count).sum();
        let waiting = told + self.tasks.waiting() + self.changed.len();
        self.polls.len() >= Self::MESSAGES || waiting >= Self::WAITING
    }

    /// Messages of polls, and polls and tasks, that may wait for the rest of their moment.
    const MESSAGES: usize = 64;
    const WAITING: usize = 1 << 20;

    fn apply_probe(&mut self, now: Time, update: &v1::Update) {
        self.connected();
        if let Some(polls) = &update.polls {
            self.take_in_polls(polls);
            if update.tasks.is_empty() && update.runtimes.is_empty() {
                // They come alone, before all else that is told of the same moment.
                self.note_history(now);
                return;
            }
        }
        let before = self.probe_at;
        self.probe_at = self.probe_at.max(Some(now));
        if let Some(process) = &update.process {
            if self.process.is_none() {
                // From here on the probe's own timers and holders, which are exact, take the
                // place of those guessed from the console protocol.
                self.timers = timers::Timers::default();
                self.resources.forget_holders();
                self.timeline.begin_anew();
                self.tasks.touch_all();
            }
            if let Some(at) = process.started_at.as_ref().and_then(Time::from_wire) {
                self.started = self.started.map(|s| s.min(at));
            }
            self.process = Some(Process {
                pid: process.pid,
                instrument: process.instrument.clone(),
                probe_version: process.probe_version.clone(),
                publish_interval: wire::duration(process.publish_interval.as_ref()),
            });
        }
        self.ended = update
            .ended_at
            .as_ref()
            .and_then(Time::from_wire)
            .or(self.ended);
        self.usage
            .apply(now, update.usage.as_ref(), update.overhead.as_ref());
        self.runtimes.apply(&update.runtimes);
        self.threads.apply(now, &update.threads);
        self.scopes.apply(&update.scopes, &mut self.lost);
        self.tasks.apply_probe(&update.tasks);
        self.timers
            .apply_probe(&update.timers, &mut self.tasks, &mut self.lost);
        for timer in &update.timers {
            let task = timer.task.map(|id| self.tasks.refer(id));
            let nap = task.and_then(|task| timeline::Nap::of(timer, task));
            self.naps.extend(nap);
        }
        self.resources
            .apply_probe(&update.resources, &mut self.tasks);
        if self.process.is_some() {
            self.lost.polls.get_or_insert(0);
        }
        self.timers.look_for_neglect(now, &self.tasks);
        self.tell_time();
        self.place_polls();
        self.facts_at = self.facts_at.max(Some(now));
        self.note_history(now);
        if is_whole(self.probe_at, before, self.console_at) {
            self.judge();
        }
    }

    /// The timeline has them later, when all is told of their moment.
    fn take_in_polls(&mut self, wire: &v1::Polls) {
        let least = self.lints.thresholds.shortest_poll();
        self.tasks.polls_are_told();
        for poll in polls(wire) {
            self.poll_lengths.add(&poll);
            if poll.lasted >= least {
                self.tasks.note_poll(&poll);
            }
        }
        self.polls.push(wire.clone());
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

/// Whether all is told of a moment, by what one of the two protocols has told up to now, and
/// up to before: the other one has told of it, too, or has fallen silent.
fn is_whole(now: Option<Time>, before: Option<Time>, other: Option<Time>) -> bool {
    other >= now || other < before
}

/// The time between two console updates.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Window {
    pub from: Time,
    pub to: Time,
}

impl Window {
    /// There was no update before this one.
    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }

    pub fn holds(self, at: Time) -> bool {
        self.from <= at && at <= self.to
    }

    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    /// What lies in it of the time between two others.
    pub fn part(self, from: Time, to: Time) -> Self {
        let from = from.clamp(self.from, self.to);
        let to = to.clamp(from, self.to);
        Self { from, to }
    }
}
