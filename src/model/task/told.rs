//! How what is told of a task changes it: the console protocol's messages, and the probe's facts.

use std::time::Duration;

use console_api::{self as console, field, tasks as wire_tasks};
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{Field, Kind, Outcome, Task, TaskId};
use crate::{
    frame::Time,
    model::{Window, history::Spent, kept, scopes::ScopeId, wire},
};

impl Task {
    pub(in crate::model) fn describe(&mut self, wire: &wire_tasks::Task) {
        self.location = wire.location.as_ref().and_then(|l| l.try_into().ok());
        let mut function = None;
        for f in &wire.fields {
            let (Some(name), Some(value)) = (field_name(f), &f.value) else {
                continue;
            };
            let text = value.to_string();
            match (name, value) {
                ("task.name", _) => self.name = (!text.is_empty()).then(|| text.into()),
                ("task.id", field::Value::U64Val(id)) => self.tokio_id = Some(*id),
                ("kind", _) => {
                    self.kind = match text.as_str() {
                        "task" => Kind::Task,
                        "local" => Kind::Local,
                        "block_on" => Kind::BlockOn,
                        "blocking" => Kind::Blocking,
                        _ => Kind::Other(text.into()),
                    }
                }
                _ => {
                    if name == "fn" {
                        function = Some(text.clone());
                    }
                    self.fields.push(Field {
                        name: name.into(),
                        value: text.into(),
                    });
                }
            }
        }
        // A closure of the scheduler's own runs a worker, whatever the function is called.
        let is_worker = |f: String| f.contains("::runtime::scheduler::multi_thread");
        if self.kind == Kind::Blocking && function.is_some_and(is_worker) {
            self.kind = Kind::Worker;
        }
    }

    /// Takes in a stats message, which replaces the last one. Tells of the polls that have
    /// ended since then, one by one as far as they are known so, and of a sum of the others.
    pub(in crate::model) fn update(&mut self, stats: &wire_tasks::Stats) -> Ended {
        let time = |t: &Option<prost_types::Timestamp>| t.as_ref().and_then(Time::from_wire);
        let polls = stats.poll_stats.unwrap_or_default();
        let was_running = self.running_since();
        let before = (self.ended_polls(), self.busy);
        let (enters, started) = (self.enters, self.last_poll_started);
        let ended = self.last_poll_ended;
        let scheduled = wire::duration(stats.scheduled_time.as_ref());
        let new_scheduled = scheduled.saturating_sub(self.scheduled);

        self.created = time(&stats.created_at).unwrap_or(self.created);
        self.dropped = self.dropped.or(time(&stats.dropped_at));
        self.wakes = stats.wakes;
        self.self_wakes = stats.self_wakes;
        self.waker_clones = stats.waker_clones;
        self.waker_drops = stats.waker_drops;
        self.last_wake = time(&stats.last_wake);
        self.first_poll = time(&polls.first_poll);
        self.last_poll_started = time(&polls.last_poll_started);
        self.last_poll_ended = time(&polls.last_poll_ended);
        self.enters = polls.polls;
        self.busy = wire::duration(polls.busy_time.as_ref());
        self.scheduled = scheduled;

        let only_dropped = self.is_done() && self.enters.saturating_sub(enters) == 1;
        if only_dropped && self.last_wake <= started {
            // Nothing had woken it since its last poll: it was aborted, and not late.
            self.unwoken += new_scheduled;
        }
        let since = was_running.or(ended).unwrap_or(self.created);
        self.tell_apart(
            self.ended_polls().saturating_sub(before.0),
            self.busy.saturating_sub(before.1),
            was_running,
            since,
        )
    }

    /// Polls that are over.
    pub(in crate::model) fn ended_polls(&self) -> u64 {
        let not_over = self.is_done() || self.running_since().is_some();
        self.enters.saturating_sub(u64::from(not_over))
    }

