//! What clients of the two protocols know after the messages that they have read.

use std::{collections::HashMap, path::PathBuf};

use console_api::{
    async_ops,
    instrument::{
        self, InstrumentRequest, TaskDetailsRequest, instrument_client::InstrumentClient,
    },
    resources, tasks,
};
use hdrhistogram::{Histogram, serialization::Deserializer};
use hyper_util::rt::TokioIo;
use loopview_api::v1::{self, probe_client::ProbeClient};
use prost::Message;
use tokio::net::UnixStream;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

/// A connection of its own.
pub async fn connect(socket: PathBuf) -> Channel {
    try_connect(socket).await.expect("the program listens")
}

pub async fn try_connect(socket: PathBuf) -> Result<Channel, tonic::transport::Error> {
    let connect = tower::service_fn(move |_| {
        let socket = socket.clone();
        async { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(connect).await
}

/// What is known after some messages of one kind.
pub trait Knows: Default {
    type Message: Message + Default + 'static;

    fn learn(&mut self, message: Self::Message);
}

/// A stream of messages, and what is known by them.
pub struct Stream<K: Knows> {
    pub known: K,
    pub messages: Streaming<K::Message>,
    /// How many there were, and the size of the largest.
    pub read: usize,
    pub largest: usize,
}

impl<K: Knows> Stream<K> {
    fn new(messages: Streaming<K::Message>) -> Self {
        Self {
            known: K::default(),
            messages,
            read: 0,
            largest: 0,
        }
    }

    /// Reads the next message.
    pub async fn next(&mut self) {
        let message = self.messages.message().await;
        let message = message.expect("it goes on").expect("it is not over");
        self.take(message);
    }

    fn take(&mut self, message: K::Message) {
        self.read += 1;
        self.largest = self.largest.max(message.encoded_len());
        self.known.learn(message);
    }

    /// Reads until something is known.
    pub async fn until(&mut self, holds: impl Fn(&K) -> bool) -> &K {
        while !holds(&self.known) {
            self.next().await;
        }
        &self.known
    }

    /// Reads to the end.
    pub async fn read_to_the_end(&mut self) {
        while let Ok(Some(message)) = self.messages.message().await {
            self.take(message);
        }
    }
}

/// What a client of the console protocol knows.
#[derive(Default)]
pub struct Console {
    pub metadata: HashMap<u64, console_api::Metadata>,
    pub tasks: HashMap<u64, tasks::Task>,
    pub task_stats: HashMap<u64, tasks::Stats>,
    pub resources: HashMap<u64, resources::Resource>,
    pub resource_stats: HashMap<u64, resources::Stats>,
    pub ops: HashMap<u64, async_ops::AsyncOp>,
    pub op_stats: HashMap<u64, async_ops::Stats>,
    pub poll_ops: Vec<resources::PollOp>,
    /// Tasks that were told as new more than once.
    pub told_again: usize,
    pub dropped: u64,
}

impl Knows for Console {
    type Message = instrument::Update;

    fn learn(&mut self, update: instrument::Update) {
        for new in update.new_metadata.unwrap_or_default().metadata {
            let (id, metadata) = (new.id.expect("an id"), new.metadata.expect("metadata"));
            self.metadata.insert(id.id, metadata);
        }
        let update_tasks = update.task_update.unwrap_or_default();
        for task in update_tasks.new_tasks {
            let again = self.tasks.insert(task.id.expect("an id").id, task.clone());
            if let Some(before) = again {
                assert_eq!(before, task, "an id is never used again");
                self.told_again += 1;
            }
        }
        self.task_stats.extend(update_tasks.stats_update);
        let update_resources = update.resource_update.unwrap_or_default();
        for resource in update_resources.new_resources {
            let id = resource.id.expect("an id").id;
            self.resources.insert(id, resource);
        }
        self.resource_stats.extend(update_resources.stats_update);
        self.poll_ops.extend(update_resources.new_poll_ops);
        let update_ops = update.async_op_update.unwrap_or_default();
        for op in update_ops.new_async_ops {
            self.ops.insert(op.id.expect("an id").id, op);
        }
        self.op_stats.extend(update_ops.stats_update);
        self.dropped += update_tasks.dropped_events
            + update_resources.dropped_events
            + update_ops.dropped_events;
    }
}

impl Console {
    pub async fn watch(socket: PathBuf) -> Stream<Self> {
        Self::watch_by(&mut InstrumentClient::new(connect(socket).await)).await
    }

    /// With the largest message that a client of tonic's takes.
    pub async fn watch_by(client: &mut InstrumentClient<Channel>) -> Stream<Self> {
        let messages = client.watch_updates(InstrumentRequest {}).await;
        Stream::new(messages.expect("it answers").into_inner())
    }

    /// The number of the task of this name.
    pub fn task(&self, name: &str) -> Option<u64> {
        let is_it = |task: &&tasks::Task| task_name(task).as_deref() == Some(name);
        let task = self.tasks.values().find(is_it)?;
        Some(task.id.expect("an id").id)
    }

    pub fn stats(&self, name: &str) -> Option<&tasks::Stats> {
        self.task_stats.get(&self.task(name)?)
    }

    pub fn has_ended(&self, name: &str) -> bool {
        self.stats(name).is_some_and(|s| s.dropped_at.is_some())
    }
}

pub fn field<'a>(task: &'a tasks::Task, name: &str) -> Option<&'a console_api::field::Value> {
    use console_api::field::Name;
    let is_it =
        |field: &&console_api::Field| matches!(&field.name, Some(Name::StrName(n)) if n == name);
    task.fields.iter().find(is_it)?.value.as_ref()
}

pub fn task_name(task: &tasks::Task) -> Option<String> {
    let name = field(task, "task.name")?.to_string();
    Some(name).filter(|name| !name.is_empty())
}

/// What a client of `loopview.v1.Probe` knows.
#[derive(Default)]
pub struct Own {
    pub tasks: HashMap<u64, v1::Task>,
    pub timers: HashMap<u64, v1::Timer>,
    pub resources: HashMap<u64, v1::Resource>,
    pub scopes: HashMap<u64, v1::Scope>,
    pub threads: HashMap<u64, v1::Thread>,
    pub runtimes: Vec<v1::Runtime>,
    pub process: Option<v1::Process>,
    pub usage: Option<v1::Usage>,
    pub overhead: v1::Overhead,
    pub polls: Vec<Poll>,
    pub lost_polls: u64,
    pub ended: bool,
    /// What the console protocol tells in the same stream.
    pub beside: Console,
}

/// One poll, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    pub task: u64,
    pub thread: u32,
    pub started: i128,
    pub lasted: u64,
    pub woken: Option<u64>,
    pub woken_by: u64,
}

