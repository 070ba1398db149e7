//! What a scenario says of the model: `TIME expect SUBJECT FACT, FACT, …`. It holds right
//! after the update of that time.
//!
//! ```text
//! TASK      is STATE · busy D · ready D|unknown · idle D · total D · polls N · wakes N ·
//!           self-wakes N · wakers N · longest D [at-least] · kind K · parent TASK|none ·
//!           awaits timer D|resource OP|task TASK|scope KIND|nothing · error "TEXT" ·
//!           label "TEXT" · busy-cells SHARE… · ready-cells SHARE… (50 ms each, up to now) ·
//!           lane FROM WIDTH LETTERS (what it did most of the time in each cell of its
//!           timeline: Running, Delayed, Waiting, Sleeping, Idle, or - for nothing known) ·
//!           poll TIME for D ready D|unknown by TASK|none (the one of its timeline then) ·
//!           holds-up TIME D (how long the poll of its timeline then holds its worker)
//! TIMER     is waiting|fired|cancelled · deadline TIME|unknown · late D|unknown ·
//!           overdue D|no · remaining D|no · fires N · of TASK|unknown · kind K ·
//!           duration D · at FILE:LINE|unknown · exact|guessed
//! TASK      cycle TASK …|none · cycle-since TIME|unknown · chain TASK … (those that it waits
//!           for, from itself on) · held-up-by TASK|nobody · waker lost|kept ·
//!           holds RESOURCE …|nothing
//! RESOURCE  kind K · holders TASK …|nobody (a task of more permits with their number, as
//!           A*2; `unknown` and `outside` are no tasks) · certain · guessed · waiters TASK …|nobody ·
//!           receiver TASK|unknown (of a channel) · held-since TIME|unknown (the first) · waits-since TIME (the first) · is gone|there
//! loop      is free · blocked-by TASK · for D · victims TASK …|none · busy-cells SHARE… ·
//!           lane FROM WIDTH LETTERS (without the probe, of all its threads as one)
//! thread    lane FROM WIDTH LETTERS (of the one that the timeline got to know last)
//! lints     none · LINT[:TASK] …, in the order in which what they found began
//! LINT      of TASK|nobody · count N · a key of the evidence and its figure; of the first
//!           that it found
//! model     live N · spawned N · ready N · lost N · lost-polls N|unknown · gaps N · phase P · workers N ·
//!           elapsed D · instrument I · timers N
//! ```
//! STATE is running, ready, sleeping, waiting, idle, done or an outcome.

use std::time::Duration;

use loopview::{
    frame::Time,
    model::{
        AsyncOp, Holder, Location, Model, Phase, State, Strip, Task, TaskId, Timer, Wait, Why,
        lint::{Figure, Kind},
        timeline::{self, Doing, Grid},
    },
};

use super::{
    program::Names,
    scenario::{START, Scenario},
    words,
};

#[derive(Debug)]
pub struct Expectation {
    /// In the scenario's text.
    pub line: usize,
    pub at: Duration,
    pub words: Vec<String>,
}

/// What was done most of the time in each cell.
fn lane(
    values: &[String],
    cells: impl FnOnce(&Grid) -> Option<Vec<timeline::Cell>>,
) -> Result<String, String> {
    let [from, width, letters] = values else {
        return Err("a lane is FROM WIDTH LETTERS".to_owned());
    };
    let read = |word: &String| words::duration(word).ok_or(format!("`{word}` is no time"));
    let grid = Grid::new(START + read(from)?, read(width)?, letters.len());
    let cells = cells(&grid);
    let letter = |cell: &timeline::Cell| {
        let most = |doing: &Doing| cell.spent.nanos(*doing);
        let most = Doing::ALL.into_iter().max_by_key(most);
        match most.filter(|_| cell.spent.total() > 0) {
            None => '-',
            Some(Doing::Running) => 'R',
            Some(Doing::Ready) => 'D',
            Some(Doing::Waiting) => 'W',
            Some(Doing::Sleeping) => 'S',
            Some(Doing::Idle) => 'I',
        }
    };
    let letters: String = cells.unwrap_or_default().iter().map(letter).collect();
    Ok(format!("{from} {width} {letters}"))
}

