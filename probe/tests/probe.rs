//! The probe as a client sees it: a program with known answers, watched over its socket.
//!
//! All tests share the one probe that a process can have.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{OnceLock, mpsc},
    time::{Duration, SystemTime},
};

use console_api::instrument::{InstrumentRequest, instrument_client::InstrumentClient};
use hyper_util::rt::TokioIo;
use loopview_api::v1::{self, Outcome, ThreadRole, TimerKind, probe_client::ProbeClient};
use loopview_probe::{Builder, Error, Probe};
use tokio::{net::UnixStream, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

/// No condition that is waited for takes this long.
const LIMIT: Duration = Duration::from_secs(20);

fn socket() -> &'static (PathBuf, Probe) {
    static SOCKET: OnceLock<(PathBuf, Probe)> = OnceLock::new();
    SOCKET.get_or_init(|| {
        // It stays as long as the process: cargo's folder is where it may be left.
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = folder.join(format!("probe-{}.sock", std::process::id()));
        let builder = Builder::default().publish_interval(Duration::from_millis(5));
        let probe = builder
            .socket(&path)
            .try_init()
            .expect("the only subscriber");
        (path, probe)
    })
}

/// A single-threaded runtime, as lessons use.
fn run<T>(main: impl Future<Output = T>) -> T {
    socket();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(main)
}

fn spawn<T: Send + 'static>(
    name: &str,
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::Builder::new()
        .name(name)
        .spawn(future)
        .expect("inside a runtime")
}

async fn channel() -> Channel {
    let connect =
        tower::service_fn(|_| async { UnixStream::connect(&socket().0).await.map(TokioIo::new) });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint
        .connect_with_connector(connect)
        .await
        .expect("the probe listens")
}

/// What a client knows after some updates.
#[derive(Default)]
struct Seen {
    tasks: HashMap<u64, v1::Task>,
    timers: HashMap<u64, v1::Timer>,
    scopes: HashMap<u64, v1::Scope>,
    threads: HashMap<u64, v1::Thread>,
    runtimes: Vec<v1::Runtime>,
    process: Option<v1::Process>,
}

/// Watches from a thread of its own, so that a loop that is blocked is still seen, until
/// the condition holds.
fn watch(holds: impl Fn(&Seen) -> bool + Send + 'static) -> mpsc::Receiver<Seen> {
    let (done, seen_at_last) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let seen = runtime.expect("a runtime").block_on(async {
            let mut updates = ProbeClient::new(channel().await)
                .watch(v1::WatchRequest::default())
                .await
                .expect("the probe answers")
                .into_inner();
            let mut seen = Seen::default();
            while !holds(&seen) {
                let update = updates
                    .message()
                    .await
                    .expect("updates go on")
                    .expect("and on");
                seen.tasks
                    .extend(update.tasks.into_iter().map(|t| (t.id, t)));
                seen.timers
                    .extend(update.timers.into_iter().map(|t| (t.id, t)));
                seen.scopes
                    .extend(update.scopes.into_iter().map(|s| (s.id, s)));
                seen.threads
                    .extend(update.threads.into_iter().map(|t| (t.id, t)));
                seen.runtimes = update.runtimes;
                seen.process = update.process.or(seen.process);
            }
            seen
        });
        let _ = done.send(seen);
    });
    seen_at_last
}

fn until(holds: impl Fn(&Seen) -> bool + Send + 'static) -> Seen {
    watch(holds)
        .recv_timeout(LIMIT)
        .expect("the condition holds in time")
}

fn be_busy(time: Duration) {
    let started = std::time::Instant::now();
    while started.elapsed() < time {}
}

fn number(id: tokio::task::Id) -> u64 {
    id.to_string().parse().expect("tokio's ids are numbers")
}

fn time(at: Option<&prost_types::Timestamp>) -> SystemTime {
    (*at.expect("a time"))
        .try_into()
        .expect("a time that can be")
}