impl Knows for Own {
    type Message = v1::Update;

    fn learn(&mut self, update: v1::Update) {
        let console = instrument::Update::decode(&*update.console).expect("an update");
        self.beside.learn(console);
        self.tasks
            .extend(update.tasks.into_iter().map(|t| (t.id, t)));
        self.timers
            .extend(update.timers.into_iter().map(|t| (t.id, t)));
        self.resources
            .extend(update.resources.into_iter().map(|r| (r.span_id, r)));
        self.scopes
            .extend(update.scopes.into_iter().map(|s| (s.id, s)));
        self.threads
            .extend(update.threads.into_iter().map(|t| (t.id, t)));
        if !update.runtimes.is_empty() {
            self.runtimes = update.runtimes;
        }
        self.process = update.process.or(self.process.take());
        self.usage = update.usage.or(self.usage);
        self.overhead = update.overhead.unwrap_or_default();
        self.ended |= update.ended_at.is_some();
        let Some(polls) = update.polls else { return };
        self.lost_polls += polls.lost;
        let since = polls.since.unwrap_or_default();
        let mut at = i128::from(since.seconds) * 1_000_000_000 + i128::from(since.nanos);
        for n in 0..polls.task.len() {
            at += i128::from(polls.started[n]);
            self.polls.push(Poll {
                task: polls.task[n],
                thread: polls.thread[n],
                started: at,
                lasted: polls.lasted[n],
                woken: polls.woken[n].checked_sub(1),
                woken_by: polls.woken_by[n],
            });
        }
    }
}

impl Own {
    pub async fn watch(socket: PathBuf, polls: bool) -> Stream<Self> {
        let console = false;
        Self::watch_by(socket, v1::WatchRequest { polls, console }).await
    }

    /// With the console protocol's updates.
    pub async fn watch_both(socket: PathBuf) -> Stream<Self> {
        let (polls, console) = (false, true);
        Self::watch_by(socket, v1::WatchRequest { polls, console }).await
    }

    async fn watch_by(socket: PathBuf, wants: v1::WatchRequest) -> Stream<Self> {
        let mut client = ProbeClient::new(connect(socket).await);
        let messages = client.watch(wants).await;
        Stream::new(messages.expect("it answers").into_inner())
    }

    pub fn has_ended(&self, task: u64) -> bool {
        let task = self.tasks.get(&task);
        task.is_some_and(|t| t.outcome() != v1::Outcome::Unspecified)
    }
}

/// Of a task's polls, and of its waits for them.
pub struct Details {
    pub polls: Histogram<u64>,
    pub waits: Histogram<u64>,
    pub outliers: u64,
}

/// The first message about a task's times.
pub async fn details(client: &mut InstrumentClient<Channel>, task: u64) -> Details {
    let mut messages = watch_details(client, task).await;
    let message = messages.message().await.expect("it goes on");
    read_details(&message.expect("it is not over"))
}

pub async fn watch_details(
    client: &mut InstrumentClient<Channel>,
    task: u64,
) -> Streaming<tasks::TaskDetails> {
    let request = TaskDetailsRequest {
        id: Some(task.into()),
    };
    let messages = client.watch_task_details(request).await;
    messages.expect("the task is known").into_inner()
}

pub fn read_details(details: &tasks::TaskDetails) -> Details {
    use tasks::task_details::PollTimesHistogram;
    let read = |raw: &[u8]| {
        Deserializer::new()
            .deserialize::<u64, _>(&mut &*raw)
            .expect("a histogram")
    };
    let polls = match details.poll_times_histogram.as_ref() {
        Some(PollTimesHistogram::Histogram(polls)) => polls,
        other => panic!("no histogram of polls: {other:?}"),
    };
    let waits = details.scheduled_times_histogram.as_ref();
    Details {
        polls: read(&polls.raw_histogram),
        waits: read(&waits.expect("a histogram").raw_histogram),
        outliers: polls.high_outliers,
    }
}
