//! OS threads of the target that polled a task or ran a blocking call.

use std::collections::BTreeMap;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use crate::frame::Time;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Worker,
    Blocking,
    BlockOn,
    Unknown,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thread {
    /// The probe's number.
    pub id: u64,
    pub name: Box<str>,
    pub role: Role,
    /// What it polls or runs now, by tokio's task id.
    pub task: Option<u64>,
    pub since: Option<Time>,
    pub ended: Option<Time>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Threads {
    all: BTreeMap<u64, Thread>,
}

impl Threads {
    /// Threads kept: finished calls name those that have ended, too.
    const MAX: usize = 4_096;

    pub fn get(&self, id: u64) -> Option<&Thread> {
        self.all.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Thread> {
        self.all.values()
    }

    pub(super) fn apply(&mut self, threads: &[v1::Thread]) {
        for thread in threads {
            self.all.insert(
                thread.id,
                Thread {
                    id: thread.id,
                    name: thread.name.as_str().into(),
                    role: match thread.role() {
                        v1::ThreadRole::Worker => Role::Worker,
                        v1::ThreadRole::Blocking => Role::Blocking,
                        v1::ThreadRole::BlockOn => Role::BlockOn,
                        v1::ThreadRole::Unspecified => Role::Unknown,
                    },
                    task: thread.task,
                    since: thread.since.as_ref().and_then(Time::from_wire),
                    ended: thread.ended_at.as_ref().and_then(Time::from_wire),
                },
            );
            if self.all.len() > Self::MAX {
                self.forget_idle();
            }
        }
    }

    /// Forgets the oldest thread that has ended, else the oldest of the pool that runs nothing.
    fn forget_idle(&mut self) {
        let ended = |t: &&Thread| t.ended.is_some();
        let idle = |t: &&Thread| t.role == Role::Blocking && t.task.is_none();
        let oldest = self.all.values().find(ended);
        if let Some(id) = oldest.or(self.all.values().find(idle)).map(|t| t.id) {
            self.all.remove(&id);
        }
    }
}
