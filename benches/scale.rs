//! How the model and the view bear many tasks: `cargo bench --bench scale`.
//!
//! Synthetic frames of 1,000, 10,000 and 100,000 tasks, as the probe would send them, go
//! through the model and are drawn to a terminal that is none, of 120 columns by 40 rows.
//! Every task sleeps a second again and again; the targets tell their news 20 times a second.
//! Each size has a process of its own, as memory is measured as what that process has:
//!
//! - publishes, and polls in them, that the model takes in a second;
//! - the time of a picture after a publish (state brought up to date, and drawn), of the
//!   overview and of the timeline;
//! - bytes that a task takes, the model's and the view's together;
//! - what the lints take for the tasks of a publish, which is part of taking it in;
//! - what a page of metrics takes, for `--prometheus`;
//! - the time of a picture of the task table, sorted by busy time, and of the tree.
//!
//! Then an hour of 10,000 tasks, and how long each key of the timeline takes, its picture
//! included.

use std::{
    fs,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use console_api::{self as console, field, instrument, tasks};
use crossterm::event::{KeyCode, KeyEvent};
use loopview::{
    frame::{Event, Frame, Target, TargetKind, Time},
    model::{
        Model,
        lint::{self, Scene, Subject},
    },
    sink::prometheus::Prometheus,
    view::{self, Options, ViewState},
};
use loopview_api::v1;
use ratatui::{Terminal, backend::TestBackend};

const SIZE: (u16, u16) = (120, 40);
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// The argument before the number of tasks, by which the benchmark knows that it is to
/// measure one size.
const ONE: &str = "--with-tasks";
const HOUR: &str = "--an-hour";
const INTERVAL: Duration = Duration::from_millis(50);
/// When every program started.
const START: Time = Time::from_nanos(1_735_689_600 * 1_000_000_000);
/// Publishes that are measured.
const PUBLISHES: u32 = 200;
/// A picture that takes longer is seen to.
const FRAME: Duration = Duration::from_millis(33);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |flag: &str| {
        let at = args.iter().position(|arg| arg == flag)?;
        args.get(at + 1)?.parse().ok()
    };
    if let Some(tasks) = number(ONE) {
        return one_size(tasks);
    }
    if let Some(tasks) = number(HOUR) {
        return an_hour(tasks);
    }
    println!(
        "{:>7} {:>11} {:>11} | {:>9} {:>9} | {:>9} {:>9} | {:>12} {:>12} | {:>9} {:>9} | {:>9} {:>9} | {:>9} {:>9}",
        "tasks",
        "publishes/s",
        "polls/s",
        "overview",
        "p99",
        "timeline",
        "p99",
        "bytes a task",
        "history",
        "lints",
        "metrics",
        "by busy",
        "p99",
        "tree",
        "p99"
    );
    for tasks in SIZES {
        again(ONE, tasks);
    }
    println!();
    again(HOUR, 10_000);
}

/// Measures in a process of its own.
fn again(flag: &str, tasks: u64) {
    let program = std::env::current_exe().expect("the path of this program");
    let status = Command::new(program)
        .args([flag, &tasks.to_string()])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{flag} failed");
}

fn one_size(tasks: u64) {
    let before = resident();
    let mut stage = Stage::new(tasks, Duration::from_secs(1));
    stage.publish();
    let mut took = Duration::ZERO;
    let (mut overview, mut timeline) = (Vec::new(), Vec::new());
    for at in 0..PUBLISHES {
        took += stage.publish();
        let (key, times) = if at % 2 == 0 {
            ('1', &mut overview)
        } else {
            ('2', &mut timeline)
        };
        stage.press(KeyCode::Char(key));
        times.push(stage.picture());
    }
    let per_second = f64::from(PUBLISHES) / took.as_secs_f64();
    let polls = per_second * (tasks as f64 * INTERVAL.as_secs_f64());
    let memory = stage.model.timeline.memory();
    let held = resident().saturating_sub(before);
    let (lints, metrics) = (stage.judge(), stage.metrics());
    let by_busy = stage.pictures_after("4sssss");
    let tree = stage.pictures_after("3");
    println!(
        "{tasks:>7} {per_second:>11.0} {polls:>11.0} | {} | {} | {:>12} {:>9.1} MB | {:>6.2} ms {:>6.2} ms | {} | {}",
        figures(overview),
        figures(timeline),
        held / tasks,
        (memory.used + memory.lanes) as f64 / 1e6,
        ms(lints),
        ms(metrics),
        figures(by_busy),
        figures(tree),
    );
}

