//! A recording: a file of chunks, written at its end only.
//!
//! ```text
//! magic · format │ header │ frames │ frames │ keyframe │ frames │ … │ index │ where it begins
//! ```
//!
//! The index is there if the file was closed. Without it, the chunks are found by their heads.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use loopview_api::recording::v1;
use prost::Message;

use super::{
    Error, History, Journal, Limits,
    chunk::{Body, Chunk, HEAD, Head, Kind},
    keyframe,
};
use crate::{
    decode::decode,
    frame::{Target, TargetKind, Time},
    model::{Model, lint::Thresholds},
};

/// The newest format that can be read, and the one that is written.
pub(super) const FORMAT: u32 = 1;
/// With the ends of lines that text tools change.
const MAGIC: [u8; 12] = *b"loopview\r\n\x1a\n";
/// Bytes before the first chunk.
const PREFACE: u64 = 16;
/// The end of a file that was closed: where its index begins, and this.
const CLOSED: [u8; 8] = *b"LVclosed";
const TRAILER: u64 = 16;

/// A recording that can be read.
#[derive(Debug)]
pub struct Recording {
    pub history: History,
    pub header: v1::Header,
    /// Why it ends earlier than it was meant to.
    pub incomplete: Option<Incomplete>,
}

/// A recording that has no proper end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// It was not closed, or was cut: the chunks before its end are there.
    Cut,
    /// What follows this byte cannot be read.
    Damaged { at: u64 },
}

/// Writes a recording. Chunks are in the file as soon as they are written.
#[derive(Debug)]
pub struct Writer {
    file: File,
    at: u64,
    index: v1::Index,
}

impl Writer {
    /// A new file, of what this model is of. One that is there already is an error, and is left as it is; but what is
    /// no ordinary file, such as a pipe, is written to.
    pub fn create(path: &Path, model: &Model) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = match options.write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if path.metadata()?.is_file() {
                    return Err(error);
                }
                OpenOptions::new().write(true).open(path)?
            }
            other => other?,
        };
        let mut writer = Self {
            file,
            at: 0,
            index: v1::Index::default(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        let chunk = Chunk::seal(
            Head::without_frames(Kind::Header, Time::now()),
            &header(model).encode_to_vec(),
        )?;
        bytes.extend_from_slice(&chunk.bytes()?);
        writer.append(&bytes)?;
        Ok(writer)
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.at
    }

    /// Adds a chunk. After an error, all that was written before can still be read.
    pub fn write(&mut self, chunk: &Chunk) -> io::Result<()> {
        self.append(&chunk.bytes()?)?;
        let index = &mut self.index;
        index.length.push(chunk.length());
        index.kind.push(chunk.head.kind.to_wire());
        index.frames.push(chunk.head.frames);
        index.first.push(chunk.head.first.as_nanos());
        index.last.push(chunk.head.last.as_nanos());
        Ok(())
    }

    /// Writes the index. Gives the bytes of the whole file.
    pub fn close(mut self) -> io::Result<u64> {
        let at = self.at;
        let last = self.index.last.last().copied().unwrap_or_default();
        let head = Head::without_frames(Kind::Index, Time::from_nanos(last));
        let mut bytes = Chunk::seal(head, &self.index.encode_to_vec())?
            .bytes()?
            .to_vec();
        bytes.extend_from_slice(&at.to_le_bytes());
        bytes.extend_from_slice(&CLOSED);
        self.append(&bytes)?;
        Ok(self.at)
    }

    /// Writes all of it, or, as far as the file allows, nothing.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // What was written of it would only look like damage.
            let _ = self.file.set_len(self.at);
            return Err(error);
        }
        self.at += bytes.len() as u64;
        Ok(())
    }
}

fn header(model: &Model) -> v1::Header {
    let target = &model.target;
    let kind = match target.kind {
        TargetKind::Workload => v1::TargetKind::Workload,
        TargetKind::Program => v1::TargetKind::Program,
        TargetKind::Attached => v1::TargetKind::Attached,
    };
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    v1::Header {
        loopview_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: target.name.clone(),
        kind: kind.into(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        created_at: Some(SystemTime::now().into()),
        instrument: model.instrument().map(str::to_owned),
        model: keyframe::MODEL.to_owned(),
        thresholds: {
            let changed = model.lints.thresholds.changed();
            changed
                .map(|(name, text)| (name.to_owned(), text))
                .collect()
        },
    }
}

/// Opens a recording: as much of it as is whole.
pub fn open(path: &Path) -> Result<Recording, Error> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = Reader {
        file: Arc::new(file),
        at: 0,
        length,
    };
    reader.preface()?;
    let first = reader.next()?.ok_or(Error::NoFrames)?;
    if first.head.kind != Kind::Header {
        return Err(Error::Damaged {
            at: PREFACE,
            what: "it does not begin with a header",
        });
    }
    let header = decode::<v1::Header>(&first.content()?).map_err(|_| Error::Damaged {
        at: PREFACE,
        what: "a header that is none",
    })?;
    let target = Target {
        name: header.target.clone(),
        kind: match header.kind() {
            v1::TargetKind::Workload => TargetKind::Workload,
            v1::TargetKind::Attached => TargetKind::Attached,
            v1::TargetKind::Program | v1::TargetKind::Unspecified => TargetKind::Program,
        },
    };
    // It is read where it lies: nothing is kept in memory, and nothing is dropped.
    let limits = Limits {
        memory: u64::MAX,
        total: u64::MAX,
    };
    let mut thresholds = Thresholds::default();
    for (lint, text) in &header.thresholds {
        // A lint that this loopview does not know finds nothing here.
        let _ = thresholds.set(lint, text);
    }
    let mut journal = Journal::new(target, thresholds, limits);
    let usable = header.model == keyframe::MODEL;
    let from = reader.at;
    let incomplete = match reader.indexed(from) {
        Some(chunks) => {
            for chunk in chunks {
                journal.push(chunk, usable);
            }
            None
        }
        None => reader.walk(from, |chunk| journal.push(chunk, usable)),
    };
    if journal.range().is_none() {
        return Err(Error::NoFrames);
    }
    Ok(Recording {
        history: History::new(journal),
        header,
        incomplete,
    })
}

