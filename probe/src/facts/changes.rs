//! The list of what is new.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
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
    /// How many are on it; and, above the lower half of the bits, how many have ended of those
    /// that were listed since it was last read.
    length: AtomicU64,
    pub(crate) early: Arc<Early>,
    /// A ring of polls is half full. To read what has changed, too, would be to tell of those who
    /// are polled all the time many times between two publishes.
    pub(crate) half_full: Arc<Early>,
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
    /// When so many have ended, they do not wait for the next publish: they can be made small.
    /// What lives is listed once.
    const MANY: u64 = 1 << 11;
    const ENDED: u64 = 1 << 32;

    pub(crate) fn new() -> (Self, mpsc::Receiver<Changed>) {
        let (list, receiver) = mpsc::channel();
        let changes = Self {
            list,
            length: AtomicU64::new(0),
            early: Arc::default(),
            half_full: Arc::default(),
        };
        (changes, receiver)
    }

    pub(crate) fn push(&self, changed: Changed) {
        self.add(changed, 1);
    }

    pub(crate) fn push_ended(&self, changed: Changed) {
        let before = self.add(changed, Self::ENDED + 1);
        if before.is_some_and(|before| before / Self::ENDED == Self::MANY) {
            self.early.wake();
        }
    }

    fn add(&self, changed: Changed, count: u64) -> Option<u64> {
        // Nobody listens if the publisher could not be started.
        let is_listed = self.list.send(changed).is_ok();
        is_listed.then(|| self.length.fetch_add(count, Relaxed))
    }

    /// How many wait, those included that were taken since this was last told.
    pub(crate) fn length(&self) -> usize {
        // One that was taken may not have been counted yet.
        let length = (self.length.load(Relaxed) as u32).cast_signed();
        usize::try_from(length).unwrap_or_default()
    }

    pub(crate) fn taken(&self, n: usize) {
        self.length.fetch_sub(n as u64, Relaxed);
        self.length.fetch_and(Self::ENDED - 1, Relaxed);
    }
}
