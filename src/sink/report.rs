//! The report: a stable contract, whose JSON form is `loopview-report/1`.
//!
//! Times are milliseconds since the run began, spans of time are milliseconds. A figure
//! that the target cannot give is `null`, never 0.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    frame::{Exit, Stream, Time},
    model::{self, Kind, Location, Model, Phase, State, Task, TaskId, lint},
};

pub const FORMAT: &str = "loopview-report/1";

/// How the target ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Ok,
    /// It ended with another exit status than 0.
    Failed,
    /// A signal ended it.
    Signalled,
    /// The connection was lost, or there never was one.
    Lost,
    /// We ended it, or stopped looking.
    Stopped,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Signalled => "signalled",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }

    pub fn of(model: &Model, stopped: bool) -> Self {
        match &model.phase {
            _ if stopped && model.instrument().is_some() => Self::Stopped,
            Phase::Ended(Exit::Code(0)) if model.instrument().is_none() => Self::Lost,
            Phase::Ended(_) if stopped => Self::Lost,
            Phase::Ended(Exit::Code(0)) => Self::Ok,
            Phase::Ended(Exit::Code(_)) => Self::Failed,
            Phase::Ended(Exit::Signal(_)) => Self::Signalled,
            // A program that we attached to and that said that its run was over.
            Phase::Disconnected { .. } if model.ended.is_some() => Self::Ok,
            Phase::Connecting { .. } | Phase::Disconnected { .. } => Self::Lost,
            Phase::Live => Self::Stopped,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub format: &'static str,
    pub target: String,
    pub outcome: Outcome,
    pub exit_code: Option<i32>,
    pub elapsed_ms: f64,
    pub instrument: Option<String>,
    pub process: Process,
    pub runtime: Runtime,
    pub tasks: Vec<TaskRow>,
    pub timers: Vec<TimerRow>,
    pub blocking: Vec<BlockingRow>,
    pub scopes: Vec<ScopeRow>,
    pub lints: Vec<LintRow>,
    pub output: Vec<OutputRow>,
    pub lost: Lost,
}

/// The target's process; only the probe tells of it.
#[derive(Debug, Serialize)]
pub struct Process {
    pub pid: Option<u32>,
    /// Of all its threads, since it began.
    pub cpu_ms: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// What the probe takes of that.
    pub probe_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct Runtime {
    pub flavor: Option<&'static str>,
    pub workers: Option<usize>,
    pub busy_ratio: Option<f64>,
    pub polls: Option<u64>,
    pub parks: Option<u64>,
    pub steals: Option<u64>,
    pub global_queue_max: Option<u64>,
    pub blocking_threads_max: Option<u64>,
    pub blocking_queue_max: Option<u64>,
    /// For how long in all the system ran others though a loop's thread could run; of the
    /// thread that had to wait longest.
    pub kept_off_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct TaskRow {
    pub id: u64,
    /// The name, or what stands for it. For people: scripts have the name and the id.
    #[serde(skip)]
    pub label: String,
    pub name: Option<String>,
    pub kind: String,
    pub parent: Option<u64>,
    pub state: &'static str,
    pub outcome: Option<&'static str>,
    pub location: Option<String>,
    /// The same as the screen has it, for people.
    #[serde(skip)]
    pub place: Option<String>,
    pub created_ms: f64,
    pub total_ms: f64,
    pub busy_ms: f64,
    pub scheduled_ms: Option<f64>,
    pub idle_ms: f64,
    pub polls: u64,
    pub wakes: Option<u64>,
    pub self_wakes: Option<u64>,
    pub wakers: u64,
    pub longest_poll_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct TimerRow {
    pub id: u64,
    pub kind: &'static str,
    pub task: Option<u64>,
    pub duration_ms: Option<f64>,
    pub created_ms: f64,
    pub fired_ms: Option<f64>,
    pub late_ms: Option<f64>,
    pub state: &'static str,
    pub location: Option<String>,
    /// The same as the screen has it, for people.
    #[serde(skip)]
    pub place: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct BlockingRow {
    pub task: u64,
    pub thread: Option<String>,
    pub queued_ms: f64,
    pub run_ms: Option<f64>,
    pub location: Option<String>,
    /// The same as the screen has it, for people.
    #[serde(skip)]
    pub place: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ScopeRow {
    pub id: u64,
    pub kind: String,
    pub name: Option<String>,
    pub parent: Option<u64>,
    pub opened_ms: Option<f64>,
    pub closed_ms: Option<f64>,
    pub outcome: Option<&'static str>,
    pub children: Vec<u64>,
}

#[derive(Debug, Serialize)]
pub struct LintRow {
    #[serde(skip)]
    pub kind: lint::Kind,
    pub lint: &'static str,
    pub severity: &'static str,
    pub task: Option<u64>,
    pub message: String,
    pub location: Option<String>,
    /// The same as the screen has it, for people.
    #[serde(skip)]
    pub place: Option<String>,
    /// How many cases it stands for; the worst is described.
    pub count: u64,
    /// What it was judged by. `at_ms` is when that began; of a blocked loop `late` is how many
    /// were late, and `victims` the latest of them.
    pub evidence: BTreeMap<String, Figure>,
}

/// A figure of the evidence, whose key ends with its unit.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    Ms(f64),
    Count(u64),
    Text(String),
    Victims(Vec<VictimRow>),
}

#[derive(Debug, PartialEq, Serialize)]
pub struct VictimRow {
    pub task: u64,
    /// The timer that was late; null if the task could run anyway.
    pub timer: Option<u64>,
    pub late_ms: f64,
}

#[derive(Debug, Serialize)]
pub struct OutputRow {
    pub t_ms: f64,
    pub stream: &'static str,
    pub line: String,
}

#[derive(Debug, Serialize)]
pub struct Lost {
    pub events: u64,
    /// Polls that were not told of one by one; unknown without the probe.
    pub polls: Option<u64>,
    pub gaps: u64,
    /// Tasks that are not in the table: forgotten to bound memory, or never told of.
    pub tasks: u64,
    /// Lines of output that were let go to bound memory.
    pub lines: u64,
    /// Tasks, timers and others that were left out, as too many lived at a time.
    pub untaken: u64,
}

fn ms(d: Duration) -> f64 {
    // Whole microseconds: what lies below is the clock's noise.
    d.as_micros() as f64 / 1_000.0
}

fn location(location: Option<&Location>) -> Option<String> {
    location.map(ToString::to_string)
}

impl Report {
    pub fn new(model: &Model, outcome: Outcome) -> Self {
        let writer = Writer {
            model,
            started: model.started.unwrap_or(model.now),
        };
        Self {
            format: FORMAT,
            target: model.target.name.clone(),
            outcome,
            exit_code: match model.phase {
                Phase::Ended(Exit::Code(code)) => Some(code),
                _ => None,
            },
            elapsed_ms: ms(model.elapsed()),
            instrument: model.instrument().map(str::to_owned),
            process: Process {
                pid: model.process.as_ref().map(|p| p.pid),
                cpu_ms: model.usage.cpu.map(ms),
                memory_bytes: model.usage.memory,
                probe_bytes: model.usage.probe.map(|probe| probe.memory),
            },
            runtime: writer.runtime(),
            // Workers are threads of the runtime, which tokio happens to start as tasks.
            tasks: model
                .tasks
                .iter()
                .filter(|t| t.kind != Kind::Worker)
                .map(|t| writer.task(t))
                .collect(),
            timers: model.timers.iter().map(|t| writer.timer(t)).collect(),
            blocking: model
                .tasks
                .iter()
                .filter(|t| t.kind == Kind::Blocking)
                .map(|t| writer.blocking(t))
                .collect(),
            scopes: writer.scopes(),
            lints: model.lints.iter().map(|l| writer.lint(l)).collect(),
            output: model.output.lines().map(|l| writer.output(l)).collect(),
            lost: Lost {
                events: model.lost.events,
                polls: model.lost.polls,
                gaps: model.lost.gaps,
                tasks: model.lost.forgotten + model.lost.unnamed,
                lines: model.output.dropped(),
                untaken: model.lost.untaken,
            },
        }
    }
}

/// The row of one task.
pub fn task(model: &Model, task: &Task) -> TaskRow {
    Writer::new(model).task(task)
}

/// The row of one timer.
pub fn timer(model: &Model, timer: &model::Timer) -> TimerRow {
    Writer::new(model).timer(timer)
}

/// Turns parts of the model into rows, with times that count from the start.
struct Writer<'a> {
    model: &'a Model,
    started: Time,
}

impl<'a> Writer<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            model,
            started: model.started.unwrap_or_default(),
        }
    }

    fn at(&self, time: Time) -> f64 {
        ms(time.since(self.started))
    }

    fn runtime(&self) -> Runtime {
        let main = self.model.runtimes.main();
        Runtime {
            flavor: main.map(|r| r.flavor.as_str()),
            workers: main.map(|r| r.workers.len()),
            busy_ratio: self.model.busy_ratio(),
            polls: main.map(model::Runtime::polls),
            parks: main.map(model::Runtime::parks),
            steals: main.map(model::Runtime::steals),
            global_queue_max: main.map(|r| r.global_queue_max),
            blocking_threads_max: main.map(|r| r.blocking_threads_max),
            blocking_queue_max: main.map(|r| r.blocking_queue_max),
            kept_off_ms: self.model.threads.kept_off_in_all().map(ms),
        }
    }

    fn task(&self, task: &Task) -> TaskRow {
        let now = self.model.ended.unwrap_or(self.model.now);
        let (longest, exact) = task.longest_poll(now);
        let wakes_seen = task.wakes_seen();
        TaskRow {
            id: task.id.0,
            label: task.label().into_owned(),
            name: task.name.as_deref().map(str::to_owned),
            kind: task.kind.as_str().to_owned(),
            parent: task.parent.map(|t| t.0),
            state: match self.model.state(task) {
                State::Running => "running",
                State::Ready => "scheduled",
                State::Done(_) => "done",
                State::Sleeping | State::Waiting | State::Idle => "idle",
            },
            outcome: task.outcome.map(model::Outcome::as_str),
            location: location(task.location.as_ref()),
            place: task.location.as_ref().map(Location::short),
            created_ms: self.at(task.created),
            total_ms: ms(task.total(now)),
            busy_ms: ms(task.busy(now)),
            scheduled_ms: task.ready(now).map(ms),
            idle_ms: ms(task.idle(now)),
            polls: task.polls(),
            wakes: wakes_seen.then_some(task.wakes),
            self_wakes: wakes_seen.then_some(task.self_wakes),
            wakers: task.wakers(),
            longest_poll_ms: exact.then_some(ms(longest)),
        }
    }

    fn timer(&self, timer: &model::Timer) -> TimerRow {
        TimerRow {
            id: timer.id.0,
            kind: timer.kind.as_str(),
            task: timer.task.map(|t| t.0),
            duration_ms: timer.duration.map(ms),
            created_ms: self.at(timer.created),
            fired_ms: timer.fired.map(|t| self.at(t)),
            late_ms: timer.late.map(ms),
            state: timer.state().as_str(),
            location: location(timer.location.as_ref()),
            place: timer.location.as_ref().map(Location::short),
        }
    }

    fn blocking(&self, task: &Task) -> BlockingRow {
        let now = self.model.now;
        let began = task.first_poll.unwrap_or(now);
        BlockingRow {
            task: task.id.0,
            thread: task
                .thread
                .and_then(|id| self.model.threads.get(id))
                .map(|t| format!("{} {}", t.name, t.id)),
            queued_ms: ms(began.since(task.created)),
            run_ms: task.first_poll.map(|_| ms(task.busy(now))),
            location: location(task.location.as_ref()),
            place: task.location.as_ref().map(Location::short),
        }
    }

    fn scopes(&self) -> Vec<ScopeRow> {
        let mut children: std::collections::HashMap<_, Vec<u64>> = std::collections::HashMap::new();
        for task in self.model.tasks.iter() {
            if let Some(scope) = task.scope {
                children.entry(scope).or_default().push(task.id.0);
            }
        }
        self.model
            .scopes
            .iter()
            .map(|scope| ScopeRow {
                id: scope.id.0,
                kind: scope.kind.to_string(),
                name: scope.name.as_deref().map(str::to_owned),
                parent: scope.parent.map(|p| p.0),
                opened_ms: scope.opened.map(|t| self.at(t)),
                closed_ms: scope.closed.map(|t| self.at(t)),
                outcome: scope.outcome.map(model::Outcome::as_str),
                children: children.remove(&scope.id).unwrap_or_default(),
            })
            .collect()
    }

    fn lint(&self, lint: &model::Finding) -> LintRow {
        let name = |id: TaskId| self.model.tasks.get(id).map(|t| t.label().into_owned());
        let figures = lint.evidence.iter().map(|(key, figure)| {
            let figure = match figure {
                lint::Figure::Time(time) => Figure::Ms(ms(*time)),
                lint::Figure::Count(count) => Figure::Count(*count),
                lint::Figure::Text(text) => Figure::Text(text.to_string()),
            };
            (key.to_string(), figure)
        });
        let mut evidence: BTreeMap<_, _> = figures.collect();
        if lint.task.is_some() {
            evidence.insert("at_ms".to_owned(), Figure::Ms(self.at(lint.at)));
        }
        if lint.kind == lint::Kind::BlockedLoop {
            let victims = lint.victims.iter().map(|v| VictimRow {
                task: v.task.0,
                timer: v.timer.map(|timer| timer.0),
                late_ms: ms(v.late),
            });
            evidence.insert("late".to_owned(), Figure::Count(lint.late as u64));
            evidence.insert("victims".to_owned(), Figure::Victims(victims.collect()));
        }
        LintRow {
            kind: lint.kind,
            lint: lint.kind.name(),
            severity: lint.kind.severity().as_str(),
            task: lint.task.map(|t| t.0),
            message: match lint.task.and_then(name) {
                Some(name) => format!("{name} {}", lint.message),
                None => lint.message.clone(),
            },
            location: location(lint.location.as_ref()),
            place: lint.location.as_ref().map(Location::short),
            count: lint.count,
            evidence,
        }
    }

    fn output(&self, line: &model::output::OutputLine) -> OutputRow {
        OutputRow {
            t_ms: self.at(line.at),
            stream: match line.stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            },
            line: match line.cut {
                0 => line.text.to_string(),
                cut => format!("{}… +{cut} bytes", line.text),
            },
        }
    }
}
