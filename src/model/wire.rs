//! Small pieces of the wire that several parts of the model read.

use std::{fmt, time::Duration};

use console_api as console;
use loopview_api::v1;
use serde::{Deserialize, Serialize};

/// A place in source code. Columns are not kept: a line says enough.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    pub file: Box<str>,
    pub line: u32,
}

impl Location {
    /// What a person knows the place by, such as `gather.rs:42`: the file without its folders,
    /// but for one that says nothing alone, as in `serve/mod.rs:389`. The file of a crate that
    /// cargo fetched stands behind that crate's name: `axum/serve/mod.rs:389`.
    pub fn short(&self) -> String {
        let mut folders: Vec<&str> = self.file.split(['/', '\\']).collect();
        let name = folders.pop().unwrap_or_default();
        let folder = folders
            .pop()
            .filter(|folder| name == "mod.rs" && !folder.is_empty());
        let mut short = String::new();
        for part in self.package().into_iter().chain(folder) {
            short.push_str(part);
            short.push('/');
        }
        short.push_str(name);
        format!("{short}:{}", self.line)
    }

    /// The crate that cargo fetched from a registry, if the place is in one: nobody changes it there.
    pub fn package(&self) -> Option<&str> {
        let folders: Vec<&str> = self.file.split(['/', '\\']).collect();
        folders.windows(5).find_map(|path| match path {
            ["registry", "src", _, package, _] => Some(package_name(package)),
            _ => None,
        })
    }
}

/// `axum` of `axum-0.8.9`.
fn package_name(package: &str) -> &str {
    let is_version = |(at, _): &(usize, &str)| {
        let version = &package[at + 1..];
        version.starts_with(|c: char| c.is_ascii_digit())
    };
    let version = package.match_indices('-').find(is_version);
    version.map_or(package, |(at, _)| &package[..at])
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl TryFrom<&console::Location> for Location {
    type Error = ();
    fn try_from(l: &console::Location) -> Result<Self, ()> {
        match (&l.file, l.line) {
            (Some(file), Some(line)) if !file.is_empty() => Ok(Self {
                file: file.as_str().into(),
                line,
            }),
            _ => Err(()),
        }
    }
}

impl TryFrom<&v1::Location> for Location {
    type Error = ();
    fn try_from(l: &v1::Location) -> Result<Self, ()> {
        if l.file.is_empty() {
            return Err(());
        }
        Ok(Self {
            file: l.file.as_str().into(),
            line: l.line,
        })
    }
}

/// The place that is told; the known one is kept if it is the same, as it mostly is.
pub(super) fn location(known: Option<Location>, told: Option<&v1::Location>) -> Option<Location> {
    let told = told?;
    match known {
        Some(known) if (&*known.file, known.line) == (&told.file, told.line) => Some(known),
        _ => told.try_into().ok(),
    }
}

/// A span of time from the wire; what is absent, negative or malformed is none. At most the
/// longest that [`Time`](crate::frame::Time) can tell, so that sums do not overflow.
pub(super) fn duration(d: Option<&prost_types::Duration>) -> Duration {
    // prost's own conversion overflows where the least of all numbers is told.
    let known = d.and_then(|d| {
        let seconds = u64::try_from(d.seconds).ok()?;
        let nanos = u32::try_from(d.nanos).ok().filter(|n| *n < 1_000_000_000)?;
        Some(Duration::new(seconds, nanos))
    });
    known
        .unwrap_or_default()
        .min(Duration::from_nanos(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_short_and_says_whose_it_is() {
        let cargo = "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
        for (file, short) in [
            ("workloads/src/gather.rs", "gather.rs:7"),
            (r"C:\work\src\main.rs", "main.rs:7"),
            ("mod.rs", "mod.rs:7"),
            ("src/pool/mod.rs", "pool/mod.rs:7"),
            (
                &format!("{cargo}/axum-0.8.9/src/serve/mod.rs"),
                "axum/serve/mod.rs:7",
            ),
            (
                &format!("{cargo}/tokio-1.54.1/src/sync/mutex.rs"),
                "tokio/mutex.rs:7",
            ),
            (
                &format!("{cargo}/hyper-util-1.0.0-rc.1/src/lib.rs"),
                "hyper-util/lib.rs:7",
            ),
            ("/", ":7"),
        ] {
            let file = file.into();
            assert_eq!(Location { file, line: 7 }.short(), short);
        }
    }

    #[test]
    fn a_span_that_makes_no_sense_is_none() {
        let told = |seconds, nanos| duration(Some(&prost_types::Duration { seconds, nanos }));
        assert_eq!(told(1, 5), Duration::new(1, 5));
        assert_eq!(told(i64::MAX, 0), Duration::from_nanos(u64::MAX));
        for (seconds, nanos) in [(0, i32::MIN), (0, -1), (-1, 0), (i64::MIN, i32::MIN)] {
            assert_eq!(told(seconds, nanos), Duration::ZERO);
        }
        assert_eq!(told(3, 1_000_000_000), Duration::ZERO);
        assert_eq!(duration(None), Duration::ZERO);
    }
}
