//! Every lesson ends when it says it does, on a stopped clock; those about threads and computing run
//! on the real one, very fast.

use std::time::Duration;

use loopview_workloads::{Settings, aio, find};
use tokio::time::Instant;

/// How long the lesson takes by tokio's clock.
fn time_of(name: &str, config: &aio::Config) -> Duration {
    let workload = find(name).unwrap();
    let main = (workload.main)(Settings::defaults(workload));
    aio::run(config, async move {
        let start = Instant::now();
        main.await?;
        Ok(start.elapsed())
    })
    .unwrap()
}

fn fast() -> aio::Config {
    aio::Config {
        scale: 0.02,
        ..aio::Config::default()
    }
}

#[test]
fn each_takes_the_time_that_its_text_promises() {
    let expected = [
        ("hello", 1_000),
        ("uncalled", 1_000),
        ("serial", 4_000),
        ("tasks", 2_000),
        ("serial-tasks", 3_000),
        ("leak", 2_000),
        ("panic", 3_000),
        ("gather", 5_000),
        ("gather-error", 3_000),
        ("gather-settled", 3_000),
        ("as-completed", 3_000),
        ("taskgroup", 3_000),
        ("taskgroup-error", 1_500),
        ("timeout", 1_000),
        ("timeout-cleanup", 1_700),
        ("cancel", 3_000),
        ("shield", 2_500),
        ("semaphore", 3_200),
        ("mutex", 2_400),
        ("channel", 3_050),
        ("lost-permits", 6_000),
        ("lost-waker", 2_500),
        ("many-wakes", 2_500),
        ("large-future", 2_000),
        ("many", 2_999),
        ("spawn-storm", 2_000),
    ];
    for (name, millis) in expected {
        let time = time_of(name, &aio::Config::paused());
        assert_eq!(time, Duration::from_millis(millis), "{name}");
    }
}

#[test]
fn a_deadlock_does_not_end() {
    let deadlock = find("deadlock").unwrap();
    let main = (deadlock.main)(Settings::defaults(deadlock));
    let result = aio::run(&aio::Config::paused(), async {
        aio::wait_for(main, 3600.0).await
    });
    assert!(matches!(result, Err(aio::Error::TimedOut)), "{result:?}");
}

/// At a fiftieth; the server's clock is the real one.
#[test]
fn requests_take_as_long_as_the_slowest_answer_or_as_their_sum() {
    let least = [
        ("template", 20),
        ("async-library", 20),
        ("to-thread-library", 20),
        ("blocking-library", 4 + 12 + 14 + 16),
    ];
    for (name, millis) in least {
        let time = time_of(name, &fast());
        assert!(time >= Duration::from_millis(millis), "{name}: {time:?}");
    }
}

#[test]
fn a_blocking_call_holds_everything_up_for_as_long_as_it_takes() {
    // At a fiftieth: 8 ticks of 10 ms, during one of which, or nearly, the call takes 60 ms.
    let time = time_of("blocking", &fast());
    assert!(time >= Duration::from_millis(120), "{time:?}");
}

#[test]
fn on_a_thread_the_same_call_ends_too() {
    let time = time_of("to-thread", &fast());
    assert!(time >= Duration::from_millis(80), "{time:?}");
}

/// At a fiftieth: six roasts of 20 ms, by as many threads as the lesson asks for.
#[test]
fn a_lesson_can_say_how_many_threads_there_are() {
    let pool_full = find("pool-full").unwrap();
    let time_of = |pairs: &[&str]| {
        let settings = Settings::parse(pool_full, pairs.iter().copied()).unwrap();
        let start = std::time::Instant::now();
        pool_full.run(&fast(), settings).unwrap();
        start.elapsed()
    };
    assert!(time_of(&[]) >= Duration::from_millis(60));
    assert!(time_of(&["threads=1"]) >= Duration::from_millis(120));
    assert!(Settings::parse(pool_full, ["threads=x"]).is_err());
}

#[test]
fn a_computation_takes_its_time_and_then_the_ticker_runs() {
    let time = time_of("cpu", &fast());
    assert!(time >= Duration::from_millis(60), "{time:?}");
}

#[test]
fn a_lesson_can_be_run_as_it_is() {
    let workload = find("gather").unwrap();
    let settings = Settings::parse(workload, ["workers=0"]).unwrap();
    workload.run(&aio::Config::paused(), settings).unwrap();
}
