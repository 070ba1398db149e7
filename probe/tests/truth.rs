//! Programs with known answers: what is told of them is true, within 2 % or 1 ms.

mod support;

use std::{
    collections::{HashMap, HashSet},
    future::poll_fn,
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use console_api::instrument::instrument_client::InstrumentClient;
use loopview_api::v1::{Outcome, ThreadRole};
use support::{
    Console, Own, Program, be_busy,
    clients::{connect, details, read_details, watch_details},
    duration, number,
    program::{tell, wait},
    spawn, time, watch,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::{Builder, Handle, Runtime},
    task::yield_now,
};

fn main() -> ExitCode {
    support::main(
        named![
            ten_long_polls_are_told_one_by_one,
            a_poll_that_ends_is_told_even_if_none_follows,
            a_thousand_wakes_are_a_thousand_polls,
            no_poll_is_told_twice_or_kept_silent,
            a_timer_tells_its_times,
            timers_come_once_in_a_stream,
            a_timer_behind_a_busy_task_is_late,
            blocking_calls_queue_for_their_thread,
            what_ends_tells_how,
            tasks_dropped_while_a_thread_unwinds_were_cancelled,
            two_runtimes_are_told_apart,
            a_task_is_of_the_runtime_that_polls_it,
            a_dropped_runtime_takes_its_tasks_along,
            the_process_uses_what_the_system_says,
            what_ended_first_is_forgotten_first,
            what_does_not_fit_is_counted,
            tasks_from_outside_are_nobodys_children,
            io_wakes_by_nobody,
        ],
        named![
            long_polls,
            poll_in_progress,
            thousand_wakes,
            many_polls,
            timer,
            waits,
            late_timer,
            blocking,
            outcomes,
            unwinds,
            two_runtimes,
            across_runtimes,
            dropped_runtime,
            uses,
            many_tasks,
            many_alive,
            outside,
            io,
        ],
    )
}

/// Within 2 % or 1 ms.
#[track_caller]
fn assert_close(told: Duration, truth: Duration, what: &str) {
    let off = told.abs_diff(truth);
    let limit = Duration::from_millis(1).max(truth / 50);
    assert!(off <= limit, "{what}: {told:?} told, {truth:?} true");
}

fn one_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// Made visible, and watched, before it begins.
fn observed() {
    loopview_probe::init();
    tell("ready", "");
    wait();
}

fn start(program: &str) -> Program {
    start_with(program, &[])
}

fn start_with(program: &str, env: &[(&str, &str)]) -> Program {
    let mut program = Program::start(program, env);
    program.told("ready");
    program
}

/// What a client knows that was there from the beginning, once the condition holds.
async fn own(program: &mut Program, polls: bool) -> support::clients::Stream<Own> {
    let own = Own::watch(program.socket(), polls).await;
    program.go_on();
    own
}

// Polls.

fn long_polls() {
    observed();
    let times = one_thread().block_on(async {
        let task = spawn("long", async {
            let mut times = Vec::new();
            for n in 0..10 {
                if n > 0 {
                    yield_now().await;
                }
                times.push(be_busy(Duration::from_millis(30)));
            }
            times
        });
        tell("long", number(task.id()));
        task.await.expect("it does not panic")
    });
    tell("sum", times.iter().sum::<Duration>().as_micros());
    tell("max", times.iter().max().expect("ten").as_micros());
    wait();
}

fn ten_long_polls_are_told_one_by_one() {
    let mut program = start("long_polls");
    watch(async {
        let mut own = own(&mut program, false).await;
        let mut client = InstrumentClient::new(connect(program.socket()).await);
        let mut console = Console::watch_by(&mut client).await;
        let id = program.number("long");
        let (sum, max) = (program.micros("sum"), program.micros("max"));
        let task = &own.until(|seen| seen.has_ended(id)).await.tasks[&id];
        assert_eq!(task.polls, 10);
        assert_close(duration(task.longest_poll.as_ref()), max, "the longest");
        let stats = console.until(|seen| seen.has_ended("long")).await;
        let stats = stats.stats("long").expect("just seen");
        let polls = stats.poll_stats.as_ref().expect("polls");
        assert_close(duration(polls.busy_time.as_ref()), sum, "all");
        let details = details(&mut client, id).await;
        assert_eq!((details.polls.len(), details.waits.len()), (10, 9));
        let p50 = Duration::from_nanos(details.polls.value_at_quantile(0.5));
        assert!(
            p50 >= Duration::from_micros(29_400) && p50 <= max + max / 50,
            "{p50:?}"
        );
        let highest = Duration::from_nanos(details.polls.max());
        assert_close(highest, max, "the highest sample");
    });
}

fn poll_in_progress() {
    observed();
    let (release, released) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        one_thread().block_on(async {
            let task = spawn("held", async move {
                yield_now().await;
                tell("held", tokio::task::id());
                let _ = released.recv();
                std::future::pending::<()>().await;
            });
            let _ = task.await;
        });
    });
    wait();
    drop(release);
    thread.join().expect("it goes on for ever");
}

