//! The language that scenarios are written in, as README.md beside this file tells it.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A program.
#[derive(Clone, Debug, Deserialize)]
pub struct Spec {
    pub main: Body,
    /// How many calls run on threads at once.
    #[serde(default = "four")]
    pub threads: usize,
}

fn four() -> usize {
    4
}

/// One node, or several in order.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Body {
    One(Box<Node>),
    Many(Vec<Node>),
}

impl Body {
    pub fn nodes(&self) -> &[Node] {
        match self {
            Self::One(node) => std::slice::from_ref(node),
            Self::Many(nodes) => nodes,
        }
    }
}

/// What a combinator takes: a task that exists, or a new coroutine.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Aw {
    Body(Body),
    Task { task: String },
}

/// How something ends. The first of these that is there holds. `base_err` and `exit` are not here:
/// see [`unsupported`].
#[derive(Clone, Debug, Default, Deserialize)]
pub struct End {
    pub err: Option<String>,
    #[serde(default)]
    pub cancelled: bool,
    #[serde(default, deserialize_with = "present")]
    pub ok: Option<Value>,
}

/// What `work` does when it is cancelled.
#[derive(Clone, Debug, Deserialize)]
pub struct OnCancel {
    pub after: f64,
    #[serde(flatten)]
    pub end: End,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Node {
    Work {
        name: String,
        ms: f64,
        on_cancel: Option<OnCancel>,
        #[serde(flatten)]
        end: End,
    },
    Sleep {
        ms: f64,
    },
    Block {
        name: String,
        ms: f64,
    },
    Value {
        ok: Value,
    },
    Raise {
        #[serde(flatten)]
        end: End,
    },
    Make {
        run: Body,
    },
    Spawn {
        task: String,
        run: Body,
        group: Option<String>,
    },
    Await {
        task: String,
    },
    Cancel {
        task: String,
    },
    Gather {
        of: Vec<Aw>,
        #[serde(default)]
        return_exceptions: bool,
    },
    WaitFor {
        of: Aw,
        ms: Option<f64>,
    },
    Shield {
        of: Aw,
    },
    AsCompleted {
        of: Vec<Aw>,
        ms: Option<f64>,
        label: String,
        limit: Option<usize>,
    },
    Group {
        id: String,
        body: Body,
    },
    Timeout {
        id: String,
        ms: Option<f64>,
        body: Body,
    },
    Reschedule {
        id: String,
        ms: Option<f64>,
    },
    Sem {
        id: String,
        permits: i64,
        #[serde(default)]
        bounded: bool,
    },
    Acquire {
        id: String,
    },
    Release {
        id: String,
    },
    WithSem {
        id: String,
        body: Body,
    },
    ToThread {
        name: String,
        ms: f64,
        #[serde(default, deserialize_with = "present")]
        set_var: Option<Value>,
        #[serde(flatten)]
        end: End,
    },
    SetVar {
        ok: Value,
    },
    GetVar,
    Try {
        label: String,
        body: Body,
    },
    Note {
        label: String,
        body: Body,
    },
    Probe {
        label: String,
        #[serde(flatten)]
        what: Probe,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Probe {
    Cancelling,
    Expired { id: String },
    When { id: String },
    State { task: String },
}

/// Tells a null from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why Rust has no match for a program; nothing if it has.
pub fn unsupported(spec: &Value) -> Option<&'static str> {
    match spec {
        Value::Object(fields) => {
            if fields.contains_key("base_err") {
                return Some("base_err: Rust has no errors outside of the ordinary ones");
            }
            if fields.contains_key("op") && fields.contains_key("exit") {
                return Some("exit: std::process::exit unwinds nothing, so no task can see it");
            }
            fields.values().find_map(unsupported)
        }
        Value::Array(items) => items.iter().find_map(unsupported),
        _ => None,
    }
}