#[test]
fn a_task_has_a_parent_and_a_scope_and_an_end() {
    let (parent, child, failed) = run(async {
        let outer = spawn("outer", async {
            let scope = tracing::trace_span!(
                target: "loopview::scope",
                "scope",
                kind = "gather",
                outcome = tracing::field::Empty
            );
            let inner = scope.in_scope(|| {
                spawn("inner", async {
                    tracing::trace!(target: "loopview::task", outcome = "error", error = "no");
                })
            });
            let id = inner.id();
            let _ = inner.await;
            scope.record("outcome", "error");
            drop(scope);
            tracing::trace!(target: "loopview::task", outcome = "ok");
            id
        });
        let outer_id = outer.id();
        let inner_id = outer.await.expect("it does not panic");
        let panics = spawn("panics", async { panic!("on purpose") });
        let panics_id = panics.id();
        let _: Result<(), _> = panics.await;
        (number(outer_id), number(inner_id), number(panics_id))
    });
    let seen = until(move |seen| seen.tasks.contains_key(&failed));
    let (outer, inner) = (&seen.tasks[&parent], &seen.tasks[&child]);
    let scope = &seen.scopes[&inner.scope.expect("it was spawned in a scope")];
    assert_eq!((inner.parent, outer.scope), (Some(parent), None));
    assert_eq!(
        (outer.outcome(), inner.outcome()),
        (Outcome::Ok, Outcome::Error)
    );
    assert_eq!(inner.error, "no");
    assert_eq!(seen.tasks[&failed].outcome(), Outcome::Panicked);
    assert_eq!(seen.tasks[&failed].error, "on purpose");
    assert_eq!((scope.kind.as_str(), scope.task), ("gather", Some(parent)));
    assert_eq!(scope.outcome(), Outcome::Error);
    assert!(scope.closed_at.is_some());
}

#[test]
fn polls_are_counted_without_the_drop() {
    let (once, twice, never) = run(async {
        let once = spawn("once", async {});
        let twice = spawn("twice", tokio::task::yield_now());
        let never = spawn("never", async {});
        never.abort();
        let ids = (number(once.id()), number(twice.id()), number(never.id()));
        let _ = tokio::join!(once, twice, never);
        ids
    });
    let seen = until(move |seen| seen.tasks.contains_key(&never));
    assert_eq!(seen.tasks[&once].polls, 1);
    assert_eq!(seen.tasks[&twice].polls, 2);
    assert_eq!(seen.tasks[&never].polls, 0);
}

#[test]
fn the_longest_poll_is_that_of_the_long_poll() {
    let id = run(async {
        let task = spawn("long", async {
            tokio::task::yield_now().await;
            be_busy(Duration::from_millis(30));
            tokio::task::yield_now().await;
        });
        let id = number(task.id());
        let _ = task.await;
        id
    });
    let seen = until(move |seen| seen.tasks.contains_key(&id));
    let longest: Duration = seen.tasks[&id]
        .longest_poll
        .unwrap_or_default()
        .try_into()
        .unwrap();
    assert!((30..).contains(&longest.as_millis()), "{longest:?}");
}

#[test]
fn a_timer_knows_its_owner_its_deadline_and_when_it_fired() {
    let (id, line) = run(async {
        let line = line!() + 2;
        let task = spawn("sleeper", async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(tokio::time::timeout(Duration::from_secs(3_600), async {}).await);
        });
        let id = number(task.id());
        let _ = task.await;
        (id, line)
    });
    let owned = move |seen: &Seen| {
        let mut timers: Vec<_> = seen
            .timers
            .values()
            .filter(|t| t.task == Some(id))
            .cloned()
            .collect();
        timers.sort_by_key(|t| t.id);
        timers
    };
    let seen = until(move |seen| owned(seen).iter().any(|t| t.fired_at.is_some()));
    let timer = &owned(&seen)[0];
    assert_eq!((timer.kind(), timer.fires), (TimerKind::Sleep, 1));
    assert_eq!(timer.location.as_ref().map(|l| l.line), Some(line));
    let (deadline, fired) = (time(timer.deadline.as_ref()), time(timer.fired_at.as_ref()));
    // tokio counts whole milliseconds, and rounds up.
    assert!(fired + Duration::from_millis(1) >= deadline);
    let duration: Duration = timer.duration.expect("it was polled").try_into().unwrap();
    assert!((20..=21).contains(&duration.as_millis()), "{duration:?}");
    let created = time(timer.created_at.as_ref());
    assert!(deadline >= created + Duration::from_millis(19));
}