fn a_poll_that_ends_is_told_even_if_none_follows() {
    let mut program = start("poll_in_progress");
    watch(async {
        let mut own = own(&mut program, false).await;
        let id = program.number("held");
        own.until(|seen| seen.tasks.get(&id).is_some_and(|t| t.polls == 2))
            .await;
        let mut client = InstrumentClient::new(connect(program.socket()).await);
        let mut messages = watch_details(&mut client, id).await;
        let mut polls = async || {
            let message = messages.message().await.expect("it goes on");
            read_details(&message.expect("it is not over")).polls.len()
        };
        assert_eq!(polls().await, 1, "the second poll has not ended");
        program.go_on();
        assert_eq!(polls().await, 2, "it has, and no other follows");
    });
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

const WAKES: u32 = 1_000;

fn thousand_wakes() {
    observed();
    one_thread().block_on(async {
        let slot = Arc::new(Mutex::new(None::<Waker>));
        let kept = Arc::clone(&slot);
        let woken = spawn(
            "woken",
            pending(WAKES, move |waker| {
                *kept.lock().expect("nobody panics") = Some(waker.clone());
            }),
        );
        let waker = spawn("waker", async move {
            for _ in 0..WAKES {
                let take = || slot.lock().expect("nobody panics").take();
                let waker = poll_fn(|cx| {
                    let waker = take();
                    if waker.is_none() {
                        cx.waker().wake_by_ref();
                    }
                    waker.map_or(Poll::Pending, Poll::Ready)
                });
                waker.await.wake();
            }
        });
        tell("woken", number(woken.id()));
        tell("waker", number(waker.id()));
        let _ = tokio::join!(woken, waker);
    });
    wait();
}

fn a_thousand_wakes_are_a_thousand_polls() {
    let mut program = start("thousand_wakes");
    watch(async {
        let mut own = own(&mut program, true).await;
        let mut console = Console::watch(program.socket()).await;
        let (woken, waker) = (program.number("woken"), program.number("waker"));
        let stats = console.until(|seen| seen.has_ended("woken")).await;
        let stats = stats.stats("woken").expect("just seen");
        let all = u64::from(WAKES);
        assert_eq!((stats.wakes, stats.self_wakes), (all, 0));
        assert_eq!((stats.waker_clones, stats.waker_drops), (all, all));
        let is_all = |seen: &Own| seen.polls.iter().filter(|p| p.task == woken).count() > 1_000;
        own.until(|seen| seen.has_ended(woken) && is_all(seen))
            .await;
        own.next().await;
        let known = &own.known;
        assert_eq!(known.tasks[&woken].polls, all + 1);
        assert_eq!(known.lost_polls, 0);
        let polls: Vec<_> = known.polls.iter().filter(|p| p.task == woken).collect();
        assert_eq!(polls.len() as u64, all + 1);
        assert_eq!((polls[0].woken, polls[0].woken_by), (None, 0));
        assert!(
            polls[1..]
                .iter()
                .all(|p| p.woken_by == waker && p.woken.is_some())
        );
        for pair in polls.windows(2) {
            let ended = pair[0].started + i128::from(pair[0].lasted);
            let ready = pair[1].started - i128::from(pair[1].woken.expect("just seen"));
            assert!(ended <= ready, "it is woken between its polls");
        }
        let thread = &known.threads[&polls[0].thread.into()];
        assert_eq!(thread.role(), ThreadRole::BlockOn);
        // What is busy without being a poll is the drop of the future.
        let sum: u64 = polls.iter().map(|p| p.lasted).sum();
        let busy = stats.poll_stats.as_ref().expect("polls").busy_time;
        let busy = duration(busy.as_ref());
        assert!(busy >= Duration::from_nanos(sum), "{busy:?} {sum}");
        assert_close(busy, Duration::from_nanos(sum), "the sum of its polls");
    });
}

const MANY: u32 = 200_000;

fn many_polls() {
    observed();
    one_thread().block_on(async {
        let task = spawn("many", pending(MANY, Waker::wake_by_ref));
        tell("many", number(task.id()));
        let _ = task.await;
    });
    wait();
}

fn no_poll_is_told_twice_or_kept_silent() {
    // All of them in one interval.
    let mut program = start_with("many_polls", &[("TOKIO_CONSOLE_PUBLISH_INTERVAL", "300ms")]);
    watch(async {
        let mut own = own(&mut program, true).await;
        let id = program.number("many");
        own.until(|seen| seen.has_ended(id)).await;
        own.next().await;
        let polls = own.known.polls.iter().filter(|p| p.task == id);
        let mut starts = HashSet::new();
        let n = polls.filter(|p| starts.insert(p.started)).count() as u64;
        let all = own.known.polls.iter().filter(|p| p.task == id).count() as u64;
        assert_eq!(n, all, "none is told twice");
        let others = own.known.polls.len() as u64 - all;
        let lost = own.known.lost_polls;
        assert_eq!(own.known.tasks[&id].polls, u64::from(MANY) + 1);
        // Of those that were lost, a few are another task's, or the drop of the future.
        let sum = n + lost;
        assert!(
            sum > u64::from(MANY) && sum <= u64::from(MANY) + 8,
            "{n} told, {lost} lost, {others} of others"
        );
        assert!(n > u64::from(MANY) / 2, "{n} told, {lost} lost");
    });
}

// Timers.

fn timer() {
    observed();
    one_thread().block_on(async {
        let task = spawn("sleeps", async {
            let started = Instant::now();
            tokio::time::sleep(Duration::from_millis(250)).await;
            started.elapsed()
        });
        tell("sleeps", number(task.id()));
        let elapsed = task.await.expect("it does not panic");
        tell("elapsed", elapsed.as_micros());
    });
    wait();
}

fn a_timer_tells_its_times() {
    let mut program = start("timer");
    watch(async {
        let mut own = own(&mut program, false).await;
        let id = program.number("sleeps");
        let elapsed = program.micros("elapsed");
        own.until(|seen| seen.has_ended(id)).await;
        let mut timers = own.known.timers.values().filter(|t| t.task == Some(id));
        let timer = timers.next().expect("it is told");
        assert!(timers.next().is_none());
        let length = duration(timer.duration.as_ref());
        assert!((250..=251).contains(&length.as_millis()), "{length:?}");
        let [created, deadline, fired, dropped] = [
            &timer.created_at,
            &timer.deadline,
            &timer.fired_at,
            &timer.dropped_at,
        ]
        .map(|at| time(at.as_ref()));
        let since = |at: std::time::SystemTime| at.duration_since(created).expect("later");
        assert_close(since(fired), elapsed, "when it fired");
        let armed = since(deadline).saturating_sub(length);
        assert!(
            armed < Duration::from_millis(5),
            "it is armed at once: {armed:?}"
        );
        assert!(dropped >= fired);
        let late = fired.duration_since(deadline).unwrap_or_default();
        assert_close(duration(timer.latest.as_ref()), late, "how late");
        assert_eq!(timer.fires, 1);
        assert_eq!(
            timer.location.as_ref().map(|l| l.file.as_str()),
            Some(file!())
        );
    });
}

fn waits() {
    observed();
    one_thread().block_on(async {
        let lock = std::sync::Arc::new(tokio::sync::Mutex::new(()));
        let held = std::sync::Arc::clone(&lock);
        let held = held.lock_owned().await;
        let hour = Duration::from_secs(3_600);
        let sleeps = spawn("sleeps", tokio::time::sleep(hour));
        let ticks = spawn("ticks", async move {
            let mut ticks = tokio::time::interval(hour);
            loop {
                ticks.tick().await;
            }
        });
        let locks = spawn("locks", async move { drop(lock.lock().await) });
        tell("sleeps", number(sleeps.id()));
        tell("ticks", number(ticks.id()));
        tell("locks", number(locks.id()));
        tokio::task::yield_now().await;
        wait();
        drop(held);
    });
    wait();
}

/// Who is told of timers by our own protocol is not told of them once more by the other one, and
/// who knows that one alone is.
fn timers_come_once_in_a_stream() {
    let mut program = start("waits");
    watch(async {
        let mut own = Own::watch_both(program.socket()).await;
        program.go_on();
        let tasks = ["sleeps", "ticks", "locks"].map(|name| program.number(name));
        let has_timer = |own: &Own, task| own.timers.values().any(|t| t.task == Some(task));
        let waits = |seen: &Console, task: u64, source: &str| {
            let mut ops = seen.ops.values().filter(|op| op.source == source);
            ops.any(|op| {
                let stats = op.id.and_then(|id| seen.op_stats.get(&id.id));
                stats.and_then(|stats| stats.task_id).map(|id| id.id) == Some(task)
            })
        };
        own.until(|own| {
            let timers = tasks[..2].iter().all(|task| has_timer(own, *task));
            timers && waits(&own.beside, tasks[2], "Mutex::lock")
        })
        .await;
        let beside = &own.known.beside;
        let is_timer = |kind: &str| matches!(kind, "Sleep" | "Interval");
        assert!(tasks.iter().all(|task| beside.tasks.contains_key(task)));
        assert!(
            !beside
                .resources
                .values()
                .any(|r| is_timer(&r.concrete_type))
        );
        assert!(!beside.ops.values().any(|op| op.source.starts_with("Sleep")));
        assert!(
            !beside
                .ops
                .values()
                .any(|op| op.source.starts_with("Interval"))
        );
        // One comes, leaves, and comes again.
        for _ in 0..2 {
            let mut console = Console::watch(program.socket()).await;
            console
                .until(|seen| {
                    waits(seen, tasks[0], "Sleep::new_timeout")
                        && waits(seen, tasks[1], "Interval::tick")
                        && waits(seen, tasks[2], "Mutex::lock")
                })
                .await;
            let mut kinds = console.known.resources.values();
            assert!(kinds.any(|r| r.concrete_type == "Sleep"));
            drop(console);
            own.next().await;
        }
        program.go_on();
        own.until(|own| own.has_ended(tasks[2])).await;
    });
}

fn late_timer() {
    observed();
    one_thread().block_on(async {
        let task = spawn("late", async {
            let started = Instant::now();
            tokio::time::sleep(Duration::from_millis(20)).await;
            started.elapsed()
        });
        tell("late", number(task.id()));
        yield_now().await;
        be_busy(Duration::from_millis(100));
        let elapsed = task.await.expect("it does not panic");
        tell("elapsed", elapsed.as_micros());
    });
    wait();
}

fn a_timer_behind_a_busy_task_is_late() {
    let mut program = start("late_timer");
    watch(async {
        let mut own = own(&mut program, false).await;
        let id = program.number("late");
        let elapsed = program.micros("elapsed");
        own.until(|seen| seen.has_ended(id)).await;
        let mut timers = own.known.timers.values().filter(|t| t.task == Some(id));
        let timer = timers.next().expect("it is told");
        // tokio rounds the 20 ms up to the next of its ticks.
        let late = elapsed.saturating_sub(duration(timer.duration.as_ref()));
        assert_close(duration(timer.latest.as_ref()), late, "how late");
    });
}

// Blocking calls.

fn blocking() {
    observed();
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let calls = ["first", "second"].map(|name| {
            let asked = Instant::now();
            let call = tokio::task::Builder::new()
                .name(name)
                .spawn_blocking(move || {
                    let queued = asked.elapsed();
                    (queued, be_busy(Duration::from_millis(50)))
                });
            (name, call.expect("inside a runtime"))
        });
        for (name, call) in calls {
            tell(&format!("{name}-id"), number(call.id()));
            let (queued, ran) = call.await.expect("it does not panic");
            tell(&format!("{name}-queued"), queued.as_micros());
            tell(&format!("{name}-ran"), ran.as_micros());
        }
    });
    wait();
}

