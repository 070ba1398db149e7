//! The thread that keeps what is told: it fills the history, and a recording if there is one,
//! while whoever draws goes on drawing.
//!
//! It has a model of its own for keyframes, made of the same frames: to copy that of whoever
//! draws would keep the screen waiting.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use super::{Chunk, History, Journal, Limits, Writer, spill::Spill};
use crate::{
    frame::{Event, Frame, Gap},
    model::Model,
};

/// Frames that are given to the thread at once, at most: each time it may have to be woken, which
/// takes longer than most frames do.
const BATCH: usize = 16;
/// How often that may be while it is busy: at most so many times [`BATCH`] frames wait.
const QUEUE: usize = 512;

/// Gives frames to the thread. It never waits for it.
#[derive(Debug)]
pub struct Scribe {
    orders: SyncSender<Order>,
    history: History,
    shared: Arc<Shared>,
    /// Frames for which there was no room in the queue.
    missed: u64,
    /// The thread's model lacks something that the live one has.
    owes_model: bool,
    thread: Option<JoinHandle<()>>,
}

/// How a recording fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    None,
    /// It is being written.
    On(PathBuf),
    /// It is complete, and so many bytes long.
    Closed(PathBuf, u64),
    /// It could not go on. What was written can be read.
    Failed(PathBuf, String),
}

impl Status {
    /// What a person is told of it.
    pub fn words(&self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::On(path) => format!("recording to {}", path.display()),
            Self::Closed(path, bytes) => {
                let kb = bytes.div_ceil(1_000);
                format!("recorded {}, {kb} kB", path.display())
            }
            Self::Failed(path, error) => {
                let path = path.display();
                format!("cannot go on recording to {path}: {error}; what was written can be read")
            }
        })
    }
}

#[derive(Debug, Default)]
struct Shared {
    status: Mutex<Status>,
    /// Why the history is shorter than it may be.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    fn set(&self, status: Status) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

#[derive(Debug)]
enum Order {
    Frames(Vec<Frame>),
    /// What the thread's own model lacks is in this one.
    Model(Box<Model>),
    Record(PathBuf, Box<Writer>),
    Stop,
}

impl Scribe {
    /// `model` is the model as it is before the first frame.
    pub fn start(model: &Model, limits: Limits) -> io::Result<Self> {
        let history = History::new(Journal::new(
            model.target.clone(),
            model.lints.thresholds.clone(),
            limits,
        ));
        let shared = Arc::new(Shared::default());
        let (orders, inbox) = sync_channel(QUEUE);
        let desk = Desk {
            history: history.clone(),
            model: model.clone().for_keyframes(),
            shared: shared.clone(),
            spill: Spill::default(),
            recording: None,
        };
        let thread = thread::Builder::new()
            .name("scribe".to_owned())
            .spawn(move || desk.work(&inbox))?;
        Ok(Self {
            orders,
            history,
            shared,
            missed: 0,
            owes_model: false,
            thread: Some(thread),
        })
    }

    pub fn history(&self) -> &History {
        &self.history
    }

    /// Applies frames to the model, and keeps them.
    ///
    /// If frames come faster than they can be kept, some are missing in the history. This
    /// is told to both, and what follows begins with the model as it is.
    pub fn take(&mut self, frames: impl IntoIterator<Item = Frame>, model: &mut Model) {
        let mut batch = Vec::new();
        for frame in frames {
            model.apply(&frame);
            batch.push(frame);
            if batch.len() == BATCH {
                self.hand_over(std::mem::take(&mut batch), model);
            }
        }
        self.hand_over(batch, model);
    }

    /// Gives the thread frames that were applied to the model.
    fn hand_over(&mut self, mut frames: Vec<Frame>, model: &mut Model) {
        let Some(last) = frames.last() else { return };
        let (count, at) = (frames.len() as u64, last.at);
        // What is missing is told to the model once the history has it.
        let mut gap = None;
        if self.missed > 0 {
            let missing = self.missed.saturating_add(count);
            let told = Frame::new(at, Event::Gap(Gap::Missing { frames: missing }));
            gap = Some(told.clone());
            frames = vec![told];
        }
        if self.orders.try_send(Order::Frames(frames)).is_err() {
            self.missed = self.missed.saturating_add(count);
            return;
        }
        if let Some(gap) = gap {
            model.apply(&gap);
            self.missed = 0;
            self.owes_model = true;
        }
        if self.owes_model {
            let order = Order::Model(Box::new(model.clone()));
            self.owes_model = self.orders.try_send(order).is_err();
        }
    }

    /// Begins a recording of what `model` is the model of, as it is now.
    pub fn record(&mut self, path: &Path, model: &Model) -> io::Result<()> {
        let writer = Writer::create(path, model)?;
        self.shared.set(Status::On(path.to_owned()));
        let order = Order::Record(path.to_owned(), Box::new(writer));
        // The person waits for this, and the queue is short.
        let _ = self.orders.send(order);
        Ok(())
    }

