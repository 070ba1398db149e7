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
    /// The file's own name, without its folders.
    pub fn file_name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file)
    }
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

/// A span of time from the wire; what is absent, negative or malformed is none. At most the
/// longest that [`Time`](crate::frame::Time) can tell, so that sums do not overflow.
pub(super) fn duration(d: Option<&prost_types::Duration>) -> Duration {
    d.and_then(|d| Duration::try_from(*d).ok())
        .unwrap_or_default()
        .min(Duration::from_nanos(u64::MAX))
}
