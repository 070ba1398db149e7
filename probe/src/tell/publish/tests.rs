//! Whatever the order in which a program changes, the publisher reads and tells, and clients
//! read, pause, resume, come and go: who reads everything in the end knows the final state.

use std::{
    collections::BTreeMap,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use console_api::instrument::Update;
use proptest::prelude::*;
use prost::Message;
use tokio_stream::Stream;
use tracing::Metadata;

use super::{super::watcher, *};
use crate::{
    clock,
    facts::{
        budget::Credit,
        first_change,
        site::{Role, Site, Written},
        task::{Task, Words},
        thread::Thread,
    },
    hear::{Entity, Heard},
};

/// One thing that happens. Tasks and clients are chosen modulo how many there are.
#[derive(Clone, Copy, Debug)]
enum Step {
    Spawn,
    Poll(usize),
    End(usize),
    Collect,
    Publish,
    JoinConsole,
    JoinOwn,
    Read(usize, usize),
    Pause(usize),
    Resume(usize),
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Spawn),
        6 => (0..64_usize).prop_map(Step::Poll),
        5 => (0..64_usize).prop_map(Step::End),
        3 => Just(Step::Collect),
        4 => Just(Step::Publish),
        1 => Just(Step::JoinConsole),
        1 => Just(Step::JoinOwn),
        5 => (0..4_usize, 1..12_usize).prop_map(|(client, n)| Step::Read(client, n)),
        1 => (0..4_usize).prop_map(Step::Pause),
        1 => (0..4_usize).prop_map(Step::Resume),
        1 => (0..4_usize).prop_map(Step::Leave),
    ]
}

/// What a client knows of a task: its polls, and whether it has ended.
type Known = BTreeMap<u64, (u64, bool)>;

enum Messages {
    Console(watcher::Watched<Bytes>),
    Own(watcher::Watched<v1::Update>),
}

struct Client {
    connection: Connection,
    stream: Option<Messages>,
    known: Known,
    /// When it came, and whether it was told to connect again.
    joined: usize,
    is_sent_away: bool,
    /// Tasks of which it was told that it is not told of them.
    dropped: u64,
    /// Those that were not recorded, where that is told apart: the console protocol counts them
    /// as dropped, too.
    unrecorded: u64,
    /// It is sent the console protocol's updates beside the others.
    has_console: bool,
    /// Tasks that there were before it came.
    before: usize,
}

impl Client {
    /// Reads one message; false if there is none.
    fn read(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        match &mut self.stream {
            Some(Messages::Console(stream)) => match Pin::new(stream).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(update))) => {
                    let update = decode(update);
                    let tasks = update.task_update.as_ref();
                    self.dropped += tasks.map_or(0, |tasks| tasks.dropped_events);
                    learn_console(&mut self.known, update);
                    return true;
                }
                Poll::Ready(Some(Err(_))) => self.is_sent_away = true,
                Poll::Ready(None) => assert!(self.is_sent_away, "a stream ends without a word"),
                Poll::Pending => return false,
            },
            Some(Messages::Own(stream)) => match Pin::new(stream).poll_next(&mut cx) {
                Poll::Ready(Some(Ok(update))) => {
                    self.dropped += update.missed.map_or(0, |missed| missed.tasks);
                    self.unrecorded = update.overhead.map_or(0, |overhead| overhead.lost_tasks);
                    if !update.console.is_empty() {
                        self.has_console = true;
                        let update = decode(update.console.into());
                        let tasks = update.task_update.as_ref();
                        self.dropped += tasks.map_or(0, |tasks| tasks.dropped_events);
                    }
                    if self.has_console {
                        self.unrecorded = 0;
                    }
                    for task in update.tasks {
                        let ended = task.outcome() != v1::Outcome::Unspecified;
                        learn(&mut self.known, task.id, task.polls, ended);
                    }
                    return true;
                }
                Poll::Ready(Some(Err(_))) => self.is_sent_away = true,
                Poll::Ready(None) => assert!(self.is_sent_away, "a stream ends without a word"),
                Poll::Pending => return false,
            },
            None => return false,
        }
        false
    }
}

