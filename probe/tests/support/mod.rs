//! Programs under observation, and clients that watch them.
//!
//! A process has one subscriber and one end, so a program under observation is a process of
//! its own: this test's binary once more, which a variable in its environment tells so.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

pub mod clients;
pub mod program;

use std::{
    panic::{self, AssertUnwindSafe},
    process::ExitCode,
    time::{Duration, Instant},
};

pub use clients::{Console, Own};
pub use program::Program;

/// No condition that is waited for takes this long.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A test or a program, with its name.
pub type Named = (&'static str, fn());

/// Names functions by themselves.
#[macro_export]
macro_rules! named {
    ($($function:ident),* $(,)?) => { &[$((stringify!($function), $function as fn())),*] };
}

/// Runs a program, if this process is to be one, or the tests whose names have one of the
/// arguments in them.
pub fn main(tests: &[Named], programs: &[Named]) -> ExitCode {
    if let Some(name) = program::wanted() {
        let (_, program) = programs
            .iter()
            .find(|(known, _)| **known == *name)
            .expect("a program of that name");
        program();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|w| name.contains(&**w));
    let mut failed = 0;
    for (name, test) in tests.iter().filter(|(name, _)| is_wanted(name)) {
        let started = Instant::now();
        let ok = panic::catch_unwind(AssertUnwindSafe(test)).is_ok();
        let result = if ok { "ok" } else { "FAILED" };
        println!("test {name} ... {result} ({:.2?})", started.elapsed());
        failed += u32::from(!ok);
    }
    println!("{failed} failed");
    if failed > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs a test's own futures, which may take no longer than the limit.
pub fn watch<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(async { tokio::time::timeout(LIMIT * 2, future).await })
        .expect("the test ends in time")
}

/// Is busy, and tells for how long it was.
pub fn be_busy(time: Duration) -> Duration {
    let started = Instant::now();
    loop {
        let elapsed = started.elapsed();
        if elapsed >= time {
            return elapsed;
        }
    }
}

pub fn spawn<T: Send + 'static>(
    name: &str,
    future: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::task::Builder::new()
        .name(name)
        .spawn(future)
        .expect("inside a runtime")
}

pub fn number(id: tokio::task::Id) -> u64 {
    id.to_string().parse().expect("tokio's ids are numbers")
}

pub fn duration(wire: Option<&prost_types::Duration>) -> Duration {
    (*wire.expect("a duration"))
        .try_into()
        .expect("one that can be")
}

pub fn time(wire: Option<&prost_types::Timestamp>) -> std::time::SystemTime {
    (*wire.expect("a time"))
        .try_into()
        .expect("one that can be")
}
