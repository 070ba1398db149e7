//! Blocks of structured concurrency: gather, task groups, time limits.

use std::collections::{BTreeMap, HashMap, VecDeque};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    Lost,
    kept::{self, Sound, Unsound},
    task::Outcome,
    wire::Location,
};
use crate::frame::Time;

/// The probe's number for a scope, never reused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScopeId(pub u64);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scope {
    pub id: ScopeId,
    /// `gather`, `task_group`, `wait_for`, … or the program's own word.
    pub kind: Box<str>,
    pub name: Option<Box<str>>,
    pub parent: Option<ScopeId>,
    /// The task that opened it, by tokio's id.
    pub owner: Option<u64>,
    pub opened: Option<Time>,
    pub closed: Option<Time>,
    pub outcome: Option<Outcome>,
    pub location: Option<Location>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Scopes {
    all: BTreeMap<ScopeId, Scope>,
    /// Open ones by their owner, the innermost last.
    #[serde(skip)]
    open: HashMap<u64, Vec<ScopeId>>,
    /// Oldest first.
    closed: VecDeque<ScopeId>,
    revision: u64,
}

impl Sound for Scopes {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.revision])?;
        for scope in self.all.values().filter(|s| s.closed.is_none()) {
            if let Some(owner) = scope.owner {
                self.open.entry(owner).or_default().push(scope.id);
            }
        }
        Ok(self)
    }
}

impl Scopes {
    /// Scopes kept after their end; the oldest are forgotten first.
    const MAX_CLOSED: usize = 20_000;

    pub fn get(&self, id: ScopeId) -> Option<&Scope> {
        self.all.get(&id)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Scope> {
        self.all.values()
    }

    /// It is another number when scopes have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The innermost open scope of a task, by tokio's id.
    pub fn open_of(&self, owner: u64) -> Option<&Scope> {
        self.all.get(self.open.get(&owner)?.last()?)
    }

    pub(super) fn apply(&mut self, scopes: &[v1::Scope], lost: &mut Lost) {
        self.revision += scopes.len() as u64;
        for scope in scopes {
            let id = ScopeId(scope.id);
            let open = self.all.len().saturating_sub(self.closed.len());
            if !self.all.contains_key(&id) && !lost.has_room(open) {
                continue;
            }
            let closed = scope.closed_at.as_ref().and_then(Time::from_wire);
            if let Some(owner) = self.all.get(&id).and_then(|scope| scope.owner) {
                self.leave(owner, id);
            }
            if let Some(owner) = scope.task.filter(|_| closed.is_none()) {
                let open = self.open.entry(owner).or_default();
                open.push(id);
                open.sort_unstable();
            }
            let before = self.all.insert(
                id,
                Scope {
                    id,
                    kind: scope.kind.as_str().into(),
                    name: (!scope.name.is_empty()).then(|| scope.name.as_str().into()),
                    parent: scope.parent.map(ScopeId),
                    owner: scope.task,
                    opened: scope.opened_at.as_ref().and_then(Time::from_wire),
                    closed,
                    outcome: Outcome::from_wire(scope.outcome()),
                    location: scope.location.as_ref().and_then(|l| l.try_into().ok()),
                },
            );
            if closed.is_some() && before.is_none_or(|s| s.closed.is_none()) {
                self.closed.push_back(id);
            }
            if self.closed.len() > Self::MAX_CLOSED
                && let Some(oldest) = self.closed.pop_front()
            {
                self.all.remove(&oldest);
            }
        }
    }

    /// A scope of this task is open no longer, or is another one's.
    fn leave(&mut self, owner: u64, id: ScopeId) {
        if let Some(open) = self.open.get_mut(&owner) {
            open.retain(|other| *other != id);
            if open.is_empty() {
                self.open.remove(&owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_open_for_the_task_that_was_told_last() {
        let wire = |task| v1::Scope {
            id: 1,
            task: Some(task),
            ..v1::Scope::default()
        };
        let mut scopes = Scopes::default();
        let mut lost = Lost::default();
        for task in 1..=9 {
            scopes.apply(&[wire(task)], &mut lost);
        }
        assert!(scopes.open_of(8).is_none() && scopes.open_of(9).is_some());
        assert_eq!(scopes.open.len(), 1);
        let closed = v1::Scope {
            closed_at: Some(prost_types::Timestamp::default()),
            ..wire(3)
        };
        scopes.apply(&[closed], &mut lost);
        assert!(scopes.open.is_empty());
    }

    #[test]
    fn a_revision_that_is_at_its_end_is_not_read() {
        let scopes = Scopes {
            revision: u64::MAX,
            ..Scopes::default()
        };
        assert!(scopes.sound().is_err());
    }
}
