//! What other programs may rely on in an export of polls: each names its task, and a trace
//! keeps the rules by which its readers take it apart, for all stories in `tests/scenarios`.

mod support;

use std::{collections::BTreeMap, fs};

use loopview::{
    frame::{Event, Frame},
    model::{Model, lint::Kind},
    sink::{Check, Encoder, Outcome, Report, check, csv, text, trace::Trace},
};
use serde_json::Value;
use support::scenario::Scenario;

/// The name of every story, and what was told, by either protocol first, and with each list of
/// polls after the facts of its moment.
fn stories() -> impl Iterator<Item = (String, Scenario)> {
    fs::read_dir(Scenario::folder())
        .expect("the stories' folder")
        .flat_map(|entry| {
            let path = entry.expect("a story").path();
            let text = fs::read_to_string(&path).expect("a text");
            let title = text.lines().next().expect("a title");
            let turned = text.replacen(title, "first probe", 1);
            let name = path.file_name().expect("a name").to_string_lossy();
            let told = |text: &str| Scenario::parse(text).expect("a story");
            let mut late = told(&text);
            late.frames = with_late_polls(late.frames);
            [
                (name.to_string(), told(&text)),
                (format!("{name}, turned"), told(&turned)),
                (format!("{name}, polls late"), late),
            ]
        })
}

/// A thread may tell of a poll only when the next list is made.
fn with_late_polls(frames: Vec<Frame>) -> Vec<Frame> {
    let mut told = Vec::with_capacity(frames.len());
    let mut late = Vec::new();
    for frame in frames {
        match &frame.event {
            Event::Probe(update) if update.polls.is_some() && update.tasks.is_empty() => {
                late.push(frame);
            }
            Event::Probe(_) => {
                told.push(frame);
                told.append(&mut late);
            }
            _ => told.push(frame),
        }
    }
    told.append(&mut late);
    told
}

/// What an encoder makes of a story, or of what its last connection told, and the model at its end.
fn export(story: &Scenario, mut encoder: impl Encoder) -> (String, Model) {
    let mut model = Model::new(story.target.clone());
    let mut out = String::new();
    encoder.begin(&model, &mut out);
    let is_anew = |frame: &Frame| matches!(frame.event, Event::Anew);
    let first = story
        .frames
        .iter()
        .rposition(is_anew)
        .map_or(0, |at| at + 1);
    for frame in &story.frames[first..] {
        model.apply(frame);
        encoder.frame(frame, &model, &mut out);
    }
    encoder.end(&model, &mut out);
    (out, model)
}

/// Whole nanoseconds of a figure in microseconds.
fn nanos(figure: &Value) -> i64 {
    (figure.as_f64().expect("a number") * 1_000.0).round() as i64
}

/// A process and a thread of the trace.
type Line = (u64, u64);

fn line(event: &Value) -> Line {
    let number = |name: &str| event[name].as_u64().expect("a number");
    (number("pid"), number("tid"))
}

struct Slice {
    from: i64,
    /// None if it goes on.
    to: Option<i64>,
    name: String,
    task: Option<u64>,
}

/// A trace, as a reader has it: no two events share a line that do not belong together.
struct Read {
    events: Vec<Value>,
    slices: BTreeMap<Line, Vec<Slice>>,
}

impl Read {
    fn new(text: &str) -> Self {
        let mut trace: Value = serde_json::from_str(text).expect("JSON");
        let events = trace["traceEvents"].take();
        let Value::Array(events) = events else {
            panic!("no list of events: {events}");
        };
        let mut slices: BTreeMap<Line, Vec<Slice>> = BTreeMap::new();
        for event in &events {
            let from = nanos(&event["ts"]);
            let to = match event["ph"].as_str() {
                Some("X") => Some(from + nanos(&event["dur"])),
                Some("B") => None,
                _ => continue,
            };
            let name = event["name"].as_str().expect("a name").to_owned();
            let task = event["args"]["task"].as_u64();
            slices.entry(line(event)).or_default().push(Slice {
                from,
                to,
                name,
                task,
            });
        }
        for slices in slices.values_mut() {
            slices.sort_by_key(|slice| (slice.from, -slice.to.unwrap_or(i64::MAX)));
        }
        Self { events, slices }
    }

