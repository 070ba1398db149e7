//! Collects what changed, once an interval, for everyone who watches.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc as list},
    time::Duration,
};

use console_api::{
    instrument::{self, State},
    tasks::TaskDetails,
};
use loopview_api::v1;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tonic::Status;

use super::{
    clients::{Clients, Details, Own},
    console,
    known::{Known, Memory, News, dropped},
    own,
    shared::{Shared, lock},
    store::Seq,
    watcher::{Connection, Watcher},
};
use crate::{
    clock::Nanos,
    facts::{changes::Changed, polls::Ring},
};

/// What the server asks for.
#[derive(Debug)]
pub(super) enum Request {
    Console(Watcher<instrument::Update>),
    /// With every poll, or without.
    Own(Watcher<v1::Update>, bool),
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
    news: News,
    is_watched: bool,
    last_words: LastWords,
}

/// What clients have been told of the end of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastWords {
    None,
    /// Everything, but not that it is everything.
    Told,
    Said,
}

impl Publisher {
    /// Changes that are read at once, at most.
    const AT_ONCE: usize = 1 << 16;

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
            news: News::default(),
            is_watched: false,
            last_words: LastWords::None,
        }
    }

    pub(super) async fn run(mut self) {
        let mut ticks = tokio::time::interval(self.settings.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shared = Arc::clone(&self.shared);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.publish(),
                () = shared.wake.notified() => self.publish(),
                () = shared.heard.changes.early.woken() => {
                    if !self.collect() || self.news.is_much() || self.has_last_words() {
                        self.publish();
                    }
                }
                () = shared.reads.room() => self.catch_up(),
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
                self.watch();
                watcher.is_paused = self.clients.paused.contains(&watcher.connection);
                self.clients.console.push(watcher);
                self.catch_up();
            }
            Request::Own(watcher, wants_polls) => {
                self.watch();
                self.clients.own.push(Own {
                    watcher,
                    wants_polls,
                    lost_polls: 0,
                });
                self.want_polls();
                self.catch_up();
            }
            Request::Details(task, messages) => {
                self.watch();
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

    /// Somebody watches from now on.
    fn watch(&mut self) {
        if !self.is_watched {
            self.is_watched = true;
            self.shared.heard.watch(true);
        }
        self.collect();
    }

    /// While nobody watches, the program's threads list only what ends.
    fn leave(&mut self) {
        if self.clients.leave() {
            self.want_polls();
        }
        if self.is_watched && self.clients.watch_nothing() {
            self.is_watched = false;
            self.shared.heard.watch(false);
            self.known.store.let_go();
        }
    }

    /// While nobody wants them, polls are not written down.
    fn want_polls(&self) {
        let wanted = self.clients.own.iter().any(|own| own.wants_polls);
        self.shared.heard.want_polls.store(wanted, Relaxed);
    }

    /// Reads what has changed, until there is enough to tell; true if that was all.
    fn collect(&mut self) -> bool {
        // There is no need to put together what nobody is going to be sent.
        let clients = &self.clients;
        let is_current = |w: &Watcher<_>| w.is_current(self.seq);
        if self.news.console.is_none() && clients.console.iter().any(is_current) {
            self.news.console = Some(console::Updates::default());
            self.news.console_since = self.seq;
        }
        let is_current = |own: &Own| own.watcher.is_current(self.seq);
        if self.news.own.is_none() && clients.own.iter().any(is_current) {
            self.news.own = Some(own::Updates::default());
            self.news.own_since = self.seq;
        }
        let mut n = 0;
        let mut all = Memory::default();
        let mut is_all = true;
        while let Ok(changed) = self.changes.try_recv() {
            n += 1;
            self.seq += 1;
            let heard = &self.shared.heard;
            let memory = self
                .known
                .take(changed, self.seq, self.is_watched, &mut self.news, heard);
            all.freed += memory.freed;
            all.used += memory.used;
            if n == Self::AT_ONCE || self.news.is_much() {
                is_all = false;
                break;
            }
        }
        let heard = &self.shared.heard;
        heard.changes.taken(n);
        heard.budget.take_anyway(all.used);
        heard.budget.give(all.freed);
        let excess = heard.budget.excess();
        if excess > 0 {
            heard.budget.give(self.known.store.make_room(excess));
        }
        self.known.drain_polls(&mut self.news.polls, heard);
        is_all
    }

    fn publish(&mut self) {
        let is_all = self.collect();
        let mut always = self.known.always(&self.shared);
        always.now = self.now(&always);
        let has_ended = always.ended > 0;
        if !is_all {
            // The rest follows at once: clients are served in between.
            self.shared.heard.changes.early.wake();
            always.ended = 0;
        }
        self.known.sample(&self.shared.heard, &mut self.news);
        // Threads and runtimes are read anew each time: there is always something new.
        self.seq += 1;
        let news = std::mem::take(&mut self.news);
        self.tell_console(news.console, news.console_since, &always);
        self.tell_own(news.own, news.own_since, news.polls, &always);
        for details in &mut self.clients.details {
            details.tell(&self.known.store);
        }
        self.catch_up();
        if has_ended && is_all && self.clients.are_current(self.seq) {
            match self.last_words {
                LastWords::None => {
                    self.last_words = LastWords::Told;
                    self.shared.heard.changes.early.wake();
                }
                LastWords::Told => {
                    self.last_words = LastWords::Said;
                    self.shared.said_it_all.store(true, Relaxed);
                }
                LastWords::Said => {}
            }
        }
        self.leave();
        self.forget(always.now);
    }

    /// The run is over, and clients do not know yet that they know everything.
    fn has_last_words(&self) -> bool {
        *lock(&self.shared.ended) > 0 && self.last_words != LastWords::Said
    }

    /// The time of what is told. The console protocol has no word for the end: what comes
    /// after it says that nothing more will come, so everything else bears its time.
    fn now(&self, always: &own::Always) -> Nanos {
        if always.ended > 0 && self.last_words == LastWords::None {
            always.now.min(always.ended)
        } else {
            always.now
        }
    }

    fn tell_console(
        &mut self,
        updates: Option<console::Updates>,
        since: Seq,
        always: &own::Always,
    ) {
        let total = dropped(&self.shared.heard);
        let before = std::mem::replace(&mut self.known.dropped, total);
        let Some(updates) = updates else { return };
        let messages = updates.finish(always.now, total.since(before));
        let messages: Vec<_> = messages.into_iter().map(Arc::new).collect();
        for watcher in &mut self.clients.console {
            if watcher.is_current(since) {
                watcher.send(&messages, self.seq);
            }
        }
    }

    fn tell_own(
        &mut self,
        updates: Option<own::Updates>,
        since: Seq,
        mut polls: own::Polls,
        always: &own::Always,
    ) {
        let n = polls.len();
        let clients = &mut self.clients.own;
        let is_current = |own: &Own| updates.is_some() && own.watcher.is_current(since);
        for own in clients.iter_mut().filter(|own| !is_current(own)) {
            own.lost_polls += n;
        }
        let Some(updates) = updates else { return };
        let all: Vec<_> = updates.finish(always).into_iter().map(Arc::new).collect();
        // The polls come first: the last message may be the last word.
        let polls = polls.take().into_iter();
        let mut with_polls: Vec<_> = polls
            .map(|polls| Arc::new(own::only_polls(polls, always)))
            .collect();
        with_polls.extend(all.iter().cloned());
        for own in clients
            .iter_mut()
            .filter(|own| own.watcher.is_current(since))
        {
            let messages = if own.wants_polls { &with_polls } else { &all };
            if !own.watcher.send(messages, self.seq) {
                own.lost_polls += n;
            }
        }
    }

    /// Sends everyone what they lack, as far as they take it.
    fn catch_up(&mut self) {
        let (known, seq) = (&self.known, self.seq);
        let now = self.now(&known.always(&self.shared));
        let since = self.news.console_since(seq);
        let console = self.clients.console.iter_mut();
        for watcher in console.filter(|watcher| !watcher.is_current(since)) {
            watcher.catch_up(&known.store, seq, |round, todo| {
                known.console_part(round, todo, now)
            });
        }
        let since = self.news.own_since(seq);
        let own = self.clients.own.iter_mut();
        for own in own.filter(|own| !own.watcher.is_current(since)) {
            let always = known.always(&self.shared);
            let settings = &self.settings;
            let lost = &mut own.lost_polls;
            let wants_polls = own.wants_polls;
            own.watcher.catch_up(&known.store, seq, |round, todo| {
                let lost = std::mem::take(lost);
                let lost = if wants_polls { lost } else { 0 };
                known.own_part(round, todo, &always, settings, lost)
            });
        }
    }

    fn forget(&mut self, now: Nanos) {
        let told = [
            self.clients.console.iter().map(Watcher::told).min(),
            self.clients.own.iter().map(|own| own.watcher.told()).min(),
        ];
        let told = told.into_iter().flatten().min().unwrap_or(Seq::MAX);
        let retention = self.settings.retention.as_nanos();
        let before = now.saturating_sub(u64::try_from(retention).unwrap_or(Nanos::MAX));
        let freed = self.known.store.forget(before, told);
        self.shared.heard.budget.give(freed);
        let budget = &self.shared.heard.budget;
        let runtimes = &self.shared.heard.runtimes;
        self.known.threads.retain(|number, known| {
            let ended = known.told.map_or(0, |state| state.ended);
            let keep = ended == 0 || ended >= before;
            if !keep {
                runtimes.leave_thread(*number);
                if known.thread.ring.get().is_some() {
                    budget.give(Ring::BYTES);
                }
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests;