fn blocking_calls_queue_for_their_thread() {
    let mut program = start("blocking");
    watch(async {
        let mut own = own(&mut program, false).await;
        let mut console = Console::watch(program.socket()).await;
        let mut threads = Vec::new();
        for name in ["first", "second"] {
            let id = program.number(&format!("{name}-id"));
            let queued = program.micros(&format!("{name}-queued"));
            let ran = program.micros(&format!("{name}-ran"));
            console.until(|seen| seen.has_ended(name)).await;
            let stats = console.known.stats(name).expect("just seen");
            let polls = stats.poll_stats.as_ref().expect("polls");
            let created = time(stats.created_at.as_ref());
            let first = time(polls.first_poll.as_ref());
            let waited = first.duration_since(created).expect("later");
            assert_close(waited, queued, "its time in the queue");
            assert_close(duration(polls.busy_time.as_ref()), ran, "its run");
            own.until(|seen| seen.has_ended(id)).await;
            threads.push(own.known.tasks[&id].thread.expect("it ran"));
            if name == "second" {
                assert!(waited >= Duration::from_millis(50), "{waited:?}");
            }
        }
        assert_eq!(threads[0], threads[1]);
        let thread = &own.known.threads[&threads[0]];
        assert_eq!(thread.role(), ThreadRole::Blocking);
    });
}

