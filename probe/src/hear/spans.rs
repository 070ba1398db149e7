//! What each of tracing's live spans stands for.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU64,
    sync::{
        Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use crossbeam_queue::SegQueue;
use tracing::Metadata;

use crate::facts::{changes::Changed, op::Op, resource::Resource, scope::Scope, task::Task};

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
}

impl From<Entity> for Changed {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::Task(task) => Self::Task(task),
            Entity::Resource(resource) => Self::Resource(resource),
            Entity::Op(op) => Self::Op(op),
            Entity::Scope(scope) => Self::Scope(scope),
        }
    }
}

/// By the id of a span. Threads of the program wait here for one another as long as a look
/// takes; nobody else takes part.
#[derive(Debug)]
pub(crate) enum Spans {
    /// The ids are ours: they say where to look.
    Own(Box<Slots>),
    /// Somebody else chose them.
    Foreign(Box<Shards>),
}

impl Spans {
    pub(crate) fn insert(&self, span: u64, entity: Entity) {
        match self {
            Self::Own(slots) => slots.insert(span, entity),
            Self::Foreign(shards) => {
                shards.write(span).insert(span, entity);
            }
        }
    }

    /// One less holds the span: of those of somebody else, who counts them, the last one.
    pub(crate) fn release(&self, span: u64) -> Released {
        match self {
            Self::Own(slots) => slots.release(span),
            Self::Foreign(shards) => Released::Closed(shards.write(span).remove(&span), None),
        }
    }

    /// A place with this next id can be used again.
    pub(super) fn free(&self, next: u64) {
        if let Self::Own(slots) = self {
            slots.free.push(next);
        }
    }

    /// Shows all that there is. This is the one time that the program's threads may wait
    /// for the publisher: when somebody begins to watch, and for one span each.
    pub(crate) fn each(&self, show: impl FnMut(&Entity)) {
        match self {
            Self::Own(slots) => slots.each(show),
            Self::Foreign(shards) => shards.each(show),
        }
    }

    /// Shows what a span stands for.
    pub(crate) fn look<R>(&self, span: u64, look: impl FnOnce(&Entity) -> R) -> Option<R> {
        match self {
            Self::Own(slots) => slots.look(span, look),
            Self::Foreign(shards) => shards.read(span).get(&span).map(look),
        }
    }

    pub(crate) fn get(&self, span: u64) -> Option<Entity> {
        self.look(span, Entity::clone)
    }
}

/// Span ids are neither random nor chosen by anybody: one multiplication spreads them.
fn mix(span: u64) -> u64 {
    span.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

const SHARDS: usize = 64;

type Shard = HashMap<u64, Entity, BuildHasherDefault<SpanHasher>>;

#[derive(Debug)]
pub(crate) struct Shards([RwLock<Shard>; SHARDS]);

impl Default for Shards {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl Shards {
    fn shard(&self, span: u64) -> &RwLock<Shard> {
        &self.0[(mix(span) >> 58) as usize % SHARDS]
    }

    fn read(&self, span: u64) -> RwLockReadGuard<'_, Shard> {
        let shard = self.shard(span).read();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self, mut show: impl FnMut(&Entity)) {
        for shard in &self.0 {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.values().for_each(&mut show);
        }
    }

    fn write(&self, span: u64) -> RwLockWriteGuard<'_, Shard> {
        let shard = self.shard(span).write();
        shard.unwrap_or_else(PoisonError::into_inner)
    }
}

/// For numbers that are spread by [`mix`].
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

/// Slots in a block: blocks are made as they are needed, and stay.
const BLOCK: usize = 1 << 12;
/// Together, as many spans as memory for what they stand for could ever hold.
const BLOCKS: usize = 1 << 14;

type Block = Box<[RwLock<Slot>]>;

/// A table in which an id is a place: a look takes one miss of the processor's cache where a
/// hash table takes three.
#[derive(Debug)]
pub(crate) struct Slots {
    blocks: Box<[OnceLock<Block>]>,
    /// Places that were never used begin here.
    unused: AtomicU32,
    /// The next ids of places that were.
    free: SegQueue<u64>,
}

#[derive(Debug)]
struct Slot {
    /// Which of the spans that have had this place: the upper half of its id.
    turn: u32,
    /// How often the span is held: once as soon as its id is given out.
    holders: u32,
    entity: Option<Entity>,
}

impl Slot {
    fn new(turn: u32) -> Self {
        Self {
            turn,
            holders: 1,
            entity: None,
        }
    }
}

/// What became of a span.
#[derive(Debug)]
pub(crate) enum Released {
    /// It is held by somebody else, too, or not known.
    Held,
    /// With the next id of its place.
    Closed(Option<Entity>, Option<u64>),
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            blocks: (0..BLOCKS).map(|_| OnceLock::new()).collect(),
            unused: AtomicU32::new(0),
            free: SegQueue::new(),
        }
    }
}

impl Slots {
    /// The id of a span of which nothing is known.
    pub(super) const NOTHING: NonZeroU64 = NonZeroU64::MAX;

