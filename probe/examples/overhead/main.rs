//! What it costs to be observed: bare tokio, console-subscriber and the probe, in one run.
//!
//! `cargo run --release -p loopview-probe --example overhead` measures and prints tables.
//! Each figure comes from a process of its own, as a process has one subscriber; those of
//! one line take turns, several rounds of them, and the median counts. `--quick` is for a
//! look: fewer rounds and less work.

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
    match tables(if quick { 1 } else { 5 }, quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("overhead: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tables(rounds: usize, quick: bool) -> Result<(), run::Error> {
    for watched in [false, true] {
        let client = if watched { "a client" } else { "no client" };
        for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
            println!("\n{flavor}, {client} connected\n");
            let mut table = Table::new();
            for (what, unit, job, n) in [
                ("a self-waking poll", "ns", Job::Poll, [2_000_000, 400_000]),
                ("a spawn and join", "ns", Job::Spawn, [200_000, 4_000]),
            ] {
                let n = n.map(|n| if quick { n / 4 } else { n });
                let measured = compare(job, flavor, watched, rounds, n)?;
                table.line(what, unit, &measured);
            }
            table.print();
        }
    }
    println!("\nmemory, current-thread, no client connected\n");
    let mut table = Table::new();
    for (what, job, n) in [
        ("a live task", Job::Live, [100_000, 2_000]),
        (
            "a finished task that is kept",
            Job::Finished,
            [300_000, 2_000],
        ),
        ("a live task that sleeps", Job::Asleep, [100_000, 2_000]),
    ] {
        let measured = compare(job, Flavor::CurrentThread, false, 1, n)?;
        table.line(what, "B", &measured);
    }
    table.print();

    println!("\nthe probe's own thread, current-thread\n");
    println!("100,000 live tasks, 1,000 of them polled between two publishes:");
    for watched in [false, true] {
        let client = if watched { "a client" } else { "no client" };
        let all = run::job(
            Job::Publish,
            Instrument::Probe,
            Flavor::CurrentThread,
            watched,
            100_000,
        )?;
        println!(
            "  a publish, {client} connected: {:.2} ms",
            all.figure / 1e6
        );
    }

    println!("\nsleeping tasks, each with timers of 0.5 to 1.5 s again and again\n");
    println!(
        "{:>10}  {:<20} {:>10} {:>10}  dropped",
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
            let all = run::job(Job::Sleepers, instrument, Flavor::CurrentThread, watched, n)?;
            let client = if watched { ", a client" } else { "" };
            println!(
                "{n:>10}  {:<20} {:>8.1} % {:>7.0} MB  {}",
                format!("{instrument}{client}"),
                all.figure,
                all.memory / 1e6,
                all.dropped.map(|n| n.to_string()).unwrap_or_default(),
            );
        }
    }
    Ok(())
}

/// The same under each instrument; console-subscriber does it less often, as it would take
/// minutes.
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
