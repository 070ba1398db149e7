//! Reads the fields of spans and events.

use std::fmt::{self, Write};

use loopview_api::v1::Outcome;
use tracing::{
    Metadata,
    field::{Field, Visit},
    span::Attributes,
};

use crate::facts::{
    attributes::{Change, Value},
    site::{NearSites, Site, SiteFields, Sites},
};

/// What a field of a span is, which its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Kind,
    Name,
    What,
    File,
    Line,
    Column,
    TaskId,
    Size,
    OriginalSize,
    IsInternal,
    Inherits,
    Other,
}

impl Meaning {
    fn of(name: &str) -> Self {
        match name {
            "kind" => Self::Kind,
            "task.name" | "name" => Self::Name,
            "fn" | "concrete_type" | "source" => Self::What,
            "loc.file" => Self::File,
            "loc.line" => Self::Line,
            "loc.col" => Self::Column,
            "task.id" => Self::TaskId,
            "size.bytes" => Self::Size,
            "original_size.bytes" => Self::OriginalSize,
            "is_internal" => Self::IsInternal,
            "inherits_child_attrs" => Self::Inherits,
            _ => Self::Other,
        }
    }
}

/// The fields of spans of one callsite, one after the other.
#[derive(Debug)]
pub(crate) struct SpanFields {
    meta: &'static Metadata<'static>,
    /// By the fields' index: to tell names apart for each span takes longer.
    meanings: Box<[Meaning]>,
    pub(crate) site: SiteFields,
    pub(crate) task_id: Option<u64>,
    pub(crate) name: String,
    pub(crate) other: Vec<(&'static str, Value)>,
}

impl SpanFields {
    pub(crate) fn new(meta: &'static Metadata<'static>) -> Self {
        let meanings = meta.fields().iter();
        Self {
            meta,
            meanings: meanings.map(|field| Meaning::of(field.name())).collect(),
            site: SiteFields::default(),
            task_id: None,
            name: String::new(),
            other: Vec::new(),
        }
    }

    pub(crate) fn read(&mut self, attrs: &Attributes<'_>) {
        self.site.begin();
        self.task_id = None;
        self.name.clear();
        self.other.clear();
        attrs.record(self);
        self.site.end();
    }

    pub(crate) fn site(&mut self, near: &mut NearSites, all: &Sites) -> &'static Site {
        self.site.find(self.meta, near, all)
    }

    fn meaning(&self, field: &Field) -> Meaning {
        let meaning = self.meanings.get(field.index());
        meaning.copied().unwrap_or(Meaning::Other)
    }

    fn text(&mut self, field: &Field) -> Option<&mut dyn Write> {
        match self.meaning(field) {
            Meaning::Kind => Some(&mut self.site.kind),
            Meaning::Name => Some(&mut self.name),
            Meaning::What => Some(&mut self.site.what),
            Meaning::File => Some(&mut self.site.file),
            _ => None,
        }
    }
}

impl Visit for SpanFields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let line = || u32::try_from(value).unwrap_or(u32::MAX);
        match self.meaning(field) {
            Meaning::TaskId => self.task_id = Some(value),
            Meaning::Line => self.site.line = Some(line()),
            Meaning::Column => self.site.column = line(),
            Meaning::Size => self.site.size = Some(value),
            Meaning::OriginalSize => self.site.original_size = Some(value),
            _ => self.other.push((field.name(), Value::U64(value))),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.other.push((field.name(), Value::I64(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match self.meaning(field) {
            Meaning::IsInternal => self.site.is_internal = value,
            Meaning::Inherits => self.site.inherits = value,
            _ => self.other.push((field.name(), Value::Bool(value))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(text) = self.text(field) {
            // Writing into a string does not fail.
            let _ = text.write_str(value);
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

/// An event with the target `loopview::task`, or what a scope says later on.
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
