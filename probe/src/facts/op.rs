//! An operation on a resource that a task awaits: a lock to be had, a sleep to end.

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    add,
    attributes::{Attributes, Change, Read, Update, Value},
    resource::Resource,
    site::Site,
};
use crate::clock::Nanos;

#[derive(Debug)]
pub(crate) struct Op {
    /// It has a change that nobody has read, or nobody wants to.
    pub(crate) listed: AtomicBool,
    /// Its end has been read.
    pub(crate) is_kept: AtomicBool,
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    pub(crate) resource: u64,
    pub(crate) is_on_timer: bool,
    /// What keeps the holders of the permits that it obtains.
    lender: Option<Arc<Resource>>,
    /// The task that asked for them, known before its first poll is over; 0 for none.
    made_by: u64,
    pub(crate) parent: Option<Arc<Op>>,
    pub(crate) created: Nanos,
    closed: AtomicU64,
    /// The task that last polled it.
    task: AtomicU64,
    /// It is entered more than once at a time in its own poll.
    depth: AtomicU32,
    polls: AtomicU64,
    first_poll: AtomicU64,
    started: AtomicU64,
    ended: AtomicU64,
    busy: AtomicU64,
    /// What its last poll came to.
    answer: AtomicU8,
    pub(crate) attributes: Attributes,
}

const NONE: u8 = 0;
const PENDING: u8 = 1;
const READY: u8 = 2;

/// An operation as it was when it was read.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) id: u64,
    pub(crate) site: &'static Site,
    pub(crate) resource: u64,
    pub(crate) is_on_timer: bool,
    /// 0 for none.
    pub(crate) parent: u64,
    pub(crate) created: Nanos,
    pub(crate) closed: Nanos,
    /// 0 for none.
    pub(crate) task: u64,
    pub(crate) polls: u64,
    pub(crate) first_poll: Nanos,
    pub(crate) started: Nanos,
    pub(crate) ended: Nanos,
    pub(crate) busy: u64,
    /// What the last poll came to: it was ready, or not.
    pub(crate) answer: Option<bool>,
    pub(crate) attributes: Box<[Read]>,
}

impl Op {
    pub(crate) fn new(
        id: u64,
        site: &'static Site,
        resource: &Arc<Resource>,
        made_by: u64,
        parent: Option<Arc<Self>>,
        at: Nanos,
    ) -> Self {
        Self {
            listed: AtomicBool::new(true),
            is_kept: AtomicBool::new(false),
            id,
            site,
            resource: resource.id,
            is_on_timer: resource.is_timer(),
            lender: Resource::lender(resource).cloned(),
            made_by,
            parent,
            created: at,
            closed: AtomicU64::new(0),
            task: AtomicU64::new(0),
            depth: AtomicU32::new(0),
            polls: AtomicU64::new(0),
            first_poll: AtomicU64::new(0),
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            answer: AtomicU8::new(NONE),
            attributes: Attributes::default(),
        }
    }

    pub(crate) fn enter(&self, at: Nanos) {
        if self.depth.fetch_add(1, Relaxed) > 0 {
            return;
        }
        add(&self.polls, 1);
        if self.first_poll.load(Relaxed) == 0 {
            self.first_poll.store(at, Relaxed);
        }
        self.started.store(at, Relaxed);
    }

    pub(crate) fn exit(&self, at: Nanos) {
        if self.depth.fetch_sub(1, Relaxed) > 1 {
            return;
        }
        add(&self.busy, at.saturating_sub(self.started.load(Relaxed)));
        self.ended.store(at, Relaxed);
    }

    /// Tells how many more operations are pending now: 1, 0 or -1.
    pub(crate) fn poll_op(&self, task: u64, ready: bool) -> i32 {
        self.task.store(task, Relaxed);
        let was_pending = self.is_pending();
        let answer = if ready { READY } else { PENDING };
        self.answer.store(answer, Relaxed);
        i32::from(!ready) - i32::from(was_pending)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.answer.load(Relaxed) == PENDING
    }

    pub(crate) fn task(&self) -> u64 {
        self.task.load(Relaxed)
    }

    pub(crate) fn update(&self, update: &Update<'_>) -> Option<&Arc<Self>> {
        self.attributes.update(update);
        let parent = self.parent.as_ref().filter(|p| p.site.inherits)?;
        parent.attributes.update(update);
        Some(parent)
    }

    /// What an update of its state says of who holds what: permits that it obtains. `giver`
    /// is the task that gives them to it, if it is not its own that takes them. Gives what
    /// is held.
    pub(crate) fn obtains(
        &self,
        update: &Update<'_>,
        giver: Option<u64>,
        at: Nanos,
    ) -> Option<&Arc<Resource>> {
        let lender = self.lender.as_ref()?;
        let holders = lender.holders.as_ref()?;
        match (update.name, update.change, update.value) {
            ("permits_obtained", Change::Add, Value::U64(permits)) if *permits > 0 => {
                if lender.is_channel() {
                    let is_new = giver.is_some_and(|giver| holders.received(giver));
                    return is_new.then_some(lender);
                }
                match giver {
                    Some(giver) => holders.passed(giver, self.made_by, *permits, at),
                    None => holders.obtained(self.made_by, *permits, at),
                }
                Some(lender)
            }
            _ => None,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Acquire) > 0
    }

    pub(crate) fn close(&self, at: Nanos) {
        self.closed.store(at, Release);
    }

    /// Looks at each part, so that all of it is near when it is read.
    pub(crate) fn fetch(&self) {
        let parts = [&self.closed, &self.task, &self.busy];
        std::hint::black_box(parts.map(|part| part.load(Relaxed)));
    }

    pub(crate) fn read(&self) -> State {
        State {
            id: self.id,
            site: self.site,
            resource: self.resource,
            is_on_timer: self.is_on_timer,
            parent: self.parent.as_ref().map_or(0, |p| p.id),
            created: self.created,
            closed: self.closed.load(Relaxed),
            task: self.task.load(Relaxed),
            polls: self.polls.load(Relaxed),
            first_poll: self.first_poll.load(Relaxed),
            started: self.started.load(Relaxed),
            ended: self.ended.load(Relaxed),
            busy: self.busy.load(Relaxed),
            answer: match self.answer.load(Relaxed) {
                PENDING => Some(false),
                READY => Some(true),
                _ => None,
            },
            attributes: self.attributes.read(),
        }
    }
}