fn decode(update: Bytes) -> Update {
    Update::decode(update).expect("it is an update")
}

fn learn_console(known: &mut Known, update: Update) {
    let update = update.task_update.unwrap_or_default();
    for task in &update.new_tasks {
        let id = task.id.map_or(0, |id| id.id);
        assert!(
            update.stats_update.contains_key(&id),
            "a new task has its figures"
        );
        known.entry(id).or_default();
    }
    for (id, stats) in update.stats_update {
        assert!(known.contains_key(&id), "figures of task {id}: who is it?");
        let polls = stats.poll_stats.unwrap_or_default().polls;
        learn(known, id, polls, stats.dropped_at.is_some());
    }
}

fn learn(known: &mut Known, id: u64, polls: u64, ended: bool) {
    let before = known.insert(id, (polls, ended)).unwrap_or_default();
    assert!(
        before <= (polls, ended) || !before.1,
        "time goes back for task {id}"
    );
}

fn metadata() -> &'static Metadata<'static> {
    // Without a subscriber, a span has none.
    let registry = tracing_subscriber::registry();
    let span = || tracing::trace_span!("runtime.spawn").metadata();
    tracing::subscriber::with_default(registry, span).expect("it is enabled")
}

struct Program {
    publisher: Publisher,
    heard: Arc<Heard>,
    site: &'static Site,
    requests: mpsc::UnboundedSender<Request>,
    /// With the step at which it ended.
    tasks: Vec<(Arc<Task>, Option<usize>)>,
    clients: Vec<Client>,
    now: usize,
}

impl Program {
    fn new(memory_limit: usize, retention: Duration) -> Self {
        clock::start();
        let (heard, changes) = Heard::new(memory_limit, false);
        let (requests, received) = mpsc::unbounded_channel();
        let settings = Settings {
            interval: Duration::from_secs(1),
            retention,
            process: v1::Process::default(),
        };
        let shared = Shared::new(Arc::clone(&heard));
        let publisher = Publisher::new(shared, settings, changes, received);
        let site = Site {
            meta: metadata(),
            role: Role::Task,
            kind: "task".into(),
            what: Box::default(),
            place: None,
            size: None,
            original_size: None,
            is_internal: false,
            inherits: false,
            poll_op: std::sync::OnceLock::new(),
            duration: std::sync::OnceLock::new(),
            written: Written::default(),
        };
        Self {
            publisher,
            heard,
            site: Box::leak(Box::new(site)),
            requests,
            tasks: Vec::new(),
            clients: Vec::new(),
            now: 0,
        }
    }

    fn touch(&self, task: &Arc<Task>) {
        if first_change(&task.listed) {
            self.heard.changes.push(Changed::Task(Arc::clone(task)));
        }
    }

    fn spawn(&mut self) {
        let id = self.tasks.len() as u64 + 1;
        let words = Words {
            name: format!("task {id}").into(),
            ..Words::default()
        };
        let task = Arc::new(Task::new(id, self.site, words, clock::now()));
        let lost = self.heard.lost.tasks.load(Relaxed);
        self.heard
            .keep(id, Entity::Task(Arc::clone(&task)), &mut Credit::default());
        if self.heard.lost.tasks.load(Relaxed) == lost {
            self.tasks.push((task, None));
        }
    }

    fn poll(&self, task: usize) {
        if let Some((task, None)) = self.tasks.get(task % self.tasks.len().max(1)) {
            let woken = task.enter(clock::now(), 1, false);
            task.exit(clock::now(), woken);
            self.touch(task);
        }
    }

    fn end(&mut self, task: usize) {
        self.poll(task);
        let n = self.tasks.len().max(1);
        if let Some((task, ended @ None)) = self.tasks.get_mut(task % n) {
            *ended = Some(self.now);
            let entity = Entity::Task(Arc::clone(task));
            let span = task.id;
            self.heard.release(span);
            self.heard.end(entity, clock::now());
        }
    }

