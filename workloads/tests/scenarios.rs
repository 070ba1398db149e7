//! `aio` does what Python's asyncio does: every scenario of `tests/asyncio` gives the same result and
//! the same events at the same times.

mod asyncio;

use asyncio::Verdict;

fn all_pass(data: &str) {
    let records: Vec<_> = data
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for checked in asyncio::check_all(&records) {
        let id = &checked.record["id"];
        assert_eq!(checked.verdict, Verdict::Passed, "{id}");
    }
}

#[test]
fn the_scenarios_end_as_in_python() {
    all_pass(include_str!("asyncio/scenarios.jsonl"));
}

#[test]
fn more_of_them_and_some_made_at_random_do_too() {
    all_pass(include_str!("asyncio/more.jsonl"));
}

#[test]
fn what_rust_has_no_match_for_is_skipped_with_the_reason() {
    let record = serde_json::json!({
        "spec": {"main": {"op": "try", "label": "t", "body": {"op": "raise", "exit": 3}}},
    });
    let checked = asyncio::check_all(&[record]);
    let Verdict::Skipped(reason) = &checked[0].verdict else {
        panic!("{:?}", checked[0].verdict);
    };
    assert!(reason.starts_with("exit: "), "{reason}");
    assert_eq!(checked[0].record["skipped"], **reason);
}

#[test]
fn a_difference_is_told() {
    let record = serde_json::json!({
        "spec": {"main": {"op": "value", "ok": 1}},
        "result": {"main": {"ok": 2}, "t": 0, "closed_t": 0, "notes": {}, "tasks": {}},
        "events": [[0, "main_end", "main"]],
    });
    let checked = asyncio::check_all(&[record]);
    let Verdict::Failed(why) = &checked[0].verdict else {
        panic!("{:?}", checked[0].verdict);
    };
    assert!(why.contains("result expected"), "{why}");
    assert_eq!(checked[0].record["result"]["main"]["ok"], 1);
}
