//! Hears tokio's spans and events, and loopview's own, on the program's threads.
//!
//! tokio's names are those of `tokio::util::trace`, of its wakers, and of the resources in
//! `tokio::time` and `tokio::sync`; loopview's are the targets `loopview::scope` and
//! `loopview::task`:
//!
//! - a span with the target `loopview::scope` and the fields `kind` and, if wanted,
//!   `name`, `outcome`, `loc.file`, `loc.line`, `loc.col` is a scope; tasks that are
//!   spawned while it is entered belong to it;
//! - an event with the target `loopview::task` tells of the task that emits it: `outcome`
//!   (and `error`) how it ends, `awaits` whose end it waits for, 0 for nobody's.

mod ear;
mod fields;
mod front;
mod here;
mod spans;

pub(crate) use ear::wanted;
pub(crate) use front::{ProbeLayer, ProbeSubscriber};
pub(crate) use here::{hide_this_thread, ignore_this_thread};

use std::sync::{
    Arc, OnceLock,
    atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
    mpsc,
};

use tracing::{Dispatch, Level, Metadata, dispatcher::WeakDispatch};

pub(crate) use self::spans::{Entity, SpanHasher};
use self::spans::{Released, Spans};
use crate::{
    clock::Nanos,
    facts::{
        budget::{Budget, Credit},
        changes::{Changed, Changes},
        op::Op,
        resource::Resource,
        scope::Scope,
        site::{Role, Sites},
        spare::Spares,
    },
    metrics::Runtimes,
};

/// What the program's threads write, and the publisher reads.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) changes: Changes,
    pub(crate) budget: Budget,
    pub(crate) runtimes: Runtimes,
    pub(crate) lost: Lost,
    pub(crate) spare: Spares,
    /// An [`Interest`].
    interest: AtomicU8,
    /// Somebody wants every poll.
    pub(crate) want_polls: AtomicBool,
    sites: Sites,
    spans: Spans,
    /// Of resources, operations, scopes, and of tasks to which tokio gives no number.
    last_id: AtomicU64,
    last_thread: AtomicU32,
    /// The subscriber that this is a part of.
    dispatch: OnceLock<WeakDispatch>,
}

/// Whose changes somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Interest {
    None,
    /// Of all but operations on timers: our own protocol has the timers.
    AllButTimerOps,
    All,
}

impl Interest {
    /// The least that wants to know of this.
    fn in_change_of(entity: &Entity) -> Self {
        match entity {
            Entity::Op(op) if op.is_on_timer => Self::All,
            _ => Self::AllButTimerOps,
        }
    }
}

/// What was not kept, in total.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    /// For want of memory.
    pub(crate) tasks: AtomicU64,
    pub(crate) resources: AtomicU64,
    pub(crate) ops: AtomicU64,
    pub(crate) scopes: AtomicU64,
    /// Spans and events that came while another was being taken in on the same thread, or
    /// while the thread was torn down.
    pub(crate) events: AtomicU64,
}

impl Heard {
    /// `alone`: tracing tells nobody else, so that the ids of spans are ours to choose.
    pub(crate) fn new(memory_limit: usize, alone: bool) -> (Arc<Self>, mpsc::Receiver<Changed>) {
        let (changes, list) = Changes::new();
        let heard = Self {
            changes,
            budget: Budget::new(memory_limit),
            runtimes: Runtimes::default(),
            lost: Lost::default(),
            spare: Spares::default(),
            interest: AtomicU8::new(Interest::None as u8),
            want_polls: AtomicBool::new(false),
            sites: Sites::default(),
            spans: if alone {
                Spans::Own(Box::default())
            } else {
                Spans::Foreign(Box::default())
            },
            last_id: AtomicU64::new(0),
            last_thread: AtomicU32::new(0),
            dispatch: OnceLock::new(),
        };
        (Arc::new(heard), list)
    }

    fn installed(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    /// The program's own filter keeps tokio's spans from us. Unknown while there is no
    /// subscriber.
    pub(crate) fn is_deaf(&self) -> Option<bool> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        tracing::dispatcher::with_default(&dispatch, || {
            // Asked as an event, for only those are wanted of this target.
            Some(!tracing::event_enabled!(target: "tokio::task::waker", Level::TRACE))
        })
    }

    fn callsite(&self, meta: &'static Metadata<'static>) {
        // The console protocol has no word for a question.
        if meta.is_span() || meta.is_event() {
            self.changes.push(Changed::Callsite(meta));
        }
    }

    /// Keeps what a new span stands for, if there is memory for it.
    pub(crate) fn keep(&self, span: u64, entity: Entity, credit: &mut Credit) {
        let (bytes, lost) = match &entity {
            Entity::Task(task) => (task.bytes(), &self.lost.tasks),
            Entity::Resource(_) => (size_of::<Resource>(), &self.lost.resources),
            Entity::Op(_) => (size_of::<Op>(), &self.lost.ops),
            Entity::Scope(_) => (size_of::<Scope>(), &self.lost.scopes),
        };
        let bytes = bytes + Budget::ROWS;
        if !credit.has(bytes) && self.budget.is_short() {
            // What has ended can go, if only it is read first.
            self.changes.early.wake();
        }
        if !credit.take(bytes, &self.budget) {
            lost.fetch_add(1, Relaxed);
            return;
        }
        let stands_for_a_thread = match &entity {
            Entity::Task(task) => matches!(task.site.role, Role::Worker | Role::BlockOn),
            _ => false,
        };
        let of = Interest::in_change_of(&entity);
        self.spans.insert(span, entity);
        // Asked after that, so that one of the two is seen: the span, or that somebody watches.
        if (stands_for_a_thread || self.interest.load(SeqCst) >= of as u8)
            && let Some(entity) = self.spans.get(span)
        {
            self.changes.push(entity.into());
        }
    }

    /// One less holds the span.
    pub(crate) fn release(&self, span: u64) -> Released {
        self.spans.release(span)
    }

    /// What a span stood for has ended.
    pub(crate) fn end(&self, entity: Entity, at: Nanos) {
        match &entity {
            Entity::Task(task) => task.close(at),
            Entity::Resource(resource) => resource.close(at),
            Entity::Op(op) => op.close(at),
            Entity::Scope(scope) => scope.close(at),
        }
        // Whether it is listed or not: its last state is kept in any case.
        self.changes.push_ended(entity.into());
    }

    /// Lists the changes of what is of interest from now on, and what there is of it that was
    /// not before.
    pub(crate) fn watch(&self, interest: Interest) {
        // What is made at the same time is seen here, or sees that it has to list itself.
        let before = self.interest.swap(interest as u8, SeqCst);
        let is_new = before + 1..=interest as u8;
        if !is_new.is_empty() {
            self.spans.each(|entity| {
                if is_new.contains(&(Interest::in_change_of(entity) as u8)) {
                    self.changes.push(entity.clone().into());
                }
            });
        }
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }
}
