//! One clock for all that the probe tells: monotonic, and anchored once to the wall.

use std::{sync::OnceLock, time::SystemTime};

use quanta::Clock;

/// A point in time: nanoseconds on the probe's clock. Nothing happens at 0, so that 0 can
/// say "not yet".
pub(crate) type Nanos = u64;

const SECOND: u64 = 1_000_000_000;

/// quanta reads the processor's own counter where that can be trusted, in less than half of
/// the time that the system takes, and is the system's clock elsewhere.
struct Anchor {
    clock: Clock,
    raw: u64,
    /// On the wall, in nanoseconds since 1970.
    wall: u64,
}

fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| {
        let clock = Clock::new();
        Anchor {
            raw: clock.raw(),
            wall: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos() as u64),
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
    let nanos = anchor().wall.saturating_add(at);
    prost_types::Timestamp {
        seconds: (nanos / SECOND).cast_signed(),
        nanos: (nanos % SECOND) as i32,
    }
}

/// The same, of one that may not have come.
pub(crate) fn wire_if(at: Nanos) -> Option<prost_types::Timestamp> {
    (at > 0).then(|| wire(at))
}

/// A span of time as the wire has it.
pub(crate) fn wire_duration(nanos: u64) -> prost_types::Duration {
    prost_types::Duration {
        seconds: (nanos / SECOND).cast_signed(),
        nanos: (nanos % SECOND) as i32,
    }
}