    /// Ends the recording.
    pub fn stop(&mut self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// How the recording fares, if there is or was one.
    pub fn status(&self) -> Status {
        let status = self.shared.status.lock();
        status.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What keeps the history shorter than it may be.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.shared.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all is written, and ends the recording.
    pub fn finish(mut self) -> Status {
        self.stop();
        self.end();
        self.status()
    }

    fn end(&mut self) {
        // The thread ends with its orders.
        let (closed, _) = sync_channel(0);
        self.orders = closed;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread's own side.
struct Desk {
    history: History,
    /// What all frames so far have made, for keyframes.
    model: Model,
    shared: Arc<Shared>,
    spill: Spill,
    recording: Option<(PathBuf, Writer)>,
}

impl Desk {
    fn work(mut self, inbox: &Receiver<Order>) {
        while let Ok(order) = inbox.recv() {
            match order {
                Order::Frames(frames) => frames.iter().for_each(|frame| self.frame(frame)),
                Order::Model(model) => {
                    self.model = model.for_keyframes();
                    self.keyframe();
                }
                Order::Record(path, writer) => {
                    self.seal();
                    self.close();
                    self.recording = Some((path, *writer));
                    // At the very beginning there is nothing to go on from.
                    if self.model.started.is_some() {
                        self.keyframe();
                    }
                }
                Order::Stop => {
                    self.seal();
                    self.close();
                }
            }
        }
        self.seal();
        self.close();
    }

    fn frame(&mut self, frame: &Frame) {
        let appended = self.history.append(frame);
        self.keep(appended);
        self.model.apply(frame);
        if self.history.wants_keyframe() {
            self.keyframe();
        }
    }

    fn keyframe(&mut self) {
        self.seal();
        let sealed = self.history.keyframe(&self.model);
        self.keep(Ok(sealed));
    }

    fn seal(&mut self) {
        let sealed = self.history.seal();
        self.keep(sealed);
    }

    /// Writes what was sealed to where it belongs.
    fn keep(&mut self, sealed: io::Result<Option<Chunk>>) {
        let Some(chunk) = sealed.transpose() else {
            return;
        };
        if let Some((path, writer)) = &mut self.recording
            && let Err(error) = chunk.and_then(|chunk| writer.write(&chunk))
        {
            self.shared
                .set(Status::Failed(std::mem::take(path), error.to_string()));
            self.recording = None;
        }
        self.make_room();
    }

    /// Moves what is too much for memory. The journal is not held while a disk is waited for.
    fn make_room(&mut self) {
        loop {
            let next = self.history.journal().to_spill();
            let Some((number, chunk)) = next else { return };
            match chunk.bytes().and_then(|bytes| self.spill.write(&bytes)) {
                Ok(body) => self.history.journal().moved(number, body),
                Err(error) => {
                    let trouble = self.shared.trouble.lock();
                    *trouble.unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    self.history.journal().stay_in_memory();
                }
            }
        }
    }

    fn close(&mut self) {
        if let Some((path, writer)) = self.recording.take() {
            self.shared.set(match writer.close() {
                Ok(bytes) => Status::Closed(path, bytes),
                Err(error) => Status::Failed(path, error.to_string()),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{
        frame::{Target, TargetKind, Time},
        recording::Goal,
    };

    /// The thread cannot go on while the journal is held here, so the queue fills.
    #[test]
    fn what_comes_too_fast_is_told_and_the_rest_is_kept() {
        let target = Target {
            name: "any".to_owned(),
            kind: TargetKind::Program,
        };
        let mut model = Model::new(target);
        let mut scribe = Scribe::start(&model, Limits::default()).expect("a thread");
        let history = scribe.history().clone();
        let frame = |at| Frame::new(Time::from_nanos(at), Event::Silence);

        let held = history.journal();
        let mut at = 0;
        while scribe.missed == 0 {
            at += 1;
            scribe.take([frame(at)], &mut model);
        }
        scribe.take([frame(at + 1)], &mut model);
        assert_eq!(scribe.missed, 2);
        assert_eq!(model.lost.frames, 0);
        drop(held);
        // There is room again once the thread has begun to work.
        let mut more = 0;
        while scribe.missed > 0 || scribe.owes_model {
            more += 1;
            scribe.take([frame(at + 1 + more)], &mut model);
            thread::yield_now();
        }
        assert!(model.lost.frames >= 3, "{:?}", model.lost);
        assert_eq!(scribe.finish(), Status::None);
        let end = Goal::Frame(history.end());
        let found = history.seek(end, &AtomicBool::new(false)).expect("sound");
        let (kept, _) = found.expect("a moment");
        assert_eq!(kept.lost, model.lost);
        assert_eq!(kept.now, model.now);
        assert_eq!(kept.lints.len(), 1);
    }
}
