//! What one process measures: it says when it is ready, waits for a line, and prints figures.

use std::{
    fmt,
    future::poll_fn,
    io::{BufRead, Write},
    process::ExitCode,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),* })
            }
        }

        impl $name {
            fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words!(Instrument {
    Bare = "bare",
    ConsoleSubscriber = "console-subscriber",
    Probe = "probe",
});

words!(Flavor {
    CurrentThread = "current-thread",
    MultiThread = "multi-thread",
});

words!(Job {
    Poll = "poll",
    Spawn = "spawn",
    Lock = "lock",
    Live = "live",
    Finished = "finished",
    Asleep = "asleep",
    Publish = "publish",
    Sleepers = "sleepers",
});

/// `JOB INSTRUMENT FLAVOR N`
pub fn execute(args: &[String]) -> ExitCode {
    let parsed = || {
        let [job, instrument, flavor, n] = args else {
            return None;
        };
        Some((
            Job::parse(job)?,
            Instrument::parse(instrument)?,
            Flavor::parse(flavor)?,
            n.parse().ok()?,
        ))
    };
    let Some((job, instrument, flavor, n)) = parsed() else {
        eprintln!("overhead: not meant to be called by a person");
        return ExitCode::FAILURE;
    };
    match instrument {
        Instrument::Bare => {}
        Instrument::ConsoleSubscriber => console_subscriber::ConsoleLayer::builder()
            .with_default_env()
            .init(),
        Instrument::Probe => loopview_probe::init(),
    }
    let mut runtime = match flavor {
        Flavor::CurrentThread => tokio::runtime::Builder::new_current_thread(),
        Flavor::MultiThread => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match job {
            Job::Poll => go(&runtime, poll(n)).await,
            Job::Spawn => go(&runtime, spawn(n)).await,
            Job::Lock => go(&runtime, lock(n)).await,
            Job::Live => go(&runtime, memory(n, live)).await,
            Job::Finished => go(&runtime, memory(n, finished)).await,
            Job::Asleep => go(&runtime, memory(n, asleep)).await,
            Job::Publish => go(&runtime, publish(n)).await,
            Job::Sleepers => go(&runtime, sleepers(n)).await,
        }
    });
    // What it told is read; a slow teardown of many tasks measures nothing.
    std::process::exit(0);
}

/// Waits until the other side is ready, too, and tells the figure and the memory in use.
async fn go(_: &tokio::runtime::Runtime, job: impl Future<Output = f64> + Send + 'static) {
    println!("ready");
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    let figure = tokio::spawn(job).await.expect("it does not panic");
    println!("figure {figure}\nmemory {}", resident());
    let _ = std::io::stdout().flush();
    // The other side has what it needs from us.
    line.clear();
    let _ = std::io::stdin().lock().read_line(&mut line);
}

/// Nanoseconds for a poll that wakes its own task.
async fn poll(n: u64) -> f64 {
    let mut left = n;
    let started = Instant::now();
    poll_fn(|cx| {
        left -= 1;
        if left == 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    started.elapsed().as_nanos() as f64 / n as f64
}

/// Nanoseconds to spawn an empty task and join it.
async fn spawn(n: u64) -> f64 {
    let started = Instant::now();
    for _ in 0..n {
        tokio::spawn(async {}).await.expect("it does not panic");
    }
    started.elapsed().as_nanos() as f64 / n as f64
}

/// Nanoseconds to take a mutex that is free, and to give it back.
async fn lock(n: u64) -> f64 {
    let mutex = tokio::sync::Mutex::new(0_u64);
    let started = Instant::now();
    for _ in 0..n {
        *mutex.lock().await += 1;
    }
    started.elapsed().as_nanos() as f64 / n as f64
}

/// Bytes for each of `n` tasks.
async fn memory<F>(n: u64, fill: impl Fn(u64) -> F + Send + 'static) -> f64
where
    F: Future<Output = Vec<JoinHandle<()>>> + Send,
{
    // What is there before the first task does not count.
    drop(fill(100).await);
    settle().await;
    let before = resident();
    let tasks = fill(n).await;
    settle().await;
    let bytes = (resident() as f64 - before as f64) / n as f64;
    drop(tasks);
    bytes
}

/// Until what publishes has published: it has some intervals for it.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

async fn live(n: u64) -> Vec<JoinHandle<()>> {
    let tasks = (0..n).map(|_| tokio::spawn(std::future::pending()));
    let tasks = tasks.collect();
    tokio::task::yield_now().await;
    tasks
}

async fn finished(n: u64) -> Vec<JoinHandle<()>> {
    for _ in 0..n {
        tokio::spawn(async {}).await.expect("it does not panic");
    }
    Vec::new()
}

async fn asleep(n: u64) -> Vec<JoinHandle<()>> {
    let hour = Duration::from_secs(3_600);
    let tasks = (0..n).map(|_| tokio::spawn(tokio::time::sleep(hour)));
    let tasks = tasks.collect();
    tokio::task::yield_now().await;
    tasks
}

/// Nanoseconds that the probe's own thread takes for a publish while a hundredth of all
/// tasks is polled before each.
async fn publish(n: u64) -> f64 {
    const PUBLISHES: u32 = 50;
    let interval = Duration::from_millis(100);
    let wake = std::sync::Arc::new(tokio::sync::Notify::new());
    for i in 0..n {
        let wake = std::sync::Arc::clone(&wake);
        tokio::spawn(async move {
            if !i.is_multiple_of(100) {
                std::future::pending::<()>().await;
            }
            loop {
                wake.notified().await;
            }
        });
    }
    settle().await;
    let mut ticks = tokio::time::interval(interval);
    let before = probe_thread();
    for _ in 0..PUBLISHES {
        ticks.tick().await;
        wake.notify_waiters();
    }
    let used = probe_thread() - before;
    used as f64 / f64::from(PUBLISHES)
}

/// Percent of one CPU, for tasks that sleep 0.5 to 1.5 s again and again.
async fn sleepers(n: u64) -> f64 {
    for i in 0..n {
        // Spread evenly, without a generator of random numbers.
        let time = Duration::from_micros(500_000 + i.wrapping_mul(7_919_993) % 1_000_000);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(time).await;
            }
        });
    }
    settle().await;
    let (started, before) = (Instant::now(), cpu());
    tokio::time::sleep(Duration::from_secs(5)).await;
    let used = cpu().saturating_sub(before);
    used.as_secs_f64() / started.elapsed().as_secs_f64() * 100.0
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem)
}

/// Nanoseconds of CPU time of the thread that publishes (Linux only).
fn probe_thread() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let threads = threads.flatten().filter(|thread| {
        std::fs::read_to_string(thread.path().join("comm"))
            .is_ok_and(|name| name.trim() == "loopview-probe")
    });
    let times = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    times.sum()
}
