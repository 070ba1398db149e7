//! Whatever clients, subscribers and programs do wrong: the program goes on, and what is told
//! is complete.

mod support;

use std::{
    collections::HashSet,
    fmt,
    process::ExitCode,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use console_api::instrument::{
    PauseRequest, ResumeRequest, StateRequest, Temporality, instrument_client::InstrumentClient,
};
use loopview_api::v1::{Outcome, ThreadRole};
use support::{
    Console, Own, Program,
    clients::{connect, field, try_connect},
    number,
    program::{tell, wait},
    spawn, watch,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};
use tracing::{Subscriber, level_filters::LevelFilter, span};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

fn main() -> ExitCode {
    support::main(
        named![
            a_client_that_never_reads_costs_nothing_and_ends_with_all,
            a_client_that_reads_again_gets_the_newest_state,
            fifty_clients_all_get_all,
            a_client_that_goes_is_forgotten,
            the_sockets_folder_may_go,
            threads_that_have_ended_hold_nothing_of_the_programs,
            a_second_init_says_so_and_changes_nothing,
            other_layers_hear_what_they_asked_for_and_the_probe_all,
            a_filter_of_all_is_told_and_harms_nothing,
            what_the_environment_wants_logged_does_not_matter,
            the_probes_own_wakes_hide_none_of_the_programs,
            panics_are_told_and_caught_as_ever,
            a_dropped_runtime_ends_its_tasks,
            a_program_may_exit_at_any_time,
            a_program_may_return_from_main_at_any_time,
            who_pauses_freezes_nobody_else,
            who_resumes_misses_nothing,
            sixty_thousand_tasks_come_in_messages_of_usual_size,
            spans_with_the_numbers_of_earlier_ones_are_others,
            fields_that_trace_do_no_harm,
        ],
        named![
            batches,
            loops,
            small,
            second_init,
            layers,
            filtered,
            logged,
            woken_late,
            panics,
            left,
            exits,
            returns,
            short,
            crowd,
            many_spans,
            tracing_fields,
        ],
    )
}

fn one_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn start(program: &str) -> Program {
    start_with(program, &[])
}

fn start_with(program: &str, env: &[(&str, &str)]) -> Program {
    let mut program = Program::start(program, env);
    program.told("ready");
    program
}

fn ready() {
    tell("ready", "");
    wait();
}

// Clients.

const BATCH: usize = 2_000;
const FEW: usize = 250;

/// Spawns tasks, each time it is told to, that end at once; each batch tells its last.
fn batches() {
    loopview_probe::init();
    ready();
    let few = std::env::var_os("FEW").is_some();
    let size = if few { FEW } else { BATCH };
    one_thread().block_on(async {
        loop {
            let tasks: Vec<_> = (0..size)
                .map(|n| spawn(&format!("task {n} of a batch"), yield_now()))
                .collect();
            let last = tasks[size - 1].id();
            for task in tasks {
                task.await.expect("it does not panic");
            }
            spawn(&format!("after {last}"), async {})
                .await
                .expect("it does not panic");
            tell("last", number(last));
            wait();
        }
    });
}

fn has_last(last: u64) -> impl Fn(&Console) -> bool {
    move |seen| seen.has_ended(&format!("after {last}"))
}

fn resident(program: &Program) -> u64 {
    let path = format!("/proc/{}/statm", program.id());
    let pages = std::fs::read_to_string(path).expect("it runs");
    let pages = pages.split_whitespace().nth(1).expect("a column");
    pages.parse::<u64>().expect("a number") * 4_096
}

fn a_client_that_never_reads_costs_nothing_and_ends_with_all() {
    // A batch fits into the eighth of it that is kept free.
    const LIMIT: u64 = 2_000_000;
    let limit = LIMIT.to_string();
    let env = [("LOOPVIEW_MEMORY_LIMIT", &*limit), ("FEW", "1")];
    let mut program = start_with("batches", &env);
    watch(async {
        // They do not read until the end.
        let mut stalled = Own::watch(program.socket(), true).await;
        let mut stalled_too = Console::watch(program.socket()).await;
        let mut reads = Own::watch(program.socket(), false).await;
        program.go_on();
        let mut last = program.number("last");
        reads.until(|seen| seen.has_ended(last)).await;
        let before = resident(&program);
        for _ in 0..50 {
            program.go_on();
            last = program.number("last");
            reads.until(|seen| seen.has_ended(last)).await;
            assert!(reads.known.overhead.memory <= LIMIT);
        }
        let more = resident(&program).saturating_sub(before);
        assert!(more < 20 << 20, "{more} bytes");
        assert_eq!(reads.known.overhead.lost_tasks, 0);
        assert!(reads.known.overhead.forgotten > 0);
        // What they know has ended by now, and that was not forgotten.
        stalled.until(|seen| seen.has_ended(last)).await;
        stalled_too.until(has_last(last)).await;
        let mut again = Console::watch(program.socket()).await;
        again.until(has_last(last)).await;
        for (id, task) in &again.known.tasks {
            if let Some(before) = stalled_too.known.tasks.get(id) {
                assert_eq!(before, task);
            }
        }
    });
}

fn a_client_that_reads_again_gets_the_newest_state() {
    let mut program = start("batches");
    watch(async {
        let mut stalled = [
            Own::watch(program.socket(), true).await,
            Own::watch(program.socket(), false).await,
        ];
        let mut stalled_too = Console::watch(program.socket()).await;
        let mut reads = Own::watch(program.socket(), false).await;
        let mut last = 0;
        for _ in 0..8 {
            program.go_on();
            last = program.number("last");
            reads.until(|seen| seen.has_ended(last)).await;
        }
        // All tasks of the batches, those after them, and block_on.
        let all = 8 * (BATCH + 1) + 1;
        reads.until(|seen| seen.tasks.len() == all).await;
        for stalled in &mut stalled {
            stalled.until(|seen| seen.tasks == reads.known.tasks).await;
        }
        stalled_too.until(has_last(last)).await;
        stalled_too
            .until(|seen| {
                let ended = seen.task_stats.values().filter(|s| s.dropped_at.is_some());
                seen.tasks.len() == all && ended.count() == all - 1
            })
            .await;
    });
}

fn fifty_clients_all_get_all() {
    let mut program = start("batches");
    watch(async {
        let mut console = Vec::new();
        let mut own = Vec::new();
        for n in 0..50 {
            if n % 2 == 0 {
                console.push(Console::watch(program.socket()).await);
            } else {
                own.push(Own::watch(program.socket(), n % 4 == 1).await);
            }
        }
        program.go_on();
        let last = program.number("last");
        for client in &mut console {
            client.until(has_last(last)).await;
        }
        for client in &mut own {
            client
                .until(|seen| {
                    // The tasks, the one after them, and block_on.
                    seen.has_ended(last) && seen.tasks.len() >= BATCH + 2
                })
                .await;
            let ended = client.known.tasks.keys();
            let ended = ended.filter(|id| client.known.has_ended(**id)).count();
            assert_eq!(ended, BATCH + 1);
        }
    });
}

fn a_client_that_goes_is_forgotten() {
    let mut program = start("batches");
    watch(async {
        let mut stays = Own::watch(program.socket(), false).await;
        let mut goes = Own::watch(program.socket(), true).await;
        program.go_on();
        let last = program.number("last");
        goes.next().await;
        drop(goes);
        for _ in 0..20 {
            let goes = Console::watch(program.socket()).await;
            drop(goes);
        }
        stays.until(|seen| seen.has_ended(last)).await;
        program.go_on();
        let last = program.number("last");
        stays.until(|seen| seen.has_ended(last)).await;
    });
}

fn the_sockets_folder_may_go() {
    let mut program = start("batches");
    watch(async {
        let mut own = Own::watch(program.socket(), false).await;
        std::fs::remove_dir_all(program.folder()).expect("it is ours");
        assert!(try_connect(program.socket()).await.is_err());
        program.go_on();
        let last = program.number("last");
        own.until(|seen| seen.has_ended(last)).await;
    });
}

const LOOPS: usize = 64;

/// Threads that each run a loop at the same time, and end when they are told to.
fn loops() {
    loopview_probe::init();
    ready();
    let end = Arc::new(Barrier::new(LOOPS + 1));
    let run = |end: Arc<Barrier>| {
        one_thread().block_on(async {
            spawn("one", async {}).await.expect("it does not panic");
            end.wait();
        });
    };
    let threads: Vec<_> = (0..LOOPS)
        .map(|_| {
            let end = Arc::clone(&end);
            std::thread::spawn(move || run(end))
        })
        .collect();
    wait();
    end.wait();
    for thread in threads {
        thread.join().expect("it does not panic");
    }
    wait();
}

fn threads_that_have_ended_hold_nothing_of_the_programs() {
    /// Less than a tenth of what their rings of polls take.
    const LITTLE: u64 = (LOOPS as u64 * 16) << 10;
    let mut program = start("loops");
    let files = |program: &Program| {
        let folder = format!("/proc/{}/fd", program.id());
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    };
    watch(async {
        let mut own = Own::watch(program.socket(), true).await;
        own.next().await;
        let before = files(&program);
        program.go_on();
        let loops = |seen: &Own, ended: bool| {
            let threads = seen.threads.values();
            let threads = threads.filter(|t| t.ended_at.is_some() == ended);
            threads.filter(|t| t.role() == ThreadRole::BlockOn).count()
        };
        own.until(|seen| loops(seen, false) == LOOPS && seen.overhead.memory > 10 * LITTLE)
            .await;
        program.go_on();
        own.until(|seen| loops(seen, true) == LOOPS).await;
        own.until(|seen| seen.overhead.memory < LITTLE).await;
        // Each polled its own future, the task, and its own once more.
        assert!(own.known.polls.len() >= 3 * LOOPS, "all of them are told");
        while files(&program) >= before + LOOPS / 2 {
            own.next().await;
        }
        program.go_on();
        own.read_to_the_end().await;
    });
}

// Subscribers.

fn small() {
    loopview_probe::init();
    ready();
    one_thread().block_on(async { spawn("small", async {}).await.expect("it does not panic") });
    wait();
}

fn second_init() {
    loopview_probe::init();
    // On an address of its own, so that it comes as far as it can.
    let second = loopview_probe::Builder::default()
        .server_addr(([127, 0, 0, 1], 0).into())
        .try_init();
    tell("second", second.expect_err("there is one already"));
    loopview_probe::init();
    ready();
    one_thread().block_on(async { spawn("small", async {}).await.expect("it does not panic") });
    tell("done", "");
    std::process::exit(7);
}

fn a_second_init_says_so_and_changes_nothing() {
    let mut program = Program::start("second_init", &[]);
    let error = program.told("second");
    assert!(error.contains("subscriber already"), "{error}");
    program.told("ready");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        console.next().await;
        program.go_on();
        program.told("done");
        console.read_to_the_end().await;
    });
    let (status, said) = program.end();
    assert_eq!(status.code(), Some(7));
    assert_eq!(said.matches("loopview-probe: ").count(), 1, "{said}");
}