    /// Somebody comes who asks for this, or for the console protocol's updates alone.
    fn join(&mut self, wants: Option<v1::WatchRequest>) {
        let connection = self.clients.len() as Connection + 1;
        let has_read = &Arc::clone(&self.publisher.shared.reads);
        let (request, stream) = if let Some(wants) = wants {
            let (watcher, stream) = watcher::watch(connection, has_read, ());
            (Request::Own(watcher, wants), Messages::Own(stream))
        } else {
            let (watcher, stream) = watcher::watch(connection, has_read, ());
            (Request::Console(watcher), Messages::Console(stream))
        };
        self.publisher.take(request);
        self.clients.push(Client {
            connection,
            stream: Some(stream),
            known: Known::new(),
            joined: self.now,
            is_sent_away: false,
            dropped: 0,
            unrecorded: 0,
            has_console: false,
            before: self.tasks.len(),
        });
    }

    fn client(&mut self, client: usize) -> Option<&mut Client> {
        let n = self.clients.len().max(1);
        self.clients.get_mut(client % n)
    }

    /// Reads up to so many messages; the publisher hears of it as it does when it runs.
    fn read(&mut self, client: usize, most: usize) -> usize {
        let mut n = 0;
        while n < most && self.client(client).is_some_and(Client::read) {
            n += 1;
            let has_read = Arc::clone(&self.publisher.shared.reads);
            let mut cx = Context::from_waker(Waker::noop());
            if pin!(has_read.room()).poll(&mut cx).is_ready() {
                self.publisher.catch_up();
            }
        }
        n
    }

    fn pause(&mut self, client: usize, pause: bool) {
        if let Some(client) = self.client(client) {
            let request = Request::Pause(client.connection, pause);
            self.publisher.take(request);
        }
    }

    fn take(&mut self, step: Step) {
        self.now += 1;
        match step {
            Step::Spawn => self.spawn(),
            Step::Poll(task) => self.poll(task),
            Step::End(task) => self.end(task),
            Step::Collect => {
                self.publisher.collect();
                if self.publisher.news.is_much() {
                    self.publisher.publish();
                }
            }
            Step::Publish => self.publisher.publish(),
            Step::JoinConsole => self.join(None),
            Step::JoinOwn => self.join(Some(v1::WatchRequest::default())),
            Step::Read(client, n) => drop(self.read(client, n)),
            Step::Pause(client) => self.pause(client, true),
            Step::Resume(client) => self.pause(client, false),
            Step::Leave(client) => {
                if let Some(client) = self.client(client) {
                    client.stream = None;
                }
            }
        }
    }

    /// Everyone reads all there is.
    fn settle(&mut self) {
        (0..self.clients.len()).for_each(|client| self.pause(client, false));
        for _ in 0..2 {
            self.publisher.publish();
            for client in 0..self.clients.len() {
                while self.read(client, 1) > 0 {}
            }
        }
    }

    /// Those who are still there and were not sent away.
    fn readers(&self) -> impl Iterator<Item = &Client> {
        self.clients
            .iter()
            .filter(|client| client.stream.is_some() && !client.is_sent_away)
    }
}

fn run(steps: &[Step], memory_limit: usize, retention: Duration) -> Program {
    let mut program = Program::new(memory_limit, retention);
    for step in steps {
        program.take(*step);
    }
    program.settle();
    assert!(!program.requests.is_closed());
    program
}

/// What each reader knows is right. It may lack a task only if `may_lack` says so.
fn check(program: &Program, may_lack: impl Fn(&Client, Option<usize>) -> bool) {
    for client in program.readers() {
        let is_own = matches!(client.stream, Some(Messages::Own(_)));
        for (task, ended) in &program.tasks {
            let drops = u64::from(is_own && ended.is_some());
            let truth = (task.polls() - drops, ended.is_some());
            match client.known.get(&task.id) {
                Some(known) => assert_eq!(*known, truth, "task {}", task.id),
                None => assert!(
                    may_lack(client, *ended),
                    "task {} that ended at {ended:?} is not known to who came at {}",
                    task.id,
                    client.joined
                ),
            }
        }
    }
}

