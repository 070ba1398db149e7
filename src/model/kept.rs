//! How a model is kept as bytes and read again.
//!
//! What is read may have been written by anyone. So a part in which one thing has to agree
//! with another leaves out what follows from the rest, and is [`Sound`] before it is used.

use std::{collections::HashMap, fmt::Display, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A part with indexes and promises of its own.
pub(super) trait Sound: Sized {
    /// Makes the indexes that were left out, and refuses what could not have come about.
    fn sound(self) -> Result<Self, Unsound>;
}

/// What does not hold.
#[derive(Debug)]
pub(super) struct Unsound(pub &'static str);

impl Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// For a field that is [`Sound`].
pub(super) fn sound<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Sound,
{
    T::deserialize(from)?.sound().map_err(D::Error::custom)
}

/// Counters that go on from here have room to do so for ever.
pub(super) fn countable(counters: &[u64]) -> Result<(), Unsound> {
    let sound = counters.iter().all(|count| *count <= u64::MAX / 2);
    sound.then_some(()).ok_or(Unsound("a counter at its end"))
}

/// A span, but no more of it than can be kept: else what is read would go on from less.
pub(super) fn bounded(span: Duration) -> Duration {
    span.min(Duration::from_nanos(u64::MAX))
}

/// Spans of time as nanoseconds: what is longer than that can tell would overflow sums.
pub(super) mod span {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    /// A span, or one that may be unknown.
    pub trait Span: Copy {
        type Nanos: Serialize + for<'de> Deserialize<'de>;
        fn to_nanos(self) -> Self::Nanos;
        fn from_nanos(nanos: Self::Nanos) -> Self;
    }

    impl Span for Duration {
        type Nanos = u64;
        fn to_nanos(self) -> u64 {
            u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)
        }
        fn from_nanos(nanos: u64) -> Self {
            Self::from_nanos(nanos)
        }
    }

    impl Span for Option<Duration> {
        type Nanos = Option<u64>;
        fn to_nanos(self) -> Option<u64> {
            self.map(Span::to_nanos)
        }
        fn from_nanos(nanos: Option<u64>) -> Self {
            nanos.map(Duration::from_nanos)
        }
    }

    pub fn serialize<T: Span, S: Serializer>(span: &T, to: S) -> Result<S::Ok, S::Error> {
        span.to_nanos().serialize(to)
    }

    pub fn deserialize<'de, T: Span, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::Nanos::deserialize(from).map(T::from_nanos)
    }
}

/// A ratio: what is no number is nothing.
pub(super) fn finite<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Ratio,
{
    T::deserialize(from).map(Ratio::finite)
}

/// A ratio, or one that may be unknown.
pub(super) trait Ratio {
    fn finite(self) -> Self;
}

impl Ratio for f64 {
    fn finite(self) -> Self {
        if self.is_finite() { self } else { 0.0 }
    }
}

impl Ratio for Option<f64> {
    fn finite(self) -> Self {
        self.filter(|ratio| ratio.is_finite())
    }
}

/// A message of the wire, in the wire's own bytes.
pub(super) mod message {
    use prost::Message;

    use super::{Deserialize, Deserializer, Error, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub fn serialize<M, S>(message: &Option<M>, to: S) -> Result<S::Ok, S::Error>
    where
        M: Message,
        S: Serializer,
    {
        message.as_ref().map(Message::encode_to_vec).serialize(to)
    }

    pub fn deserialize<'de, M, D>(from: D) -> Result<Option<M>, D::Error>
    where
        M: Message + Default,
        D: Deserializer<'de>,
    {
        let bytes = Option::<Vec<u8>>::deserialize(from)?;
        let message = bytes.map(|bytes| M::decode(&*bytes));
        message.transpose().map_err(D::Error::custom)
    }
}

/// Messages of polls, in the wire's own bytes: only a few ever wait.
pub(super) mod polls {
    use loopview_api::v1::Polls;
    use prost::Message;

    use super::{super::Model, Deserialize, Deserializer, Error, Serialize, Serializer};

    pub fn serialize<S: Serializer>(messages: &[Polls], to: S) -> Result<S::Ok, S::Error> {
        let messages: Vec<_> = messages.iter().map(Message::encode_to_vec).collect();
        messages.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Polls>, D::Error> {
        let messages = Vec::<Vec<u8>>::deserialize(from)?;
        // Empty ones take a byte here, and two hundred times as much there.
        if messages.len() > Model::MESSAGES {
            return Err(D::Error::custom("more polls than ever wait"));
        }
        let messages = messages.iter().map(|bytes| Polls::decode(&**bytes));
        messages.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// A map in no order, in the order of its keys: the same model is always the same bytes.
pub(super) fn sorted<S, K, T, H>(map: &HashMap<K, T, H>, to: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    K: Ord + Serialize,
    T: Serialize,
{
    let map: std::collections::BTreeMap<_, _> = map.iter().collect();
    map.serialize(to)
}

#[cfg(test)]
mod tests {
    use loopview_api::v1::Polls;

    use super::*;
    use crate::model::Model;

    #[derive(Serialize, Deserialize)]
    struct Waiting(#[serde(with = "polls")] Vec<Polls>);

    #[test]
    fn no_more_polls_are_read_than_ever_wait() {
        let read = |count| {
            let bytes = postcard::to_stdvec(&Waiting(vec![Polls::default(); count]));
            postcard::from_bytes::<Waiting>(&bytes.expect("room")).map(|waiting| waiting.0.len())
        };
        assert_eq!(read(Model::MESSAGES), Ok(Model::MESSAGES));
        assert!(read(Model::MESSAGES + 1).is_err());
    }
}
