//! Collects what changed, once an interval, for everyone who watches.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc as list},
    time::Duration,
};

use console_api::{instrument::State, tasks::TaskDetails};
use loopview_api::v1;
use prost::bytes::Bytes;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tonic::Status;

use super::{
    clients::{Clients, Details, Own},
    console,
    dropped::Dropped,
    horizon::{Horizon, Times},
    kept::Seq,
    known::{Known, Memory},
    news::News,
    own,
    shared::{Shared, lock},
    watcher::{Connection, Reading, Watcher},
};
use crate::{
    clock::{self, Nanos},
    facts::{changes::Changed, fence},
    hear::Interest,
};

/// What the server asks for.
#[derive(Debug)]
pub(super) enum Request {
    Console(Watcher<Bytes>),
    Own(Watcher<v1::Update>, v1::WatchRequest),
    Details(u64, mpsc::Sender<Result<TaskDetails, Status>>),
    State(Connection, mpsc::Sender<Result<State, Status>>),
    Pause(Connection, bool),
}

/// Settings that matter here.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) interval: Duration,
    pub(crate) retention: Duration,
    pub(crate) process: v1::Process,
}

pub(crate) struct Publisher {
    shared: Arc<Shared>,
    settings: Settings,
    changes: list::Receiver<Changed>,
    requests: mpsc::UnboundedReceiver<Request>,
    clients: Clients,
    known: Known,
    /// Of the newest reading.
    seq: Seq,
    horizon: Horizon,
    /// Where it was at the last publish.
    told_at: Nanos,
    news: News,
    interest: Interest,
    /// All that there was at the end of the run has been read.
    has_read_the_end: bool,
}

impl Publisher {
    /// Changes that are read at once, at most.
    const AT_ONCE: usize = 1 << 16;
    /// Changes that are taken off the list before the first of them is read.
    const BATCH: usize = 1 << 9;
    /// Changes whose memory is fetched before the first of them is read: it was another
    /// thread's, and the processor waits for many places as long as for one.
    const TOGETHER: usize = 16;

    pub(super) fn new(
        shared: Arc<Shared>,
        settings: Settings,
        changes: list::Receiver<Changed>,
        requests: mpsc::UnboundedReceiver<Request>,
    ) -> Self {
        Self {
            shared,
            settings,
            changes,
            requests,
            clients: Clients::default(),
            known: Known::default(),
            seq: 1,
            horizon: Horizon::new(clock::now()),
            told_at: clock::now(),
            news: News::default(),
            interest: Interest::None,
            has_read_the_end: false,
        }
    }

