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
    for (line, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        let record = match serde_json::from_str(text) {
            Ok(record) => record,
            Err(error) => {
                eprintln!("line {}: no record: {error}", line + 1);
                failed += 1;
                continue;
            }
        };
        let checked = asyncio::check(&record);
        println!("{}", checked.record);
        let id = &record["id"];
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
    let mut summary = format!("{passed} passed, {failed} failed");
    for (count, what) in [(skipped, "skipped"), (differ, "differ by accident")] {
        if count > 0 {
            summary += &format!(", {count} {what}");
        }
    }
    println!("{summary}");
    ExitCode::from(u8::from(failed > 0))
}
