//! Programs that are not ours: with console-subscriber, with the probe, with neither;
//! launched and attached.
//!
//! The programs are this test's own binary, which a variable in its environment tells which
//! of them to be.

#[path = "support/pty.rs"]
#[expect(dead_code, reason = "nothing is resized here")]
mod pty;

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use loopview_api::v1::{
    self,
    probe_server::{Probe, ProbeServer},
};
use pty::Terminal;
use serde_json::Value;
use tokio::sync::{Barrier, Mutex, mpsc};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

const LOOPVIEW: &str = env!("CARGO_BIN_EXE_loopview");
/// Names the program to be.
const ROLE: &str = "LOOPVIEW_TEST_ROLE";
/// The test that a program hides in, so that the test harness starts nothing else.
const ENTRY: &str = "a_program_hides_here";

#[test]
fn a_program_hides_here() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let forever = role.ends_with("-forever");
    match role.trim_end_matches("-forever") {
        "subscriber" => console_subscriber::init(),
        "probe" | "locks" | "serial" => loopview_probe::init(),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    if role.starts_with("locks") {
        runtime.block_on(locks());
    }
    if role == "serial" {
        return runtime.block_on(serial());
    }
    runtime.block_on(async {
        let pause = Duration::from_millis(if forever { 3_600_000 } else { 1_000 });
        let outer = spawn("outer", async move {
            let inner = spawn("inner", tokio::time::sleep(pause));
            let call = tokio::task::spawn_blocking(|| ());
            let _ = tokio::join!(inner, call);
        });
        println!("started");
        let _ = outer.await;
    });
    if role == "fails" {
        std::process::exit(3);
    }
}

/// Some wait for a lock, some for room in a channel, and two for each other. It never ends.
async fn locks() {
    let [left, right, busy] = [(); 3].map(|()| Arc::new(Mutex::new(())));
    let both_have_one = Arc::new(Barrier::new(2));
    for (name, first, second) in [("ann", &left, &right), ("bob", &right, &left)] {
        let (first, second) = (Arc::clone(first), Arc::clone(second));
        let both_have_one = Arc::clone(&both_have_one);
        spawn(name, async move {
            let _first = first.lock().await;
            both_have_one.wait().await;
            let _second = second.lock().await;
        });
    }
    let held = Arc::clone(&busy).lock_owned().await;
    spawn("owner", async move {
        let guard = held;
        std::future::pending::<()>().await;
        drop(guard);
    });
    spawn("reader", async move { drop(busy.lock().await) });
    println!("started");
    let (sender, _receiver) = mpsc::channel(1);
    spawn(
        "sender",
        async move { while sender.send(()).await.is_ok() {} },
    )
    .await
    .expect("it does not panic");
}

/// Spawns and awaits one sleeper after the other.
async fn serial() {
    let parent = spawn("parent", async {
        for _ in 0..8 {
            let nap = tokio::time::sleep(Duration::from_millis(40));
            spawn("child", nap).await.expect("it does not panic");
        }
    });
    parent.await.expect("it does not panic");
}

fn spawn<F>(name: &str, future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::task::Builder::new()
        .name(name)
        .spawn(future)
        .expect("inside a runtime")
}

fn this() -> String {
    let path = std::env::current_exe().expect("the path of this program");
    path.into_os_string()
        .into_string()
        .expect("a path that is text")
}

fn launched(role: &str) -> Output {
    Command::new(LOOPVIEW)
        .args([
            "run",
            "--format",
            "json",
            "--",
            &this(),
            "--exact",
            ENTRY,
            "--nocapture",
        ])
        .env(ROLE, role)
        .output()
        .expect("it starts")
}

fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[track_caller]
fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let tasks = report["tasks"].as_array().expect("a table");
    let row = tasks.iter().find(|t| t["name"] == name);
    row.unwrap_or_else(|| panic!("no task {name}: {:#}", report["tasks"]))
}

#[test]
fn a_program_with_console_subscriber_is_watched() {
    let output = launched("subscriber");
    let report = report(&output);
    assert_eq!(report["instrument"], "console-subscriber");
    assert_eq!(
        (&report["outcome"], output.status.code()),
        (&"ok".into(), Some(0))
    );
    let (outer, inner) = (row(&report, "outer"), row(&report, "inner"));
    assert!(outer["polls"].as_u64().is_some_and(|p| p > 0));
    // What only the probe tells is unknown, not nothing.
    assert!(inner["parent"].is_null() && inner["outcome"].is_null());
    assert!(report["runtime"]["workers"].is_null() && report["runtime"]["polls"].is_null());
    let timers = report["timers"].as_array().expect("a table");
    assert!(
        timers
            .iter()
            .any(|t| t["duration_ms"].as_f64().is_some_and(|d| d >= 999.0))
    );
    let tasks = report["tasks"].as_array().expect("a table");
    assert!(
        tasks.iter().all(|t| t["kind"] != "worker"),
        "workers are not tasks"
    );
}

