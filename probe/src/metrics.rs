//! The runtimes' own counters, by tokio-metrics, and each worker's by tokio.

use std::{collections::HashMap, sync::Mutex, thread::ThreadId};

use loopview_api::v1;
use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio_metrics::{RuntimeIntervals, RuntimeMetrics, RuntimeMonitor};

use crate::{cells::lock, clock};

/// Runtimes seen on the program's threads and not taken up yet.
#[derive(Debug, Default)]
pub(crate) struct Runtimes {
    met: Mutex<Met>,
    /// The probe's numbers of threads, by std's, which tokio tells of its workers.
    threads: Mutex<HashMap<ThreadId, u64>>,
}

#[derive(Debug, Default)]
struct Met {
    /// All of them; the place of each is its number, from 1.
    known: Vec<Id>,
    new: Vec<Handle>,
}

impl Runtimes {
    /// Notes the runtime that the calling thread is in, and gives its number.
    pub(crate) fn meet(&self) -> Option<u64> {
        thread_local! {
            static LAST: std::cell::Cell<Option<(Id, u64)>> = const { std::cell::Cell::new(None) };
        }
        let handle = Handle::try_current().ok()?;
        let id = handle.id();
        // Nearly always the one from last time: no lock is taken then.
        let last = LAST.try_with(std::cell::Cell::get).ok().flatten();
        if let Some((_, number)) = last.filter(|(known, _)| *known == id) {
            return Some(number);
        }
        let mut met = lock(&self.met);
        let place = met.known.iter().position(|known| *known == id);
        let place = place.unwrap_or_else(|| {
            met.known.push(id);
            met.new.push(handle);
            met.known.len() - 1
        });
        let number = place as u64 + 1;
        // A thread that is being torn down looks it up each time.
        let _ = LAST.try_with(|last| last.set(Some((id, number))));
        Some(number)
    }

    pub(crate) fn meet_thread(&self, thread: ThreadId, number: u64) {
        lock(&self.threads).insert(thread, number);
    }

    fn take(&self) -> Vec<Handle> {
        std::mem::take(&mut lock(&self.met).new)
    }
}

/// The runtimes that are watched.
#[derive(Default)]
pub(crate) struct Monitors {
    all: Vec<Monitor>,
}

struct Monitor {
    handle: Handle,
    intervals: RuntimeIntervals,
}

impl Monitors {
    /// Every runtime's figures for the time since the last call.
    pub(crate) fn sample(&mut self, runtimes: &Runtimes) -> Vec<v1::Runtime> {
        self.all
            .extend(runtimes.take().into_iter().map(|handle| Monitor {
                intervals: RuntimeMonitor::new(&handle).intervals(),
                handle,
            }));
        (1..)
            .zip(&mut self.all)
            .filter_map(|(id, monitor)| monitor.sample(id, runtimes))
            .collect()
    }
}

impl Monitor {
    fn sample(&mut self, id: u64, runtimes: &Runtimes) -> Option<v1::Runtime> {
        let interval: RuntimeMetrics = self.intervals.next()?;
        let metrics = self.handle.metrics();
        let threads = lock(&runtimes.threads);
        let workers = (0..metrics.num_workers())
            .map(|index| v1::Worker {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                busy: Some(clock::wire_duration(
                    metrics.worker_total_busy_duration(index),
                )),
                polls: metrics.worker_poll_count(index),
                parks: metrics.worker_park_count(index),
                noops: metrics.worker_noop_count(index),
                steals: metrics.worker_steal_count(index),
                overflows: metrics.worker_overflow_count(index),
                local_queue_depth: metrics.worker_local_queue_depth(index) as u64,
                thread: metrics
                    .worker_thread_id(index)
                    .and_then(|id| threads.get(&id).copied()),
            })
            .collect();
        let flavor = match self.handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => "current-thread",
            RuntimeFlavor::MultiThread => "multi-thread",
            _ => "other",
        };
        Some(v1::Runtime {
            id,
            flavor: flavor.to_owned(),
            workers,
            live_tasks: interval.live_tasks_count as u64,
            global_queue_depth: interval.global_queue_depth as u64,
            blocking_queue_depth: interval.blocking_queue_depth as u64,
            blocking_threads: interval.blocking_threads_count as u64,
            idle_blocking_threads: interval.idle_blocking_threads_count as u64,
            elapsed: Some(clock::wire_duration(interval.elapsed)),
            busy: Some(clock::wire_duration(interval.total_busy_duration)),
            polls: interval.total_polls_count,
            parks: interval.total_park_count,
            noops: interval.total_noop_count,
            steals: interval.total_steal_count,
            steal_operations: interval.total_steal_operations,
            remote_schedules: interval.num_remote_schedules,
            local_schedules: interval.total_local_schedule_count,
            overflows: interval.total_overflow_count,
            budget_forced_yields: interval.budget_forced_yield_count,
            io_ready_events: interval.io_driver_ready_count,
        })
    }
}
