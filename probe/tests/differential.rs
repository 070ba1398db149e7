//! The same program under console-subscriber and under the probe: over the console protocol,
//! both tell the same, apart from the corrections that are named here.

mod support;

use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::Pin,
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Waker},
    time::Duration,
};

use console_api::{resources::resource::kind, tasks};
use support::{
    Console, Program, be_busy,
    clients::{field, task_name},
    duration, number,
    program::{tell, wait},
    spawn, watch,
};
use tokio::{
    sync::{Barrier, OnceCell, RwLock, Semaphore, oneshot},
    task::{JoinSet, LocalSet, yield_now},
    time::{interval, sleep, sleep_until, timeout},
};
use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    support::main(
        named![
            on_one_thread_both_tell_the_same,
            on_a_worker_both_tell_the_same,
            times_are_those_of_the_program,
            a_timers_operation_belongs_to_its_task,
            tasks_have_parents_and_kinds,
            a_yield_is_a_wake_by_oneself,
            block_on_is_woken_for_each_poll_but_the_first,
            no_time_is_waited_by_who_was_not_woken,
            ids_are_tokios_and_never_used_again,
            only_the_newest_poll_op_is_told,
        ],
        named![one_thread, worker],
    )
}

// The programs.

/// By the instrument that the environment says.
fn be_observed() {
    match std::env::var("INSTRUMENT").as_deref() {
        Ok("console-subscriber") => console_subscriber_init(),
        _ => loopview_probe::init(),
    }
    tell("ready", "");
    wait();
}

/// As its own `init`, but on our Unix socket, which is open when this returns.
fn console_subscriber_init() {
    let (layer, server) = console_subscriber::ConsoleLayer::builder()
        .publish_interval(Duration::from_millis(10))
        .build();
    let path = std::env::var_os("LOOPVIEW_SOCKET").expect("a socket");
    let listener = std::os::unix::net::UnixListener::bind(path).expect("a free path");
    listener.set_nonblocking(true).expect("a socket can");
    std::thread::spawn(move || {
        let unseen = tracing::subscriber::NoSubscriber::new();
        let _unseen = tracing::subscriber::set_default(unseen);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let parts = server.into_parts();
            tokio::spawn(parts.aggregator.run());
            let listener = tokio::net::UnixListener::from_std(listener).expect("a listener");
            let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
            tonic::transport::Server::builder()
                .add_service(parts.instrument_server)
                .serve_with_incoming(incoming)
                .await
                .expect("it serves");
        });
    });
    tracing_subscriber::registry().with(layer).init();
}

/// What came before this has been told when this has.
fn the_end() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        spawn("the end", async {}).await.expect("it does not panic");
    });
    wait();
}

fn one_thread() {
    be_observed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // All that waits for time waits for the same time, then.
    LocalSet::new().block_on(&runtime, async {
        tokio::time::pause();
        wakes().await;
        locks().await;
        channels().await;
        ends().await;
        timers().await;
        let task = tokio::task::Builder::new()
            .name("local")
            .spawn_local(local());
        done(task.expect("inside a set")).await;
    });
    let outside = async {
        blocks().await;
        from_outside().await;
        times().await;
    };
    runtime.block_on(async {
        tokio::time::resume();
        done(spawn("outside", outside)).await;
    });
    drop(runtime);
    the_end();
}

fn worker() {
    be_observed();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // Who joins it waits for it from the beginning, however late this thread comes to that.
        let (joins, is_joined) = std::sync::mpsc::channel();
        let mut all = spawn("all", async move {
            is_joined.recv().expect("it is joined");
            wakes().await;
            locks().await;
            channels().await;
            ends().await;
        });
        poll_fn(|cx| {
            let joined = Pin::new(&mut all).poll(cx);
            let _ = joins.send(());
            joined
        })
        .await
        .expect("it does not panic");
    });
    drop(runtime);
    the_end();
}

async fn done<T>(task: tokio::task::JoinHandle<T>) -> Option<T> {
    task.await.ok()
}

/// Pending so many times; `wake` is given the waker each time.
async fn pending(times: u32, mut wake: impl FnMut(&Waker)) {
    let mut left = times;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        wake(cx.waker());
        Poll::Pending
    })
    .await;
}