/// Each reader is told how many it misses of those that came after it, and of no more than it misses.
fn check_dropped(program: &Program) -> Result<(), TestCaseError> {
    let unrecorded = program.heard.lost.tasks.load(Relaxed);
    for client in program.readers() {
        let is_own = matches!(client.stream, Some(Messages::Own(_)));
        let of_others = if is_own { 0 } else { unrecorded };
        let is_missed = |(task, _): &&(Arc<Task>, _)| !client.known.contains_key(&task.id);
        let missed = program.tasks.iter().filter(is_missed).count() as u64;
        let later = &program.tasks[client.before..];
        let missed_later = later.iter().filter(is_missed).count() as u64;
        let told = client.dropped - of_others;
        prop_assert!(
            (missed_later..=missed).contains(&told),
            "{told} of {missed}, {missed_later}"
        );
    }
    Ok(())
}

#[test]
fn who_resumes_is_not_told_again_who_is_who() {
    let mut program = Program::new(MUCH, HOUR);
    let steps = [Step::JoinConsole, Step::Spawn, Step::Spawn, Step::Publish];
    for step in steps {
        program.take(step);
    }
    while program.read(0, 1) > 0 {}
    let steps = [Step::Pause(0), Step::Poll(0), Step::End(1), Step::Spawn];
    for step in steps {
        program.take(step);
    }
    program.take(Step::Publish);
    program.take(Step::Resume(0));
    let mut tasks = console_api::tasks::TaskUpdate::default();
    for update in updates(&mut program.clients[0], usize::MAX) {
        let update = update.task_update.unwrap_or_default();
        tasks.new_tasks.extend(update.new_tasks);
        tasks.stats_update.extend(update.stats_update);
    }
    let new: Vec<_> = tasks.new_tasks.iter().filter_map(|task| task.id).collect();
    assert_eq!(new, [3.into()]);
    assert_eq!(tasks.stats_update.len(), 3);
}

/// A client that lags learns the end of what it knows, however much has to be forgotten meanwhile.
#[test]
fn what_somebody_knows_alive_is_kept_until_its_end_is_told() {
    let own = |console| {
        Some(v1::WatchRequest {
            console,
            ..v1::WatchRequest::default()
        })
    };
    for wants in [None, own(false), own(true)] {
        let mut program = Program::new(1 << 17, HOUR);
        (0..10).for_each(|_| program.spawn());
        program.join(wants);
        program.publisher.publish();
        while program.read(0, 1) > 0 {}
        assert_eq!(program.clients[0].known.len(), 10);
        for n in 0..2_000 {
            program.spawn();
            program.end(program.tasks.len() - 1);
            if n < 10 {
                program.end(n);
            }
            if n % 50 == 0 {
                program.publisher.publish();
            }
        }
        assert!(program.publisher.known.store.forgotten > 500);
        program.settle();
        let client = &program.clients[0];
        assert!(!client.is_sent_away);
        assert!((1..=10).all(|id| client.known.get(&id).is_some_and(|task| task.1)));
        let told = client.known.len() as u64 + client.dropped + client.unrecorded;
        assert_eq!(told, 2_010, "{wants:?}");
        check(&program, |_, ended| ended.is_some());
    }
}

/// A program makes a subscriber for each request, say: each has all callsites registered anew.
#[test]
fn a_callsite_is_told_once() {
    let mut program = Program::new(MUCH, HOUR);
    program.join(None);
    for _ in 0..3 {
        let callsite = Changed::Callsite(program.site.meta);
        program.heard.changes.push(callsite);
        program.publisher.publish();
    }
    let told = updates(&mut program.clients[0], usize::MAX).into_iter();
    let told = told.map(|update| update.new_metadata.unwrap_or_default().metadata.len());
    assert_eq!(told.sum::<usize>(), 1);
    assert_eq!(program.publisher.known.callsites.len(), 1);
}

