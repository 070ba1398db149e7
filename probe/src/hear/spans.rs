//! What each of tracing's live spans stands for.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use tracing::Metadata;

use crate::facts::{op::Op, resource::Resource, scope::Scope, task::Task};

/// What a span stands for.
#[derive(Clone, Debug)]
pub(crate) enum Entity {
    Task(Arc<Task>),
    Resource(Arc<Resource>),
    Op(Arc<Op>),
    Scope(Arc<Scope>),
}

impl Entity {
    pub(super) fn meta(&self) -> &'static Metadata<'static> {
        match self {
            Self::Task(task) => task.site.meta,
            Self::Resource(resource) => resource.site.meta,
            Self::Op(op) => op.site.meta,
            Self::Scope(scope) => scope.meta,
        }
    }

    /// Its span is gone, and may have been given to another.
    fn is_closed(&self) -> bool {
        match self {
            Self::Task(task) => task.is_closed(),
            Self::Resource(resource) => resource.is_closed(),
            Self::Op(op) => op.is_closed(),
            Self::Scope(scope) => scope.is_closed(),
        }
    }
}

const SHARDS: usize = 64;

/// By span id. Threads of the program wait here for one another as long as a look into a
/// table takes; nobody else takes part.
#[derive(Debug)]
pub(crate) struct Spans([RwLock<Shard>; SHARDS]);

type Shard = HashMap<u64, Row, BuildHasherDefault<SpanHasher>>;

#[derive(Debug)]
struct Row {
    entity: Entity,
    /// How often the span is held, if nobody else counts that.
    holders: AtomicU32,
}

impl Default for Spans {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl Spans {
    fn shard(&self, span: u64) -> &RwLock<Shard> {
        &self.0[(mix(span) >> 58) as usize % SHARDS]
    }

    pub(crate) fn insert(&self, span: u64, entity: Entity) {
        let holders = AtomicU32::new(1);
        let row = Row { entity, holders };
        let shard = self.shard(span).write();
        shard
            .unwrap_or_else(PoisonError::into_inner)
            .insert(span, row);
    }

    pub(crate) fn remove(&self, span: u64) -> Option<Entity> {
        let shard = self.shard(span).write();
        let row = shard.unwrap_or_else(PoisonError::into_inner).remove(&span);
        row.map(|row| row.entity)
    }

    /// One more holds the span.
    pub(crate) fn hold(&self, span: u64) {
        let shard = self.shard(span).read();
        if let Some(row) = shard.unwrap_or_else(PoisonError::into_inner).get(&span) {
            row.holders.fetch_add(1, Relaxed);
        }
    }

    /// One less does; gives what it stood for if it was the last one.
    pub(crate) fn release(&self, span: u64) -> Option<Entity> {
        let shard = self.shard(span).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        let Entry::Occupied(row) = shard.entry(span) else {
            return None;
        };
        let is_last = row.get().holders.fetch_sub(1, Relaxed) == 1;
        is_last.then(|| row.remove().entity)
    }

    pub(crate) fn get(&self, span: u64) -> Option<Entity> {
        let shard = self.shard(span).read();
        shard
            .unwrap_or_else(PoisonError::into_inner)
            .get(&span)
            .map(|row| row.entity.clone())
    }
}

/// Span ids are neither random nor chosen by anybody: one multiplication spreads them.
fn mix(span: u64) -> u64 {
    span.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[derive(Debug, Default)]
pub(crate) struct SpanHasher(u64);

impl Hasher for SpanHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = mix(self.0 ^ n).rotate_left(26);
    }
}

const NEAR: usize = 64;

/// The spans that a thread met last. An entity is taken out while it is entered.
#[derive(Debug)]
pub(crate) struct NearSpans([Option<(u64, Entity)>; NEAR]);

impl Default for NearSpans {
    fn default() -> Self {
        Self([const { None }; NEAR])
    }
}

impl NearSpans {
    fn slot(&mut self, span: u64) -> &mut Option<(u64, Entity)> {
        &mut self.0[(mix(span) >> 52) as usize % NEAR]
    }

    /// What is known of the span here, unless that is out of date.
    pub(crate) fn get(&mut self, span: u64) -> Option<&Entity> {
        match self.slot(span) {
            Some((id, entity)) if *id == span && !entity.is_closed() => Some(entity),
            _ => None,
        }
    }

    pub(crate) fn take(&mut self, span: u64) -> Option<Entity> {
        self.get(span)?;
        self.slot(span).take().map(|(_, entity)| entity)
    }

    pub(crate) fn put(&mut self, span: u64, entity: Entity) {
        *self.slot(span) = Some((span, entity));
    }

    /// The span is gone, and nothing is kept for it.
    pub(crate) fn forget(&mut self, span: u64) {
        let slot = self.slot(span);
        if slot.as_ref().is_some_and(|(id, _)| *id == span) {
            *slot = None;
        }
    }
}
