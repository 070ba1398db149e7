//! What each time limit ended: the scope that timed out, and the tasks that were cancelled in it.

use std::collections::{BTreeMap, HashMap};

use super::{
    Model,
    scopes::{Scope, ScopeId},
    task::{Outcome, TaskId},
    timer::{Timer, TimerKind},
};

#[derive(Clone, Debug, Default)]
pub struct Expired {
    /// Scopes that have timed out, by the task that opened them, oldest first.
    scopes: HashMap<TaskId, Vec<ScopeId>>,
    cancelled: BTreeMap<ScopeId, Vec<TaskId>>,
}

impl Expired {
    pub fn new(model: &Model) -> Self {
        let mut expired = Self::default();
        let out = |scope: &&Scope| scope.outcome == Some(Outcome::TimedOut);
        for scope in model.scopes.iter().filter(out) {
            let owner = scope.owner.and_then(|id| model.tasks.by_tokio_id(id));
            if let Some(owner) = owner {
                let scopes = expired.scopes.entry(owner.id).or_default();
                scopes.push(scope.id);
                expired.cancelled.insert(scope.id, Vec::new());
            }
        }
        for task in model.tasks.iter() {
            if task.outcome == Some(Outcome::Cancelled)
                && let Some(scope) = task.scope
                && let Some(tasks) = expired.cancelled.get_mut(&scope)
            {
                tasks.push(task.id);
            }
        }
        expired
    }

    /// The scope that a time limit ended, and who was cancelled for it: the innermost of its
    /// task's that was open when it fired.
    pub fn by<'a>(&self, timer: &Timer, model: &'a Model) -> Option<(&'a Scope, &[TaskId])> {
        let fired = timer.fired.filter(|_| timer.kind == TimerKind::Timeout)?;
        let scopes = self.scopes.get(&timer.task?)?.iter().rev();
        let scope = scopes
            .filter_map(|id| model.scopes.get(*id))
            .find(|s| s.opened <= Some(timer.created) && s.closed >= Some(fired))?;
        let cancelled = self.cancelled.get(&scope.id)?;
        Some((scope, cancelled))
    }
}