    fn slot(&self, span: u64) -> Option<&RwLock<Slot>> {
        // Place 0 has the id 1, as no id is 0.
        let place = (span as u32).checked_sub(1)? as usize;
        self.blocks.get(place / BLOCK)?.get()?.get(place % BLOCK)
    }

    fn write(&self, span: u64) -> Option<RwLockWriteGuard<'_, Slot>> {
        let slot = self.slot(span)?.write();
        let slot = slot.unwrap_or_else(PoisonError::into_inner);
        (u64::from(slot.turn) == span >> 32).then_some(slot)
    }

    /// Gives out an id. Nothing is at its place yet.
    pub(super) fn reserve(&self) -> NonZeroU64 {
        let id = self.free.pop().or_else(|| {
            let place = self.unused.fetch_add(1, Relaxed);
            let block = self.blocks.get(place as usize / BLOCK)?;
            block.get_or_init(|| (0..BLOCK).map(|_| RwLock::new(Slot::new(0))).collect());
            Some(u64::from(place) + 1)
        });
        id.and_then(NonZeroU64::new).unwrap_or(Self::NOTHING)
    }

    fn insert(&self, span: u64, entity: Entity) {
        if let Some(mut slot) = self.write(span) {
            slot.entity = Some(entity);
        }
    }

    fn look<R>(&self, span: u64, look: impl FnOnce(&Entity) -> R) -> Option<R> {
        let slot = self.slot(span)?.read();
        let slot = slot.unwrap_or_else(PoisonError::into_inner);
        let is_it = u64::from(slot.turn) == span >> 32;
        slot.entity.as_ref().filter(|_| is_it).map(look)
    }

    fn each(&self, mut show: impl FnMut(&Entity)) {
        for slot in self.blocks.iter().map_while(OnceLock::get).flatten() {
            let slot = slot.read().unwrap_or_else(PoisonError::into_inner);
            slot.entity.iter().for_each(&mut show);
        }
    }

    /// One more holds the span.
    pub(super) fn hold(&self, span: u64) {
        if let Some(mut slot) = self.write(span) {
            slot.holders += 1;
        }
    }

    /// One less does. If it was the last one, the place can be used again; gives what the
    /// span stood for.
    pub(super) fn release(&self, span: u64) -> Released {
        let Some(mut slot) = self.write(span) else {
            return Released::Held;
        };
        slot.holders = slot.holders.saturating_sub(1);
        if slot.holders > 0 {
            return Released::Held;
        }
        let turn = slot.turn.wrapping_add(1);
        let last = std::mem::replace(&mut *slot, Slot::new(turn));
        drop(slot);
        let next = u64::from(turn) << 32 | u64::from(span as u32);
        Released::Closed(last.entity, Some(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::scope::Scope;

    static CALLSITE: tracing::callsite::DefaultCallsite = {
        static META: Metadata<'static> = tracing::metadata! {
            name: "any",
            target: "any",
            level: tracing::Level::TRACE,
            fields: &[],
            callsite: &CALLSITE,
            kind: tracing::metadata::Kind::SPAN,
        };
        tracing::callsite::DefaultCallsite::new(&META)
    };

    fn entity(id: u64) -> Entity {
        let meta = tracing::callsite::Callsite::metadata(&CALLSITE);
        Entity::Scope(Arc::new(Scope::new(id, meta, 0, 0, 1)))
    }

    fn number(entity: &Entity) -> Option<u64> {
        match entity {
            Entity::Scope(scope) => Some(scope.id),
            _ => None,
        }
    }

    #[test]
    fn a_place_that_is_used_again_has_another_id() {
        let slots = Slots::default();
        let mut known = std::collections::HashSet::new();
        for n in 0..10_000 {
            let id = slots.reserve().get();
            assert!(known.insert(id), "{id} is new");
            slots.insert(id, entity(n));
            assert_eq!(slots.look(id, number), Some(Some(n)));
            slots.hold(id);
            assert!(matches!(slots.release(id), Released::Held));
            let Released::Closed(Some(entity), Some(next)) = slots.release(id) else {
                panic!("nobody holds it any more");
            };
            slots.free.push(next);
            assert_eq!(number(&entity), Some(n));
            assert_eq!(slots.look(id, number), None);
            assert!(matches!(slots.release(id), Released::Held));
        }
        let used = slots.unused.load(Relaxed);
        assert_eq!(used, 1, "one place is enough");
    }

    #[test]
    fn ids_that_were_never_given_out_stand_for_nothing() {
        let slots = Slots::default();
        for span in [0, 1, 2, u64::MAX, 1 << 32, u64::from(u32::MAX)] {
            assert_eq!(slots.look(span, number), None);
            assert!(matches!(slots.release(span), Released::Held));
            slots.hold(span);
            slots.insert(span, entity(1));
            assert_eq!(slots.look(span, number), None);
            assert!(matches!(slots.release(span), Released::Held));
        }
    }
}
