//! What was told, kept and read again: the same model at every moment, whatever happens to
//! the file.

mod support;

use std::{fs, path::Path, sync::atomic::AtomicBool, time::Duration};

use loopview::{
    frame::{Event, Frame, Gap, Line, Stream, Target, TargetKind, Time},
    model::{
        Model, Sign,
        lint::Thresholds,
        timeline::{Doing, Grid},
    },
    recording::{self, Error, Goal, History, Incomplete, Journal, Limits, Scribe, Status, Writer},
    sink::{self, Outcome, Report},
    view::{self, Options, ViewState},
};
use loopview_api::v1;
use proptest::{prelude::*, sample::Index};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use support::{chaos, scenario::Scenario};

/// Every story, told.
fn stories() -> Vec<Scenario> {
    let stories = fs::read_dir(Scenario::folder()).expect("the stories' folder");
    let texts = stories.map(|entry| fs::read_to_string(entry.expect("a story").path()));
    texts
        .map(|text| Scenario::parse(&text.expect("a text")).expect("a story"))
        .collect()
}

fn history(target: &Target, limits: Limits) -> History {
    History::new(Journal::new(target.clone(), Thresholds::default(), limits))
}

fn seek(history: &History, goal: Goal) -> Option<Model> {
    let found = history.seek(goal, &AtomicBool::new(false));
    found.expect("a sound history").map(|(model, _)| model)
}

/// All that a report can say of a model.
fn report(model: &Model) -> String {
    sink::json::encode(&Report::new(model, Outcome::of(model, false)))
}

fn screen(model: &Model) -> Buffer {
    let mut state = ViewState::new(Options::default());
    state.resize(120, 40);
    state.sync(model);
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a test terminal");
    terminal
        .draw(|frame| view::draw(frame, model, &state))
        .expect("a drawn screen");
    terminal.backend().buffer().clone()
}

/// Keeps frames, and after each `every`-th a keyframe; gives the model after each frame.
fn keep(history: &History, frames: &[Frame], every: usize) -> Vec<Model> {
    let mut models = vec![Model::new(history.target())];
    for (number, frame) in (1..).zip(frames) {
        history.append(frame).expect("room");
        let mut model = models[number - 1].clone();
        model.apply(frame);
        if number % every == 0 {
            history.seal().expect("room");
            history.keyframe(&model).expect("a keyframe");
        }
        models.push(model);
    }
    models
}

#[test]
fn each_moment_of_a_story_is_what_it_was() {
    for (every, story) in (1..).zip(stories()) {
        let history = history(&story.target, Limits::default());
        let models = keep(&history, &story.frames, every % 7 + 1);
        for (number, then) in (0..).zip(&models) {
            let model = seek(&history, Goal::Frame(number)).expect("a moment");
            assert_eq!(report(&model), report(then));
            // A screen takes as long as all else.
            if number % 5 == 0 {
                assert_eq!(screen(&model), screen(then), "after {number} frames");
            }
        }
    }
}

#[test]
fn a_time_is_all_that_was_told_until_then() {
    let story = Scenario::load("waits");
    let history = history(&story.target, Limits::default());
    let models = keep(&history, &story.frames, 5);
    let (first, last) = history.range().expect("frames");
    assert_eq!(first, story.frames[0].at);
    assert_eq!(
        last,
        story.frames.iter().map(|f| f.at).max().expect("frames")
    );
    for frame in &story.frames {
        let model = seek(&history, Goal::Time(frame.at)).expect("a moment");
        let told = story.frames.iter().filter(|f| f.at <= frame.at).count();
        assert_eq!(report(&model), report(&models[told]));
    }
    let before = seek(&history, Goal::Time(Time::default())).expect("a moment");
    assert_eq!(report(&before), report(&models[0]));
}

