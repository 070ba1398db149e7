//! `--prometheus`: the real binary, asked over loopback.

#[path = "support/exposition.rs"]
mod exposition;

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use exposition::Exposition;
use rustix::process::{Pid, Signal, kill_process};

/// Nothing here takes as long on any machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A lesson that is watched without a screen, and told to end when this is dropped.
struct Watched {
    loopview: Child,
    /// `HOST:PORT`
    address: String,
}

impl Watched {
    /// Sleepers for so long that they are there as long as anybody looks.
    fn start() -> Self {
        let mut loopview = Command::new(env!("CARGO_BIN_EXE_loopview"))
            .args(["run", "gather", "--scale", "1000", "--headless"])
            .args(["--prometheus", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("loopview starts");
        let mut told = String::new();
        let stderr = loopview.stderr.take().expect("it is piped");
        let read = BufReader::new(stderr).read_line(&mut told);
        read.expect("a line on standard error");
        let url = told.trim_end().strip_prefix("loopview: metrics at http://");
        let address = url.and_then(|url| url.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("{told}")).to_owned();
        Self { loopview, address }
    }

    /// Tells it to end, unless it has: then its number may be another's.
    fn end(&mut self) -> Option<ExitStatus> {
        if let Ok(None) = self.loopview.try_wait() {
            let _ = kill_process(Pid::from_child(&self.loopview), Signal::TERM);
        }
        self.loopview.wait().ok()
    }

    /// The page, once it tells of those who sleep.
    fn page(&self) -> String {
        until(|| {
            let (head, page) = ask(&self.address, "GET /metrics");
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            let all = Exposition::parse(&page).unwrap_or_else(|e| panic!("{e}\n{page}"));
            let asleep = all.values("loopview_tasks", &[("state", "sleeping")]);
            (asleep.iter().sum::<f64>() >= 1.0).then_some(page)
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks again until there is an answer. Each question waits for a while by itself, but for
/// those that are refused at once.
#[track_caller]
fn until<T>(mut answer: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(began.elapsed() < LIMIT, "it never came");
        thread::yield_now();
    }
}

/// The head and the body of an answer.
fn ask(address: &str, request: &str) -> (String, String) {
    try_to_ask(address, request).expect("an answer")
}

fn try_to_ask(address: &str, request: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

#[test]
fn a_lesson_is_told_while_it_runs() {
    let mut watched = Watched::start();
    let page = Exposition::parse(&watched.page()).expect("a page");
    assert_eq!(
        page.values("loopview_target_up", &[("target", "gather")]),
        [1.0]
    );
    assert!(page.has("loopview_process_cpu_seconds_total"));

    let address = watched.address.clone();
    let (head, body) = ask(&address, "HEAD /metrics");
    let is_text = head.contains("content-type: text/plain; version=0.0.4");
    assert!(head.starts_with("HTTP/1.1 200 ") && is_text, "{head}");
    assert_eq!(body, "");
    let (head, _) = ask(&address, "GET /");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    let (head, _) = ask(&address, "POST /metrics");
    assert!(head.starts_with("HTTP/1.1 405 "), "{head}");

    let status = watched.end().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(
        TcpStream::connect(&address).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn who_asks_for_nothing_keeps_nobody_out() {
    let watched = Watched::start();
    let _silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(&watched.address).expect("a connection"))
        .collect();
    watched.page();
}

#[test]
fn an_address_in_use_is_told_before_anything_is_started() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let started = folder.path().join("started");
    let output = Command::new(env!("CARGO_BIN_EXE_loopview"))
        .args(["run", "--headless", "--prometheus", &address, "--", "touch"])
        .arg(&started)
        .output()
        .expect("loopview starts");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    let wanted = format!("loopview: cannot serve metrics on {address}: ");
    assert!(
        told.starts_with(&wanted) && told.lines().count() == 1,
        "{told}"
    );
    assert!(!started.exists());
}

/// What Prometheus itself thinks of the page: its linter, then a server that asks loopview
/// and answers each query of the dashboard.
#[test]
#[ignore = "needs Prometheus (promtool and prometheus on PATH), which the suite does not ask for"]
fn prometheus_takes_it() {
    let watched = Watched::start();
    check_by_promtool(&watched.page());

    let server = Server::start(&watched.address);
    // A rate is of two pages at least.
    let rate = "rate(loopview_polls_total{job=\"loopview\"}[1m])";
    until(|| (!server.query(rate).is_empty()).then_some(()));
    let asleep = &server.query("sum(loopview_tasks{state=\"sleeping\"})")[0]["value"][1];
    let asleep = asleep.as_str().expect("a number");
    println!("asleep, by Prometheus: {asleep}");
    assert!(asleep.parse::<f64>().is_ok_and(|n| n >= 1.0), "{asleep}");
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/grafana/loopview.json");
    let dashboard = fs::read(dashboard).expect("the dashboard");
    let dashboard: serde_json::Value = serde_json::from_slice(&dashboard).expect("JSON");
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("queries") {
            let query = target["expr"].as_str().expect("a query");
            // What Grafana fills in.
            let query = query.replace("$__rate_interval", "1m");
            let query = query.replace("$target", ".*");
            let series = server.query(&query).len();
            println!("{query}: {series} series");
            // Of these only what was found is there.
            assert!(series > 0 || query.ends_with("> 0"), "{query}");
        }
    }
}

/// It may complain of the names that tokio-metrics has chosen, and of nothing of ours.
fn check_by_promtool(page: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is on PATH");
    let mut stdin = promtool.stdin.take().expect("it is piped");
    stdin.write_all(page.as_bytes()).expect("it reads");
    drop(stdin);
    let output = promtool.wait_with_output().expect("it ends");
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    println!("promtool: {}\n{told}", output.status);
    // 3 is for complaints, 1 for a page that cannot be read.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{told}");
    assert!(
        told.lines().all(|line| line.starts_with("tokio_")),
        "{told}"
    );
}

/// A Prometheus server that asks loopview each second.
struct Server {
    prometheus: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s }}\n\
             scrape_configs:\n\
             - job_name: loopview\n  static_configs: [{{ targets: [\"{target}\"] }}]\n"
        );
        fs::write(&config, text).expect("a file");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let prometheus = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is on PATH");
        Self {
            prometheus,
            address,
            _folder: folder,
        }
    }

    /// The series that answer a query, once the server answers.
    fn query(&self, query: &str) -> Vec<serde_json::Value> {
        let mut request = "GET /api/v1/query?query=".to_owned();
        for byte in query.bytes() {
            write!(request, "%{byte:02X}").expect("a text takes it");
        }
        let answer: serde_json::Value = until(|| {
            let (_, body) = try_to_ask(&self.address, &request)?;
            serde_json::from_str(&body).ok()
        });
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().expect("series").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.prometheus.kill();
        let _ = self.prometheus.wait();
    }
}
