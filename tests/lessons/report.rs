//! The report of a lesson that was run by the real binary, and what a test asks of it.

use std::{process::Command, time::Duration};

use serde_json::Value;

/// How far a clock may be off on a busy machine and still tell 2 s from 4 s.
pub const SLACK_MS: f64 = 700.0;

pub struct Report(pub Value);

pub fn run(args: &[&str]) -> Report {
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
    pub fn rows(&self, table: &str) -> &[Value] {
        self.0[table].as_array().expect("a table")
    }

    #[track_caller]
    pub fn task(&self, name: &str) -> &Value {
        let row = self
            .rows("tasks")
            .iter()
            .find(|t| t["name"] == name && t["kind"] == "task");
        row.unwrap_or_else(|| panic!("no task {name}: {:#}", self.0["tasks"]))
    }

    pub fn timers_of(&self, name: &str) -> Vec<&Value> {
        let id = &self.task(name)["id"];
        self.rows("timers")
            .iter()
            .filter(|t| t["task"] == *id)
            .collect()
    }

    pub fn output(&self) -> Vec<&str> {
        self.rows("output")
            .iter()
            .map(|l| l["line"].as_str().expect("a line"))
            .collect()
    }

    /// What holds for every lesson that ends well after `seconds`.
    #[track_caller]
    pub fn assert_ok(&self, name: &str, seconds: f64, tasks: &[&str]) {
        self.assert_ended(name, tasks);
        let elapsed = number(&self.0["elapsed_ms"]);
        assert!(
            (elapsed - seconds * 1_000.0).abs() < SLACK_MS,
            "{elapsed} ms, not {seconds} s"
        );
    }

    /// What holds for every lesson that ends well; one that computes takes as long as the machine is
    /// busy with others.
    #[track_caller]
    pub fn assert_ended(&self, name: &str, tasks: &[&str]) {
        assert_eq!(self.0["format"], "loopview-report/1");
        assert_eq!(
            (&self.0["target"], &self.0["outcome"]),
            (&name.into(), &"ok".into())
        );
        assert_eq!(self.0["exit_code"], 0);
        assert_eq!(self.0["lost"]["events"], 0);
        assert_eq!(self.0["lost"]["gaps"], 0);
        assert_eq!(self.0["runtime"]["flavor"], "current-thread");
        for task in tasks {
            let row = self.task(task);
            assert!(number(&row["polls"]) > 0.0, "{task} was polled");
            assert_eq!(row["state"], "done", "{task}");
        }
        assert_eq!(self.task("main")["outcome"], "ok");
    }
}

#[track_caller]
pub fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

pub fn latest(timers: &[&Value]) -> Duration {
    let late = timers
        .iter()
        .filter_map(|t| t["late_ms"].as_f64())
        .fold(0.0, f64::max);
    Duration::from_secs_f64(late / 1_000.0)
}
