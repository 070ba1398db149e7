//! Real requests to a real server: by a library that blocks, by one that awaits, and on threads, of
//! which there may be too few.

use super::report::{SLACK_MS, latest, number, run};

#[test]
fn template() {
    let report = run(&["template"]);
    report.assert_ok("template", 1.0, &["fetch-1", "fetch-5"]);
    let output = report.output();
    let answers = output.iter().filter(|line| line.starts_with("answer"));
    assert_eq!(answers.count(), 5);
    assert_eq!(output.last(), Some(&"5 answers"));
}

#[test]
fn a_blocking_library_blocks_the_loop() {
    let report = run(&["blocking-library"]);
    report.assert_ok("blocking-library", 3.05, &["fetch-1", "fetch-3"]);
    let longest = number(&report.task("fetch-3")["longest_poll_ms"]);
    assert!((longest - 800.0).abs() < SLACK_MS, "{longest} ms");
    assert!(latest(&report.timers_of("ticker")).as_secs_f64() > 1.9);
    assert_eq!(report.output()[0], "answer 1", "no tick came before it");
    let lints = report.rows("lints");
    assert!(lints.iter().all(|lint| lint["lint"] == "blocked-loop"));
    assert!(!lints.is_empty());
    assert!(report.rows("blocking").is_empty());
}

#[test]
fn an_async_library_and_threads_do_not() {
    for name in ["async-library", "to-thread-library"] {
        let report = run(&[name]);
        report.assert_ok(name, 1.0, &["fetch-1", "fetch-3"]);
        assert_eq!(report.output()[0], "tick 1", "{name}");
        assert!(latest(&report.timers_of("ticker")).as_secs_f64() < 0.3);
        let calls = report.rows("blocking");
        assert_eq!(calls.len(), if name == "async-library" { 0 } else { 3 });
        for call in calls {
            assert!(number(&call["run_ms"]) > 590.0, "{call:#}");
        }
    }
}

#[test]
fn calls_that_find_no_thread_wait_in_line() {
    let calls = |threads: &[&str]| {
        let report = run(&[&["pool-full", "--scale", "0.3"], threads].concat());
        report.assert_ended("pool-full", &["roast-1", "salad"]);
        let calls = report.rows("blocking").to_vec();
        assert_eq!(calls.len(), 7);
        calls
    };
    let queued = |call: &serde_json::Value| number(&call["queued_ms"]);
    let two = calls(&[]);
    let late = two.iter().filter(|call| queued(call) >= 280.0);
    assert_eq!(late.count(), 5, "{two:#?}");
    // Three rounds of roasts come before the salad.
    assert!(two.iter().any(|call| queued(call) >= 850.0), "{two:#?}");
    let seven = calls(&["--set", "threads=7"]);
    assert!(seven.iter().all(|call| queued(call) < 280.0), "{seven:#?}");
}