#[test]
fn a_program_with_the_probe_is_watched() {
    let report = report(&launched("probe"));
    assert_eq!(report["instrument"], "probe");
    assert_eq!(row(&report, "inner")["parent"], row(&report, "outer")["id"]);
    assert_eq!(report["runtime"]["flavor"], "multi-thread");
    assert_eq!(report["runtime"]["workers"], 2);
    assert_eq!(report["blocking"].as_array().map(Vec::len), Some(1));
    let inner = &row(&report, "inner")["id"];
    let timers = report["timers"].as_array().expect("a table");
    assert!(
        timers.iter().any(|t| t["task"] == *inner),
        "the timer has an owner"
    );
}

#[test]
fn who_awaits_a_handle_is_known_without_aio() {
    let report = report(&launched("serial"));
    let lints = report["lints"].as_array().expect("lints");
    let serial = lints.iter().find(|lint| lint["lint"] == "serial-awaits");
    let serial = serial.unwrap_or_else(|| panic!("not found: {lints:?}"));
    assert_eq!(serial["task"], row(&report, "parent")["id"]);
    assert!(serial["evidence"]["tasks"].as_u64() >= Some(3), "{serial}");
}

#[test]
fn a_program_without_either_is_told_what_to_add() {
    let output = launched("nothing");
    let report = report(&output);
    assert_eq!(
        (&report["outcome"], output.status.code()),
        (&"lost".into(), Some(3))
    );
    assert!(report["instrument"].is_null());
    let lines = report["output"].as_array().expect("a table");
    assert!(
        lines
            .iter()
            .any(|l| l["line"].as_str().is_some_and(|l| l.ends_with("started")))
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("loopview_probe::init();"), "{told}");
}

#[test]
fn a_program_that_fails_has_failed() {
    let output = launched("fails");
    let report = report(&output);
    assert_eq!(
        (&report["outcome"], &report["exit_code"]),
        (&"failed".into(), &3.into())
    );
    assert_eq!(output.status.code(), Some(1));
}

/// A program that runs until it is dropped, and where it listens.
struct Running(Child, String);

impl Running {
    fn start(role: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        Self::start_at(role, &address)
    }

    fn start_at(role: &str, address: &str) -> Self {
        let mut child = Command::new(this())
            .args(["--exact", ENTRY, "--nocapture"])
            .env(ROLE, role)
            .env("TOKIO_CONSOLE_BIND", address)
            .env("TOKIO_CONSOLE_PUBLISH_INTERVAL", "20ms")
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let said = lines
            .map_while(Result::ok)
            .find(|line| line.contains("started"));
        assert!(said.is_some(), "it says that it has started");
        Self(child, format!("http://{address}"))
    }