    fn of(&self, ph: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["ph"] == ph)
    }

    /// A slice of this line is going on.
    fn covers(&self, line: Line, at: i64) -> bool {
        let slices = self.slices.get(&line).map_or(&[][..], Vec::as_slice);
        let to = |slice: &Slice| slice.to.unwrap_or(i64::MAX);
        slices.iter().any(|s| s.from <= at && at < to(s))
    }
}

/// Slices of a line may hold others, but not overlap: a reader drops those that do.
fn assert_nested(name: &str, slices: &[Slice]) {
    let mut open: Vec<i64> = Vec::new();
    for slice in slices {
        open.retain(|end| *end > slice.from);
        let to = slice.to.unwrap_or(i64::MAX);
        assert!(
            open.iter().all(|end| to <= *end),
            "{name}: {} from {}",
            slice.name,
            slice.from
        );
        open.push(to);
    }
}

#[test]
fn each_poll_names_its_task() {
    let mut polls = 0;
    for (name, story) in stories() {
        let (table, model) = export(&story, csv::Polls::default());
        let rows = || table.lines().skip(1);
        for row in rows() {
            assert!(!row.starts_with(','), "{name}: {row}");
        }
        polls += rows().count();
        // The poll of a task is told when it has ended.
        let tasks = model.tasks.iter().filter(|task| task.kind.is_async());
        for task in tasks.filter(|_| model.process.is_some()) {
            let of_it = rows().filter(|row| row.starts_with(&format!("{},", task.id.0)));
            let going_on = u64::from(task.running_since().is_some());
            let told = of_it.count() as u64 + going_on;
            assert!(told <= task.polls(), "{name}: {}", task.label());
        }
    }
    assert!(polls > 100, "{polls}");
}

#[test]
fn the_table_of_tasks_has_those_of_the_report() {
    for (name, story) in stories() {
        let (table, model) = export(&story, csv::Tasks::default());
        let cells = table.lines().skip(1).map(|row| row.split(',').next());
        let mut ids: Vec<&str> = cells.map(|id| id.expect("an id")).collect();
        ids.sort_unstable();
        let report = Report::new(&model, Outcome::of(&model, false));
        let mut told: Vec<String> = report.tasks.iter().map(|t| t.id.to_string()).collect();
        told.sort_unstable();
        assert_eq!(ids, told, "{name}");
    }
}

#[test]
fn a_report_begins_with_the_worst_and_a_long_table_has_what_was_busiest() {
    let axum = "/home/me/.cargo/registry/src/index/axum-0.8.9/src/serve/mod.rs:389";
    let culprit = format!(
        "0ms spawn culprit sized 4096 at {axum}
         1ms poll culprit 150ms ends panicked\n"
    );
    let task =
        |n| format!("200ms spawn task-{n} at main.rs:7\n200ms poll task-{n} {n}us ends ok\n");
    let mut text: String = std::iter::once(culprit).chain((1..=45).map(task)).collect();
    text += "until 300ms\n";
    let model = Scenario::parse(&text).expect("a story").model();
    let report = text::encode(&Report::new(&model, Outcome::of(&model, false)));
    let found: Vec<&str> = report.lines().filter(|line| line.ends_with(']')).collect();
    assert_eq!(
        found,
        [
            "error: culprit blocked the event loop for 150 ms in one poll · axum/serve/mod.rs:389 \
             [blocked-loop]",
            "error: culprit panicked · axum/serve/mod.rs:389 [panicked-task]",
            "note: culprit has a future of 4096 bytes · axum/serve/mod.rs:389 [large-future]",
            "note: task-1 and its like never waited: 45 tasks were done in one poll each (45 times) \
             · main.rs:7 [needless-async]",
        ]
    );
    let mut rows = report.lines().skip_while(|line| !line.starts_with("task "));
    let first: Vec<&str> = rows.by_ref().skip(1).take(3).collect();
    for (row, name) in first.iter().zip(["culprit", "task-45", "task-44"]) {
        assert!(row.starts_with(name), "{row}");
    }
    assert!(first[0].ends_with(" axum/serve/mod.rs:389"), "{}", first[0]);
    let rest = rows.find(|line| line.starts_with('…'));
    assert_eq!(
        rest,
        Some("… the 40 busiest of 46; --format json has them all")
    );
}

