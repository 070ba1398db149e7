//! One clock for all that the probe tells: monotonic, and anchored once to the wall.

use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

static ANCHOR: OnceLock<(Instant, SystemTime)> = OnceLock::new();

fn anchor() -> (Instant, SystemTime) {
    *ANCHOR.get_or_init(|| (Instant::now(), SystemTime::now()))
}

/// Starts the clock, so that no later reading lies before its anchor.
pub(crate) fn start() {
    anchor();
}

/// A point in time as the wire has it.
pub(crate) fn wire(at: Instant) -> prost_types::Timestamp {
    let (instant, system) = anchor();
    loopview_api::timestamp(system + at.saturating_duration_since(instant))
}

/// A span of time as the wire has it.
pub(crate) fn wire_duration(d: Duration) -> prost_types::Duration {
    loopview_api::duration(d)
}
