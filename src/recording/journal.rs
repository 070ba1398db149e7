//! All that was told, in order: sealed chunks, wherever they lie, and the frames since.
//!
//! A place in it is a number of frames. Frames come with their sources' times, which need not
//! be in order; a place's time is the latest that was known there, so time never goes back.

use std::collections::VecDeque;

use super::{
    chunk::{Body, Chunk, Head, Kind, MOST},
    frames,
};
use crate::{
    frame::{Event, Frame, Gap, Target, Time},
    model::{Model, lint::Thresholds},
};

/// How much is kept, in bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In memory; what is more goes to a temporary file.
    pub memory: u64,
    /// In all; the oldest goes first.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            total: 1 << 30,
        }
    }
}

#[derive(Debug)]
pub struct Journal {
    target: Target,
    thresholds: Thresholds,
    /// Oldest first.
    sealed: VecDeque<Sealed>,
    /// The number of the first of them: so many were dropped.
    first: u64,
    /// Frames that were dropped with them.
    dropped: u64,
    open: Open,
    limits: Limits,
    /// Bytes of what is sealed: in memory, and in all.
    in_memory: u64,
    in_all: u64,
    /// Bytes of frames sealed since the last keyframe, and of that.
    since_keyframe: u64,
    keyframe: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub chunk: Chunk,
    /// Frames before it.
    pub before: u64,
    /// It is a keyframe of this loopview's model, as far as is known.
    pub usable: bool,
}

/// Frames that are not sealed yet.
#[derive(Debug, Default)]
struct Open {
    bytes: Vec<u8>,
    frames: u32,
    /// Frames before them.
    before: u64,
    first: Time,
    last: Time,
}

/// Where to begin to read.
pub(super) struct Start {
    /// The keyframe to start from, and its number; none to start with nothing.
    pub keyframe: Option<(u64, Chunk)>,
    /// The number of the chunk to read next, the frames before it and the time there.
    pub chunk: u64,
    pub frames: u64,
    pub time: Time,
}

/// What lies at a number.
pub(super) enum Piece {
    Sealed(Chunk),
    /// It is not sealed yet: the bytes from where the reader is.
    Open(Vec<u8>),
    /// It was dropped.
    Gone,
}

impl Journal {
    /// A chunk is sealed before it has more bytes than this, unless it is of one frame, ...
    const CHUNK: usize = 256 * 1024;
    /// ... and when it is this old, as what is not sealed is lost if loopview is killed.
    const AGE: std::time::Duration = std::time::Duration::from_secs(1);
    /// Frames take at least this many times the bytes of the keyframes between them.
    const SPARSE: u64 = 4;
    /// Fewer bytes of frames are read so fast that no keyframe is needed.
    const NEAR: u64 = 48 * 1024;