    /// Of `count` polls that took `time` together, the last is known, unless it is the drop
    /// of the future that was last; and so is a single other one. What is only known by its
    /// sum was after `since`.
    fn tell_apart(
        &mut self,
        count: u64,
        time: Duration,
        was_running: Option<Time>,
        since: Time,
    ) -> Ended {
        let poll = |since, lasted| EndedPoll {
            task: self.id,
            since,
            lasted,
            woken: None,
            over: None,
        };
        let started = self.last_poll_started.unwrap_or_default();
        let ended = self.last_poll_ended.filter(|ended| *ended >= started);
        let last = ended.map(|ended| EndedPoll {
            woken: self.last_wake.filter(|wake| *wake <= started),
            ..poll(started, ended.since(started))
        });
        let rest = time.saturating_sub(last.map_or(Duration::ZERO, |p| p.lasted));
        let last = last.filter(|_| count > 0 && !self.is_done());
        let others = count - u64::from(last.is_some());
        // Without a better clue, the other one came right before what was last.
        let other = (others == 1).then(|| poll(was_running.unwrap_or(started - rest), rest));
        let mean = rest / u32::try_from(others.max(1)).unwrap_or(u32::MAX);

        self.longest = last.map_or(mean, |p| p.lasted.max(mean)).max(self.longest);
        let mut sum = None;
        if others > 1 {
            self.hidden = self.hidden.max(rest);
            sum = Some(EndedPoll {
                over: Some(started.since(since).max(rest)),
                ..poll(since, rest)
            });
        }
        Ended {
            polls: [other, last],
            sum,
        }
    }

    /// Draws what a window was spent on, and tells how much of it was busy: polls and the
    /// wait that are known are drawn where they were, and the rest, a sum, evenly.
    pub(in crate::model) fn draw(&mut self, window: Window, ended: Ended) -> Duration {
        let busy = kept::bounded(self.busy(window.to));
        let busy = busy.saturating_sub(std::mem::replace(&mut self.drawn_busy, busy));
        let ready = kept::bounded(self.ready(window.to).unwrap_or_default());
        let ready = ready.saturating_sub(std::mem::replace(&mut self.drawn_ready, ready));

        let ended = ended.polls.into_iter().flatten();
        let ended = ended.map(|poll| window.part(poll.since, poll.since + poll.lasted));
        let running = self.running_since();
        let running = running.map(|since| window.part(since, window.to));
        let mut rest = busy;
        for poll in ended.chain(running) {
            self.history.add(poll, poll.length(), Spent::Busy);
            rest = rest.saturating_sub(poll.length());
        }
        let alive = window.part(self.created, window.to);
        self.history.add(alive, rest, Spent::Busy);

        let waiting = self.ready_since();
        let waiting = waiting.map_or(window.part(window.to, window.to), |since| {
            window.part(since, window.to)
        });
        self.history.add(waiting, waiting.length(), Spent::Ready);
        let rest = ready.saturating_sub(waiting.length());
        let polled = self.last_poll_started.unwrap_or(window.to);
        self.history
            .add(window.part(polled - rest, polled), rest, Spent::Ready);
        busy
    }

    /// Takes in what the probe says, with the tasks that it refers to.
    pub(in crate::model) fn add_facts(
        &mut self,
        fact: &v1::Task,
        parent: Option<TaskId>,
        awaits: Option<TaskId>,
    ) {
        self.parent = parent;
        self.awaits = awaits;
        self.scope = fact.scope.map(ScopeId);
        self.thread = fact.thread;
        self.runtime = fact.runtime;
        self.outcome = Outcome::from_wire(fact.outcome());
        self.error = (!fact.error.is_empty()).then(|| fact.error.as_str().into());
        self.polls_exact = Some(fact.polls);
        self.longest = wire::duration(fact.longest_poll.as_ref());
    }
}

/// What has ended since the update before.
#[derive(Copy, Clone, Debug, Default)]
pub(in crate::model) struct Ended {
    /// The last poll, and the one before if it is known.
    pub polls: [Option<EndedPoll>; 2],
    /// All the others together.
    pub sum: Option<EndedPoll>,
}

/// A poll that is over.
#[derive(Copy, Clone, Debug, Serialize, Deserialize)]
pub(in crate::model) struct EndedPoll {
    pub task: TaskId,
    pub since: Time,
    #[serde(with = "kept::span")]
    pub lasted: Duration,
    /// The last wake before it, if that is known.
    pub woken: Option<Time>,
    /// It stands for several, of which only the sum is known: they were somewhere in this
    /// time after `since`.
    pub over: Option<Duration>,
}

fn field_name(field: &console::Field) -> Option<&str> {
    match field.name.as_ref()? {
        field::Name::StrName(name) => Some(name),
        field::Name::NameIdx(_) => None,
    }
}