#[test]
fn a_timer_that_is_dropped_has_not_fired() {
    let id = run(async {
        let task = spawn("waits", tokio::time::sleep(Duration::from_secs(3_600)));
        let id = number(task.id());
        tokio::task::yield_now().await;
        task.abort();
        let _ = task.await;
        id
    });
    let dropped = move |t: &&v1::Timer| t.task == Some(id) && t.dropped_at.is_some();
    let seen = until(move |seen| seen.timers.values().any(|t| dropped(&t)));
    let timer = seen.timers.values().find(dropped).expect("just seen");
    assert_eq!((timer.fired_at, timer.fires), (None, 0));
}

#[test]
fn an_interval_is_one_timer_with_the_persons_location() {
    let (id, line) = run(async {
        let line = line!() + 2;
        let task = spawn("ticks", async {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            for _ in 0..3 {
                ticks.tick().await;
            }
        });
        let id = number(task.id());
        let _ = task.await;
        (id, line)
    });
    let seen = until(move |seen| {
        seen.timers
            .values()
            .any(|t| t.task == Some(id) && t.fires == 3)
    });
    let timers: Vec<_> = seen
        .timers
        .values()
        .filter(|t| t.task == Some(id))
        .collect();
    assert_eq!(timers.len(), 1);
    assert_eq!(timers[0].kind(), TimerKind::Interval);
    assert_eq!(timers[0].location.as_ref().map(|l| l.line), Some(line));
}

#[test]
fn a_time_limit_is_told_from_a_sleep_by_its_scope() {
    let id = run(async {
        let task = spawn("limited", async {
            let scope = tracing::trace_span!(target: "loopview::scope", "scope", kind = "wait_for");
            let sleep = scope.in_scope(|| tokio::time::sleep(Duration::from_millis(1)));
            sleep.await;
        });
        let id = number(task.id());
        let _ = task.await;
        id
    });
    let seen = until(move |seen| seen.timers.values().any(|t| t.task == Some(id)));
    let timer = seen
        .timers
        .values()
        .find(|t| t.task == Some(id))
        .expect("just seen");
    assert_eq!(timer.kind(), TimerKind::Timeout);
}

#[test]
fn what_a_task_awaits_is_seen_while_the_loop_is_blocked() {
    let (release, blocked) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel();
    let program = std::thread::spawn(move || {
        run(async {
            let waits = spawn("waits", async {
                tracing::trace!(target: "loopview::task", awaits = 4_711_u64);
                tokio::task::yield_now().await;
            });
            tokio::task::yield_now().await;
            told.send(number(waits.id())).expect("the test listens");
            // The loop's only thread is held here until the test has seen it.
            let _ = blocked.recv();
            let _ = waits.await;
        });
    });
    let id = tell.recv_timeout(LIMIT).expect("the program runs");
    let awaits = move |seen: &Seen| seen.tasks.get(&id).and_then(|t| t.awaits);
    let seen = until(move |seen| awaits(seen) == Some(4_711));
    let holder = seen
        .threads
        .values()
        .find(|t| t.role() == ThreadRole::BlockOn && t.task.is_some());
    assert!(
        holder.is_some(),
        "the thread in block_on polls something now"
    );
    drop(release);
    program.join().expect("the program ends well");
}

#[test]
fn a_blocking_call_has_a_thread_of_its_own() {
    let (release, blocked) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel();
    let program = std::thread::spawn(move || {
        run(async {
            let call = tokio::task::spawn_blocking(move || blocked.recv().is_ok());
            told.send(number(call.id())).expect("the test listens");
            let _ = call.await;
        });
    });
    let id = tell.recv_timeout(LIMIT).expect("the program runs");
    let at = move |t: &&v1::Thread| t.task == Some(id) && t.since.is_some();
    let seen = until(move |seen| seen.threads.values().any(|t| at(&t)));
    let thread = seen.threads.values().find(at).expect("just seen");
    assert_eq!(thread.role(), ThreadRole::Blocking);
    drop(release);
    program.join().expect("the program ends well");
}

