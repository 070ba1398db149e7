//! The list of what is new, and how much memory is in use.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
};

use tokio::sync::Notify;
use tracing::Metadata;

use crate::metrics::Met;

use super::{op::Op, resource::Resource, scope::Scope, task::Task, thread::Thread};

/// Something that has changed since it was last read.
#[derive(Clone, Debug)]
pub(crate) enum Changed {
    Callsite(&'static Metadata<'static>),
    Task(Arc<Task>),
    Resource(Arc<Resource>),
    Op(Arc<Op>),
    Scope(Arc<Scope>),
    Thread(Arc<Thread>),
    Runtime(Box<Met>),
}

impl Changed {
    /// It has been taken off the list: a change from here on lists it anew.
    pub(crate) fn unlist(&self) {
        let listed = match self {
            Self::Task(task) => &task.listed,
            Self::Resource(resource) => &resource.listed,
            Self::Op(op) => &op.listed,
            Self::Scope(scope) => &scope.listed,
            Self::Callsite(_) | Self::Thread(_) | Self::Runtime(_) => return,
        };
        listed.store(false, Relaxed);
    }
}

/// The program's threads' end of the list. Each entity is on it once at most, and putting
/// it there takes no lock.
#[derive(Debug)]
pub(crate) struct Changes {
    list: mpsc::Sender<Changed>,
    length: AtomicUsize,
    pub(crate) early: Arc<Early>,
}

/// Wakes the publisher before its time: there is a lot, or nothing more to come.
#[derive(Debug, Default)]
pub(crate) struct Early(Notify);

thread_local! {
    static WAKING: Cell<bool> = const { Cell::new(false) };
}

impl Early {
    pub(crate) fn wake(&self) {
        // The publisher is a task, too: what tokio tells of its waker is not the program's.
        let _ = WAKING.try_with(|waking| waking.set(true));
        self.0.notify_one();
        let _ = WAKING.try_with(|waking| waking.set(false));
    }

    /// The calling thread is about to wake the publisher.
    pub(crate) fn is_waking() -> bool {
        WAKING.try_with(Cell::get).unwrap_or_default()
    }

    pub(crate) async fn woken(&self) {
        self.0.notified().await;
    }
}

impl Changes {
    /// A list of this length does not wait for the next publish: what has ended can be made
    /// small.
    const MANY: usize = 1 << 11;

    pub(crate) fn new() -> (Self, mpsc::Receiver<Changed>) {
        let (list, receiver) = mpsc::channel();
        let changes = Self {
            list,
            length: AtomicUsize::new(0),
            early: Arc::default(),
        };
        (changes, receiver)
    }

    pub(crate) fn push(&self, changed: Changed) {
        // Nobody listens if the publisher could not be started.
        if self.list.send(changed).is_ok() && self.length.fetch_add(1, Relaxed) == Self::MANY {
            self.early.wake();
        }
    }

    /// How many wait, those included that were taken since this was last told.
    pub(crate) fn length(&self) -> usize {
        // One that was taken may not have been counted yet.
        let length = self.length.load(Relaxed).cast_signed();
        length.max(0).cast_unsigned()
    }

    pub(crate) fn taken(&self, n: usize) {
        self.length.fetch_sub(n, Relaxed);
    }
}

/// Memory for what is told, in bytes, and its limit.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// For each entity that lives, in tables: by its span, and by its own number.
    pub(crate) const ROWS: usize = 96;

    pub(crate) fn new(limit: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            limit,
        }
    }

    /// Takes memory for something new; false if there is none left.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let used = self.used.fetch_add(bytes, Relaxed);
        let fits = used.saturating_add(bytes) <= self.limit;
        if !fits {
            self.give(bytes);
        }
        fits
    }

    /// Takes memory that is needed in any case.
    pub(crate) fn take_anyway(&self, bytes: usize) {
        self.used.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// How much has to go so that there is room for what is new: an eighth of all is kept
    /// free once the limit is near.
    pub(crate) fn excess(&self) -> usize {
        self.used().saturating_sub(self.limit / 8 * 7)
    }
}