/// Steps forth from the beginning, and back from the end, over all signs of a kind.
#[test]
fn signs_are_found_forth_and_back() {
    let story = Scenario::load("blocked-loop");
    let history = history(&story.target, Limits::default());
    keep(&history, &story.frames, 4);
    for sign in [Sign::Poll, Sign::Wake, Sign::Lint] {
        let look = |from, back| {
            let goal = Goal::Sign {
                sign,
                task: None,
                from,
                back,
            };
            let found = history.seek(goal, &AtomicBool::new(false));
            found.expect("sound").map(|(_, cursor)| cursor.frames())
        };
        let forth: Vec<u64> =
            std::iter::successors(look(0, false), |at| look(*at, false)).collect();
        let end = history.end() + 1;
        let mut back: Vec<u64> =
            std::iter::successors(look(end, true), |at| look(*at, true)).collect();
        back.reverse();
        assert!(!forth.is_empty(), "{sign:?}");
        assert_eq!(forth, back, "{sign:?}");
    }
}

/// Another connection counts anew, which is no sign of anything.
#[test]
fn signs_are_not_seen_where_a_connection_was_lost() {
    let story = Scenario::load("blocked-loop");
    let target = Target {
        kind: TargetKind::Attached,
        ..any_target()
    };
    let history = history(&target, Limits::default());
    let anew = Frame::new(Time::default(), Event::Anew);
    let frames: Vec<Frame> = [&story.frames[..], &[anew], &story.frames[..]].concat();
    keep(&history, &frames, 4);
    let lost = story.frames.len() as u64 + 1;
    assert_eq!(history.last_connection().expect("sound"), lost);
    let look = |from, back| {
        let goal = Goal::Sign {
            sign: Sign::Lint,
            task: None,
            from,
            back,
        };
        let found = history.seek(goal, &AtomicBool::new(false));
        found.expect("sound").map(|(_, cursor)| cursor.frames())
    };
    let all: Vec<u64> = std::iter::successors(look(0, false), |at| look(*at, false)).collect();
    let (before, after): (Vec<u64>, Vec<u64>) = all.iter().partition(|at| **at < lost);
    assert!(!before.is_empty());
    let again: Vec<u64> = before.iter().map(|at| at + lost).collect();
    assert_eq!(after, again);
    let end = history.end() + 1;
    let mut back: Vec<u64> = std::iter::successors(look(end, true), |at| look(*at, true)).collect();
    back.reverse();
    assert_eq!(back, all);
}

fn line(at: u64, text: String) -> Frame {
    let line = Line {
        stream: Stream::Stdout,
        text,
        cut: 0,
    };
    Frame::new(Time::from_nanos(at), Event::Output(line))
}

/// Text that cannot be compressed well.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let digit = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    };
    (0..bytes).map(digit).collect()
}

fn any_target() -> Target {
    Target {
        name: "any".to_owned(),
        kind: TargetKind::Program,
    }
}

#[test]
fn a_history_that_grows_too_long_loses_its_beginning_and_says_so() {
    let limits = Limits {
        memory: 200_000,
        total: 1_000_000,
    };
    let mut model = Model::new(any_target());
    let mut scribe = Scribe::start(&model, limits).expect("a thread");
    let history = scribe.history().clone();
    for at in 1..=2_000 {
        // The model remembers only the last.
        let reason = noise(at, 2_000);
        let gap = Event::Gap(Gap::ConnectionLost { reason });
        let frame = Frame::new(Time::from_nanos(at * 10_000_000), gap);
        scribe.take([frame], &mut model);
        // What is not kept is not lost here: the thread is waited for.
        while history.end() + 100 < at {
            std::thread::yield_now();
        }
    }
    assert_eq!(scribe.finish(), Status::None);
    assert!(history.dropped() > 500, "{}", history.dropped());
    let end = seek(&history, Goal::Frame(u64::MAX)).expect("the end");
    assert_eq!(report(&end), report(&model));
    let (first, _) = history.range().expect("the rest");
    let oldest = seek(&history, Goal::Time(first)).expect("its beginning");
    assert_eq!(oldest.lost.gaps, history.dropped());
    let gone = seek(&history, Goal::Frame(0)).expect("as near as one can get");
    assert_eq!(report(&gone), report(&oldest));
}

