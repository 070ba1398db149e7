//! Memory that a virtual machine has not had from its host yet.
//!
//! A guest gives free memory back (free page reporting), and waits for the host at the first
//! write to each page that it gets again: some ten times as long as for a page that it has. A
//! program that grows meets such pages once those are used up that others have left. To measure
//! there, those are held meanwhile.

use std::{
    fs, hint,
    time::{Duration, Instant},
};

/// Bytes that are written to at once, one in each page.
const PART: usize = 64 << 20;
const PAGE: usize = 4 << 10;

/// Holds the memory that the machine has had already.
pub struct Held {
    _parts: Vec<Vec<u8>>,
    /// What the first write to a page takes now, and what it took before.
    pub new: Duration,
    pub had: Duration,
}

/// Holds memory until what comes is new; nothing if half of what is available is not.
pub fn hold() -> Option<Held> {
    const TIMES: u32 = 4;
    const IN_A_ROW: usize = 4;
    let most = available()? / 2 / PART;
    let mut parts = Vec::new();
    let mut had = Duration::MAX;
    let mut new = 0;
    while parts.len() < most {
        let (part, time) = write();
        parts.push(part);
        had = had.min(time);
        new = if time > had * TIMES { new + 1 } else { 0 };
        if new == IN_A_ROW {
            return Some(Held {
                _parts: parts,
                new: time,
                had,
            });
        }
    }
    None
}

/// A part, and what the first write to one of its pages took.
fn write() -> (Vec<u8>, Duration) {
    let mut part = vec![0; PART];
    let started = Instant::now();
    part.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    let time = started.elapsed() / (PART / PAGE) as u32;
    (hint::black_box(part), time)
}

/// Bytes (Linux only).
fn available() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}
