//! What the target wrote.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::kept::{self, Sound, Unsound};
use crate::frame::{self, Stream, Time};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputLine {
    pub at: Time,
    pub stream: Stream,
    pub text: Box<str>,
    /// Bytes of the line that were left out.
    pub cut: u64,
}

/// The newest lines; how many older ones were let go is counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Output {
    lines: VecDeque<OutputLine>,
    #[serde(skip)]
    bytes: usize,
    dropped: u64,
}

impl Sound for Output {
    fn sound(mut self) -> Result<Self, Unsound> {
        kept::countable(&[self.dropped])?;
        self.bytes = self.lines.iter().map(|line| line.text.len()).sum();
        Ok(self)
    }
}

impl Output {
    /// Text kept at most; older lines go first.
    const MAX_BYTES: usize = 4 * 1024 * 1024;
    const MAX_LINES: usize = 20_000;

    /// Oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &OutputLine> + ExactSizeIterator {
        self.lines.iter()
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines that were let go to bound memory.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn push(&mut self, at: Time, line: &frame::Line) {
        self.bytes += line.text.len();
        self.lines.push_back(OutputLine {
            at,
            stream: line.stream,
            text: line.text.as_str().into(),
            cut: line.cut,
        });
        while self.bytes > Self::MAX_BYTES || self.lines.len() > Self::MAX_LINES {
            let Some(old) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= old.text.len();
            self.dropped += 1;
        }
    }
}