// Ends.

fn outcomes() {
    observed();
    std::panic::set_hook(std::panic::take_hook());
    let runtime = one_thread();
    runtime.block_on(async {
        let told = |name: &str, id: tokio::task::Id| tell(name, number(id));
        let all = [
            spawn("ok", async {}),
            spawn("ok-late", pending(3, Waker::wake_by_ref)),
            spawn("error", async {
                tracing::trace!(target: "loopview::task", outcome = "error", error = "no luck");
            }),
            spawn("panicked", async { panic!("on purpose") }),
            spawn("panicked-late", async {
                yield_now().await;
                panic!("with {} words", 3);
            }),
            spawn("panicked-silent", async { std::panic::panic_any(7_u8) }),
            tokio::task::spawn_blocking(|| ()),
            tokio::task::spawn_blocking(|| panic!("in a call")),
        ];
        let names = [
            "ok",
            "ok-late",
            "error",
            "panicked",
            "panicked-late",
            "panicked-silent",
            "ok-call",
            "panicked-call",
        ];
        for (name, task) in names.into_iter().zip(all) {
            told(name, task.id());
            let _ = task.await;
        }
        let never = spawn("cancelled-never", async {});
        told("cancelled-never", never.id());
        never.abort();
        let idle = spawn("cancelled-idle", std::future::pending::<()>());
        told("cancelled-idle", idle.id());
        yield_now().await;
        idle.abort();
        let _ = (never.await, idle.await);
        let mut set = tokio::task::JoinSet::new();
        set.spawn(std::future::pending::<()>());
        let id = set.spawn(std::future::pending::<()>()).id();
        told("cancelled-set", id);
        yield_now().await;
        drop(set);
        let left = spawn("cancelled-left", std::future::pending::<()>());
        told("cancelled-left", left.id());
        yield_now().await;
    });
    drop(runtime);
    tell("done", "");
    wait();
}