/// A recording of frames with keyframes between, as bytes.
fn recorded(frames: &[Frame], target: &Target, every: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("any.lv");
    let history = history(target, Limits::default());
    let mut model = Model::new(target.clone());
    let mut whole = model.clone();
    for frame in frames {
        whole.apply(frame);
    }
    let mut writer = Writer::create(&path, &whole).expect("a file");
    let mut write = |chunk: Option<recording::Chunk>| {
        if let Some(chunk) = chunk {
            writer.write(&chunk).expect("room");
        }
    };
    for (number, frame) in (1..).zip(frames) {
        write(history.append(frame).expect("room"));
        model.apply(frame);
        if number % every == 0 {
            write(history.seal().expect("room"));
            write(history.keyframe(&model));
        }
    }
    write(history.seal().expect("room"));
    writer.close().expect("room");
    fs::read(&path).expect("a file")
}

fn opened(bytes: &[u8]) -> Result<recording::Recording, Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("any.lv");
    fs::write(&path, bytes).expect("a file");
    recording::open(&path)
}

/// Before the first keyframe there is only the header to tell of them.
#[test]
fn a_recording_is_judged_by_what_was_set_when_it_was_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("any.lv");
    let mut set = Thresholds::default();
    set.set("blocked-loop", "1s 500ms").expect("a time");
    set.set("large-future", "77").expect("a number");
    let model = Model::with_thresholds(any_target(), &set);
    let mut writer = Writer::create(&path, &model).expect("a file");
    let live = History::new(Journal::new(any_target(), set.clone(), Limits::default()));
    live.append(&Frame::new(Time::from_nanos(1), Event::Silence))
        .expect("room");
    let chunk = live.seal().expect("room").expect("a chunk");
    writer.write(&chunk).expect("room");
    writer.close().expect("room");
    let recorded = recording::open(&path).expect("a recording").history;
    for history in [live, recorded] {
        let begin = seek(&history, Goal::Frame(0)).expect("a moment");
        assert_eq!(begin.lints.thresholds, set);
    }
}

#[test]
fn a_recording_is_what_was_told() {
    for story in stories() {
        let bytes = recorded(&story.frames, &story.target, 5);
        let read = opened(&bytes).expect("a recording");
        assert_eq!(read.incomplete, None);
        assert_eq!(read.history.target(), story.target);
        let mut whole = Model::new(story.target.clone());
        for frame in &story.frames {
            whole.apply(frame);
        }
        assert_eq!(read.header.instrument.as_deref(), whole.instrument());
        assert_eq!(read.history.end(), story.frames.len() as u64);
        for count in [0, story.frames.len() / 2, story.frames.len()] {
            let model = seek(&read.history, Goal::Frame(count as u64)).expect("a moment");
            let mut live = Model::new(story.target.clone());
            story.frames.iter().take(count).for_each(|f| live.apply(f));
            assert_eq!(report(&model), report(&live));
            assert_eq!(screen(&model), screen(&live));
        }
    }
}

#[test]
fn a_recording_begun_late_begins_with_what_there_is() {
    let story = Scenario::load("waits");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("late.lv");
    let mut model = Model::new(story.target.clone());
    let mut scribe = Scribe::start(&model, Limits::default()).expect("a thread");
    let (early, late) = story.frames.split_at(story.frames.len() / 2);
    scribe.take(early.iter().cloned(), &mut model);
    scribe.record(&path, &model).expect("a file");
    assert_eq!(scribe.status(), Status::On(path.clone()));
    let middle = report(&model);
    scribe.take(late.iter().cloned(), &mut model);
    let Status::Closed(_, written) = scribe.finish() else {
        panic!("it is closed");
    };
    assert_eq!(fs::metadata(&path).expect("a file").len(), written);
    let read = recording::open(&path).expect("a recording");
    assert_eq!(
        report(&seek(&read.history, Goal::Frame(0)).expect("a moment")),
        middle
    );
    let end = seek(&read.history, Goal::Frame(u64::MAX)).expect("a moment");
    assert_eq!(report(&end), report(&model));
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.lv");
    fs::write(&path, "mine").expect("a file");
    let error = Writer::create(&path, &Model::new(any_target())).expect_err("it is there");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).expect("a file"), b"mine");
}

