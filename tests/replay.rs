//! The real binary, with recordings: what was run is what is replayed and exported.

#[path = "support/pty.rs"]
#[expect(dead_code, reason = "these screens are of one size")]
mod pty;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use pty::Terminal;
use serde_json::Value;

const LOOPVIEW: &str = env!("CARGO_BIN_EXE_loopview");
const SIZE: (u16, u16) = (120, 40);
const BAD_RECORDING: i32 = 4;

fn loopview(args: &[&str]) -> Output {
    let mut command = Command::new(LOOPVIEW);
    command.args(args).stdin(Stdio::null());
    command.output().expect("loopview starts")
}

#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = loopview(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The one line that it complains of.
#[track_caller]
fn complaint(args: &[&str], code: i32) -> String {
    let output = loopview(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "{text}");
    line.strip_prefix("loopview: ").expect(line).to_owned()
}

/// A run of `gather`, ten times as fast, recorded once for all tests that run at the same time:
/// with the last of them its folder goes.
struct Run {
    folder: tempfile::TempDir,
    report: String,
}

impl Run {
    fn recorded() -> Arc<Self> {
        static RUN: Mutex<Weak<Run>> = Mutex::new(Weak::new());
        let mut kept = RUN.lock().unwrap_or_else(PoisonError::into_inner);
        let run = kept.upgrade().unwrap_or_else(|| Arc::new(Self::record()));
        *kept = Arc::downgrade(&run);
        run
    }

    fn record() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gather.lv");
        let path = path.to_str().expect("text");
        let args = ["run", "gather", "--scale", "0.1", "--format", "json"];
        let report = printed(&[&args[..], &["--record", path]].concat());
        Self { folder, report }
    }

    fn path(&self) -> String {
        let path = self.folder.path().join("gather.lv");
        path.to_str().expect("text").to_owned()
    }
}

#[test]
fn a_replay_reports_what_the_run_did() {
    let run = Run::recorded();
    let report = &run.report;
    assert_eq!(
        &printed(&["replay", &run.path(), "--format", "json"]),
        report
    );
    assert_eq!(&printed(&["export", &run.path(), "--to", "json"]), report);
    let text = printed(&["replay", &run.path()]);
    assert!(text.starts_with("gather: ok after "), "{text}");
    assert_eq!(printed(&["export", &run.path(), "--to", "text"]), text);
}

/// Cut or not, it is told what is missing.
#[test]
fn a_recording_that_is_cut_is_told() {
    let run = Run::recorded();
    let whole = fs::read(run.path()).expect("a recording");
    let cut = run.folder.path().join("cut.lv");
    fs::write(&cut, &whole[..whole.len() - 20]).expect("a file");
    let output = loopview(&["replay", cut.to_str().expect("text")]);
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        told,
        "loopview: the recording was not closed: it may end too early\n"
    );
}

#[test]
fn what_is_no_recording_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path: PathBuf = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let mut newer = fs::read(Run::recorded().path()).expect("a recording");
    newer[12] = 9;
    for (path, said) in [
        (file("empty", b""), "it is empty"),
        (
            file("text", b"what is not one, but is long enough"),
            "it is no recording",
        ),
        (file("newer", &newer), "a newer one is needed"),
        (file("begun", &newer[..0]), "it is empty"),
        (
            folder
                .path()
                .join("none")
                .to_str()
                .expect("text")
                .to_owned(),
            "No such file",
        ),
        (folder.path().to_str().expect("text").to_owned(), "it"),
    ] {
        for command in [&["replay", &path][..], &["export", &path, "--to", "csv"]] {
            let told = complaint(command, BAD_RECORDING);
            assert!(
                told.starts_with("cannot read ") && told.contains(said),
                "{told}"
            );
        }
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    let run = Run::recorded();
    let path = run.path();
    let told = complaint(&["run", "hello", "--headless", "--record", &path], 1);
    assert!(told.contains("there is such a file already"), "{told}");
    let none = "/nowhere/at/all.json";
    let told = complaint(&["export", &path, "--to", "chrome", "-o", none], 1);
    assert!(
        told.starts_with("cannot write /nowhere/at/all.json: "),
        "{told}"
    );
    let told = complaint(&["export", &path, "--to", "json", "-o", &path], 1);
    assert!(told.contains("it is the recording itself"), "{told}");
    let told = complaint(&["export", &path, "--to", "xml"], 2);
    assert!(told.contains("chrome, csv, json, text"), "{told}");
}

#[test]
fn the_screen_is_exported_as_pictures() {
    let run = Run::recorded();
    let path = run.path();
    let keys = run.folder.path().join("keys");
    let keys_path = keys.to_str().expect("text");
    fs::write(&keys, "press 0\nuntil \"C done\"\n").expect("a script");
    let export = |form| ["export", &path, "--to", form, "--keys", keys_path];
    for form in ["cast", "cast3", "svg"] {
        let text = printed(&export(form));
        assert_eq!(text, printed(&export(form)), "{form}: the same again");
    }
    assert!(printed(&export("svg")).contains("C done"));
    let before = printed(&["export", &path, "--to", "svg", "--at", "0s"]);
    assert!(before.contains("gather") && !before.contains("C done"));

    for (script, code, told) in [
        (
            "press Entr",
            2,
            "the keys script is wrong: line 1, column 7",
        ),
        (
            "\nuntil \"D done\" 2s",
            1,
            "line 2, column 1: \"D done\" was not seen",
        ),
    ] {
        fs::write(&keys, script).expect("a script");
        let complained = complaint(&export("cast"), code);
        assert!(complained.contains(told), "{complained}");
    }
    for (words, told) in [
        (
            &["csv", "--keys", keys_path][..],
            "--keys is for cast, cast3 and svg",
        ),
        (&["cast", "--at", "1s"], "--at is for svg"),
        (&["cast", "--animated"], "--animated is for svg"),
        (&["svg", "--size", "10x5"], "from 20x5 to 500x200"),
        (
            &["svg", "--keys", "/nowhere"],
            "cannot read the keys script",
        ),
    ] {
        let complained = complaint(&[&["export", &path, "--to"], words].concat(), 2);
        assert!(complained.contains(told), "{complained}");
    }
}

fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split(',').collect()).collect()
}

#[test]
fn tables_have_what_the_report_has() {
    let run = Run::recorded();
    let report: Value = serde_json::from_str(&run.report).expect("a report");
    for (table, list) in [("tasks", &report["tasks"]), ("timers", &report["timers"])] {
        let text = printed(&["export", &run.path(), "--to", "csv", "--table", table]);
        let rows = rows(&text);
        let list = list.as_array().expect("a list");
        assert_eq!(rows.len(), list.len() + 1, "{text}");
        for item in list {
            let id = item["id"].to_string();
            let row = rows.iter().find(|row| row[0] == id).expect("its row");
            for (name, cell) in rows[0].iter().zip(row) {
                let value = &item[*name];
                match value {
                    Value::Null => assert_eq!(*cell, "", "{name}"),
                    Value::String(text) => assert_eq!(cell, text, "{name}"),
                    Value::Number(number) => {
                        assert_eq!(cell.parse().ok(), number.as_f64(), "{name}");
                    }
                    other => panic!("{name}: {other}"),
                }
            }
        }
    }
}

/// Microseconds as whole nanoseconds.
fn nanos(value: &Value) -> i64 {
    (value.as_f64().expect("a number") * 1_000.0).round() as i64
}

#[test]
fn a_trace_has_each_poll_and_no_task_does_two_things_at_once() {
    let run = Run::recorded();
    let trace: Value =
        serde_json::from_str(&printed(&["export", &run.path(), "--to", "chrome"])).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let of = |ph: &str, pid: u64| -> Vec<&Value> {
        let fits = |event: &&Value| event["ph"] == ph && event["pid"] == pid;
        events.iter().filter(fits).collect()
    };
    let polls = printed(&["export", &run.path(), "--to", "csv", "--table", "polls"]);
    assert!(polls.lines().count() > 10, "{polls}");
    assert_eq!(of("X", 1).len(), polls.lines().count() - 1);

    let mut tasks: Vec<(u64, i64, i64, &str)> = of("X", 2)
        .iter()
        .map(|slice| {
            let from = nanos(&slice["ts"]);
            let tid = slice["tid"].as_u64().expect("a task");
            (
                tid,
                from,
                from + nanos(&slice["dur"]),
                slice["name"].as_str().expect("a name"),
            )
        })
        .collect();
    tasks.sort_unstable();
    for pair in tasks.windows(2) {
        let ((a, _, end, _), (b, start, ..)) = (pair[0], pair[1]);
        assert!(a != b || end <= start, "{pair:?}");
    }
    for doing in ["running", "ready", "sleeping", "waiting: gather"] {
        assert!(
            tasks.iter().any(|(.., name)| *name == doing),
            "{doing}: {tasks:?}"
        );
    }
    let named: Vec<&str> = of("M", 2)
        .iter()
        .filter_map(|event| event["args"]["name"].as_str())
        .collect();
    assert!(
        named.contains(&"Worker-0") && named.contains(&"main"),
        "{named:?}"
    );
    assert_eq!(of("s", 2).len(), of("f", 2).len());
    assert!(!of("s", 2).is_empty());
    assert!(!of("C", 1).is_empty());
}

/// A dashboard in a folder of its own.
fn dashboard(args: &[&str], folder: &Path) -> Terminal {
    Terminal::start(Path::new(LOOPVIEW), args, SIZE, folder)
}

#[test]
fn a_replay_can_be_stopped_and_turned_back() {
    let run = Run::recorded();
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = dashboard(&["replay", &run.path(), "--speed", "50"], folder.path());
    screen.until_shown("replay end");
    screen.until_shown("ended (exit 0)");
    screen.press("\x1b[D");
    screen.until_shown("replay −200 ms");
    // Back to the very beginning, and forth to the end.
    for _ in 0..3 {
        screen.press("\x1b[1;2D");
    }
    screen.until("the beginning", |s| {
        s.contains("replay −") && !s.contains("ended (exit")
    });
    screen.press("\x1b[F");
    screen.until_shown("replay end");
    screen.press("[");
    screen.until("the last poll", |s| s.contains("replay −"));
    screen.press("q");
    assert!(screen.ended().success());
    screen.assert_restored();
}

#[test]
fn one_can_go_back_while_the_program_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let args = ["run", "hello", "--scale", "1000"];
    let mut screen = dashboard(&args, folder.path());
    screen.until_shown("sleeping");
    screen.until_shown("● live");
    screen.press("\x1b[D");
    screen.until("the past", |s| s.contains("‖ paused −"));
    screen.press("\x1b[F");
    screen.until_shown("● live");
    screen.press("q");
    assert!(screen.ended().success());
}
