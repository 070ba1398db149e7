//! A journal that is read while it is written. To seek is to make the model of a moment:
//! from the last keyframe before it, and the frames between.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    Error, Journal,
    chunk::{Chunk, Head, Kind},
    frames,
    journal::{Piece, Start},
    keyframe,
};
use crate::{
    decode,
    frame::{Event, Frame, Target, TargetKind, Time},
    model::{Model, Sign, TaskId},
};

/// A journal, for its writer and its readers.
#[derive(Clone, Debug)]
pub struct History(Arc<Mutex<Journal>>);

/// Where to go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To all that was told up to this time.
    Time(Time),
    /// After so many frames.
    Frame(u64),
    /// To the next or the last such thing, seen from after so many frames.
    Sign {
        sign: Sign,
        /// Of this task, if of any.
        task: Option<TaskId>,
        from: u64,
        back: bool,
    },
}

/// A place from which frames are read one by one.
#[derive(Debug)]
pub struct Cursor {
    /// Frames before it.
    frames: u64,
    /// The latest time of them.
    time: Time,
    /// The chunk's number, and where in its content the next frame begins.
    chunk: u64,
    offset: usize,
    read: Read,
    /// The next frame, once it was looked at, and its length.
    next: Option<(Frame, usize)>,
}

/// What was read of a chunk.
#[derive(Debug, Default)]
struct Read {
    bytes: Vec<u8>,
    /// Where in the chunk's content they begin.
    from: usize,
    /// They are all that there will be.
    whole: bool,
}

impl Cursor {
    /// Frames before it.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The latest time of them.
    pub fn time(&self) -> Time {
        self.time
    }

    fn at(start: &Start) -> Self {
        Self {
            frames: start.frames,
            time: start.time,
            chunk: start.chunk,
            offset: 0,
            read: Read::default(),
            next: None,
        }
    }

    /// Reads the next frame from what was read of the chunk.
    fn parse(&mut self) -> Result<bool, Error> {
        let at = self.offset.saturating_sub(self.read.from);
        let rest = self.read.bytes.get(at..).unwrap_or_default();
        let mut left = rest;
        if rest.is_empty() {
            return Ok(false);
        }
        let frame = frames::read(&mut left).map_err(|error| Error::Damaged {
            at: self.offset as u64,
            what: match error {
                decode::Error::TooMuch(_) => "a frame that would take too much memory",
                decode::Error::Cut | decode::Error::Malformed(_) => "a frame that is none",
            },
        })?;
        self.next = Some((frame, rest.len() - left.len()));
        Ok(true)
    }
}

/// How many signs there were, and by which connection they were told: the next counts anew.
struct Signs {
    connection: u32,
    count: u64,
}

impl Signs {
    fn of(model: &Model, sign: Sign, task: Option<TaskId>) -> Self {
        Self {
            connection: model.connection,
            count: model.signs(sign, task),
        }
    }

    /// Goes on to what is told now, and tells whether there was a sign.
    fn went_on_to(&mut self, now: Self) -> bool {
        let before = std::mem::replace(self, now);
        self.connection == before.connection && self.count != before.count
    }
}

impl History {
    pub fn new(journal: Journal) -> Self {
        Self(Arc::new(Mutex::new(journal)))
    }

    /// Another thread that panicked with it left it whole: each change is made at once.
    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn target(&self) -> Target {
        self.journal().target().clone()
    }

    /// The model before the first frame.
    pub fn beginning(&self) -> Model {
        self.journal().beginning()
    }

    /// Adds a frame. Gives what was sealed on the way.
    pub fn append(&self, frame: &Frame) -> io::Result<Option<Chunk>> {
        self.journal().append(frame)
    }

    /// Seals what is open, and gives it.
    pub fn seal(&self) -> io::Result<Option<Chunk>> {
        self.journal().seal()
    }

    /// Adds the model that all frames so far have made: one can go on from there. Nothing if
    /// it cannot be kept; then one has to come from farther.
    ///
    /// What is open has to be sealed before, and this is to be called by who appends.
    pub fn keyframe(&self, model: &Model) -> Option<Chunk> {
        let head = Head::without_frames(Kind::Keyframe, self.journal().latest());
        let chunk = keyframe::write(model).and_then(|content| Chunk::seal(head, &content).ok());
        let mut journal = self.journal();
        match &chunk {
            Some(chunk) => journal.push(chunk.clone(), true),
            None => journal.go_without_keyframe(),
        }
        drop(journal);
        chunk
    }

    /// A keyframe would be worth its bytes now.
    pub fn wants_keyframe(&self) -> bool {
        self.journal().wants_keyframe()
    }

    /// From when to when one can go; nothing if there is nothing.
    pub fn range(&self) -> Option<(Time, Time)> {
        self.journal().range()
    }

    /// Frames told so far.
    pub fn end(&self) -> u64 {
        self.journal().end()
    }

    /// Frames of the beginning that were dropped to bound memory.
    pub fn dropped(&self) -> u64 {
        self.journal().dropped()
    }

