//! A resource: a timer, a lock, a semaphore, a channel.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    attributes::{Attributes, Change, Read, Update, Value},
    holders::{Held, Holders},
    site::{Site, Told},
    timer::{self, Timer},
};
use crate::clock::Nanos;

#[derive(Debug)]
pub(crate) struct Resource {
    /// It has a change that nobody has read, or nobody wants to.
    pub(crate) listed: AtomicBool,
    /// Its end has been read.
    pub(crate) is_kept: AtomicBool,
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    pub(crate) parent: Option<Arc<Resource>>,
    pub(crate) created: Nanos,
    closed: AtomicU64,
    /// Without the duration of a `Sleep`, which is known as a timer.
    pub(crate) attributes: Attributes,
    /// Of a `Sleep`.
    pub(crate) timer: Option<Timer>,
    /// Of what is locked, or gives permits, and of a channel.
    pub(crate) holders: Option<Box<Holders>>,
}

/// A resource as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    pub(crate) is_timer: bool,
    /// 0 for none.
    pub(crate) parent: u64,
    pub(crate) created: Nanos,
    pub(crate) closed: Nanos,
    /// Without a timer's duration.
    pub(crate) others: Box<[Read]>,
    pub(crate) timer: Option<timer::State>,
    pub(crate) held: Option<Box<Held>>,
}

impl Resource {
    pub(crate) fn new(id: u64, site: &'static Site, parent: Option<Arc<Self>>, at: Nanos) -> Self {
        let lends = matches!(&*site.what, "Mutex" | "RwLock" | "Semaphore");
        // The semaphore in it is its own; one in nothing is a channel's, whose permits are
        // room for messages.
        let holders = (lends && (!site.is_internal || parent.is_none())).then(Box::default);
        Self {
            listed: AtomicBool::new(true),
            is_kept: AtomicBool::new(false),
            id,
            site,
            parent,
            created: at,
            closed: AtomicU64::new(0),
            attributes: Attributes::default(),
            timer: None,
            holders,
        }
    }

    /// It is a `Sleep`, or the `Interval` around one.
    pub(crate) fn is_timer(&self) -> bool {
        self.timer.is_some() || self.is_interval()
    }

    pub(crate) fn is_interval(&self) -> bool {
        &*self.site.what == "Interval"
    }

    /// Tells it to the parent, too, if that one wants it; gives the parent then.
    pub(crate) fn update(&self, update: &Update<'_>) -> Option<&Arc<Self>> {
        self.attributes.update(update);
        let parent = self.parent.as_ref().filter(|p| p.site.inherits)?;
        parent.attributes.update(update);
        Some(parent)
    }

    /// What keeps the holders of these permits: the lock or the semaphore that they are in, or
    /// the channel.
    pub(crate) fn lender(this: &Arc<Self>) -> Option<&Arc<Self>> {
        let outer = this.parent.as_ref().unwrap_or(this);
        Some(outer).filter(|outer| this.site.is_internal && outer.holders.is_some())
    }

    /// Its permits are room for messages.
    pub(crate) fn is_channel(&self) -> bool {
        self.holders.is_some() && self.site.is_internal
    }

    /// What an update of its state, by `task`, says of who holds it; gives what holds it, if
    /// that is another resource.
    pub(crate) fn lend(&self, update: &Update<'_>, task: u64, at: Nanos) -> Option<&Arc<Self>> {
        let gives_back = (update.name, update.change) == ("permits", Change::Add);
        if gives_back && self.is_channel() {
            // That it has changed is told as its attribute has.
            self.holders.as_ref()?.received(task);
            return None;
        }
        if let (true, Value::U64(permits)) = (gives_back && self.site.is_internal, update.value) {
            let lender = self.parent.as_ref()?;
            lender.holders.as_ref()?.returned(task, *permits);
            return Some(lender);
        }
        let has = match (update.name, update.value) {
            ("locked" | "write_locked", Value::Bool(is_locked)) => *is_locked,
            ("current_readers", _) => update.change == Change::Add,
            _ => false,
        };
        if let Some(holders) = self.holders.as_ref().filter(|_| has) {
            holders.has(task, at);
        }
        None
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire) > 0
    }

    pub(crate) fn close(&self, at: Nanos) {
        self.closed.store(at, Release);
    }

    /// Looks at each part, so that all of it is near when it is read.
    pub(crate) fn fetch(&self) {
        let fires = self.timer.as_ref().map(Timer::fires);
        std::hint::black_box((self.closed.load(Relaxed), fires));
    }

    pub(crate) fn read(&self) -> State {
        State {
            id: self.id,
            site: self.site,
            is_timer: self.is_timer(),
            parent: self.parent.as_ref().map_or(0, |p| p.id),
            created: self.created,
            closed: self.closed.load(Relaxed),
            others: self.attributes.read(),
            timer: self.timer.as_ref().map(Timer::read),
            held: self
                .holders
                .as_ref()
                .map(|holders| Box::new(holders.read())),
        }
    }
}

impl State {
    /// Of a timer, in milliseconds, with what is known of the field.
    pub(crate) fn duration(&self) -> Option<(u64, &'static Told)> {
        let duration = self.timer.as_ref()?.duration?;
        Some((duration / 1_000_000, self.site.duration.get()?))
    }

    /// On the heap.
    pub(crate) fn bytes(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.bytes());
        size_of_val(&*self.others) + held
    }
}