#[test]
fn a_check_tells_of_what_is_denied_and_then_of_the_worst() {
    let story = "0ms spawn culprit sized 4096\n1ms poll culprit 150ms ends panicked\n\
                 160ms spawn slow\n160ms poll slow 20ms ends ok\nuntil 200ms";
    let model = Scenario::parse(story).expect("a story").model();
    let report = Report::new(&model, Outcome::of(&model, false));
    let told = check::text(&Check::new(report, &[Kind::LongPoll].into()));
    let lints: Vec<&str> = told.lines().filter_map(|l| l.split(':').next()).collect();
    assert_eq!(
        lints,
        [
            "denied long-poll",
            "found blocked-loop",
            "found panicked-task",
            "found large-future",
            "story"
        ]
    );
}

#[test]
fn no_line_of_a_trace_is_taken_for_another() {
    for (name, story) in stories() {
        let (text, _) = export(&story, Trace::default());
        let trace = Read::new(&text);
        for event in &trace.events {
            let (pid, tid) = line(event);
            let is_global = event["ph"] == "C" || event["s"] == "g";
            let of_process = event["name"]
                .as_str()
                .is_some_and(|name| name.starts_with("process_"));
            assert_ne!(tid, 0, "{name}: {event}");
            assert_eq!(tid == pid, is_global || of_process, "{name}: {event}");
        }
        for ((pid, _), slices) in &trace.slices {
            assert_nested(&name, slices);
            // No task does two things at once.
            let pairs = slices.windows(2).filter(|_| *pid == 2);
            for pair in pairs {
                let (before, after) = (&pair[0], &pair[1]);
                assert!(before.to <= Some(after.from), "{name}: {}", after.name);
            }
        }
    }
}

#[test]
fn an_arrow_of_a_trace_leads_from_slice_to_slice() {
    for (name, story) in stories() {
        let (text, _) = export(&story, Trace::default());
        let trace = Read::new(&text);
        for end in trace.of("s").chain(trace.of("f")) {
            let at = nanos(&end["ts"]);
            assert!(trace.covers(line(end), at), "{name}: {end}");
        }
    }
}

/// A wake in a poll, one in a call, and a poll and a call that go on.
const STORY: &str = "\
target wakes program
0ms    block_on main at main.rs:3
0ms    poll main 10ms
1ms    spawn a by main
1ms    spawn b by main
11ms   poll b 1ms
12ms   poll a 1ms
12.5ms call hash by a at hash.rs:9
14ms   run hash 10ms
23ms   wake a by hash
30ms   poll a 10ms
35ms   wake b by a
45ms   poll b 10ms
60ms   wake b
60ms   poll b
60ms   call other by b at hash.rs:10
61ms   poll other
until 200ms
";

#[test]
fn a_trace_has_wakes_calls_and_what_goes_on() {
    let story = Scenario::parse(STORY).expect("a story");
    let (text, _) = export(&story, Trace::default());
    let trace = Read::new(&text);
    let named = |at: Line| {
        let mut names = trace.of("M").filter(|e| e["name"] == "thread_name");
        let name = names.find(|event| line(event) == at).expect("a name");
        name["args"]["name"].as_str().expect("text")
    };
    let ends = |ph: &str| -> Vec<(&str, i64)> {
        let ends = trace
            .of(ph)
            .map(|end| (named(line(end)), nanos(&end["ts"])));
        ends.collect()
    };
    let ms = |ms: i64| ms * 1_000_000;
    assert_eq!(ends("s"), [("hash", ms(23)), ("a", ms(35))]);
    assert_eq!(ends("f"), [("a", ms(30)), ("b", ms(45))]);

    let slices = |cat: &str| -> Vec<(&str, i64, Option<i64>)> {
        let fits = trace.events.iter().filter(|event| event["cat"] == cat);
        let slices = fits.filter(|event| event["ph"] == "X" || event["ph"] == "B");
        slices
            .map(|event| {
                let dur = event.get("dur").map(nanos);
                (
                    event["name"].as_str().expect("a name"),
                    nanos(&event["ts"]),
                    dur,
                )
            })
            .collect()
    };
    assert_eq!(
        slices("call"),
        [("hash", ms(14), Some(ms(10))), ("hash", ms(61), None)]
    );
    assert_eq!(
        slices("poll"),
        [
            ("block_on", ms(0), Some(ms(10))),
            ("b", ms(11), Some(ms(1))),
            ("a", ms(12), Some(ms(1))),
            ("a", ms(30), Some(ms(10))),
            ("b", ms(45), Some(ms(10))),
            ("b", ms(60), None),
        ]
    );
    let mut of_hash = trace.slices.iter().filter(|(at, _)| named(**at) == "hash");
    // The second goes on.
    let (_, of_hash) = of_hash.next().expect("its slices");
    let of_hash: Vec<&str> = of_hash.iter().map(|slice| &*slice.name).collect();
    assert_eq!(of_hash, ["ready", "running"]);
}

