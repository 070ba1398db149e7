//! What a resource or an operation says of itself: permits, locked or not, a duration.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use tracing::Metadata;

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    U64(u64),
    I64(i64),
    Bool(bool),
    Text(Box<str>),
    /// By `Debug` or `Display`.
    Debug(Box<str>),
}

/// How an update changes a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Change {
    #[default]
    Override,
    Add,
    Sub,
}

/// One `state_update` event.
#[derive(Debug)]
pub(crate) struct Update<'a> {
    /// The resource or operation that it is about: a child's is told of its parent, too.
    pub(crate) of: u64,
    pub(crate) meta: &'static Metadata<'static>,
    pub(crate) name: &'static str,
    pub(crate) value: &'a Value,
    pub(crate) unit: Option<&'a str>,
    pub(crate) change: Change,
}

/// A list that only grows, and only by attributes that have not been there.
#[derive(Debug, Default)]
pub(crate) struct Attributes(OnceLock<Box<Attribute>>);

#[derive(Debug)]
struct Attribute {
    of: u64,
    meta: &'static Metadata<'static>,
    name: &'static str,
    unit: Option<Box<str>>,
    held: Held,
    next: Attributes,
}

/// An attribute keeps the type that it began with, as in console-subscriber.
#[derive(Debug)]
enum Held {
    U64(AtomicU64),
    I64(AtomicU64),
    Bool(AtomicU64),
    /// tokio has hardly any of these: only they are behind a lock.
    Text(Mutex<Box<str>>),
    Debug(Mutex<Box<str>>),
}

impl Attributes {
    fn iter(&self) -> impl Iterator<Item = &Attribute> {
        std::iter::successors(self.0.get(), |a| a.next.0.get()).map(|a| &**a)
    }

    pub(crate) fn update(&self, update: &Update<'_>) {
        let mut list = self;
        loop {
            let mut is_new = false;
            let attribute = list.0.get_or_init(|| {
                is_new = true;
                Box::new(Attribute::new(update))
            });
            if is_new {
                return;
            }
            if attribute.of == update.of && attribute.name == update.name {
                return attribute.held.update(update);
            }
            list = &attribute.next;
        }
    }

    pub(crate) fn read(&self) -> Box<[Read]> {
        self.iter()
            .map(|a| Read {
                meta: a.meta,
                name: a.name,
                unit: a.unit.clone(),
                value: a.held.read(),
            })
            .collect()
    }
}

impl Attribute {
    fn new(update: &Update<'_>) -> Self {
        Self {
            of: update.of,
            meta: update.meta,
            name: update.name,
            unit: update.unit.map(Into::into),
            held: match update.value {
                Value::U64(n) => Held::U64(AtomicU64::new(*n)),
                Value::I64(n) => Held::I64(AtomicU64::new(n.cast_unsigned())),
                Value::Bool(yes) => Held::Bool(AtomicU64::new(u64::from(*yes))),
                Value::Text(text) => Held::Text(Mutex::new(text.clone())),
                Value::Debug(text) => Held::Debug(Mutex::new(text.clone())),
            },
            next: Attributes::default(),
        }
    }
}

impl Held {
    fn update(&self, update: &Update<'_>) {
        match (self, update.value) {
            (Self::U64(held), Value::U64(n)) => change(held, |old| match update.change {
                Change::Override => *n,
                Change::Add => old.saturating_add(*n),
                Change::Sub => old.saturating_sub(*n),
            }),
            (Self::I64(held), Value::I64(n)) => change(held, |old| {
                let old = old.cast_signed();
                let new = match update.change {
                    Change::Override => *n,
                    Change::Add => old.saturating_add(*n),
                    Change::Sub => old.saturating_sub(*n),
                };
                new.cast_unsigned()
            }),
            (Self::Bool(held), Value::Bool(yes)) => held.store(u64::from(*yes), Release),
            (Self::Text(held), Value::Text(text)) | (Self::Debug(held), Value::Debug(text)) => {
                held.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone_from(text);
            }
            _ => {}
        }
    }

    fn read(&self) -> Value {
        let text =
            |held: &Mutex<Box<str>>| held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match self {
            Self::U64(held) => Value::U64(held.load(Acquire)),
            Self::I64(held) => Value::I64(held.load(Acquire).cast_signed()),
            Self::Bool(held) => Value::Bool(held.load(Acquire) != 0),
            Self::Text(held) => Value::Text(text(held)),
            Self::Debug(held) => Value::Debug(text(held)),
        }
    }
}

fn change(held: &AtomicU64, new: impl Fn(u64) -> u64) {
    let _ = held.fetch_update(Release, Relaxed, |old| Some(new(old)));
}

/// An attribute as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) meta: &'static Metadata<'static>,
    pub(crate) name: &'static str,
    pub(crate) unit: Option<Box<str>>,
    pub(crate) value: Value,
}
