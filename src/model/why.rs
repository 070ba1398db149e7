//! Why a task does not go on: one reason, the chain of those that it waits for, and the
//! cycles in which tasks wait for each other.

use super::{
    Model,
    holders::{Holder, Holders},
    resources::{AsyncOp, Resource, ResourceKind},
    runtimes::Flavor,
    scopes::Scope,
    task::{Outcome, Task, TaskId},
    timer::Timer,
    wait::{State, Wait},
};
use crate::frame::Time;

/// Why a task is where it is.
#[derive(Clone, Debug)]
pub enum Why<'a> {
    /// It is being polled, or runs on a thread of the blocking pool.
    Running {
        since: Time,
    },
    /// It could be polled.
    Ready {
        since: Time,
        /// It was never polled.
        is_new: bool,
        /// What its loop polls instead.
        blocked_by: Option<&'a Task>,
    },
    Timer(&'a Timer),
    Resource {
        op: &'a AsyncOp,
        /// Absent if the target has not named it.
        resource: Option<&'a Resource>,
        since: Option<Time>,
    },
    /// The end of another task.
    Task(&'a Task),
    Scope {
        scope: &'a Scope,
        /// The oldest of its tasks that have not ended, and how many others there are.
        child: Option<&'a Task>,
        others: usize,
    },
    /// Tasks wait for each other.
    Cycle(Cycle),
    /// For nothing: no waker of it is left.
    NoWaker,
    /// I/O, or something else that is not instrumented.
    Unknown,
    Done(Option<Outcome>),
}

/// Tasks of which each waits for the next one, and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    pub tasks: Vec<TaskId>,
    /// When the last of them began to wait; unknown where one waits for another's end.
    pub since: Option<Time>,
}

/// A task, and why it does not go on.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    pub task: &'a Task,
    pub why: Why<'a>,
}

impl Model {
    /// A poll as long as this keeps others from being polled, in words.
    const HOLDS_UP: std::time::Duration = std::time::Duration::from_millis(10);
    /// A chain is followed so far.
    const LONGEST_CHAIN: usize = 32;

    /// Why a task is where it is.
    pub fn why<'a>(&'a self, task: &'a Task) -> Why<'a> {
        if let Some(cycle) = self.cycle_of(task.id) {
            return Why::Cycle(cycle);
        }
        self.reason(task)
    }

    /// The same, but for cycles.
    fn reason<'a>(&'a self, task: &'a Task) -> Why<'a> {
        if task.is_done() {
            return Why::Done(task.outcome);
        }
        if let Some(since) = task.running_since() {
            return Why::Running { since };
        }
        if let Some(since) = task.ready_since() {
            return Why::Ready {
                since,
                is_new: task.first_poll.is_none(),
                blocked_by: self.held_up_by(task),
            };
        }
        match self.wait(task) {
            Some(Wait::Timer(timer)) => Why::Timer(timer),
            Some(Wait::Resource(op)) => Why::Resource {
                op,
                resource: self.resources.outermost(op.resource),
                since: self.waits_since(task, op),
            },
            Some(Wait::Task(other)) => Why::Task(other),
            Some(Wait::Scope(scope)) => {
                let mut children = self.tasks.live_in(scope.id);
                Why::Scope {
                    scope,
                    child: children.next(),
                    others: children.count(),
                }
            }
            None if self.is_lost(task) => Why::NoWaker,
            None => Why::Unknown,
        }
    }

    /// A part of an operation began with the whole.
    fn waits_since(&self, task: &Task, op: &AsyncOp) -> Option<Time> {
        op.waits_since().or_else(|| {
            let all = self.resources.pending_of(task.id);
            all.filter_map(AsyncOp::waits_since).max()
        })
    }

    /// What is polled on the threads that could poll this task, if that takes long.
    fn held_up_by(&self, task: &Task) -> Option<&Task> {
        if !task.kind.is_async() {
            return None;
        }
        let runtime = task.runtime.and_then(|id| self.runtimes.get(id));
        let threads = match runtime {
            Some(runtime) if runtime.flavor == Flavor::CurrentThread => 1,
            Some(runtime) => runtime.workers.len().max(1),
            None => self.tasks.workers().max(1),
        };
        let here = |other: &&Task| {
            let can_block = self.can_block(other) && !self.tasks.is_in_place(other);
            can_block && other.runtime.zip(task.runtime).is_none_or(|(a, b)| a == b)
        };
        let polled: Vec<&Task> = self.tasks.running().filter(here).collect();
        let lasts = |t: &&Task| t.running_since().map(|since| self.now.since(since));
        let longest = polled.iter().copied().max_by_key(lasts)?;
        let is_long = lasts(&longest).is_some_and(|lasted| lasted >= Self::HOLDS_UP);
        (is_long && polled.len() >= threads).then_some(longest)
    }

