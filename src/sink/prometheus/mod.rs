//! Metrics for Prometheus, of one moment of the model, in its text format.
//!
//! Names that begin with `tokio_` are those that tokio-metrics' reporter has for the same
//! figures, in its units, so that dashboards made for it fit. It reports on its own process;
//! here they are the target's, and `runtime` says which of its runtimes. The others begin
//! with `loopview_`. `docs/fleet.md` has them all.
//!
//! Labels have few values: a target, the numbers of its runtimes and workers, a state, a
//! lint. Tasks have none, as there may be any number of them.

mod page;

use std::collections::BTreeMap;

use self::page::{Page, Sample, Told};
use crate::model::{Kind, Model, Phase, Runtime, Timer, Worker, lint, timeline::Doing};

/// Makes pages of metrics. It remembers the counters, which are of one run of the target, or of one
/// connection to it.
#[derive(Debug, Default)]
pub struct Prometheus {
    told: Told,
    /// Which one told these figures.
    connection: u32,
}

/// How what a live task does is called.
const STATES: [(Doing, &str); 5] = [
    (Doing::Running, "running"),
    (Doing::Ready, "ready"),
    (Doing::Sleeping, "sleeping"),
    (Doing::Waiting, "waiting"),
    (Doing::Idle, "idle"),
];

/// Name, help and the figure of a runtime.
type OfRuntime = (&'static str, &'static str, fn(&Runtime) -> f64);

const RUNTIME_GAUGES: &[OfRuntime] = &[
    (
        "tokio_workers_count",
        "Worker threads of the runtime",
        |r| r.workers.len() as f64,
    ),
    ("tokio_live_tasks_count", "Tasks that are alive", |r| {
        r.live_tasks as f64
    }),
    (
        "tokio_global_queue_depth",
        "Tasks in the runtime's global queue",
        |r| r.global_queue as f64,
    ),
    (
        "tokio_total_local_queue_depth",
        "Tasks in the workers' local queues",
        |r| r.total(|w| w.local_queue) as f64,
    ),
    (
        "tokio_max_local_queue_depth",
        "Tasks in the longest of the workers' local queues",
        |r| r.workers.iter().map(|w| w.local_queue).max().unwrap_or(0) as f64,
    ),
    (
        "tokio_min_local_queue_depth",
        "Tasks in the shortest of the workers' local queues",
        |r| r.workers.iter().map(|w| w.local_queue).min().unwrap_or(0) as f64,
    ),
    (
        "tokio_blocking_queue_depth",
        "Blocking calls that wait for a thread",
        |r| r.blocking_queue as f64,
    ),
    (
        "tokio_blocking_threads_count",
        "Threads beside the workers, for blocking calls",
        |r| r.blocking_threads as f64,
    ),
    (
        "tokio_idle_blocking_threads_count",
        "Threads for blocking calls that have none",
        |r| r.idle_blocking_threads as f64,
    ),
];

const RUNTIME_COUNTERS: &[OfRuntime] = &[
    (
        "tokio_total_busy_duration",
        "Time in which workers were busy, in microseconds; tokio adds it when a worker parks",
        |r| {
            let micros = r.workers.iter().map(|w| w.busy.as_micros() as f64);
            micros.sum()
        },
    ),
    ("tokio_total_polls_count", "Polls by workers", |r| {
        r.polls() as f64
    }),
    (
        "tokio_total_noop_count",
        "Times that a worker woke up, found nothing to do and parked again",
        |r| r.total(|w| w.noops) as f64,
    ),
    (
        "tokio_total_steal_count",
        "Tasks that workers took from others",
        |r| r.steals() as f64,
    ),
    (
        "tokio_total_overflow_count",
        "Times that a worker's local queue was full",
        |r| r.total(|w| w.overflows) as f64,
    ),
];

/// The same of a worker.
type OfWorker = (&'static str, &'static str, fn(&Worker) -> Sample);