fn what_ends_tells_how() {
    let mut program = start("outcomes");
    watch(async {
        let mut own = own(&mut program, false).await;
        for (name, outcome, error) in [
            ("ok", Outcome::Ok, ""),
            ("ok-late", Outcome::Ok, ""),
            ("error", Outcome::Error, "no luck"),
            ("panicked", Outcome::Panicked, "on purpose"),
            ("panicked-late", Outcome::Panicked, "with 3 words"),
            ("panicked-silent", Outcome::Panicked, ""),
            ("ok-call", Outcome::Ok, ""),
            ("panicked-call", Outcome::Panicked, "in a call"),
            ("cancelled-never", Outcome::Cancelled, ""),
            ("cancelled-idle", Outcome::Cancelled, ""),
            ("cancelled-set", Outcome::Cancelled, ""),
            ("cancelled-left", Outcome::Cancelled, ""),
        ] {
            let id = program.number(name);
            own.until(|seen| seen.has_ended(id)).await;
            let task = &own.known.tasks[&id];
            assert_eq!(
                (task.outcome(), task.error.as_str()),
                (outcome, error),
                "{name}"
            );
        }
    });
}

fn unwinds() {
    observed();
    std::panic::set_hook(Box::new(|_| {}));
    let ended = std::thread::spawn(|| {
        let runtime = one_thread();
        runtime.block_on(async {
            let task = spawn("left", std::future::pending::<()>());
            tell("left", number(task.id()));
            yield_now().await;
        });
        panic!("the thread's own");
    })
    .join();
    assert!(ended.is_err());
    wait();
}

fn tasks_dropped_while_a_thread_unwinds_were_cancelled() {
    let mut program = start("unwinds");
    watch(async {
        let mut own = own(&mut program, false).await;
        let id = program.number("left");
        own.until(|seen| seen.has_ended(id)).await;
        let task = &own.known.tasks[&id];
        assert_eq!(
            (task.outcome(), task.error.as_str()),
            (Outcome::Cancelled, "")
        );
    });
}

// Runtimes.

