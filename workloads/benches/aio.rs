//! What asyncio's semantics cost: each word of `aio` beside its nearest in plain tokio, without a
//! subscriber, in one run.
//!
//! ```sh
//! cargo bench -p loopview-workloads --bench aio
//! ```

use std::time::{Duration, Instant};

use futures::future::join_all;
use loopview_workloads::aio::{self, Config, Flavor, TaskGroup};
use tokio::{runtime::Builder, task::JoinSet};

/// How many times each is measured. The table shows the fastest: what the code costs when nobody
/// disturbs it.
const ROUNDS: usize = 501;
const MANY: usize = 1_000;

fn main() {
    println!("{:<28} {:>12} {:>12} {:>7}", "", "aio", "tokio", "ratio");
    for (flavor, name) in [
        (Flavor::CurrentThread, "one thread"),
        (Flavor::MultiThread { workers: Some(2) }, "two threads"),
    ] {
        println!("{name}");
        let ours = measure_aio(flavor);
        let theirs = measure_tokio(flavor);
        for ((word, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
            println!(
                "  {word:<26} {:>9.2} µs {:>9.2} µs {:>6.2}×",
                micros(ours),
                micros(theirs),
                micros(ours) / micros(theirs),
            );
        }
    }
}

type Row = (&'static str, Duration);

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Measures `$round` many times, inside the runtime.
macro_rules! rounds {
    ($word:literal, $round:expr) => {{
        let mut fastest = Duration::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            $round;
            fastest = fastest.min(start.elapsed());
        }
        ($word, fastest)
    }};
}

fn measure_aio(flavor: Flavor) -> Vec<Row> {
    aio::run(&Config::new(1.0, flavor), async {
        Ok(vec![
            rounds!("spawn and await, 1,000 ×", {
                for number in 0..MANY {
                    aio::create_task(async move { Ok(number) }).await?;
                }
            }),
            rounds!("gather of 1,000", {
                aio::gather((0..MANY).map(async |number| Ok(number))).await?;
            }),
            rounds!("TaskGroup of 1,000", {
                TaskGroup::run(async |group| {
                    for number in 0..MANY {
                        group.create_task(async move { Ok(number) })?;
                    }
                    Ok(())
                })
                .await?;
            }),
        ])
    })
    .expect("nothing here fails")
}

fn measure_tokio(flavor: Flavor) -> Vec<Row> {
    let runtime = match flavor {
        Flavor::CurrentThread => Builder::new_current_thread().enable_all().build(),
        Flavor::MultiThread { workers } => Builder::new_multi_thread()
            .worker_threads(workers.unwrap_or(1))
            .enable_all()
            .build(),
    };
    let rows = async {
        vec![
            rounds!("tokio::spawn", {
                for number in 0..MANY {
                    let _ = tokio::spawn(async move { number }).await;
                }
            }),
            rounds!("join_all", {
                join_all((0..MANY).map(|number| tokio::spawn(async move { number }))).await;
            }),
            rounds!("JoinSet", {
                let mut tasks = JoinSet::new();
                for number in 0..MANY {
                    tasks.spawn(async move { number });
                }
                while tasks.join_next().await.is_some() {}
            }),
        ]
    };
    let runtime = runtime.expect("a runtime starts");
    // As a task, where `aio` runs its main too.
    let rows = runtime.block_on(runtime.spawn(rows));
    rows.expect("nothing here panics")
}
