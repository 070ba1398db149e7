//! What asyncio raises, as values.

use std::{fmt, sync::Arc};

/// What every future given to [`aio`](super) resolves to.
pub type Result<T> = std::result::Result<T, Error>;

/// What asyncio would have raised.
///
/// A finished task can be awaited any number of times and gives the same error each time, so an error
/// can be cloned. Every [`std::error::Error`] turns into [`Error::Failed`] with `?`; for that to be
/// possible this type is not a `std::error::Error` itself.
#[derive(Clone, Debug)]
pub enum Error {
    /// The task was asked to end (`CancelledError`).
    Cancelled,
    /// The time was up (`TimeoutError`).
    TimedOut,
    /// What the children of a [`TaskGroup`](super::TaskGroup) raised, in the order in which they
    /// ended (`ExceptionGroup`).
    Group(Vec<Error>),
    /// Any other error: the program's own.
    Failed(Arc<dyn std::error::Error + Send + Sync>),
}

/// What asyncio answers with a `RuntimeError` or a `ValueError`: a word used where it cannot be. It is
/// told by an [`Error::Failed`], as the program's own errors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// A task was added to a [`TaskGroup`](super::TaskGroup) that has begun to cancel its tasks.
    #[error("the TaskGroup is shutting down")]
    GroupShuttingDown,
    /// A task was added to a [`TaskGroup`](super::TaskGroup) that has ended.
    #[error("the TaskGroup is finished")]
    GroupFinished,
    /// A [`Timeout`](super::Timeout) was moved after it had expired or its block had ended.
    #[error("the timeout is over and cannot be moved")]
    TimeoutOver,
    /// A [`BoundedSemaphore`](super::BoundedSemaphore) was released more often than acquired.
    #[error("the BoundedSemaphore is released too many times")]
    ReleasedTooOften,
    /// A task awaits itself, which would never end.
    #[error("a task cannot await itself")]
    AwaitsItself,
}

impl Error {
    /// An error that is only a text, as `RuntimeError("…")`.
    pub fn msg(text: impl Into<String>) -> Self {
        Self::Failed(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
            text.into(),
        )))
    }

    /// Whether this is [`Error::Cancelled`]: a task that ends with it ends *cancelled*, not failed.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// The program's own error, if it is an `E`.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Draws a group as Python prints an `ExceptionGroup`: `margin` is what stands left of its members.
    fn fmt_tree(&self, f: &mut fmt::Formatter<'_>, margin: &str) -> fmt::Result {
        let Self::Group(errors) = self else {
            let text = self.to_string();
            let mut lines = text.lines();
            write!(f, "{margin}| {}", lines.next().unwrap_or_default())?;
            return lines.try_for_each(|line| write!(f, "\n{margin}| {line}"));
        };
        write!(f, "{margin}| {}", heading(errors))?;
        let inner = format!("{margin}  ");
        for (index, error) in errors.iter().enumerate() {
            let branch = if index == 0 {
                format!("{margin}+-+")
            } else {
                format!("{inner}+")
            };
            writeln!(f, "\n{branch}{RULE} {} {RULE}", index + 1)?;
            error.fmt_tree(f, &inner)?;
        }
        // A group that is the last of another ends with it.
        if !matches!(errors.last(), Some(Self::Group(_))) {
            write!(f, "\n{inner}+{RULE}----{RULE}")?;
        }
        Ok(())
    }
}

const RULE: &str = "----------------";

/// One line; with `{:#}`, a group is drawn as a tree, as Python prints it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Failed(error) => write!(f, "{error}"),
            Self::Group(_) if f.alternate() => self.fmt_tree(f, "  "),
            Self::Group(errors) => {
                let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
                write!(f, "{}: {}", heading(errors), texts.join("; "))
            }
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// For libraries that take any error, as hyper does from a service.
impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        error.to_string().into()
    }
}

fn heading(errors: &[Error]) -> String {
    let s = if errors.len() == 1 { "" } else { "s" };
    let count = errors.len();
    format!("unhandled errors in a TaskGroup ({count} sub-exception{s})")
}

#[cfg(test)]
mod tests {
    use super::Error;

    fn nested() -> Error {
        let inner = Error::Group(vec![Error::TimedOut]);
        Error::Group(vec![Error::msg("no table free"), inner])
    }

    #[test]
    fn a_group_is_one_line_or_a_tree() {
        assert_eq!(
            nested().to_string(),
            "unhandled errors in a TaskGroup (2 sub-exceptions): no table free; \
             unhandled errors in a TaskGroup (1 sub-exception): timed out"
        );
        assert_eq!(
            format!("{:#}", nested()),
            "  | unhandled errors in a TaskGroup (2 sub-exceptions)\n  \
             +-+---------------- 1 ----------------\n    \
             | no table free\n    \
             +---------------- 2 ----------------\n    \
             | unhandled errors in a TaskGroup (1 sub-exception)\n    \
             +-+---------------- 1 ----------------\n      \
             | timed out\n      \
             +------------------------------------"
        );
    }

    #[test]
    fn the_programs_own_error_keeps_its_type() {
        let error = Error::from("x".parse::<u8>().unwrap_err());
        assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
        assert!(error.downcast_ref::<std::io::Error>().is_none());
    }
}
