//! What the calling thread is doing.

use std::{
    cell::RefCell,
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
};

use tokio::runtime::{Handle, RuntimeMetrics};
use tracing::{
    dispatcher::{self, DefaultGuard},
    span::Attributes,
    subscriber::NoSubscriber,
};

use super::{
    Heard,
    fields::SpanFields,
    spans::{Entity, SpanHasher},
};
use crate::{
    clock::{self, Nanos},
    facts::{
        budget::Credit,
        changes::{Changed, Early},
        op::Op,
        polls::Ring,
        resource::Resource,
        scope::Scope,
        site::{NearSites, Role, Site},
        spare::Hands,
        task::{Task, Woken},
        thread::Thread,
    },
    metrics::Number,
};

/// A span of ours that is entered.
#[derive(Debug)]
pub(super) struct Entered {
    pub(super) span: u64,
    pub(super) entity: Entity,
    /// Of a task.
    pub(super) woken: Woken,
    /// The thread was unwinding already.
    pub(super) unwinds: bool,
}

/// A task that has ended.
#[derive(Debug)]
pub(super) struct JustEnded {
    pub(super) task: u64,
    /// When, if nothing has happened on this thread since.
    pub(super) at: Option<Nanos>,
}

#[derive(Debug)]
pub(super) struct Here {
    heard: Arc<Heard>,
    pub(super) thread: Arc<Thread>,
    /// The tasks that were polled last: very often one of them is the next one, too.
    last: [Option<(u64, Arc<Task>)>; 2],
    /// The next ids of places in the table of spans that were given back here.
    pub(super) places: Vec<u64>,
    /// Memory for what is new.
    pub(super) hands: Hands,
    pub(super) credit: Credit,
    sites: NearSites,
    /// By where their callsite's metadata is.
    fields: Fields,
    /// The innermost last.
    pub(super) entered: Vec<Entered>,
    /// The task's span that was left last, if nothing has happened since.
    pub(super) just_left: u64,
    /// The task that ended last, if none has been polled since: it wakes who joined it.
    pub(super) just_ended: Option<JustEnded>,
    /// The runtime that this thread polls for, if it has been asked.
    runtime: Option<Number>,
    /// In this poll, the task's waker was cloned by something that is no operation.
    pub(super) cloned: bool,
    /// Who was woken outside of any task, and may have yielded, with the mark of then.
    pub(super) may_have_yielded: Vec<(Arc<Task>, u64)>,
    /// Of the runtime that this thread works for.
    driver: Option<(Number, RuntimeMetrics)>,
}

type Fields = HashMap<u64, SpanFields, BuildHasherDefault<SpanHasher>>;

thread_local! {
    static HERE: RefCell<Listening> = const { RefCell::new(Listening::New) };
}

/// Whether the calling thread is heard.
#[derive(Debug)]
enum Listening {
    New,
    Heard(Box<Here>),
    /// It is the probe's own.
    Ignored,
}

/// What the calling thread does from now on is not the program's.
pub(crate) fn ignore_this_thread() {
    HERE.with(|here| here.replace(Listening::Ignored));
}

/// Keeps what the calling thread does from the program's other layers, too, as soon as there
/// are any.
///
/// Not before: while a thread has a subscriber of its own, and there is none for all, any
/// other thread that traces is left without one for ever.
pub(crate) fn hide_this_thread() {
    thread_local! {
        static HIDDEN: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
    }
    if dispatcher::has_been_set() {
        HIDDEN.with_borrow_mut(|hidden| {
            // It has to be one that counts, if only to say no: without it, what this thread
            // comes to first in tokio would be off for the program, too.
            hidden.get_or_insert_with(|| tracing::subscriber::set_default(NoSubscriber::new()));
        });
    }
}

