//! The histograms of one task.

use std::time::Duration;

use console_api::tasks::{DurationHistogram, TaskDetails, task_details::PollTimesHistogram};
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use serde::{Deserialize, Serialize, de::Error as _, ser::Error as _};

use super::{kept, task::TaskId};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    pub task: TaskId,
    pub polls: Histogram,
    /// From wake to poll. Old targets do not tell.
    pub scheduled: Option<Histogram>,
}

/// A histogram of durations, of two significant digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Histogram {
    #[serde(serialize_with = "write", deserialize_with = "read")]
    inner: hdrhistogram::Histogram<u64>,
    /// What lies above this was counted as this.
    #[serde(with = "kept::span")]
    pub limit: Option<Duration>,
    /// How many did.
    pub outliers: u64,
    /// The highest of them.
    #[serde(with = "kept::span")]
    pub highest_outlier: Option<Duration>,
}

fn write<S: serde::Serializer>(
    histogram: &hdrhistogram::Histogram<u64>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(S::Error::custom)?;
    bytes.serialize(to)
}

fn read<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<hdrhistogram::Histogram<u64>, D::Error> {
    let bytes = Vec::<u8>::deserialize(from)?;
    Deserializer::new()
        .deserialize(&mut &*bytes)
        .map_err(D::Error::custom)
}

impl Details {
    pub(super) fn from_wire(task: TaskId, wire: &TaskDetails) -> Result<Self, ()> {
        let polls = match wire.poll_times_histogram.as_ref().ok_or(())? {
            PollTimesHistogram::LegacyHistogram(raw) => Histogram::from_raw(raw)?,
            PollTimesHistogram::Histogram(wire) => Histogram::from_wire(wire)?,
        };
        let scheduled = wire
            .scheduled_times_histogram
            .as_ref()
            .map(Histogram::from_wire)
            .transpose()?;
        Ok(Self {
            task,
            polls,
            scheduled,
        })
    }
}

impl Histogram {
    fn from_wire(wire: &DurationHistogram) -> Result<Self, ()> {
        Ok(Self {
            limit: Some(Duration::from_nanos(wire.max_value)),
            outliers: wire.high_outliers,
            highest_outlier: wire.highest_outlier.map(Duration::from_nanos),
            ..Self::from_raw(&wire.raw_histogram)?
        })
    }

    /// The V2 format of `HdrHistogram`, which the target need not have written well.
    fn from_raw(mut raw: &[u8]) -> Result<Self, ()> {
        let inner = Deserializer::new().deserialize(&mut raw).map_err(|_| ())?;
        Ok(Self {
            inner,
            limit: None,
            outliers: 0,
            highest_outlier: None,
        })
    }

    pub fn count(&self) -> u64 {
        self.inner.len()
    }

    /// `quantile` from 0 to 1.
    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.inner.value_at_quantile(quantile))
    }

    /// The least and the greatest, outliers included.
    pub fn range(&self) -> (Duration, Duration) {
        let max = Duration::from_nanos(self.inner.max());
        (
            Duration::from_nanos(self.inner.min()),
            self.highest_outlier.map_or(max, |h| h.max(max)),
        )
    }

    /// How many fell into each of `count` parts of the range, which grow by a constant
    /// factor: durations of polls span several orders of magnitude.
    pub fn log_buckets(&self, count: usize) -> Vec<u64> {
        let mut buckets = vec![0; count];
        let (min, max) = (
            self.inner.min().max(1) as f64,
            self.inner.max().max(2) as f64,
        );
        let step = (max / min).ln().max(f64::EPSILON) / count as f64;
        for value in self.inner.iter_recorded() {
            let position = (value.value_iterated_to().max(1) as f64 / min).ln() / step;
            let at = (position.max(0.0) as usize).min(count.saturating_sub(1));
            if let Some(bucket) = buckets.get_mut(at) {
                *bucket += value.count_since_last_iteration();
            }
        }
        buckets
    }
}