#[test]
fn a_full_disk_ends_the_recording_and_nothing_else() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let mut model = Model::new(any_target());
    let mut scribe = Scribe::start(&model, Limits::default()).expect("a thread");
    let error = scribe.record(full, &model).expect_err("no room");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    scribe.take([line(1, "on".to_owned())], &mut model);
    let history = scribe.history().clone();
    scribe.finish();
    assert_eq!(history.end(), 1);
}

/// Wherever it is cut, what was written before is there, up to the last whole chunk.
#[test]
fn a_recording_that_is_cut_is_read_up_to_there() {
    let story = Scenario::load("polls");
    let bytes = recorded(&story.frames, &story.target, 3);
    let whole = story.frames.len() as u64;
    let mut most = 0;
    for cut in 0..bytes.len() {
        match opened(&bytes[..cut]) {
            Ok(read) => {
                assert_eq!(read.incomplete, Some(Incomplete::Cut));
                let end = read.history.end();
                assert!((most..=whole).contains(&end));
                most = end;
                let model = seek(&read.history, Goal::Frame(end)).expect("a moment");
                let mut live = Model::new(story.target.clone());
                let told = story.frames.iter().take(end as usize);
                told.for_each(|f| live.apply(f));
                assert_eq!(report(&model), report(&live));
            }
            Err(Error::Empty) => assert_eq!(cut, 0),
            Err(Error::Foreign) => assert!(cut < 16),
            Err(Error::NoFrames) => assert_eq!(most, 0),
            Err(error) => panic!("{cut}: {error}"),
        }
    }
    assert_eq!(most, whole);
}

#[test]
fn what_is_no_recording_is_told() {
    let story = Scenario::load("sleep");
    let bytes = recorded(&story.frames, &story.target, 3);
    assert!(matches!(opened(b""), Err(Error::Empty)));
    assert!(matches!(
        opened(b"#!/bin/sh\necho hello, world\n"),
        Err(Error::Foreign)
    ));
    let mut newer = bytes.clone();
    newer[12..16].copy_from_slice(&7_u32.to_le_bytes());
    let error = opened(&newer).expect_err("of the future");
    assert_eq!(
        error.to_string(),
        "it has format 7, and this loopview reads up to 1: a newer one is needed"
    );
    let mut flipped = bytes;
    flipped[30] ^= 4;
    let error = opened(&flipped).expect_err("damaged");
    assert_eq!(
        error.to_string(),
        "it is damaged at byte 16: no chunk begins there"
    );
}

/// Another loopview's model is not ours, and its keyframes are passed over.
#[test]
fn frames_are_the_truth() {
    let story = Scenario::load("waits");
    let bytes = recorded(&story.frames, &story.target, 2);
    let mut chunks = Chunks::of(&bytes);
    for (kind, content) in &mut chunks.all {
        if *kind == KEYFRAME {
            *content = b"nobody's model".to_vec();
        }
    }
    let read = opened(&chunks.bytes()).expect("a recording");
    let end = seek(&read.history, Goal::Frame(u64::MAX)).expect("a moment");
    assert_eq!(report(&end), report(&story.model()));
}

const FRAMES: u32 = 2;
const KEYFRAME: u32 = 3;
const INDEX: u32 = 4;

/// A recording taken apart, to be put together again with sound checksums.
#[derive(Clone, Debug)]
struct Chunks {
    preface: Vec<u8>,
    /// Kinds and contents.
    all: Vec<(u32, Vec<u8>)>,
    heads: Vec<Vec<u8>>,
}