const WORKER_COUNTERS: &[OfWorker] = &[
    (
        "loopview_worker_busy_seconds_total",
        "Time in which the worker was busy; tokio adds it when the worker parks",
        |w| w.busy.into(),
    ),
    ("loopview_worker_polls_total", "Polls by the worker", |w| {
        w.polls.into()
    }),
    (
        "loopview_worker_parks_total",
        "Times that the worker parked",
        |w| w.parks.into(),
    ),
    (
        "loopview_worker_steals_total",
        "Tasks that the worker took from others",
        |w| w.steals.into(),
    ),
];

impl Prometheus {
    /// Of a page.
    pub const MEDIA_TYPE: &str = prometheus::TEXT_FORMAT;

    /// Counters begin anew: the target is run again.
    pub fn begin_anew(&mut self) {
        self.told.clear();
    }

    /// The page of this moment. It takes time in proportion to the tasks that run or could, and
    /// to the calls on the blocking pool.
    pub fn encode(&mut self, model: &Model) -> String {
        if std::mem::replace(&mut self.connection, model.connection) != model.connection {
            self.begin_anew();
        }
        let mut page = Page::new(&model.target.name, &mut self.told);
        let is_up = model.phase == Phase::Live && model.ended.is_none();
        page.gauge(
            "loopview_target_up",
            "1 while the target runs and tells what it does, else 0",
            [Sample::from(u64::from(is_up))],
        );
        runtimes(model, &mut page);
        if model.instrument().is_some() {
            tasks(model, &mut page);
            timers(model, &mut page);
            lints(model, &mut page);
            lost(model, &mut page);
        }
        usage(model, &mut page);
        page.encode()
    }
}

fn runtimes(model: &Model, page: &mut Page<'_>) {
    let of = |figure: fn(&Runtime) -> f64| {
        let all = model.runtimes.iter();
        all.map(move |r| Sample::from(figure(r)).with("runtime", &r.id))
    };
    for (name, help, figure) in RUNTIME_GAUGES {
        page.gauge(name, help, of(*figure));
    }
    for (name, help, figure) in RUNTIME_COUNTERS {
        page.counter(name, help, of(*figure));
    }
    for (name, help, figure) in WORKER_COUNTERS {
        let ids = model.runtimes.worker_ids();
        let workers = ids.filter_map(|id| Some((id, model.runtimes.worker(id)?)));
        let samples = workers.map(|(id, worker)| {
            let sample = figure(worker).with("runtime", &id.runtime);
            sample.with("worker", &id.index)
        });
        page.counter(name, help, samples);
    }
}

fn tasks(model: &Model, page: &mut Page<'_>) {
    let (mut queued, mut running) = (0_u64, 0_u64);
    let calls = model.tasks.pool();
    for call in calls.filter(|call| call.kind == Kind::Blocking && !call.is_done()) {
        let count = call.first_poll.map_or(&mut queued, |_| &mut running);
        *count += 1;
    }
    page.gauge(
        "loopview_tasks",
        "Live tasks by what they do; blocking calls and workers are not among them",
        STATES.map(|(doing, name)| Sample::from(model.tasks.doing(doing)).with("state", &name)),
    );
    page.gauge(
        "loopview_blocking_calls",
        "Blocking calls that wait for a thread, and that run",
        [("queued", queued), ("running", running)]
            .map(|(state, count)| Sample::from(count).with("state", &state)),
    );
    page.counter(
        "loopview_spawned_total",
        "Tasks, blocking calls and workers that were ever spawned, as far as is known",
        [Sample::from(model.tasks.spawned())],
    );
    page.counter(
        "loopview_loop_busy_seconds_total",
        "Time that a worker spent in polls since the target is watched, the mean of the workers; \
         its rate is the busy share",
        [Sample::from(model.loop_busy())],
    );
    let totals = model.tasks.totals(model.ended.unwrap_or(model.now));
    page.counter(
        "loopview_polls_total",
        "Polls of tasks",
        [Sample::from(totals.polls)],
    );
    page.counter(
        "loopview_busy_seconds_total",
        "Time of tasks in polls, those that go on included",
        [Sample::from(totals.busy)],
    );
    page.counter(
        "loopview_scheduled_seconds_total",
        "Time in which tasks were ready and not polled",
        totals.ready.map(Sample::from),
    );
    page.gauge(
        "loopview_longest_poll_seconds",
        "The longest single poll since the target began",
        totals.longest_poll().map(Sample::from),
    );
    let lengths = model.process.as_ref().map(|_| &model.poll_lengths);
    page.histogram(
        "loopview_poll_duration_seconds",
        "How long polls took, of those that were told one by one since the target is watched",
        lengths.map(|lengths| &lengths.lasted),
    );
    page.histogram(
        "loopview_poll_delay_seconds",
        "How long tasks waited from their wake to these polls, where the wake was told",
        lengths.map(|lengths| &lengths.waited),
    );
}

