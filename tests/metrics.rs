//! What Prometheus is told of a program: of the stories in `tests/scenarios`.

#![expect(clippy::float_cmp, reason = "they are whole numbers")]

#[path = "support/exposition.rs"]
mod exposition;

mod support;

use std::{collections::BTreeMap, fs, time::Duration};

use exposition::Exposition;
use loopview::{
    model::{Model, Task, lint, timeline::Doing},
    sink::Prometheus,
};
use support::scenario::Scenario;

fn page(model: &Model) -> Exposition {
    parsed(&Prometheus::default().encode(model))
}

#[track_caller]
fn parsed(text: &str) -> Exposition {
    Exposition::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The only value of this name that has these labels.
#[track_caller]
fn value(page: &Exposition, name: &str, labels: &[(&str, &str)]) -> f64 {
    match page.values(name, labels)[..] {
        [value] => value,
        ref other => panic!("{name} {labels:?}: {other:?}"),
    }
}

#[track_caller]
fn assert_near(page: &Exposition, name: &str, seconds: f64) {
    let value = value(page, name, &[]);
    assert!((value - seconds).abs() < 0.000_5, "{name} is {value}");
}

#[test]
fn a_story_in_figures() {
    let story = Scenario::load("blocked-loop");
    let early = page(&story.model_at(Duration::from_millis(50)));
    assert_eq!(value(&early, "loopview_target_up", &[]), 1.0);
    let of = |state| value(&early, "loopview_tasks", &[("state", state)]);
    // cpu; other; ticker; main and block_on's future are one.
    let states = ["running", "ready", "sleeping", "waiting", "idle"].map(of);
    assert_eq!(states, [1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(value(&early, "loopview_timers_overdue", &[]), 1.0);
    assert_near(&early, "loopview_longest_poll_seconds", 0.048);

    let late = page(&story.model_at(Duration::from_millis(350)));
    let lints = [("lint", "blocked-loop")];
    assert_eq!(value(&early, "loopview_lints_total", &lints), 0.0);
    assert_eq!(value(&late, "loopview_lints_total", &lints), 1.0);
    assert_eq!(value(&late, "loopview_timers_overdue", &[]), 0.0);
    assert_eq!(value(&late, "loopview_timers_late_total", &[]), 1.0);
    // main 1 + 0.2, cpu 300, other 1, ticker 0.5 + 1 + 0.5 + 0.5 ms in eight polls.
    assert_eq!(value(&late, "loopview_polls_total", &[]), 8.0);
    assert_near(&late, "loopview_busy_seconds_total", 0.304_7);
    assert_near(&late, "loopview_longest_poll_seconds", 0.3);
    let counted = "loopview_poll_duration_seconds_count";
    assert_eq!(value(&late, counted, &[]), 8.0);
    assert_near(&late, "loopview_poll_duration_seconds_sum", 0.304_7);
    let up_to = |le| {
        let bucket = "loopview_poll_duration_seconds_bucket";
        value(&late, bucket, &[("le", le)])
    };
    assert_eq!(
        ["0.001", "0.1", "0.5", "+Inf"].map(up_to),
        [7.0, 7.0, 8.0, 8.0]
    );
    assert_eq!(
        value(&late, "tokio_workers_count", &[("runtime", "1")]),
        1.0
    );
    assert_eq!(
        value(&late, "loopview_process_resident_memory_bytes", &[]),
        12_345_678.0
    );
}

#[test]
fn what_the_source_cannot_tell_is_absent() {
    let page = page(&Scenario::load("console-subscriber").model());
    assert!(page.has("loopview_polls_total"), "{page:?}");
    for absent in [
        "loopview_timers_late_total",
        "loopview_scheduled_seconds_total",
        "loopview_poll_duration_seconds",
        "loopview_process_cpu_seconds_total",
        "loopview_probe_memory_bytes",
        "loopview_lost_polls_total",
        "tokio_workers_count",
    ] {
        assert!(!page.has(absent), "{absent}");
    }
}

#[test]
fn of_a_target_that_has_told_nothing_only_that_is_told() {
    let story = Scenario::load("sleep");
    let page = page(&Model::new(story.model().target));
    let names: Vec<&str> = page.families.iter().map(|f| &*f.name).collect();
    assert_eq!(names, ["loopview_target_up"]);
    assert_eq!(value(&page, "loopview_target_up", &[]), 0.0);
}

/// The sums that are kept as tasks change are those of a walk over all tasks; so they are of a
/// model that was kept and read again.
#[test]
fn sums_are_those_of_all_tasks() {
    for entry in fs::read_dir(Scenario::folder()).expect("the stories' folder") {
        let path = entry.expect("a story").path();
        let text = fs::read_to_string(&path).expect("a text");
        let story = Scenario::parse(&text).expect("a sound story");
        for ms in (0..=1_500).step_by(70) {
            let model = story.model_at(Duration::from_millis(ms));
            let bytes = postcard::to_stdvec(&model).expect("a model that can be kept");
            let read = postcard::from_bytes(&bytes).expect("a sound model");
            for model in [&model, &read] {
                assert_sums(model, &format!("{path:?} at {ms} ms"));
            }
        }
    }
}

#[track_caller]
fn assert_sums(model: &Model, when: &str) {
    let now = model.ended.unwrap_or(model.now);
    let tasks = || model.tasks.iter().filter(|task| task.kind.is_async());
    let totals = model.tasks.totals(now);
    let failed = model.tasks.iter().filter(|task| task.has_failed());
    assert_eq!(totals.failed, failed.count() as u64, "{when}");
    let polls: u64 = tasks().map(Task::polls).sum();
    assert_eq!(totals.polls, polls, "{when}");
    let busy: Duration = tasks().map(|task| task.busy(now)).sum();
    assert_eq!(totals.busy, busy, "{when}");
    let ready = tasks().filter_map(|task| task.ready(now));
    assert_eq!(totals.ready, ready.reduce(|a, b| a + b), "{when}");
    if let Some(longest) = totals.longest_poll() {
        let each = tasks().map(|task| task.longest_poll(now));
        assert_eq!(each.max(), Some((longest, true)), "{when}");
    }
    let late = model.timers.iter().filter(|timer| timer.fired_late());
    assert_eq!(model.timers.fired_late(), late.count() as u64, "{when}");
    for doing in Doing::ALL {
        let state = doing.state();
        let all = tasks().filter(|task| model.state(task) == state);
        assert_eq!(model.tasks.doing(doing), all.count(), "{state:?}, {when}");
    }
}

/// Every moment of every story: names by Prometheus' rules, few labels, and counters that
/// never go back, but where another connection begins them anew.
#[test]
fn every_page_keeps_the_rules() {
    const LABELS: [&str; 6] = ["target", "runtime", "worker", "state", "lint", "le"];
    for entry in fs::read_dir(Scenario::folder()).expect("the stories' folder") {
        let path = entry.expect("a story").path();
        let text = fs::read_to_string(&path).expect("a text");
        let story = Scenario::parse(&text).expect("a sound story");
        let mut sink = Prometheus::default();
        let mut counters = BTreeMap::new();
        for ms in (0..=1_500).step_by(70) {
            let model = story.model_at(Duration::from_millis(ms));
            let page = parsed(&sink.encode(&model));
            for family in &page.families {
                let name = &family.name;
                let is_total = name.ends_with("_total");
                let is_tokio = name.starts_with("tokio_");
                assert!(is_tokio || name.starts_with("loopview_"), "{name}");
                assert!(is_tokio || is_total == (family.kind == "counter"), "{name}");
                for (name, labels, value) in &family.samples {
                    assert!(labels.keys().all(|l| LABELS.contains(&&**l)), "{labels:?}");
                    assert!(labels.contains_key("target"), "{name}");
                    assert!(value.is_finite() && *value >= 0.0, "{name} is {value}");
                    if family.kind != "gauge" {
                        let counter = (model.connection, name.clone(), labels.clone());
                        let before = counters.insert(counter, *value);
                        assert!(before <= Some(*value), "{path:?}: {name} at {ms} ms");
                    }
                }
            }
        }
    }
}

#[test]
fn counters_begin_anew_with_another_run() {
    let story = Scenario::load("blocked-loop");
    let early = story.model_at(Duration::from_millis(50));
    let mut sink = Prometheus::default();
    let polls = |text: String| value(&parsed(&text), "loopview_polls_total", &[]);
    let late = polls(sink.encode(&story.model()));
    assert_eq!(polls(sink.encode(&early)), late, "it does not go back");
    sink.begin_anew();
    assert!(polls(sink.encode(&early)) < late);
    assert_eq!(polls(sink.encode(&story.model())), late);
    let mut told_anew = early;
    told_anew.connection += 1;
    assert!(
        polls(sink.encode(&told_anew)) < late,
        "it is another connection's"
    );
}

#[test]
fn a_name_may_hold_anything() {
    let name = "a \"b\" \\ c\nd {é=\"1\"}";
    let mut model = Scenario::load("sleep").model();
    model.target.name = name.to_owned();
    let page = page(&model);
    assert_eq!(
        page.values("loopview_target_up", &[("target", name)]).len(),
        1
    );
}

#[test]
fn all_lints_are_counted_from_the_start() {
    let page = page(&Scenario::load("sleep").model());
    let all = page.values("loopview_lints_total", &[]);
    assert_eq!(all.len(), lint::Kind::ALL.len());
}

/// The page for people names all that is told, and the dashboard nothing else.
#[test]
fn the_documents_agree_with_what_is_told() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |path| fs::read_to_string(format!("{root}/{path}")).expect("a document");
    let page = page(&Scenario::load("multi-thread").model());
    let (guide, dashboard) = (read("docs/fleet.md"), read("docs/grafana/loopview.json"));
    for family in &page.families {
        let name = format!("`{}`", family.name);
        assert!(guide.contains(&name), "docs/fleet.md does not name {name}");
    }
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("queries"));
    for query in targets {
        let query = query["expr"].as_str().expect("a query");
        let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours = |word: &&str| word.starts_with("loopview_") || word.starts_with("tokio_");
        let names: Vec<&str> = words.filter(ours).collect();
        assert!(!names.is_empty(), "{query}");
        for name in names {
            let told = page.has(name.trim_end_matches("_bucket"));
            assert!(told, "the dashboard asks for {name}");
        }
    }
}
