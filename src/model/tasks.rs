//! All tasks: which there are, which run, and what their numbers refer to.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use console_api::tasks as wire_tasks;
use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    IdMap, Lost, Polled, Window, bounds,
    kept::{self, Sound, Unsound},
    polls,
    scopes::ScopeId,
    task::{Ended, EndedPoll, Kind, Task, TaskId},
    timeline::Doing,
    totals::{Share, Sums, Totals},
};
use crate::frame::Time;

/// All tasks that are alive, and the finished ones that are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tasks {
    all: BTreeMap<TaskId, Task>,
    #[serde(serialize_with = "kept::sorted")]
    by_span: IdMap<u64, TaskId>,
    #[serde(serialize_with = "kept::sorted")]
    by_tokio: IdMap<u64, TaskId>,
    /// Tasks in a poll, as of the newest update.
    running: BTreeSet<TaskId>,
    /// Tasks that could run, as of the newest update.
    ready: BTreeSet<TaskId>,
    /// Live tasks that belong to a scope.
    #[serde(skip)]
    in_scope: BTreeSet<(ScopeId, TaskId)>,
    /// Finished ones, oldest first.
    finished: std::collections::VecDeque<TaskId>,
    /// News for the timeline: polls that have ended, tasks of which something was told, and
    /// those that were forgotten.
    #[serde(skip)]
    ended: Vec<EndedPoll>,
    touched: Vec<TaskId>,
    gone: Vec<TaskId>,
    /// What the lints have not judged yet.
    news: News,
    /// What had ended when they were last judged: whom an end wakes may be polled, and told of,
    /// only after that.
    ended_before: Vec<TaskId>,
    /// The probe tells of each poll.
    polls_are_told: bool,
    /// Live tasks that are workers.
    #[serde(skip)]
    workers: usize,
    /// Those on the blocking pool: calls, and workers.
    #[serde(skip)]
    pool: BTreeSet<TaskId>,
    /// Bytes of their names, places and fields.
    #[serde(skip)]
    text: usize,
    any_local: bool,
    /// Promises that were forgotten before they were kept.
    never_named: usize,
    /// The newest of tokio's ids of what was forgotten: tokio counts upwards.
    newest_forgotten: u64,
    /// What the forgotten ones have done, and what the others have.
    past: Totals,
    #[serde(skip)]
    sums: Sums,
    /// How many tasks do what.
    #[serde(skip)]
    doing: [usize; Doing::ALL.len()],
    next: u64,
    spawned: u64,
    revision: u64,
    first_created: Option<Time>,
    /// Tasks that the probe speaks of and the console protocol has not named yet, by
    /// tokio's ids, with what was said.
    promised: BTreeMap<u64, Promised>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Promised {
    id: TaskId,
    #[serde(with = "kept::message")]
    fact: Option<Box<v1::Task>>,
    awaited_by: Option<TaskId>,
}

/// What was told since it was last taken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct News {
    pub new: Vec<TaskId>,
    /// Those of which something was told, and those that are polled or could be.
    pub changed: Vec<TaskId>,
    pub ended: Vec<TaskId>,
    /// Polls that are over, as far as they are known one by one.
    pub polls: Vec<EndedPoll>,
}

impl Sound for Tasks {
    fn sound(mut self) -> Result<Self, Unsound> {
        let counters = [
            self.next,
            self.spawned,
            self.never_named as u64,
            self.revision,
        ];
        kept::countable(&counters)?;
        let promised = self.promised.values().map(|p| p.id);
        let new = TaskId(self.next);
        if self.all.keys().copied().chain(promised).any(|id| id >= new) {
            return Err(Unsound("a task from the future"));
        }
        let finished: BTreeSet<TaskId> = self.finished.iter().copied().collect();
        let done = |(id, task): (&TaskId, &Task)| task.is_done().then_some(*id);
        let all_done: BTreeSet<TaskId> = self.all.iter().filter_map(done).collect();
        if finished != all_done || finished.len() != self.finished.len() {
            return Err(Unsound("a task that has ended, and has not"));
        }
        for task in self.all.values() {
            self.sums
                .change(task.id, &Share::default(), &Share::of(task));
            if let Some(doing) = task.doing {
                self.doing[doing as usize] += 1;
            }
        }
        let is_worker = |task: &&Task| task.kind == Kind::Worker && !task.is_done();
        self.workers = self.all.values().filter(is_worker).count();
        let pool = self.all.values().filter(|task| !task.kind.is_async());
        self.pool = pool.map(|task| task.id).collect();
        let live = self.all.values().filter(|task| !task.is_done());
        let in_scope = live.filter_map(|task| Some((task.scope?, task.id)));
        self.in_scope = in_scope.collect();
        self.text = self.all.values().map(Task::text).sum();
        Ok(self)
    }
}

