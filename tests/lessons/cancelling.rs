//! Asked to end: who does, who cleans up first, who refuses, and who is forgotten.

use super::report::{number, run};

#[test]
fn a_cleanup_delays_the_timeout() {
    let report = run(&["timeout-cleanup", "--scale", "0.3"]);
    report.assert_ok("timeout-cleanup", 0.51, &["cook"]);
    assert_eq!(report.task("cook")["outcome"], "cancelled");
    let scope = &report.rows("scopes")[0];
    assert_eq!(scope["outcome"], "timed_out");
    let open = number(&scope["closed_ms"]) - number(&scope["opened_ms"]);
    assert!(open >= 0.3 * 1_700.0, "{open} ms");
    let limit = &report.timers_of("main")[0];
    assert_eq!(limit["kind"], "timeout");
    assert!(number(&limit["fired_ms"]) < number(&scope["closed_ms"]) - 200.0);
}

#[test]
fn cancel_is_a_request() {
    let report = run(&["cancel", "--scale", "0.3"]);
    report.assert_ok("cancel", 0.9, &["quick", "careful", "stubborn"]);
    let ends = ["quick", "careful", "stubborn"].map(|name| {
        let task = report.task(name);
        (task["outcome"].clone(), number(&task["total_ms"]))
    });
    assert_eq!(ends[0].0, "cancelled");
    assert_eq!(ends[1].0, "cancelled");
    assert_eq!(ends[2].0, "ok", "it would not hear of it");
    assert!(ends[0].1 < ends[1].1 && ends[1].1 < ends[2].1, "{ends:?}");
    let late = run(&["cancel", "--scale", "0.1", "--set", "after=4"]);
    assert_eq!(late.output()[0], "quick is asked to end: false");
}

#[test]
fn a_shield_stops_the_request() {
    let report = run(&["shield", "--scale", "0.3"]);
    report.assert_ok("shield", 0.75, &["payment"]);
    assert_eq!(report.task("payment")["outcome"], "ok");
    let mut ends: Vec<_> = report
        .rows("scopes")
        .iter()
        .map(|scope| (scope["kind"].as_str(), scope["outcome"].as_str()))
        .collect();
    ends.sort_unstable();
    assert_eq!(
        ends,
        [
            (Some("shield"), Some("cancelled")),
            (Some("wait_for"), Some("timed_out"))
        ]
    );
}

#[test]
fn what_leaks_is_alive_at_the_end() {
    let report = run(&["leak", "--scale", "0.2", "--set", "guests=4"]);
    report.assert_ok("leak", 0.32, &["candle-1", "candle-4"]);
    let main = report.task("main");
    let ended = number(&main["created_ms"]) + number(&main["total_ms"]);
    for guest in 1..=4 {
        let candle = report.task(&format!("candle-{guest}"));
        assert_eq!(candle["outcome"], "cancelled");
        let life = number(&candle["created_ms"]) + number(&candle["total_ms"]);
        assert!(life >= ended, "{candle:#}");
    }
}
