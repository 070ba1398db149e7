//! The real binary without a terminal: one line for what is wrong, and the exit code.

use std::{
    fs,
    io::Read,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    process::{Command, Output, Stdio},
};

const FINE: i32 = 0;
const USAGE: i32 = 2;
const CONNECTION: i32 = 3;

fn loopview(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loopview"));
    command.args(args).stdin(Stdio::null());
    command
}

fn output(args: &[&str]) -> Output {
    loopview(args).output().expect("loopview starts")
}

/// What it prints when all is fine.
#[track_caller]
fn printed(args: &[&str]) -> String {
    let output = output(args);
    assert_eq!(output.status.code(), Some(FINE), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// What it complains of, in one line, when the command line is wrong.
#[track_caller]
fn refusal(args: &[&str]) -> String {
    let output = output(args);
    assert_eq!(output.status.code(), Some(USAGE), "{args:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{args:?}: {output:?}");
    complaint(&output)
}

#[track_caller]
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.strip_suffix('\n').expect("a line");
    assert!(!line.contains('\n'), "{text}");
    line.strip_prefix("loopview: ").expect(line).to_owned()
}

#[test]
fn an_unknown_workload_is_told_with_the_nearest() {
    let refused = refusal(&["run", "gahter"]);
    assert_eq!(
        refused,
        "no workload is called \"gahter\"; the nearest is gather, `loopview list` shows all"
    );
    let refused = refusal(&["run", "zzz"]);
    assert!(refused.contains("loopview list"), "{refused}");
}

#[test]
fn a_bad_setting_is_told() {
    for (args, wanted) in [
        (["--set", "waiters=3"], "gather has no setting `waiters`"),
        (["--set", "workers=x"], "`workers` must be a whole number"),
        (["--scale", "-1"], "expected a number from 0 to 1000"),
        (["--workers", "0"], "0 is not in 1..=1024"),
    ] {
        let refused = refusal(&[&["run", "gather"], &args[..]].concat());
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[test]
fn a_bad_address_is_told() {
    assert_eq!(
        refusal(&["attach", "foo"]),
        "invalid value 'foo' for '[URL]': expected http://HOST:PORT or unix:/PATH; \
         see `loopview attach --help`"
    );
}

#[test]
fn a_page_stands_before_the_report_as_text() {
    let run = ["run", "hello", "--scale", "0.01", "--lesson"];
    let english = printed(&run);
    assert!(english.starts_with("# hello: "), "{english}");
    assert!(english.contains("\nhello: ok after "), "{english}");
    let chinese = printed(&[&run[..], &["--lang", "zh"]].concat());
    assert!(
        chinese.starts_with("# hello：最小的异步程序\n"),
        "{chinese}"
    );
}

#[test]
fn a_page_that_cannot_be_shown_is_told() {
    assert_eq!(
        refusal(&["run", "hello", "--lesson", "--format", "json"]),
        "--lesson shows a page to read, and a report in JSON has none; see `loopview run --help`"
    );
    let refused = refusal(&["run", "--lesson", "--", "./program"]);
    assert!(
        refused.contains("cannot be used") && refused.contains("'--lesson"),
        "{refused}"
    );
}

#[test]
fn a_forgotten_separator_is_told() {
    for (args, meant) in [
        (&["run", "./p"][..], "loopview run -- ./p"),
        (&["run", "./p", "x"], "loopview run -- ./p x"),
        (
            &["run", "--headless", "target/debug/p", "--port", "80"],
            "loopview run --headless -- target/debug/p --port 80",
        ),
    ] {
        let refused = refusal(args);
        let wanted = format!("to run a program: {meant}");
        assert!(refused.ends_with(&wanted), "{refused}");
        assert!(!refused.contains("nearest"), "{refused}");
    }
}

#[test]
fn a_program_that_cannot_be_started_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let plain = at("plain");
    fs::write(&plain, "no program").expect("a file");
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o600)).expect("a file of ours");
    for (program, wanted) in [
        (at("nothing"), "there is no such file"),
        (at(""), "it is a folder"),
        (plain, "it is not executable; `chmod +x`"),
        (
            "no-such-program".to_owned(),
            "one in this folder is ./no-such-program",
        ),
    ] {
        let refused = refusal(&["run", "--", &program]);
        assert!(refused.starts_with("cannot start"), "{refused}");
        assert!(refused.contains(wanted), "{refused}");
    }
}

#[test]
fn nobody_who_listens_is_a_lost_connection() {
    // Bound and closed again: nobody else takes the port so soon.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let output = output(&["attach", &address]);
    assert_eq!(output.status.code(), Some(CONNECTION), "{output:?}");
    assert!(complaint(&output).contains(&address), "{output:?}");
}

#[test]
fn a_program_without_an_endpoint_is_told_how_to_open_one() {
    let output = output(&["run", "--", "true"]);
    assert_eq!(output.status.code(), Some(CONNECTION), "{output:?}");
    assert!(complaint(&output).contains("loopview_probe::init();"));
}

#[test]
fn the_workloads_are_listed() {
    let text = printed(&["list"]);
    let json: serde_json::Value =
        serde_json::from_str(&printed(&["list", "--format", "json"])).expect("JSON");
    let rows = json.as_array().expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        let name = row["name"].as_str().expect("a name");
        assert!(text.contains(&format!("\n  {name} ")), "{name}");
    }
}

#[test]
fn the_help_gives_examples_and_exit_codes() {
    let help = printed(&["--help"]);
    assert!(help.contains("Examples:"), "{help}");
    assert!(help.contains("3  no connection, or it was lost"), "{help}");
    let help = printed(&["run", "--help"]);
    assert!(help.contains("loopview run [OPTIONS] NAME\n"), "{help}");
    assert!(help.contains("-- PROGRAM [ARGS]...\n"), "{help}");
    assert!(printed(&["--version"]).starts_with("loopview "));
}

#[test]
fn the_manual_documents_every_command() {
    let page = printed(&["man"]);
    for wanted in [
        ".SH \"LOOPVIEW RUN\"",
        ".SH \"LOOPVIEW ATTACH\"",
        ".SH \"EXIT STATUS\"",
        "\\-\\-scale",
        "\\-\\-for",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert!(!page.contains("WORKLOAD\""), "a hidden command is shown");
}

#[test]
fn completions_are_a_script() {
    assert!(printed(&["completions", "bash"]).contains("complete -F _loopview"));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let commands: [&[&str]; 4] = [&["list"], &["man"], &["completions", "bash"], &["--help"]];
    for args in commands {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = loopview(args).stdout(writer).output();
        let output = output.expect("loopview starts");
        assert_eq!(output.status.code(), Some(FINE), "{args:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
    }
}

#[test]
fn nobody_who_reads_the_complaint_is_no_panic() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let closed = {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    };
    let status = loopview(&["run", "zzz"])
        .stdout(writer)
        .stderr(closed)
        .status();
    assert_eq!(status.expect("loopview starts").code(), Some(USAGE));
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("nothing");
    assert_eq!(text, "");
}
