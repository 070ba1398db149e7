//! What follows from the tasks that are kept: who does what and belongs where, how many these
//! are, and what they have done together. It changes with each task, so that nobody has to look at
//! all of them, and is made anew when a model is read.

use std::collections::BTreeSet;

use crate::model::{
    scopes::ScopeId,
    task::{Kind, Task, TaskId},
    timeline::Doing,
    totals::{Share, Sums},
};

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Tasks in a poll.
    pub running: BTreeSet<TaskId>,
    /// Tasks that could run.
    pub ready: BTreeSet<TaskId>,
    /// What the others have done.
    pub at_rest: Sums,
    /// Live tasks that belong to a scope.
    pub in_scope: BTreeSet<(ScopeId, TaskId)>,
    /// Live tasks that are workers.
    pub workers: usize,
    /// Those on the blocking pool: calls, and workers.
    pub pool: BTreeSet<TaskId>,
    /// Bytes of their names, places and fields.
    pub text: usize,
    /// How many tasks do what.
    pub doing: [usize; Doing::ALL.len()],
}

/// Where a task stands in the index; nowhere while there is none.
#[derive(Default)]
pub(super) struct Entry {
    turn: Turn,
    scope: Option<ScopeId>,
    is_worker: bool,
    is_on_pool: bool,
}

/// Whether time passes for a task: what it has done is summed up only while none does.
#[derive(PartialEq)]
enum Turn {
    Running,
    Ready,
    AtRest(Share),
}

impl Default for Turn {
    fn default() -> Self {
        Self::AtRest(Share::default())
    }
}

impl Turn {
    fn share(&self) -> Share {
        match self {
            Self::AtRest(share) => *share,
            Self::Running | Self::Ready => Share::default(),
        }
    }
}

impl Entry {
    pub fn of(task: &Task) -> Self {
        let is_live = !task.is_done();
        let turn = if task.running_since().is_some() {
            Turn::Running
        } else if task.ready_since().is_some() {
            Turn::Ready
        } else {
            Turn::AtRest(Share::of(task))
        };
        Self {
            turn,
            scope: task.scope.filter(|_| is_live),
            is_worker: is_live && task.kind == Kind::Worker,
            is_on_pool: !task.kind.is_async(),
        }
    }
}

impl Index {
    pub fn add(&mut self, task: &Task) {
        self.change(task.id, &Entry::default(), &Entry::of(task));
        self.change_doing(None, task.doing);
        self.text += task.text();
    }

    pub fn remove(&mut self, task: &Task) {
        self.change(task.id, &Entry::of(task), &Entry::default());
        self.change_doing(task.doing, None);
        self.text = self.text.saturating_sub(task.text());
    }

    pub fn change(&mut self, id: TaskId, before: &Entry, after: &Entry) {
        self.at_rest
            .change(&before.turn.share(), &after.turn.share());
        let runs = |entry: &Entry| entry.turn == Turn::Running;
        let is_ready = |entry: &Entry| entry.turn == Turn::Ready;
        place(&mut self.running, id, runs(before), runs(after));
        place(&mut self.ready, id, is_ready(before), is_ready(after));
        place(&mut self.pool, id, before.is_on_pool, after.is_on_pool);
        if before.scope != after.scope {
            before.scope.map(|scope| self.in_scope.remove(&(scope, id)));
            self.in_scope.extend(after.scope.map(|scope| (scope, id)));
        }
        self.workers -= usize::from(before.is_worker);
        self.workers += usize::from(after.is_worker);
    }

    pub fn change_doing(&mut self, before: Option<Doing>, after: Option<Doing>) {
        if let Some(before) = before {
            self.doing[before as usize] -= 1;
        }
        if let Some(after) = after {
            self.doing[after as usize] += 1;
        }
    }
}

/// Puts a task into a set, or takes it out.
fn place(set: &mut BTreeSet<TaskId>, id: TaskId, before: bool, after: bool) {
    match (before, after) {
        (false, true) => _ = set.insert(id),
        (true, false) => _ = set.remove(&id),
        _ => {}
    }
}
