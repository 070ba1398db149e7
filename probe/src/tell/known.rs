//! All that there is to tell, and messages of it.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    hint::black_box,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use loopview_api::v1::{self, ThreadRole};
use prost::bytes::Bytes;
use tracing::Metadata;

use super::{
    console,
    dropped::Dropped,
    horizon::Times,
    kept::{Rest, Seq},
    news::News,
    own,
    publish::Settings,
    shared::{Shared, lock},
    store::Store,
    watcher::{Next, Round, Todo},
};
use crate::{
    clock::{self, Nanos},
    facts::{
        budget::Budget,
        changes::Changed,
        polls::Ring,
        spare::{Hand, Hands, Spare},
        thread::{self, KeptOff, Thread},
    },
    hear::Heard,
    metrics::{self, Monitors, Runtimes},
};

/// All that there is to tell.
#[derive(Default)]
pub(super) struct Known {
    pub(super) store: Store,
    pub(super) callsites: Vec<(Seq, &'static Metadata<'static>)>,
    pub(super) threads: BTreeMap<u32, KnownThread>,
    pub(super) monitors: Monitors,
    pub(super) runtimes: Vec<v1::Runtime>,
    pub(super) lost_samples: u64,
    /// What was not recorded, as of the last publish.
    pub(super) dropped: Dropped,
    pub(super) is_filtered: bool,
    /// Memory of what has ended.
    hands: Hands,
}

pub(super) struct KnownThread {
    pub(super) thread: Arc<Thread>,
    pub(super) told: Option<thread::State>,
    /// An open file, while the thread lives.
    kept_off: OnceCell<KeptOff>,
    /// As of the last publish, in nanoseconds.
    was_kept_off: Option<u64>,
    pub(super) lost_polls: u64,
}

impl KnownThread {
    /// For how long the system kept it off, of a thread that runs a loop: there are few of
    /// these, and of the others there may be hundreds.
    fn look_at_account(&self, state: thread::State) -> Option<u64> {
        let runs_a_loop = matches!(state.role, ThreadRole::Worker | ThreadRole::BlockOn);
        if !runs_a_loop || state.ended > 0 {
            return self.was_kept_off;
        }
        let account = self.kept_off.get_or_init(|| KeptOff::of(&self.thread));
        account.read().or(self.was_kept_off)
    }

    /// When it ended, as it was last told; 0 if it has not.
    fn ended(&self) -> Nanos {
        self.told.map_or(0, |state| state.ended)
    }

    /// Gives the memory of polls back that have all been read, once the thread itself has let go
    /// of it. A program may end a thread each moment, and what has ended is kept for an hour.
    fn let_go_of_ring(&mut self, budget: &Budget) {
        let thread = Arc::get_mut(&mut self.thread);
        if thread.and_then(|thread| thread.ring.take()).is_some() {
            budget.give(Ring::BYTES);
        }
    }
}

/// Memory that changed hands, in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    pub(super) freed: usize,
    pub(super) used: usize,
}

impl Memory {
    fn of<E>(rest: &Rest<E>) -> Self {
        Self {
            freed: rest.freed,
            used: rest.used,
        }
    }
}

/// The memory of one that has ended is for what is new.
fn give_back<E>(mut rest: Rest<E>, hand: &mut Hand<E>, spare: &Spare<E>) -> Memory {
    if let Some(ended) = rest.ended.take() {
        spare.put(hand, ended);
    }
    Memory::of(&rest)
}

impl Known {
    /// Brings near what [`Self::take`] is about to look at, of what there are many.
    pub(super) fn fetch(&self, changed: &Changed) {
        let store = &self.store;
        match changed {
            Changed::Task(task) => {
                task.fetch();
                black_box(store.tasks.get(task.id));
            }
            Changed::Resource(resource) => {
                resource.fetch();
                black_box(store.resources.get(resource.id));
            }
            Changed::Op(op) => {
                op.fetch();
                black_box(store.ops.get(op.id));
            }
            _ => {}
        }
    }

