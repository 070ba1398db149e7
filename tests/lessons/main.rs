//! Every lesson, run without a screen by the real binary, does what it says: by its report.

mod cancelling;
mod coordination;
mod extremes;
mod futures;
mod gather;
mod libraries;
mod report;

use std::{process::Command, time::Duration};

use serde_json::Value;

use report::{SLACK_MS, latest, number, run};

#[test]
fn hello() {
    let report = run(&["hello"]);
    report.assert_ok("hello", 1.0, &["main"]);
    assert_eq!(report.timers_of("main").len(), 1);
    assert_eq!(report.rows("output").len(), 2);
    assert_eq!(
        report.task("main")["polls"],
        2,
        "once to begin and once after its sleep"
    );
}

#[test]
fn uncalled() {
    let report = run(&["uncalled"]);
    report.assert_ok("uncalled", 1.0, &["main"]);
    assert_eq!(report.timers_of("main").len(), 1, "the fish's alone");
    assert_eq!(
        report.output()[1..],
        ["fish started", "fish done"],
        "no soup"
    );
    let both = run(&["uncalled", "--scale", "0.1", "--set", "awaited=2"]);
    assert_eq!(both.output().last(), Some(&"soup done"));
}

#[test]
fn serial() {
    let report = run(&["serial"]);
    report.assert_ok("serial", 4.0, &["main"]);
    assert_eq!(
        report.output(),
        ["A started", "A done", "B started", "B done"]
    );
    assert_eq!(report.timers_of("main").len(), 2, "A and B are not tasks");
}

#[test]
fn tasks() {
    run(&["tasks"]).assert_ok("tasks", 2.0, &["A", "B"]);
}

#[test]
fn tasks_that_are_awaited_at_once_are_in_turn() {
    let report = run(&["serial-tasks", "--scale", "0.2"]);
    report.assert_ok("serial-tasks", 0.6, &["table-1", "table-3"]);
    for (one, next) in [("table-1", "table-2"), ("table-2", "table-3")] {
        let (one, next) = (report.task(one), report.task(next));
        let ended = number(&one["created_ms"]) + number(&one["total_ms"]);
        assert!(number(&next["created_ms"]) >= ended, "{one:#} {next:#}");
    }
    // It points at the place where they are made.
    let lint = &report.rows("lints")[0];
    assert_eq!(lint["lint"], "serial-awaits");
    let place = lint["location"].as_str().unwrap_or_default();
    assert!(place.contains("serial_tasks.rs:"), "{lint:#}");
}

#[test]
fn a_panic_ends_its_own_task_alone() {
    let report = run(&["panic", "--scale", "0.2"]);
    report.assert_ok("panic", 0.6, &["soup", "fish", "cake"]);
    for (name, outcome) in [("soup", "ok"), ("fish", "panicked"), ("cake", "ok")] {
        assert_eq!(report.task(name)["outcome"], outcome, "{name}");
    }
    // Told in short, whatever RUST_BACKTRACE says.
    let [place, text, dishes @ ..] = &report.output()[..] else {
        panic!("two lines and more: {:?}", report.output());
    };
    assert!(place.starts_with("panicked at ") && place.contains("panic.rs:"));
    assert_eq!(
        *text,
        "index out of bounds: the len is 3 but the index is 6"
    );
    assert_eq!(
        dishes,
        [
            "served: soup for the table number 1",
            "not served: task fish panicked",
            "served: cake for the table number 2",
        ]
    );
    let none = run(&["panic", "--scale", "0.05", "--set", "tables=9"]);
    assert_eq!(none.task("fish")["outcome"], "ok");
}

#[test]
fn gather() {
    let report = run(&["gather"]);
    let tasks = ["Worker-0", "Worker-1", "Worker-2", "A", "B", "C"];
    report.assert_ok("gather", 5.0, &tasks);
    for (name, seconds) in tasks.iter().zip([1.0, 1.0, 1.0, 2.0, 3.0, 4.0]) {
        let total = number(&report.task(name)["total_ms"]);
        assert!(
            (total - seconds * 1_000.0).abs() < SLACK_MS,
            "{name}: {total}"
        );
        assert_eq!(report.task(name)["parent"], report.task("main")["id"]);
        assert_eq!(report.task(name)["outcome"], "ok");
        assert_eq!(report.timers_of(name)[0]["state"], "fired");
    }
    let scopes = report.rows("scopes");
    assert_eq!(scopes.len(), 2);
    assert!(
        scopes
            .iter()
            .all(|s| s["kind"] == "gather" && s["outcome"] == "ok")
    );
    assert!(
        scopes
            .iter()
            .all(|s| s["children"].as_array().is_some_and(|c| c.len() == 3))
    );
}

