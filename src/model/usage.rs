//! What the target's process uses, and what the probe in it takes and leaves out.

use std::time::Duration;

use loopview_api::v1;
use serde::{Deserialize, Serialize};

use super::{kept, wire};
use crate::frame::Time;

/// Only the probe tells of this; what it has not told is unknown.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Of all threads, since the process began.
    #[serde(with = "kept::span")]
    pub cpu: Option<Duration>,
    /// The same as a share of one processor, over about the last second.
    #[serde(deserialize_with = "kept::finite")]
    pub cpu_ratio: Option<f64>,
    /// Bytes in memory.
    pub memory: Option<u64>,
    pub probe: Option<Probe>,
    at: Option<Time>,
}

/// What the probe itself takes, and what it had to leave out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Bytes, and how many there may be.
    pub memory: u64,
    pub memory_limit: u64,
    /// Tasks, resources, scopes and events that were not recorded.
    pub lost: u64,
    /// What had ended and was forgotten before its time, to stay below the limit.
    pub forgotten: u64,
    /// A filter of the target's own keeps tokio's spans from the probe.
    pub is_filtered: bool,
}

impl Usage {
    pub(super) fn apply(
        &mut self,
        now: Time,
        usage: Option<&v1::Usage>,
        overhead: Option<&v1::Overhead>,
    ) {
        if let Some(wire) = overhead {
            let lost = [
                wire.lost_tasks,
                wire.lost_resources,
                wire.lost_scopes,
                wire.lost_events,
            ];
            self.probe = Some(Probe {
                memory: wire.memory,
                memory_limit: wire.memory_limit,
                lost: lost.into_iter().fold(0, u64::saturating_add),
                forgotten: wire.forgotten,
                is_filtered: wire.filtered,
            });
        }
        let Some(wire) = usage else { return };
        self.memory = wire.memory;
        let cpu = wire
            .cpu
            .is_some()
            .then(|| wire::duration(wire.cpu.as_ref()));
        if let (Some(cpu), Some(before), Some(at)) = (cpu, self.cpu, self.at) {
            let passed = now.since(at).as_secs_f64();
            if passed > 0.0 {
                let ratio = cpu.saturating_sub(before).as_secs_f64() / passed;
                // Smoothed over about a second, whatever the interval.
                let known = self.cpu_ratio.unwrap_or(ratio);
                self.cpu_ratio = Some(known + (ratio - known) * passed.min(1.0));
            }
        }
        self.cpu = cpu;
        self.at = Some(now);
    }
}