/// A layer that counts what it is told of.
#[derive(Clone, Default)]
struct Counts(Arc<Counted>);

#[derive(Default)]
struct Counted {
    tokios: AtomicUsize,
    own: AtomicUsize,
    enters: AtomicUsize,
}

impl<S: Subscriber> Layer<S> for Counts {
    fn on_new_span(&self, attrs: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let target = attrs.metadata().target();
        let counter = if target.starts_with("tokio") || target.starts_with("runtime") {
            &self.0.tokios
        } else {
            &self.0.own
        };
        counter.fetch_add(1, Relaxed);
    }

    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        self.0.enters.fetch_add(1, Relaxed);
    }
}

async fn traced() {
    for n in 0..10 {
        let info = tracing::info_span!("of the person", n);
        let trace = tracing::trace_span!("not wanted");
        let task = spawn("traced", async move {
            let _entered = info.entered();
            let _other = trace.entered();
            tracing::info!("an event");
        });
        task.await.expect("it does not panic");
        drop(tokio::sync::Mutex::new(()).lock().await);
    }
}

fn layers() {
    let (first, second) = (Counts::default(), Counts::default());
    tracing_subscriber::registry()
        .with(first.clone().with_filter(LevelFilter::INFO))
        .with(loopview_probe::layer().expect("it listens"))
        .with(second.clone().with_filter(LevelFilter::INFO))
        .init();
    ready();
    one_thread().block_on(traced());
    for counts in [first, second] {
        tell("tokios", counts.0.tokios.load(Relaxed));
        tell("own", counts.0.own.load(Relaxed));
        tell("enters", counts.0.enters.load(Relaxed));
        wait();
    }
    wait();
}