    pub(super) async fn run(mut self) {
        let mut ticks = tokio::time::interval(self.settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.publish(),
                () = shared.wake.woken() => self.publish(),
                () = shared.heard.changes.early.woken() => {
                    if !self.collect() || self.news.is_much() || self.has_last_words() {
                        self.publish();
                    }
                }
                () = shared.heard.changes.half_full.woken() => {
                    self.known.drain_polls(&mut self.news.polls, &shared.heard);
                }
                // What ended while a client was catching up comes with the next publish, and the
                // end of the program does not wait for that.
                () = shared.reads.room() => if self.has_last_words() {
                    self.publish();
                } else {
                    self.catch_up();
                },
                request = self.requests.recv() => match request {
                    Some(request) => self.take(request),
                    None => return,
                },
            }
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Console(mut watcher) => {
                self.watch(Interest::All);
                watcher.is_paused = self.clients.paused.contains(&watcher.connection);
                self.clients.console.push(watcher);
                self.catch_up();
            }
            Request::Own(watcher, wants) => {
                self.watch(Interest::AllButTimerOps);
                self.clients.own.push(Own {
                    watcher,
                    wants,
                    lost_polls: 0,
                });
                self.want_polls();
                self.catch_up();
            }
            Request::Details(task, messages) => {
                self.watch(Interest::AllButTimerOps);
                let mut details = Details {
                    task,
                    messages,
                    polls: None,
                };
                details.tell(&self.known.store);
                self.clients.details.push(details);
            }
            Request::State(connection, messages) => {
                let _ = messages.try_send(Ok(self.clients.state(connection)));
                self.clients.states.push((connection, messages));
            }
            Request::Pause(connection, pause) => {
                self.clients.pause(connection, pause);
                self.catch_up();
            }
        }
    }

    /// Somebody watches from now on, and wants to know this at least.
    fn watch(&mut self, interest: Interest) {
        if self.interest < interest {
            self.interest = interest;
            self.shared.heard.watch(interest);
        }
        self.collect();
    }

    /// While nobody watches, the program's threads list only what ends. Operations on timers that
    /// a client knew are listed to their ends.
    fn leave(&mut self) {
        if self.clients.leave() {
            self.want_polls();
        }
        let interest = self.clients.interest();
        if interest < self.interest {
            self.interest = interest;
            self.shared.heard.watch(interest);
            if interest == Interest::None {
                self.known.store.let_go();
            }
        }
    }

    /// While nobody wants them, polls are not written down.
    fn want_polls(&self) {
        let wanted = self.clients.own.iter().any(|own| own.wants.polls);
        self.shared.heard.want_polls.store(wanted, Relaxed);
    }

    /// Reads what has changed, until there is enough to tell; true if that was all.
    fn collect(&mut self) -> bool {
        // There is no need to put together what nobody is going to be sent.
        let clients = &self.clients;
        if !self.news.have_begun() && clients.is_any_current(self.seq) {
            self.news.begin = self.seq;
            let console = !clients.console.is_empty();
            self.news.console = console.then(console::Updates::default);
            let beside = clients.own.iter().any(|own| own.wants.console);
            self.news.beside = beside.then(console::Updates::default);
            let own = !clients.own.is_empty();
            self.news.own = own.then(own::Updates::default);
        }
        let mut n = 0;
        let mut all = Memory::default();
        let mut is_all = true;
        let heard = &self.shared.heard;
        let mut batch = Vec::with_capacity(Self::BATCH);
        loop {
            let listed = || heard.changes.length().saturating_sub(n);
            self.horizon.look(|| (clock::now(), listed()));
            batch.extend(self.changes.try_iter().take(Self::BATCH));
            if batch.is_empty() {
                self.horizon.reach(clock::now());
                break;
            }
            n += batch.len();
            let is_watched = self.interest > Interest::None;
            if is_watched {
                batch.iter().for_each(Changed::unlist);
                fence::heavy();
            }
            self.horizon.read(batch.len());
            let mut batch = batch.drain(..);
            while !batch.as_slice().is_empty() {
                let together = batch.as_slice().iter().take(Self::TOGETHER);
                together.for_each(|changed| self.known.fetch(changed));
                for changed in batch.by_ref().take(Self::TOGETHER) {
                    self.seq += 1;
                    let memory =
                        self.known
                            .take(changed, self.seq, is_watched, &mut self.news, heard);
                    all.freed += memory.freed;
                    all.used += memory.used;
                }
            }
            // The program goes on meanwhile, and its rings are short.
            self.known.drain_polls(&mut self.news.polls, heard);
            if n >= Self::AT_ONCE || self.news.is_much() {
                is_all = false;
                break;
            }
        }
        heard.changes.taken(n);
        heard.budget.take_anyway(all.used);
        heard.budget.give(all.freed);
        let excess = heard.budget.excess();
        if excess > 0 {
            let mut readers = self.clients.readers();
            let most_owed = heard.budget.limit() / 4;
            let store = &mut self.known.store;
            let freed = store.make_room(excess, &mut readers, most_owed);
            heard.budget.give(freed);
            self.clients.miss(&readers, self.news.since(self.seq));
        }
        self.known.drain_polls(&mut self.news.polls, heard);
        is_all
    }

    fn publish(&mut self) {
        let is_all = self.collect();
        let now = self.horizon.at();
        let before = std::mem::replace(&mut self.told_at, now);
        let mut always = self.known.always(&self.shared, Times { before, now });
        self.has_read_the_end |= always.ended > 0 && always.ended <= now;
        if !self.has_read_the_end {
            always.ended = 0;
        }
        if !is_all {
            // The rest follows at once: clients are served in between.
            self.shared.heard.changes.early.wake();
        }
        self.known.sample(&self.shared.heard, &mut self.news);
        // Threads and runtimes are read anew each time: there is always something new.
        self.seq += 1;
        let news = std::mem::take(&mut self.news);
        self.tell(news, &always);
        for details in &mut self.clients.details {
            details.tell(&self.known.store);
        }
        self.catch_up();
        if always.ended > 0 && self.clients.are_current(self.seq) {
            self.shared.said_it_all.store(true, Relaxed);
        }
        self.leave();
        self.forget(now);
    }

    /// The run is over, and clients do not know everything yet.
    fn has_last_words(&self) -> bool {
        *lock(&self.shared.ended) > 0 && !self.shared.said_it_all.load(Relaxed)
    }

    /// Sends the news to everyone who lacks nothing else.
    fn tell(&mut self, mut news: News, always: &own::Always) {
        let dropped = Dropped::by(&self.shared.heard);
        let before = std::mem::replace(&mut self.known.dropped, dropped);
        let reading = Reading {
            seq: self.seq,
            at: always.times.now,
            dropped,
        };
        let begin = news.since(self.seq);
        let finish = |updates: console::Updates| updates.finish(always.times, dropped - before);
        let console = news.console.map_or_else(Vec::new, finish).into_iter();
        let console: Vec<_> = console.map(Arc::new).collect();
        for watcher in &mut self.clients.console {
            if watcher.is_current(begin) && !console.is_empty() {
                watcher.send(&console, reading);
            }
        }
        let lost = news.polls.len();
        let own: Vec<_> = news.own.map_or_else(Vec::new, |updates| {
            updates.finish(always).into_iter().map(Arc::new).collect()
        });
        // The last of these may be the last word: the others come before it.
        let polls = news.polls.take().into_iter();
        let polls = polls.map(|polls| Arc::new(own::only_polls(polls, always)));
        let polls: Vec<_> = polls.collect();
        let beside = news.beside.map_or_else(Vec::new, finish).into_iter();
        let beside = beside.map(|update| Arc::new(own::only_console(&update, always)));
        let beside: Vec<_> = beside.collect();
        for client in &mut self.clients.own {
            let mut messages = Vec::new();
            if client.wants.polls {
                messages.extend_from_slice(&polls);
            }
            if client.wants.console {
                messages.extend_from_slice(&beside);
            }
            messages.extend_from_slice(&own);
            let watcher = &mut client.watcher;
            let is_sent = watcher.is_current(begin)
                && !own.is_empty()
                && (!client.wants.console || !beside.is_empty())
                && watcher.send(&messages, reading);
            if !is_sent {
                client.lost_polls += lost;
            }
        }
    }

    /// Sends everyone what they lack, as far as they take it.
    fn catch_up(&mut self) {
        let known = &self.known;
        let reading = Reading {
            seq: self.seq,
            at: self.horizon.at(),
            dropped: known.dropped,
        };
        let since = self.news.since(self.seq);
        let console = self.clients.console.iter_mut();
        for watcher in console.filter(|watcher| !watcher.is_current(since)) {
            watcher.catch_up(&known.store, reading, |round, todo| {
                known.console_part(round, todo)
            });
        }
        let own = self.clients.own.iter_mut();
        for own in own.filter(|own| !own.watcher.is_current(since)) {
            let mut always = known.always(&self.shared, Times::default());
            if !self.has_read_the_end {
                always.ended = 0;
            }
            let settings = &self.settings;
            let lost = &mut own.lost_polls;
            let wants = own.wants;
            own.watcher.catch_up(&known.store, reading, |round, todo| {
                let lost = std::mem::take(lost);
                let lost = if wants.polls { lost } else { 0 };
                known.own_part(round, todo, &always, settings, wants.console, lost)
            });
        }
        let shown = self.clients.shown_up_to();
        self.known.store.shows_up_to(shown);
    }

    fn forget(&mut self, now: Nanos) {
        let told = self
            .clients
            .readers()
            .iter()
            .map(|reader| reader.told)
            .min();
        let told = told.unwrap_or(Seq::MAX);
        let retention = self.settings.retention.as_nanos();
        let before = now.saturating_sub(u64::try_from(retention).unwrap_or(Nanos::MAX));
        let freed = self.known.store.forget(before, told);
        self.shared.heard.budget.give(freed);
        self.known
            .forget_threads(before, &self.shared.heard.runtimes);
    }
}

#[cfg(test)]
mod tests;
