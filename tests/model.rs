//! The model, fed with what programs tell. The stories are in `tests/scenarios`; what is
//! to hold is written between their lines.

mod support;

use std::{fmt::Write, fs, time::Duration};

use loopview::{
    frame::{Event, Frame, Target, TargetKind, Time},
    model::{
        Model, Strip, Task, TaskId,
        lint::Kind,
        timeline::{Doing, Grid},
    },
    sink::{self, Check, Outcome, Report},
};
use loopview_api::v1;
use proptest::{prelude::*, sample::Index};
use support::{
    chaos, expect,
    scenario::{START, Scenario},
};

/// The name and the text of every story.
fn stories() -> impl Iterator<Item = (String, String)> {
    fs::read_dir(Scenario::folder())
        .expect("the stories' folder")
        .map(|entry| {
            let path = entry.expect("a story").path();
            let text = fs::read_to_string(&path).expect("a text");
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), text)
        })
}

fn told(text: &str) -> Scenario {
    Scenario::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn check(stories: impl Iterator<Item = (String, String)>) {
    let mut failed = Vec::new();
    for (name, text) in stories {
        match Scenario::parse(&text) {
            Ok(scenario) => {
                let failures = expect::failures(&scenario);
                failed.extend(failures.iter().map(|f| format!("{name}, {f}")));
            }
            Err(error) => failed.push(format!("{name}, {error}")),
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn what_the_stories_expect_holds() {
    check(stories());
}

/// Leaves out what tells one task from another: numbers go on.
fn without_numbers(report: &mut serde_json::Value) {
    match report {
        serde_json::Value::Object(fields) => {
            for number in ["id", "task", "parent", "children", "wakers"] {
                fields.remove(number);
            }
            fields.values_mut().for_each(without_numbers);
        }
        serde_json::Value::Array(rows) => rows.iter_mut().for_each(without_numbers),
        _ => {}
    }
}

/// Whoever answers: nothing of what was told before is counted again, or lives on.
#[test]
fn after_a_new_connection_only_what_is_told_by_it_is_known() {
    let stories: Vec<Scenario> = stories().map(|(_, text)| told(&text)).collect();
    let report = |model: &Model| {
        let report = Report::new(model, Outcome::of(model, false));
        let text = sink::json::encode(&report);
        let mut report = serde_json::from_str(&text).expect("it is JSON");
        without_numbers(&mut report);
        report
    };
    for (before, after) in stories.iter().zip(stories.iter().cycle().skip(1)) {
        let first = before.model();
        let mut model = first.clone();
        model.target = after.target.clone();
        let anew = Frame::new(Time::now(), Event::Anew);
        for frame in std::iter::once(&anew).chain(&after.frames) {
            model.apply(frame);
        }
        look_at(&model);
        let alone = after.model();
        let connections = first.connection + 1 + alone.connection;
        assert_eq!(model.connection, connections);
        let last = first.tasks.iter().map(|task| task.id).max();
        assert!(model.tasks.iter().all(|task| Some(task.id) > last));
        assert_eq!(model.lost.gaps, first.lost.gaps + alone.lost.gaps);
        model.lost.gaps = alone.lost.gaps;
        model.lost.frames = alone.lost.frames;
        assert_eq!(report(&model), report(&alone));
    }
}

/// The two protocols are two streams: either may be ahead.
#[test]
fn the_order_of_the_two_protocols_does_not_matter() {
    check(stories().map(|(name, text)| {
        let title = text.lines().next().expect("a title");
        let turned = text.replacen(title, "first probe", 1);
        (name, turned)
    }));
}

#[test]
fn an_error_in_a_story_names_its_line() {
    let error = |text: &str| Scenario::parse(text).expect_err("it is wrong");
    assert_eq!(
        error("0ms spawn a\n\n1ms poll b"),
        "line 3: no task is called `b`"
    );
    assert_eq!(
        error("2ms spawn a\n1ms poll a 1ms"),
        "line 2: time goes back"
    );
    assert_eq!(
        error("0ms spawn a\n0ms sleep a 1s"),
        "line 2: `a` is not being polled"
    );
    let wrong = told("0ms spawn a\n50ms expect a polls 1");
    let failed = expect::failures(&wrong);
    assert_eq!(failed, ["line 2: expect a polls 1: polls is 0"]);
}

#[test]
fn the_oldest_finished_tasks_are_forgotten() {
    let mut story = "0ms spawn keeper\n0ms poll keeper 1s\n".to_owned();
    for number in 0..20_100 {
        writeln!(
            story,
            "1ms spawn t{number} by keeper\n1ms poll t{number} 0 ends ok"
        )
        .expect("memory");
    }
    let model = told(&story).model();
    assert_eq!(model.tasks.spawned(), 20_101);
    assert_eq!(model.tasks.live(), 1);
    assert_eq!(model.tasks.len(), 20_001);
    assert_eq!(model.lost.forgotten, 100);
    assert!(
        model.tasks.by_tokio_id(1).is_some(),
        "the live one is the oldest"
    );
    assert!(model.tasks.by_tokio_id(2).is_none());
}

#[test]
fn details_are_histograms() {
    let story = "
        0ms    spawn t
        1ms    poll t 2ms
        10ms   wake t
        14ms   poll t 2s
        2020ms details t
    ";
    let details = told(story).model().details.expect("details");
    let (least, most) = details.polls.range();
    assert_eq!(details.polls.count(), 2);
    assert!(least.abs_diff(Duration::from_millis(2)) < Duration::from_micros(20));
    assert_eq!(most, Duration::from_secs(2), "an outlier");
    assert_eq!(details.polls.outliers, 1);
    assert_eq!(details.polls.log_buckets(4), [1, 0, 0, 1]);
    let scheduled = details.scheduled.expect("scheduled times");
    assert_eq!(scheduled.count(), 1);
    assert!(scheduled.at(0.5).abs_diff(Duration::from_millis(4)) < Duration::from_micros(50));
}

/// What a task went through, as the story has it.
#[derive(Debug, Default)]
struct Truth {
    created: u64,
    ended: Option<u64>,
    /// Aborted: what it waited for in its last moments is not always to be known.
    aborted: bool,
    ready_since: Option<u64>,
    polls: u64,
    wakes: u64,
    busy: u64,
    ready: u64,
    longest: u64,
}

/// A story of one thread that polls one task after the other, and what is true of each;
/// times are in microseconds.
fn random_story(steps: &[(u8, Index, u64, u64)], settings: &str) -> (String, Vec<Truth>) {
    let mut story = settings.to_owned();
    let mut tasks: Vec<Truth> = Vec::new();
    let mut now = 0;
    let mut tell = |now: u64, what: String| {
        writeln!(story, "{now}us {what}").expect("memory");
    };
    for (what, who, pause, length) in steps {
        now += pause;
        let alive: Vec<usize> = (0..tasks.len())
            .filter(|t| tasks[*t].ended.is_none())
            .collect();
        if *what == 0 || alive.is_empty() {
            tell(now, format!("spawn t{}", tasks.len()));
            tasks.push(Truth {
                created: now,
                ready_since: Some(now),
                ..Truth::default()
            });
            continue;
        }
        let who = *who.get(&alive);
        let task = &mut tasks[who];
        match what {
            // Nobody has a waker of a task that was never polled; and of two wakes in a
            // row, the target tells the second, which is not when the wait began.
            1 | 2 => {
                if task.polls > 0 && task.ready_since.is_none() {
                    tell(now, format!("wake t{who}"));
                    task.wakes += 1;
                    task.ready_since = Some(now);
                }
            }
            3 => {
                tell(now, format!("drop t{who}"));
                task.ready += task.ready_since.take().map_or(0, |since| now - since);
                (task.ended, task.aborted) = (Some(now), true);
            }
            _ => {
                let Some(since) = task.ready_since.take() else {
                    continue;
                };
                let ends = *what == 4;
                let ending = if ends { " ends ok" } else { "" };
                tell(now, format!("poll t{who} {length}us{ending}"));
                if *what == 5 {
                    tell(now + length / 2, format!("wake t{who} itself"));
                    task.wakes += 1;
                    task.ready_since = Some(now + length);
                }
                task.polls += 1;
                task.ready += now - since;
                task.busy += length;
                task.longest = task.longest.max(*length);
                now += length;
                task.ended = ends.then_some(now);
            }
        }
        // What ends at one time and begins at the same is told apart by it.
        now += 1;
    }
    writeln!(story, "until {now}us").expect("memory");
    (story, tasks)
}

/// Reads all that a view may read.
fn look_at(model: &Model) {
    let now = model.now;
    for task in model.tasks.iter() {
        model.state(task);
        model.wait(task);
        model.why(task);
        model.chain(task);
        task.label();
        task.history.cells(now, 60, Strip::BUCKET * 2);
        task.longest_poll(now);
        task.wakers();
        look_at_lane(model, task.id);
    }
    for resource in model.resources.iter() {
        model.resources.holders(resource.span);
        model.resources.waiters(resource.span).count();
    }
    let timeline = &model.timeline;
    for thread in timeline.threads() {
        timeline.thread(thread, &Grid::new(now - SECOND, SECOND / 7, 9), now);
        timeline.thread_poll_at(thread, now - SECOND);
    }
    timeline
        .long_before(now)
        .chain(timeline.long_after(now))
        .count();
    for timer in model.timers.iter() {
        timer.state();
        timer.overdue(now);
        timer.remaining(now);
    }
    for runtime in model.runtimes.iter() {
        model.busy_ratio();
        runtime.polls();
        runtime.parks();
        runtime.steals();
    }
    model.blocked();
    model.elapsed();
    model.busy.cells(now, 60, Strip::BUCKET);
    model.lints.iter().count();
    if let Some(details) = &model.details {
        details.polls.at(0.99);
        details.polls.range();
        details.polls.log_buckets(20);
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// In cells of any width, a task did one thing at each time of its life.
fn look_at_lane(model: &Model, id: TaskId) {
    let (now, timeline) = (model.now, &model.timeline);
    for cell in [Duration::from_millis(3), SECOND, Duration::MAX] {
        let grid = Grid::new(now - SECOND * 20, cell, 30);
        for cell in timeline.task(id, &grid, now).unwrap_or_default() {
            assert!(cell.spent.total() <= grid.cell().as_nanos() as u64);
            cell.run();
        }
    }
    timeline.task_at(id, now - SECOND, now);
    let before = timeline.poll_before(id, now);
    if let Some(poll) = before.or(timeline.poll_after(id, Time::default())) {
        timeline.poll_at(id, poll.started());
        timeline.woken_in(id, &poll, 3);
    }
}

/// The timeline's sums are the truth: every poll, every wait for one, and no time twice.
fn lane_is_true(model: &Model, task: &Task, truth: &Truth) {
    let life = Grid::new(task.created, Duration::from_secs(3_600), 1);
    let cells = model.timeline.task(task.id, &life, model.now);
    let spent = cells.expect("its life is told")[0].spent;
    let now = (model.now.since(START)).as_micros() as u64;
    let micros = |doing| spent.nanos(doing) / 1_000;
    assert_eq!(micros(Doing::Running), truth.busy, "{truth:?}");
    let waits = truth.ready_since.filter(|_| truth.ended.is_none());
    let waits = waits.map_or(0, |since| now - since);
    // What an aborted task waited for last is not told.
    let ready = micros(Doing::Ready);
    let is_told = ready == truth.ready + waits || truth.aborted && ready <= truth.ready;
    assert!(is_told, "{ready} of {truth:?}");
    let lived = truth.ended.unwrap_or(now) - truth.created;
    assert_eq!(spent.total() / 1_000, lived, "{truth:?}");
}

fn sums_hold(model: &Model) {
    let now = model.now;
    for task in model.tasks.iter() {
        let parts = task.busy(now) + task.ready(now).unwrap_or_default() + task.idle(now);
        let total = task.total(now);
        assert!(parts <= total, "{parts:?} of {total:?}: {task:?}");
    }
    assert!(model.tasks.live() as u64 <= model.tasks.spawned());
}

fn applied(frames: &[Frame], after_each: impl Fn(&Model)) -> Model {
    let target = Target {
        name: "chaos".to_owned(),
        kind: TargetKind::Program,
    };
    let mut model = Model::new(target);
    for frame in frames {
        model.apply(frame);
        after_each(&model);
    }
    model
}

proptest! {
    // A failure prints its smallest case, which then becomes a story.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_stories_are_told_truly(
        steps in prop::collection::vec((0..9u8, any::<Index>(), 0..40_000u64, 2..90_000u64), 1..60),
        settings in prop::sample::select(vec![
            "publish 50ms\n",
            "publish 7ms\n",
            "publish 1s\n",
            "publish 50ms\nfirst probe\n",
            "publish 50ms\ninstrument console-subscriber\n",
            "publish 1s\ninstrument console-subscriber\n",
        ]),
    ) {
        let (story, truth) = random_story(&steps, settings);
        let scenario = told(&story);
        applied(&scenario.frames, sums_hold);
        let model = scenario.model();
        let window = if settings.contains("1s") { 1_000_000 } else { 50_000 };
        for (number, truth) in truth.iter().enumerate() {
            let task = model.tasks.by_tokio_id(number as u64 + 1).expect("a task");
            let us = |d: Duration| d.as_micros() as u64;
            let till = us(model.now.since(support::scenario::START));
            let waiting = truth.ready_since.filter(|_| truth.ended.is_none());
            let ready = truth.ready + waiting.map_or(0, |since| till - since);
            let total = truth.ended.unwrap_or(till) - truth.created;
            prop_assert_eq!(us(task.total(model.now)), total);
            prop_assert_eq!(us(task.busy(model.now)), truth.busy);
            prop_assert_eq!(task.polls(), truth.polls);
            prop_assert_eq!(task.wakes, truth.wakes);
            let told = us(task.ready(model.now).expect("it is known"));
            if truth.aborted {
                prop_assert!(ready <= told && told <= ready + window, "{} for {}", told, ready);
            } else {
                prop_assert_eq!(told, ready);
                prop_assert_eq!(us(task.idle(model.now)), total - truth.busy - ready);
            }
            if !settings.contains("console-subscriber") {
                lane_is_true(&model, task, truth);
            }
            let (longest, exact) = task.longest_poll(model.now);
            prop_assert!(us(longest) <= truth.longest);
            prop_assert!(!exact || us(longest) == truth.longest);
        }
    }

    #[test]
    fn nothing_that_is_sent_can_break_it(frames in chaos::frames()) {
        let model = applied(&frames, look_at);
        prop_assert!(model.tasks.live() as u64 <= model.tasks.spawned());
        prop_assert!(model.tasks.len() <= 60, "five tasks in each of twelve frames");
        prop_assert!(model.timers.iter().count() <= 120);
    }
}

fn probe_says(at: u64, update: v1::Update) -> Frame {
    Frame::new(Time::from_nanos(at), Event::Probe(Box::new(update)))
}

fn uses(cpu_ms: i32, memory: Option<u64>) -> v1::Update {
    v1::Update {
        usage: Some(v1::Usage {
            cpu: Some(prost_types::Duration {
                seconds: 0,
                nanos: cpu_ms * 1_000_000,
            }),
            memory,
        }),
        ..v1::Update::default()
    }
}

#[test]
fn the_processor_is_used_as_much_as_time_went_by() {
    const SECOND: u64 = 1_000_000_000;
    let mut model = Model::new(Target {
        name: "any".into(),
        kind: TargetKind::Attached,
    });
    assert_eq!((model.usage.cpu_ratio, model.usage.memory), (None, None));
    model.apply(&probe_says(SECOND, uses(100, Some(7))));
    assert_eq!(model.usage.cpu_ratio, None, "one figure is no rate");
    model.apply(&probe_says(SECOND * 2, uses(350, None)));
    assert_eq!(model.usage.cpu_ratio, Some(0.25));
    assert_eq!(model.usage.memory, None, "unknown is not what it was");
    // The same update again, as after a reconnection, divides by nothing.
    model.apply(&probe_says(SECOND * 2, uses(350, Some(9))));
    assert_eq!(model.usage.cpu_ratio, Some(0.25));
}

#[test]
fn what_the_probe_could_not_tell_us_is_lost() {
    let mut model = Model::new(Target {
        name: "any".into(),
        kind: TargetKind::Attached,
    });
    for at in 1..=2 {
        let missed = v1::Missed {
            tasks: 5,
            resources: 30,
            scopes: 200,
        };
        let update = v1::Update {
            missed: Some(missed),
            ..v1::Update::default()
        };
        model.apply(&probe_says(at, update));
    }
    assert_eq!(model.lost.events, 470);
    let lint = model.lints.iter().next().expect("it is a warning");
    assert_eq!(lint.kind, Kind::LostData);
}

#[test]
fn a_filter_that_blinds_the_probe_is_said() {
    let mut model = Model::new(Target {
        name: "any".into(),
        kind: TargetKind::Attached,
    });
    let overhead = v1::Overhead {
        filtered: true,
        ..v1::Overhead::default()
    };
    for at in 1..=2 {
        let update = v1::Update {
            overhead: Some(overhead),
            ..v1::Update::default()
        };
        model.apply(&probe_says(at, update));
    }
    let lint = model.lints.iter().next().expect("it is a warning");
    assert_eq!(lint.kind.name(), "lost-data");
    assert!(lint.message.contains("filter"), "{}", lint.message);
}

/// To who lags, the polls that it lost are told with whatever else comes next.
#[test]
fn facts_that_come_with_polls_are_taken_in() {
    let story = told(
        "target any workload\n\
         0ms spawn A\n\
         1ms poll A 1ms\n\
         1ms sleep A 50ms as nap\n\
         until 40ms",
    );
    let mut model = story.model();
    let timer = model.timers.iter().next().expect("it sleeps");
    assert!(timer.is_live());
    let id = timer.id;
    let update = v1::Update {
        polls: Some(v1::Polls {
            lost: 7,
            ..v1::Polls::default()
        }),
        timers: vec![v1::Timer {
            id: id.0,
            dropped_at: Some(prost_types::Timestamp {
                seconds: (model.now.as_nanos() / 1_000_000_000).cast_signed(),
                nanos: 0,
            }),
            ..v1::Timer::default()
        }],
        ..v1::Update::default()
    };
    model.apply(&probe_says(model.now.as_nanos() + 1_000_000, update));
    let timer = model.timers.iter().find(|timer| timer.id == id);
    assert!(!timer.expect("it is kept").is_live());
}

/// Who attaches late, or lags, is not told of each.
#[test]
fn tasks_of_which_nothing_is_told_are_counted() {
    let story = told(
        "target late workload\n\
         0ms spawn A\n\
         1ms poll A 1ms\n\
         until 100ms",
    );
    let mut model = story.model();
    assert_eq!(model.tasks.spawned(), 1);
    let overhead = v1::Overhead {
        recorded_tasks: 1_000_000,
        ..v1::Overhead::default()
    };
    let update = v1::Update {
        overhead: Some(overhead),
        ..v1::Update::default()
    };
    model.apply(&probe_says(model.now.as_nanos(), update));
    assert_eq!(model.tasks.spawned(), 1_000_000);
    assert_eq!(model.tasks.live(), 1);
}

#[test]
fn polls_are_of_the_lines_at_which_they_start() {
    let story = told(
        "target places workload\n\
         0ms spawn A at a.rs:1\n\
         1ms poll A 2ms\n\
         2ms sleep A 100ms at a.rs:2\n\
         104ms fire A\n\
         104ms poll A 3ms\n\
         106ms sleep A 500ms at a.rs:2\n\
         200ms wake A\n\
         200ms poll A 1ms\n\
         210ms wake A\n\
         210ms poll A 1ms\n\
         until 400ms",
    );
    let model = story.model();
    let places: Vec<_> = model.places.of_file("a.rs").collect();
    let ms = Duration::from_millis;
    let [(1, spawned), (2, slept)] = places[..] else {
        panic!("{places:?}");
    };
    assert_eq!((spawned.polls, spawned.longest), (1, ms(2)));
    // The two of one interval started nobody knows where.
    assert_eq!((slept.polls, slept.busy, slept.mean()), (1, ms(3), ms(3)));
    let waiting = model.waiting_in("a.rs");
    assert_eq!(waiting.keys().copied().collect::<Vec<_>>(), [2]);
}

#[test]
fn a_check_cannot_vouch_for_what_it_has_not_seen() {
    let model = told("0ms spawn t\n1ms poll t 1ms\n10ms lost 12\n").model();
    let check = |denied: &[Kind]| {
        let report = Report::new(&model, Outcome::Stopped);
        Check::new(report, &denied.iter().copied().collect())
    };
    let allowed = check(&[Kind::BlockedLoop]);
    assert!(allowed.holds && !allowed.vouches, "{allowed:?}");
    let text = sink::check::text(&allowed);
    assert!(text.contains("note: not everything was seen"), "{text}");
    let denied = check(&[Kind::LostData]);
    assert!(!denied.holds && !denied.vouches, "{denied:?}");
}

/// Polls wait for what the console protocol tells of their moment, but not without end.
/// More live things than anybody has: they are counted, and the newest are not taken in.
#[test]
fn what_lives_is_bounded() {
    const MOST: u64 = 1 << 18;
    const TOLD: u64 = MOST / 4 * 5;
    let tasks = |ids: std::ops::Range<u64>| console_api::tasks::TaskUpdate {
        new_tasks: ids
            .map(|id| console_api::tasks::Task {
                id: Some(console_api::Id { id }),
                ..console_api::tasks::Task::default()
            })
            .collect(),
        ..console_api::tasks::TaskUpdate::default()
    };
    let timers = |ids: std::ops::Range<u64>| {
        ids.map(|id| v1::Timer {
            id,
            ..v1::Timer::default()
        })
        .collect()
    };
    let scopes = |ids: std::ops::Range<u64>| {
        ids.map(|id| v1::Scope {
            id,
            ..v1::Scope::default()
        })
        .collect()
    };
    let mut model = Model::new(Target {
        name: "crowded".to_owned(),
        kind: TargetKind::Program,
    });
    for (at, ids) in [(1, 0..TOLD / 2), (2, TOLD / 2..TOLD)] {
        let update = console_api::instrument::Update {
            task_update: Some(tasks(ids.clone())),
            ..console_api::instrument::Update::default()
        };
        let facts = v1::Update {
            timers: timers(ids.clone()),
            scopes: scopes(ids),
            ..v1::Update::default()
        };
        for event in [
            Event::Console(Box::new(update)),
            Event::Probe(Box::new(facts)),
        ] {
            model.apply(&Frame::new(Time::from_nanos(at), event));
        }
    }
    assert_eq!(model.tasks.len() as u64, MOST);
    assert_eq!(model.timers.iter().count() as u64, MOST);
    assert_eq!(model.scopes.iter().count() as u64, MOST);
    assert_eq!(model.lost.untaken, 3 * (TOLD - MOST));
    let lost = model
        .lints
        .iter()
        .find(|lint| lint.kind.name() == "lost-data");
    assert!(lost.is_some_and(|lint| lint.message.contains("too many live at a time")));
}

#[test]
fn what_waits_for_its_moment_is_bounded() {
    let mut model = Model::new(Target {
        name: "any".to_owned(),
        kind: TargetKind::Program,
    });
    let begun = v1::Update {
        process: Some(v1::Process::default()),
        ..v1::Update::default()
    };
    model.apply(&probe_says(1, begun));
    let since = prost_types::Timestamp {
        seconds: 0,
        nanos: 1,
    };
    let few = v1::Polls {
        since: Some(since),
        task: vec![7],
        thread: vec![1],
        started: vec![0],
        lasted: vec![1],
        woken: vec![0],
        woken_by: vec![0],
        lost: 0,
    };
    // Columns of one length are not needed to take memory.
    let many = v1::Polls {
        task: vec![7; 6 << 20],
        ..v1::Polls::default()
    };
    let say = |polls| v1::Update {
        polls: Some(polls),
        ..v1::Update::default()
    };
    model.apply(&probe_says(2, say(few)));
    assert_eq!(model.timeline.exact_since(), None);
    model.apply(&probe_says(3, say(many)));
    assert_eq!(model.timeline.exact_since(), Some(Time::from_nanos(1)));
    assert_eq!(model.lost.malformed, 1);
}

/// A task that does something with a resource and ends, and then more and more tasks.
fn queue(resource: &str, keeps: &str, awaits: &str, times: impl Iterator<Item = u64>) -> String {
    let mut story = format!(
        "target queue program\n\
         0ms resource line {resource} at queue.rs:3\n\
         0ms spawn first at queue.rs:4\n\
         1ms poll first 1ms ends ok\n\
         1ms {keeps}\n"
    );
    for (number, at) in times.enumerate() {
        let _ = writeln!(story, "{at}ms spawn later-{number} at queue.rs:7");
        let _ = writeln!(story, "{at}ms poll later-{number} 100us");
        let awaits = awaits.replace("NEXT", &format!("later-{number}"));
        let _ = writeln!(story, "{at}ms {awaits}");
    }
    story
}

#[test]
fn a_queue_that_grows_is_found() {
    let takes = "got first line\n1ms forget first line";
    let each_20ms = || (1..200).map(|n| n * 20);
    let found = |story: String| {
        let model = told(&format!("{story}until 6s")).model();
        let found = model.lints.iter().map(|f| {
            let task = f.task.and_then(|id| model.tasks.get(id));
            let name = task.map_or_else(String::new, |task| task.label().into_owned());
            format!("{} {name} {}", f.kind.name(), f.message)
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(
        found(queue("Semaphore 1", takes, "await NEXT line", each_20ms())),
        [
            "growing-queue later-0 queued for the Semaphore of queue.rs:3: \
             199 wait, 149 more than 3 s ago; who holds it has ended"
        ]
    );
    // All at once.
    let at_once = (1..200).map(|n| 20 + n / 10);
    let nothing: [&str; 0] = [];
    assert_eq!(
        found(queue("Semaphore 1", takes, "await NEXT line", at_once)),
        nothing
    );
    // Nobody was ever let through, or is to be.
    let gate = |resource| queue(resource, "wake first", "await NEXT line", each_20ms());
    assert_eq!(found(gate("Semaphore 0")), nothing);
    assert_eq!(found(gate("Barrier 1000")), nothing);
    assert_eq!(found(gate("oneshot")), nothing);
    // A server's connections.
    let idle = queue("Mutex", "output accept", "output accept", each_20ms());
    assert_eq!(found(idle), nothing);
}

/// What a library spawns is no choice of whoever uses it.
#[test]
fn tasks_of_a_fetched_crate_are_not_called_needless() {
    let needless = |place: &str| {
        let story = stories().find(|(name, _)| name == "lint-needless-async.txt");
        let (_, text) = story.expect("the story");
        let model = told(&text.replace("at main.rs:4", &format!("at {place}:389"))).model();
        model.lints.iter().any(|f| f.kind == Kind::NeedlessAsync)
    };
    assert!(needless("src/serve/mod.rs"));
    assert!(!needless(
        "/home/me/.cargo/registry/src/index.crates.io-1/axum-0.8.9/src/serve/mod.rs"
    ));
}