async fn wakes() {
    done(spawn("plain", async {})).await;
    done(tokio::spawn(async {})).await;
    done(spawn("yields 3", async {
        for _ in 0..3 {
            yield_now().await;
        }
    }))
    .await;
    done(spawn("wakes itself", pending(5, Waker::wake_by_ref))).await;
    done(spawn(
        "uses its waker up",
        pending(4, |waker| {
            let clone = waker.clone();
            clone.wake();
        }),
    ))
    .await;
    done(spawn(
        "wakes itself thrice at once",
        pending(2, |waker| {
            (0..3).for_each(|_| waker.wake_by_ref());
        }),
    ))
    .await;
    done(spawn(
        "clones and drops",
        pending(2, |waker| {
            let clones = [waker.clone(), waker.clone(), waker.clone()];
            waker.wake_by_ref();
            drop(clones);
        }),
    ))
    .await;

    // Its waker is used up, cloned and dropped by another.
    let slot = Arc::new(Mutex::new(None::<Waker>));
    let kept = Arc::clone(&slot);
    let woken = spawn(
        "woken by another",
        pending(3, move |waker| {
            *kept.lock().expect("nobody panics") = Some(waker.clone());
        }),
    );
    let waker = spawn("wakes another", async move {
        for n in 0..3 {
            let waker = poll_fn(|cx| {
                let waker = slot.lock().expect("nobody panics").take();
                if waker.is_none() {
                    cx.waker().wake_by_ref();
                }
                waker.map_or(Poll::Pending, Poll::Ready)
            })
            .await;
            match n {
                0 => waker.wake(),
                1 => {
                    waker.wake_by_ref();
                    waker.wake_by_ref();
                }
                _ => {
                    let clone = waker.clone();
                    drop(waker);
                    clone.wake();
                }
            }
        }
    });
    done(woken).await;
    done(waker).await;

    // A child wakes its parent, which awaits it.
    done(spawn("parent", async {
        let child = spawn("child", pending(1, Waker::wake_by_ref));
        done(child).await;
        let mut set = JoinSet::new();
        for name in ["first", "second"] {
            let builder = set.build_task().name(name);
            builder
                .spawn(pending(1, Waker::wake_by_ref))
                .expect("inside a runtime");
        }
        while set.join_next().await.is_some() {}
    }))
    .await;
    let selected = spawn("selects", async {
        tokio::select! {
            biased;
            () = std::future::pending() => {}
            () = pending(2, Waker::wake_by_ref) => {}
        }
        tokio::join!(
            pending(1, Waker::wake_by_ref),
            pending(3, Waker::wake_by_ref)
        );
    });
    done(selected).await;
}

async fn locks() {
    let lock = Arc::new(tokio::sync::Mutex::new(0));
    let (release, released) = oneshot::channel();
    let first = spawn("locks", {
        let lock = Arc::clone(&lock);
        async move {
            let mut held = lock.lock().await;
            released.await.expect("it is sent");
            *held += 1;
        }
    });
    let others = ["waits for the lock", "waits longer"].map(|name| {
        let lock = Arc::clone(&lock);
        spawn(name, async move { *lock.lock().await += 1 })
    });
    // Waits for a lock, and gives up.
    let gives_up = spawn("gives up", async move {
        let _held = lock.lock().await;
    });
    done(spawn("releases", async move {
        pending(2, Waker::wake_by_ref).await;
        gives_up.abort();
        done(gives_up).await;
        release.send(()).expect("somebody listens");
    }))
    .await;
    done(first).await;
    for other in others {
        done(other).await;
    }

    let shared = Arc::new(RwLock::with_max_readers(0, 8));
    let reads = spawn("reads and writes", {
        let shared = Arc::clone(&shared);
        async move {
            let one = shared.read().await;
            let two = shared.read().await;
            assert!(shared.try_write().is_err());
            drop((one, two));
            *shared.write().await += 1;
        }
    });
    done(reads).await;

    let permits = Arc::new(Semaphore::new(2));
    let takes = spawn("takes permits", {
        let permits = Arc::clone(&permits);
        async move {
            let two = permits.acquire_many(2).await.expect("it is open");
            assert!(permits.try_acquire().is_err());
            drop(two);
            permits.acquire().await.expect("it is open").forget();
            let three = permits.acquire_many(3).await.expect("it is open");
            drop(three);
            permits.close();
        }
    });
    done(spawn("adds permits", async move {
        pending(1, Waker::wake_by_ref).await;
        permits.add_permits(5);
    }))
    .await;
    done(takes).await;

    let barrier = Arc::new(Barrier::new(2));
    let both = ["meets", "is met"].map(|name| {
        let barrier = Arc::clone(&barrier);
        spawn(name, async move {
            barrier.wait().await;
        })
    });
    for one in both {
        done(one).await;
    }
    done(spawn("makes it once", async {
        let cell = OnceCell::new();
        cell.get_or_init(|| async { 7 }).await;
        cell.get_or_init(|| async { 8 }).await;
    }))
    .await;
}

