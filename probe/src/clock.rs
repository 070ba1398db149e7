//! One clock for all that the probe tells: monotonic, and anchored once to the wall.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use quanta::Clock;

/// A point in time: nanoseconds on the probe's clock. Nothing happens at 0, so that 0 can
/// say "not yet".
pub(crate) type Nanos = u64;

/// quanta reads the processor's own counter where that can be trusted, in less than half of
/// the time that the system takes, and is the system's clock elsewhere.
struct Anchor {
    clock: Clock,
    raw: u64,
    wall: SystemTime,
}

fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| {
        let clock = Clock::new();
        Anchor {
            raw: clock.raw(),
            wall: SystemTime::now(),
            clock,
        }
    })
}

/// Starts the clock, so that no later reading lies before its anchor.
pub(crate) fn start() {
    anchor();
}

pub(crate) fn now() -> Nanos {
    let anchor = anchor();
    anchor.clock.delta_as_nanos(anchor.raw, anchor.clock.raw()) + 1
}

/// A point in time as the wire has it.
pub(crate) fn wire(at: Nanos) -> prost_types::Timestamp {
    loopview_api::timestamp(anchor().wall + Duration::from_nanos(at))
}

/// The same, of one that may not have come.
pub(crate) fn wire_if(at: Nanos) -> Option<prost_types::Timestamp> {
    (at > 0).then(|| wire(at))
}

/// A span of time as the wire has it.
pub(crate) fn wire_duration(nanos: u64) -> prost_types::Duration {
    loopview_api::duration(Duration::from_nanos(nanos))
}
