//! Runs every scenario of a file and compares with what Python's asyncio made of it.
//!
//! ```sh
//! cargo run --release -p loopview-workloads --example scenarios -- FILE.jsonl
//! ```
//!
//! Prints each record with our own result and events; what differs goes to standard error.

#[path = "../tests/asyncio/mod.rs"]
mod asyncio;

use std::{env, fs, process::ExitCode};

use asyncio::Verdict;
use serde_json::Value;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1) else {
        eprintln!("usage: scenarios FILE.jsonl");
        return ExitCode::from(2);
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{} cannot be read: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    let (mut passed, mut failed, mut differ, mut skipped) = (0, 0, 0, 0);
    let mut records = Vec::new();
    for (line, text) in text.lines().enumerate() {
        match serde_json::from_str::<Value>(text) {
            Ok(record) => records.push(record),
            Err(_) if text.trim().is_empty() => {}
            Err(error) => {
                eprintln!("line {} is no record: {error}", line + 1);
                failed += 1;
            }
        }
    }
    for checked in asyncio::check_all(&records) {
        println!("{}", checked.record);
        let id = &checked.record["id"];
        match checked.verdict {
            Verdict::Passed => passed += 1,
            Verdict::Failed(why) => {
                eprintln!("failed {id}\n{why}");
                failed += 1;
            }
            Verdict::Differs(why) => {
                eprintln!("differs {id}, where Python's own outcome is an accident\n{why}");
                differ += 1;
            }
            Verdict::Skipped(why) => {
                eprintln!("skipped {id}: {why}");
                skipped += 1;
            }
        }
    }
    print!("{passed} passed, {failed} failed");
    if skipped > 0 {
        print!(", {skipped} skipped");
    }
    if differ > 0 {
        print!(", {differ} differ by accident");
    }
    println!();
    ExitCode::from(u8::from(failed > 0))
}
