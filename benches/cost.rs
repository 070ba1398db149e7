//! What the dashboard costs: `cargo bench --bench cost`.
//!
//! Three figures, each of the real binary in a real terminal of 120 columns by 40 rows:
//!
//! - from the start of the process to the first picture that shows a task;
//! - the dashboard's own CPU while it watches a program with 100 live tasks, which each
//!   sleep 0.1 to 0.3 s again and again, over ten seconds, as a share of one core;
//! - its resident memory at the end of that.
//!
//! The program that is watched is this benchmark itself, started with a marker in its
//! environment.

#[path = "../tests/support/pty.rs"]
#[expect(dead_code, reason = "a benchmark presses no keys")]
mod pty;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use pty::Terminal;

const LOOPVIEW: &str = env!("CARGO_BIN_EXE_loopview");
const SIZE: (u16, u16) = (120, 40);
const STARTS: usize = 15;
const TASKS: u64 = 100;
const WATCHED: Duration = Duration::from_secs(10);
/// The argument by which the benchmark knows that it is the program that is watched.
const TARGET: &str = "--be-the-target";

fn main() {
    if std::env::args().any(|arg| arg == TARGET) {
        return target();
    }
    let mut starts: Vec<Duration> = (0..STARTS).map(|_| start()).collect();
    starts.sort_unstable();
    let (cpu, memory) = watch();
    let ms = |d: Duration| d.as_secs_f64() * 1_000.0;
    println!(
        "{:<34} {:>9} {:>9} {:>9} {:>9} {:>6}",
        "", "min", "median", "max", "aim", "ratio"
    );
    let (first, median, last) = (starts[0], starts[STARTS / 2], starts[STARTS - 1]);
    println!(
        "{:<34} {:>6.1} ms {:>6.1} ms {:>6.1} ms {:>6.0} ms {:>6.2}",
        "start to the first task on screen",
        ms(first),
        ms(median),
        ms(last),
        150.0,
        ms(median) / 150.0
    );
    println!(
        "{:<34} {:>9} {:>7.2} % {:>9} {:>7.0} % {:>6.2}",
        "CPU with 100 live tasks",
        "",
        cpu,
        "",
        3.0,
        cpu / 3.0
    );
    println!(
        "{:<34} {:>9} {:>6.1} MB {:>9} {:>6.0} MB {:>6.2}",
        "resident memory then",
        "",
        memory,
        "",
        30.0,
        memory / 30.0
    );
}

fn start() -> Duration {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let began = Instant::now();
    let mut terminal = Terminal::start(Path::new(LOOPVIEW), ["run", "hello"], SIZE, folder.path());
    terminal.until_shown("main");
    let took = began.elapsed();
    terminal.press("q");
    terminal.ended();
    took
}

/// The dashboard's CPU as percent of a core, and its memory in megabytes.
fn watch() -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = std::env::current_exe().expect("the path of this program");
    let args = [
        "run".as_ref(),
        "--".as_ref(),
        program.as_os_str(),
        TARGET.as_ref(),
    ];
    let mut terminal = Terminal::start(Path::new(LOOPVIEW), args, SIZE, folder.path());
    terminal.until_shown("sleeper-7");
    let (pid, before, began) = (terminal.pid(), cpu_time(terminal.pid()), Instant::now());
    std::thread::sleep(WATCHED);
    let cpu = cpu_time(pid).saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
    let memory = resident(pid);
    terminal.press("q");
    terminal.ended();
    (cpu * 100.0, memory)
}

/// User and system time, by proc(5). Its ticks are a hundredth of a second on Linux.
fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|f| f.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}

fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is there");
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .expect("a size");
    let kib: f64 = line
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .expect("a number");
    kib / 1_024.0
}

fn target() {
    loopview_probe::init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..TASKS {
            let pause = Duration::from_millis(100 + number * 2);
            let name = format!("sleeper-{number}");
            let sleep = async move {
                loop {
                    tokio::time::sleep(pause).await;
                }
            };
            tasks
                .build_task()
                .name(&name)
                .spawn(sleep)
                .expect("inside a runtime");
        }
        tasks.join_next().await;
    });
}
