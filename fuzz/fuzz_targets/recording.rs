//! A recording: bytes as they are, or chunks with sound checksums around them. All of it is
//! read, sought through and shown, as a replay does.

#![no_main]

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    sync::{LazyLock, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use crossterm::event::Event;
use libfuzzer_sys::fuzz_target;
use loopview::{
    frame::Time,
    model::{Model, Sign},
    recording::{self, Goal, History, Recording, Writer},
    stage::Stage,
    travel::Traveller,
    view::{self, Options, ViewState},
};
use loopview_fuzz::{look, piece};
use ratatui::{buffer::Buffer, layout::Rect};
use tempfile::NamedTempFile;

/// Keys that are pressed in the replay.
const KEYS: usize = 4;
/// Some moment of 2023, and the time from one chunk to the next.
const START: u64 = 1_700_000_000_000_000_000;
const STEP: u64 = 50_000_000;

/// Where the input is read from: the same file each time.
static FILE: LazyLock<Mutex<NamedTempFile>> =
    LazyLock::new(|| Mutex::new(NamedTempFile::new().expect("a file")));

/// What a recording begins with, by which keyframes are taken for ours.
static BEGINNING: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("any.lv");
    Writer::create(&path, &Model::new(piece::target())).expect("a file");
    fs::read(&path).expect("what was written")
});

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let keys = piece::take(&mut input, KEYS);
    let is_raw = keys.first().is_some_and(|byte| byte % 8 == 0);
    let bytes = if is_raw { input.to_vec() } else { built(input) };
    if let Ok(recording) = open(&bytes) {
        read(&recording.history);
        replay(recording.history, keys);
    }
});

fn built(input: &[u8]) -> Vec<u8> {
    let mut bytes = BEGINNING.clone();
    for (number, piece) in (0..).zip(piece::pieces(input)) {
        bytes.extend(piece::chunk(piece, START + number * STEP));
    }
    bytes
}

fn open(bytes: &[u8]) -> Result<Recording, recording::Error> {
    let mut file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    file.as_file().set_len(0).expect("a file");
    file.seek(SeekFrom::Start(0)).expect("a file");
    file.write_all(bytes).expect("room");
    recording::open(file.path())
}

/// Goes to some moments, and a frame on from there.
fn read(history: &History) {
    let enough = AtomicBool::new(false);
    let end = history.end();
    let sign = |sign, back| Goal::Sign {
        sign,
        task: None,
        from: if back { end } else { 0 },
        back,
    };
    for goal in [
        Goal::Frame(0),
        Goal::Frame(end / 2),
        Goal::Frame(u64::MAX),
        Goal::Time(Time::from_nanos(START + 2 * STEP)),
        sign(Sign::Poll, true),
        sign(Sign::Lint, false),
    ] {
        if let Ok(Some((mut model, mut cursor))) = history.seek(goal, &enough) {
            let _ = history.step(&mut model, &mut cursor);
        }
    }
}

/// Plays a second of it, with keys.
fn replay(history: History, keys: &[u8]) {
    let (width, height) = look::size(keys.first().copied().unwrap_or(0x9c));
    let mut state = ViewState::new(Options::default());
    state.resize(width, height);
    let sources: loopview::stage::Sources = Box::new(|_| Err("it is not here".to_owned()));
    let traveller = Traveller::recorded(history, Duration::ZERO, 1.0);
    let mut stage = Stage::new(traveller, state, &sources);
    let mut screen = Buffer::empty(Rect::new(0, 0, width, height));
    for byte in keys {
        settle(&mut stage);
        stage.pass(Duration::from_millis(125), &|| true);
        let _ = stage.react(&Event::Key(look::key(*byte)), None, &|| true);
        settle(&mut stage);
        stage.refresh(None);
        if let Some(model) = stage.shown(None) {
            view::paint(&mut screen, model, &stage.state);
        }
    }
}

/// Goes where the keys have asked to go.
fn settle(stage: &mut Stage<'_>) {
    while let Some((history, goal)) = stage.traveller.look() {
        let found = history.seek(goal, &AtomicBool::new(false));
        let arrived = stage.traveller.arrive(goal, found);
        stage.changed(arrived);
    }
}