fn other_layers_hear_what_they_asked_for_and_the_probe_all() {
    let mut program = start("layers");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        let mut own = Own::watch(program.socket(), false).await;
        program.go_on();
        for _ in 0..2 {
            let counts = ["tokios", "own", "enters"].map(|what| program.number(what));
            assert_eq!(counts, [0, 10, 10]);
            program.go_on();
        }
        let ended = |seen: &Console| {
            let stats = seen.task_stats.values();
            stats.filter(|s| s.dropped_at.is_some()).count()
        };
        console.until(|seen| ended(seen) == 11).await;
        assert_eq!(console.known.tasks.len(), 11);
        let locks = console.known.resources.values();
        let locks = locks.filter(|r| r.concrete_type == "Mutex").count();
        assert_eq!(locks, 10);
        own.until(|seen| seen.tasks.len() == 11).await;
        assert!(!own.known.overhead.filtered);
    });
}

fn filtered() {
    let other = Counts::default();
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(loopview_probe::layer().expect("it listens"))
        .with(other.clone())
        .init();
    ready();
    one_thread().block_on(traced());
    tell("own", other.0.own.load(Relaxed));
    wait();
}

fn a_filter_of_all_is_told_and_harms_nothing() {
    let mut program = start("filtered");
    watch(async {
        let mut own = Own::watch(program.socket(), false).await;
        program.go_on();
        assert_eq!(program.number("own"), 10);
        own.until(|seen| seen.overhead.filtered).await;
        assert!(own.known.tasks.is_empty());
    });
}

