//! The lints on real programs: each lesson fires those that its page names and no other, and
//! `loopview check` fails when it should.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
    sync::Mutex,
};

use loopview::model::lint::Kind;
use loopview_workloads::Workload;
use serde_json::Value;

/// These keep a processor busy, or need one to themselves: they run alone.
const BUSY: [&str; 6] = [
    "chaos",
    "cpu",
    "many",
    "needless-async",
    "spawn-storm",
    "starvation",
];
/// So many of the others run at a time: they mostly sleep.
const AT_ONCE: usize = 6;
/// The system may run others for this part of a lesson's time before the lesson is no measure.
const CALM: f64 = 0.05;

/// Lints that judge by the clock alone.
const TIMED: [&str; 3] = ["long-poll", "starved", "late-timer"];

fn loopview(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loopview"))
        .args(args)
        .output()
        .expect("it starts")
}

/// The lints that a page names, in its last section.
fn named(workload: &Workload) -> BTreeSet<&'static str> {
    let (_, section) = workload
        .page_en
        .split_once("## Lints\n")
        .expect("the page has this section");
    let items = section.lines().filter_map(|line| line.strip_prefix("- `"));
    items
        .map(|item| item.split('`').next().expect("a name"))
        .collect()
}

/// What is wrong with what a lesson finds, if anything.
///
/// On a busy machine it may find less, as whose turn the system took is not to blame; and a
/// thread that waited there for its own code to be read looks like one that was busy.
fn judge(workload: &Workload) -> Option<String> {
    let mut args = vec!["run", workload.name, "--format", "json"];
    if workload.name == "deadlock" {
        args.extend(["--for", "2s"]);
    }
    let output = loopview(&args);
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let rows = report["lints"].as_array().expect("a list");
    let found: BTreeSet<&str> = rows.iter().filter_map(|row| row["lint"].as_str()).collect();
    let named = named(workload);
    let kept_off = report["runtime"]["kept_off_ms"].as_f64().unwrap_or(0.0);
    let elapsed = report["elapsed_ms"].as_f64().expect("a time");
    let calm = kept_off <= elapsed * CALM;
    let mut more = found.difference(&named);
    let right = found == named || (!calm && more.all(|lint| TIMED.contains(lint)));
    (!right).then(|| {
        let name = workload.name;
        let rows = &report["lints"];
        format!("{name}: found {found:?}, its page names {named:?}, calm: {calm}\n{rows:#}")
    })
}

/// All but one, which needs a program that tells too little.
#[test]
fn each_lint_has_a_lesson_whose_page_names_it() {
    for kind in Kind::ALL {
        let lesson = kind.lint().explain().lesson;
        assert_eq!(lesson.is_err(), *kind == Kind::LostData, "{kind:?}");
        if let Ok(lesson) = lesson {
            let workload = loopview_workloads::find(lesson).expect(lesson);
            assert!(named(workload).contains(kind.name()), "{lesson}: {kind:?}");
        }
    }
}

/// A machine may stall any program for once, so a second run decides what the first one found.
#[test]
fn each_lesson_finds_what_its_page_names() {
    let (busy, quiet): (Vec<&Workload>, Vec<&Workload>) = loopview_workloads::all()
        .iter()
        .partition(|workload| BUSY.contains(&workload.name));
    let rest = Mutex::new(quiet.into_iter());
    let wrong = Mutex::new(Vec::new());
    let next = || rest.lock().expect("no test has panicked").next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(workload) = next() {
                    let found = judge(workload).and_then(|_| judge(workload));
                    wrong.lock().expect("no test has panicked").extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no test has panicked");
    let twice = |workload| judge(workload).and_then(|_| judge(workload));
    wrong.extend(busy.into_iter().filter_map(twice));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The exit code and what was printed.
fn check(args: &[&str]) -> (Option<i32>, String) {
    let output = loopview(&[&["check"], args].concat());
    let text = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), text)
}

#[test]
fn a_check_holds_where_nothing_is_wrong() {
    let (code, text) = check(&["hello", "--scale", "0.1", "--deny", "all"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.ends_with("hello: the check holds (ok), 0 denied, 0 other findings\n"),
        "{text}"
    );
}

#[test]
fn a_check_fails_with_its_evidence() {
    let blocking = ["blocking", "--scale", "0.3"];
    let (code, text) = check(&blocking);
    assert_eq!(code, Some(1), "{text}");
    let line = text.lines().next().expect("a line for the finding");
    assert!(
        line.starts_with("denied blocked-loop: library blocked the event loop for "),
        "{text}"
    );
    assert!(line.contains("blocking.rs:"), "{text}");
    assert!(
        text.contains("the check does not hold (ok), 1 denied"),
        "{text}"
    );

    let (code, text) = check(&[&blocking[..], &["--allow", "blocked-loop"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("found blocked-loop: "), "{text}");

    let (code, text) = check(&[&blocking[..], &["--format", "json"]].concat());
    assert_eq!(code, Some(1), "{text}");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["format"], "loopview-check/1");
    assert_eq!(
        (&json["holds"], &json["vouches"]),
        (&false.into(), &true.into())
    );
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["lint"], &finding["denied"]),
        (&"blocked-loop".into(), &true.into())
    );
    let evidence = &finding["evidence"];
    assert!(evidence["lasted_ms"].as_f64() > Some(800.0), "{json:#}");
    assert!(evidence["late"].as_u64() > Some(0), "{json:#}");
    let victims = evidence["victims"].as_array().expect("a list");
    assert!(victims.iter().any(|v| v["timer"].is_u64()), "{json:#}");
}

#[test]
fn a_recording_is_checked_as_what_it_records() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("blocking.lv");
    let file = file.to_str().expect("a plain name");
    let run = [
        "run",
        "blocking",
        "--scale",
        "0.3",
        "--headless",
        "--record",
        file,
    ];
    assert!(loopview(&run).status.success());
    let (code, text) = check(&[file]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("denied blocked-loop: library"), "{text}");
    // It is judged anew, by other thresholds.
    let (code, text) = check(&[file, "--threshold", "blocked-loop=1h"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("found long-poll: library"), "{text}");
    assert_eq!(check(&["nothing.lv"]).0, Some(4));
}

#[test]
fn a_note_fails_a_check_only_if_it_is_denied() {
    let leak = ["leak", "--scale", "0.2"];
    let (code, text) = check(&leak);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("found forgotten-task: candle"), "{text}");
    let (code, text) = check(&[&leak[..], &["--deny", "forgotten-task"]].concat());
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn thresholds_and_the_longest_poll_can_be_set() {
    let blocking = [
        "blocking",
        "--scale",
        "0.1",
        "--threshold",
        "blocked-loop=1h",
    ];
    let (code, text) = check(&blocking);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("found long-poll: library"), "{text}");
    let (code, text) = check(&[&blocking[..], &["--max-poll", "50ms"]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("denied long-poll: library"), "{text}");
}

#[test]
fn what_cannot_be_checked_is_no_check_that_holds() {
    for (args, code) in [
        (&["hello", "--deny", "late"][..], 2),
        (&["hello", "--threshold", "starved"][..], 2),
        (&["nothing-of-this-name"][..], 2),
        (&["--", "true"][..], 3),
    ] {
        assert_eq!(check(args).0, Some(code), "{args:?}");
    }
}
