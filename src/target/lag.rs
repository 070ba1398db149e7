//! Whether what is told is of the present.

use std::time::{Duration, Instant};

/// A target that cannot keep up tells of the past, and nobody would see by its messages alone how
/// old that is. The least time that a message took is the difference of the two clocks.
#[derive(Debug)]
pub(super) struct Lag {
    least: Duration,
    /// When it was last known how late it is.
    known_at: Instant,
}

impl Lag {
    /// What is no older than this is of the present.
    pub(super) const PRESENT: Duration = Duration::from_millis(500);

    pub(super) fn new(now: Instant) -> Self {
        Self {
            least: Duration::MAX,
            known_at: now,
        }
    }

    /// A message came so long after what it tells; true if it is time to say how late it is.
    pub(super) fn is_worth_telling(&mut self, took: Duration, now: Instant) -> bool {
        self.least = self.least.min(took);
        let is_old = took > self.least.saturating_add(Self::PRESENT);
        let is_known = now.duration_since(self.known_at) < Self::PRESENT;
        if !is_old || !is_known {
            self.known_at = now;
        }
        is_old && !is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(messages: &[(u64, u64)]) -> Vec<bool> {
        let start = Instant::now();
        let mut lag = Lag::new(start);
        let ms = Duration::from_millis;
        let told = messages.iter();
        told.map(|(at, took)| lag.is_worth_telling(ms(*took), start + ms(*at)))
            .collect()
    }

    #[test]
    fn how_old_a_message_is_is_told_now_and_then() {
        let messages = [
            (0, 1),
            (100, 2),
            (200, 800),
            (700, 1_200),
            (900, 1_300),
            (1_300, 3),
        ];
        assert_eq!(told(&messages), [false, false, false, true, false, false]);
    }

    #[test]
    fn a_clock_that_is_behind_is_not_late() {
        let messages = [(0, 60_000), (600, 60_010), (1_200, 60_400), (1_800, 61_000)];
        assert_eq!(told(&messages), [false, false, false, true]);
    }
}
