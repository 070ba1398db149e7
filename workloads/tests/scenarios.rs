//! `aio` does what Python's asyncio does: every scenario of `tests/asyncio` gives the same result and
//! the same events at the same times.

mod asyncio;

use asyncio::Verdict;

fn all_pass(data: &str) {
    let mut failures = Vec::new();
    for line in data.lines() {
        let record = serde_json::from_str(line).unwrap();
        if let Verdict::Failed(why) = asyncio::check(&record).verdict {
            failures.push(format!("{}\n{why}", record["id"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_given_scenarios_end_as_in_python() {
    all_pass(include_str!("asyncio/scenarios.jsonl"));
}
