//! Every lesson, run without a screen by the real binary, does what it says: by its report.

use std::{process::Command, time::Duration};

use serde_json::Value;

/// How far a clock may be off on a busy machine and still tell 2 s from 4 s.
const SLACK_MS: f64 = 700.0;

struct Report(Value);

fn run(args: &[&str]) -> Report {
    let output = Command::new(env!("CARGO_BIN_EXE_loopview"))
        .arg("run")
        .args(args)
        .args(["--format", "json"])
        .output()
        .expect("it starts");
    let text = String::from_utf8(output.stdout).expect("JSON is text");
    let report = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Report(report)
}

impl Report {
    fn rows(&self, table: &str) -> &[Value] {
        self.0[table].as_array().expect("a table")
    }

    #[track_caller]
    fn task(&self, name: &str) -> &Value {
        let row = self
            .rows("tasks")
            .iter()
            .find(|t| t["name"] == name && t["kind"] == "task");
        row.unwrap_or_else(|| panic!("no task {name}: {:#}", self.0["tasks"]))
    }

    fn timers_of(&self, name: &str) -> Vec<&Value> {
        let id = &self.task(name)["id"];
        self.rows("timers")
            .iter()
            .filter(|t| t["task"] == *id)
            .collect()
    }

    fn output(&self) -> Vec<&str> {
        self.rows("output")
            .iter()
            .map(|l| l["line"].as_str().expect("a line"))
            .collect()
    }

    /// What holds for every lesson that ends well after `seconds`.
    #[track_caller]
    fn assert_ok(&self, name: &str, seconds: f64, tasks: &[&str]) {
        assert_eq!(self.0["format"], "loopview-report/1");
        assert_eq!(
            (&self.0["target"], &self.0["outcome"]),
            (&name.into(), &"ok".into())
        );
        assert_eq!(self.0["exit_code"], 0);
        assert_eq!(self.0["lost"]["events"], 0);
        assert_eq!(self.0["lost"]["gaps"], 0);
        assert_eq!(self.0["runtime"]["flavor"], "current-thread");
        let elapsed = number(&self.0["elapsed_ms"]);
        assert!(
            (elapsed - seconds * 1_000.0).abs() < SLACK_MS,
            "{elapsed} ms, not {seconds} s"
        );
        for task in tasks {
            let row = self.task(task);
            assert!(number(&row["polls"]) > 0.0, "{task} was polled");
            assert_eq!(row["state"], "done", "{task}");
        }
        assert_eq!(self.task("main")["outcome"], "ok");
    }
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn latest(timers: &[&Value]) -> Duration {
    let late = timers
        .iter()
        .filter_map(|t| t["late_ms"].as_f64())
        .fold(0.0, f64::max);
    Duration::from_secs_f64(late / 1_000.0)
}

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
fn template() {
    let report = run(&["template"]);
    report.assert_ok("template", 1.0, &["server", "fetch-1", "fetch-5"]);
    assert!(
        report
            .output()
            .iter()
            .filter(|l| l.starts_with("answer"))
            .count()
            == 5
    );
}

#[test]
fn several_workers() {
    let report = run(&[
        "gather",
        "--flavor",
        "multi-thread",
        "--workers",
        "2",
        "--scale",
        "0.1",
    ]);
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
