//! What can be changed about a lesson: `--set KEY=VALUE`.

use std::fmt;

use crate::Workload;

/// Something about a lesson that can be changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub key: &'static str,
    /// Its value if nobody sets it; a new one must be of the same kind.
    pub default: Value,
    /// What it changes, in one line.
    pub help: &'static str,
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// How many.
    Count(usize),
    /// How long, in seconds before scaling.
    Secs(f64),
    /// How many threads there are for blocking calls. The [run](Workload::run) takes it, not the
    /// lesson.
    Threads(usize),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) | Self::Threads(count) => count.fmt(f),
            Self::Secs(secs) => secs.fmt(f),
        }
    }
}

impl Value {
    /// Reads a value of the same kind as this one.
    fn parse_like(self, text: &str) -> Option<Self> {
        match self {
            Self::Count(_) => text.parse().ok().map(Self::Count),
            Self::Threads(_) => text.parse().ok().map(Self::Threads),
            Self::Secs(_) => {
                let secs = text.parse().ok()?;
                let possible = 0.0..=f64::MAX;
                possible.contains(&secs).then_some(Self::Secs(secs))
            }
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Count(_) | Self::Threads(_) => "a whole number",
            Self::Secs(_) => "a number of seconds",
        }
    }
}

/// The settings of one lesson, all of them, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings(Vec<(&'static str, Value)>);

impl Settings {
    /// Reads `KEY=VALUE` pairs over the defaults of `workload`; of two for one key the later holds.
    ///
    /// # Errors
    ///
    /// If a pair is none, its key is unknown, or its value is of another kind than the default.
    pub fn parse<'a>(
        workload: &Workload,
        pairs: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::defaults(workload);
        for pair in pairs {
            let (key, text) = pair
                .split_once('=')
                .ok_or_else(|| SettingsError::NotAPair(pair.to_owned()))?;
            let (_, value) = settings
                .0
                .iter_mut()
                .find(|(known, _)| *known == key)
                .ok_or_else(|| SettingsError::unknown(workload, key))?;
            *value = value
                .parse_like(text)
                .ok_or_else(|| SettingsError::Invalid {
                    key: key.to_owned(),
                    text: text.to_owned(),
                    wanted: value.kind(),
                })?;
        }
        Ok(settings)
    }

    /// The settings of `workload` when nobody sets any.
    pub fn defaults(workload: &Workload) -> Self {
        let settings = workload.settings.iter();
        Self(settings.map(|it| (it.key, it.default)).collect())
    }

    /// The setting `key`, which is a number of things.
    ///
    /// # Panics
    ///
    /// If the lesson has no such setting.
    pub fn count(&self, key: &str) -> usize {
        match self.get(key) {
            Value::Count(count) => count,
            _ => panic!("the setting {key} is not a count"),
        }
    }

    /// The setting `key`, which is a number of seconds.
    ///
    /// # Panics
    ///
    /// If the lesson has no such setting.
    pub fn secs(&self, key: &str) -> f64 {
        match self.get(key) {
            Value::Secs(secs) => secs,
            _ => panic!("the setting {key} is not a time"),
        }
    }

    /// How many threads there are to be for blocking calls, if the lesson says so.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.0.iter().find_map(|(_, value)| match value {
            Value::Threads(threads) => Some(*threads),
            _ => None,
        })
    }

    fn get(&self, key: &str) -> Value {
        let found = self.0.iter().find(|(known, _)| *known == key);
        found.map_or_else(|| panic!("no setting is called {key}"), |(_, value)| *value)
    }
}

/// Why settings were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// There is no `=` in it.
    #[error("`{0}` is not KEY=VALUE")]
    NotAPair(String),
    /// The lesson has no such setting.
    #[error("{workload} has no setting `{key}`; {known}")]
    Unknown {
        /// The lesson.
        workload: &'static str,
        /// What was asked for.
        key: String,
        /// Which settings it has, as a sentence.
        known: String,
    },
    /// The value is of the wrong kind.
    #[error("`{key}` must be {wanted}, not `{text}`")]
    Invalid {
        /// The setting.
        key: String,
        /// What was given.
        text: String,
        /// What it must be.
        wanted: &'static str,
    },
}

impl SettingsError {
    fn unknown(workload: &Workload, key: &str) -> Self {
        let keys: Vec<&str> = workload.settings.iter().map(|it| it.key).collect();
        let known = if keys.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", keys.join(", "))
        };
        Self::Unknown {
            workload: workload.name,
            key: key.to_owned(),
            known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, SettingsError};
    use crate::{Workload, find};

    fn gather() -> &'static Workload {
        find("gather").unwrap()
    }

    fn refusal(pair: &str) -> String {
        let error: SettingsError = Settings::parse(gather(), [pair]).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_later_pair_wins_over_an_earlier_and_over_the_default() {
        let settings = Settings::parse(gather(), ["workers=5", "workers=7"]).unwrap();
        assert_eq!(settings.count("workers"), 7);
        assert_eq!(Settings::defaults(gather()).count("workers"), 3);
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        assert_eq!(refusal("workers"), "`workers` is not KEY=VALUE");
        assert_eq!(
            refusal("waiters=3"),
            "gather has no setting `waiters`; it has workers"
        );
        assert_eq!(
            refusal("workers=-1"),
            "`workers` must be a whole number, not `-1`"
        );
        let hello = find("hello").unwrap();
        assert_eq!(
            Settings::parse(hello, ["x=1"]).unwrap_err().to_string(),
            "hello has no setting `x`; it has none"
        );
    }

    #[test]
    fn seconds_are_finite_and_not_negative() {
        let blocking = find("blocking").unwrap();
        assert!(Settings::parse(blocking, ["secs=0.5"]).is_ok());
        for text in ["secs=NaN", "secs=-1", "secs=inf", "secs="] {
            assert!(Settings::parse(blocking, [text]).is_err(), "{text}");
        }
    }
}
