//! A page of metrics: families of samples, each with its help and its type.

use std::{collections::BTreeMap, time::Duration};

use prometheus::{
    TextEncoder,
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};

use crate::model::Lengths;

type Labels = Vec<(&'static str, String)>;

/// What each counter has been told as last.
pub type Told = BTreeMap<(&'static str, Labels), f64>;

/// A figure and what it is of.
#[derive(Debug)]
pub struct Sample {
    labels: Labels,
    value: f64,
}

impl Sample {
    pub fn with(mut self, label: &'static str, value: &impl ToString) -> Self {
        self.labels.push((label, value.to_string()));
        self
    }
}

impl From<f64> for Sample {
    fn from(value: f64) -> Self {
        let labels = Labels::new();
        Self { labels, value }
    }
}

impl From<u64> for Sample {
    fn from(count: u64) -> Self {
        (count as f64).into()
    }
}

impl From<usize> for Sample {
    fn from(count: usize) -> Self {
        (count as f64).into()
    }
}

/// In seconds.
impl From<Duration> for Sample {
    fn from(span: Duration) -> Self {
        span.as_secs_f64().into()
    }
}

pub struct Page<'a> {
    target: &'a str,
    told: &'a mut Told,
    families: Vec<MetricFamily>,
}

impl<'a> Page<'a> {
    /// A page whose samples all have the label `target`.
    pub fn new(target: &'a str, told: &'a mut Told) -> Self {
        let families = Vec::new();
        Self {
            target,
            told,
            families,
        }
    }

    /// What goes up and down. A figure that is not known has no sample, and what has no
    /// sample is not on the page.
    pub fn gauge(
        &mut self,
        name: &'static str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        self.family(MetricType::GAUGE, name, help, samples);
    }

    /// What only grows. It never goes back, though a poll that seemed to go on may turn out
    /// to have ended a moment earlier: Prometheus would take that for a new beginning, and
    /// count all of it twice.
    pub fn counter(
        &mut self,
        name: &'static str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        self.family(MetricType::COUNTER, name, help, samples);
    }

    fn family(
        &mut self,
        kind: MetricType,
        name: &'static str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        let samples = samples.into_iter().map(|sample| {
            let mut metric = Metric::from_label(labels(self.target, &sample.labels));
            if kind == MetricType::COUNTER {
                let told = self.told.entry((name, sample.labels)).or_default();
                *told = told.max(sample.value);
                let mut counter = Counter::default();
                counter.set_value(*told);
                metric.set_counter(counter);
            } else {
                let mut gauge = Gauge::default();
                gauge.set_value(sample.value);
                metric.set_gauge(gauge);
            }
            metric
        });
        let samples = samples.collect();
        self.add(kind, name, help, samples);
    }

    /// Lengths in seconds.
    pub fn histogram(&mut self, name: &'static str, help: &str, lengths: Option<&Lengths>) {
        let sample = |lengths: &Lengths| {
            let buckets = lengths.steps().map(|(step, count)| {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(step.as_secs_f64());
                bucket.set_cumulative_count(count);
                bucket
            });
            let mut histogram = Histogram::default();
            histogram.set_bucket(buckets.collect());
            histogram.set_sample_count(lengths.count());
            histogram.set_sample_sum(lengths.sum().as_secs_f64());
            let mut metric = Metric::from_label(labels(self.target, &Labels::new()));
            metric.set_histogram(histogram);
            metric
        };
        let samples = lengths.map(sample).into_iter().collect();
        self.add(MetricType::HISTOGRAM, name, help, samples);
    }

    fn add(&mut self, kind: MetricType, name: &str, help: &str, samples: Vec<Metric>) {
        if samples.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(samples);
        self.families.push(family);
    }

    pub fn encode(&self) -> String {
        // All that could be wrong with a family is that it has no name or no sample.
        let text = TextEncoder::new().encode_to_string(&self.families);
        text.unwrap_or_default()
    }
}

fn labels(target: &str, labels: &Labels) -> Vec<LabelPair> {
    let target = ("target", target);
    let others = labels.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs = std::iter::once(target).chain(others);
    pairs
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        })
        .collect()
}