    /// The model at a place, and the way on from there: nearer than what is asked where the
    /// history does not go so far. Nothing if there is no such place, or once `enough` is set.
    ///
    /// It reads and applies frames since the last keyframe, which may take longer than a
    /// picture: it belongs on a thread of its own.
    pub fn seek(&self, goal: Goal, enough: &AtomicBool) -> Result<Option<(Model, Cursor)>, Error> {
        let Goal::Sign {
            sign,
            task,
            from,
            back,
        } = goal
        else {
            return self.go(
                |frames, time| match goal {
                    Goal::Time(goal) => time <= goal,
                    Goal::Frame(goal) => frames <= goal,
                    Goal::Sign { .. } => false,
                },
                enough,
            );
        };
        if back {
            return self.look_back(sign, task, from, enough);
        }
        let Some((mut model, mut cursor)) = self.seek(Goal::Frame(from), enough)? else {
            return Ok(None);
        };
        let mut before = Signs::of(&model, sign, task);
        while !enough.load(Ordering::Relaxed) && self.step(&mut model, &mut cursor)? {
            if before.went_on_to(Signs::of(&model, sign, task)) {
                return Ok(Some((model, cursor)));
            }
        }
        Ok(None)
    }

    /// The last place before `from` that a sign led to: looked for from one keyframe to the
    /// next, the last ones first.
    fn look_back(
        &self,
        sign: Sign,
        task: Option<TaskId>,
        from: u64,
        enough: &AtomicBool,
    ) -> Result<Option<(Model, Cursor)>, Error> {
        let mut last = from.saturating_sub(1);
        loop {
            let Some((mut model, mut cursor)) = self.start(|frames, _| frames < last)? else {
                return Ok(None);
            };
            let first = cursor.frames;
            let mut count = Signs::of(&model, sign, task);
            let mut found = None;
            while cursor.frames < last && self.step(&mut model, &mut cursor)? {
                if enough.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                if count.went_on_to(Signs::of(&model, sign, task)) {
                    found = Some(cursor.frames);
                }
            }
            if let Some(found) = found {
                return self.seek(Goal::Frame(found), enough);
            }
            if first == 0 || first >= last {
                return Ok(None);
            }
            last = first;
        }
    }

    /// To the last place that still `fits`, by its frames and its time.
    fn go(
        &self,
        fits: impl Fn(u64, Time) -> bool,
        enough: &AtomicBool,
    ) -> Result<Option<(Model, Cursor)>, Error> {
        let Some((mut model, mut cursor)) = self.start(&fits)? else {
            return Ok(None);
        };
        while let Some(time) = self.peek(&mut cursor)? {
            if !fits(cursor.frames + 1, time) {
                break;
            }
            if enough.load(Ordering::Relaxed) {
                return Ok(None);
            }
            self.step(&mut model, &mut cursor)?;
        }
        Ok(Some((model, cursor)))
    }

    /// The last place that fits and can be gone to at once.
    fn start(&self, fits: impl Fn(u64, Time) -> bool) -> Result<Option<(Model, Cursor)>, Error> {
        loop {
            let start = self.journal().start(&fits);
            let Some(start) = start else {
                return Ok(None);
            };
            let Some((number, chunk)) = &start.keyframe else {
                let model = self.beginning();
                return Ok(Some((model, Cursor::at(&start))));
            };
            match chunk.content().map(|content| keyframe::read(&content)) {
                Ok(Some(model)) => return Ok(Some((model, Cursor::at(&start)))),
                // The frames before it are the truth.
                Ok(None) | Err(_) => self.journal().distrust(*number),
            }
        }
    }

    /// After how many frames all begins that is told at the end: with the last connection.
    pub fn last_connection(&self) -> Result<u64, Error> {
        // A program that was started has one alone.
        if self.target().kind != TargetKind::Attached {
            return Ok(0);
        }
        let mut begin = 0;
        let Some((_, mut cursor)) = self.start(|frames, _| frames == 0)? else {
            return Ok(begin);
        };
        while let Some(frame) = self.next(&mut cursor)? {
            if matches!(frame.event, Event::Anew) {
                begin = cursor.frames;
            }
        }
        Ok(begin)
    }

    /// Applies the next frame, if there is one.
    pub fn step(&self, model: &mut Model, cursor: &mut Cursor) -> Result<bool, Error> {
        let Some(frame) = self.next(cursor)? else {
            return Ok(false);
        };
        model.apply(&frame);
        Ok(true)
    }

    /// Takes the next frame, if there is one.
    pub fn next(&self, cursor: &mut Cursor) -> Result<Option<Frame>, Error> {
        self.peek(cursor)?;
        let Some((frame, length)) = cursor.next.take() else {
            return Ok(None);
        };
        cursor.offset += length;
        cursor.frames += 1;
        cursor.time = cursor.time.max(frame.at);
        Ok(Some(frame))
    }

    /// The time there once the next frame is taken, if there is one.
    pub fn peek(&self, cursor: &mut Cursor) -> Result<Option<Time>, Error> {
        while cursor.next.is_none() && !cursor.parse()? {
            let from = if cursor.read.whole { 0 } else { cursor.offset };
            if std::mem::take(&mut cursor.read.whole) {
                cursor.chunk += 1;
                cursor.offset = 0;
            }
            let piece = self.journal().piece(cursor.chunk, from);
            cursor.read = match piece {
                Piece::Gone => return Err(Error::Gone),
                Piece::Open(bytes) if bytes.is_empty() => return Ok(None),
                Piece::Open(bytes) => Read {
                    bytes,
                    from,
                    whole: false,
                },
                Piece::Sealed(chunk) => Read {
                    bytes: match chunk.head.kind {
                        Kind::Frames => chunk.content()?,
                        _ => Vec::new(),
                    },
                    from: 0,
                    whole: true,
                },
            };
        }
        let next = cursor.next.as_ref();
        Ok(next.map(|(frame, _)| cursor.time.max(frame.at)))
    }
}
