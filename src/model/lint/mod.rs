//! What is wrong with the target: why it matters, and how to mend it.
//!
//! Each lint is a type in a file of its own, which judges one [`Subject`] and explains itself. The
//! judge ([`judge`]) brings before all of them what a frame has told, so that nothing is looked
//! at twice; [`findings`] keeps what they found, [`recent`] what explains it. A lint never reads
//! a clock: a replay finds what was found live.
//!
//! To add one: its file, and a line in the table below.

mod auto_boxed_future;
mod await_cycle;
mod blocked;
mod blocked_loop;
mod blocking_pool_full;
mod explain;
mod finding;
mod findings;
mod forgotten_task;
mod growing_queue;
mod judge;
mod large_future;
mod late_timer;
mod lock_held;
mod long_poll;
mod lost_data;
mod lost_waker;
mod needless_async;
mod never_yielded;
mod panicked_task;
mod recent;
mod scene;
mod self_wakes;
mod serial_awaits;
mod starved;
mod thresholds;
mod unbalanced_wakes;

use serde::{Deserialize, Serialize};

pub use blocked::{Blocked, Victim};
pub use finding::{Figure, Finding, FindingId};
pub use findings::Lints;
pub use scene::{Poll, Scene, Subject};
pub use thresholds::{Limit, Thresholds};

/// One thing that can be wrong.
pub trait Lint: Sync {
    fn severity(&self) -> Severity;

    /// What is wrong, in one line, for a list of lints.
    fn summary(&self) -> &'static str;

    fn explain(&self) -> Explanation;

    /// Judges one subject. Most are none of a lint's business.
    fn check(&self, subject: &Subject<'_>, scene: Scene<'_>) -> Verdict;
}

/// What a person can learn of a lint, in sentences; `code` stands between backquotes.
#[derive(Copy, Clone, Debug)]
pub struct Explanation {
    /// What it means that this was found.
    pub what: &'static str,
    /// Why it hurts.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// The lesson that shows it, or why none does.
    pub lesson: Result<&'static str, &'static str>,
}

/// What a lint says of a subject.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// It would be wrong if it stayed so: the task is to be brought again.
    Later,
    Found(Box<Finding>),
}

impl From<Option<Finding>> for Verdict {
    fn from(found: Option<Finding>) -> Self {
        found.map_or(Self::Fine, |finding| Self::Found(Box::new(finding)))
    }
}

/// From the least to the worst.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; often meant to be so.
    Note,
    /// Costs time, or will one day.
    Warning,
    /// The program does not do what it should.
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The table of lints: a variant, the name by which it is known outside, and its type.
macro_rules! lints {
    ($($kind:ident $name:literal $module:ident,)*) => {
        /// Which lint it is.
        #[derive(
            Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// In the order in which they are listed: of one theme after the other.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name by which it is known outside.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            pub fn lint(self) -> &'static dyn Lint {
                match self {
                    $(Self::$kind => &$module::$kind,)*
                }
            }
        }
    };
}

lints! {
    BlockedLoop "blocked-loop" blocked_loop,
    LongPoll "long-poll" long_poll,
    NeverYielded "never-yielded" never_yielded,
    Starved "starved" starved,
    LateTimer "late-timer" late_timer,
    BlockingPoolFull "blocking-pool-full" blocking_pool_full,
    AwaitCycle "await-cycle" await_cycle,
    LostWaker "lost-waker" lost_waker,
    LockHeld "lock-held-across-slow-await" lock_held,
    GrowingQueue "growing-queue" growing_queue,
    SelfWakes "self-wakes" self_wakes,
    UnbalancedWakes "unbalanced-wakes" unbalanced_wakes,
    NeedlessAsync "needless-async" needless_async,
    SerialAwaits "serial-awaits" serial_awaits,
    LargeFuture "large-future" large_future,
    AutoBoxedFuture "auto-boxed-future" auto_boxed_future,
    ForgottenTask "forgotten-task" forgotten_task,
    PanickedTask "panicked-task" panicked_task,
    LostData "lost-data" lost_data,
}

impl Kind {
    pub fn severity(self) -> Severity {
        self.lint().severity()
    }

    /// The lint of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
