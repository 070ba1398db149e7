//! How long polls take, and how long tasks wait for them: counts by length.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Polled;

/// In microseconds: two for each power of ten, from what a poll should take to what nobody
/// would wait for.
const STEPS: [u64; 12] = [
    10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000,
];

/// How many there were of each length.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lengths {
    /// Up to each step, and not up to the one before; the last are longer than all steps.
    counts: [u64; STEPS.len() + 1],
    /// In nanoseconds.
    sum: u64,
}

impl Lengths {
    /// Each step, and how many were no longer than it.
    pub fn steps(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.counts.iter().scan(0_u64, |below, count| {
            *below = below.saturating_add(*count);
            Some(*below)
        });
        STEPS.map(Duration::from_micros).into_iter().zip(counts)
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().copied().fold(0, u64::saturating_add)
    }

    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    fn add(&mut self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        // Most are no longer than the first steps.
        let exceeded = STEPS.iter().take_while(|step| **step * 1_000 < nanos);
        let count = &mut self.counts[exceeded.count()];
        *count = count.saturating_add(1);
        self.sum = self.sum.saturating_add(nanos);
    }
}

/// The polls that the probe told one by one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PollLengths {
    /// From the start of a poll to its end.
    pub lasted: Lengths,
    /// From the wake to the poll, where the wake was told.
    pub waited: Lengths,
}

impl PollLengths {
    pub(super) fn add(&mut self, poll: &Polled) {
        self.lasted.add(poll.lasted);
        if let Some(woken) = poll.woken {
            self.waited.add(poll.started.since(woken));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_counts_at_each_step_that_it_does_not_exceed() {
        let mut lengths = Lengths::default();
        for micros in [0, 10, 11, 100_000, 60_000_000] {
            lengths.add(Duration::from_micros(micros));
        }
        let steps: Vec<u64> = lengths.steps().map(|(_, count)| count).collect();
        assert_eq!(steps, [2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4]);
        assert_eq!(lengths.count(), 5);
        assert_eq!(lengths.sum(), Duration::from_micros(60_100_021));
    }
}