/// What does not hold, a line each.
pub fn failures(scenario: &Scenario) -> Vec<String> {
    scenario
        .expectations
        .iter()
        .filter_map(|expectation| {
            let told = check(scenario, expectation).err()?;
            let said = expectation.words.join(" ").replace(" ,", ",");
            Some(format!("line {}: expect {said}: {told}", expectation.line))
        })
        .collect()
}

fn check(scenario: &Scenario, expectation: &Expectation) -> Result<(), String> {
    let at = START + expectation.at;
    if !scenario.frames.iter().any(|frame| frame.at == at) {
        return Err("nothing is sent at this time".to_owned());
    }
    let model = scenario.model_at(expectation.at);
    let (subject, facts) = expectation.words.split_first().ok_or("of what?")?;
    let view = View {
        model: &model,
        names: &scenario.names,
    };
    for fact in facts.split(|word| word == ",") {
        let (name, values) = fact.split_first().ok_or("a fact is missing")?;
        let expected = values.join(" ");
        let found = view.fact(subject, name, values)?;
        if !same(&found, &expected) {
            return Err(format!("{name} is {found}"));
        }
    }
    Ok(())
}

/// Durations and shares are compared as such: `1ms` is `1000us`.
fn same(found: &str, expected: &str) -> bool {
    let (mut found, mut expected) = (found.split(' '), expected.split(' '));
    loop {
        match (found.next(), expected.next()) {
            (None, None) => return true,
            (Some(f), Some(e)) if f == e => {}
            (Some(f), Some(e)) => {
                let durations = words::duration(f).zip(words::duration(e));
                let shares = f.parse::<f64>().ok().zip(e.parse::<f64>().ok());
                // Shares are written with a point, counts are not.
                let shares = shares.filter(|_| f.contains('.'));
                let near = durations.is_some_and(|(f, e)| f == e)
                    || shares.is_some_and(|(f, e)| (f - e).abs() < 0.011);
                if !near {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

struct View<'a> {
    model: &'a Model,
    names: &'a Names,
}

impl View<'_> {
    fn fact(&self, subject: &str, fact: &str, values: &[String]) -> Result<String, String> {
        match subject {
            "loop" if fact == "lane" => self.thread_lane(0, values),
            "loop" => self.of_loop(fact, values),
            "thread" if fact == "lane" => {
                let last = self.model.timeline.threads().last();
                self.thread_lane(last.ok_or("no thread is known")?, values)
            }
            "lints" => Ok(self.lints(fact, values)),
            "model" => self.of_model(fact),
            name if Kind::named(name).is_some() => self.of_finding(name, fact),
            name if self.names.timers.contains_key(name) => self.of_timer(name, fact, values),
            name if self.names.resources.contains_key(name) => self.of_resource(name, fact),
            name => self.of_task(name, fact, values),
        }
    }

    fn of_task(&self, name: &str, fact: &str, values: &[String]) -> Result<String, String> {
        let id = self.names.tasks.get(name);
        let id = id.ok_or_else(|| format!("nothing is called `{name}`"))?;
        let task = self.model.tasks.by_tokio_id(*id);
        if (task.is_none(), fact) == (true, "unknown") {
            return Ok(String::new());
        }
        let task = task.ok_or_else(|| format!("the model knows no `{name}`"))?;
        let now = self.model.now;
        Ok(match fact {
            "is" => match self.model.state(task) {
                State::Running => "running".to_owned(),
                State::Ready => "ready".to_owned(),
                State::Sleeping => "sleeping".to_owned(),
                State::Waiting => "waiting".to_owned(),
                State::Idle => "idle".to_owned(),
                State::Done(None) => "done".to_owned(),
                State::Done(Some(outcome)) => outcome.as_str().to_owned(),
            },
            "busy" => time(task.busy(now)),
            "ready" => maybe(task.ready(now)),
            "idle" => time(task.idle(now)),
            "total" => time(task.total(now)),
            "polls" => task.polls().to_string(),
            "wakes" => task.wakes.to_string(),
            "self-wakes" => task.self_wakes.to_string(),
            "wakers" => task.wakers().to_string(),
            "longest" => match task.longest_poll(now) {
                (longest, true) => time(longest),
                (longest, false) => format!("{} at-least", time(longest)),
            },
            "kind" => task.kind.as_str().to_owned(),
            "parent" => task
                .parent
                .map_or("none".to_owned(), |parent| self.name_of(parent)),
            "awaits" => self.wait_of(task),
            "cycle" => match self.model.cycle_of(task.id) {
                Some(cycle) => self.names_of(cycle.tasks),
                None => "none".to_owned(),
            },
            "cycle-since" => {
                let cycle = self.model.cycle_of(task.id).ok_or("there is no cycle")?;
                maybe(cycle.since.map(|since| since.since(START)))
            }
            "chain" => {
                let chain = self.model.chain(task);
                self.names_of(chain.iter().map(|link| link.task.id))
            }
            "waker" => match self.model.why(task) {
                Why::NoWaker => "lost".to_owned(),
                _ => "kept".to_owned(),
            },
            "held-up-by" => match self.model.why(task) {
                Why::Ready {
                    blocked_by: Some(task),
                    ..
                } => self.name_of(task.id),
                _ => "nobody".to_owned(),
            },
            "holds" => {
                let resources = &self.model.resources;
                let since = |span| {
                    let mut holds = resources.holders(span)?.list.iter();
                    let hold = holds.find(|hold| hold.by == Holder::Task(task.id))?;
                    Some(hold.since)
                };
                let named = self.names.resources.iter();
                let mut held: Vec<_> = named
                    .filter_map(|(name, span)| Some((since(*span)?, *span, name)))
                    .collect();
                held.sort_unstable();
                list(held.into_iter().map(|(.., name)| name.clone()), "nothing")
            }
            "error" => task.error.as_deref().unwrap_or("none").to_owned(),
            "label" => task.label().into_owned(),
            "busy-cells" => cells(&task.history, now, values.len(), true),
            "ready-cells" => cells(&task.history, now, values.len(), false),
            "lane" => lane(values, |grid| {
                let timeline = &self.model.timeline;
                timeline.task(task.id, grid, self.model.now)
            })?,
            "poll" => self.poll(task, values)?,
            "holds-up" => {
                let word = values.first().ok_or("when?")?;
                let at = words::duration(word).ok_or(format!("`{word}` is no time"))?;
                let (timeline, now) = (&self.model.timeline, self.model.now);
                let then = timeline.task_at(task.id, START + at, now);
                format!(
                    "{word} {}ns",
                    then.map_or(0, |then| then.longest.as_nanos())
                )
            }
            other => return Err(format!("a task has no fact `{other}`")),
        })
    }

    fn thread_lane(&self, id: u64, values: &[String]) -> Result<String, String> {
        let (timeline, now) = (&self.model.timeline, self.model.now);
        lane(values, |grid| timeline.thread(id, grid, now))
    }

    fn poll(&self, task: &Task, values: &[String]) -> Result<String, String> {
        let word = values.first().ok_or("when?")?;
        let at = words::duration(word).ok_or(format!("`{word}` is no time"))?;
        let Some(poll) = self.model.timeline.poll_at(task.id, START + at) else {
            return Ok(format!("{word} none"));
        };
        let ready = maybe(poll.woken().map(|woken| poll.started().since(woken)));
        let by = poll.woken_by();
        let by = by.map_or("none".to_owned(), |by| self.name_of(by));
        let lasted = time(poll.lasted());
        Ok(format!("{word} for {lasted} ready {ready} by {by}"))
    }

    fn wait_of(&self, task: &Task) -> String {
        match self.model.wait(task) {
            None => "nothing".to_owned(),
            Some(Wait::Timer(timer)) => format!("timer {}", maybe(timer.duration)),
            Some(Wait::Resource(op)) => format!("resource {}", op.source),
            Some(Wait::Task(task)) => format!("task {}", self.name_of(task.id)),
            Some(Wait::Scope(scope)) => format!("scope {}", scope.kind),
        }
    }

    fn of_timer(&self, name: &str, fact: &str, values: &[String]) -> Result<String, String> {
        let index = self.names.timers[name];
        let id = |t: &Timer| t.id.0 as usize - usize::from(t.exact);
        let timer = self.model.timers.iter().find(|t| id(t) == index);
        let timer = timer.ok_or_else(|| format!("the model knows no timer `{name}`"))?;
        let now = self.model.now;
        let or_no = |d: Option<Duration>| d.map_or("no".to_owned(), time);
        Ok(match fact {
            "is" => timer.state().as_str().to_owned(),
            "deadline" => maybe(timer.deadline.map(|d| d.since(START))),
            "late" => maybe(timer.late),
            "overdue" => or_no(timer.overdue(now)),
            "remaining" => or_no(timer.remaining(now)),
            "duration" => maybe(timer.duration),
            "fires" => timer.fires.to_string(),
            "kind" => timer.kind.as_str().to_owned(),
            "of" => timer
                .task
                .map_or("unknown".to_owned(), |task| self.name_of(task)),
            "at" => timer
                .location
                .as_ref()
                .map_or("unknown".to_owned(), Location::to_string),
            "exact" | "guessed" if values.is_empty() && timer.exact == (fact == "exact") => {
                String::new()
            }
            "exact" | "guessed" => format!("exact: {}", timer.exact),
            other => return Err(format!("a timer has no fact `{other}`")),
        })
    }

    fn names_of(&self, tasks: impl IntoIterator<Item = TaskId>) -> String {
        list(tasks.into_iter().map(|id| self.name_of(id)), "nobody")
    }

    fn of_resource(&self, name: &str, fact: &str) -> Result<String, String> {
        let resources = &self.model.resources;
        let resource = resources.get(self.names.resources[name]);
        if fact == "is" {
            return Ok(if resource.is_some() { "there" } else { "gone" }.to_owned());
        }
        let resource = resource.ok_or_else(|| format!("the model knows no `{name}`"))?;
        let held = resources.holders(resource.span).cloned();
        let held = held.unwrap_or_default();
        let mut waiters = resources.waiters(resource.span);
        Ok(match fact {
            "kind" => resource.kind.as_str().to_owned(),
            "holders" => list(
                held.list.iter().map(|hold| {
                    let name = match hold.by {
                        Holder::Task(task) => self.name_of(task),
                        Holder::Outside => "outside".to_owned(),
                        Holder::Unknown => "unknown".to_owned(),
                    };
                    match hold.permits {
                        Some(1) | None => name,
                        Some(permits) => format!("{name}*{permits}"),
                    }
                }),
                "nobody",
            ),
            "certain" | "guessed" if held.is_guess == (fact == "guessed") => String::new(),
            "certain" | "guessed" => format!("guessed: {}", held.is_guess),
            "waiters" => self.names_of(waiters.filter_map(|op| op.task)),
            "receiver" => {
                let receiver = self.model.resources.receiver(resource.span);
                receiver.map_or("unknown".to_owned(), |task| self.name_of(task))
            }
            "held-since" => {
                let first = held.list.first().ok_or("nobody holds it")?;
                maybe(first.since.map(|since| since.since(START)))
            }
            "waits-since" => {
                let since = waiters.next().and_then(AsyncOp::waits_since);
                maybe(since.map(|since| since.since(START)))
            }
            other => return Err(format!("a resource has no fact `{other}`")),
        })
    }

    fn of_loop(&self, fact: &str, values: &[String]) -> Result<String, String> {
        let now = self.model.now;
        if fact == "busy-cells" {
            return Ok(cells(&self.model.busy, now, values.len(), true));
        }
        let Some(blocked) = self.model.blocked() else {
            return Ok("free".to_owned());
        };
        Ok(match fact {
            "is" => "blocked".to_owned(),
            "blocked-by" => self.name_of(blocked.task),
            "for" => time(blocked.lasted),
            "victims" => {
                let names: Vec<String> = blocked
                    .victims
                    .iter()
                    .map(|victim| self.name_of(victim.task))
                    .collect();
                if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(" ")
                }
            }
            other => return Err(format!("the loop has no fact `{other}`")),
        })
    }

    /// The words after `lints` are all one fact.
    fn lints(&self, first: &str, others: &[String]) -> String {
        let found: Vec<String> = self
            .model
            .lints
            .iter()
            .map(|lint| match lint.task {
                Some(task) => format!("{}:{}", lint.kind.name(), self.name_of(task)),
                None => lint.kind.name().to_owned(),
            })
            .collect();
        let found = if found.is_empty() {
            "none".to_owned()
        } else {
            found.join(" ")
        };
        let expected = [&[first.to_owned()], others].concat().join(" ");
        if found == expected {
            others.join(" ")
        } else {
            found
        }
    }

    fn of_finding(&self, lint: &str, fact: &str) -> Result<String, String> {
        let mut found = self.model.lints.iter();
        let found = found.find(|finding| finding.kind.name() == lint);
        let found = found.ok_or_else(|| format!("{lint} found nothing"))?;
        Ok(match fact {
            "of" => found
                .task
                .map_or("nobody".to_owned(), |task| self.name_of(task)),
            "count" => found.count.to_string(),
            "late" => found.late.to_string(),
            "at" => found
                .location
                .as_ref()
                .map_or("unknown".to_owned(), Location::to_string),
            key => {
                let figure = found.evidence.iter().find(|(name, _)| *name == key);
                match figure.map(|(_, figure)| figure) {
                    Some(Figure::Time(told)) => time(*told),
                    Some(Figure::Count(count)) => count.to_string(),
                    Some(Figure::Text(text)) => text.to_string(),
                    None => "none".to_owned(),
                }
            }
        })
    }

    fn of_model(&self, fact: &str) -> Result<String, String> {
        let model = self.model;
        Ok(match fact {
            "live" => model.tasks.live().to_string(),
            "spawned" => model.tasks.spawned().to_string(),
            "ready" => model.tasks.ready().count().to_string(),
            "lost" => model.lost.events.to_string(),
            "lost-polls" => match model.lost.polls {
                Some(polls) => polls.to_string(),
                None => "unknown".to_owned(),
            },
            "gaps" => model.lost.gaps.to_string(),
            "malformed" => model.lost.malformed.to_string(),
            "forgotten" => model.lost.forgotten.to_string(),
            "workers" => model.runtimes.worker_count(&model.tasks).to_string(),
            "elapsed" => time(model.elapsed()),
            "timers" => model.timers.iter().count().to_string(),
            "output" => model.output.len().to_string(),
            "instrument" => model.instrument().unwrap_or("unknown").to_owned(),
            "phase" => match &model.phase {
                Phase::Connecting { .. } => "connecting".to_owned(),
                Phase::Live => "live".to_owned(),
                Phase::Disconnected { .. } => "disconnected".to_owned(),
                Phase::Ended(_) => "ended".to_owned(),
            },
            other => return Err(format!("the model has no fact `{other}`")),
        })
    }

    fn name_of(&self, id: TaskId) -> String {
        let tokio_id = self.model.tasks.get(id).and_then(|t| t.tokio_id);
        let mut names = self.names.tasks.iter();
        names
            .find(|(_, id)| Some(**id) == tokio_id)
            .map_or_else(|| "nobody".to_owned(), |(name, _)| name.clone())
    }
}

fn list(names: impl Iterator<Item = String>, none: &str) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        none.to_owned()
    } else {
        names.join(" ")
    }
}

fn cells(strip: &Strip, now: Time, count: usize, busy: bool) -> String {
    // The cell that holds `now` has only begun: the ones before it are told.
    let cells = strip.cells(now - Duration::from_nanos(1), count, Strip::BUCKET);
    let shares = cells.iter().map(|c| if busy { c.busy } else { c.ready });
    let shares: Vec<String> = shares.map(|s| format!("{s:.3}")).collect();
    shares.join(" ")
}

fn time(d: Duration) -> String {
    format!("{}us", d.as_nanos() as f64 / 1e3)
}

fn maybe(d: Option<Duration>) -> String {
    d.map_or("unknown".to_owned(), time)
}
