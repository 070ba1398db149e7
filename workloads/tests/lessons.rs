//! Every lesson ends when it says it does, on a stopped clock; those about threads and computing run
//! on the real one, very fast.

use std::time::Duration;

use loopview_workloads::{Settings, aio, all, find};
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
        ("hello", 1),
        ("serial", 4),
        ("tasks", 2),
        ("gather", 5),
        ("taskgroup", 3),
        ("timeout", 1),
    ];
    for (name, secs) in expected {
        let time = time_of(name, &aio::Config::paused());
        assert_eq!(time, Duration::from_secs(secs), "{name}");
    }
}

#[test]
fn the_template_takes_as_long_as_its_slowest_answer() {
    // The clock is stopped, but the sockets are real.
    let time = time_of("template", &aio::Config::paused());
    assert!(time >= Duration::from_secs(1), "{time:?}");
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
    assert_eq!(all().len(), 10);
}