    pub(super) fn take(
        &mut self,
        changed: Changed,
        seq: Seq,
        is_watched: bool,
        news: &mut News,
        heard: &Heard,
    ) -> Memory {
        match changed {
            Changed::Task(task) => {
                self.store.anchor(&task);
                let mut missed = 0;
                let rest = self
                    .store
                    .tasks
                    .take(task, seq, is_watched, |state, is_new| {
                        news.task(state, is_new);
                        missed = state.missed_samples();
                    });
                self.lost_samples += u64::from(missed);
                give_back(rest, &mut self.hands.tasks, &heard.spare.tasks)
            }
            Changed::Resource(resource) => {
                let rest = self
                    .store
                    .resources
                    .take(resource, seq, is_watched, |state, is_new| {
                        news.resource(state, is_new);
                    });
                give_back(rest, &mut self.hands.resources, &heard.spare.resources)
            }
            Changed::Op(op) => {
                let rest = self.store.ops.take(op, seq, is_watched, |state, is_new| {
                    news.op(state, is_new);
                });
                give_back(rest, &mut self.hands.ops, &heard.spare.ops)
            }
            Changed::Scope(scope) => {
                let rest = self.store.scopes.take(scope, seq, is_watched, |state, _| {
                    news.scope(state);
                });
                Memory::of(&rest)
            }
            Changed::Thread(thread) => {
                self.threads.entry(thread.id).or_insert(KnownThread {
                    thread,
                    told: None,
                    kept_off: OnceCell::new(),
                    was_kept_off: None,
                    lost_polls: 0,
                });
                Memory::default()
            }
            Changed::Runtime(met) => {
                self.monitors.add(*met);
                Memory::default()
            }
            Changed::Callsite(meta) => {
                // Each subscriber that the program makes has all callsites registered anew.
                let mut known = self.callsites.iter();
                if !known.any(|(_, known)| std::ptr::eq(*known, meta)) {
                    self.callsites.push((seq, meta));
                    news.callsite(meta);
                }
                Memory::default()
            }
        }
    }

    pub(super) fn drain_polls(&mut self, polls: &mut own::Polls, heard: &Heard) {
        /// Between the end of a poll and that of its task, if it was the drop.
        const SETTLED: Nanos = 200_000;
        let wanted = heard.want_polls.load(Relaxed);
        for (number, known) in &mut self.threads {
            let Some(ring) = known.thread.ring.get() else {
                continue;
            };
            let has_ended = known.thread.read().ended > 0;
            let settled = if has_ended {
                Nanos::MAX
            } else {
                clock::now().saturating_sub(SETTLED)
            };
            let lost = ring.drain(settled, |poll| {
                if wanted {
                    polls.add(*number, poll);
                }
            });
            if wanted {
                polls.lost(lost - known.lost_polls);
            }
            known.lost_polls = lost;
            if has_ended {
                known.let_go_of_ring(&heard.budget);
            }
        }
    }

    /// Reads what is read at each publish.
    pub(super) fn sample(&mut self, heard: &Heard, news: &mut News) {
        let store = &self.store;
        self.runtimes = self.monitors.sample(&heard.runtimes, |r| store.is_used(r));
        self.is_filtered = heard.is_deaf() == Some(true);
        let mut own = news.own.as_mut();
        for known in self.threads.values_mut() {
            let state = known.thread.read();
            let kept_off = known.look_at_account(state);
            if state.ended > 0 {
                known.kept_off.take();
            }
            if known.told != Some(state) || kept_off != known.was_kept_off {
                known.told = Some(state);
                known.was_kept_off = kept_off;
                if let Some(own) = &mut own {
                    own.thread(&known.thread, &state, kept_off);
                }
            }
        }
        if let Some(own) = own {
            own.runtimes(self.runtimes.clone());
            own.usage(metrics::usage());
        }
    }

    /// Forgets threads that ended before `before`, and all but the newest: each is looked at
    /// all the time.
    pub(super) fn forget_threads(&mut self, before: Nanos, runtimes: &Runtimes) {
        const MOST: usize = 1 << 12;
        let has_ended = |known: &&KnownThread| known.ended() > 0;
        let ended = self.threads.values().filter(has_ended).count();
        let mut too_many = ended.saturating_sub(MOST);
        self.threads.retain(|number, known| {
            let ended = known.ended();
            // Its ring has to be given back before.
            if ended == 0 || known.thread.ring.get().is_some() {
                return true;
            }
            let keep = ended >= before && too_many == 0;
            too_many = too_many.saturating_sub(1);
            if !keep {
                runtimes.leave_thread(*number);
            }
            keep
        });
    }

