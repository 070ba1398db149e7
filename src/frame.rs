//! The one event type: sources make frames, everything else reads them.
//!
//! A frame carries the source's clock. Nothing downstream looks at another one, so a
//! sequence of frames always gives the same model, live or replayed.

use std::time::{Duration, SystemTime};

use console_api::{instrument::Update, tasks::TaskDetails};
use loopview_api::v1;
use serde::{Deserialize, Serialize};

/// A point in time on the source's clock: nanoseconds since the Unix epoch.
#[derive(
    Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(u64);

impl Time {
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This machine's clock, for what has no other: output lines, gaps, the exit.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// From the wire; `None` if it lies before 1970 or past 2554, or is malformed.
    pub fn from_wire(t: &prost_types::Timestamp) -> Option<Self> {
        let seconds = u64::try_from(t.seconds).ok()?;
        let nanos = u64::try_from(t.nanos).ok().filter(|n| *n < 1_000_000_000)?;
        Some(Self(
            seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?,
        ))
    }

    /// How long after `earlier` this is; nothing if it is not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Time {
    fn from(t: SystemTime) -> Self {
        let since = t.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl std::ops::Add<Duration> for Time {
    type Output = Self;
    fn add(self, d: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl std::ops::Sub<Duration> for Time {
    type Output = Self;
    fn sub(self, d: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// What is watched, as the person named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// A workload's name, a program's file name, or an address.
    pub name: String,
    pub kind: TargetKind,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetKind {
    /// One of loopview's own lessons.
    Workload,
    /// A program that loopview started.
    Program,
    /// A program that ran already.
    Attached,
}

/// One thing that a source tells.
#[derive(Clone, Debug)]
pub struct Frame {
    pub at: Time,
    pub event: Event,
}

impl Frame {
    pub fn new(at: Time, event: Event) -> Self {
        Self { at, event }
    }

    /// A frame about something on this side of the wire.
    pub fn here(event: Event) -> Self {
        Self::new(Time::now(), event)
    }
}

#[derive(Clone, Debug)]
pub enum Event {
    /// Tasks, resources and async ops, from the console protocol.
    Console(Box<Update>),
    /// The histograms of one task, from the console protocol.
    Details(Box<TaskDetails>),
    /// What only our probe tells.
    Probe(Box<v1::Update>),
    /// Somebody has paused the target's instrument for everyone, or resumed it.
    Paused(bool),
    /// A line that the target wrote.
    Output(Line),
    /// The target has told nothing for a while; time goes on without it.
    Silence,
    /// There is a connection again after one that was lost, perhaps to another process at the
    /// same address: what was told before no longer holds, and all that does is told from here on.
    Anew,
    /// Something is missing from here on.
    Gap(Gap),
    /// The target's process has ended. The last frame of a launched target.
    Exit(Exit),
}

/// A line of a target's output, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub stream: Stream,
    pub text: String,
    /// Bytes left out at the end, because the line was too long to keep.
    pub cut: u64,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// What a person can do about a program that opens no endpoint.
pub const HOW_TO_OPEN: &str = "add `loopview_probe::init();` or `console_subscriber::init();` to \
                               its main, and build it with --cfg tokio_unstable";

/// Why frames are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The target runs, and has not opened an endpoint for so long that it may never do.
    NoEndpoint { waited: Duration },
    /// There was a connection, and it is gone.
    ConnectionLost { reason: String },
    /// It is still gone, since so long ago.
    Away {
        reason: String,
        lost: Duration,
        /// In how long another is tried; nothing if none is.
        again: Option<Duration>,
    },
    /// So many frames are not here: they came faster than they could be kept.
    Missing { frames: u64 },
}

/// How a process ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl From<std::process::ExitStatus> for Exit {
    fn from(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }
}