struct Reader {
    file: Arc<File>,
    /// Where the next chunk begins.
    at: u64,
    length: u64,
}

impl Reader {
    fn preface(&mut self) -> Result<(), Error> {
        if self.length == 0 {
            return Err(Error::Empty);
        }
        let mut bytes = [0; PREFACE as usize];
        if self.length < PREFACE {
            return Err(Error::Foreign);
        }
        self.file.read_exact_at(&mut bytes, 0)?;
        let (magic, format) = bytes.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(Error::Foreign);
        }
        let format = format.try_into().map(u32::from_le_bytes);
        match format {
            Ok(1..=FORMAT) => {
                self.at = PREFACE;
                Ok(())
            }
            Ok(newer) if newer > FORMAT => Err(Error::Newer(newer)),
            _ => Err(Error::Foreign),
        }
    }

    /// The next chunk; nothing if the file ends in it.
    fn next(&mut self) -> Result<Option<Chunk>, Error> {
        if self.length.saturating_sub(self.at) < HEAD as u64 {
            return Ok(None);
        }
        let mut bytes = [0; HEAD];
        self.file.read_exact_at(&mut bytes, self.at)?;
        let (head, ..) = Head::read(&bytes).ok_or(Error::Damaged {
            at: self.at,
            what: "no chunk begins there",
        })?;
        if head.length() > self.length - self.at {
            return Ok(None);
        }
        let chunk = self.chunk(head, self.at);
        self.at += head.length();
        Ok(Some(chunk))
    }

    fn chunk(&self, head: Head, at: u64) -> Chunk {
        let file = self.file.clone();
        Chunk {
            head,
            body: Body::File { file, at },
        }
    }

    /// All chunks from `from` on, by the index; nothing if there is none that can be right.
    fn indexed(&self, from: u64) -> Option<Vec<Chunk>> {
        let end = self.length.checked_sub(TRAILER)?;
        let mut trailer = [0; TRAILER as usize];
        self.file.read_exact_at(&mut trailer, end).ok()?;
        let (at, closed) = trailer.split_at(8);
        let at = u64::from_le_bytes(at.try_into().ok()?);
        if closed != CLOSED || at < from || end.checked_sub(at)? < HEAD as u64 {
            return None;
        }
        let mut head = [0; HEAD];
        self.file.read_exact_at(&mut head, at).ok()?;
        let (head, ..) = Head::read(&head)?;
        if head.kind != Kind::Index || head.length() != end - at {
            return None;
        }
        let index = decode::<v1::Index>(&self.chunk(head, at).content().ok()?).ok()?;
        let count = index.length.len();
        let columns = [
            index.kind.len(),
            index.frames.len(),
            index.first.len(),
            index.last.len(),
        ];
        if columns != [count; 4] {
            return None;
        }
        let mut chunks = Vec::with_capacity(count);
        let mut next = from;
        let rows = index.length.iter().zip(&index.kind).zip(&index.frames);
        let times = index.first.iter().zip(&index.last);
        for (((length, kind), frames), (first, last)) in rows.zip(times) {
            let head = Head {
                kind: Kind::from_wire(*kind),
                frames: *frames,
                stored: u32::try_from(length.checked_sub(HEAD as u64)?).ok()?,
                first: Time::from_nanos(*first),
                last: Time::from_nanos(*last),
            };
            chunks.push(self.chunk(head, next));
            next = next.checked_add(*length).filter(|next| *next <= at)?;
        }
        // It has to be of this file.
        (next == at).then_some(chunks)
    }

    /// Goes from head to head.
    fn walk(&mut self, from: u64, mut take: impl FnMut(Chunk)) -> Option<Incomplete> {
        self.at = from;
        loop {
            match self.next() {
                Ok(Some(chunk)) if chunk.head.kind == Kind::Index => {}
                Ok(Some(chunk)) => take(chunk),
                Ok(None) => return Some(Incomplete::Cut),
                Err(_) => return Some(Incomplete::Damaged { at: self.at }),
            }
        }
    }
}
