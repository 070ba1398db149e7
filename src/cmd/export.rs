//! `loopview export FILE --to FORMAT`: a recording as something else.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    process::ExitCode,
    sync::atomic::AtomicBool,
};

use super::{replay, screens, watch};
use crate::{
    cli::{Export, Form, Format, Look, Table},
    error::{Error, exit},
    recording::{self, Goal, History},
    sink::{Encoder, Outcome, Report, csv, trace::Trace},
};

pub fn execute(options: &Export, look: &Look) -> Result<ExitCode, Error> {
    let path = &options.file;
    let recording = replay::open(path)?;
    watch::tell(recording.incomplete.map(replay::words));
    let history = &recording.history;
    // Before a file is replaced.
    let script = screens::script(options)?;
    let mut to = Output::open(options)?;
    let report = |format| {
        let model = replay::end(path, history)?;
        let report = Report::new(&model, Outcome::of(&model, false));
        Ok::<_, Error>(watch::encode(&report, format))
    };
    match options.to {
        Form::Cast | Form::Cast3 | Form::Svg => {
            screens::write(options, &recording, script, look, &mut to)?;
        }
        Form::Json => to.write(&report(Format::Json)?)?,
        Form::Text => to.write(&report(Format::Text)?)?,
        Form::Chrome => encode(path, history, Trace::default(), &mut to)?,
        Form::Csv => match options.table {
            Table::Tasks => encode(path, history, csv::Tasks::default(), &mut to)?,
            Table::Timers => encode(path, history, csv::Timers::default(), &mut to)?,
            Table::Polls => {
                encode(path, history, csv::Polls::default(), &mut to)?;
                if replay::end(path, history)?.lost.polls.is_none() {
                    watch::tell(Some(
                        "no single polls were told: only the probe does".to_owned(),
                    ));
                }
            }
        },
    }
    to.finish()?;
    Ok(ExitCode::from(exit::OK))
}

/// Reads the frames of the last connection, one after the other, and writes what the encoder makes
/// of each. Those before are of another process, or are told again.
fn encode(
    path: &Path,
    history: &History,
    mut encoder: impl Encoder,
    to: &mut Output,
) -> Result<(), Error> {
    let unreadable = |error| Error::recording(path, error);
    let first = history.last_connection().map_err(unreadable)?;
    let begin = history.seek(Goal::Frame(first), &AtomicBool::new(false));
    let begin = begin.map_err(unreadable)?;
    let (mut model, mut cursor) = begin.ok_or_else(|| unreadable(recording::Error::NoFrames))?;
    let mut text = String::new();
    encoder.begin(&model, &mut text);
    while let Some(frame) = history.next(&mut cursor).map_err(unreadable)? {
        model.apply(&frame);
        encoder.frame(&frame, &model, &mut text);
        to.write(&text)?;
        text.clear();
        if to.closed {
            return Ok(());
        }
    }
    encoder.end(&model, &mut text);
    to.write(&text)
}

/// A file, or standard output.
pub(super) struct Output {
    name: String,
    to: Box<dyn Write>,
    /// The reader has gone, as `head` does, and wants no more.
    pub closed: bool,
}

impl Output {
    fn open(options: &Export) -> Result<Self, Error> {
        let (name, to): (String, Box<dyn Write>) = match &options.output {
            None => ("standard output".to_owned(), Box::new(io::stdout().lock())),
            Some(path) => {
                let cannot = |error| Error::write(path.display().to_string(), error);
                if same(path, &options.file) {
                    let itself = "it is the recording itself";
                    return Err(cannot(io::Error::other(itself)));
                }
                let file = File::create(path).map_err(cannot)?;
                (path.display().to_string(), Box::new(file))
            }
        };
        Ok(Self {
            name,
            to: Box::new(BufWriter::with_capacity(1 << 16, to)),
            closed: false,
        })
    }

    pub fn write(&mut self, text: &str) -> Result<(), Error> {
        let written = self.to.write_all(text.as_bytes());
        self.judge(written)
    }

    fn finish(&mut self) -> Result<(), Error> {
        let written = self.to.flush();
        self.judge(written)
    }

    fn judge(&mut self, written: io::Result<()>) -> Result<(), Error> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => return Err(Error::write(self.name.clone(), error)),
            Ok(()) => {}
        }
        Ok(())
    }
}

/// The same file, by whatever name.
fn same(a: &Path, b: &Path) -> bool {
    match (a.metadata(), b.metadata()) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