fn logged() {
    loopview_probe::init();
    ready();
    one_thread().block_on(traced());
    wait();
}

fn what_the_environment_wants_logged_does_not_matter() {
    for wanted in ["off", "error", "tokio=off,runtime=off"] {
        let mut program = start_with("logged", &[("RUST_LOG", wanted)]);
        watch(async {
            let mut own = Own::watch(program.socket(), false).await;
            program.go_on();
            own.until(|seen| seen.tasks.len() == 11).await;
            own.next().await;
            assert!(!own.known.overhead.filtered);
        });
    }
}

/// So many that the publisher is woken for them, before any task of its own is.
fn woken_late() {
    loopview_probe::init();
    ready();
    one_thread().block_on(async {
        let tasks: Vec<_> = (0..10_000)
            .map(|_| tokio::spawn(std::future::pending::<()>()))
            .collect();
        let woken = spawn("woken late", async {
            for by_value in [true, false, true] {
                let mut is_first = true;
                std::future::poll_fn(|cx| {
                    if !std::mem::take(&mut is_first) {
                        return std::task::Poll::Ready(());
                    }
                    if by_value {
                        let waker = cx.waker().clone();
                        waker.wake();
                    } else {
                        cx.waker().wake_by_ref();
                    }
                    std::task::Poll::Pending
                })
                .await;
            }
        });
        woken.await.expect("it does not panic");
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
    });
    wait();
}

