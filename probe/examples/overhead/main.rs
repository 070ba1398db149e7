//! What it costs to be observed: bare tokio, console-subscriber and the probe, in one run.
//!
//! `cargo run --release -p loopview-probe --example overhead` measures and prints tables.
//! Each figure comes from a process of its own, as a process has one subscriber; those of
//! one line take turns, several rounds of them, and the median counts. `--quick` is for a
//! look: one round, and less work. The name of a part (`time`, `memory`, `publish`,
//! `sleepers`) measures that part only.

mod client;
mod job;
mod run;
mod table;

use std::process::ExitCode;

use job::{Flavor, Instrument, Job};
use run::Measured;
use table::Table;

const INSTRUMENTS: [Instrument; 3] = [
    Instrument::Bare,
    Instrument::ConsoleSubscriber,
    Instrument::Probe,
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "job") {
        return job::execute(&args[1..]);
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let rounds = if quick { 1 } else { 5 };
    let named = |part: &str| args.iter().any(|arg| arg == part);
    let all = !["time", "memory", "publish", "sleepers"]
        .into_iter()
        .any(named);
    let parts = || {
        if all || named("time") {
            time(rounds, quick)?;
        }
        if all || named("memory") {
            memory()?;
        }
        if all || named("publish") {
            publish()?;
        }
        if all || named("sleepers") {
            sleepers()?;
        }
        Ok::<_, run::Error>(())
    };
    match parts() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("overhead: {error}");
            ExitCode::FAILURE
        }
    }
}

fn time(rounds: usize, quick: bool) -> Result<(), run::Error> {
    for watched in [false, true] {
        let client = if watched { "a client" } else { "no client" };
        for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
            println!("\n{flavor}, {client} connected\n");
            let mut table = Table::new();
            for (what, job, n) in [
                ("a self-waking poll", Job::Poll, [2_000_000, 400_000]),
                ("a spawn and join", Job::Spawn, [200_000, 40_000]),
                ("one of the first 8,000", Job::Spawn, [8_000, 8_000]),
                ("a lock and unlock", Job::Lock, [200_000, 20_000]),
            ] {
                let n = n.map(|n| if quick { n / 4 } else { n });
                table.line(what, "ns", &compare(job, flavor, watched, rounds, n)?);
            }
            table.print();
        }
    }
    Ok(())
}

fn memory() -> Result<(), run::Error> {
    println!("\nmemory, current-thread, no client connected\n");
    let mut table = Table::new();
    for (what, job, n) in [
        ("a live task", Job::Live, [100_000, 2_000]),
        (
            "a finished task that is kept",
            Job::Finished,
            [1_000_000, 2_000],
        ),
        ("a live task that sleeps", Job::Asleep, [100_000, 2_000]),
    ] {
        let measured = compare(job, Flavor::CurrentThread, false, 1, n)?;
        table.line(what, "B", &measured);
    }
    table.print();
    Ok(())
}

fn publish() -> Result<(), run::Error> {
    println!("\nthe probe's own thread; 100,000 live tasks, 1,000 polled before each publish\n");
    for watched in [false, true] {
        let client = if watched { "a client" } else { "no client" };
        let (job, flavor) = (Job::Publish, Flavor::CurrentThread);
        let measured = run::job(job, Instrument::Probe, flavor, watched, 100_000)?;
        println!(
            "a publish, {client} connected: {:.2} ms",
            measured.figure / 1e6
        );
    }
    Ok(())
}

fn sleepers() -> Result<(), run::Error> {
    println!("\nsleeping tasks, each with timers of 0.5 to 1.5 s again and again\n");
    println!(
        "{:>10}  {:<30} {:>10} {:>10}  dropped",
        "tasks", "", "CPU", "memory"
    );
    for (instrument, n) in [
        (Instrument::Bare, 10_000),
        (Instrument::ConsoleSubscriber, 10_000),
        (Instrument::Probe, 10_000),
        (Instrument::Bare, 100_000),
        (Instrument::Probe, 100_000),
    ] {
        for watched in [false, true] {
            if watched && instrument == Instrument::Bare {
                continue;
            }
            let (job, flavor) = (Job::Sleepers, Flavor::CurrentThread);
            let measured = run::job(job, instrument, flavor, watched, n)?;
            let client = if watched { ", a client" } else { "" };
            let dropped = measured.dropped.map(|n| n.to_string());
            println!(
                "{n:>10}  {:<30} {:>8.1} % {:>7.0} MB  {}",
                format!("{instrument}{client}"),
                measured.figure,
                measured.memory / 1e6,
                dropped.unwrap_or_default(),
            );
        }
    }
    Ok(())
}

/// The same under each instrument; console-subscriber does it less often, as it would take
/// minutes. That is in its favour: its spawns cost the more, the more tasks it keeps.
fn compare(
    job: Job,
    flavor: Flavor,
    watched: bool,
    rounds: usize,
    [n, n_console]: [u64; 2],
) -> Result<[f64; 3], run::Error> {
    let mut all = [const { Vec::<Measured>::new() }; 3];
    for _ in 0..rounds {
        for (measured, instrument) in all.iter_mut().zip(INSTRUMENTS) {
            let n = match instrument {
                Instrument::ConsoleSubscriber => n_console,
                _ => n,
            };
            let watched = watched && instrument != Instrument::Bare;
            measured.push(run::job(job, instrument, flavor, watched, n)?);
        }
    }
    Ok(all.map(|measured| median(measured.iter().map(|m| m.figure).collect())))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