    /// From a task to the cause of its wait: each waits for the next. Of several that it
    /// waits for, the first is followed. Ends before a task that is in it already.
    pub fn chain<'a>(&'a self, task: &'a Task) -> Vec<Link<'a>> {
        let mut chain: Vec<Link<'_>> = Vec::new();
        let mut next = Some(task);
        while let Some(task) = next {
            if chain.len() >= Self::LONGEST_CHAIN || chain.iter().any(|l| l.task.id == task.id) {
                break;
            }
            let why = self.reason(task);
            next = match &why {
                Why::Ready { blocked_by, .. } => *blocked_by,
                Why::Resource { op, .. } => self.has_what_it_awaits(op),
                Why::Task(other) => Some(*other),
                Why::Scope { child, .. } => *child,
                _ => None,
            };
            chain.push(Link { task, why });
        }
        chain
    }

    /// The first task that holds what an operation waits for, or that makes room in the channel.
    fn has_what_it_awaits(&self, op: &AsyncOp) -> Option<&Task> {
        let holds = self.resources.holders(op.resource);
        let mut holds = holds.into_iter().flat_map(|held| &held.list);
        let holder = holds.find_map(|hold| match hold.by {
            Holder::Task(task) => self.tasks.get(task),
            Holder::Outside | Holder::Unknown => None,
        });
        let receiver = || self.tasks.get(self.resources.receiver(op.resource)?);
        holder.or_else(receiver)
    }

    /// The cycle that keeps a task from going on for ever. Only what is certain counts: a
    /// task that has a timer, too, or waits for several things, or for one of several
    /// holders of permits, may still go on; and so may one that waits for itself and can
    /// be woken by something else, as it may do several things at a time.
    pub fn cycle_of(&self, task: TaskId) -> Option<Cycle> {
        let mut path: Vec<(TaskId, Option<Time>)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        self.leads_to(task, task, &mut path, &mut seen)
            .then(|| Cycle {
                tasks: path.iter().map(|(task, _)| *task).collect(),
                since: path
                    .iter()
                    .map(|(_, since)| *since)
                    .collect::<Option<Vec<_>>>()
                    .and_then(|all| all.into_iter().max()),
            })
    }

    /// Whether what `from` has to wait for leads to `end`; `path` is how.
    fn leads_to(
        &self,
        from: TaskId,
        end: TaskId,
        path: &mut Vec<(TaskId, Option<Time>)>,
        seen: &mut std::collections::HashSet<TaskId>,
    ) -> bool {
        if path.len() >= Self::LONGEST_CHAIN || !seen.insert(from) {
            return false;
        }
        let (since, blockers) = self.blockers(from);
        path.push((from, since));
        let found = blockers
            .into_iter()
            .any(|next| next == end || self.leads_to(next, end, path, seen));
        if !found {
            path.pop();
        }
        found
    }

    /// The tasks of which each has to do something before this one can go on.
    fn blockers(&self, id: TaskId) -> (Option<Time>, Vec<TaskId>) {
        let nobody = (None, Vec::new());
        let Some(task) = self.tasks.get(id) else {
            return nobody;
        };
        if self.state(task) != State::Waiting || self.timers.next_of(id).is_some() {
            return nobody;
        }
        match self.reason(task) {
            Why::Task(other) => (None, vec![other.id]),
            Why::Scope { scope, .. } if matches!(&*scope.kind, "gather" | "task_group") => {
                let children = self.tasks.live_in(scope.id).map(|child| child.id);
                (None, children.collect())
            }
            Why::Resource {
                resource: Some(resource),
                since,
                ..
            } => {
                let outermost = |op: &AsyncOp| self.resources.outermost(op.resource);
                let mut all = self.resources.pending_of(id).filter_map(outermost);
                if all.any(|other| other.span != resource.span) {
                    return nobody;
                }
                let mut held = self.resources.holders(resource.span);
                held = held
                    .filter(|held| resource.kind == ResourceKind::RwLock || held.list.len() == 1);
                let Some(mut tasks) = held.and_then(Holders::all_tasks) else {
                    return nobody;
                };
                tasks.retain(|holder| *holder != id || task.wakers() <= 1);
                (since, tasks)
            }
            _ => nobody,
        }
    }
}