fn the_probes_own_wakes_hide_none_of_the_programs() {
    let mut program = start("woken_late");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        let mut own = Own::watch(program.socket(), false).await;
        program.go_on();
        console.until(|seen| seen.has_ended("woken late")).await;
        let stats = console.known.stats("woken late").expect("just seen");
        assert_eq!((stats.wakes, stats.self_wakes), (3, 3));
        assert_eq!((stats.waker_clones, stats.waker_drops), (2, 2));
        own.until(|seen| seen.tasks.len() > 10_000).await;
        assert_eq!(own.known.overhead.lost_events, 0);
    });
}

// Programs.

fn panics() {
    loopview_probe::init();
    ready();
    one_thread().block_on(async {
        let task = spawn("task", async { panic!("in a task") });
        let call = tokio::task::spawn_blocking(|| panic!("in a call"));
        tell("task", number(task.id()));
        tell("call", number(call.id()));
        let task = task.await.expect_err("it panics");
        let call = call.await.expect_err("it panics");
        let text = |error: tokio::task::JoinError| {
            let payload = error.into_panic();
            let text = payload.downcast_ref::<&str>().copied();
            text.expect("a text").to_owned()
        };
        tell("texts", format!("{}, {}", text(task), text(call)));
    });
    wait();
}

fn panics_are_told_and_caught_as_ever() {
    let mut program = start("panics");
    watch(async {
        let mut own = Own::watch(program.socket(), false).await;
        program.go_on();
        assert_eq!(program.told("texts"), "in a task, in a call");
        for (what, text) in [("task", "in a task"), ("call", "in a call")] {
            let id = program.number(what);
            own.until(|seen| seen.has_ended(id)).await;
            let task = &own.known.tasks[&id];
            assert_eq!((task.outcome(), &*task.error), (Outcome::Panicked, text));
        }
    });
}

fn left() {
    loopview_probe::init();
    ready();
    for runtime in [
        one_thread(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime"),
    ] {
        runtime.block_on(async {
            for n in 0..50 {
                spawn("left", async move {
                    let lock = tokio::sync::Mutex::new(n);
                    let _held = lock.lock().await;
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                });
            }
            (0..3).for_each(|_| drop(tokio::task::spawn_blocking(|| ())));
            yield_now().await;
        });
    }
    wait();
}

fn a_dropped_runtime_ends_its_tasks() {
    let mut program = start("left");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        program.go_on();
        let left = |seen: &Console| {
            let named = seen.tasks.iter().filter(|(_, task)| {
                field(task, "task.name").is_some_and(|name| name.to_string() == "left")
            });
            let ended = named.filter(|(id, _)| seen.task_stats[id].dropped_at.is_some());
            ended.count()
        };
        let all_ended = |seen: &Console| {
            let tasks = seen.task_stats.values().all(|s| s.dropped_at.is_some());
            let resources = seen.resource_stats.values();
            tasks && resources.into_iter().all(|s| s.dropped_at.is_some())
        };
        console
            .until(|seen| left(seen) == 100 && all_ended(seen))
            .await;
    });
}

/// Threads that keep tracing until the process ends.
fn be_lively() {
    for _ in 0..2 {
        std::thread::spawn(|| {
            one_thread().block_on(async {
                loop {
                    spawn("lively", yield_now())
                        .await
                        .expect("it does not panic");
                }
            });
        });
    }
}

fn exits() {
    loopview_probe::init();
    be_lively();
    ready();
    std::process::exit(5);
}

fn a_program_may_exit_at_any_time() {
    let mut program = start("exits");
    watch(async {
        let mut own = Own::watch(program.socket(), true).await;
        own.until(|seen| seen.tasks.len() > 100).await;
        program.go_on();
        own.until(|seen| seen.ended).await;
    });
    let (status, said) = program.end();
    assert_eq!((status.code(), &*said), (Some(5), ""));
}

fn returns() {
    loopview_probe::init();
    be_lively();
    ready();
}

fn a_program_may_return_from_main_at_any_time() {
    let mut program = start("returns");
    watch(async {
        let mut own = Own::watch(program.socket(), false).await;
        own.until(|seen| seen.tasks.len() > 100).await;
        program.go_on();
        own.until(|seen| seen.ended).await;
    });
    let (status, said) = program.end();
    assert_eq!((status.code(), &*said), (Some(0), ""));
}