fn two_runtimes() {
    observed();
    let runtimes = [
        one_thread(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .expect("a runtime"),
    ];
    let alive = runtimes.each_ref().map(|runtime| {
        runtime.block_on(async {
            let alive: Vec<_> = (0..3)
                .map(|_| spawn("alive", std::future::pending::<()>()))
                .collect();
            yield_now().await;
            alive[0].id()
        })
    });
    tell("one", number(alive[0]));
    tell("two", number(alive[1]));
    wait();
}

fn two_runtimes_are_told_apart() {
    let mut program = start("two_runtimes");
    watch(async {
        let mut own = own(&mut program, false).await;
        let ids = ["one", "two"].map(|name| program.number(name));
        let of = |seen: &Own, id: u64| {
            let runtime = seen.tasks.get(&id)?.runtime?;
            seen.runtimes.iter().find(|r| r.id == runtime).cloned()
        };
        own.until(|seen| ids.iter().all(|id| of(seen, *id).is_some()))
            .await;
        let [one, two] = ids.map(|id| of(&own.known, id).expect("just seen"));
        assert_ne!(one.id, two.id);
        assert_eq!(
            (one.flavor.as_str(), one.workers.len()),
            ("current-thread", 1)
        );
        assert_eq!(
            (two.flavor.as_str(), two.workers.len()),
            ("multi-thread", 2)
        );
        assert_eq!((one.live_tasks, two.live_tasks), (3, 3));
    });
}

/// Spawned from one runtime into another, and the other way round; on a thread that polls for
/// one runtime, then for another, then for the first again.
fn across_runtimes() {
    observed();
    let other = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let there = other.handle().clone();
    one_thread().block_on(async move {
        let here = Handle::current();
        let alive = || std::future::pending::<()>();
        tell("there", number(there.spawn(alive()).id()));
        tell("here", number(here.spawn(alive()).id()));
        let back = here.clone();
        let back = there.spawn(async move { back.spawn(alive()).id() });
        tell("back", number(back.await.expect("it does not panic")));
        // A thread of the pool waits in a third runtime's `block_on`, and then for this one.
        let pool = here.clone();
        let third = here.spawn_blocking(move || {
            let third = one_thread();
            let inner = third.block_on(async move {
                let inner = spawn("inner", alive());
                yield_now().await;
                inner.id()
            });
            tell("inner", number(inner));
            let outer = pool.block_on(async move { spawn("outer", alive()).id() });
            tell("outer", number(outer));
            third
        });
        let _third = third.await.expect("it does not panic");
        yield_now().await;
        tokio::task::spawn_blocking(wait)
            .await
            .expect("it does not panic");
    });
}

fn a_task_is_of_the_runtime_that_polls_it() {
    let mut program = start("across_runtimes");
    watch(async {
        let mut own = own(&mut program, false).await;
        let ids = ["here", "there", "back", "inner", "outer"].map(|name| program.number(name));
        let of = |seen: &Own, id: u64| seen.tasks.get(&id).and_then(|task| task.runtime);
        own.until(|seen| ids.iter().all(|id| of(seen, *id).is_some()))
            .await;
        own.until(|seen| ids.iter().all(|id| seen.tasks[id].polls > 0))
            .await;
        let [here, there, back, inner, outer] = ids.map(|id| of(&own.known, id));
        assert_ne!(here, there);
        assert_eq!((back, outer), (here, here));
        assert!(inner != here && inner != there);
    });
}

fn dropped_runtime() {
    observed();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("ends")
        .build()
        .expect("a runtime");
    let task = runtime.block_on(async {
        let task = spawn("left", std::future::pending::<()>());
        yield_now().await;
        task.id()
    });
    tell("left", number(task));
    wait();
    // Longer than between the last poll of a task that completes and its drop.
    be_busy(Duration::from_millis(15));
    drop(runtime);
    wait();
}

fn a_dropped_runtime_takes_its_tasks_along() {
    let mut program = start("dropped_runtime");
    watch(async {
        let mut own = own(&mut program, false).await;
        let id = program.number("left");
        let workers = |seen: &Own| {
            let threads = seen.threads.values();
            let workers = threads.filter(|t| t.name == "ends" && t.role() == ThreadRole::Worker);
            workers.cloned().collect::<Vec<_>>()
        };
        own.until(|seen| seen.tasks.contains_key(&id) && workers(seen).len() == 2)
            .await;
        assert!(!own.known.has_ended(id));
        program.go_on();
        own.until(|seen| seen.has_ended(id) && workers(seen).iter().all(|t| t.ended_at.is_some()))
            .await;
        assert_eq!(own.known.tasks[&id].outcome(), Outcome::Cancelled);
        assert_eq!(workers(&own.known).len(), 2);
    });
}

// The process.

fn uses() {
    observed();
    let kept = vec![1_u8; 64 << 20];
    be_busy(Duration::from_millis(150));
    tell("used", kept.iter().map(|n| u64::from(*n)).sum::<u64>());
    wait();
    drop(kept);
}

fn the_process_uses_what_the_system_says() {
    let mut program = start("uses");
    watch(async {
        let mut own = own(&mut program, false).await;
        program.told("used");
        // It does nothing from here on but publish. The system counts in ticks of 10 ms.
        let before = of_system(program.id());
        let tick = Duration::from_millis(20);
        let cpu = |seen: &Own| seen.usage.map(|usage| duration(usage.cpu.as_ref()));
        own.until(|seen| cpu(seen).is_some_and(|cpu| cpu + tick >= before.0))
            .await;
        let after = of_system(program.id());
        let usage = own.known.usage.expect("just seen");
        let cpu = cpu(&own.known).expect("just seen");
        assert!(cpu <= after.0 + tick, "{cpu:?} told, {:?} true", after.0);
        assert!(cpu >= Duration::from_millis(150), "{cpu:?}");
        let memory = usage.memory.expect("the system tells");
        assert!(memory >= 64 << 20);
        let off = memory.abs_diff(after.1);
        assert!(off < 4 << 20, "{memory} told, {} true", after.1);
    });
}

/// A process's time and memory by `/proc`.
fn of_system(id: u32) -> (Duration, u64) {
    let read = |file| std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("it runs");
    let stat = read("stat");
    // After the name, which may hold anything.
    let fields: Vec<_> = stat[stat.rfind(')').expect("a name")..]
        .split_whitespace()
        .collect();
    let ticks = |n: usize| fields[n].parse::<u64>().expect("a number");
    let cpu = Duration::from_millis((ticks(12) + ticks(13)) * 10);
    let status = read("status");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next());
    let kilobytes: u64 = kilobytes.and_then(|n| n.parse().ok()).expect("a number");
    (cpu, kilobytes << 10)
}

