//! Which task is meant by what the two protocols call it: the id of a span, which comes back once
//! the span is gone, and tokio's id, which never does.

use std::collections::BTreeMap;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use crate::model::{
    IdMap,
    kept::{self, Unsound},
    task::{Task, TaskId},
};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ids {
    /// The number of the next task.
    next: u64,
    #[serde(serialize_with = "kept::sorted")]
    by_span: IdMap<u64, TaskId>,
    #[serde(serialize_with = "kept::sorted")]
    by_tokio: IdMap<u64, TaskId>,
    /// Tasks that the probe speaks of and the console protocol has not named yet, by
    /// tokio's ids, with what was said.
    promised: BTreeMap<u64, Promised>,
    /// Promises that were forgotten before they were kept.
    never_named: usize,
    /// The newest of tokio's ids of what was forgotten: tokio counts upwards.
    newest_forgotten: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Promised {
    pub id: TaskId,
    #[serde(with = "kept::message")]
    pub fact: Option<Box<v1::Task>>,
    pub awaited_by: Option<TaskId>,
}

impl Ids {
    /// Promises that are kept; the oldest are forgotten first.
    const MAX_PROMISED: usize = 20_000;

    /// Whether these tasks, and those that are promised, can have been numbered here.
    pub fn check(&self, mut tasks: impl Iterator<Item = TaskId>) -> Result<(), Unsound> {
        kept::countable(&[self.next, self.never_named as u64])?;
        let mut promised = self.promised.values().map(|promised| promised.id);
        let is_new = |id: TaskId| id >= self.next();
        if tasks.any(is_new) || promised.any(is_new) {
            return Err(Unsound("a task from the future"));
        }
        Ok(())
    }

    /// With other tasks, none of which has a number that was given here.
    pub fn successor(&self) -> Self {
        Self {
            next: self.next,
            ..Self::default()
        }
    }

    /// The number that the next task gets, unless it was promised another one.
    pub fn next(&self) -> TaskId {
        TaskId(self.next)
    }

    /// The task that now has this id in the console protocol.
    pub fn by_span(&self, span: u64) -> Option<TaskId> {
        self.by_span.get(&span).copied()
    }

    pub fn by_tokio(&self, id: u64) -> Option<TaskId> {
        self.by_tokio.get(&id).copied()
    }

    /// Tasks of which the probe has told and the console protocol has not.
    pub fn unnamed(&self) -> usize {
        let waiting = self.promised.values().filter(|p| p.fact.is_some());
        self.never_named + waiting.count()
    }

    /// It was named, and is forgotten.
    pub fn is_forgotten(&self, tokio_id: u64) -> bool {
        tokio_id <= self.newest_forgotten
    }

    /// Gives a new task the number that it was promised, or the next one, and what the probe has
    /// said of it.
    pub fn name(&mut self, task: &mut Task) -> Option<Box<v1::Task>> {
        let promised = task.tokio_id.and_then(|id| self.promised.remove(&id));
        match &promised {
            Some(promised) => {
                task.id = promised.id;
                task.awaited_by = promised.awaited_by;
            }
            None => self.next += 1,
        }
        self.by_span.insert(task.span, task.id);
        if let Some(tokio_id) = task.tokio_id {
            self.by_tokio.insert(tokio_id, task.id);
        }
        promised?.fact
    }

    /// What is told of it from now on is of a task that is not kept.
    pub fn leave_out(&mut self, task: &Task) {
        if let Some(id) = task.tokio_id {
            self.promised.remove(&id);
            self.newest_forgotten = self.newest_forgotten.max(id);
        }
        self.by_span.remove(&task.span);
    }

    pub fn forget(&mut self, task: &Task) {
        if self.by_span(task.span) == Some(task.id) {
            self.by_span.remove(&task.span);
        }
        if let Some(tokio_id) = task.tokio_id
            && self.by_tokio(tokio_id) == Some(task.id)
        {
            self.by_tokio.remove(&tokio_id);
            self.newest_forgotten = self.newest_forgotten.max(tokio_id);
        }
    }

    /// The task with this id of tokio's. One that the console protocol has not named yet
    /// gets its number here, as the two protocols are in no order.
    pub fn refer(&mut self, tokio_id: u64) -> TaskId {
        let known = self.by_tokio(tokio_id);
        known.unwrap_or_else(|| self.promise(tokio_id).id)
    }

    /// The same, but for those that were forgotten here and for none, which is 0.
    pub fn refer_to_kept(&mut self, tokio_id: u64) -> Option<TaskId> {
        let known = self.by_tokio(tokio_id);
        known.or_else(|| (!self.is_forgotten(tokio_id)).then(|| self.promise(tokio_id).id))
    }

    pub fn promise(&mut self, tokio_id: u64) -> &mut Promised {
        // Some are never named: their descriptions were lost, or are forgotten here.
        if self.promised.len() > Self::MAX_PROMISED
            && let Some((_, gone)) = self.promised.pop_first()
        {
            self.never_named += usize::from(gone.fact.is_some());
        }
        let next = self.next();
        let promised = self.promised.entry(tokio_id).or_insert(Promised {
            id: next,
            fact: None,
            awaited_by: None,
        });
        self.next += u64::from(promised.id == next);
        promised
    }
}