fn timers(model: &Model, page: &mut Page<'_>) {
    page.gauge(
        "loopview_timers",
        "Timers that can still fire",
        [Sample::from(model.timers.live_count())],
    );
    // Without the probe deadlines are worked out, and not all of them can be.
    let is_exact = model.process.is_some();
    let now = model.timers_at();
    let overdue = model.timers.overdue(now);
    let is_late = |timer: &&Timer| timer.overdue(now) >= Some(Timer::LATE);
    page.gauge(
        "loopview_timers_overdue",
        "Timers that should have fired 2 ms ago or earlier",
        is_exact.then(|| overdue.filter(is_late).count().into()),
    );
    page.counter(
        "loopview_timers_late_total",
        "Timers that fired 2 ms or more behind their deadline; an interval counts once",
        is_exact.then(|| model.timers.fired_late().into()),
    );
}

fn lints(model: &Model, page: &mut Page<'_>) {
    let mut found: BTreeMap<lint::Kind, u64> = BTreeMap::new();
    for finding in model.lints.iter() {
        let count = found.entry(finding.kind).or_default();
        *count = count.saturating_add(finding.count);
    }
    let kinds = lint::Kind::ALL.iter();
    page.counter(
        "loopview_lints_total",
        "Cases of what was found to be wrong, by lint",
        kinds.map(|kind| {
            let count = found.get(kind).copied().unwrap_or(0);
            Sample::from(count).with("lint", &kind.name())
        }),
    );
}

fn lost(model: &Model, page: &mut Page<'_>) {
    page.counter(
        "loopview_lost_events_total",
        "Events that the target's instrument dropped, or could not tell in time",
        [Sample::from(model.lost.events)],
    );
    page.counter(
        "loopview_lost_polls_total",
        "Polls that were counted and not told one by one",
        model.lost.polls.map(Sample::from),
    );
    page.counter(
        "loopview_lost_connections_total",
        "Times that the connection to the target was lost",
        [Sample::from(model.lost.gaps)],
    );
    page.counter(
        "loopview_lost_messages_total",
        "Messages of the target, or parts of them, that made no sense",
        [Sample::from(model.lost.malformed)],
    );
    page.counter(
        "loopview_probe_lost_total",
        "Tasks, resources, scopes and events that the probe did not record",
        model.usage.probe.map(|probe| Sample::from(probe.lost)),
    );
}

fn usage(model: &Model, page: &mut Page<'_>) {
    let usage = &model.usage;
    page.counter(
        "loopview_process_cpu_seconds_total",
        "Processor time of the target's process",
        usage.cpu.map(Sample::from),
    );
    page.gauge(
        "loopview_process_resident_memory_bytes",
        "Memory of the target's process",
        usage.memory.map(Sample::from),
    );
    page.gauge(
        "loopview_probe_memory_bytes",
        "What the probe takes of that",
        usage.probe.map(|probe| Sample::from(probe.memory)),
    );
    page.gauge(
        "loopview_probe_memory_limit_bytes",
        "What the probe may take at most",
        usage.probe.map(|probe| Sample::from(probe.memory_limit)),
    );
}
