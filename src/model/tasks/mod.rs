//! All tasks: which there are, and how they change as the two protocols tell of them.
//!
//! [`ids`] says which of them is meant, [`index`] has what follows from them, [`news`] what was
//! told since it was last taken, and [`busy`] their time in polls.

mod busy;
mod ids;
mod index;
mod news;

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use console_api::tasks as wire_tasks;
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost, Polled, Window, bounds,
    hand_overs::HandOvers,
    kept::{self, Sound, Unsound},
    pages::Pages,
    polls,
    scopes::ScopeId,
    task::{Ended, EndedPoll, Kind, Task, TaskId},
    timeline::Doing,
    totals::Totals,
};
use crate::frame::Time;

use self::{
    busy::Busy,
    ids::Ids,
    index::{Entry, Index},
    news::{ForLints, ForTimeline},
};

/// All tasks that are alive, and the finished ones that are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tasks {
    all: Pages<TaskId, Task>,
    #[serde(skip)]
    index: Index,
    ids: Ids,
    /// Finished ones, oldest first.
    finished: VecDeque<TaskId>,
    for_lints: ForLints,
    for_timeline: ForTimeline,
    /// What had ended when the lints last judged: whom an end wakes may be polled, and told of,
    /// only after that.
    ended_before: Vec<TaskId>,
    /// The probe tells of each poll.
    polls_are_told: bool,
    any_local: bool,
    /// What the forgotten ones have done.
    past: Totals,
    hand_overs: HandOvers,
    spawned: u64,
    /// The probe's own count, as it does not tell of each.
    recorded: u64,
    revision: u64,
    first_created: Option<Time>,
}

impl Sound for Tasks {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.spawned, self.revision])?;
        self.ids.check(self.all.keys())?;
        let finished: BTreeSet<TaskId> = self.finished.iter().copied().collect();
        let done = |(id, task): (TaskId, &Task)| task.is_done().then_some(id);
        let all_done: BTreeSet<TaskId> = self.all.iter().filter_map(done).collect();
        if finished != all_done || finished.len() != self.finished.len() {
            return Err(Unsound("a task that has ended, and has not"));
        }
        for task in self.all.values() {
            self.index.add(task);
        }
        Ok(self)
    }
}

impl Tasks {
    /// Finished tasks kept; the oldest are forgotten first.
    const MAX_FINISHED: usize = 20_000;

