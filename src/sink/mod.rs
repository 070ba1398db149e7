//! What a target did, written elsewhere than on the screen. A sink reads frames or the
//! model, and gives bytes; writing them is the caller's.

pub mod ansi;
pub mod asciicast;
pub mod check;
pub mod csv;
pub mod json;
pub mod palette;
mod polls;
pub mod prometheus;
pub mod report;
pub mod svg;
pub mod text;
pub mod trace;

pub use check::Check;
pub use prometheus::Prometheus;
pub use report::{Outcome, Report};

use crate::{frame::Frame, model::Model};

/// Makes something else of frames as they come. What is made is added to `out`.
pub trait Encoder {
    /// The model before the first frame.
    fn begin(&mut self, model: &Model, out: &mut String);
    /// A frame, and the model after it.
    fn frame(&mut self, frame: &Frame, model: &Model, out: &mut String);
    fn end(&mut self, model: &Model, out: &mut String);
}
