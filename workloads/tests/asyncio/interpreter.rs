//! Runs a scenario with `aio`, and keeps what happened.

use std::{
    collections::HashMap,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Waker},
    thread,
    time::Duration,
};

use loopview_workloads::aio::{
    self, Awaitable, BoundedSemaphore, Config, ContextVar, Error, NamedExt, Result, Runner,
    Semaphore, Task, TaskGroup, Timeout,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    language::{Aw, Body, End, Node, OnCancel, Probe, Spec},
    outcome::{self, Boom, NegativePermits},
};

static VAR: ContextVar<Value> = ContextVar::new();

/// What happened: milliseconds since the beginning, what, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub ms: i64,
    pub kind: String,
    pub who: String,
}

/// The result of a run, and its events in the order in which they came.
#[derive(Debug)]
pub struct Report {
    pub main: Value,
    pub ended_ms: i64,
    pub closed_ms: i64,
    pub notes: Map<String, Value>,
    pub tasks: Map<String, Value>,
    pub events: Vec<Event>,
}

/// On which clock a scenario runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// tokio's, which stands still while anything runs.
    Paused,
    /// The real one, for threads: they wait in real time.
    Real,
}

/// Runs a scenario from start to end.
pub fn run(spec: &Spec, clock: Clock) -> Report {
    let config = Config {
        max_threads: Some(spec.threads),
        ..match clock {
            Clock::Paused => Config::paused(),
            Clock::Real => Config::default(),
        }
    };
    let mut runner = Runner::new(&config).expect("a runtime starts");
    let begun = ms(runner.time());
    let run = Arc::new(Run {
        clock,
        state: Mutex::default(),
    });
    let main = Arc::clone(&run);
    let body = spec.main.clone();
    let result = runner.run(async move {
        main.lock().start = Some(Instant::now());
        main.body(body).await
    });
    let ended_ms = ms(runner.time()) - begun;
    run.lock().events.push(Event {
        ms: ended_ms,
        kind: "main_end".to_owned(),
        who: "main".to_owned(),
    });
    runner.close();
    let closed_ms = ms(runner.time()) - begun;
    let mut state = run.lock();
    let tasks = state.tasks.iter();
    Report {
        main: outcome::of(&result),
        ended_ms,
        closed_ms,
        tasks: tasks
            .map(|(name, task)| (name.clone(), outcome::of_task(task)))
            .collect(),
        notes: std::mem::take(&mut state.notes),
        events: std::mem::take(&mut state.events),
    }
}

fn ms(secs: f64) -> i64 {
    (secs * 1000.0).round() as i64
}

fn secs(ms: f64) -> f64 {
    ms / 1000.0
}

struct Run {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    start: Option<Instant>,
    events: Vec<Event>,
    notes: Map<String, Value>,
    tasks: HashMap<String, Task<Value>>,
    groups: HashMap<String, TaskGroup>,
    timeouts: HashMap<String, Timeout>,
    semaphores: HashMap<String, Sem>,
}

#[derive(Clone)]
enum Sem {
    Plain(Arc<Semaphore>),
    Bounded(Arc<BoundedSemaphore>),
}

type Coroutine = Pin<Box<dyn Future<Output = Result<Value>> + Send>>;

/// What a combinator is given.
enum Given {
    Task(Task<Value>),
    Coroutine(Coroutine),
}

impl Awaitable for Given {
    type Output = Value;

    fn into_task(self) -> Task<Value> {
        match self {
            Self::Task(task) => task,
            Self::Coroutine(coroutine) => coroutine.into_task(),
        }
    }

    fn into_await(self) -> impl Future<Output = Result<Value>> + Send + 'static {
        match self {
            Self::Task(task) => Box::pin(task.into_future()),
            Self::Coroutine(coroutine) => coroutine,
        }
    }
}