/// The median of some rounds.
fn median(mut round: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let began = Instant::now();
            round();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The median and what all but a hundredth stay below.
fn figures(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("{:>6.2} ms {:>6.2} ms", ms(at(50)), ms(at(99)))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Each task sleeps ten seconds, so that the hour has 3.6 million polls.
fn an_hour(tasks: u64) {
    let mut stage = Stage::new(tasks, Duration::from_secs(10));
    let (mut worst, mut took) = (Duration::ZERO, Duration::ZERO);
    while stage.now < START + Duration::from_secs(3_600) {
        let time = stage.publish_after(Duration::from_secs(1));
        (worst, took) = (worst.max(time), took + time);
    }
    let mut frames = std::mem::take(&mut stage.frames);
    // The first tells of all tasks.
    frames.drain(..3);
    frames.sort_unstable();
    let timeline = &stage.model.timeline;
    let memory = timeline.memory();
    let exact = timeline
        .exact_since()
        .map_or(Duration::ZERO, |since| stage.now.since(since));
    println!(
        "an hour of {tasks} tasks: taken in in {:.1} s, no second took longer than {:.1} ms",
        took.as_secs_f64(),
        ms(worst)
    );
    println!(
        "a frame: median {:.2} ms, all but a thousandth {:.2} ms, the longest {:.2} ms",
        ms(frames[frames.len() / 2]),
        ms(frames[frames.len() * 999 / 1_000]),
        ms(frames[frames.len() - 1])
    );
    println!(
        "history: {:.1} MB of at most {:.1} MB, and {:.1} MB to know of the tasks; exact for {:.0} s",
        memory.used as f64 / 1e6,
        memory.limit as f64 / 1e6,
        memory.lanes as f64 / 1e6,
        exact.as_secs_f64()
    );
    stage.press(KeyCode::Char('2'));
    stage.picture();
    let mut slowest: Vec<(Duration, String)> = Vec::new();
    let words = "Down PgDn Left a i i i i i e E u d n N x X o o o o o o o o o o o o o o o a a E N \
                 Left Down PgDn End Up Home s l f f";
    for word in words.split_whitespace() {
        let code = match word {
            "Down" => KeyCode::Down,
            "Up" => KeyCode::Up,
            "Left" => KeyCode::Left,
            "PgDn" => KeyCode::PageDown,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            _ => KeyCode::Char(word.chars().next().expect("a key")),
        };
        let began = Instant::now();
        stage.press(code);
        stage.draw();
        slowest.push((began.elapsed(), word.to_owned()));
    }
    slowest.sort();
    let (time, key) = slowest.last().expect("keys were pressed");
    println!(
        "the slowest of {} keys, picture included: {key}, {:.2} ms; median {:.2} ms; aim {:.0} ms",
        slowest.len(),
        ms(*time),
        ms(slowest[slowest.len() / 2].0),
        ms(FRAME)
    );
}

/// A program of sleepers, what is known of it, and the screen.
struct Stage {
    tasks: u64,
    /// How long each sleeps.
    period: Duration,
    now: Time,
    told: bool,
    polls: Vec<u64>,
    /// What each frame took.
    frames: Vec<Duration>,
    model: Model,
    state: ViewState,
    terminal: Terminal<TestBackend>,
}

impl Stage {
    fn new(tasks: u64, period: Duration) -> Self {
        let mut state = ViewState::new(Options::default());
        state.resize(SIZE.0, SIZE.1);
        let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1));
        Self {
            tasks,
            period,
            now: START,
            told: false,
            polls: vec![0; tasks as usize],
            frames: Vec::new(),
            model: Model::new(Target {
                name: "sleepers".to_owned(),
                kind: TargetKind::Program,
            }),
            state,
            terminal: terminal.expect("a terminal"),
        }
    }

    fn publish(&mut self) -> Duration {
        self.publish_after(INTERVAL)
    }

    /// What happens in the next while, told to the model; gives the time that this took.
    fn publish_after(&mut self, interval: Duration) -> Duration {
        let from = self.now;
        self.now = self.now + interval;
        let polled = self.polled(from);
        let frames = [
            self.exact(&polled),
            self.console(&polled),
            self.facts(&polled),
        ];
        self.told = true;
        let mut took = Duration::ZERO;
        for frame in &frames {
            let began = processor_time();
            self.model.apply(frame);
            let time = processor_time().saturating_sub(began);
            self.frames.push(time);
            took += time;
        }
        took
    }

    /// The tasks whose turn it is, and when.
    fn polled(&mut self, from: Time) -> Vec<(u64, Time)> {
        let step = self.period.as_nanos() as u64 / self.tasks;
        let first = from.since(START).as_nanos() as u64 / step;
        let last = self.now.since(START).as_nanos() as u64 / step;
        let turn = |n: u64| (n % self.tasks + 1, START + Duration::from_nanos(n * step));
        let polled: Vec<_> = (first..last).map(turn).collect();
        for (id, _) in &polled {
            self.polls[*id as usize - 1] += 1;
        }
        polled
    }

    fn exact(&self, polled: &[(u64, Time)]) -> Frame {
        let mut wire = v1::Polls {
            since: Some(timestamp(START)),
            ..v1::Polls::default()
        };
        let mut before = START;
        for (id, at) in polled {
            wire.task.push(*id);
            wire.thread.push(1);
            wire.started
                .push((at.since(before).as_nanos() as u64).cast_signed());
            // Now and then one is long.
            let lasted = if id % 997 == 0 { 12_000_000 } else { 4_000 };
            wire.lasted.push(lasted);
            wire.woken.push(20_001);
            wire.woken_by.push(0);
            before = *at;
        }
        self.probe(v1::Update {
            polls: Some(wire),
            ..v1::Update::default()
        })
    }

    fn probe(&self, update: v1::Update) -> Frame {
        let update = v1::Update {
            now: Some(timestamp(self.now)),
            ..update
        };
        Frame::new(self.now, Event::Probe(Box::new(update)))
    }

    fn console(&self, polled: &[(u64, Time)]) -> Frame {
        let new = (1..=self.tasks).filter(|_| !self.told);
        let mut stats: std::collections::HashMap<u64, tasks::Stats> =
            new.clone().map(|id| (id, self.stats(id, START))).collect();
        stats.extend(polled.iter().map(|(id, at)| (*id, self.stats(*id, *at))));
        let update = instrument::Update {
            now: Some(timestamp(self.now)),
            task_update: Some(tasks::TaskUpdate {
                new_tasks: new.map(describe).collect(),
                stats_update: stats,
                dropped_events: 0,
            }),
            ..instrument::Update::default()
        };
        Frame::new(self.now, Event::Console(Box::new(update)))
    }

    fn stats(&self, id: u64, at: Time) -> tasks::Stats {
        let polls = self.polls[id as usize - 1];
        let polled = (polls > 0).then_some(at);
        tasks::Stats {
            created_at: Some(timestamp(START)),
            wakes: polls,
            last_wake: polled.map(|at| timestamp(at - Duration::from_micros(20))),
            poll_stats: Some(console::PollStats {
                polls,
                first_poll: polled.map(timestamp),
                last_poll_started: polled.map(timestamp),
                last_poll_ended: polled.map(|at| timestamp(at + Duration::from_micros(4))),
                busy_time: Some(duration(Duration::from_micros(4 * polls))),
            }),
            scheduled_time: Some(duration(Duration::from_micros(20 * polls))),
            ..tasks::Stats::default()
        }
    }

    /// A thousand tasks a scope, all children of the first.
    fn facts(&self, polled: &[(u64, Time)]) -> Frame {
        let first = !self.told;
        let task = |id: u64| v1::Task {
            span_id: id,
            id,
            parent: (id > 1).then_some(1),
            scope: Some(id / 1_000 + 1),
            polls: self.polls[id as usize - 1],
            thread: Some(1),
            runtime: Some(1),
            ..v1::Task::default()
        };
        let timer = |id: u64, at: Time| v1::Timer {
            span_id: 1_000_000 + id,
            id,
            task: Some(id),
            created_at: Some(timestamp(START)),
            duration: Some(duration(self.period)),
            deadline: Some(timestamp(at + self.period)),
            ..v1::Timer::default()
        };
        let scope = |id: u64| v1::Scope {
            id,
            kind: "gather".to_owned(),
            task: Some(1),
            opened_at: Some(timestamp(START)),
            ..v1::Scope::default()
        };
        let new = (1..=self.tasks).filter(|_| first);
        let polled_ids = polled.iter().map(|(id, _)| *id).filter(|_| !first);
        self.probe(v1::Update {
            process: first.then(v1::Process::default),
            runtimes: vec![v1::Runtime {
                id: 1,
                flavor: "current-thread".to_owned(),
                workers: vec![v1::Worker {
                    thread: Some(1),
                    ..v1::Worker::default()
                }],
                ..v1::Runtime::default()
            }],
            tasks: new.chain(polled_ids).map(task).collect(),
            timers: polled.iter().map(|(id, at)| timer(*id, *at)).collect(),
            scopes: (1..=self.tasks / 1_000 + 1)
                .filter(|_| first)
                .map(scope)
                .collect(),
            threads: vec![v1::Thread {
                id: 1,
                name: "main".to_owned(),
                role: v1::ThreadRole::BlockOn.into(),
                ..v1::Thread::default()
            }],
            ..v1::Update::default()
        })
    }

    /// All lints of the tasks that were polled since the publish before.
    fn judge(&mut self) -> Duration {
        let from = self.now;
        self.now = self.now + INTERVAL;
        let polled = self.polled(from);
        let scene = Scene { model: &self.model };
        median(|| {
            for (id, _) in &polled {
                let task = self.model.tasks.by_tokio_id(*id).expect("a task");
                for kind in lint::Kind::ALL {
                    black_box(kind.lint().check(&Subject::Task(task), scene));
                }
            }
        })
    }

    fn metrics(&self) -> Duration {
        let mut prometheus = Prometheus::default();
        median(|| {
            black_box(prometheus.encode(&self.model));
        })
    }

    fn press(&mut self, code: KeyCode) {
        let action = self.state.action(KeyEvent::from(code));
        if let Some(action) = action {
            let _ = self.state.act(action, &self.model);
        }
    }

    /// Brings the state up to date, draws, and tells how long that took.
    fn picture(&mut self) -> Duration {
        let began = Instant::now();
        self.state.sync(&self.model);
        self.draw();
        began.elapsed()
    }

    /// How long pictures take once these keys were pressed, each after a publish.
    fn pictures_after(&mut self, keys: &str) -> Vec<Duration> {
        for key in keys.chars() {
            self.press(KeyCode::Char(key));
        }
        (0..21)
            .map(|_| {
                self.publish();
                self.picture()
            })
            .collect()
    }

    fn draw(&mut self) {
        let (model, state) = (&self.model, &self.state);
        self.terminal
            .draw(|frame| view::draw(frame, model, state))
            .expect("a picture");
    }
}