// Pauses.

async fn state(messages: &mut tonic::Streaming<console_api::instrument::State>) -> Temporality {
    let message = messages.message().await.expect("it goes on");
    message.expect("it is not over").temporality()
}

fn who_pauses_freezes_nobody_else() {
    let mut program = start("batches");
    watch(async {
        let mut clients = Vec::new();
        for _ in 0..2 {
            clients.push(InstrumentClient::new(connect(program.socket()).await));
        }
        let mut states = Vec::new();
        for client in &mut clients {
            let messages = client.watch_state(StateRequest {}).await;
            let mut messages = messages.expect("it answers").into_inner();
            assert_eq!(state(&mut messages).await, Temporality::Live);
            states.push(messages);
        }
        let mut live = Console::watch_by(&mut clients[1]).await;
        clients[0].pause(PauseRequest {}).await.expect("it answers");
        assert_eq!(state(&mut states[0]).await, Temporality::Paused);
        program.go_on();
        let last = program.number("last");
        live.until(has_last(last)).await;
        // The other was told nothing: the next that it hears is of its own pause.
        clients[1].pause(PauseRequest {}).await.expect("it answers");
        assert_eq!(state(&mut states[1]).await, Temporality::Paused);
        clients[0]
            .resume(ResumeRequest {})
            .await
            .expect("it answers");
        assert_eq!(state(&mut states[0]).await, Temporality::Live);
    });
}

/// Nothing that has ended is kept for those who come later.
fn short() {
    loopview_probe::init();
    ready();
    one_thread().block_on(async {
        let lives = spawn("lives", std::future::pending::<()>());
        let ends = spawn("ends in the pause", async {
            yield_now().await;
            wait();
        });
        yield_now().await;
        tell("begun", "");
        let _ = ends.await;
        spawn("only in the pause", async {})
            .await
            .expect("it does not panic");
        tell("paused", "");
        wait();
        lives.abort();
        let _ = lives.await;
        wait();
    });
}

fn who_resumes_misses_nothing() {
    let mut program = start_with("short", &[("TOKIO_CONSOLE_RETENTION", "0ms")]);
    watch(async {
        let mut client = InstrumentClient::new(connect(program.socket()).await);
        let mut console = Console::watch_by(&mut client).await;
        let mut other = Console::watch(program.socket()).await;
        program.go_on();
        program.told("begun");
        let name = "ends in the pause";
        console.until(|seen| seen.stats(name).is_some()).await;
        client.pause(PauseRequest {}).await.expect("it answers");
        program.go_on();
        program.told("paused");
        let only = "only in the pause";
        other
            .until(|seen| seen.has_ended(name) && seen.has_ended(only))
            .await;
        let read = other.read;
        // Long enough for what nobody lacks to be forgotten.
        while other.read < read + 5 {
            other.next().await;
        }
        let mut late = Console::watch(program.socket()).await;
        late.until(|seen| seen.stats("lives").is_some()).await;
        client.resume(ResumeRequest {}).await.expect("it answers");
        console
            .until(|seen| seen.has_ended(name) && seen.has_ended(only))
            .await;
        program.go_on();
        console.until(|seen| seen.has_ended("lives")).await;
    });
}

// Numbers.

const CROWD: usize = 60_000;

fn crowd() {
    loopview_probe::init();
    one_thread().block_on(async {
        for n in 0..CROWD {
            spawn(
                &format!("one of a crowd, number {n}"),
                std::future::pending::<()>(),
            );
        }
        yield_now().await;
        ready();
    });
}

fn sixty_thousand_tasks_come_in_messages_of_usual_size() {
    let program = start("crowd");
    watch(async {
        const USUAL: usize = 4 << 20;
        let mut console = Console::watch(program.socket()).await;
        console.until(|seen| seen.tasks.len() > CROWD).await;
        assert!(console.read > 2, "{} messages", console.read);
        assert!(console.largest < USUAL, "{} bytes", console.largest);
        assert_eq!(console.known.tasks.len(), console.known.task_stats.len());
        assert_eq!(console.known.told_again, 0);
        let mut own = Own::watch(program.socket(), true).await;
        own.until(|seen| seen.tasks.len() > CROWD).await;
        assert!(own.largest < USUAL, "{} bytes", own.largest);
    });
}

