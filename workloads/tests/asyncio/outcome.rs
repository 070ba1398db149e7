//! How things ended, as JSON.

use loopview_workloads::aio::{Error, Misuse, Result, Task};
use serde_json::{Value, json};

/// The error that scenarios raise by name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Boom(pub String);

/// A semaphore was to be made with fewer than no permits, which `aio` cannot even say.
#[derive(Debug, thiserror::Error)]
#[error("a semaphore has no fewer than 0 permits")]
pub struct NegativePermits;

/// What was raised.
pub fn of_error(error: &Error) -> Value {
    match error {
        Error::Cancelled => json!({"cancelled": true}),
        Error::TimedOut => json!({"timeout": true}),
        Error::Group(errors) => {
            json!({"group": errors.iter().map(of_error).collect::<Vec<_>>()})
        }
        Error::Failed(_) => of_failure(error),
    }
}

fn of_failure(error: &Error) -> Value {
    if let Some(Boom(name)) = error.downcast_ref() {
        return json!({"err": name});
    }
    match error.downcast_ref() {
        Some(Misuse::GroupShuttingDown) => json!({"runtime_error": "shutting_down"}),
        Some(Misuse::GroupFinished) => json!({"runtime_error": "finished"}),
        Some(Misuse::TimeoutOver) => json!({"runtime_error": "not_active"}),
        Some(Misuse::ReleasedTooOften) => json!({"value_error": true}),
        _ if error.downcast_ref::<NegativePermits>().is_some() => json!({"value_error": true}),
        _ => json!({"unexpected": error.to_string()}),
    }
}

/// What was returned or raised.
pub fn of(result: &Result<Value>) -> Value {
    match result {
        Ok(value) => json!({"ok": value}),
        Err(error) => of_error(error),
    }
}

pub fn of_task(task: &Task<Value>) -> Value {
    match task.result() {
        Some(result) => of(&result),
        None => json!({"pending": true}),
    }
}
