//! Hears tokio's spans and events, and loopview's own, on the program's threads.
//!
//! tokio's names are those of `tokio::util::trace` and of the resources in `tokio::time`;
//! loopview's are the targets `loopview::scope` and `loopview::task`:
//!
//! - a span with the target `loopview::scope` and the fields `kind` and, if wanted,
//!   `name`, `outcome`, `loc.file`, `loc.line`, `loc.col` is a scope; tasks that are
//!   spawned while it is entered belong to it;
//! - an event with the target `loopview::task` tells of the task that emits it: `outcome`
//!   (and `error`) how it ends, `awaits` whose end it waits for, 0 for nobody's.

use std::{
    cell::RefCell,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use loopview_api::v1;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{
    cells::{Cell, Cells, Scope, Task, Thread, Timer},
    clock,
    metrics::Runtimes,
    panics,
};

const SPAWN: &str = "runtime.spawn";
const RESOURCE: &str = "runtime.resource";
const STATE_UPDATE: &str = "runtime::resource::state_update";
const POLL_OP: &str = "runtime::resource::poll_op";
const SCOPE: &str = "loopview::scope";
const TASK: &str = "loopview::task";

/// What this layer and console-subscriber's want to hear.
pub(crate) fn wanted(meta: &Metadata<'_>) -> bool {
    let target = meta.target();
    let tokio = target.starts_with("tokio") || target.starts_with("loopview::");
    if meta.is_event() {
        tokio || target.starts_with("runtime")
    } else {
        tokio || meta.name().starts_with("runtime.")
    }
}

pub(crate) struct ProbeLayer {
    pub(crate) cells: Arc<Cells>,
    pub(crate) runtimes: Arc<Runtimes>,
}

/// What a span stands for, kept with the span.
#[derive(Clone, Debug)]
enum Mark {
    Task(Arc<Cell<Task>>),
    Timer(Arc<Cell<Timer>>),
    /// An interval: its ticks are those of a sleep that tokio makes, so it gives them its
    /// own location.
    Interval(Option<v1::Location>),
    Scope(Arc<Cell<Scope>>),
}

/// What a thread is doing.
struct Here {
    id: u64,
    thread: Arc<Cell<Thread>>,
    /// The spans of ours that are entered, the innermost last.
    entered: Vec<(span::Id, Mark)>,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

impl Here {
    fn task(&self) -> Option<&Arc<Cell<Task>>> {
        self.entered.iter().rev().find_map(|(_, mark)| match mark {
            Mark::Task(task) => Some(task),
            _ => None,
        })
    }

    fn task_id(&self) -> Option<u64> {
        self.task().map(|task| task.read(|t| t.wire.id))
    }

    fn timer(&self) -> Option<&Arc<Cell<Timer>>> {
        self.entered.iter().rev().find_map(|(_, mark)| match mark {
            Mark::Timer(timer) => Some(timer),
            _ => None,
        })
    }

    fn interval(&self) -> Option<&Option<v1::Location>> {
        self.entered.iter().rev().find_map(|(_, mark)| match mark {
            Mark::Interval(location) => Some(location),
            _ => None,
        })
    }

    /// The scope that what is spawned here belongs to.
    fn scope(&self) -> Option<u64> {
        self.entered.iter().rev().find_map(|(_, mark)| match mark {
            Mark::Scope(scope) => Some(scope.read(|s| s.wire.id)),
            _ => None,
        })
    }
}

impl ProbeLayer {
    /// Runs with this thread's state. Does nothing in a thread that is being torn down, and
    /// in code that tracing calls from within this layer.
    fn here<R>(&self, with: impl FnOnce(&mut Here) -> R) -> Option<R> {
        HERE.try_with(|here| {
            let mut here = here.try_borrow_mut().ok()?;
            Some(with(here.get_or_insert_with(|| self.meet_thread())))
        })
        .ok()
        .flatten()
    }

    fn meet_thread(&self) -> Here {
        let id = self.cells.next_id();
        let current = thread::current();
        self.runtimes.meet_thread(current.id(), id);
        let wire = v1::Thread {
            id,
            name: current.name().unwrap_or_default().to_owned(),
            ..v1::Thread::default()
        };
        Here {
            id,
            thread: self.cells.insert(Thread { wire }),
            entered: Vec::new(),
        }
    }

    fn new_task(&self, fields: &Fields, id: &span::Id) -> Mark {
        let runtime = self.runtimes.meet();
        let (parent, scope) = self
            .here(|here| (here.task_id(), here.scope()))
            .unwrap_or_default();
        let wire = v1::Task {
            span_id: id.into_u64(),
            id: fields.task_id.unwrap_or_default(),
            parent,
            scope,
            runtime,
            ..v1::Task::default()
        };
        let (kind, function) = (fields.kind.as_deref(), fields.function.as_deref());
        Mark::Task(self.cells.insert(Task::new(wire, kind, function)))
    }

    fn new_timer(&self, fields: &Fields, id: &span::Id) -> Mark {
        let in_limit = self
            .here(|here| match here.entered.last() {
                Some((_, Mark::Scope(scope))) => {
                    scope.read(|s| matches!(s.wire.kind.as_str(), "wait_for" | "timeout"))
                }
                _ => false,
            })
            .unwrap_or(false);
        let kind = if in_limit {
            v1::TimerKind::Timeout
        } else {
            v1::TimerKind::Sleep
        };
        Mark::Timer(self.cells.insert(Timer::new(v1::Timer {
            span_id: id.into_u64(),
            id: self.cells.next_id(),
            kind: kind.into(),
            created_at: Some(clock::wire(Instant::now())),
            location: fields.location(),
            ..v1::Timer::default()
        })))
    }

    fn new_scope(&self, fields: Fields) -> Mark {
        let (task, parent) = self
            .here(|here| {
                let around = here.task().and_then(|task| task.read(|t| t.wire.scope));
                (here.task_id(), here.scope().or(around))
            })
            .unwrap_or_default();
        Mark::Scope(self.cells.insert(Scope {
            wire: v1::Scope {
                id: self.cells.next_id(),
                location: fields.location(),
                kind: fields.kind.unwrap_or_default(),
                name: fields.name.unwrap_or_default(),
                parent,
                task,
                opened_at: Some(clock::wire(Instant::now())),
                ..v1::Scope::default()
            },
            closed: None,
        }))
    }

    fn enter_task(&self, here: &Here, task: &Arc<Cell<Task>>, at: Instant) {
        let (id, role) = self.cells.change(task, |t| {
            t.enter(at, here.id);
            (t.wire.id, role(t))
        });
        self.cells.change(&here.thread, |thread| {
            // A worker's own closure surrounds everything that the worker polls.
            if role == v1::ThreadRole::Worker {
                thread.wire.set_role(role);
                return;
            }
            if thread.wire.role() == v1::ThreadRole::Unspecified || role == v1::ThreadRole::Blocking
            {
                thread.wire.set_role(role);
            }
            thread.wire.task = Some(id);
            thread.wire.since = Some(clock::wire(at));
        });
    }

    fn exit_task(&self, here: &Here, task: &Arc<Cell<Task>>, at: Instant) {
        let panic = thread::panicking().then(panics::said);
        self.cells.change(task, |t| t.exit(at, panic));
        let outer = here
            .task()
            .filter(|t| t.read(|t| !t.worker))
            .map(|t| t.read(|t| t.wire.id));
        self.cells.change(&here.thread, |thread| {
            thread.wire.task = outer;
            thread.wire.since = outer.map(|_| clock::wire(at));
        });
    }
}

/// What a thread is, by what it polls.
fn role(task: &Task) -> v1::ThreadRole {
    match task {
        Task { worker: true, .. } => v1::ThreadRole::Worker,
        Task { blocking: true, .. } => v1::ThreadRole::Blocking,
        Task { block_on: true, .. } => v1::ThreadRole::BlockOn,
        _ => v1::ThreadRole::Unspecified,
    }
}

fn mark<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<Mark> {
    span.extensions().get::<Mark>().cloned()
}

impl<S> Layer<S> for ProbeLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        let meta = attrs.metadata();
        let is_scope = meta.target() == SCOPE;
        if !is_scope && meta.name() != SPAWN && meta.name() != RESOURCE {
            return;
        }
        let mut fields = Fields::default();
        attrs.record(&mut fields);
        let mark = match (meta.name(), fields.concrete_type.as_deref()) {
            _ if is_scope => self.new_scope(fields),
            (SPAWN, _) => self.new_task(&fields, id),
            (_, Some("Sleep")) => self.new_timer(&fields, id),
            (_, Some("Interval")) => Mark::Interval(fields.location()),
            _ => return,
        };
        if let Some(span) = ctx.span(id) {
            span.extensions_mut().insert(mark);
        }
    }

    fn on_enter(&self, id: &span::Id, ctx: Context<'_, S>) {
        let Some(mark) = ctx.span(id).as_ref().and_then(mark) else {
            return;
        };
        let at = Instant::now();
        self.here(|here| {
            match &mark {
                Mark::Task(task) => {
                    self.enter_task(here, task, at);
                    // The future given to `block_on` is made outside of its runtime.
                    if task.read(|t| t.block_on && t.wire.polls == 1) {
                        let runtime = self.runtimes.meet();
                        self.cells.change(task, |t| t.wire.runtime = runtime);
                    }
                }
                Mark::Timer(timer) => self.cells.change(timer, Timer::enter),
                Mark::Interval(_) | Mark::Scope(_) => {}
            }
            here.entered.push((id.clone(), mark));
        });
    }

    fn on_exit(&self, id: &span::Id, _: Context<'_, S>) {
        let at = Instant::now();
        self.here(|here| {
            let Some(index) = here.entered.iter().rposition(|(entered, _)| entered == id) else {
                return;
            };
            let (_, mark) = here.entered.remove(index);
            match mark {
                Mark::Task(task) => self.exit_task(here, &task, at),
                Mark::Timer(timer) => {
                    let interval = here.interval();
                    self.cells.change(&timer, |t| {
                        if let Some(location) = interval {
                            t.wire.set_kind(v1::TimerKind::Interval);
                            t.wire.location.clone_from(location);
                        }
                        t.exit(at);
                    });
                }
                Mark::Interval(_) | Mark::Scope(_) => {}
            }
        });
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        if let Some(Mark::Scope(scope)) = ctx.span(id).as_ref().and_then(mark) {
            let mut fields = Fields::default();
            values.record(&mut fields);
            self.cells.change(&scope, |s| {
                if let Some(outcome) = fields.outcome() {
                    s.wire.set_outcome(outcome);
                }
            });
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if !matches!(target, STATE_UPDATE | POLL_OP | TASK) {
            return;
        }
        let at = Instant::now();
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.here(|here| match target {
            TASK => {
                let Some(task) = here.task() else { return };
                self.cells.change(task, |t| {
                    if let Some(awaited) = fields.awaits {
                        t.wire.awaits = Some(awaited).filter(|id| *id > 0);
                    }
                    if let Some(outcome) = fields.outcome() {
                        t.wire.set_outcome(outcome);
                        t.wire.error = fields.error.take().unwrap_or_default();
                    }
                });
            }
            STATE_UPDATE => {
                if let (Some(timer), Some(ms)) = (here.timer(), fields.duration) {
                    self.cells
                        .change(timer, |t| t.arm(at, Duration::from_millis(ms)));
                }
            }
            _ => {
                if let (Some(timer), Some(ready)) = (here.timer(), fields.is_ready) {
                    let task = here.task_id();
                    self.cells.change(timer, |t| t.poll_op(task, ready));
                }
            }
        });
    }

    fn on_close(&self, id: span::Id, ctx: Context<'_, S>) {
        let at = Instant::now();
        match ctx.span(&id).as_ref().and_then(mark) {
            Some(Mark::Task(task)) => self.cells.change(&task, |t| t.close(at)),
            Some(Mark::Timer(timer)) => self.cells.change(&timer, |t| t.close(at)),
            Some(Mark::Scope(scope)) => self.cells.change(&scope, |s| {
                s.closed = Some(at);
                s.wire.closed_at = Some(clock::wire(at));
            }),
            Some(Mark::Interval(_)) | None => {}
        }
    }
}

/// The fields that are looked for, in any of the spans and events.
#[derive(Debug, Default)]
struct Fields {
    task_id: Option<u64>,
    kind: Option<String>,
    name: Option<String>,
    function: Option<String>,
    concrete_type: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    outcome: Option<String>,
    error: Option<String>,
    awaits: Option<u64>,
    duration: Option<u64>,
    is_ready: Option<bool>,
}

impl Fields {
    fn location(&self) -> Option<v1::Location> {
        Some(v1::Location {
            file: self.file.clone()?,
            line: u32::try_from(self.line?).ok()?,
            column: self
                .column
                .and_then(|c| u32::try_from(c).ok())
                .unwrap_or_default(),
        })
    }

    fn outcome(&self) -> Option<v1::Outcome> {
        match self.outcome.as_deref()? {
            "ok" => Some(v1::Outcome::Ok),
            "error" => Some(v1::Outcome::Error),
            "cancelled" => Some(v1::Outcome::Cancelled),
            "panicked" => Some(v1::Outcome::Panicked),
            "timed_out" => Some(v1::Outcome::TimedOut),
            _ => None,
        }
    }

    fn text(&mut self, field: &Field, value: impl FnOnce() -> String) {
        let place = match field.name() {
            "kind" => &mut self.kind,
            "name" => &mut self.name,
            "fn" => &mut self.function,
            "concrete_type" => &mut self.concrete_type,
            "loc.file" => &mut self.file,
            "outcome" => &mut self.outcome,
            "error" => &mut self.error,
            _ => return,
        };
        *place = Some(value());
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let place = match field.name() {
            "task.id" => &mut self.task_id,
            "loc.line" => &mut self.line,
            "loc.col" => &mut self.column,
            "awaits" => &mut self.awaits,
            "duration" => &mut self.duration,
            _ => return,
        };
        *place = Some(value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "is_ready" {
            self.is_ready = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, || format!("{value:?}"));
    }
}