impl Chunks {
    fn of(bytes: &[u8]) -> Self {
        let (preface, mut rest) = bytes.split_at(16);
        let (mut all, mut heads) = (Vec::new(), Vec::new());
        while rest.len() > 44 {
            let (head, after) = rest.split_at(44);
            let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
            let (payload, after) = after.split_at(number(12) as usize);
            let content = zstd::bulk::decompress(payload, number(16) as usize).expect("zstd");
            if number(4) != INDEX {
                all.push((number(4), content));
                heads.push(head.to_vec());
            }
            rest = after;
        }
        Self {
            preface: preface.to_vec(),
            all,
            heads,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.preface.clone();
        for ((_, content), head) in self.all.iter().zip(&self.heads) {
            let payload = zstd::bulk::compress(content, 1).expect("zstd");
            let mut head = head.clone();
            head[12..16].copy_from_slice(&(payload.len() as u32).to_le_bytes());
            head[16..20].copy_from_slice(&(content.len() as u32).to_le_bytes());
            head[20..24].copy_from_slice(&crc32fast::hash(&payload).to_le_bytes());
            let own = crc32fast::hash(&head[..40]);
            head[40..44].copy_from_slice(&own.to_le_bytes());
            bytes.extend(head);
            bytes.extend(payload);
        }
        bytes
    }
}

/// What may happen to bytes.
#[derive(Clone, Debug)]
enum Harm {
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, Index),
    Repeat(Index, Index),
    /// A length, or whatever stands there.
    Replace(Index, u32),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, bit)),
        1 => at().prop_map(Harm::Cut),
        1 => (at(), at()).prop_map(|(a, b)| Harm::Remove(a, b)),
        1 => (at(), at()).prop_map(|(a, b)| Harm::Repeat(a, b)),
        2 => (at(), prop_oneof![Just(u32::MAX), Just(0), any::<u32>()])
            .prop_map(|(at, number)| Harm::Replace(at, number)),
    ]
}

fn suffer(bytes: &mut Vec<u8>, harm: &Harm) {
    if bytes.is_empty() {
        return;
    }
    let range = |a: &Index, b: &Index| {
        let (a, b) = (a.index(bytes.len()), b.index(bytes.len()));
        a.min(b)..a.max(b)
    };
    match harm {
        Harm::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Harm::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Harm::Remove(a, b) => {
            let range = range(a, b);
            bytes.drain(range);
        }
        Harm::Repeat(a, b) => {
            let range = range(a, b);
            bytes.extend_from_within(range);
        }
        Harm::Replace(at, number) => {
            let at = at.index(bytes.len());
            for (byte, new) in bytes[at..].iter_mut().zip(number.to_le_bytes()) {
                *byte = new;
            }
        }
    }
}

