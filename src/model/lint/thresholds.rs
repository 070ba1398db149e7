//! From where on something is wrong. All can be set.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Kind, Lints};
use crate::model::kept;

/// One threshold for each lint that has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// A poll as long as this blocks the loop, …
    #[serde(with = "kept::span")]
    pub blocked_loop: Duration,
    /// … and one as long as this is long.
    #[serde(with = "kept::span")]
    pub long_poll: Duration,
    /// Time in a first poll that has not ended.
    #[serde(with = "kept::span")]
    pub never_yielded: Duration,
    /// Time from a wake to the poll.
    #[serde(with = "kept::span")]
    pub starved: Duration,
    /// Time from a deadline to the poll that finds it.
    #[serde(with = "kept::span")]
    pub late_timer: Duration,
    /// Time that a call waits for a thread.
    #[serde(with = "kept::span")]
    pub blocking_pool_full: Duration,
    /// Time for which tasks wait for each other.
    #[serde(with = "kept::span")]
    pub await_cycle: Duration,
    /// Time for which one awaits something with a lock in hand, and another the lock.
    #[serde(with = "kept::span")]
    pub lock_held: Duration,
    /// Time without a waker.
    #[serde(with = "kept::span")]
    pub lost_waker: Duration,
    /// Tasks that have joined a queue.
    pub growing_queue: u64,
    /// The share of wakes that are a task's own, in percent.
    pub self_wakes: u64,
    /// Wakes for each poll.
    pub unbalanced_wakes: u64,
    /// Tasks of one place that were done in one poll.
    pub needless_async: u64,
    /// Children that were awaited one after the other.
    pub serial_awaits: u64,
    /// Bytes of a future.
    pub large_future: u64,
    /// Bytes of a future that tokio boxed.
    pub auto_boxed_future: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            blocked_loop: Lints::BLOCKED,
            long_poll: Duration::from_millis(10),
            never_yielded: Duration::from_secs(1),
            starved: Duration::from_millis(100),
            // A build without optimisation needs half of this for a thousand timers of one moment.
            late_timer: Duration::from_millis(20),
            blocking_pool_full: Duration::from_millis(10),
            await_cycle: Duration::from_millis(100),
            lock_held: Duration::from_millis(100),
            lost_waker: Duration::from_millis(100),
            growing_queue: 100,
            self_wakes: 50,
            unbalanced_wakes: 10,
            needless_async: 20,
            serial_awaits: 3,
            large_future: 2_048,
            auto_boxed_future: 16_384,
        }
    }
}

/// A threshold, to be read or changed.
#[derive(Debug)]
pub enum Limit<'a> {
    Time(&'a mut Duration),
    /// A number, and what it counts.
    Count(&'a mut u64, &'static str),
}

impl Limit<'_> {
    /// As a person writes it: `10ms`, or a number.
    pub fn text(&self) -> String {
        match self {
            Self::Time(time) => humantime::format_duration(**time).to_string(),
            Self::Count(count, _) => count.to_string(),
        }
    }

    /// What is to be written: a time, or a number of what.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Time(_) => "a time",
            Self::Count(_, unit) => unit,
        }
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        match self {
            Self::Time(time) => {
                **time = humantime::parse_duration(text)
                    .map_err(|_| format!("{text:?} is no time such as 10ms"))?;
            }
            Self::Count(count, unit) => {
                **count = text
                    .parse()
                    .map_err(|_| format!("{text:?} is no number ({unit})"))?;
            }
        }
        Ok(())
    }
}

impl Thresholds {
    /// The threshold of a lint, if it has one.
    pub fn limit(&mut self, kind: Kind) -> Option<Limit<'_>> {
        Some(match kind {
            Kind::BlockedLoop => Limit::Time(&mut self.blocked_loop),
            Kind::LongPoll => Limit::Time(&mut self.long_poll),
            Kind::NeverYielded => Limit::Time(&mut self.never_yielded),
            Kind::Starved => Limit::Time(&mut self.starved),
            Kind::LateTimer => Limit::Time(&mut self.late_timer),
            Kind::BlockingPoolFull => Limit::Time(&mut self.blocking_pool_full),
            Kind::AwaitCycle => Limit::Time(&mut self.await_cycle),
            Kind::LockHeld => Limit::Time(&mut self.lock_held),
            Kind::LostWaker => Limit::Time(&mut self.lost_waker),
            Kind::GrowingQueue => Limit::Count(&mut self.growing_queue, "tasks more"),
            Kind::SelfWakes => Limit::Count(&mut self.self_wakes, "percent of its wakes"),
            Kind::UnbalancedWakes => Limit::Count(&mut self.unbalanced_wakes, "wakes a poll"),
            Kind::NeedlessAsync => Limit::Count(&mut self.needless_async, "tasks"),
            Kind::SerialAwaits => Limit::Count(&mut self.serial_awaits, "tasks"),
            Kind::LargeFuture => Limit::Count(&mut self.large_future, "bytes"),
            Kind::AutoBoxedFuture => Limit::Count(&mut self.auto_boxed_future, "bytes"),
            Kind::ForgottenTask | Kind::PanickedTask | Kind::LostData => return None,
        })
    }

    /// Those that are not as they are without being set: a lint's name, and what a person would
    /// write.
    pub fn changed(&self) -> impl Iterator<Item = (&'static str, String)> {
        let (mut these, mut usual) = (self.clone(), Self::default());
        Kind::ALL.iter().filter_map(move |kind| {
            let text = these.limit(*kind)?.text();
            (usual.limit(*kind)?.text() != text).then(|| (kind.name(), text))
        })
    }

    /// Sets one, by the name of its lint and what a person wrote.
    ///
    /// # Errors
    ///
    /// A fragment that says what is wrong.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let kind = Kind::named(name).ok_or_else(|| format!("no lint is called {name:?}"))?;
        let limit = self.limit(kind);
        limit
            .ok_or_else(|| format!("{name} has no threshold"))?
            .set(text)
    }

    /// The shortest poll that a lint may care about.
    pub(in crate::model) fn shortest_poll(&self) -> Duration {
        self.long_poll
            .min(self.blocked_loop)
            .min(self.never_yielded)
    }
}