#[test]
fn taskgroup() {
    let report = run(&["taskgroup"]);
    report.assert_ok("taskgroup", 3.0, &["A", "B", "C"]);
    assert_eq!(report.task("C")["parent"], report.task("A")["id"]);
    assert_eq!(
        report.rows("scopes")[0]["children"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

#[test]
fn timeout() {
    let report = run(&["timeout"]);
    report.assert_ok("timeout", 1.0, &["main"]);
    assert_eq!(report.output().last(), Some(&"timed out"));
    assert_eq!(report.task("eternity")["outcome"], "cancelled");
    let limit = report.timers_of("main");
    assert_eq!(
        (&limit[0]["kind"], &limit[0]["state"]),
        (&"timeout".into(), &"fired".into())
    );
    assert_eq!(report.timers_of("eternity")[0]["state"], "cancelled");
    assert_eq!(report.rows("scopes")[0]["outcome"], "timed_out");
}

#[test]
fn blocking_makes_others_late_and_a_thread_does_not() {
    let blocking = run(&["blocking"]);
    let late = latest(&blocking.timers_of("ticker"));
    assert!((2.4..3.6).contains(&late.as_secs_f64()), "{late:?}");
    let lint = &blocking.rows("lints")[0];
    assert_eq!(lint["lint"], "blocked-loop");
    assert_eq!(lint["task"], blocking.task("library")["id"]);
    assert!(number(&lint["evidence"]["lasted_ms"]) > 2_900.0);
    let ticker = &blocking.task("ticker")["id"];
    let victims = lint["evidence"]["victims"].as_array().expect("a list");
    assert!(victims.iter().any(|v| v["task"] == *ticker), "{lint:#}");
    assert!(blocking.rows("blocking").is_empty());

    let thread = run(&["to-thread"]);
    thread.assert_ok("to-thread", 4.0, &["ticker", "library"]);
    assert!(latest(&thread.timers_of("ticker")) < Duration::from_millis(300));
    assert!(thread.rows("lints").is_empty(), "{:#}", thread.0["lints"]);
    let call = &thread.rows("blocking")[0];
    assert!((number(&call["run_ms"]) - 3_000.0).abs() < SLACK_MS);
    assert!(call["thread"].is_string());
}

#[test]
fn cpu() {
    let report = run(&["cpu"]);
    report.assert_ok("cpu", 3.0, &["primes", "ticker"]);
    let primes = report.task("primes");
    assert_eq!(primes["polls"], 1);
    assert!(number(&primes["longest_poll_ms"]) > 2_900.0);
    assert!(latest(&report.timers_of("ticker")) > Duration::from_secs(2));
    assert!(number(&report.0["runtime"]["busy_ratio"]) > 0.9);
}

#[test]
fn several_workers() {
    let report = run(&["gather", "--workers", "2", "--scale", "0.1"]);
    assert_eq!(report.0["runtime"]["flavor"], "multi-thread");
    assert_eq!(report.0["runtime"]["workers"], 2);
    assert!(report.rows("tasks").iter().all(|t| t["kind"] != "worker"));
    assert!(
        report.rows("blocking").is_empty(),
        "workers are no blocking calls"
    );
    assert_eq!(report.task("C")["outcome"], "ok");
}

#[test]
fn a_deep_temporary_folder_is_no_obstacle() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let deep = root.path().join("a-folder-with-a-long-name/".repeat(6));
    std::fs::create_dir_all(&deep).expect("it can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_loopview"))
        .args(["run", "hello", "--scale", "0.01", "--format", "json"])
        .env("TMPDIR", &deep)
        .output()
        .expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        report["instrument"], "probe",
        "its socket's path is short enough"
    );
}

#[test]
fn settings_and_scale_hold() {
    let report = run(&["gather", "--scale", "0.01", "--set", "workers=5"]);
    assert!(number(&report.task("Worker-4")["total_ms"]) < 10_000.0 * 0.05);
}

/// For comparison: what both instruments can tell is the same.
#[test]
fn a_lesson_is_seen_by_console_subscriber_too() {
    let arguments = ["gather", "--scale", "0.2", "--instrument"];
    let run = |instrument| {
        let report = run(&[&arguments[..], &[instrument]].concat());
        assert_eq!(report.0["instrument"], instrument);
        assert_eq!(report.0["outcome"], "ok");
        report
    };
    let (ours, theirs) = (run("probe"), run("console-subscriber"));
    for name in ["main", "A", "B", "C"] {
        let (ours, theirs) = (ours.task(name), theirs.task(name));
        assert_eq!(ours["wakes"], theirs["wakes"], "{name}");
        assert_eq!(ours["location"], theirs["location"], "{name}");
        assert_eq!(ours["polls"], theirs["polls"], "{name}");
    }
    assert_eq!(theirs.0["process"]["pid"], Value::Null);
    assert!(number(&ours.0["process"]["memory_bytes"]) > 1e6);
    assert!(number(&ours.0["process"]["cpu_ms"]) > 0.0);
    assert!(number(&ours.0["process"]["probe_bytes"]) > 0.0);
}