impl Tasks {
    /// Finished tasks kept; the oldest are forgotten first.
    const MAX_FINISHED: usize = 20_000;

    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.all.get(&id)
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

    /// Tasks ever seen.
    pub fn spawned(&self) -> u64 {
        self.spawned
    }

    /// What all of them have done up to this time, the forgotten ones included.
    pub fn totals(&self, now: Time) -> Totals {
        let mut totals = self.sums.add_to(self.past);
        for task in self.sums.passing().filter_map(|id| self.all.get(&id)) {
            totals.add(task, now);
        }
        totals
    }

    /// How many of the event loops' tasks do this, as of the last moment that was told as a
    /// whole.
    pub fn doing(&self, doing: Doing) -> usize {
        self.doing[doing as usize]
    }

    /// Takes note of what a task does; nothing once it has ended.
    pub(super) fn note_doing(&mut self, id: TaskId, doing: Option<Doing>) {
        if let Some(task) = self.all.get_mut(&id) {
            let doing = doing.filter(|_| task.kind.is_async());
            let before = std::mem::replace(&mut task.doing, doing);
            self.count_doing(before, doing);
        }
    }

    fn count_doing(&mut self, before: Option<Doing>, after: Option<Doing>) {
        if let Some(before) = before {
            self.doing[before as usize] -= 1;
        }
        if let Some(after) = after {
            self.doing[after as usize] += 1;
        }
    }

    /// What those have done that are forgotten.
    pub fn past(&self) -> Totals {
        self.past
    }

    /// Those that have ended and are kept, in the order in which they ended.
    pub fn ended(&self) -> impl ExactSizeIterator<Item = Option<&Task>> {
        self.finished.iter().map(|id| self.all.get(id))
    }

    /// Tasks that could run and are not polled.
    pub fn ready(&self) -> impl Iterator<Item = &Task> {
        self.ready.iter().filter_map(|id| self.all.get(id))
    }

    /// How many these are.
    pub fn ready_count(&self) -> usize {
        self.ready.len()
    }

    /// Tasks in a poll.
    pub fn running(&self) -> impl Iterator<Item = &Task> {
        self.running.iter().filter_map(|id| self.all.get(id))
    }

    /// The live tasks of a scope, the oldest first.
    pub fn live_in(&self, scope: ScopeId) -> impl Iterator<Item = &Task> {
        let ids = self
            .in_scope
            .range((scope, TaskId(0))..=(scope, TaskId(u64::MAX)));
        ids.filter_map(|(_, id)| self.all.get(id))
    }

    /// Tasks of which the probe has told and the console protocol has not.
    pub fn unnamed(&self) -> usize {
        let waiting = self.promised.values().filter(|p| p.fact.is_some());
        self.never_named + waiting.count()
    }

    /// Workers that appear among the tasks: those of a multi-thread runtime.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// It is known as a worker.
    pub(super) fn is_worker(&self, id: TaskId) -> bool {
        let is_worker = |task: &Task| task.kind == Kind::Worker;
        self.pool.contains(&id) && self.get(id).is_some_and(is_worker)
    }

    /// Those on the blocking pool, workers included, in the order in which they became known.
    pub fn pool(&self) -> impl Iterator<Item = &Task> {
        self.pool.iter().filter_map(|id| self.all.get(id))
    }

    /// There is, or was, a `LocalSet` with a task.
    pub fn any_local(&self) -> bool {
        self.any_local
    }

    /// Those that became known before this one, the newest first.
    pub fn before(&self, id: TaskId) -> impl Iterator<Item = &Task> {
        self.all.range(..id).rev().map(|(_, task)| task)
    }

    pub(super) fn take_news(&mut self) -> News {
        self.ended_before.clone_from(&self.news.ended);
        std::mem::take(&mut self.news)
    }

    pub(super) fn take_ended(&mut self) -> Vec<EndedPoll> {
        std::mem::take(&mut self.ended)
    }

