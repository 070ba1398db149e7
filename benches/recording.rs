//! What recordings cost: `cargo bench --bench recording`.
//!
//! - bytes for a poll, and the CPU of a core that it takes to keep one, at 100,000 polls a
//!   second: of a real program with 500 tasks that yield again and again, as fast as it goes;
//! - bytes for a live task in a second: of a real program with 100 tasks, which each sleep 0.1
//!   to 0.3 s again and again, every poll included;
//! - the time to open a recording of 1 GB, and to go to a random moment of it. Its polls are
//!   made up, and as good as random. It is written to the folder for temporary files, and
//!   removed.
//!
//! The programs that are watched are this benchmark itself, started with a marker.

use std::{
    fs,
    path::Path,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use loopview::{
    frame::{Event, Frame, Target, TargetKind, Time},
    model::{Model, lint::Thresholds},
    recording::{self, Goal, History, Journal, Limits, Writer},
    target::{Launch, launch},
};
use loopview_api::v1;

/// The arguments by which the benchmark knows which program that is watched it is.
const SLEEPY: &str = "--be-the-sleepy-target";
const BUSY: &str = "--be-the-busy-target";
const TASKS: u64 = 100;
const BUSY_TASKS: u64 = 500;
const WATCHED: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(50);
const POLLS_A_SECOND: u64 = 100_000;
const START: u64 = 1_700_000_000_000_000_000;
const GIGABYTE: u64 = 1_000_000_000;
const SEEKS: usize = 41;

fn main() {
    if let Some(which) = std::env::args().find(|arg| [SLEEPY, BUSY].contains(&arg.as_str())) {
        return target(which == BUSY);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let row = |what: &str, figure: String, aim: &str| println!("{what:<48} {figure:>10} {aim:>10}");
    row("", "measured".to_owned(), "aim");

    let (bytes, cpu) = polls(folder.path());
    row(
        "bytes a poll, at 100,000 a second",
        format!("{bytes:.2} B"),
        "6 B",
    );
    row("CPU of a core for that", format!("{cpu:.2} %"), "5 %");

    let each = live(folder.path());
    row("bytes a second for a live task", format!("{each:.0} B"), "");

    let path = folder.path().join("gigabyte.lv");
    let took = large(&path);
    row(
        "to write 1 GB as fast as possible",
        format!("{:.1} s", took.as_secs_f64()),
        "",
    );
    let began = Instant::now();
    let history = recording::open(&path).expect("a recording").history;
    row("to open it", ms(began.elapsed()), "1000 ms");
    let mut seeks = seeks(&history);
    seeks.sort_unstable();
    row(
        "to go to a moment of it, CPU, median",
        ms(seeks[SEEKS / 2]),
        "100 ms",
    );
    row("the same, longest", ms(seeks[SEEKS - 1]), "100 ms");
}

fn ms(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1_000.0)
}

fn any_target() -> Target {
    Target {
        name: "made up".to_owned(),
        kind: TargetKind::Program,
    }
}

/// Numbers as good as random, the same in each run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// Mostly little, at times much more.
    fn time(&mut self, usual: u64) -> u64 {
        let scale = 1 << self.below(4);
        usual / 4 + self.below(usual * scale / 2)
    }
}

/// What the probe tells of an interval.
fn update(number: u64, noise: &mut Noise) -> Frame {
    let count = POLLS_A_SECOND * INTERVAL.as_millis() as u64 / 1_000;
    let from = START + number * INTERVAL.as_nanos() as u64;
    let mut polls = v1::Polls {
        since: Some(timestamp(from)),
        ..v1::Polls::default()
    };
    let step = INTERVAL.as_nanos() as u64 / count;
    for _ in 0..count {
        polls.task.push(1 + noise.below(1_000));
        polls.thread.push(1 + noise.below(2) as u32);
        polls
            .started
            .push((step / 2 + noise.below(step)).cast_signed());
        polls.lasted.push(noise.time(step / 2));
        polls.woken.push(1 + noise.time(step));
        let by_task = noise.below(2) == 0;
        polls
            .woken_by
            .push(if by_task { 1 + noise.below(1_000) } else { 0 });
    }
    let now = from + INTERVAL.as_nanos() as u64;
    let update = v1::Update {
        now: Some(timestamp(now)),
        polls: Some(polls),
        ..v1::Update::default()
    };
    Frame::new(Time::from_nanos(now), Event::Probe(Box::new(update)))
}

fn timestamp(nanos: u64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: (nanos / 1_000_000_000).cast_signed(),
        nanos: (nanos % 1_000_000_000) as i32,
    }
}

