//! What it costs to be observed: bare tokio, console-subscriber and the probe, in one run.
//!
//! `cargo run --release -p loopview-probe --example overhead` measures and prints tables.
//! Each figure comes from a process of its own, as a process has one subscriber; those of
//! one line take turns, several rounds of them, and the median counts. `--quick` is for a
//! look: one round, and less work. The name of a part (`time`, `memory`, `publish`,
//! `sleepers`, `fresh`) measures that part only.

mod client;
mod fresh;
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

const NONE_LEFT: &str = "all memory has been used";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "job") {
        return job::execute(&args[1..]);
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let rounds = if quick { 1 } else { 5 };
    let named = |part: &str| args.iter().any(|arg| arg == part);
    let all = !["time", "memory", "publish", "sleepers", "fresh"]
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
        if all || named("fresh") {
            fresh(rounds, quick)?;
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
                table.line(
                    what,
                    "ns",
                    &compare(job, flavor, watched, rounds, n, || Some(()))?,
                );
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
        let measured = compare(job, Flavor::CurrentThread, false, 1, n, || Some(()))?;
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
    sleepers_head();
    for (instrument, n) in [
        (Instrument::Bare, 10_000),
        (Instrument::ConsoleSubscriber, 10_000),
        (Instrument::Probe, 10_000),
        (Instrument::Bare, 100_000),
        (Instrument::Probe, 100_000),
    ] {
        sleepers_line(instrument, false, n)?;
        if instrument != Instrument::Bare {
            sleepers_line(instrument, true, n)?;
        }
    }
    Ok(())
}

fn sleepers_head() {
    println!(
        "{:>10}  {:<30} {:>10} {:>10}  dropped",
        "tasks", "", "CPU", "memory"
    );
}

fn sleepers_line(instrument: Instrument, watched: bool, n: u64) -> Result<(), run::Error> {
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
    Ok(())
}

/// Spawns, and tasks that sleep, in memory that is new to the machine.
fn fresh(rounds: usize, quick: bool) -> Result<(), run::Error> {
    println!("\nin memory that this machine has not had from its host yet, no client connected\n");
    let Some(held) = fresh::hold() else {
        println!("there is none: not measured");
        return Ok(());
    };
    println!(
        "the first write to a page of it: {} ns; to one of other memory: {} ns\n",
        held.new.as_nanos(),
        held.had.as_nanos()
    );
    drop(held);
    let mut table = Table::new();
    let n = [200_000, 20_000].map(|n| if quick { n / 4 } else { n });
    for flavor in [Flavor::CurrentThread, Flavor::MultiThread] {
        let measured = compare(Job::Spawn, flavor, false, rounds, n, fresh::hold)?;
        table.line(&format!("spawn and join, {flavor}"), "ns", &measured);
    }
    table.print();
    println!();
    sleepers_head();
    for instrument in INSTRUMENTS {
        let _held = fresh::hold().ok_or(NONE_LEFT)?;
        sleepers_line(instrument, false, 10_000)?;
    }
    Ok(())
}

/// The same under each instrument; console-subscriber does it less often, as it would take
/// minutes. That is in its favour: its spawns cost the more, the more tasks it keeps.
/// What `before` gives is held while each of them runs.
fn compare<H>(
    job: Job,
    flavor: Flavor,
    watched: bool,
    rounds: usize,
    [n, n_console]: [u64; 2],
    before: impl Fn() -> Option<H>,
) -> Result<[f64; 3], run::Error> {
    let mut all = [const { Vec::<Measured>::new() }; 3];
    for _ in 0..rounds {
        for (measured, instrument) in all.iter_mut().zip(INSTRUMENTS) {
            let n = match instrument {
                Instrument::ConsoleSubscriber => n_console,
                _ => n,
            };
            let watched = watched && instrument != Instrument::Bare;
            let _held = before().ok_or(NONE_LEFT)?;
            measured.push(run::job(job, instrument, flavor, watched, n)?);
        }
    }
    Ok(all.map(|measured| median(measured.iter().map(|m| m.figure).collect())))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