async fn channels() {
    let (sender, receiver) = oneshot::channel::<u32>();
    let listens = spawn("listens", receiver);
    done(spawn("speaks", async move {
        let _ = sender.send(7);
    }))
    .await;
    done(listens).await;
    let (sender, receiver) = oneshot::channel::<u32>();
    drop(sender);
    done(spawn("hears nothing", receiver)).await;

    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let sends = spawn("sends", async move {
        for n in 0..4 {
            sender.send(n).await.expect("somebody receives");
        }
    });
    let all = spawn("receives", async move {
        while receiver.recv().await.is_some() {}
    });
    done(sends).await;
    done(all).await;
}

async fn ends() {
    let aborted = spawn("aborted", std::future::pending::<()>());
    let never = spawn("aborted before its first poll", async {});
    never.abort();
    done(never).await;
    done(spawn("aborts", async move {
        pending(1, Waker::wake_by_ref).await;
        aborted.abort();
        done(aborted).await;
    }))
    .await;
    std::panic::set_hook(Box::new(|_| {}));
    done(spawn("panics", async {
        pending(1, Waker::wake_by_ref).await;
        panic!("on purpose");
    }))
    .await;
    // Dropped with the runtime.
    spawn("left behind", std::future::pending::<()>());
}

async fn timers() {
    const MS: Duration = Duration::from_millis(1);
    done(spawn("sleeps", sleep(20 * MS))).await;
    done(spawn("sleeps no time", sleep(Duration::ZERO))).await;
    done(spawn("sleeps again", async {
        let first = sleep(10 * MS);
        tokio::pin!(first);
        first.as_mut().await;
        let next = first.deadline() + 15 * MS;
        first.as_mut().reset(next);
        first.await;
        sleep_until(tokio::time::Instant::now() + 5 * MS).await;
    }))
    .await;
    done(spawn("ticks", async {
        let mut ticks = interval(10 * MS);
        for _ in 0..4 {
            ticks.tick().await;
        }
    }))
    .await;
    done(spawn("runs out of time", async {
        assert!(
            timeout(10 * MS, std::future::pending::<()>())
                .await
                .is_err()
        );
    }))
    .await;
    done(spawn("is in time", async {
        let work = async { sleep(5 * MS).await };
        assert!(timeout(10 * MS, work).await.is_ok());
    }))
    .await;
    let stopped = spawn("sleeps and is stopped", sleep(Duration::from_secs(3_600)));
    done(spawn("stops it", async move {
        sleep(10 * MS).await;
        stopped.abort();
        done(stopped).await;
    }))
    .await;
}

async fn local() {
    let cell = std::rc::Rc::new(1);
    pending(2, Waker::wake_by_ref).await;
    drop(cell);
}

async fn blocks() {
    // It ends after somebody has begun to wait for it.
    let (release, released) = mpsc::channel();
    let call = tokio::task::Builder::new().name("blocks").spawn_blocking({
        let handle = tokio::runtime::Handle::current();
        move || {
            released.recv().expect("it is sent");
            handle.block_on(pending(3, Waker::wake_by_ref));
        }
    });
    let waits = spawn("waits for the call", done(call.expect("inside a runtime")));
    done(spawn("releases the call", async move {
        release.send(()).expect("the call waits");
    }))
    .await;
    done(waits).await;
}

/// One that a thread outside of the runtime wakes.
async fn from_outside() {
    let (sender, receiver) = mpsc::channel::<Waker>();
    let (started, has_started) = oneshot::channel();
    let woken = spawn("woken by a thread", async move {
        let _ = started.send(());
        pending(1, move |waker| {
            sender.send(waker.clone()).expect("the thread listens");
        })
        .await;
    });
    let thread = std::thread::spawn(move || receiver.recv().expect("it is sent").wake());
    has_started.await.expect("it starts");
    done(woken).await;
    thread.join().expect("it does not panic");
}