#[test]
fn a_thread_that_stands_in_for_one_that_blocks_in_place_is_a_worker() {
    socket();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build();
    let runtime = runtime.expect("a runtime");
    let (release, blocked) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel();
    let blocks = runtime.spawn(async move {
        tokio::task::block_in_place(|| {
            told.send(()).expect("the test listens");
            let _ = blocked.recv();
        });
    });
    tell.recv_timeout(LIMIT).expect("the program runs");
    let other = runtime.spawn(async {});
    let (blocks_id, other_id) = (number(blocks.id()), number(other.id()));
    runtime.block_on(other).expect("somebody polls it");
    let at = move |seen: &Seen, id| seen.threads.get(&seen.tasks.get(&id)?.thread?).cloned();
    let seen = until(move |seen| {
        let idle = at(seen, other_id).is_some_and(|t| t.task.is_none());
        idle && at(seen, blocks_id).is_some_and(|t| t.task == Some(blocks_id))
    });
    for thread in [at(&seen, blocks_id), at(&seen, other_id)] {
        assert_eq!(thread.expect("just seen").role(), ThreadRole::Worker);
    }
    drop(release);
    runtime.block_on(blocks).expect("it does not panic");
}

#[test]
fn runtimes_are_told_with_their_workers() {
    socket();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async { spawn("any", async {}).await.expect("it does not panic") });
    // A worker tells of its polls when it parks.
    let polled = |r: &v1::Runtime| r.workers.iter().any(|w| w.polls > 0);
    let multi =
        move |r: &v1::Runtime| r.flavor == "multi-thread" && r.workers.len() == 2 && polled(r);
    until(move |seen| seen.runtimes.iter().any(multi));
}

#[test]
fn tasks_tell_which_runtime_they_run_on() {
    let other = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
    };
    socket();
    let ids = [other(), other()].map(|runtime| {
        runtime.block_on(async {
            let task = spawn("somewhere", async {});
            let id = number(task.id());
            let _ = task.await;
            id
        })
    });
    let runtimes = move |seen: &Seen| ids.map(|id| seen.tasks.get(&id).and_then(|t| t.runtime));
    // The runtimes' own figures come with the update after the first.
    let seen = until(move |seen| {
        runtimes(seen)
            .iter()
            .all(|id| seen.runtimes.iter().any(|r| Some(r.id) == *id))
    });
    let [one, two] = runtimes(&seen);
    assert_ne!(one, two);
}

#[test]
fn the_console_protocol_is_beside_it_and_its_ids_agree() {
    let (id, span) = run(async {
        let mut updates = InstrumentClient::new(channel().await)
            .watch_updates(InstrumentRequest {})
            .await
            .expect("the console protocol answers")
            .into_inner();
        let task = spawn("named", async {});
        let id = number(task.id());
        let _ = task.await;
        let find = async {
            loop {
                let update = updates
                    .message()
                    .await
                    .expect("updates go on")
                    .expect("and on");
                let tasks = update.task_update.unwrap_or_default().new_tasks;
                let named = tasks.into_iter().find(|t| {
                    t.fields
                        .iter()
                        .any(|f| f.to_string() == format!("task.id={id}"))
                });
                if let Some(task) = named {
                    return task.id.expect("an id").id;
                }
            }
        };
        (
            id,
            tokio::time::timeout(LIMIT, find)
                .await
                .expect("the task is told in time"),
        )
    });
    let seen = until(move |seen| seen.tasks.contains_key(&id));
    assert_eq!(seen.tasks[&id].span_id, span);
    assert_eq!(
        seen.process.expect("it is in the first message").pid,
        std::process::id()
    );
}

#[test]
fn a_second_probe_is_refused_and_says_what_to_do() {
    let (path, _) = socket();
    let another = path.with_extension("again");
    let again = Builder::default().socket(&another).try_init();
    assert!(matches!(again, Err(Error::Subscriber)));
    let nobody = std::os::unix::net::UnixStream::connect(&another);
    assert!(nobody.is_err(), "what hears nothing does not listen");
    let taken = Builder::default().socket(path).try_init();
    assert!(matches!(taken, Err(Error::Listen { .. })), "{taken:?}");
}

#[test]
fn a_socket_that_nobody_holds_any_more_is_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a free path"));
    let layer = Builder::default()
        .socket(&path)
        .layer::<tracing_subscriber::Registry>();
    assert!(layer.is_ok());
}

#[test]
fn who_asks_whether_it_is_heard_is_told_so() {
    use tracing::Level;
    socket();
    assert!(tracing::enabled!(target: "tokio::task", Level::TRACE));
    assert!(tracing::enabled!(target: "loopview::scope", Level::TRACE));
    assert!(!tracing::enabled!(target: "a_program_of_yours", Level::ERROR));
}