/// A program may start a thread for each call.
#[test]
fn of_threads_that_have_ended_the_newest_are_kept() {
    let mut program = Program::new(MUCH, HOUR);
    let thread = |number| Arc::new(Thread::new(number, "a thread"));
    let list = |thread: &Arc<Thread>| {
        let changes = &program.heard.changes;
        changes.push(Changed::Thread(Arc::clone(thread)));
    };
    let lives = thread(1);
    list(&lives);
    for number in 2..=10_000 {
        let ends = thread(number);
        list(&ends);
        ends.end(clock::now());
    }
    program.publisher.publish();
    let kept = &program.publisher.known.threads;
    assert!(
        kept.keys()
            .copied()
            .eq([1].into_iter().chain(5_905..=10_000))
    );
    lives.end(clock::now());
    (0..2).for_each(|_| program.publisher.publish());
    assert!(
        program
            .publisher
            .known
            .threads
            .keys()
            .copied()
            .eq(5_905..=10_000)
    );
}

/// While more is listed than is told at once, a poll that is over is not told as if it went on.
#[test]
fn what_is_told_was_so_at_the_time_of_which_it_is_told() {
    for keeps_up in [true, false] {
        let mut program = Program::new(MUCH, HOUR);
        let steps = [Step::JoinConsole, Step::Spawn, Step::Publish];
        for step in steps {
            program.take(step);
        }
        while program.read(0, 1) > 0 {}
        let task = Arc::clone(&program.tasks[0].0);
        let woken = task.enter(clock::now(), 1, false);
        program.touch(&task);
        (0..100).for_each(|_| program.spawn());
        program.publisher.publish();
        let over = clock::now();
        task.exit(over, woken);
        program.touch(&task);

        let mut is_polled = false;
        let mut told = 0;
        for _ in 0..200 {
            program.publisher.publish();
            for update in updates(&mut program.clients[0], if keeps_up { 9 } else { 1 }) {
                let stats = update.task_update.unwrap_or_default().stats_update;
                if let Some(polls) = stats.get(&1).and_then(|stats| stats.poll_stats.as_ref()) {
                    is_polled = nanos(polls.last_poll_ended) < nanos(polls.last_poll_started);
                    told += 1;
                }
                assert!(!is_polled || nanos(update.now) <= nanos(Some(clock::wire(over))));
            }
            program.publisher.catch_up();
        }
        assert_eq!((is_polled, told), (false, 2));
    }
}

fn nanos(at: Option<prost_types::Timestamp>) -> i128 {
    at.map_or(0, |at| {
        i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos)
    })
}

/// Up to so many messages that a client has not read.
fn updates(client: &mut Client, most: usize) -> Vec<Update> {
    let Some(Messages::Console(stream)) = &mut client.stream else {
        unreachable!("it watches by the console protocol");
    };
    let mut cx = Context::from_waker(Waker::noop());
    let next = || match Pin::new(&mut *stream).poll_next(&mut cx) {
        Poll::Ready(Some(update)) => Some(decode(update.expect("all that it lacks is there"))),
        Poll::Ready(None) | Poll::Pending => None,
    };
    std::iter::from_fn(next).take(most).collect()
}

const MUCH: usize = 1 << 30;
const HOUR: Duration = Duration::from_secs(3_600);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn who_reads_everything_knows_everything(steps in prop::collection::vec(step(), 0..200)) {
        let program = run(&steps, MUCH, HOUR);
        prop_assert!(program.clients.iter().all(|client| !client.is_sent_away));
        check(&program, |_, _| false);
    }

    #[test]
    fn without_retention_only_what_ended_before_one_came_is_missing(
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let program = run(&steps, MUCH, Duration::ZERO);
        prop_assert!(program.clients.iter().all(|client| !client.is_sent_away));
        check(&program, |client, ended| ended.is_some_and(|at| at <= client.joined));
    }

    #[test]
    fn with_little_memory_nobody_is_left_with_what_is_not_so(
        steps in prop::collection::vec(step(), 0..300),
        tasks in 4..40_usize,
    ) {
        let limit = tasks * (size_of::<Task>() + 256);
        let program = run(&steps, limit, HOUR);
        check(&program, |_, ended| ended.is_some());
        check_dropped(&program)?;
        prop_assert!(program.heard.budget.used() <= limit);
    }
}
