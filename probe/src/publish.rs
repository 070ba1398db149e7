//! Collects what changed, once an interval, for everyone who watches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use loopview_api::v1;
use tokio::{
    sync::{Notify, mpsc},
    time::MissedTickBehavior,
};
use tonic::Status;

use crate::{
    cells::{Cell, Cells, Changed, Scope, Task, Thread, Timer, lock},
    clock,
    metrics::{Monitors, Runtimes},
};

/// Updates that a watcher may leave unread before it is let go.
pub(crate) const WATCHER_BUFFER: usize = 1_024;

pub(crate) type Watcher = mpsc::Sender<Result<v1::Update, Status>>;

/// What the program's threads, the publisher and the server share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) cells: Arc<Cells>,
    pub(crate) runtimes: Arc<Runtimes>,
    watching: Mutex<usize>,
    watching_changed: Condvar,
    ended: Mutex<Option<Instant>>,
    wake: Notify,
}

impl Shared {
    /// Counts a watcher for as long as the result lives.
    pub(crate) fn count_watcher(self: &Arc<Self>) -> Watching {
        *lock(&self.watching) += 1;
        self.watching_changed.notify_all();
        Watching(Arc::clone(self))
    }

    /// Blocks until somebody watches, or the limit is up.
    pub(crate) fn wait_for_watcher(&self, limit: Duration) -> bool {
        self.wait_until(limit, |watching| watching > 0)
    }

    /// Publishes the final state, and blocks until nobody watches any more, or the limit
    /// is up.
    pub(crate) fn finish(&self, limit: Duration) {
        *lock(&self.ended) = Some(Instant::now());
        self.wake.notify_one();
        self.wait_until(limit, |watching| watching == 0);
    }

    fn wait_until(&self, limit: Duration, holds: impl Fn(usize) -> bool) -> bool {
        let watching = lock(&self.watching);
        self.watching_changed
            .wait_timeout_while(watching, limit, |watching| !holds(*watching))
            .is_ok_and(|(_, waited)| !waited.timed_out())
    }
}

/// A watcher that has not left.
pub(crate) struct Watching(Arc<Shared>);

impl Drop for Watching {
    fn drop(&mut self) {
        *lock(&self.0.watching) -= 1;
        self.0.watching_changed.notify_all();
    }
}

pub(crate) struct Publisher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) new_watchers: mpsc::Receiver<Watcher>,
    pub(crate) process: v1::Process,
    pub(crate) interval: Duration,
    pub(crate) retention: Duration,
    pub(crate) state: State,
}

/// All cells that are retained, and who wants to know of them.
#[derive(Default)]
pub(crate) struct State {
    tasks: BTreeMap<u64, Arc<Cell<Task>>>,
    timers: BTreeMap<u64, Arc<Cell<Timer>>>,
    scopes: BTreeMap<u64, Arc<Cell<Scope>>>,
    threads: BTreeMap<u64, Arc<Cell<Thread>>>,
    /// What has ended, in the order in which that was seen.
    closed: VecDeque<(Instant, Key)>,
    monitors: Monitors,
    watchers: Vec<Watcher>,
}

#[derive(Copy, Clone)]
enum Key {
    Task(u64),
    Timer(u64),
    Scope(u64),
}

impl Publisher {
    pub(crate) async fn run(mut self) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.publish(),
                () = shared.wake.notified() => self.publish(),
                Some(watcher) = self.new_watchers.recv() => self.welcome(watcher),
            }
        }
    }

    fn publish(&mut self) {
        let mut update = self.state.collect(self.shared.cells.take());
        update.runtimes = self.state.monitors.sample(&self.shared.runtimes);
        self.stamp(&mut update);
        self.state
            .watchers
            .retain(|watcher| watcher.try_send(Ok(update.clone())).is_ok());
        self.state.forget(self.retention);
    }

    /// Gives a new watcher everything that is retained.
    fn welcome(&mut self, watcher: Watcher) {
        // The others need what is new, too, and it is only to be had once.
        self.publish();
        let mut update = self.state.snapshot();
        update.process = Some(self.process.clone());
        self.stamp(&mut update);
        if watcher.try_send(Ok(update)).is_ok() {
            self.state.watchers.push(watcher);
        }
    }

    fn stamp(&self, update: &mut v1::Update) {
        update.now = Some(clock::wire(Instant::now()));
        update.ended_at = lock(&self.shared.ended).map(clock::wire);
    }
}

impl State {
    /// Keeps what is new, and tells it.
    fn collect(&mut self, new: Vec<Changed>) -> v1::Update {
        let now = Instant::now();
        let mut update = v1::Update::default();
        for changed in new {
            match changed {
                Changed::Task(cell) => {
                    let (id, closed) = cell.read(|t| {
                        update.tasks.push(t.to_wire());
                        (t.wire.id, t.closed)
                    });
                    self.tasks.insert(id, cell);
                    self.closed.extend(closed.map(|_| (now, Key::Task(id))));
                }
                Changed::Timer(cell) => {
                    let (id, closed) = cell.read(|t| {
                        update.timers.push(t.wire.clone());
                        (t.wire.id, t.closed)
                    });
                    self.timers.insert(id, cell);
                    self.closed.extend(closed.map(|_| (now, Key::Timer(id))));
                }
                Changed::Scope(cell) => {
                    let (id, closed) = cell.read(|s| {
                        update.scopes.push(s.wire.clone());
                        (s.wire.id, s.closed)
                    });
                    self.scopes.insert(id, cell);
                    self.closed.extend(closed.map(|_| (now, Key::Scope(id))));
                }
                Changed::Thread(cell) => {
                    let id = cell.read(|t| {
                        update.threads.push(t.wire.clone());
                        t.wire.id
                    });
                    self.threads.insert(id, cell);
                }
            }
        }
        update
    }

    fn snapshot(&self) -> v1::Update {
        v1::Update {
            tasks: self
                .tasks
                .values()
                .map(|cell| cell.read(Task::to_wire))
                .collect(),
            timers: self
                .timers
                .values()
                .map(|cell| cell.read(|t| t.wire.clone()))
                .collect(),
            scopes: self
                .scopes
                .values()
                .map(|cell| cell.read(|s| s.wire.clone()))
                .collect(),
            threads: self
                .threads
                .values()
                .map(|cell| cell.read(|t| t.wire.clone()))
                .collect(),
            ..v1::Update::default()
        }
    }

    fn forget(&mut self, retention: Duration) {
        while self
            .closed
            .front()
            .is_some_and(|(at, _)| at.elapsed() > retention)
        {
            match self.closed.pop_front() {
                Some((_, Key::Task(id))) => drop(self.tasks.remove(&id)),
                Some((_, Key::Timer(id))) => drop(self.timers.remove(&id)),
                Some((_, Key::Scope(id))) => drop(self.scopes.remove(&id)),
                None => break,
            }
        }
    }
}