/// Reads all that there is. It may be nonsense, and must not be more than that.
fn read_all(bytes: &[u8]) {
    let Ok(read) = opened(bytes) else { return };
    let enough = AtomicBool::new(false);
    let end = read.history.end();
    for goal in [
        Goal::Frame(0),
        Goal::Frame(end / 2),
        Goal::Frame(u64::MAX),
        Goal::Time(Time::from_nanos(u64::MAX)),
        Goal::Sign {
            sign: Sign::Poll,
            task: None,
            from: end,
            back: true,
        },
    ] {
        if let Ok(Some((mut model, mut cursor))) = read.history.seek(goal, &enough) {
            let _ = read.history.step(&mut model, &mut cursor);
            model.apply(&Frame::new(Time::from_nanos(u64::MAX), Event::Silence));
            report(&model);
            screen(&model);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_that_was_told_is_lost(frames in chaos::frames(), every in 1..6_usize) {
        let history = history(&any_target(), Limits::default());
        let models = keep(&history, &frames, every);
        for (number, then) in (0..).zip(&models) {
            let model = seek(&history, Goal::Frame(number)).expect("a moment");
            prop_assert_eq!(report(&model), report(then));
        }
    }

    #[test]
    fn nothing_that_happens_to_a_file_breaks_its_reader(
        frames in chaos::frames(),
        harms in prop::collection::vec(harm(), 1..4),
    ) {
        let mut bytes = recorded(&frames, &any_target(), 3);
        for harm in &harms {
            suffer(&mut bytes, harm);
        }
        read_all(&bytes);
    }

    /// With checksums that are right.
    #[test]
    fn nothing_that_somebody_writes_breaks_its_reader(
        frames in chaos::frames(),
        harms in prop::collection::vec((any::<Index>(), harm()), 1..4),
    ) {
        let mut chunks = Chunks::of(&recorded(&frames, &any_target(), 3));
        for (which, harm) in &harms {
            let (_, content) = &mut chunks.all[which.index(chunks.heads.len())];
            suffer(content, harm);
        }
        read_all(&chunks.bytes());
    }

    /// The same, of the heads.
    #[test]
    fn no_head_breaks_the_reader(
        frames in chaos::frames(),
        harms in prop::collection::vec((any::<Index>(), harm()), 1..4),
    ) {
        let mut chunks = Chunks::of(&recorded(&frames, &any_target(), 3));
        for (which, harm) in &harms {
            let head = &mut chunks.heads[which.index(chunks.all.len())];
            suffer(head, harm);
            head.resize(44, 0);
        }
        read_all(&chunks.bytes());
    }
}

/// A few bytes that promise a quarter of a gigabyte give no more than there is.
#[test]
fn a_promise_of_much_is_not_believed() {
    let story = Scenario::load("sleep");
    let mut chunks = Chunks::of(&recorded(&story.frames, &story.target, 1_000));
    let first = chunks.all.iter().position(|(kind, _)| *kind == FRAMES);
    let (_, content) = &mut chunks.all[first.expect("frames")];
    // The length of the first frame.
    content.splice(0..1, [0xff, 0xff, 0xff, 0x7f]);
    let read = opened(&chunks.bytes()).expect("its heads are sound");
    let error = read
        .history
        .seek(Goal::Frame(1), &AtomicBool::new(false))
        .expect_err("no frame is there");
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

/// A few kilobytes that would be gigabytes: empty tasks, of two bytes each.
#[test]
fn a_frame_that_would_take_too_much_memory_is_refused() {
    let story = Scenario::load("sleep");
    let mut chunks = Chunks::of(&recorded(&story.frames, &story.target, 1_000));
    let first = chunks.all.iter().position(|(kind, _)| *kind == FRAMES);
    let (_, content) = &mut chunks.all[first.expect("frames")];
    let tasks = [0x0a, 0].repeat(15 << 20);
    let update = [&[0x12][..], &delimited(&tasks)].concat();
    let frame = [&[0x12][..], &delimited(&update)].concat();
    *content = delimited(&frame);
    let bytes = chunks.bytes();
    assert!(bytes.len() < 16_384, "{}", bytes.len());
    let read = opened(&bytes).expect("its heads are sound");
    let error = read
        .history
        .seek(Goal::Frame(1), &AtomicBool::new(false))
        .expect_err("there is no room");
    let told = "it is damaged at byte 0: a frame that would take too much memory";
    assert_eq!(error.to_string(), told);
}

/// Bytes after their length.
fn delimited(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    prost::encode_length_delimiter(bytes.len(), &mut all).expect("room");
    all.extend_from_slice(bytes);
    all
}

/// It is told where it would have been, and all else is there.
#[test]
fn a_frame_that_is_greater_than_a_chunk_may_be_is_missing() {
    let huge = line(2, "x".repeat(64 << 20));
    let frames = [
        line(1, "before".to_owned()),
        huge,
        line(3, "after".to_owned()),
    ];
    let read = opened(&recorded(&frames, &any_target(), 1_000)).expect("a recording");
    assert_eq!(read.incomplete, None);
    assert_eq!(read.history.end(), 3);
    let begin = read.history.seek(Goal::Frame(0), &AtomicBool::new(false));
    let (mut model, mut cursor) = begin.expect("sound").expect("a moment");
    let mut events = Vec::new();
    while let Some(frame) = read.history.next(&mut cursor).expect("sound") {
        model.apply(&frame);
        events.push((frame.at.as_nanos(), frame.event));
    }
    assert!(matches!(&events[0], (1, Event::Output(line)) if line.text == "before"));
    assert!(matches!(
        &events[1],
        (2, Event::Gap(Gap::Missing { frames: 1 }))
    ));
    assert!(matches!(&events[2], (3, Event::Output(line)) if line.text == "after"));
    assert_eq!(model.lost.frames, 1);
    let told: Vec<_> = model.lints.iter().map(|lint| lint.kind.name()).collect();
    assert_eq!(told, ["lost-data"]);
}

/// The `number`-th message of the probe: a thousand polls of one task, in a tenth of a second.
fn thousand_polls(number: u64) -> Frame {
    const COUNT: usize = 1_000;
    let since = Time::from_nanos(1_000_000_000 + number * 100_000_000);
    let polls = v1::Polls {
        since: Some(timestamp(since)),
        task: vec![7; COUNT],
        thread: vec![1; COUNT],
        started: vec![100_000; COUNT],
        lasted: vec![40_000; COUNT],
        woken: vec![0; COUNT],
        woken_by: vec![0; COUNT],
        lost: 0,
    };
    let update = v1::Update {
        polls: Some(polls),
        ..v1::Update::default()
    };
    let at = since + Duration::from_millis(100);
    Frame::new(at, Event::Probe(Box::new(update)))
}

fn timestamp(at: Time) -> prost_types::Timestamp {
    let since = Duration::from_nanos(at.as_nanos());
    (std::time::SystemTime::UNIX_EPOCH + since).into()
}

/// A keyframe has no room for all polls: what was before is known by its sums after a seek,
/// and since when all is exact is told.
#[test]
fn after_a_seek_polls_are_exact_since_what_the_keyframe_kept() {
    let begin = Time::from_nanos(1_000_000_000);
    let mut frames = vec![Frame::new(begin, Event::Silence)];
    frames.extend((0..50).map(thousand_polls));
    let (before, after) = frames.split_at(41);
    let history = history(&any_target(), Limits::default());
    let mut live = Model::new(any_target());
    for frame in before {
        history.append(frame).expect("room");
        live.apply(frame);
    }
    history.seal().expect("room");
    let kept = live.clone().for_keyframes();
    history.keyframe(&kept).expect("a keyframe");
    for frame in after {
        history.append(frame).expect("room");
        live.apply(frame);
    }
    assert_eq!(live.timeline.summed_before(), None);
    let first = begin + Duration::from_micros(100);
    assert_eq!(live.timeline.exact_since(), Some(first));

    let found = seek(&history, Goal::Frame(51)).expect("a moment");
    assert!(found.timeline.summed_before().is_some());
    let exact = found.timeline.exact_since().expect("polls were told");
    assert_eq!(Some(exact), kept.timeline.exact_since());
    assert!(exact > first && exact < before[40].at, "{exact:?}");
    assert_eq!(found.timeline.memory().limit, live.timeline.memory().limit);

    let end = frames[50].at;
    let mut at = exact + Duration::from_micros(200);
    let mut polls = 0;
    while at < end {
        let poll = live.timeline.thread_poll_at(1, at);
        assert_eq!(found.timeline.thread_poll_at(1, at), poll, "at {at:?}");
        polls += usize::from(poll.is_some());
        // Each poll takes more.
        at = at + Duration::from_micros(30);
    }
    assert!(polls > 10_000, "{polls}");
    // Of all before there are sums, which have each poll once.
    assert_eq!(found.timeline.thread_poll_at(1, first), None);
    let end = end + Duration::from_millis(1);
    let whole = Grid::new(begin, end.since(begin), 1);
    let sum = |model: &Model| {
        let cells = model.timeline.thread(1, &whole, end).expect("it polled");
        (cells[0].polls, cells[0].spent.time(Doing::Running))
    };
    assert_eq!(sum(&found), (50_000, Duration::from_secs(2)));
    assert_eq!(sum(&live), sum(&found));
    // What comes before the keyframe comes from the frames.
    let early = seek(&history, Goal::Frame(40)).expect("a moment");
    assert_eq!(early.timeline.summed_before(), None);
}

#[test]
fn what_is_missing_is_told() {
    let mut model = Model::new(any_target());
    let gap = Gap::Missing { frames: 3 };
    model.apply(&Frame::new(Time::from_nanos(1), Event::Gap(gap)));
    assert_eq!(model.lost.frames, 3);
    let lint = model.lints.iter().next().expect("it is told");
    assert_eq!(lint.kind.name(), "lost-data");
    assert_eq!(model.elapsed(), Duration::ZERO);
}