fn describe(id: u64) -> tasks::Task {
    let field = |name: &str, value| console::Field {
        name: Some(field::Name::StrName(name.to_owned())),
        value: Some(value),
        metadata_id: None,
    };
    tasks::Task {
        id: Some(console::Id { id }),
        kind: tasks::task::Kind::Spawn.into(),
        fields: vec![
            field("kind", field::Value::StrVal("task".to_owned())),
            field("task.name", field::Value::StrVal(format!("sleeper-{id}"))),
            field("task.id", field::Value::U64Val(id)),
        ],
        location: Some(console::Location {
            file: Some("src/main.rs".to_owned()),
            line: Some(7),
            ..console::Location::default()
        }),
        ..tasks::Task::default()
    }
}

fn timestamp(at: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: (at.as_nanos() / 1_000_000_000).cast_signed(),
        nanos: ((at.as_nanos() % 1_000_000_000) as u32).cast_signed(),
    }
}

fn duration(d: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: d.as_secs().cast_signed(),
        nanos: d.subsec_nanos().cast_signed(),
    }
}

/// Of this thread: what others do meanwhile is not in it.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Bytes in memory, by proc(5).
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.map(|l| l.trim().trim_end_matches("kB").trim());
    let kib: u64 = kib.and_then(|k| k.parse().ok()).expect("a size");
    kib * 1_024
}
