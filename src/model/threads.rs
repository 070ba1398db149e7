//! OS threads of the target that polled a task or ran a blocking call.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::wire;
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
    /// For how long in all the system had run others though it could run, and when that was
    /// told; of the last while. Empty where the system does not tell.
    kept_off: VecDeque<(Time, Duration)>,
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

    /// For how much of this time the system ran others though this thread could run: at most,
    /// as it is told only at each update. None where the system does not tell.
    pub fn kept_off(&self, id: u64, from: Time, to: Time) -> Option<Duration> {
        let told = &self.all.get(&id)?.kept_off;
        let (_, after) = told.iter().find(|(at, _)| *at >= to).or(told.back())?;
        let before = if let Some((_, before)) = told.iter().rev().find(|(at, _)| *at <= from) {
            *before
        } else {
            // What was told first may be of long before, or all of since then.
            let (at, sum) = told.front()?;
            sum.saturating_sub(at.since(from))
        };
        Some(after.saturating_sub(before))
    }

    /// For how long in all the system ran others though a thread of a loop could run; of the
    /// one that had to wait longest. None where the system does not tell.
    pub fn kept_off_in_all(&self) -> Option<Duration> {
        let told = self.all.values().filter_map(|t| t.kept_off.back());
        told.map(|(_, sum)| *sum).max()
    }

    /// Times kept for each thread of how long it was kept off: those of about ten seconds.
    const SAMPLES: usize = 256;

    pub(super) fn apply(&mut self, now: Time, threads: &[v1::Thread]) {
        for thread in threads {
            let before = self.all.remove(&thread.id);
            let mut kept_off = before.map_or_else(VecDeque::new, |thread| thread.kept_off);
            if thread.kept_off.is_some() {
                if kept_off.len() == Self::SAMPLES {
                    kept_off.pop_front();
                }
                kept_off.push_back((now, wire::duration(thread.kept_off.as_ref())));
            }
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
                    kept_off,
                },
            );
            if self.all.len() > Self::MAX {
                self.forget_one();
            }
        }
    }

    /// Forgets the oldest thread that has ended, else the oldest of the pool that runs nothing,
    /// else the newest.
    fn forget_one(&mut self) {
        let ended = |t: &&Thread| t.ended.is_some();
        let idle = |t: &&Thread| t.role == Role::Blocking && t.task.is_none();
        let oldest = self.all.values().find(ended);
        let oldest = oldest.or(self.all.values().find(idle)).map(|t| t.id);
        if let Some(id) = oldest.or(self.all.keys().next_back().copied()) {
            self.all.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_are_told_to_live_only_so_many_are_kept() {
        const MAX: u64 = Threads::MAX as u64;
        let wire = |id| v1::Thread {
            id,
            role: v1::ThreadRole::Worker.into(),
            ..v1::Thread::default()
        };
        let mut threads = Threads::default();
        let all: Vec<_> = (1..=MAX + 9).map(wire).collect();
        threads.apply(Time::default(), &all);
        assert!(threads.iter().map(|t| t.id).eq(1..=MAX));
        let ended = v1::Thread {
            ended_at: Some(prost_types::Timestamp::default()),
            ..wire(7)
        };
        threads.apply(Time::default(), &[ended, wire(MAX + 1)]);
        assert!(threads.get(7).is_none() && threads.get(MAX + 1).is_some());
    }
}