/// What a task did before it was watched is not drawn, nor is sleep taken for delay.
#[test]
fn no_task_of_a_trace_is_ready_for_longer_than_it_was() {
    // There the console protocol never tells the end of a task, and so not its last delay.
    let told = stories().filter(|(name, _)| !name.starts_with("span-reuse"));
    for (name, story) in told {
        let (text, model) = export(&story, Trace::default());
        let trace = Read::new(&text);
        for task in model.tasks.iter() {
            let slices = trace.slices.get(&(2, task.id.0 + 10));
            let ready = slices.into_iter().flatten().filter(|s| s.name == "ready");
            let drawn: i64 = ready.map(|s| s.to.expect("an end") - s.from).sum();
            if let Some(told) = task.ready(model.now) {
                let label = task.label();
                assert!(drawn <= told.as_nanos() as i64, "{name}: {label}, {drawn}");
            }
        }
    }
}

#[test]
fn what_a_task_did_before_it_was_watched_is_not_drawn() {
    let story = "\
target late program
watched from 500ms
0ms   block_on main at main.rs:3
0ms   poll main 10ms
1ms   spawn gone by main
11ms  poll gone 1ms
100ms wake gone
101ms poll gone 1ms ends ok
until 600ms
";
    let mut story = Scenario::parse(story).expect("a story");
    // Nobody wanted them then.
    let is_polls = |event: &Event| matches!(event, Event::Probe(told) if told.polls.is_some());
    story.frames.retain(|frame| !is_polls(&frame.event));
    let (text, model) = export(&story, Trace::default());
    let mut known = model.tasks.iter().map(|task| task.label());
    assert!(known.any(|label| label == "gone"));
    let slices = Read::new(&text).slices;
    let mut slices = slices.values().flatten();
    assert!(slices.all(|slice| slice.name == "idle"), "{text}");
}

#[test]
fn threads_and_tasks_of_a_trace_tell_the_same_polls() {
    let mut polls = 0;
    for (name, story) in stories() {
        let (text, model) = export(&story, Trace::default());
        let trace = Read::new(&text);
        let named = |what: &str| -> Vec<Line> {
            let fits = |event: &&Value| event["name"] == what;
            trace.of("M").filter(fits).map(line).collect()
        };
        let mut by_thread: Vec<(u64, i64, i64)> = Vec::new();
        let mut by_task = by_thread.clone();
        for (line, slices) in &trace.slices {
            assert!(named("thread_name").contains(line), "{name}: {line:?}");
            for slice in slices {
                // One that goes on is drawn up to the last that was told.
                let to = slice.to.unwrap_or_else(|| {
                    let start = model.started.expect("a start");
                    model.now.since(start).as_nanos() as i64
                });
                let poll = |task: u64| (task, slice.from, to);
                match slice.task {
                    Some(task) => by_thread.push(poll(task + 10)),
                    None if slice.name == "running" && model.process.is_some() => {
                        by_task.push(poll(line.1));
                    }
                    None => {}
                }
            }
        }
        by_thread.sort_unstable();
        by_task.sort_unstable();
        assert_eq!(by_thread, by_task, "{name}\n{text}");
        polls += by_task.len();
    }
    assert!(polls > 100, "{polls}");
}
