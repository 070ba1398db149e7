//! One client's stream: what it has been sent, and what it still lacks.
//!
//! A client that keeps up gets the changes of each publish, which are put together once for
//! all. One that does not is left alone until it has read what it was sent; then it gets
//! everything that has changed since. So a client that stalls, or has paused, costs nothing,
//! and needs no buffer that could overflow.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use tokio::sync::{Notify, mpsc};
use tokio_stream::Stream;
use tonic::Status;

use super::{
    dropped::Dropped,
    horizon::Times,
    kept::{Key, Reader, Seq},
    store::Store,
};
use crate::clock::Nanos;

/// Messages that a client has not read, at most: all of a publish have room.
const ROOM: usize = 64;
/// The same while it catches up: what waits to be read grows old.
const AHEAD: usize = 4;

/// Which of several programs that watch over one server.
pub(crate) type Connection = u64;

type Message<M> = Result<Arc<M>, Status>;

/// The publisher's end.
#[derive(Debug)]
pub(crate) struct Watcher<M> {
    messages: mpsc::Sender<Message<M>>,
    pub(super) connection: Connection,
    /// It has been sent everything up to here.
    seq: Seq,
    /// More was read while it was catching up.
    is_behind: bool,
    /// It has been told what everything is that was first read up to here: to be told so
    /// again would make others of them for tokio-console, and it would lose sight of them.
    known: Seq,
    /// Up to when it knows everything; 0 before it has been told anything.
    told_at: Nanos,
    /// What it has been told of what was not recorded.
    dropped: Dropped,
    /// What it will never be told, and has not been told so.
    missed: Dropped,
    /// What it will not be told either if it has no room for the news, the only place where that
    /// still is.
    at_stake: Dropped,
    catching_up: Option<CatchingUp>,
    lags: Arc<AtomicBool>,
    pub(super) is_paused: bool,
}

/// What is still to be sent of what there was at a time.
#[derive(Debug)]
struct CatchingUp {
    until: Seq,
    todo: Todo,
}

/// The next thing that a client lacks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Scope(Key),
    Task(Key),
    Resource(Key),
    Op(Key),
}

/// What a client lacks, by kind.
#[derive(Debug, Default)]
pub(super) struct Todo {
    tasks: Vec<Key>,
    resources: Vec<Key>,
    pub(super) ops: Vec<Key>,
    pub(super) scopes: Vec<Key>,
    /// What was first read up to here is known to the client.
    pub(super) known: Seq,
    /// Up to when the client knows all, and will when it has read this.
    pub(super) times: Times,
    /// What the client is not told: it was passed over, or forgotten before its turn came.
    pub(super) missed: Dropped,
}

impl Todo {
    fn since(store: &Store, seq: Seq, known: Seq, times: Times) -> Self {
        let (tasks, no_tasks) = store.tasks.lacking(seq);
        let (resources, no_resources) = store.resources.lacking(seq);
        let (ops, no_ops) = store.ops.lacking(seq);
        let (scopes, no_scopes) = store.scopes.lacking(seq);
        let passed_over = Dropped {
            tasks: no_tasks,
            resources: no_resources,
            ops: no_ops,
            scopes: no_scopes,
        };
        Self {
            tasks,
            resources,
            ops,
            scopes,
            known,
            times,
            missed: passed_over,
        }
    }

    /// What the client has missed, once nothing more can come to it.
    pub(super) fn take_missed(&mut self) -> Dropped {
        if self.is_empty() {
            std::mem::take(&mut self.missed)
        } else {
            Dropped::default()
        }
    }

    /// What lives comes first.
    pub(super) fn next(&mut self) -> Option<Next> {
        let live = self.pop(|key| matches!(key, Key::Live(_)));
        live.or_else(|| self.pop(|_| true))
    }

    fn pop(&mut self, which: fn(&mut Key) -> bool) -> Option<Next> {
        let scope = self.scopes.pop_if(which).map(Next::Scope);
        let task = || self.tasks.pop_if(which).map(Next::Task);
        let resource = || self.resources.pop_if(which).map(Next::Resource);
        let op = || self.ops.pop_if(which).map(Next::Op);
        scope.or_else(task).or_else(resource).or_else(op)
    }

    /// Those of the next messages.
    pub(super) fn times(&self) -> Times {
        let before = self.times.before;
        let now = self.times.of(self.is_empty());
        Times { before, now }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
            && self.resources.is_empty()
            && self.ops.is_empty()
            && self.scopes.is_empty()
    }
}

/// That clients have read something.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    messages: AtomicU64,
    room: Notify,
}

impl Reads {
    /// How many messages have been read by all of them.
    pub(super) fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }

    /// A client that lags has room again.
    pub(super) async fn room(&self) {
        self.room.notified().await;
    }
}

/// The client's end.
#[derive(Debug)]
pub(crate) struct Watched<M, G = ()> {
    messages: mpsc::Receiver<Message<M>>,
    lags: Arc<AtomicBool>,
    reads: Arc<Reads>,
    /// Dropped when the client leaves.
    _guard: G,
}