// Memory.

const TASKS: usize = 8_000;
const LIMIT: &str = "1000000";
/// So many fit into the eighth of it that is kept free.
const BATCH: usize = 100;

fn many_tasks() {
    observed();
    one_thread().block_on(async {
        for n in 0..TASKS / BATCH {
            let tasks: Vec<_> = (0..BATCH).map(|_| tokio::spawn(async {})).collect();
            if n == 0 {
                tell("first", number(tasks[0].id()));
            }
            tell("last", number(tasks[BATCH - 1].id()));
            for task in tasks {
                task.await.expect("it does not panic");
            }
            wait();
        }
    });
    wait();
}

fn what_ended_first_is_forgotten_first() {
    let mut program = start_with("many_tasks", &[("LOOPVIEW_MEMORY_LIMIT", LIMIT)]);
    watch(async {
        let mut own = own(&mut program, false).await;
        let first = program.number("first");
        for _ in 0..TASKS / BATCH {
            let last = program.number("last");
            own.until(|seen| seen.has_ended(last)).await;
            program.go_on();
        }
        own.until(|seen| seen.tasks.values().all(|t| seen.has_ended(t.id)))
            .await;
        assert_eq!(own.known.tasks.len(), TASKS + 1, "with block_on");
        let mut late = Own::watch(program.socket(), false).await;
        let is_all = |seen: &Own| seen.overhead.forgotten + seen.tasks.len() as u64 > TASKS as u64;
        late.until(is_all).await;
        let overhead = late.known.overhead;
        assert_eq!(overhead.memory_limit.to_string(), LIMIT);
        assert!(overhead.memory <= overhead.memory_limit, "{overhead:?}");
        assert_eq!(overhead.lost_tasks, 0, "what ends makes room in time");
        assert_eq!(overhead.recorded_tasks, TASKS as u64 + 1, "with block_on");
        let mut known: Vec<_> = late.known.tasks.keys().copied().collect();
        known.retain(|id| *id >= first);
        known.sort_unstable();
        assert!(
            known.len() > 1_000 && known.len() < TASKS,
            "{}",
            known.len()
        );
        // Tasks get their ids one after the other here.
        let last = first + TASKS as u64;
        assert!(known.iter().copied().eq(last - known.len() as u64..last));
    });
}

fn many_alive() {
    observed();
    let runtime = one_thread();
    let alive: Vec<_> = runtime.block_on(async {
        let alive = (0..TASKS).map(|_| tokio::spawn(std::future::pending::<()>()));
        let alive = alive.collect();
        yield_now().await;
        alive
    });
    tell("done", alive.len());
    wait();
    drop(runtime);
    tell("dropped", "");
    wait();
}

