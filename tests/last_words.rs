//! A program with the probe that returns from `main` has told everything.
//!
//! The program is this test's own binary, which a variable in its environment tells so.

use std::process::Command;

use serde_json::Value;

const PROGRAM: &str = "LOOPVIEW_TEST_PROGRAM";

fn main() {
    if std::env::var_os(PROGRAM).is_some() {
        return program();
    }
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(env!("CARGO_BIN_EXE_loopview"))
        .args(["run", "--format", "json", "--"])
        .arg(this)
        .env(PROGRAM, "1")
        // Nothing is published between its start and its end.
        .env("TOKIO_CONSOLE_PUBLISH_INTERVAL", "100ms")
        .output()
        .expect("it starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let tasks = report["tasks"].as_array().expect("a table");
    let states: Vec<_> = tasks.iter().map(|t| (&t["name"], &t["state"])).collect();
    assert_eq!(report["outcome"], "ok");
    assert_eq!(tasks.len(), 101, "the tasks and the block_on");
    assert!(
        states.iter().all(|(_, state)| *state == "done"),
        "{states:?}"
    );
    assert_eq!(report["lost"]["tasks"], 0);
    assert_eq!(report["lost"]["events"], 0, "not even the program's end");
    println!("1 passed, 0 failed");
}

fn program() {
    loopview_probe::init();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(async {})).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    });
}