/// One that is busy for a time that it tells, and one that could not run meanwhile.
async fn times() {
    let slot = Arc::new(Mutex::new(None::<Waker>));
    let kept = Arc::clone(&slot);
    let late = spawn(
        "late",
        pending(1, move |waker| {
            *kept.lock().expect("nobody panics") = Some(waker.clone());
        }),
    );
    let busy = spawn("busy", async move {
        pending(1, Waker::wake_by_ref).await;
        slot.lock()
            .expect("nobody panics")
            .take()
            .expect("it waits")
            .wake();
        be_busy(Duration::from_millis(50))
    });
    let time = done(busy).await.expect("it does not panic");
    tell("busy", time.as_micros());
    tell("late-id", number(late.id()));
    done(late).await;
}

// What is told of them.

const SLEEP: &str = "Sleep::new_timeout";

struct Told {
    console: Console,
    busy: Duration,
}

fn observe(program: &str, instrument: &str) -> Told {
    let mut program = Program::start(program, &[("INSTRUMENT", instrument)]);
    program.told("ready");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        // console-subscriber sends the first message when it takes the client in.
        console.next().await;
        program.go_on();
        console.until(|seen| seen.has_ended("the end")).await;
        let busy = match console.known.task("busy") {
            Some(_) => program.micros("busy"),
            None => Duration::ZERO,
        };
        assert_eq!(console.known.dropped, 0);
        Told {
            console: console.known,
            busy,
        }
    })
}

/// Theirs and ours. All tests compare the same two.
fn both(program: &'static str) -> [Arc<Told>; 2] {
    static KNOWN: Mutex<BTreeMap<&str, [Arc<Told>; 2]>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let both = known.entry(program).or_insert_with(|| {
        ["console-subscriber", "probe"].map(|instrument| Arc::new(observe(program, instrument)))
    });
    both.clone()
}

fn key(task: &tasks::Task) -> String {
    let name = task_name(task).unwrap_or_default();
    let kind = field(task, "kind").map(ToString::to_string);
    let place = task.location.as_ref().map(ToString::to_string);
    format!("{name:?} {kind:?} at {place:?}")
}

/// How often a task yields is in its name.
fn yields(task: &tasks::Task) -> u64 {
    let name = task_name(task).unwrap_or_default();
    let times = name.strip_prefix("yields ").map(str::parse);
    times.map_or(0, |n| n.expect("a number"))
}

fn is_block_on(task: &tasks::Task) -> bool {
    field(task, "kind").is_some_and(|kind| kind.to_string() == "block_on")
}

impl Told {
    /// A line for each task, with all that has to be the same.
    fn tasks(&self, ours: bool) -> Vec<String> {
        let mut lines: Vec<_> = self.console.tasks.iter().map(|(id, task)| {
            let stats = &self.console.task_stats[id];
            let fields: Vec<_> = task
                .fields
                .iter()
                .map(|field| {
                    let text = field.to_string();
                    // The same program, but not at the same time.
                    if text.starts_with("task.id=") { "task.id".into() } else { text }
                })
                .collect();
            let meta = &self.console.metadata[&task.metadata.as_ref().expect("metadata").id];
            let polls = stats.poll_stats.as_ref().expect("polls");
            // The corrections.
            let self_wakes = stats.self_wakes + if ours { 0 } else { yields(task) };
            let wakes = stats.wakes * u64::from(!is_block_on(task));
            // Its waker is dropped by itself or by the call's thread, unless that uses it up.
            let is_race = task_name(task).as_deref() == Some("waits for the call");
            let drops = stats.waker_drops * u64::from(!is_race);
            format!(
                "{} {fields:?} {} {} polls {} wakes {wakes} self_wakes {self_wakes} clones {} drops {drops} ended {} first {} last {}",
                key(task),
                meta.name,
                meta.target,
                polls.polls,
                stats.waker_clones,
                stats.dropped_at.is_some(),
                polls.first_poll.is_some(),
                polls.last_poll_ended.is_some(),
            )
        }).collect();
        lines.sort();
        lines
    }

    fn resource(&self, id: Option<console_api::Id>) -> Option<String> {
        let resource = &self.console.resources[&id?.id];
        let place = resource.location.as_ref().map(ToString::to_string);
        Some(format!("{} at {place:?}", resource.concrete_type))
    }

    fn attributes(attributes: &[console_api::Attribute]) -> Vec<String> {
        let mut all: Vec<_> = attributes
            .iter()
            .map(|a| format!("{} {:?}", a.field.as_ref().expect("a field"), a.unit))
            .collect();
        all.sort();
        all
    }