/// Runs with this thread's state. Nothing if the thread is the probe's. Nothing, too, if it
/// is being torn down, or in code that is called from within: that is counted as lost.
pub(super) fn here<R>(heard: &Arc<Heard>, with: impl FnOnce(&mut Here) -> R) -> Option<R> {
    let result = HERE.try_with(|here| {
        let mut here = here.try_borrow_mut().ok()?;
        match &mut *here {
            // Only tests have more than one probe in a process.
            Listening::Heard(here) if Arc::ptr_eq(&here.heard, heard) => Some(Some(with(here))),
            Listening::Ignored => Some(None),
            Listening::New | Listening::Heard(_) => {
                *here = Listening::Heard(Box::new(Here::new(heard)));
                match &mut *here {
                    Listening::Heard(here) => Some(Some(with(here))),
                    Listening::New | Listening::Ignored => Some(None),
                }
            }
        }
    });
    result.ok().flatten().unwrap_or_else(|| {
        if !Early::is_waking() {
            heard.lost.events.fetch_add(1, Relaxed);
        }
        None
    })
}

impl Here {
    fn new(heard: &Arc<Heard>) -> Self {
        let current = thread::current();
        let id = heard.last_thread.fetch_add(1, Relaxed) + 1;
        let name = current.name().unwrap_or_default();
        let thread = Arc::new(Thread::new(id, name));
        heard.runtimes.meet_thread(current.id(), id);
        heard.changes.push(Changed::Thread(Arc::clone(&thread)));
        Self {
            heard: Arc::clone(heard),
            thread,
            last: [None, None],
            places: Vec::new(),
            hands: Hands::default(),
            credit: Credit::default(),
            sites: NearSites::default(),
            fields: HashMap::default(),
            entered: Vec::new(),
            just_left: 0,
            just_ended: None,
            runtime: None,
            cloned: false,
            may_have_yielded: Vec::new(),
            driver: None,
        }
    }

    /// Reads the fields of a new span.
    pub(super) fn told(&mut self, attrs: &Attributes<'_>) -> (&'static Site, &mut SpanFields) {
        let fields = Self::fields(&mut self.fields, attrs);
        (fields.site(&mut self.sites, &self.heard.sites), fields)
    }

    /// The same, of a span that has no site.
    pub(super) fn told_of_scope(&mut self, attrs: &Attributes<'_>) -> &mut SpanFields {
        Self::fields(&mut self.fields, attrs)
    }

    fn fields<'a>(all: &'a mut Fields, attrs: &Attributes<'_>) -> &'a mut SpanFields {
        let meta = attrs.metadata();
        let key = std::ptr::from_ref(meta).addr() as u64;
        let fields = all.entry(key).or_insert_with(|| SpanFields::new(meta));
        fields.read(attrs);
        fields
    }

    fn innermost<'a, T>(&'a self, which: impl Fn(&'a Entity) -> Option<T>) -> Option<T> {
        self.entered.iter().rev().find_map(|e| which(&e.entity))
    }

    /// What is being polled: a worker's own closure surrounds everything that it polls.
    pub(super) fn task(&self) -> Option<&Arc<Task>> {
        self.innermost(|entity| match entity {
            Entity::Task(task) if task.site.role != Role::Worker => Some(task),
            _ => None,
        })
    }

    pub(super) fn task_id(&self) -> u64 {
        self.task().map_or(0, |task| task.id)
    }

    pub(super) fn resource(&self) -> Option<&Arc<Resource>> {
        self.innermost(|entity| match entity {
            Entity::Resource(resource) => Some(resource),
            _ => None,
        })
    }

