//! How a moment becomes part of the model: what the two protocols tell of it, in which order they
//! may do so, and when all of it is told, so that it is judged and drawn.
//!
//! The console protocol's update and the probe's of the same moment are two frames; and polls may
//! come before either, as they alone are told up to the present.

use console_api::instrument::Update;
use loopview_api::v1;

use super::{
    Model, Process, State, Task, Window,
    history::Spent,
    kept, polls,
    timeline::{Doing, Nap, Standing},
    timers::Timers,
    wire,
};
use crate::frame::Time;

impl Model {
    /// Messages of polls, and polls and tasks, that may wait for the rest of their moment.
    pub(super) const MESSAGES: usize = 64;
    const WAITING: usize = 1 << 20;

    pub(super) fn apply_console(&mut self, now: Time, update: &Update) {
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
            self.busy.add(window, busy / workers, Spent::Busy);
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
        let is_all = self.console_at >= Some(now) && self.probe_at >= Some(now);
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
        let told = self.tasks.take_for_timeline();
        for ended in told.polls {
            let task = self.tasks.get(ended.task);
            // The poll of a worker is its whole life, and a call runs on a thread of its own.
            if !with_probe && task.is_some_and(|task| task.kind.is_async()) {
                self.timeline.apply_ended(&ended);
            }
        }
        for id in told.touched {
            if let Some(task) = self.tasks.get(id) {
                let state = self.state(task);
                // Without the probe it would be a guess.
                let sleeps = with_probe && state == State::Sleeping;
                let due = sleeps.then(|| self.timers.next_deadline_of(id)).flatten();
                // One that was due before its last poll ended was dealt with there.
                let is_ahead = |due: &Time| Some(*due) > task.last_poll_ended;
                let standing = Standing {
                    state,
                    due: due.filter(is_ahead),
                    with_probe,
                    in_place: self.tasks.is_in_place(task),
                };
                self.timeline.judge(task, &standing);
                self.tasks.note_doing(id, Doing::of(state));
            }
        }
        for id in told.gone {
            self.timeline.forget(id);
        }
        for thread in self.threads.iter() {
            let polled = thread.task.and_then(|id| self.tasks.by_tokio_id(id));
            let in_place = polled.is_some_and(|task| self.tasks.is_in_place(task));
            self.timeline.judge_thread(thread, in_place);
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

    pub(super) fn apply_probe(&mut self, now: Time, update: &v1::Update) {
        self.connected();
        if let Some(polls) = &update.polls {
            self.take_in_polls(polls);
            if is_without_facts(update) {
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
                self.timers = Timers::default();
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
        if let Some(missed) = &update.missed {
            for events in [missed.tasks, missed.resources, missed.scopes] {
                self.lost.add(events);
            }
        }
        self.usage
            .apply(now, update.usage.as_ref(), update.overhead.as_ref());
        let recorded = update.overhead.map(|overhead| overhead.recorded_tasks);
        self.tasks.note_recorded(recorded.unwrap_or_default());
        self.runtimes.apply(&update.runtimes);
        self.threads.apply(now, &update.threads);
        self.scopes.apply(&update.scopes, &mut self.lost);
        self.tasks.apply_probe(&update.tasks);
        self.timers
            .apply_probe(&update.timers, &mut self.tasks, &mut self.lost);
        for timer in &update.timers {
            let task = timer.task.map(|id| self.tasks.refer(id));
            let nap = task.and_then(|task| Nap::of(timer, task));
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

    /// Lets the clock go on to the last time at which something was told, or to this silence.
    pub(super) fn tell_time(&mut self) {
        let known = self.console_at.or(self.probe_at).unwrap_or(self.latest);
        self.now = self.now.max(known);
    }
}

/// Whether all is told of a moment, by what one of the two protocols has told up to now, and
/// up to before: the other one has told of it, too, or has fallen silent.
fn is_whole(now: Option<Time>, before: Option<Time>, other: Option<Time>) -> bool {
    other >= now || other < before
}

/// It tells of polls at most.
fn is_without_facts(update: &v1::Update) -> bool {
    let v1::Update {
        now: _,
        polls: _,
        // They are parts of every message.
        overhead: _,
        console: _,
        process,
        runtimes,
        tasks,
        timers,
        scopes,
        threads,
        resources,
        usage,
        missed,
        ended_at,
    } = update;
    process.is_none()
        && runtimes.is_empty()
        && tasks.is_empty()
        && timers.is_empty()
        && scopes.is_empty()
        && threads.is_empty()
        && resources.is_empty()
        && usage.is_none()
        && missed.is_none()
        && ended_at.is_none()
}
