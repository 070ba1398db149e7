//! Who has a lock, or permits of a semaphore.
//!
//! With our probe this is told. From the console protocol alone it is worked out: the
//! attributes of a lock say whether it is held, and who got it last holds it. Of a
//! semaphore that protocol tells only how many permits are left, so its holders are
//! unknown.

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{
    resources::{Resource, ResourceKind},
    task::TaskId,
    tasks::Tasks,
};
use crate::frame::Time;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    Task(TaskId),
    /// Code that is no task's.
    Outside,
    /// Somebody; the target does not tell who.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub by: Holder,
    /// 1 for a lock that one can have. Absent if it is unknown.
    pub permits: Option<u64>,
    pub since: Option<Time>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holders {
    /// The first first.
    pub list: Vec<Hold>,
    /// Permits that are held by others than those.
    pub other_permits: u64,
    /// Who gave something back was not always told: the list is the best guess.
    pub is_guess: bool,
    /// Of a channel, which nobody holds: the task that takes messages out of it, if that is told.
    pub receiver: Option<TaskId>,
}

/// What a task got by an operation of its own.
#[derive(Debug)]
pub(super) struct Got {
    pub task: Option<TaskId>,
    pub at: Option<Time>,
}

impl Got {
    fn hold(&self) -> Hold {
        Hold {
            by: self.task.map_or(Holder::Unknown, Holder::Task),
            permits: Some(1),
            since: self.at,
        }
    }
}

impl Holders {
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.other_permits == 0
    }

    /// The tasks among them, if these are certainly all.
    pub fn all_tasks(&self) -> Option<Vec<TaskId>> {
        let tasks = self.list.iter().map(|hold| match hold.by {
            Holder::Task(task) => Some(task),
            Holder::Outside | Holder::Unknown => None,
        });
        let is_certain = !self.is_guess && self.other_permits == 0;
        tasks.collect::<Option<Vec<_>>>().filter(|_| is_certain)
    }

    pub(super) fn from_wire(wire: &v1::Resource, tasks: &mut Tasks) -> Self {
        let list = wire.holders.iter().map(|hold| Hold {
            by: hold
                .task
                .map_or(Holder::Outside, |id| Holder::Task(tasks.refer(id))),
            permits: Some(hold.permits),
            since: hold.since.as_ref().and_then(Time::from_wire),
        });
        Self {
            list: list.collect(),
            other_permits: wire.other_permits,
            is_guess: wire.guessed,
            receiver: wire.receiver.map(|id| tasks.refer(id)),
        }
    }

    /// `got` is what tasks got since the last update, the first first; `is_told`: the
    /// target told of the resource's attributes, as it does when one has changed.
    pub(super) fn work_out(&mut self, resource: &Resource, got: &[Got], is_told: bool) {
        let flag = |name| resource.attribute::<bool>(name);
        match resource.kind {
            ResourceKind::Mutex => self.one(flag("locked"), got, is_told),
            ResourceKind::RwLock if flag("write_locked") == Some(true) => {
                self.one(Some(true), got, is_told);
            }
            ResourceKind::RwLock => self.readers(resource.attribute("current_readers"), got),
            _ => {
                let left = resource.attribute::<u64>("permits");
                *self = Self::default();
                // Whether some are out cannot be told from how many are left.
                self.is_guess = left != Some(0);
                if left == Some(0) {
                    self.list.push(Hold::UNKNOWN);
                }
            }
        }
    }

    /// Of what one task at a time can have.
    fn one(&mut self, is_locked: Option<bool>, got: &[Got], is_told: bool) {
        let before = self.list.pop();
        *self = Self::default();
        if is_locked != Some(true) {
            return;
        }
        // A lock that is locked, was told of and was not got was given back and got by
        // `try_lock`, of which no operation tells.
        let hold = match got.last() {
            Some(got) => got.hold(),
            None => before.filter(|_| !is_told).unwrap_or(Hold::UNKNOWN),
        };
        self.list.push(hold);
    }

    fn readers(&mut self, count: Option<u64>, got: &[Got]) {
        self.list.retain(|hold| hold.by != Holder::Unknown);
        self.list.extend(got.iter().map(Got::hold));
        let count = usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX);
        if self.list.len() > count {
            // Whose are gone is not told.
            self.list.clear();
        }
        if let Some(unknown) = count.checked_sub(self.list.len() + 1) {
            self.list.push(Hold {
                permits: Some(unknown as u64 + 1),
                ..Hold::UNKNOWN
            });
        }
    }
}

impl Hold {
    const UNKNOWN: Self = Self {
        by: Holder::Unknown,
        permits: None,
        since: None,
    };
}