    pub(super) fn interval(&self) -> Option<&'static Site> {
        self.innermost(|entity| match entity {
            Entity::Resource(resource) if resource.is_interval() => Some(resource.site),
            _ => None,
        })
    }

    pub(super) fn op(&self) -> Option<&Arc<Op>> {
        self.innermost(|entity| match entity {
            Entity::Op(op) => Some(op),
            _ => None,
        })
    }

    /// Whoever gives permits back gives them to who waits the longest, and enters that one's
    /// operation to tell it. Who takes them enters its own operation to be polled, and then
    /// either the semaphore or, once more, the operation.
    pub(super) fn gives_to(&self, op: &Arc<Op>) -> bool {
        let mut times = 0;
        for entered in &self.entered {
            times += u32::from(matches!(&entered.entity, Entity::Op(o) if Arc::ptr_eq(o, op)));
        }
        let innermost = self.entered.last().map(|e| &e.entity);
        times == 1 && matches!(innermost, Some(Entity::Op(_)))
    }

    /// The scope that what is spawned here belongs to.
    pub(super) fn scope(&self) -> Option<&Arc<Scope>> {
        self.innermost(|entity| match entity {
            Entity::Scope(scope) => Some(scope),
            _ => None,
        })
    }

    pub(super) fn is_entered(&self, span: u64) -> bool {
        self.entered.iter().rev().any(|e| e.span == span)
    }

    /// What a span stands for that is entered now.
    pub(super) fn find(&mut self, span: u64) -> Option<Entity> {
        match self.take_last(span) {
            Some(task) if !task.is_closed() => Some(Entity::Task(task)),
            _ => self.heard.spans.get(span),
        }
    }

    /// The task of a span, if it was polled here just before.
    pub(super) fn polled_last(&self, span: u64) -> Option<&Arc<Task>> {
        let mut last = self.last.iter().flatten();
        let found = last.find(|(last, task)| *last == span && !task.is_closed());
        found.map(|(_, task)| task)
    }

    fn take_last(&mut self, span: u64) -> Option<Arc<Task>> {
        let mut last = self.last.iter_mut();
        let found = last.find_map(|last| last.take_if(|(last, _)| *last == span));
        found.map(|(_, task)| task)
    }

    pub(super) fn left(&mut self, span: u64, task: Arc<Task>) {
        if self.last[0].is_some() {
            self.last.swap(0, 1);
        }
        self.last[0] = Some((span, task));
    }

    /// The task has ended: nothing is kept for it.
    pub(super) fn forget(&mut self, span: u64) {
        self.take_last(span);
    }

    /// The runtime that this thread polls for, 0 if it is in none.
    pub(super) fn runtime(&mut self) -> Number {
        if self.runtime.is_none() {
            self.runtime = self.heard.runtimes.meet(&self.heard.changes);
        }
        self.runtime.unwrap_or_default()
    }

    /// Who enters or leaves one of this role may come to another runtime, or come back.
    pub(super) fn may_change_runtime(&mut self, role: Role) {
        if matches!(role, Role::Worker | Role::BlockOn) {
            self.runtime = None;
        }
    }

    /// The polls of this thread, if somebody wants them.
    pub(super) fn ring(&self) -> Option<&Arc<Ring>> {
        let wanted = self.heard.want_polls.load(Relaxed);
        wanted.then(|| {
            self.thread.ring.get_or_init(|| {
                self.heard.budget.take_anyway(Ring::BYTES);
                // The publisher has to know this thread to look into its ring.
                self.heard.changes.early.wake();
                Arc::new(Ring::new(Arc::clone(&self.heard.changes.half_full)))
            })
        })
    }

    /// Stands for this thread and for what its runtime's I/O driver has done until now: if
    /// it is the same later on, nothing that was woken before was woken by I/O.
    pub(super) fn driver_mark(&mut self, runtime: Number) -> Option<u64> {
        if self.driver.as_ref().is_none_or(|(of, _)| *of != runtime) {
            let handle = Handle::try_current().ok()?;
            self.driver = Some((runtime, handle.metrics()));
        }
        self.mark()
    }

    /// The same, for the runtime that this thread worked for last.
    pub(super) fn mark(&self) -> Option<u64> {
        let (_, metrics) = self.driver.as_ref()?;
        let events = metrics.io_driver_ready_count() & u64::from(u32::MAX);
        Some(u64::from(self.thread.id) << 32 | events)
    }

    /// A place in the table of spans is free: it is kept at hand, or for all threads.
    pub(super) fn gives_back(&mut self, next: u64) {
        const MOST: usize = 32;
        if self.places.len() < MOST {
            self.places.push(next);
        } else {
            self.heard.spans.free(next);
        }
    }

    pub(super) fn end(&mut self, at: Nanos) {
        for next in self.places.drain(..) {
            self.heard.spans.free(next);
        }
        self.credit.give_back(&self.heard.budget);
        self.thread.end(at);
        let thread = Arc::clone(&self.thread);
        self.heard.changes.push(Changed::Thread(thread));
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.end(clock::now());
    }
}
