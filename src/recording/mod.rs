//! What was told, kept: in memory while a target is watched, and in recordings.
//!
//! | file | what it does |
//! |---|---|
//! | [`frames`] | a frame as protobuf, and back |
//! | [`polls`] | the polls of a frame, in fewer bytes |
//! | [`keyframe`] | the model at a moment, from which one can go on |
//! | [`chunk`] | some frames, or a keyframe: compressed, checked, readable alone |
//! | [`journal`] | all chunks in order, wherever they lie |
//! | [`history`] | a journal that is read while it is written: a seek gives the model |
//! | [`file`] | chunks as a recording |
//! | [`spill`] | chunks for which there is no room in memory |
//! | [`scribe`] | the thread that writes |
//!
//! Frames are the truth. A keyframe only saves the way to it, and one that cannot be used is
//! passed over. `docs/recording.md` describes the file.

mod chunk;
mod file;
mod frames;
mod history;
mod journal;
mod keyframe;
mod polls;
mod scribe;
mod spill;

use std::io;

pub use chunk::Chunk;
pub use file::{Incomplete, Recording, Writer, open};
pub use history::{Cursor, Goal, History};
pub use journal::{Journal, Limits};
pub use scribe::{Scribe, Status};

/// What is wrong with a recording. Fragments that fit after its name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is empty: the recording was never begun")]
    Empty,
    #[error("it is no recording of loopview's")]
    Foreign,
    #[error(
        "it has format {0}, and this loopview reads up to {latest}: a newer one is needed",
        latest = file::FORMAT
    )]
    Newer(u32),
    #[error("it is damaged at byte {at}: {what}")]
    Damaged { at: u64, what: &'static str },
    /// Of a history: it goes on while it is read.
    #[error("that moment is no longer kept")]
    Gone,
    #[error("it breaks off before the first frame")]
    NoFrames,
}