    /// Tasks of which something was told since this was last asked.
    pub(super) fn take_touched(&mut self) -> Vec<TaskId> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    pub(super) fn take_gone(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.gone)
    }

    /// How much the timeline has not taken in.
    pub(super) fn waiting(&self) -> usize {
        self.ended.len() + self.touched.len() + self.gone.len()
    }

    pub(super) fn touch_all(&mut self) {
        self.touched.extend(self.all.keys());
    }

    /// Something was told of what a task waits for.
    pub(super) fn touch(&mut self, id: TaskId) {
        self.touched.push(id);
    }

    /// The task that now has this id in the console protocol.
    pub fn by_span(&self, span: u64) -> Option<TaskId> {
        self.by_span.get(&span).copied()
    }

    pub fn by_tokio_id(&self, id: u64) -> Option<&Task> {
        self.by_tokio.get(&id).and_then(|id| self.all.get(id))
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
            changed.extend(self.running.union(&self.ready));
        }
        let mut busy = Busy::default();
        let mut done = Vec::new();
        for (span, stats) in &update.stats_update {
            // A description that was dropped by a full buffer is counted there.
            let Some(task) = self.by_span.get(span).and_then(|id| self.all.get_mut(id)) else {
                continue;
            };
            changed.remove(&task.id);
            let was_done = task.is_done();
            let before = Share::of(task);
            let ended = task.update(stats);
            self.sums.change(task.id, &before, &Share::of(task));
            busy.add(task, window, ended);
            let polls = ended.polls.into_iter().flatten();
            if !self.polls_are_told {
                self.news.polls.extend(polls.clone());
            }
            self.ended.extend(ended.sum.into_iter().chain(polls));
            let id = task.id;
            self.touched.push(id);
            self.news.changed.push(id);
            place(&mut self.running, id, task.running_since().is_some());
            place(&mut self.ready, id, task.ready_since().is_some());
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
            if let Some(task) = self.all.get_mut(&id) {
                busy.add(task, window, Ended::default());
                self.news.changed.push(id);
            }
        }
        while self.finished.len() > Self::MAX_FINISHED {
            self.forget_oldest();
            lost.forgotten += 1;
        }
        busy.of_the_loop(self.workers)
    }

    /// Takes in a new task, unless it is known: a first update after a reconnection, and
    /// the one after it, tell of all tasks again.
    fn describe(&mut self, span: u64, wire: &wire_tasks::Task, created: Time, lost: &mut Lost) {
        if let Some(known) = self.by_span.get(&span).and_then(|id| self.all.get_mut(id)) {
            if known.created == created {
                return;
            }
            // Its span has been given to another task, so it is gone, unseen.
            if !known.is_done() {
                let before = Share::of(known);
                known.dropped = Some(created);
                let id = known.id;
                self.sums.change(id, &before, &Share::of(known));
                self.finished(id);
            }
        }
        let mut task = Task::new(TaskId(self.next), span);
        task.describe(wire);
        task.created = created;
        let text = task.text();
        let is_text_full = self.text + text > bounds::TEXT;
        if !lost.has_room(if is_text_full {
            bounds::MOST
        } else {
            self.live()
        }) {
            self.leave_out(&task);
            return;
        }
        self.text += text;
        let promised = task.tokio_id.and_then(|id| self.promised.remove(&id));
        match &promised {
            Some(promised) => {
                task.id = promised.id;
                task.awaited_by = promised.awaited_by;
            }
            None => self.next += 1,
        }
        let id = task.id;
        self.spawned += 1;
        self.revision += 1;
        self.workers += usize::from(task.kind == Kind::Worker);
        if !task.kind.is_async() {
            self.pool.insert(id);
        }
        self.any_local |= task.kind == Kind::Local;
        self.by_span.insert(span, id);
        if let Some(tokio_id) = task.tokio_id {
            self.by_tokio.insert(tokio_id, id);
        }
        self.sums.change(id, &Share::default(), &Share::of(&task));
        self.all.insert(id, task);
        self.news.new.push(id);
        if let Some(fact) = promised.and_then(|promised| promised.fact) {
            self.add_facts(&fact);
        }
    }

    /// What is told of it from now on is of a task that is not kept.
    fn leave_out(&mut self, task: &Task) {
        if let Some(id) = task.tokio_id {
            self.promised.remove(&id);
            self.newest_forgotten = self.newest_forgotten.max(id);
        }
        self.by_span.remove(&task.span);
    }

    fn finished(&mut self, id: TaskId) {
        self.revision += 1;
        self.running.remove(&id);
        self.ready.remove(&id);
        self.finished.push_back(id);
        self.news.ended.push(id);
        let Some(task) = self.all.get(&id) else {
            return;
        };
        self.workers -= usize::from(task.kind == Kind::Worker);
        if let Some(scope) = task.scope {
            self.in_scope.remove(&(scope, id));
        }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.finished.pop_front();
        let Some(task) = oldest.and_then(|id| self.all.remove(&id)) else {
            return;
        };
        self.past.add(&task, task.dropped.unwrap_or_default());
        self.sums
            .change(task.id, &Share::of(&task), &Share::default());
        self.count_doing(task.doing, None);
        self.text = self.text.saturating_sub(task.text());
        self.gone.push(task.id);
        self.pool.remove(&task.id);
        self.revision += 1;
        if self.by_span.get(&task.span) == Some(&task.id) {
            self.by_span.remove(&task.span);
        }
        if let Some(tokio_id) = task.tokio_id
            && self.by_tokio.get(&tokio_id) == Some(&task.id)
        {
            self.by_tokio.remove(&tokio_id);
            self.newest_forgotten = self.newest_forgotten.max(tokio_id);
        }
    }

    /// The task with this id of tokio's. One that the console protocol has not named yet
    /// gets its number here, as the two protocols are in no order.
    pub(super) fn refer(&mut self, tokio_id: u64) -> TaskId {
        if let Some(id) = self.by_tokio.get(&tokio_id) {
            return *id;
        }
        self.promise(tokio_id).id
    }

    /// The same, but for those that were forgotten here and for none, which is 0.
    pub(super) fn refer_to_kept(&mut self, tokio_id: u64) -> Option<TaskId> {
        if let Some(id) = self.by_tokio.get(&tokio_id) {
            return Some(*id);
        }
        (tokio_id > self.newest_forgotten).then(|| self.promise(tokio_id).id)
    }

    /// Notes that a task awaits another one, by tokio's id, and gives that one's.
    fn awaits(&mut self, id: TaskId, awaited: u64) -> TaskId {
        let known = self.by_tokio.get(&awaited);
        if let Some(task) = known.and_then(|id| self.all.get_mut(id)) {
            task.awaited_by = Some(id);
            return task.id;
        }
        let promised = self.promise(awaited);
        promised.awaited_by = Some(id);
        promised.id
    }

    /// Notes who awaited the tasks that have just ended. tokio wakes whoever has polled a
    /// `JoinHandle` when the task's future is gone, and by nobody else is one woken then.
    pub(super) fn note_joins(&mut self, told: &v1::Polls) {
        let ended = self.ended_before.iter().chain(&self.news.ended);
        let ended = ended.filter_map(|id| {
            let task = self.all.get(id)?;
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
                && let Some(awaits) = self.by_tokio.get(&poll.task).copied()
                && let Some(task) = self.all.get_mut(id)
            {
                task.awaited_by.get_or_insert(awaits);
            }
        }
    }

    fn promise(&mut self, tokio_id: u64) -> &mut Promised {
        // Some are never named: their descriptions were lost, or are forgotten here.
        if self.promised.len() > Self::MAX_FINISHED
            && let Some((_, gone)) = self.promised.pop_first()
        {
            self.never_named += usize::from(gone.fact.is_some());
        }
        let next = TaskId(self.next);
        let promised = self.promised.entry(tokio_id).or_insert(Promised {
            id: next,
            fact: None,
            awaited_by: None,
        });
        self.next += u64::from(promised.id == next);
        promised
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
        self.news.polls.push(EndedPoll {
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
        let Some(id) = self.by_tokio.get(&fact.id).copied() else {
            if fact.id <= self.newest_forgotten {
                // It was named, and is counted among the forgotten.
                return;
            }
            self.promise(fact.id).fact = Some(Box::new(fact.clone()));
            return;
        };
        let parent = fact.parent.map(|id| self.refer(id));
        let awaits = fact.awaits.map(|awaited| self.awaits(id, awaited));
        let Some(task) = self.all.get_mut(&id) else {
            return;
        };
        let before = (task.parent, task.scope, task.outcome);
        let share = Share::of(task);
        task.add_facts(fact, parent, awaits);
        self.sums.change(id, &share, &Share::of(task));
        if let Some(scope) = task.scope.filter(|_| !task.is_done()) {
            self.in_scope.insert((scope, id));
        }
        let after = (task.parent, task.scope, task.outcome);
        self.revision += u64::from(before != after);
        self.touched.push(id);
        self.news.changed.push(id);
    }
}

/// Puts an id into a set, or takes it out.
fn place(set: &mut BTreeSet<TaskId>, id: TaskId, belongs: bool) {
    if belongs {
        set.insert(id);
    } else {
        set.remove(&id);
    }
}

/// Time in polls, by what is polled.
#[derive(Default)]
struct Busy {
    spawned: Duration,
    local: Duration,
    block_on: Duration,
}

impl Busy {
    fn add(&mut self, task: &mut Task, window: Window, ended: Ended) {
        let busy = task.draw(window, ended);
        match task.kind {
            Kind::Task | Kind::Other(_) => self.spawned += busy,
            Kind::Local => self.local += busy,
            Kind::BlockOn => self.block_on += busy,
            Kind::Blocking | Kind::Worker => {}
        }
    }

    /// A `LocalSet` polls its tasks within the poll of a `block_on`; and that one is not on
    /// a worker, if there are workers.
    fn of_the_loop(&self, workers: usize) -> Duration {
        let own = if workers == 0 {
            self.local.max(self.block_on)
        } else {
            Duration::ZERO
        };
        self.spawned + own
    }
}