pub(crate) fn watch<M, G>(
    connection: Connection,
    reads: &Arc<Reads>,
    guard: G,
) -> (Watcher<M>, Watched<M, G>) {
    let (sender, receiver) = mpsc::channel(ROOM);
    let lags = Arc::new(AtomicBool::new(false));
    let watcher = Watcher {
        messages: sender,
        connection,
        seq: 0,
        is_behind: true,
        known: 0,
        told_at: 0,
        dropped: Dropped::default(),
        missed: Dropped::default(),
        at_stake: Dropped::default(),
        catching_up: None,
        lags: Arc::clone(&lags),
        is_paused: false,
    };
    let stream = Watched {
        messages: receiver,
        lags,
        reads: Arc::clone(reads),
        _guard: guard,
    };
    (watcher, stream)
}

impl<M: Clone + Unpin, G: Unpin> Stream for Watched<M, G> {
    type Item = Result<M, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let message = self.messages.poll_recv(cx);
        if message.is_ready() {
            self.reads.messages.fetch_add(1, Relaxed);
            if self.lags.load(Relaxed) {
                self.reads.room.notify_one();
            }
        }
        message.map(|message| message.map(|message| message.map(Arc::unwrap_or_clone)))
    }
}

/// How much there is to tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) seq: Seq,
    /// Up to when all is known.
    pub(super) at: Nanos,
    /// What was not recorded.
    pub(super) dropped: Dropped,
}

/// What a round of catching up starts with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// What changed after this is in it.
    pub(super) since: Seq,
    /// What was not recorded since the client was last told so.
    pub(super) dropped: Dropped,
}

impl<M> Watcher<M> {
    pub(super) fn has_left(&self) -> bool {
        self.messages.is_closed()
    }

    pub(super) fn reader(&self) -> Reader {
        let catching_up = self.catching_up.as_ref();
        Reader {
            told: self.seq,
            may_know: catching_up.map_or(self.seq, |catching_up| catching_up.until),
            missed: Dropped::default(),
        }
    }

    /// It has been sent everything that there was at the reading `seq`.
    pub(super) fn has_all(&self, seq: Seq) -> bool {
        self.seq >= seq && !self.is_behind
    }

    /// It has everything up to the reading `seq`, and can take what comes after it. One that
    /// has more would be told older states after newer ones.
    pub(super) fn is_current(&self, seq: Seq) -> bool {
        !self.is_paused && !self.is_behind && self.seq == seq
    }

    /// It has not been told of something that is forgotten now. The news since the reading `begin`
    /// still have it.
    pub(super) fn miss(&mut self, missed: Dropped, begin: Seq) {
        if self.is_current(begin) {
            self.at_stake += missed;
        } else {
            self.missed += missed;
        }
    }

    /// Sends the changes up to a reading, if it has everything before and room for them.
    pub(super) fn send(&mut self, messages: &[Arc<M>], reading: Reading) -> bool {
        if self.messages.capacity() < messages.len() {
            return false;
        }
        for message in messages {
            // It has room; if it has left, that is seen later.
            let _ = self.messages.try_send(Ok(Arc::clone(message)));
        }
        (self.seq, self.known) = (reading.seq, reading.seq);
        (self.told_at, self.dropped) = (reading.at, reading.dropped);
        self.at_stake = Dropped::default();
        true
    }

    /// For a round that begins. What is told to one who knows nothing is no older than the round.
    fn times(&self, now: Nanos) -> Times {
        let before = if self.told_at > 0 { self.told_at } else { now };
        Times { before, now }
    }

    /// Sends what it lacks, as far as there is room. `part` makes messages of some of it,
    /// one if it can, with what else a round starts with.
    pub(super) fn catch_up(
        &mut self,
        store: &Store,
        reading: Reading,
        mut part: impl FnMut(Option<Round>, &mut Todo) -> Vec<M>,
    ) {
        let seq = reading.seq;
        while !self.is_paused
            && self.messages.capacity() > ROOM - AHEAD
            && !self.messages.is_closed()
        {
            if self.seq > 0 && self.seq < store.lacking {
                let status = "what you have not read had to be forgotten: connect again";
                let _ = self.messages.try_send(Err(Status::data_loss(status)));
                self.messages = mpsc::channel(1).0;
                break;
            }
            let mut round = None;
            let catching_up = match &mut self.catching_up {
                Some(catching_up) => catching_up,
                None if self.seq >= seq => break,
                None => {
                    let times = self.times(reading.at);
                    let mut todo = Todo::since(store, self.seq, self.known, times);
                    if self.seq == 0 {
                        // That was before its time.
                        todo.missed = Dropped::default();
                    }
                    todo.missed += std::mem::take(&mut self.missed);
                    todo.missed += std::mem::take(&mut self.at_stake);
                    let before = std::mem::replace(&mut self.dropped, reading.dropped);
                    round = Some(Round {
                        since: self.seq,
                        dropped: reading.dropped - before,
                    });
                    self.is_behind = true;
                    self.catching_up.insert(CatchingUp { until: seq, todo })
                }
            };
            let messages = part(round, &mut catching_up.todo);
            if catching_up.todo.is_empty() {
                (self.seq, self.known) = (catching_up.until, catching_up.until);
                self.told_at = catching_up.todo.times.now;
                self.is_behind = self.seq < seq;
                self.catching_up = None;
            }
            for message in messages {
                let _ = self.messages.try_send(Ok(Arc::new(message)));
            }
        }
        self.lags
            .store(self.catching_up.is_some() || self.seq < seq, Relaxed);
    }
}
