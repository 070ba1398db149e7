//! Reads the fields of spans and events.

use std::fmt::{self, Write};

use loopview_api::v1::Outcome;
use tracing::field::{Field, Visit};

use crate::facts::{
    attributes::{Change, Value},
    site::SiteFields,
};

/// A span's fields, in buffers that are used again and again.
#[derive(Debug, Default)]
pub(crate) struct SpanFields {
    pub(crate) site: SiteFields,
    pub(crate) task_id: Option<u64>,
    pub(crate) name: String,
    outcome: String,
    pub(crate) other: Vec<(&'static str, Value)>,
}

impl SpanFields {
    pub(crate) fn clear(&mut self) {
        self.site.clear();
        self.task_id = None;
        self.name.clear();
        self.outcome.clear();
        self.other.clear();
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        outcome(&self.outcome)
    }

    fn text(&mut self, field: &Field) -> Option<&mut String> {
        // By bytes, which are told apart faster than texts: this is done for each new task.
        match field.name().as_bytes() {
            b"kind" => Some(&mut self.site.kind),
            b"task.name" | b"name" => Some(&mut self.name),
            b"loc.file" => Some(&mut self.site.file),
            b"fn" | b"concrete_type" | b"source" => Some(&mut self.site.what),
            b"outcome" => Some(&mut self.outcome),
            _ => None,
        }
    }
}

impl Visit for SpanFields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let line = || u32::try_from(value).unwrap_or(u32::MAX);
        match field.name().as_bytes() {
            b"task.id" => self.task_id = Some(value),
            b"loc.line" => self.site.line = Some(line()),
            b"loc.col" => self.site.column = line(),
            b"size.bytes" => self.site.size = Some(value),
            b"original_size.bytes" => self.site.original_size = Some(value),
            _ => self.other.push((field.name(), Value::U64(value))),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.other.push((field.name(), Value::I64(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "is_internal" => self.site.is_internal = value,
            "inherits_child_attrs" => self.site.inherits = value,
            name => self.other.push((name, Value::Bool(value))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(text) = self.text(field) {
            text.push_str(value);
        } else {
            self.other.push((field.name(), Value::Text(value.into())));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(text) = self.text(field) {
            // Writing into a string fails only if the value itself does.
            let _ = write!(text, "{value:?}");
        } else {
            let text = format!("{value:?}").into();
            self.other.push((field.name(), Value::Debug(text)));
        }
    }
}

fn outcome(text: &str) -> Option<Outcome> {
    match text {
        "ok" => Some(Outcome::Ok),
        "error" => Some(Outcome::Error),
        "cancelled" => Some(Outcome::Cancelled),
        "panicked" => Some(Outcome::Panicked),
        "timed_out" => Some(Outcome::TimedOut),
        _ => None,
    }
}

/// What is done with a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WakerOp {
    Clone,
    Drop,
    /// The waker is used up.
    Wake,
    WakeByRef,
}

/// An event with the target `tokio::task::waker`.
#[derive(Debug, Default)]
pub(crate) struct WakerEvent {
    /// The id of the task's span.
    pub(crate) span: u64,
    pub(crate) op: Option<WakerOp>,
}

impl Visit for WakerEvent {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "task.id" {
            self.span = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "op" {
            self.op = match value {
                "waker.clone" => Some(WakerOp::Clone),
                "waker.drop" => Some(WakerOp::Drop),
                "waker.wake" => Some(WakerOp::Wake),
                "waker.wake_by_ref" => Some(WakerOp::WakeByRef),
                _ => None,
            };
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// An event with the target `runtime::resource::poll_op`.
#[derive(Debug, Default)]
pub(crate) struct PollOpEvent {
    pub(crate) is_ready: Option<bool>,
}

impl Visit for PollOpEvent {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "is_ready" {
            self.is_ready = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// The name of a poll operation, which is wanted once for each place only.
#[derive(Debug, Default)]
pub(crate) struct OpName(pub(crate) String);

impl Visit for OpName {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "op_name" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "op_name" {
            self.0 = format!("{value:?}");
        }
    }
}

/// An event with the target `runtime::resource::state_update` or
/// `runtime::resource::async_op::state_update`: a field, and perhaps two more with its name
/// and `.unit` and `.op`.
#[derive(Debug, Default)]
pub(crate) struct StateEvent {
    pub(crate) field: Option<(&'static str, Value)>,
    pub(crate) unit: Option<String>,
    pub(crate) change: Change,
}

impl StateEvent {
    fn set(&mut self, field: &Field, value: Value) {
        self.field = Some((field.name(), value));
    }
}

impl Visit for StateEvent {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::U64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::I64(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name().strip_suffix(".op").is_some() {
            self.change = match value {
                "add" => Change::Add,
                "sub" => Change::Sub,
                _ => Change::Override,
            };
        } else if field.name().strip_suffix(".unit").is_some() {
            self.unit = Some(value.to_owned());
        } else {
            self.set(field, Value::Text(value.into()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, Value::Debug(format!("{value:?}").into()));
    }
}

/// An event with the target `loopview::task`.
#[derive(Debug, Default)]
pub(crate) struct TaskEvent {
    pub(crate) awaits: Option<u64>,
    outcome: String,
    pub(crate) error: String,
}

impl TaskEvent {
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        outcome(&self.outcome)
    }
}

impl Visit for TaskEvent {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "awaits" {
            self.awaits = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "outcome" => value.clone_into(&mut self.outcome),
            "error" => value.clone_into(&mut self.error),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "outcome" => self.outcome = format!("{value:?}"),
            "error" => self.error = format!("{value:?}"),
            _ => {}
        }
    }
}
