//! The runtimes' own counters, by tokio-metrics, and each worker's by tokio.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering::Relaxed},
    },
    thread::ThreadId,
    time::{Duration, Instant},
};

use loopview_api::v1;
use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio_metrics::{RuntimeIntervals, RuntimeMetrics, RuntimeMonitor};

use crate::facts::changes::{Changed, Changes};

/// A runtime's number, from 1 in the order in which the probe met them.
pub(crate) type Number = u16;

/// The runtimes that the program's threads have met.
#[derive(Debug, Default)]
pub(crate) struct Runtimes {
    known: Mutex<HashMap<Id, Known>>,
    last: AtomicU16,
    /// The probe's numbers of threads, by std's, which tokio tells of its workers.
    threads: Mutex<HashMap<ThreadId, u32>>,
}

#[derive(Clone, Debug)]
struct Known {
    number: Number,
    /// The publisher has its handle. It lets go of one that has been silent for long.
    is_monitored: Arc<AtomicBool>,
}

impl Known {
    fn if_monitored(&self) -> Option<Number> {
        self.is_monitored.load(Relaxed).then_some(self.number)
    }
}

thread_local! {
    static LAST: RefCell<Option<(Id, Known)>> = const { RefCell::new(None) };
}

impl Runtimes {
    /// So many are remembered that are not watched any more: one that is heard of again keeps
    /// its number. A program may make a runtime for each call.
    const MOST: usize = 1 << 12;

    /// Notes the runtime that the calling thread is in, and gives its number.
    pub(crate) fn meet(&self, changes: &Changes) -> Option<Number> {
        let handle = Handle::try_current().ok()?;
        let id = handle.id();
        // Nearly always the one from last time: no lock is taken then. A thread that is
        // being torn down looks it up each time.
        let last = LAST.try_with(|last| match &*last.borrow() {
            Some((last, known)) if *last == id => known.if_monitored(),
            _ => None,
        });
        if let Ok(Some(number)) = last {
            return Some(number);
        }
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST && !all.contains_key(&id) {
            all.retain(|_, known| known.is_monitored.load(Relaxed));
        }
        let number = || self.free_number(&all);
        let number = all.get(&id).map_or_else(number, |known| known.number);
        let known = all.entry(id).or_insert_with(|| Known {
            number,
            is_monitored: Arc::default(),
        });
        let _ = LAST.try_with(|last| last.replace(Some((id, known.clone()))));
        if !known.is_monitored.swap(true, Relaxed) {
            changes.push(Changed::Runtime(Box::new(Met {
                number: known.number,
                is_monitored: Arc::clone(&known.is_monitored),
                handle,
            })));
        }
        Some(known.number)
    }

    /// The next number that no other has; 0 if there is none.
    fn free_number(&self, all: &HashMap<Id, Known>) -> Number {
        let next = |_| self.last.fetch_add(1, Relaxed).wrapping_add(1);
        let is_free = |number: &Number| *number > 0 && all.values().all(|k| k.number != *number);
        (0..=Number::MAX)
            .map(next)
            .find(is_free)
            .unwrap_or_default()
    }

    pub(crate) fn meet_thread(&self, thread: ThreadId, number: u32) {
        self.threads().insert(thread, number);
    }

    /// A thread is met and leaves once in its life: waiting here is no matter.
    fn threads(&self) -> std::sync::MutexGuard<'_, HashMap<ThreadId, u32>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn leave_thread(&self, number: u32) {
        self.threads().retain(|_, of| *of != number);
    }
}

/// A runtime that is to be watched.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    number: Number,
    is_monitored: Arc<AtomicBool>,
    handle: Handle,
}

/// The runtimes that are watched.
#[derive(Default)]
pub(crate) struct Monitors {
    all: BTreeMap<Number, Monitor>,
}

struct Monitor {
    met: Met,
    intervals: RuntimeIntervals,
    /// It did something in the last interval, and when it last did.
    is_active: bool,
    active: Instant,
}

impl Monitors {
    /// A runtime in which nothing is left is let go after so long, until it is heard of
    /// again: a handle keeps what a dropped runtime had.
    const SILENCE: Duration = Duration::from_secs(10);
    /// Of a program that makes one runtime after the other, only so many are waited for: each
    /// of them has some of its files open.
    const MOST_SILENT: usize = 8;

