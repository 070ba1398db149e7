//! Who watches what.

use std::collections::HashSet;

use console_api::{
    instrument::{State, Temporality},
    tasks::TaskDetails,
};
use loopview_api::v1;
use prost::bytes::Bytes;
use tokio::sync::mpsc;
use tonic::Status;

use super::{
    console,
    kept::{Reader, Seq},
    store::Store,
    watcher::{Connection, Watcher},
};
use crate::{clock, hear::Interest};

#[derive(Default)]
pub(super) struct Clients {
    pub(super) console: Vec<Watcher<Bytes>>,
    pub(super) own: Vec<Own>,
    pub(super) details: Vec<Details>,
    pub(super) states: Vec<(Connection, mpsc::Sender<Result<State, Status>>)>,
    pub(super) paused: HashSet<Connection>,
}

pub(super) struct Own {
    pub(super) watcher: Watcher<v1::Update>,
    pub(super) wants: v1::WatchRequest,
    /// Polls that it was not sent, because it lagged.
    pub(super) lost_polls: u64,
}

pub(super) struct Details {
    pub(super) task: u64,
    pub(super) messages: mpsc::Sender<Result<TaskDetails, Status>>,
    /// Polls that the last message was about, and whether one was going on.
    pub(super) polls: Option<(u64, bool)>,
}

impl Clients {
    pub(super) fn state(&self, connection: Connection) -> State {
        let paused = self.paused.contains(&connection);
        let temporality = if paused {
            Temporality::Paused
        } else {
            Temporality::Live
        };
        State {
            temporality: temporality.into(),
        }
    }

    /// Pauses the client at that end of the connection only.
    pub(super) fn pause(&mut self, connection: Connection, pause: bool) {
        if pause {
            self.paused.insert(connection);
        } else {
            self.paused.remove(&connection);
        }
        for watcher in &mut self.console {
            if watcher.connection == connection {
                watcher.is_paused = pause;
            }
        }
        let state = self.state(connection);
        for (of, messages) in &self.states {
            if *of == connection {
                let _ = messages.try_send(Ok(state));
            }
        }
    }

    /// Everyone who reads has been sent everything up to this reading.
    pub(super) fn are_current(&self, seq: Seq) -> bool {
        let mut console = self.console.iter().filter(|watcher| !watcher.is_paused);
        let mut own = self.own.iter();
        console.all(|watcher| watcher.has_all(seq)) && own.all(|own| own.watcher.has_all(seq))
    }

    /// What each of them has been told, be it paused or not.
    pub(super) fn readers(&self) -> Vec<Reader> {
        let console = self.console.iter().map(Watcher::reader);
        let own = self.own.iter().map(|own| own.watcher.reader());
        console.chain(own).collect()
    }

    /// Up to which reading what is alive is being shown to those who catch up.
    pub(super) fn shown_up_to(&self) -> Option<Seq> {
        let readers = self.readers().into_iter();
        let catch_up = readers.filter(|reader| reader.may_know > reader.told);
        catch_up.map(|reader| reader.may_know).max()
    }

    /// What the readers, in the same order, miss from now on, unless they get the news since the
    /// reading `begin`.
    pub(super) fn miss(&mut self, readers: &[Reader], begin: Seq) {
        let (console, own) = readers.split_at(self.console.len());
        for (watcher, reader) in self.console.iter_mut().zip(console) {
            watcher.miss(reader.missed, begin);
        }
        for (own, reader) in self.own.iter_mut().zip(own) {
            own.watcher.miss(reader.missed, begin);
        }
    }

    /// Somebody has everything up to this reading.
    pub(super) fn is_any_current(&self, seq: Seq) -> bool {
        self.console.iter().any(|watcher| watcher.is_current(seq))
            || self.own.iter().any(|own| own.watcher.is_current(seq))
    }

    /// What somebody here has to be told of.
    pub(super) fn interest(&self) -> Interest {
        if !self.console.is_empty() {
            Interest::All
        } else if !self.own.is_empty() || !self.details.is_empty() {
            Interest::AllButTimerOps
        } else {
            Interest::None
        }
    }

    /// Forgets who has left; tells whether one of them may have wanted polls.
    pub(super) fn leave(&mut self) -> bool {
        let before = self.own.len();
        self.own.retain(|own| !own.watcher.has_left());
        self.console.retain(|watcher| !watcher.has_left());
        self.details.retain(|details| !details.messages.is_closed());
        self.states.retain(|(_, messages)| !messages.is_closed());
        if self.states.is_empty() && self.console.is_empty() {
            self.paused.clear();
        }
        self.own.len() < before
    }
}

impl Details {
    /// Tells of the task, if it was polled since the last time. A message that a slow client
    /// has no room for is left out: the next one holds everything.
    pub(super) fn tell(&mut self, store: &Store) {
        // The last change of a task is its end.
        const ENDED: (u64, bool) = (u64::MAX, false);
        if self.polls == Some(ENDED) {
            return;
        }
        let (polls, buckets) = if let Some(task) = store.tasks.get(self.task) {
            // In this order: a poll that begins meanwhile makes the next message another one.
            let polls = task.polls();
            let last = task.last_poll();
            let polls = (polls, last.is_none());
            if self.polls == Some(polls) {
                return;
            }
            let sampled = task.sampled();
            (polls, (sampled.polls(last), sampled.waits()))
        } else if let Some(state) = store.tasks.get_ended(self.task) {
            (ENDED, state.samples())
        } else {
            let unknown = Status::not_found(format!("there is no task {}", self.task));
            let _ = self.messages.try_send(Err(unknown));
            self.polls = Some(ENDED);
            return;
        };
        let message = console::details(self.task, clock::now(), &buckets.0, &buckets.1);
        if self.messages.try_send(Ok(message)).is_ok() {
            self.polls = Some(polls);
        }
    }
}
