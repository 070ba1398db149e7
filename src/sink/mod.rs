//! What a target did, written elsewhere than on the screen. A sink reads frames or the
//! model, and gives bytes; writing them is the caller's.

pub mod json;
pub mod report;
pub mod text;

pub use report::{Outcome, Report};