fn what_does_not_fit_is_counted() {
    let mut program = start_with("many_alive", &[("LOOPVIEW_MEMORY_LIMIT", LIMIT)]);
    watch(async {
        let mut own = own(&mut program, false).await;
        program.told("done");
        let all = |seen: &Own| seen.overhead.lost_tasks + seen.tasks.len() as u64;
        // With block_on.
        own.until(|seen| all(seen) == TASKS as u64 + 1).await;
        let overhead = own.known.overhead;
        assert!(overhead.lost_tasks > 0);
        assert!(overhead.memory <= overhead.memory_limit, "{overhead:?}");
        let mut console = Console::watch(program.socket()).await;
        // Only the call of block_on has ended, and may be forgotten.
        let rest = own.known.tasks.len() - 1;
        console.until(|seen| seen.tasks.len() >= rest).await;
        assert_eq!(console.known.dropped, overhead.lost_tasks);
        // Those that are known end well, and their memory is used for no more than that.
        program.go_on();
        program.told("dropped");
        own.until(|seen| seen.tasks.keys().all(|id| seen.has_ended(*id)))
            .await;
        let overhead = own.known.overhead;
        assert!(overhead.memory <= overhead.memory_limit, "{overhead:?}");
        assert_eq!(all(&own.known), TASKS as u64 + 1);
    });
}

// From outside.

fn outside() {
    observed();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    let (sender, wakers) = mpsc::channel::<Waker>();
    let task = tokio::task::Builder::new()
        .name("outside")
        .spawn_on(
            pending(3, move |waker| {
                sender.send(waker.clone()).expect("the thread listens");
            }),
            runtime.handle(),
        )
        .expect("it is there");
    tell("outside", number(task.id()));
    wakers.iter().for_each(Waker::wake);
    wait();
}

fn tasks_from_outside_are_nobodys_children() {
    let mut program = start("outside");
    watch(async {
        let mut own = own(&mut program, true).await;
        let id = program.number("outside");
        own.until(|seen| seen.has_ended(id)).await;
        own.until(|seen| seen.polls.iter().filter(|p| p.task == id).count() == 4)
            .await;
        let task = &own.known.tasks[&id];
        assert_eq!((task.parent, task.polls), (None, 4));
        assert!(task.runtime.is_some());
        let polls: Vec<_> = own.known.polls.iter().filter(|p| p.task == id).collect();
        assert!(
            polls[1..]
                .iter()
                .all(|p| p.woken.is_some() && p.woken_by == 0)
        );
        let mut console = Console::watch(program.socket()).await;
        console.until(|seen| seen.has_ended("outside")).await;
        let stats = console.known.stats("outside").expect("just seen");
        assert_eq!((stats.wakes, stats.self_wakes), (3, 0));
        let task = &console.known.tasks[&id];
        assert!(task.parents.is_empty());
    });
}

const MESSAGES: usize = 100;

/// The I/O driver wakes on the runtime's own thread, outside of every task.
fn io() {
    observed();
    let (theirs, ours) = std::os::unix::net::UnixStream::pair().expect("a pair");
    ours.set_nonblocking(true).expect("a socket can");
    let echo = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut theirs = theirs;
        let mut byte = [0];
        while theirs.read_exact(&mut byte).is_ok() {
            // So the other end has come to wait for it nearly always.
            be_busy(Duration::from_micros(300));
            theirs.write_all(&byte).expect("it reads");
        }
    });
    one_thread().block_on(async move {
        let mut stream = tokio::net::UnixStream::from_std(ours).expect("in a runtime");
        let task = spawn("io", async move {
            for n in 0..MESSAGES {
                stream.write_all(&[n as u8]).await.expect("it is open");
                assert_eq!(stream.read_u8().await.expect("it is open"), n as u8);
            }
        });
        tell("io", number(task.id()));
        task.await.expect("it does not panic");
    });
    echo.join().expect("it ends");
    wait();
}

fn io_wakes_by_nobody() {
    let mut program = start("io");
    watch(async {
        let mut own = own(&mut program, true).await;
        let mut console = Console::watch(program.socket()).await;
        let id = program.number("io");
        own.until(|seen| seen.has_ended(id)).await;
        console.until(|seen| seen.has_ended("io")).await;
        let stats = console.known.stats("io").expect("just seen");
        assert!(stats.wakes > 0);
        assert_eq!(stats.self_wakes, 0, "of {} wakes", stats.wakes);
        let mut by = HashMap::new();
        let polls = own.known.polls.iter().filter(|p| p.task == id);
        polls.for_each(|p| *by.entry(p.woken_by).or_insert(0) += 1);
        assert_eq!(by.keys().copied().collect::<Vec<_>>(), [0]);
    });
}