    fn resources(&self) -> Vec<String> {
        let resources = self.console.resources.iter();
        // A thread of the runtime's pool may be the last one to know of this one.
        let resources = resources.filter(|(_, resource)| {
            let file = resource.location.as_ref().and_then(|l| l.file.as_deref());
            !file.is_some_and(|file| file.ends_with("blocking/shutdown.rs"))
        });
        let mut lines: Vec<_> = resources
            .map(|(id, resource)| {
                let stats = &self.console.resource_stats[id];
                let kind = resource.kind.as_ref().and_then(|k| k.kind.as_ref());
                let kind = match kind.expect("a kind") {
                    kind::Kind::Known(known) => format!("known {known}"),
                    kind::Kind::Other(other) => other.clone(),
                };
                format!(
                    "{} {kind} internal {} in {:?}: {:?} ended {}",
                    self.resource(resource.id).expect("a resource"),
                    resource.is_internal,
                    self.resource(resource.parent_resource_id),
                    Self::attributes(&stats.attributes),
                    stats.dropped_at.is_some(),
                )
            })
            .collect();
        lines.sort();
        lines
    }

    /// Operations, those of timers apart.
    fn ops(&self) -> [Vec<String>; 2] {
        let mut lines = [const { Vec::new() }; 2];
        for (id, op) in &self.console.ops {
            let stats = &self.console.op_stats[id];
            let resource = self.resource(op.resource_id).expect("a resource");
            if resource.contains("blocking/shutdown.rs") {
                // How often it is polled depends on when the pool's last thread ends.
                continue;
            }
            let parent = op
                .parent_async_op_id
                .map(|id| &self.console.ops[&id.id].source);
            let task = stats.task_id.map(|id| key(&self.console.tasks[&id.id]));
            let polls = stats.poll_stats.as_ref().expect("polls");
            let line = format!(
                "{} of {resource} in {parent:?} by {task:?}: {:?} polls {} first {} ended {}",
                op.source,
                Self::attributes(&stats.attributes),
                polls.polls,
                polls.first_poll.is_some(),
                stats.dropped_at.is_some(),
            );
            lines[usize::from(op.source == SLEEP)].push(line);
        }
        lines.map(|mut lines| {
            lines.sort();
            lines
        })
    }

    fn named(&self, name: &str) -> &tasks::Stats {
        self.console.stats(name).expect("a task of that name")
    }
}

#[track_caller]
fn assert_same(what: &str, theirs: &[String], ours: &[String]) {
    let lacks = |of: &[String], other: &[String]| {
        let mut rest = other.to_vec();
        let mut text = String::new();
        for line in of {
            match rest.iter().position(|other| other == line) {
                Some(at) => drop(rest.swap_remove(at)),
                None => text.extend([line, "\n"]),
            }
        }
        text
    };
    let (only_theirs, only_ours) = (lacks(theirs, ours), lacks(ours, theirs));
    assert!(
        only_theirs.is_empty() && only_ours.is_empty(),
        "{what}:\nonly console-subscriber:\n{only_theirs}only the probe:\n{only_ours}"
    );
}

fn both_tell_the_same(program: &'static str) {
    let [theirs, ours] = both(program);
    assert_same("tasks", &theirs.tasks(false), &ours.tasks(true));
    assert_same("resources", &theirs.resources(), &ours.resources());
    assert_same("operations", &theirs.ops()[0], &ours.ops()[0]);
}

fn on_one_thread_both_tell_the_same() {
    both_tell_the_same("one_thread");
}

fn on_a_worker_both_tell_the_same() {
    both_tell_the_same("worker");
}

fn times_are_those_of_the_program() {
    const NOISE: Duration = Duration::from_millis(20);
    for told in both("one_thread") {
        let polls = told.named("busy").poll_stats.as_ref().expect("polls");
        let busy = duration(polls.busy_time.as_ref());
        assert!(busy >= told.busy && busy < told.busy + NOISE, "{busy:?}");
        let waited = duration(told.named("late").scheduled_time.as_ref());
        assert!(
            waited >= told.busy && waited < told.busy + NOISE,
            "{waited:?}"
        );
    }
}