    pub(crate) fn add(&mut self, met: Met) {
        let intervals = RuntimeMonitor::new(&met.handle).intervals();
        let monitor = Monitor {
            intervals,
            is_active: true,
            active: Instant::now(),
            met,
        };
        self.all.insert(monitor.met.number, monitor);
    }

    /// Every runtime's figures for the time since the last call. `is_used`: it has a thread.
    pub(crate) fn sample(
        &mut self,
        runtimes: &Runtimes,
        is_used: impl Fn(Number) -> bool,
    ) -> Vec<v1::Runtime> {
        let threads = runtimes.threads().clone();
        let figures = self.all.values_mut().filter_map(|m| m.sample(&threads));
        let figures = figures.collect();
        let now = Instant::now();
        let mut silent = Vec::new();
        for (number, monitor) in &mut self.all {
            if monitor.is_active || is_used(*number) {
                monitor.active = now;
            } else {
                silent.push((monitor.active, *number));
            }
        }
        silent.sort_unstable();
        let too_many = silent.len().saturating_sub(Self::MOST_SILENT);
        for (n, (active, number)) in silent.into_iter().enumerate() {
            if (n < too_many || now - active >= Self::SILENCE)
                && let Some(silent) = self.all.remove(&number)
            {
                silent.met.is_monitored.store(false, Relaxed);
            }
        }
        figures
    }
}

impl Monitor {
    fn sample(&mut self, threads: &HashMap<ThreadId, u32>) -> Option<v1::Runtime> {
        self.is_active = false;
        let interval: RuntimeMetrics = self.intervals.next()?;
        let metrics = self.met.handle.metrics();
        self.is_active = interval.live_tasks_count > 0 || interval.total_park_count > 0;
        let workers = (0..metrics.num_workers())
            .map(|index| v1::Worker {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                busy: Some(loopview_api::duration(
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
                    .and_then(|id| threads.get(&id).copied())
                    .map(u64::from),
            })
            .collect();
        let flavor = match self.met.handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => "current-thread",
            RuntimeFlavor::MultiThread => "multi-thread",
            _ => "other",
        };
        Some(v1::Runtime {
            id: self.met.number.into(),
            flavor: flavor.to_owned(),
            workers,
            live_tasks: interval.live_tasks_count as u64,
            global_queue_depth: interval.global_queue_depth as u64,
            blocking_queue_depth: interval.blocking_queue_depth as u64,
            blocking_threads: interval.blocking_threads_count as u64,
            idle_blocking_threads: interval.idle_blocking_threads_count as u64,
            elapsed: Some(loopview_api::duration(interval.elapsed)),
            busy: Some(loopview_api::duration(interval.total_busy_duration)),
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

/// What the process has used so far.
pub(crate) fn usage() -> v1::Usage {
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu = u64::try_from(cpu.tv_sec).ok().map(|seconds| {
        let nanos = u32::try_from(cpu.tv_nsec).unwrap_or_default();
        loopview_api::duration(Duration::new(seconds, nanos))
    });
    v1::Usage {
        cpu,
        memory: memory_stats::memory_stats().map(|stats| stats.physical_mem as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_runtimes_that_are_gone_only_some_are_remembered() {
        let (changes, list) = Changes::new();
        let runtimes = Runtimes::default();
        let make = || tokio::runtime::Builder::new_current_thread().build();
        let meet = |runtime: &tokio::runtime::Runtime| {
            let _entered = runtime.enter();
            runtimes.meet(&changes)
        };
        let stays = make().expect("a runtime");
        assert_eq!(meet(&stays), Some(1));
        // Their numbers begin anew.
        let numbers = (2..=Number::MAX).chain(2..9);
        runtimes.last.store(Number::MAX - 5_000, Relaxed);
        let mut watched = Vec::new();
        for number in numbers.skip(usize::from(Number::MAX) - 5_001) {
            let goes = make().expect("a runtime");
            assert_eq!(meet(&goes), Some(number));
            watched.extend(list.try_iter());
            // All but the first are let go at once.
            if let Some(Changed::Runtime(met)) = watched.get(1) {
                met.is_monitored.store(false, Relaxed);
                watched.truncate(1);
            }
            assert!(runtimes.known.lock().expect("nobody panicked").len() <= Runtimes::MOST);
        }
        assert_eq!(meet(&stays), Some(1));
    }
}