    /// With other tasks, none of which has a number that one had here.
    pub(super) fn successor(&self) -> Self {
        Self {
            ids: self.ids.successor(),
            ..Self::default()
        }
    }

    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.all.get(id)
    }

    /// In the order in which they became known.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.all.values()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Tasks that have not ended.
    pub fn live(&self) -> usize {
        self.all.len() - self.finished.len()
    }

    /// It is another number when tasks have come, gone or ended, or when their places in the tree
    /// or what is known of their ends have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Tasks that were ever spawned, as far as is known; not all are told of.
    pub fn spawned(&self) -> u64 {
        self.spawned.max(self.recorded)
    }

    pub(super) fn note_recorded(&mut self, tasks: u64) {
        if tasks > self.recorded {
            self.recorded = tasks;
            self.revision += u64::from(tasks > self.spawned);
        }
    }

    /// What all of them have done up to this time, the forgotten ones included.
    pub fn totals(&self, now: Time) -> Totals {
        let mut totals = self.index.at_rest.add_to(self.past);
        for task in self.running().chain(self.ready()) {
            totals.add(task, now);
        }
        totals
    }

    /// How many of the event loops' tasks do this, as of the last moment that was told as a
    /// whole.
    pub fn doing(&self, doing: Doing) -> usize {
        self.index.doing[doing as usize]
    }

    /// Takes note of what a task does; nothing once it has ended.
    pub(super) fn note_doing(&mut self, id: TaskId, doing: Option<Doing>) {
        if let Some(task) = self.all.get_mut(id) {
            let doing = doing.filter(|_| task.kind.is_async());
            let before = std::mem::replace(&mut task.doing, doing);
            self.index.change_doing(before, doing);
        }
    }

    /// What those have done that are forgotten.
    pub fn past(&self) -> Totals {
        self.past
    }

    /// Those that have ended and are kept, in the order in which they ended.
    pub fn ended(&self) -> impl ExactSizeIterator<Item = Option<&Task>> {
        self.finished.iter().map(|id| self.all.get(*id))
    }

    /// Tasks that could run and are not polled.
    pub fn ready(&self) -> impl Iterator<Item = &Task> {
        self.index.ready.iter().filter_map(|id| self.all.get(*id))
    }

    /// How many these are.
    pub fn ready_count(&self) -> usize {
        self.index.ready.len()
    }

    /// Tasks in a poll.
    pub fn running(&self) -> impl Iterator<Item = &Task> {
        self.index.running.iter().filter_map(|id| self.all.get(*id))
    }

    /// The live tasks of a scope, the oldest first.
    pub fn live_in(&self, scope: ScopeId) -> impl Iterator<Item = &Task> {
        let ids = (scope, TaskId(0))..=(scope, TaskId(u64::MAX));
        let ids = self.index.in_scope.range(ids);
        ids.filter_map(|(_, id)| self.all.get(*id))
    }

    /// Tasks of which the probe has told and the console protocol has not.
    pub fn unnamed(&self) -> usize {
        self.ids.unnamed()
    }

    /// Workers that appear among the tasks: those of a multi-thread runtime.
    pub fn workers(&self) -> usize {
        self.index.workers
    }

    /// When a poll of a task, from one time to another, gave its worker away.
    pub(super) fn handed_over(&self, id: TaskId, since: Time, until: Time) -> Option<Time> {
        self.hand_overs.first(id, since, until)
    }

    /// It blocks in place: it is polled, and another thread runs its worker.
    pub fn is_in_place(&self, task: &Task) -> bool {
        let since = task.running_since();
        since.is_some_and(|since| {
            let end = Time::from_nanos(u64::MAX);
            self.handed_over(task.id, since, end).is_some()
        })
    }

    /// A poll of it has blocked in place, not long ago.
    pub fn blocks_in_place(&self, id: TaskId) -> bool {
        self.hand_overs.any(id)
    }

    /// It is known as a worker.
    pub(super) fn is_worker(&self, id: TaskId) -> bool {
        let is_worker = |task: &Task| task.kind == Kind::Worker;
        self.index.pool.contains(&id) && self.get(id).is_some_and(is_worker)
    }

    /// Those on the blocking pool, workers included, in the order in which they became known.
    pub fn pool(&self) -> impl Iterator<Item = &Task> {
        self.index.pool.iter().filter_map(|id| self.all.get(*id))
    }

    /// There is, or was, a `LocalSet` with a task.
    pub fn any_local(&self) -> bool {
        self.any_local
    }

    /// Those that became known before this one, the newest first.
    pub fn before(&self, id: TaskId) -> impl Iterator<Item = &Task> {
        self.all.range(..id).rev()
    }

    pub(super) fn take_for_lints(&mut self) -> ForLints {
        self.ended_before.clone_from(&self.for_lints.ended);
        std::mem::take(&mut self.for_lints)
    }

    pub(super) fn take_for_timeline(&mut self) -> ForTimeline {
        self.for_timeline.take()
    }

    /// How much the timeline has not taken in.
    pub(super) fn waiting(&self) -> usize {
        self.for_timeline.len()
    }

    pub(super) fn touch_all(&mut self) {
        self.for_timeline.touched.extend(self.all.keys());
    }

    /// Something was told of what a task waits for.
    pub(super) fn touch(&mut self, id: TaskId) {
        self.for_timeline.touched.push(id);
    }

    /// The task that now has this id in the console protocol.
    pub fn by_span(&self, span: u64) -> Option<TaskId> {
        self.ids.by_span(span)
    }

    pub fn by_tokio_id(&self, id: u64) -> Option<&Task> {
        self.all.get(self.ids.by_tokio(id)?)
    }

    /// When the first task was made.
    pub fn first_created(&self) -> Option<Time> {
        self.first_created
    }

    /// Takes in an update, and tells how long the event loop's tasks were polled since the
    /// one before.
    pub(super) fn apply_console(
        &mut self,
        update: &wire_tasks::TaskUpdate,
        window: Window,
        lost: &mut Lost,
    ) -> Duration {
        // The message is in no order.
        let mut new = Vec::with_capacity(update.new_tasks.len());
        for wire in &update.new_tasks {
            match wire.id {
                Some(id) => {
                    let stats = update.stats_update.get(&id.id);
                    let created = stats.and_then(|s| Time::from_wire(s.created_at.as_ref()?));
                    new.push((created.unwrap_or(window.to), id.id, wire));
                }
                None => lost.malformed += 1,
            }
        }
        new.sort_by_key(|(created, span, _)| (*created, *span));
        for (created, span, wire) in new {
            self.describe(span, wire, created, lost);
        }
        // A task that was polled or waited at the last update did so until something is told of
        // it. Of one moment there can be many updates, and then no time has passed.
        let mut changed = BTreeSet::new();
        if !window.is_empty() {
            changed.extend(self.index.running.union(&self.index.ready));
        }
        let mut busy = Busy::default();
        let mut done = Vec::new();
        for (span, stats) in &update.stats_update {
            // A description that was dropped by a full buffer is counted there.
            let known = self.ids.by_span(*span);
            let Some(task) = known.and_then(|id| self.all.get_mut(id)) else {
                continue;
            };
            let id = task.id;
            changed.remove(&id);
            let was_done = task.is_done();
            let before = Entry::of(task);
            let ended = task.update(stats);
            self.index.change(id, &before, &Entry::of(task));
            busy.add(task, window, ended);
            let polls = ended.polls.into_iter().flatten();
            if !self.polls_are_told {
                self.for_lints.polls.extend(polls.clone());
            }
            self.for_timeline
                .polls
                .extend(ended.sum.into_iter().chain(polls));
            if task.kind == Kind::Worker {
                self.hand_overs.note(task);
            }
            self.for_timeline.touched.push(id);
            self.for_lints.changed.push(id);
            self.first_created = Some(
                self.first_created
                    .map_or(task.created, |first| first.min(task.created)),
            );
            if task.is_done() && !was_done {
                done.push((task.dropped, id));
            }
        }
        done.sort_unstable();
        for (_, id) in done {
            self.finished(id);
        }
        for id in changed {
            if let Some(task) = self.all.get_mut(id) {
                busy.add(task, window, Ended::default());
                self.for_lints.changed.push(id);
            }
        }
        while self.finished.len() > Self::MAX_FINISHED {
            self.forget_oldest();
            lost.forgotten += 1;
        }
        busy.of_the_loop(self.index.workers)
    }

    /// Takes in a new task, unless it is known: a first update after a reconnection, and
    /// the one after it, tell of all tasks again.
    fn describe(&mut self, span: u64, wire: &wire_tasks::Task, created: Time, lost: &mut Lost) {
        let known = self.ids.by_span(span);
        if let Some(known) = known.and_then(|id| self.all.get_mut(id)) {
            if known.created == created {
                return;
            }
            // Its span has been given to another task, so it is gone, unseen.
            if !known.is_done() {
                let before = Entry::of(known);
                known.dropped = Some(created);
                let id = known.id;
                self.index.change(id, &before, &Entry::of(known));
                self.finished(id);
            }
        }
        let mut task = Task::new(self.ids.next(), span);
        task.describe(wire);
        task.created = created;
        let is_text_full = self.index.text + task.text() > bounds::TEXT;
        let kept = if is_text_full {
            bounds::MOST
        } else {
            self.live()
        };
        if !lost.has_room(kept) {
            self.ids.leave_out(&task);
            return;
        }
        let fact = self.ids.name(&mut task);
        let id = task.id;
        self.spawned += 1;
        self.revision += 1;
        self.any_local |= task.kind == Kind::Local;
        self.index.add(&task);
        self.all.insert(id, task);
        self.for_lints.new.push(id);
        if let Some(fact) = fact {
            self.add_facts(&fact);
        }
    }

    fn finished(&mut self, id: TaskId) {
        self.revision += 1;
        self.finished.push_back(id);
        self.for_lints.ended.push(id);
    }

    fn forget_oldest(&mut self) {
        let oldest = self.finished.pop_front();
        let Some(task) = oldest.and_then(|id| self.all.remove(id)) else {
            return;
        };
        self.past.add(&task, task.dropped.unwrap_or_default());
        self.index.remove(&task);
        self.ids.forget(&task);
        self.for_timeline.gone.push(task.id);
        self.revision += 1;
    }

    /// The task with this id of tokio's, whether or not the console protocol has named it.
    pub(super) fn refer(&mut self, tokio_id: u64) -> TaskId {
        self.ids.refer(tokio_id)
    }

    /// The same, but for those that were forgotten here and for none, which is 0.
    pub(super) fn refer_to_kept(&mut self, tokio_id: u64) -> Option<TaskId> {
        self.ids.refer_to_kept(tokio_id)
    }

    /// Notes that a task awaits another one, by tokio's id, and gives that one's.
    fn awaits(&mut self, id: TaskId, awaited: u64) -> TaskId {
        let known = self.ids.by_tokio(awaited);
        if let Some(task) = known.and_then(|id| self.all.get_mut(id)) {
            task.awaited_by = Some(id);
            return task.id;
        }
        let promised = self.ids.promise(awaited);
        promised.awaited_by = Some(id);
        promised.id
    }

    /// Notes who awaited the tasks that have just ended. tokio wakes whoever has polled a
    /// `JoinHandle` when the task's future is gone, and by nobody else is one woken then.
    pub(super) fn note_joins(&mut self, told: &v1::Polls) {
        let ended = self.ended_before.iter().chain(&self.for_lints.ended);
        let ended = ended.filter_map(|id| {
            let task = self.all.get(*id)?;
            Some((task.tokio_id?, (task.id, task.dropped?)))
        });
        let ended: IdMap<u64, (TaskId, Time)> = ended.collect();
        if ended.is_empty() {
            return;
        }
        for poll in polls(told) {
            let by = poll.woken_by.and_then(|by| ended.get(&by));
            if let Some((id, dropped)) = by
                && poll.woken >= Some(*dropped)
                && let Some(awaits) = self.ids.by_tokio(poll.task)
                && let Some(task) = self.all.get_mut(*id)
            {
                task.awaited_by.get_or_insert(awaits);
            }
        }
    }

    /// Polls are told one by one: no others are guessed from sums.
    pub(super) fn polls_are_told(&mut self) {
        self.polls_are_told = true;
    }

    /// Keeps a poll for the lints, unless its task is forgotten.
    pub(super) fn note_poll(&mut self, poll: &Polled) {
        let Some(task) = self.refer_to_kept(poll.task) else {
            return;
        };
        self.for_lints.polls.push(EndedPoll {
            task,
            since: poll.started,
            lasted: poll.lasted,
            woken: None,
            over: None,
        });
    }

    pub(super) fn apply_probe(&mut self, facts: &[v1::Task]) {
        for fact in facts {
            self.add_facts(fact);
        }
    }

    fn add_facts(&mut self, fact: &v1::Task) {
        let Some(id) = self.ids.by_tokio(fact.id) else {
            // One that is forgotten was named, and is counted as such.
            if !self.ids.is_forgotten(fact.id) {
                self.ids.promise(fact.id).fact = Some(Box::new(fact.clone()));
            }
            return;
        };
        let parent = fact.parent.map(|id| self.refer(id));
        let awaits = fact.awaits.map(|awaited| self.awaits(id, awaited));
        let Some(task) = self.all.get_mut(id) else {
            return;
        };
        let before = (task.parent, task.scope, task.outcome);
        let entry = Entry::of(task);
        task.add_facts(fact, parent, awaits);
        self.index.change(id, &entry, &Entry::of(task));
        if task.kind == Kind::Worker {
            self.hand_overs.note(task);
        }
        let after = (task.parent, task.scope, task.outcome);
        let caller = parent.filter(|_| task.kind == Kind::Blocking);
        if let Some(caller) = caller.and_then(|id| self.all.get_mut(id)) {
            caller.called = caller.called.max(Some(id));
        }
        self.revision += u64::from(before != after);
        self.for_timeline.touched.push(id);
        self.for_lints.changed.push(id);
    }
}