const SPANS: usize = 3_000;

/// Keeps the numbers of all spans.
struct Numbers(Arc<Mutex<Vec<u64>>>);
impl<S: Subscriber> Layer<S> for Numbers {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        let mut all = self.0.lock().expect("nobody panics");
        all.push(id.into_u64());
    }
}

/// The registry gives the number of a span that is gone to another.
fn many_spans() {
    let numbers = Arc::new(Mutex::new(Vec::new()));
    tracing_subscriber::registry()
        .with(loopview_probe::layer().expect("it listens"))
        .with(Numbers(Arc::clone(&numbers)))
        .init();
    ready();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for n in 0..SPANS {
            spawn(&format!("task {n}"), async move {
                for _ in 0..n % 4 {
                    yield_now().await;
                }
            })
            .await
            .expect("it does not panic");
        }
    });
    let all = numbers.lock().expect("nobody panics");
    let distinct: HashSet<_> = all.iter().collect();
    tell("reused", all.len() - distinct.len());
    wait();
}

fn spans_with_the_numbers_of_earlier_ones_are_others() {
    let mut program = start("many_spans");
    watch(async {
        let mut console = Console::watch(program.socket()).await;
        program.go_on();
        // It is about 0 where each number is used once only.
        let reused = program.number("reused");
        let last = format!("task {}", SPANS - 1);
        console.until(|seen| seen.has_ended(&last)).await;
        let known = &console.known;
        let mut names = HashSet::new();
        for (id, task) in &known.tasks {
            let name = field(task, "task.name").expect("a name").to_string();
            let Some(n) = name.strip_prefix("task ") else {
                continue;
            };
            let n: u64 = n.parse().expect("a number");
            let stats = &known.task_stats[id];
            let polls = stats.poll_stats.as_ref().expect("polls").polls;
            // With the drop of the future.
            assert_eq!(polls, n % 4 + 2, "{name}, {reused} numbers used again");
            assert!(stats.dropped_at.is_some());
            assert!(names.insert(n), "{name} twice");
        }
        assert_eq!(names.len(), SPANS);
    });
}

/// What is written as a field may trace, and may spawn.
struct Traces;

impl fmt::Display for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = tracing::trace_span!(target: "loopview::scope", "scope", kind = "inner");
        let _entered = span.entered();
        tracing::trace!(target: "loopview::task", outcome = "ok");
        drop(spawn("from a field", async {}));
        f.write_str("traces")
    }
}

fn tracing_fields() {
    loopview_probe::init();
    ready();
    one_thread().block_on(async {
        let scope = tracing::trace_span!(
            target: "loopview::scope",
            "scope",
            kind = "gather",
            name = %Traces,
            outcome = tracing::field::Empty
        );
        scope.record("outcome", tracing::field::display(Traces));
        tracing::trace!(target: "loopview::task", error = %Traces);
        let task = scope.in_scope(|| spawn("in the scope", async {}));
        tell("task", number(task.id()));
        task.await.expect("it does not panic");
        drop(scope);
    });
    wait();
}

fn fields_that_trace_do_no_harm() {
    let mut program = start("tracing_fields");
    watch(async {
        let mut own = Own::watch(program.socket(), false).await;
        program.go_on();
        let id = program.number("task");
        own.until(|seen| seen.has_ended(id)).await;
        let scope = own.known.tasks[&id].scope.expect("it was spawned in one");
        let is_closed = |seen: &Own| {
            let scope = seen.scopes.get(&scope);
            scope.is_some_and(|s| s.closed_at.is_some())
        };
        own.until(is_closed).await;
        let scope = &own.known.scopes[&scope];
        assert_eq!((&*scope.kind, &*scope.name), ("gather", "traces"));
        assert!(own.known.overhead.lost_events > 0, "it says what it missed");
    });
}