impl Run {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with the lock")
    }

    fn log(&self, kind: &str, who: &str) {
        let mut state = self.lock();
        let start = state.start.expect("the run has begun");
        let ms = start.elapsed().as_millis() as i64;
        state.events.push(Event {
            ms,
            kind: kind.to_owned(),
            who: who.to_owned(),
        });
    }

    fn note(&self, label: &str, value: Value) {
        self.lock().notes.insert(label.to_owned(), value);
    }

    fn task(&self, name: &str) -> Result<Task<Value>> {
        known(&self.lock().tasks, name)
    }

    fn sem(&self, id: &str) -> Result<Sem> {
        known(&self.lock().semaphores, id)
    }

    fn given(self: &Arc<Self>, aw: &Aw) -> Result<Given> {
        Ok(match aw {
            Aw::Task { task } => Given::Task(self.task(task)?),
            Aw::Body(body) => Given::Coroutine(self.body(body.clone())),
        })
    }

    fn all_given(self: &Arc<Self>, of: &[Aw]) -> Result<Vec<Given>> {
        of.iter().map(|aw| self.given(aw)).collect()
    }

    /// A coroutine that runs the nodes in order.
    fn body(self: &Arc<Self>, body: Body) -> Coroutine {
        let run = Arc::clone(self);
        Box::pin(async move {
            let mut value = Value::Null;
            for node in body.nodes() {
                value = run.node(node).await?;
            }
            Ok(value)
        })
    }

    async fn node(self: &Arc<Self>, node: &Node) -> Result<Value> {
        match node {
            Node::Work {
                name,
                ms,
                on_cancel,
                end,
            } => self.work(name, *ms, on_cancel.as_ref(), end).await,
            Node::Sleep { ms } => nothing(aio::sleep(secs(*ms)).await),
            Node::Block { name, ms } => {
                self.log("start", name);
                self.block(*ms);
                self.log("ok", name);
                Ok(Value::Null)
            }
            Node::Value { ok } => Ok(ok.clone()),
            Node::Raise { end } => end.raise().map(|()| Value::Null),
            Node::Make { run } => {
                drop(self.body(run.clone()));
                Ok(Value::Null)
            }
            Node::Spawn { task, run, group } => self.spawn(task, run, group.as_deref()),
            Node::Await { task } => self.task(task)?.await,
            Node::Cancel { task } if task == "self" => Ok(json!(aio::current_task().cancel())),
            Node::Cancel { task } => Ok(json!(self.task(task)?.cancel())),
            Node::Gather {
                of,
                return_exceptions,
            } => self.gather(of, *return_exceptions).await,
            Node::WaitFor { of, ms } => aio::wait_for(self.given(of)?, ms.map(secs)).await,
            Node::Shield { of } => aio::shield(self.given(of)?).await,
            Node::AsCompleted {
                of,
                ms,
                label,
                limit,
            } => self.as_completed(of, ms.map(secs), label, *limit).await,
            Node::Group { id, body } => self.group(id, body).await,
            Node::Timeout { id, ms, body } => self.timeout(id, ms.map(secs), body).await,
            Node::Reschedule { id, ms } => {
                let timeout = known(&self.lock().timeouts, id)?;
                let when = ms.map(|ms| aio::time() + secs(ms));
                nothing(timeout.reschedule(when))
            }
            Node::Sem {
                id,
                permits,
                bounded,
            } => self.semaphore(id, *permits, *bounded),
            Node::Acquire { id } => {
                match self.sem(id)? {
                    Sem::Plain(semaphore) => semaphore.acquire().await?,
                    Sem::Bounded(semaphore) => semaphore.acquire().await?,
                }
                Ok(json!(true))
            }
            Node::Release { id } => {
                match self.sem(id)? {
                    Sem::Plain(semaphore) => semaphore.release(),
                    Sem::Bounded(semaphore) => semaphore.release()?,
                }
                Ok(Value::Null)
            }
            Node::WithSem { id, body } => {
                let body = self.body(body.clone());
                match self.sem(id)? {
                    Sem::Plain(semaphore) => semaphore.with(async || body.await).await,
                    Sem::Bounded(semaphore) => semaphore.with(async || body.await).await,
                }
            }
            Node::ToThread {
                name,
                ms,
                set_var,
                end,
            } => self.to_thread(name, *ms, set_var.clone(), end).await,
            Node::SetVar { ok } => {
                VAR.set(ok.clone());
                Ok(Value::Null)
            }
            Node::GetVar => Ok(VAR.get().unwrap_or_default()),
            Node::Try { label, body } => self.attempt(label, body).await,
            Node::Note { label, body } => {
                let value = self.body(body.clone()).await?;
                self.note(label, value);
                self.log("note", label);
                Ok(Value::Null)
            }
            Node::Probe { label, what } => self.probe(label, what),
        }
    }

    async fn work(
        &self,
        name: &str,
        ms: f64,
        on_cancel: Option<&OnCancel>,
        end: &End,
    ) -> Result<Value> {
        self.log("start", name);
        let slept = aio::sleep(secs(ms)).await;
        let end = match (slept, on_cancel) {
            (Ok(()), _) => end,
            (Err(cancelled), None) => {
                self.log("cancelled", name);
                return Err(cancelled);
            }
            (Err(cancelled), Some(on_cancel)) => {
                self.log("cleanup", name);
                let mut cleaned = Ok(());
                if on_cancel.after != 0.0 {
                    cleaned = aio::sleep(secs(on_cancel.after)).await;
                }
                let end = &on_cancel.end;
                if cleaned.is_err() || (end.ok.is_none() && end.err.is_none()) {
                    self.log("cancelled", name);
                    return Err(cancelled);
                }
                end
            }
        };
        if end.err.is_some() {
            self.log("err", name);
            end.raise()?;
        }
        self.log("ok", name);
        Ok(end.ok.clone().unwrap_or_default())
    }

    /// Holds up the thread of the loop.
    fn block(&self, ms: f64) {
        let time = Duration::from_secs_f64(secs(ms));
        match self.clock {
            Clock::Real => thread::sleep(time),
            // The clock moves in the first poll.
            Clock::Paused => {
                let mut context = Context::from_waker(Waker::noop());
                let _ = pin!(tokio::time::advance(time)).poll(&mut context);
            }
        }
    }

    fn spawn(self: &Arc<Self>, name: &str, run: &Body, group: Option<&str>) -> Result<Value> {
        let coroutine = self.body(run.clone()).named(name);
        let task = match group {
            None => aio::create_task(coroutine),
            Some(group) => {
                let group = known(&self.lock().groups, group)?;
                group.create_task(coroutine)?
            }
        };
        self.lock().tasks.insert(name.to_owned(), task);
        Ok(Value::Null)
    }

    async fn gather(self: &Arc<Self>, of: &[Aw], return_exceptions: bool) -> Result<Value> {
        let given = self.all_given(of)?;
        if !return_exceptions {
            return Ok(Value::Array(aio::gather(given).await?));
        }
        let settled = aio::gather_settled(given).await?;
        let values = settled.into_iter();
        Ok(values
            .map(|result| result.unwrap_or_else(|error| outcome::of_error(&error)))
            .collect())
    }

    async fn as_completed(
        self: &Arc<Self>,
        of: &[Aw],
        secs: Option<f64>,
        label: &str,
        limit: Option<usize>,
    ) -> Result<Value> {
        let mut found = Vec::new();
        let mut completed = aio::as_completed(self.all_given(of)?, secs);
        while limit != Some(found.len()) {
            match completed.next().await {
                None => break,
                Some(Err(Error::Cancelled)) => return Err(Error::Cancelled),
                Some(item) => found.push(outcome::of(&item)),
            }
            self.log("next", label);
        }
        self.note(label, json!(found));
        Ok(json!(found))
    }

    async fn group(self: &Arc<Self>, id: &str, body: &Body) -> Result<Value> {
        TaskGroup::run(async |group| {
            self.lock().groups.insert(id.to_owned(), group);
            self.body(body.clone()).await
        })
        .await?;
        Ok(Value::Null)
    }

    async fn timeout(self: &Arc<Self>, id: &str, secs: Option<f64>, body: &Body) -> Result<Value> {
        aio::timeout(secs, async |timeout| {
            self.lock().timeouts.insert(id.to_owned(), timeout);
            self.body(body.clone()).await
        })
        .await
    }

    fn semaphore(&self, id: &str, permits: i64, bounded: bool) -> Result<Value> {
        let permits = usize::try_from(permits).map_err(|_| NegativePermits)?;
        let semaphore = if bounded {
            Sem::Bounded(Arc::new(BoundedSemaphore::new(permits)))
        } else {
            Sem::Plain(Arc::new(Semaphore::new(permits)))
        };
        self.lock().semaphores.insert(id.to_owned(), semaphore);
        Ok(Value::Null)
    }

    async fn to_thread(
        self: &Arc<Self>,
        name: &str,
        ms: f64,
        set_var: Option<Value>,
        end: &End,
    ) -> Result<Value> {
        let run = Arc::clone(self);
        let thread_name = name.to_owned();
        let end = end.clone();
        let loops_thread = thread::current().id();
        let call = move || {
            if let Some(value) = set_var {
                VAR.set(value);
            }
            thread::sleep(Duration::from_secs_f64(secs(ms)));
            run.log("thread_end", &thread_name);
            end.raise()?;
            Ok(match end.ok.unwrap_or_default() {
                Value::String(text) if text == "$other_thread" => {
                    json!(thread::current().id() != loops_thread)
                }
                Value::String(text) if text == "$var" => VAR.get().unwrap_or_default(),
                value => value,
            })
        };
        self.log("start", name);
        let result = aio::to_thread(call).await;
        match &result {
            Ok(_) => self.log("ok", name),
            Err(Error::Cancelled) => self.log("cancelled", name),
            Err(_) => self.log("err", name),
        }
        result
    }

    async fn attempt(self: &Arc<Self>, label: &str, body: &Body) -> Result<Value> {
        let result = self.body(body.clone()).await;
        self.note(label, outcome::of(&result));
        let ended = if result.is_ok() { "returned" } else { "raised" };
        self.log(ended, label);
        Ok(result.unwrap_or_default())
    }

    fn probe(&self, label: &str, what: &Probe) -> Result<Value> {
        let value = match what {
            Probe::Cancelling => json!(aio::current_task().cancelling()),
            Probe::Expired { id } => json!(known(&self.lock().timeouts, id)?.expired()),
            Probe::When { id } => {
                // To 10 ms, or to what the real clock can be relied on for.
                let per_second: i32 = match self.clock {
                    Clock::Paused => 100,
                    Clock::Real => 20,
                };
                let when = known(&self.lock().timeouts, id)?.when();
                let rounded = |when: f64| (when * f64::from(per_second)).round_ties_even();
                json!(when.map(|when| rounded(when) as i64 * 1000 / i64::from(per_second)))
            }
            Probe::State { task } => json!(match self.task(task)?.result() {
                None => "pending",
                Some(Ok(_)) => "ok",
                Some(Err(Error::Cancelled)) => "cancelled",
                Some(Err(_)) => "err",
            }),
        };
        self.note(label, value);
        self.log("note", label);
        Ok(Value::Null)
    }
}

impl End {
    /// Raises what it says, if anything.
    fn raise(&self) -> Result<()> {
        if let Some(name) = &self.err {
            return Err(Boom(name.clone()).into());
        }
        if self.cancelled {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}

fn nothing(result: Result<()>) -> Result<Value> {
    result.map(|()| Value::Null)
}

fn known<T: Clone>(things: &HashMap<String, T>, name: &str) -> Result<T> {
    let thing = things.get(name).cloned();
    thing.ok_or_else(|| Error::msg(format!("nothing is called {name}")))
}