    pub(super) fn always(&self, shared: &Shared, times: Times) -> own::Always {
        let heard = &shared.heard;
        let lost = &heard.lost;
        own::Always {
            times,
            ended: *lock(&shared.ended),
            overhead: v1::Overhead {
                memory: heard.budget.used() as u64,
                memory_limit: heard.budget.limit() as u64,
                lost_tasks: lost.tasks.load(Relaxed),
                lost_resources: lost.resources.load(Relaxed) + lost.ops.load(Relaxed),
                lost_scopes: lost.scopes.load(Relaxed),
                forgotten: self.store.forgotten,
                lost_events: lost.events.load(Relaxed),
                lost_samples: self.lost_samples,
                filtered: self.is_filtered,
                recorded_tasks: self.store.tasks.in_all(),
            },
        }
    }

    /// A message of a client's round of catching up, with as much of it as fits.
    pub(super) fn console_part(&self, round: Option<Round>, todo: &mut Todo) -> Vec<Bytes> {
        let mut part = News {
            console: Some(console::Updates::default()),
            ..News::default()
        };
        self.fill(round, todo, &mut part);
        let dropped = dropped(round, todo.take_missed());
        let updates = part.console.unwrap_or_default();
        updates.finish(todo.times(), dropped)
    }

    pub(super) fn own_part(
        &self,
        round: Option<Round>,
        todo: &mut Todo,
        always: &own::Always,
        settings: &Settings,
        wants_console: bool,
        lost_polls: u64,
    ) -> Vec<v1::Update> {
        let mut updates = own::Updates::default();
        if let Some(round) = round {
            if round.since == 0 {
                updates.process(settings.process.clone());
            }
            updates.usage(metrics::usage());
            updates.runtimes(self.runtimes.clone());
            for known in self.threads.values() {
                let state = known.thread.read();
                updates.thread(&known.thread, &state, known.look_at_account(state));
            }
        }
        if lost_polls > 0 {
            updates.lost_polls(lost_polls);
        }
        let mut part = News {
            beside: wants_console.then(console::Updates::default),
            own: Some(updates),
            ..News::default()
        };
        self.fill(round, todo, &mut part);
        let mut updates = part.own.unwrap_or_default();
        let missed = todo.take_missed();
        if let Some(missed) = missed.to_wire(wants_console) {
            updates.missed(missed);
        }
        let last = todo.is_empty() && todo.times.now >= always.ended;
        let always = own::Always {
            times: todo.times(),
            ended: if last { always.ended } else { 0 },
            ..always.clone()
        };
        let mut messages = Vec::new();
        if let Some(beside) = part.beside {
            for update in beside.finish(always.times, dropped(round, missed)) {
                messages.push(own::only_console(&update, &always));
            }
        }
        messages.extend(updates.finish(&always));
        messages
    }

    /// Puts into messages what a client lacks, until one of them is full.
    fn fill(&self, round: Option<Round>, todo: &mut Todo, part: &mut News) {
        if part.own.is_none() {
            todo.scopes.clear();
        }
        if part.console.is_none() && part.beside.is_none() {
            todo.ops.clear();
        }
        if let Some(round) = round {
            let new = self.callsites.iter().filter(|(seq, _)| *seq > round.since);
            new.for_each(|(_, meta)| part.callsite(meta));
        }
        let store = &self.store;
        let known = todo.known;
        while !part.is_full()
            && let Some(next) = todo.next()
        {
            let missed = &mut todo.missed;
            let (is_there, missed) = match next {
                Next::Scope(key) => {
                    let show = |state: &_, _| part.scope(state);
                    (store.scopes.show(key, show), &mut missed.scopes)
                }
                Next::Task(key) => {
                    let show = |state: &_, first| part.task(state, first > known);
                    (store.tasks.show(key, show), &mut missed.tasks)
                }
                Next::Resource(key) => {
                    let show = |state: &_, first| part.resource(state, first > known);
                    (store.resources.show(key, show), &mut missed.resources)
                }
                Next::Op(key) => {
                    let show = |state: &_, first| part.op(state, first > known);
                    (store.ops.show(key, show), &mut missed.ops)
                }
            };
            *missed += u64::from(!is_there);
        }
    }
}

/// What the console protocol's updates say that they lack: what was not recorded, and what the
/// client has missed.
fn dropped(round: Option<Round>, missed: Dropped) -> Dropped {
    let mut dropped = round.map_or_else(Dropped::default, |round| round.dropped);
    dropped += missed;
    dropped
}