    /// Attaches as soon as its endpoint is open, which may be a moment after its start.
    fn attach(&self, args: &[&str]) -> Output {
        loop {
            let output = Command::new(LOOPVIEW)
                .args(["attach", &self.1, "--format", "json"])
                .args(args)
                .output()
                .expect("it starts");
            let told = String::from_utf8_lossy(&output.stderr);
            if !told.contains("nothing listens there") {
                return output;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn programs_that_run_already_are_attached_to() {
    for (role, instrument) in [
        ("subscriber-forever", "console-subscriber"),
        ("probe-forever", "probe"),
    ] {
        let program = Running::start(role);
        let output = program.attach(&["--for", "1s"]);
        let report = report(&output);
        assert_eq!(
            (&report["outcome"], output.status.code()),
            (&"stopped".into(), Some(0))
        );
        assert_eq!(report["instrument"], instrument);
        assert_eq!(row(&report, "inner")["state"], "idle");
        assert!(!report["timers"].as_array().expect("a table").is_empty());
    }
}

/// Each of those who wait tells for whom; the two who wait for each other say so, too.
#[test]
fn who_waits_for_whom_is_shown() {
    let program = Running::start("locks-forever");
    // Nothing listens in the first moments.
    drop(program.attach(&["--for", "1ms"]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = ["attach", &program.1];
    let mut terminal = Terminal::start(Path::new(LOOPVIEW), args, (200, 60), folder.path());
    terminal.until_shown("cycle: ann → bob → ann");
    terminal.until_shown("cycle: bob → ann → bob");
    // The guard was handed on to another task, of which tokio does not tell.
    terminal.until_shown("Mutex held by block_on");
    terminal.until_shown("room in channel");
    terminal.press("7");
    terminal.until_shown("full");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.assert_restored();
}

#[test]
fn a_program_that_goes_away_is_a_lost_connection_until_another_answers() {
    let mut program = Running::start("probe-forever");
    // Nothing listens in the first moments.
    drop(program.attach(&["--for", "1ms"]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let recording = folder.path().join("both.lv");
    let args = [
        "attach".as_ref(),
        program.1.as_ref(),
        "--record".as_ref(),
        recording.as_os_str(),
    ];
    let mut terminal = Terminal::start(Path::new(LOOPVIEW), args, (120, 40), folder.path());
    terminal.until_shown("recording to");
    terminal.until_shown("outer");
    let _ = program.0.kill();
    terminal.until_shown("lost, again in");
    // What was said of the recording goes with any key.
    terminal.press("j");
    terminal.until_shown("trying again in");
    terminal.until("why not, and what was seen", |screen| {
        screen.contains(": nothing listens there") && screen.contains("outer")
    });
    terminal.press("D");
    terminal.until_shown("nothing listens there; R connects again");
    terminal.press("R");
    terminal.until_shown("trying again in");
    let address = program.1.trim_start_matches("http://");
    let again = Running::start_at("probe-forever", address);
    let pid = format!("pid {}", again.0.id());
    terminal.until("the new one", |screen| {
        screen.contains("● live") && screen.contains("outer") && screen.contains(&pid)
    });
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 0);
    terminal.assert_restored();
    let path = recording.display().to_string();
    let told = Command::new(LOOPVIEW)
        .args(["replay", &path, "--headless", "--format", "json"])
        .output()
        .expect("it starts");
    let report = report(&told);
    // Of the second alone, as was seen.
    assert_eq!(report["process"]["pid"], again.0.id());
    assert_eq!(report["lost"]["gaps"], 1);
    assert_eq!(row(&report, "outer")["state"], "idle");
}

/// It is told by the exit status, as where nobody watches.
#[test]
fn who_leaves_while_the_connection_is_lost_is_told_so() {
    let mut program = Running::start("probe-forever");
    // Nothing listens in the first moments.
    drop(program.attach(&["--for", "1ms"]));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args = ["attach", &program.1];
    let mut terminal = Terminal::start(Path::new(LOOPVIEW), args, (120, 40), folder.path());
    terminal.until_shown("outer");
    let _ = program.0.kill();
    terminal.until_shown("trying again");
    terminal.press("q");
    assert_eq!(terminal.ended().exit_code(), 3);
    terminal.assert_restored();
}

#[test]
fn a_port_that_is_no_console_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let output = Command::new(LOOPVIEW)
        .args(["attach", &format!("http://{address}"), "--headless"])
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("does not speak gRPC"), "{told}");
    assert_eq!(told.lines().count(), 1);
    assert_eq!(output.status.code(), Some(3));
}

/// A probe that tells of four million tasks in eight megabytes.
struct Boaster;

#[tonic::async_trait]
impl Probe for Boaster {
    type WatchStream = tokio_stream::Once<Result<v1::Update, Status>>;

    async fn watch(
        &self,
        _: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let mut console = vec![0x12];
        let tasks = [0x0a, 0].repeat(4 << 20);
        prost::encode_length_delimiter(tasks.len(), &mut console).expect("room");
        console.extend(tasks);
        let update = v1::Update {
            console,
            ..v1::Update::default()
        };
        Ok(Response::new(tokio_stream::once(Ok(update))))
    }
}

#[test]
fn a_target_that_tells_too_much_at_once_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            let served = Server::builder()
                .add_service(ProbeServer::new(Boaster))
                .serve_with_incoming(TcpListenerStream::new(listener));
            served.await.expect("it serves on");
        });
    });
    let output = Command::new(LOOPVIEW)
        .args(["attach", &format!("http://{address}"), "--headless"])
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    let why = "answers, and cannot be watched: a message would take";
    assert!(told.contains(why), "{told}");
    assert_eq!(told.lines().count(), 1);
    assert_eq!(output.status.code(), Some(3));
}
