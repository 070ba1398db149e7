//! The target's runtimes and their workers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{bounds, kept, tasks::Tasks, wire};

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flavor {
    CurrentThread,
    MultiThread,
    Unknown,
}

impl Flavor {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CurrentThread => "current-thread",
            Self::MultiThread => "multi-thread",
            Self::Unknown => "unknown",
        }
    }
}

/// tokio-metrics' figures: those without another word are of the newest state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runtime {
    pub id: u64,
    pub flavor: Flavor,
    /// It is told of no longer: it was dropped, or has had nothing to do for long.
    pub is_gone: bool,
    pub workers: Vec<Worker>,
    pub live_tasks: u64,
    pub global_queue: u64,
    pub global_queue_max: u64,
    pub blocking_queue: u64,
    pub blocking_queue_max: u64,
    pub blocking_threads: u64,
    pub blocking_threads_max: u64,
    pub idle_blocking_threads: u64,
}

/// A worker, by its runtime and its place there.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct WorkerId {
    pub runtime: u64,
    pub index: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Worker {
    /// Totals since the runtime began.
    #[serde(with = "kept::span")]
    pub busy: Duration,
    pub polls: u64,
    pub parks: u64,
    /// Parks that ended without a poll.
    pub noops: u64,
    pub steals: u64,
    /// Times that the local queue was full.
    pub overflows: u64,
    pub local_queue: u64,
    /// The probe's number of the thread that runs it.
    pub thread: Option<u64>,
    /// The busy share of about the last second. tokio counts a busy stretch when it
    /// ends, so a poll that goes on is not in it yet.
    #[serde(deserialize_with = "kept::finite")]
    pub busy_ratio: f64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Runtimes {
    all: BTreeMap<u64, Runtime>,
}

impl Runtimes {
    pub fn iter(&self) -> impl Iterator<Item = &Runtime> {
        self.all.values()
    }

    pub fn get(&self, id: u64) -> Option<&Runtime> {
        self.all.get(&id)
    }

    /// Those that are told of now.
    fn present(&self) -> impl Iterator<Item = &Runtime> {
        self.all.values().filter(|runtime| !runtime.is_gone)
    }

    /// Every worker, runtime by runtime, of those that are told of now.
    pub fn worker_ids(&self) -> impl Iterator<Item = WorkerId> {
        let ids = |runtime: &Runtime| {
            let id = runtime.id;
            (0..runtime.workers.len()).map(move |index| WorkerId { runtime: id, index })
        };
        self.present().flat_map(ids)
    }

    pub fn worker(&self, id: WorkerId) -> Option<&Worker> {
        self.all.get(&id.runtime)?.workers.get(id.index)
    }

    /// The one that the target's own tasks run on: the first that was met.
    pub fn main(&self) -> Option<&Runtime> {
        self.all.values().next()
    }

    /// A figure of all together that are told of now.
    pub fn total(&self, of: impl Fn(&Runtime) -> u64) -> u64 {
        self.present().map(of).fold(0, u64::saturating_add)
    }

    /// How many threads poll the target's tasks; at least one.
    pub fn worker_count(&self, tasks: &Tasks) -> u32 {
        let told: usize = self.present().map(|r| r.workers.len()).sum();
        let count = if told > 0 { told } else { tasks.workers() };
        u32::try_from(count.max(1)).unwrap_or(u32::MAX)
    }

    /// A message that tells of any tells of all that there are.
    pub(super) fn apply(&mut self, runtimes: &[v1::Runtime]) {
        if runtimes.is_empty() {
            return;
        }
        let told: BTreeSet<u64> = runtimes.iter().map(|wire| wire.id).collect();
        for (id, runtime) in &mut self.all {
            runtime.is_gone = !told.contains(id);
        }
        for wire in runtimes {
            if !self.all.contains_key(&wire.id) && !self.make_room() {
                continue;
            }
            let runtime = self.all.entry(wire.id).or_insert_with(|| Runtime {
                id: wire.id,
                flavor: Flavor::Unknown,
                is_gone: false,
                workers: Vec::new(),
                live_tasks: 0,
                global_queue: 0,
                global_queue_max: 0,
                blocking_queue: 0,
                blocking_queue_max: 0,
                blocking_threads: 0,
                blocking_threads_max: 0,
                idle_blocking_threads: 0,
            });
            runtime.update(wire);
        }
    }

    /// Forgets the oldest that is gone, if there are as many as there may be; false if none is.
    /// The first is the one that a report is about.
    fn make_room(&mut self) -> bool {
        if self.all.len() < bounds::RUNTIMES {
            return true;
        }
        let oldest = self.all.values().skip(1).find(|runtime| runtime.is_gone);
        let oldest = oldest.map(|runtime| runtime.id);
        oldest.is_some_and(|id| self.all.remove(&id).is_some())
    }
}

impl Runtime {
    pub fn polls(&self) -> u64 {
        self.total(|w| w.polls)
    }

    pub fn parks(&self) -> u64 {
        self.total(|w| w.parks)
    }

    pub fn steals(&self) -> u64 {
        self.total(|w| w.steals)
    }

    /// A figure of all workers together.
    pub fn total(&self, of: impl Fn(&Worker) -> u64) -> u64 {
        self.workers.iter().map(of).fold(0, u64::saturating_add)
    }

    fn update(&mut self, wire: &v1::Runtime) {
        self.flavor = match wire.flavor.as_str() {
            "current-thread" => Flavor::CurrentThread,
            "multi-thread" => Flavor::MultiThread,
            _ => Flavor::Unknown,
        };
        self.live_tasks = wire.live_tasks;
        self.global_queue = wire.global_queue_depth;
        self.global_queue_max = self.global_queue_max.max(wire.global_queue_depth);
        self.blocking_queue = wire.blocking_queue_depth;
        self.blocking_queue_max = self.blocking_queue_max.max(wire.blocking_queue_depth);
        self.blocking_threads = wire.blocking_threads;
        self.blocking_threads_max = self.blocking_threads_max.max(wire.blocking_threads);
        self.idle_blocking_threads = wire.idle_blocking_threads;
        let elapsed = wire::duration(wire.elapsed.as_ref());
        // A message names at most as many workers as a runtime can have.
        self.workers
            .resize_with(wire.workers.len(), Worker::default);
        for (worker, new) in self.workers.iter_mut().zip(&wire.workers) {
            let busy = wire::duration(new.busy.as_ref());
            let share = busy.saturating_sub(worker.busy).as_secs_f64() / elapsed.as_secs_f64();
            // Smoothed over about a second, whatever the interval.
            let weight = elapsed.as_secs_f64().min(1.0);
            if share.is_finite() {
                worker.busy_ratio += (share.min(1.0) - worker.busy_ratio) * weight;
            }
            worker.busy = busy;
            worker.polls = new.polls;
            worker.parks = new.parks;
            worker.noops = new.noops;
            worker.steals = new.steals;
            worker.overflows = new.overflows;
            worker.local_queue = new.local_queue_depth;
            worker.thread = new.thread;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(id: u64) -> v1::Runtime {
        v1::Runtime {
            id,
            workers: vec![v1::Worker::default()],
            blocking_threads: 2,
            ..v1::Runtime::default()
        }
    }

    #[test]
    fn a_runtime_that_is_gone_counts_no_longer() {
        let tasks = Tasks::default();
        let mut runtimes = Runtimes::default();
        let figures = |runtimes: &Runtimes| {
            let threads = runtimes.total(|runtime| runtime.blocking_threads);
            (runtimes.worker_count(&tasks), threads)
        };
        runtimes.apply(&[wire(1), wire(2), wire(3)]);
        assert_eq!(figures(&runtimes), (3, 6));
        runtimes.apply(&[wire(2)]);
        assert_eq!(figures(&runtimes), (1, 2));
        assert!(runtimes.worker_ids().all(|worker| worker.runtime == 2));
        assert_eq!(runtimes.main().map(|runtime| runtime.id), Some(1));
        // A message of polls alone tells of none.
        runtimes.apply(&[]);
        assert_eq!(figures(&runtimes), (1, 2));
        runtimes.apply(&[wire(1), wire(2)]);
        assert_eq!(figures(&runtimes), (2, 4));
    }

    #[test]
    fn a_new_one_takes_the_place_of_the_oldest_that_is_gone() {
        const MOST: u64 = bounds::RUNTIMES as u64;
        let mut runtimes = Runtimes::default();
        for id in 1..=MOST + 10 {
            runtimes.apply(&[wire(id)]);
        }
        let ids = runtimes.iter().map(|runtime| runtime.id);
        assert!(ids.eq([1].into_iter().chain(12..=MOST + 10)));
        let all: Vec<_> = (1..=3 * MOST).map(wire).collect();
        runtimes.apply(&all);
        assert_eq!(runtimes.iter().count(), bounds::RUNTIMES);
    }
}