    pub fn new(target: Target, thresholds: Thresholds, limits: Limits) -> Self {
        Self {
            target,
            thresholds,
            sealed: VecDeque::new(),
            first: 0,
            dropped: 0,
            open: Open::default(),
            limits,
            in_memory: 0,
            in_all: 0,
            since_keyframe: 0,
            keyframe: 0,
        }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The model before the first frame.
    pub fn beginning(&self) -> Model {
        Model::with_thresholds(self.target.clone(), &self.thresholds)
    }

    /// Adds a frame, or, if it is greater than a chunk may be, that it is missing. What was open
    /// before it is sealed if it is enough, and told then.
    pub(super) fn append(&mut self, frame: &Frame) -> std::io::Result<Option<Chunk>> {
        let mut bytes = Vec::new();
        frames::write(frame, &mut bytes);
        if bytes.len() > MOST as usize {
            bytes.clear();
            let missing = Event::Gap(Gap::Missing { frames: 1 });
            frames::write(&Frame::new(frame.at, missing), &mut bytes);
        }
        let at = self.open.last.max(frame.at);
        let full = self.open.bytes.len() + bytes.len() > Self::CHUNK
            || at.since(self.open.first) >= Self::AGE;
        let sealed = if full { self.seal()? } else { None };
        if self.open.frames == 0 {
            self.open.first = at;
            self.open.bytes = bytes;
        } else {
            self.open.bytes.extend_from_slice(&bytes);
        }
        self.open.last = at;
        self.open.frames += 1;
        Ok(sealed)
    }

    /// Seals what is open, if there is anything.
    pub(super) fn seal(&mut self) -> std::io::Result<Option<Chunk>> {
        if self.open.frames == 0 {
            return Ok(None);
        }
        let bytes = std::mem::take(&mut self.open.bytes);
        let head = Head {
            kind: Kind::Frames,
            frames: std::mem::take(&mut self.open.frames),
            stored: 0,
            first: self.open.first,
            last: self.open.last,
        };
        let chunk = Chunk::seal(head, &bytes)?;
        self.push(chunk.clone(), true);
        Ok(Some(chunk))
    }

    /// Adds a chunk after those that are sealed.
    pub(super) fn push(&mut self, chunk: Chunk, usable: bool) {
        let length = chunk.length();
        match chunk.head.kind {
            Kind::Keyframe => {
                self.keyframe = length;
                self.since_keyframe = 0;
            }
            _ => self.since_keyframe = self.since_keyframe.saturating_add(length),
        }
        let before = self.open.before;
        self.open.before = before.saturating_add(u64::from(chunk.head.frames));
        self.open.last = self.open.last.max(chunk.head.last);
        self.in_all += length;
        if matches!(chunk.body, Body::Memory(_)) {
            self.in_memory += length;
        }
        self.sealed.push_back(Sealed {
            chunk,
            before,
            usable,
        });
        self.bound();
    }

    /// Drops what is too much. What is left begins with a keyframe, or nobody could go on
    /// from there.
    fn bound(&mut self) {
        if self.in_all <= self.limits.total {
            return;
        }
        while let Some(first) = self.sealed.front() {
            let starts = first.usable && first.chunk.head.kind == Kind::Keyframe;
            if self.in_all <= self.limits.total && starts {
                return;
            }
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(Sealed { chunk, .. }) = self.sealed.pop_front() {
            self.first += 1;
            self.dropped += u64::from(chunk.head.frames);
            self.in_all -= chunk.length();
            if matches!(chunk.body, Body::Memory(_)) {
                self.in_memory -= chunk.length();
            }
        }
    }

    /// A keyframe would be worth its bytes now.
    pub(super) fn wants_keyframe(&self) -> bool {
        let enough = self.keyframe.saturating_mul(Self::SPARSE).max(Self::NEAR);
        self.since_keyframe >= enough
    }

    /// There can be no keyframe here: it is not to be asked for again at once.
    pub(super) fn go_without_keyframe(&mut self) {
        self.since_keyframe = 0;
    }

    /// The oldest chunk in memory, and its number, if there are too many there.
    pub(super) fn to_spill(&self) -> Option<(u64, Chunk)> {
        if self.in_memory <= self.limits.memory {
            return None;
        }
        let in_memory = |sealed: &&Sealed| matches!(sealed.chunk.body, Body::Memory(_));
        let at = self.sealed.iter().position(|sealed| in_memory(&sealed))?;
        let chunk = self.sealed.get(at)?.chunk.clone();
        Some((self.first + at as u64, chunk))
    }

    /// The bytes of this chunk are somewhere else now.
    pub(super) fn moved(&mut self, number: u64, body: Body) {
        if let Some(sealed) = self.at(number) {
            let length = sealed.chunk.length();
            sealed.chunk.body = body;
            self.in_memory -= length;
        }
    }

    /// There is no other place than memory.
    pub(super) fn stay_in_memory(&mut self) {
        self.limits.total = self.limits.memory;
        self.limits.memory = u64::MAX;
        self.bound();
    }

    /// This keyframe has proved useless.
    pub(super) fn distrust(&mut self, number: u64) {
        if let Some(sealed) = self.at(number) {
            sealed.usable = false;
        }
    }

    fn at(&mut self, number: u64) -> Option<&mut Sealed> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.sealed.get_mut(at)
    }

    /// Frames told so far, those that were dropped included.
    pub fn end(&self) -> u64 {
        self.open.before.saturating_add(u64::from(self.open.frames))
    }

    /// Frames of the beginning that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The latest time.
    pub fn latest(&self) -> Time {
        self.open.last
    }

    /// From when to when one can go; nothing if there is nothing.
    pub fn range(&self) -> Option<(Time, Time)> {
        let first = match self.sealed.front() {
            Some(sealed) => sealed.chunk.head.first,
            None if self.open.frames > 0 && self.first == 0 => self.open.first,
            None => return None,
        };
        Some((first, self.latest()))
    }

    /// The number of the chunk that is not sealed yet.
    fn open_number(&self) -> u64 {
        self.first + self.sealed.len() as u64
    }

    /// The last place from which a reader can start that comes no later than `fits` says of
    /// the frames and the time there. Nothing if there is none, as the beginning was dropped.
    pub(super) fn start(&self, fits: impl Fn(u64, Time) -> bool) -> Option<Start> {
        // The places of chunks are in order.
        let after = self
            .sealed
            .partition_point(|sealed| fits(sealed.before, sealed.chunk.head.first));
        let usable = |sealed: &Sealed| sealed.usable && sealed.chunk.head.kind == Kind::Keyframe;
        let keyframe = (0..after).rev().find(|at| usable(&self.sealed[*at]));
        match keyframe.or_else(|| self.sealed.front().filter(|s| usable(s)).map(|_| 0)) {
            Some(at) => {
                let sealed = &self.sealed[at];
                let number = self.first + at as u64;
                Some(Start {
                    keyframe: Some((number, sealed.chunk.clone())),
                    chunk: number + 1,
                    frames: sealed.before,
                    time: sealed.chunk.head.last,
                })
            }
            None => (self.first == 0).then_some(Start {
                keyframe: None,
                chunk: 0,
                frames: 0,
                time: Time::default(),
            }),
        }
    }

    /// What lies at this number, from `offset` on if it is not sealed.
    pub(super) fn piece(&self, number: u64, offset: usize) -> Piece {
        if number >= self.open_number() {
            let bytes = self.open.bytes.get(offset..).unwrap_or_default();
            return Piece::Open(bytes.to_vec());
        }
        let at = number.checked_sub(self.first);
        let sealed = at.and_then(|at| self.sealed.get(usize::try_from(at).ok()?));
        sealed.map_or(Piece::Gone, |sealed| Piece::Sealed(sealed.chunk.clone()))
    }
}