/// A recording that is written on this thread.
struct Tape {
    history: History,
    writer: Writer,
    model: Model,
}

impl Tape {
    fn new(path: &Path) -> Self {
        // Nothing is kept in memory.
        let limits = Limits {
            memory: 0,
            total: 0,
        };
        Self {
            history: History::new(Journal::new(any_target(), Thresholds::default(), limits)),
            writer: Writer::create(path, &Model::new(any_target())).expect("a file"),
            model: Model::new(any_target()).for_keyframes(),
        }
    }

    fn take(&mut self, frame: &Frame) {
        self.model.apply(frame);
        let sealed = self.history.append(frame).expect("room");
        if let Some(chunk) = sealed {
            self.writer.write(&chunk).expect("room");
        }
        if self.history.wants_keyframe() {
            if let Some(chunk) = self.history.seal().expect("room") {
                self.writer.write(&chunk).expect("room");
            }
            let keyframe = self.history.keyframe(&self.model).expect("a keyframe");
            self.writer.write(&keyframe).expect("room");
        }
    }

    fn close(self) -> u64 {
        if let Some(chunk) = self.history.seal().expect("room") {
            let mut writer = self.writer;
            writer.write(&chunk).expect("room");
            return writer.close().expect("room");
        }
        self.writer.close().expect("room")
    }
}

/// Bytes for a poll, and the share of a core that it takes to record 100,000 a second, with
/// the model that is made for keyframes.
fn polls(folder: &Path) -> (f64, f64) {
    let frames = watch(BUSY);
    let told = frames.iter().filter_map(|frame| match &frame.event {
        Event::Probe(update) => Some(update.polls.as_ref()?.task.len()),
        _ => None,
    });
    let polls = told.sum::<usize>() as f64;
    let mut tape = Tape::new(&folder.join("polls.lv"));
    let began = cpu();
    for frame in &frames {
        tape.take(frame);
    }
    let took = cpu().saturating_sub(began);
    let bytes = tape.close();
    let share = took.as_secs_f64() / polls * POLLS_A_SECOND as f64 * 100.0;
    (bytes as f64 / polls, share)
}

/// What this thread has used of a processor.
fn cpu() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = told.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}

/// Bytes for each live task in a second.
fn live(folder: &Path) -> f64 {
    let frames = watch(SLEEPY);
    let mut tape = Tape::new(&folder.join("live.lv"));
    for frame in &frames {
        tape.take(frame);
    }
    let seconds = tape.model.elapsed().as_secs_f64();
    tape.close() as f64 / seconds / TASKS as f64
}

/// All that is told of a program.
fn watch(which: &str) -> Vec<Frame> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let what = Launch {
            program: std::env::current_exe().expect("this program").into(),
            args: vec![which.into()],
            has_probe: true,
        };
        let mut source = launch(&what).expect("the program starts");
        let mut frames = Vec::new();
        while let Some(frame) = source.frames.recv().await {
            frames.push(frame);
        }
        frames
    })
}

/// Writes the recording, and tells how long that took.
fn large(path: &Path) -> Duration {
    let mut noise = Noise(0xDEAD_BEEF);
    let mut tape = Tape::new(path);
    let began = Instant::now();
    for number in 0.. {
        tape.take(&update(number, &mut noise));
        if tape.writer.written() >= GIGABYTE {
            break;
        }
    }
    tape.close();
    let took = began.elapsed();
    let bytes = fs::metadata(path).expect("a file").len();
    assert!(bytes >= GIGABYTE, "{bytes}");
    took
}

fn seeks(history: &History) -> Vec<Duration> {
    let (first, last) = history.range().expect("frames");
    let length = last.since(first).as_nanos() as u64;
    let mut noise = Noise(0xC0FF_EE00);
    (0..SEEKS)
        .map(|_| {
            let goal = Goal::Time(first + Duration::from_nanos(noise.below(length)));
            let began = cpu();
            let found = history.seek(goal, &AtomicBool::new(false));
            assert!(found.expect("sound").is_some());
            cpu().saturating_sub(began)
        })
        .collect()
}

/// The program that is watched.
fn target(busy: bool) {
    loopview_probe::init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for number in 0..if busy { BUSY_TASKS } else { TASKS } {
            let nap = Duration::from_millis(100 + number * 2);
            tokio::spawn(async move {
                loop {
                    if busy {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(nap).await;
                    }
                }
            });
        }
        tokio::time::sleep(WATCHED).await;
    });
}
