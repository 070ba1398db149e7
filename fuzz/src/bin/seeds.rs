//! Makes inputs to begin with, of the demos: `corpus/TARGET/NAME`.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

// What instruments this binary, too, needs libFuzzer.
use libfuzzer_sys as _;
use loopview::{
    frame::Frame,
    model::{Model, lint::Thresholds},
    recording::{self, Goal, History, Journal, Limits, Writer},
};
use loopview_fuzz::piece::{self, chunk};

/// Short inputs are mutated faster, and to more effect.
const FRAMES: usize = 4;
/// As many inputs of a recording.
const MOST: usize = 6;
/// Bytes before the pieces.
const KEYS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus");
    for entry in fs::read_dir(here.join("../demos"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match path.extension().and_then(|it| it.to_str()) {
            Some("lv") => of_recording(&path, &name, &corpus)?,
            Some("keys") => {
                let words = [&[1], &*fs::read(&path)?].concat();
                save(corpus.join("words").join(&*name), &words)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn save(path: PathBuf, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(path.parent().ok_or("a file has a folder")?)?;
    Ok(fs::write(path, bytes)?)
}

fn of_recording(path: &Path, name: &str, corpus: &Path) -> Result<(), Box<dyn Error>> {
    let whole = recording::open(path)?;
    let begin = whole
        .history
        .seek(Goal::Frame(0), &AtomicBool::new(false))?;
    let (mut model, mut cursor) = begin.ok_or("a recording has a beginning")?;
    let mut frames = Vec::new();
    while let Some(frame) = whole.history.next(&mut cursor)? {
        frames.push(frame);
    }
    // Its first byte says that it is to be read as it is.
    let raw = [&[0; KEYS], &*fs::read(path)?].concat();
    save(corpus.join("recording").join(name), &raw)?;
    // What comes later is more of the same.
    for (number, frames) in frames.chunks(FRAMES).enumerate().take(MOST) {
        let name = format!("{name}-{number}");
        let mut pieces = vec![b'9'; KEYS];
        frames
            .iter()
            .for_each(|frame| piece::of(frame, &mut pieces));
        save(corpus.join("frames").join(&name), &pieces)?;
        let chunks = chunks(&mut model, frames)?;
        save(corpus.join("recording").join(&name), &chunks)?;
    }
    Ok(())
}

/// Some frames of a recording, and then a keyframe, as pieces.
fn chunks(model: &mut Model, frames: &[Frame]) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("some.lv");
    let history = History::new(Journal::new(
        piece::target(),
        Thresholds::default(),
        Limits::default(),
    ));
    let mut writer = Writer::create(&path, model)?;
    for frame in frames {
        if let Some(chunk) = history.append(frame)? {
            writer.write(&chunk)?;
        }
        model.apply(frame);
    }
    if let Some(chunk) = history.seal()? {
        writer.write(&chunk)?;
    }
    if let Some(chunk) = history.keyframe(&model.clone().for_keyframes()) {
        writer.write(&chunk)?;
    }
    let mut pieces = vec![b'9'; KEYS];
    for (kind, content) in piece::contents(&fs::read(&path)?) {
        // What is before is made again for each input.
        match kind {
            piece::FRAMES => piece::frames(&content, &mut pieces),
            piece::KEYFRAME => piece::write(chunk::ANY, 3, &content, &mut pieces),
            _ => {}
        }
    }
    Ok(pieces)
}
