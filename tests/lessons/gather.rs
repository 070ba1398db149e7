//! Many at once, and one of them fails.

use super::report::{number, run};

#[test]
fn gather_error_cancels_nobody() {
    let report = run(&["gather-error", "--scale", "0.3"]);
    report.assert_ok("gather-error", 0.9, &["soup", "fish", "cake"]);
    let outcomes = ["soup", "fish", "cake"].map(|name| report.task(name)["outcome"].clone());
    assert_eq!(outcomes, ["error", "ok", "ok"]);
    let scope = &report.rows("scopes")[0];
    assert_eq!(
        (&scope["kind"], &scope["outcome"]),
        (&"gather".into(), &"error".into())
    );
    let fish = report.task("fish");
    assert!(
        number(&scope["closed_ms"]) < number(&fish["created_ms"]) + number(&fish["total_ms"]),
        "it raises the error while the others run: {scope:#}"
    );
    assert_eq!(
        report.output(),
        [
            "gather raised: soup is burnt; the others cook on",
            "fish is ready",
            "cake is ready"
        ]
    );
}

#[test]
fn gather_settled_waits_for_all() {
    let report = run(&["gather-settled", "--scale", "0.3", "--set", "burnt=2"]);
    report.assert_ok("gather-settled", 0.9, &["dish-1", "dish-5"]);
    for (number, outcome) in (1..=5).zip(["error", "error", "ok", "ok", "ok"]) {
        assert_eq!(report.task(&format!("dish-{number}"))["outcome"], outcome);
    }
    let scope = &report.rows("scopes")[0];
    assert_eq!(scope["outcome"], "ok");
    assert!(number(&scope["closed_ms"]) - number(&scope["opened_ms"]) > 890.0);
    assert_eq!(report.output()[1], "not served: dish 2 is burnt");
    assert_eq!(report.output()[2], "served: dish 3");
}

#[test]
fn as_completed_gives_what_is_there() {
    let report = run(&["as-completed", "--scale", "0.3"]);
    report.assert_ok("as-completed", 0.9, &["cake", "soup", "fish"]);
    assert_eq!(
        report.output(),
        ["served: soup", "served: fish", "served: cake"]
    );
    assert_eq!(
        report.task("main")["polls"],
        4,
        "at the beginning and at each end"
    );
    assert_eq!(report.rows("scopes")[0]["kind"], "as_completed");
    let closed = run(&["as-completed", "--scale", "0.3", "--set", "limit=1.5"]);
    assert_eq!(closed.output()[1..], ["not ready in time"; 2]);
}

#[test]
fn taskgroup_error_cancels_the_siblings_and_groups_the_errors() {
    let report = run(&["taskgroup-error", "--scale", "0.3"]);
    report.assert_ok("taskgroup-error", 0.45, &["A", "B", "C"]);
    let outcomes = ["A", "B", "C"].map(|name| report.task(name)["outcome"].clone());
    assert_eq!(outcomes, ["error", "cancelled", "error"]);
    assert_eq!(report.timers_of("B")[0]["state"], "cancelled");
    let scope = &report.rows("scopes")[0];
    assert_eq!(
        (&scope["kind"], &scope["outcome"]),
        (&"task_group".into(), &"error".into())
    );
    let output = report.output().join("\n");
    assert!(output.contains("2 sub-exceptions"), "{output}");
    assert!(output.find("A is ill") < output.find("C has no money"));
}