fn a_timers_operation_belongs_to_its_task() {
    let [theirs, ours] = both("one_thread");
    // Since tokio 1.53 they are made outside of their resource's span.
    assert!(theirs.ops()[1].is_empty());
    let timers = ours.console.resources.values();
    let timers = timers.filter(|r| r.concrete_type == "Sleep").count();
    let ops = ours.console.ops.values();
    let ops: Vec<_> = ops.filter(|op| op.source == SLEEP).collect();
    assert_eq!((ops.len(), timers), (10, 10));
    for op in ops {
        let resource = &ours.console.resources[&op.resource_id.expect("a resource").id];
        assert_eq!(resource.concrete_type, "Sleep");
        let stats = &ours.console.op_stats[&op.id.expect("an id").id];
        let task = &ours.console.tasks[&stats.task_id.expect("a task").id];
        let name = task_name(task).expect("all who wait for time have names");
        assert!(
            ["sleeps", "ticks", "time", "stop"]
                .iter()
                .any(|word| name.contains(word)),
            "{name}"
        );
        let place = resource.location.as_ref().expect("a place");
        let is_here = place.file.as_deref() == Some(file!());
        assert_eq!(is_here, name != "ticks", "{place} of {name}");
    }
}

fn tasks_have_parents_and_kinds() {
    use tasks::task::Kind;
    let [theirs, ours] = both("one_thread");
    assert!(
        theirs
            .console
            .tasks
            .values()
            .all(|task| task.parents.is_empty())
    );
    let task = |name| &ours.console.tasks[&ours.console.task(name).expect("it is told")];
    let parent = |name| task(name).parents.iter().map(|p| p.id).collect::<Vec<_>>();
    for child in ["child", "first", "second"] {
        assert_eq!(parent(child), [task("parent").id.expect("an id").id]);
    }
    let tasks = ours.console.tasks.values();
    let first = tasks
        .filter(|t| is_block_on(t))
        .min_by_key(|t| t.id.map(|id| id.id));
    assert_eq!(
        parent("plain"),
        [first.and_then(|t| t.id).expect("an id").id]
    );
    for task in ours.console.tasks.values() {
        let is_blocking = field(task, "kind").is_some_and(|k| k.to_string() == "blocking");
        assert_eq!(task.kind() == Kind::Blocking, is_blocking, "{}", key(task));
    }
    assert_eq!(task("blocks").kind(), Kind::Blocking);
    assert!(
        theirs
            .console
            .tasks
            .values()
            .all(|task| task.kind() == Kind::Spawn)
    );
}

fn a_yield_is_a_wake_by_oneself() {
    for program in ["one_thread", "worker"] {
        let [theirs, ours] = both(program);
        let (theirs, ours) = (theirs.named("yields 3"), ours.named("yields 3"));
        assert_eq!((theirs.wakes, theirs.self_wakes), (3, 0));
        assert_eq!((ours.wakes, ours.self_wakes), (3, 3));
    }
}

fn block_on_is_woken_for_each_poll_but_the_first() {
    let [theirs, ours] = both("one_thread");
    for (told, wakes) in [(theirs, false), (ours, true)] {
        let tasks = told
            .console
            .tasks
            .iter()
            .filter(|(_, task)| is_block_on(task));
        let stats: Vec<_> = tasks.map(|(id, _)| &told.console.task_stats[id]).collect();
        assert!(stats.len() > 1);
        for stats in stats {
            let polls = stats.poll_stats.as_ref().expect("polls").polls;
            // The last one is the drop of the future.
            let expected = if wakes { polls - 2 } else { 0 };
            assert_eq!(stats.wakes, expected);
        }
    }
}

fn no_time_is_waited_by_who_was_not_woken() {
    let [theirs, ours] = both("one_thread");
    let waited = |told: &Told| duration(told.named("aborted").scheduled_time.as_ref());
    assert!(waited(&theirs) > Duration::ZERO);
    assert_eq!(waited(&ours), Duration::ZERO);
    assert_eq!(ours.named("aborted").wakes, 0);
}

fn ids_are_tokios_and_never_used_again() {
    for program in ["one_thread", "worker"] {
        let [_, ours] = both(program);
        for (id, task) in &ours.console.tasks {
            let told = field(task, "task.id").expect("tokio gives it").to_string();
            assert_eq!(told, id.to_string());
        }
        assert_eq!(ours.console.told_again, 0);
    }
}

fn only_the_newest_poll_op_is_told() {
    let [theirs, ours] = both("one_thread");
    let polls = |told: &Told| {
        let mut polls = BTreeMap::<u64, Vec<bool>>::new();
        for poll in &told.console.poll_ops {
            let op = poll.async_op_id.expect("an operation").id;
            polls.entry(op).or_default().push(poll.is_ready);
        }
        polls
    };
    let (theirs, ours) = (polls(&theirs), polls(&ours));
    assert!(theirs.values().map(Vec::len).sum::<usize>() > theirs.len());
    assert!(ours.len() >= theirs.len());
}
