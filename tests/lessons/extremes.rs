//! Very many tasks, and all kinds at once.

use super::report::{Report, number, run};

fn done_tasks(report: &Report, prefix: &str) -> usize {
    let tasks = report.rows("tasks").iter();
    let ours = tasks.filter(|task| {
        let name = task["name"].as_str().unwrap_or_default();
        name.starts_with(prefix) && task["outcome"] == "ok"
    });
    ours.count()
}

#[test]
fn many() {
    let report = run(&["many", "--scale", "0.3"]);
    report.assert_ended("many", &["guest-0", "guest-999"]);
    let elapsed = number(&report.0["elapsed_ms"]);
    assert!(elapsed < 60_000.0, "one after another, 750 s: {elapsed} ms");
    assert_eq!(done_tasks(&report, "guest-"), 1_000);
    let timers = report.rows("timers");
    assert_eq!(timers.len(), 1_000);
    assert!(timers.iter().all(|timer| timer["state"] == "fired"));
}

#[test]
fn spawn_storm() {
    let report = run(&["spawn-storm", "--scale", "0.1", "--set", "tasks=1250"]);
    report.assert_ended("spawn-storm", &["coffee-0", "coffee-1249"]);
    assert_eq!(done_tasks(&report, "coffee-"), 1_250);
    assert_eq!(report.rows("scopes").len(), 13, "the last wave is a half");
}

/// What the guests tell, in the order of their numbers.
fn night(report: &Report) -> Vec<&str> {
    let mut lines = report.output();
    lines.sort_unstable();
    lines
}

#[test]
fn chaos_is_the_same_for_the_same_seed() {
    let run = |seed| run(&["chaos", "--scale", "0.5", "--set", seed]);
    let (night_one, again, another) = (run("seed=1"), run("seed=1"), run("seed=2"));
    assert_eq!(night(&night_one), night(&again));
    assert_ne!(night(&night_one), night(&another));

    let report = night_one;
    assert_eq!(report.0["outcome"], "ok");
    assert_eq!(report.output().len(), 24);
    let kinds = |kind: &str| {
        let scopes = report.rows("scopes").iter();
        scopes.filter(|scope| scope["kind"] == kind).count()
    };
    for (kind, count) in [
        ("gather", 6),
        ("task_group", 4),
        ("wait_for", 3),
        ("to_thread", 3),
    ] {
        assert_eq!(kinds(kind), count, "{kind}");
    }
    for outcome in ["ok", "error", "cancelled"] {
        let mut tasks = report.rows("tasks").iter();
        assert!(tasks.any(|task| task["outcome"] == outcome), "{outcome}");
    }
    let blocked = report
        .rows("tasks")
        .iter()
        .filter(|task| task["kind"] == "task" && number(&task["longest_poll_ms"]) >= 100.0);
    assert_eq!(blocked.count(), 3, "they stop the waiter");
}
