//! A keyframe: the model at a moment, as bytes.

use crate::model::Model;

/// Which model it is: that of another loopview may have other fields, or make something else
/// of a frame.
pub(super) const MODEL: &str = env!("LOOPVIEW_MODEL");

/// Nothing for a model that cannot be kept.
pub(super) fn write(model: &Model) -> Option<Vec<u8>> {
    postcard::to_stdvec(model).ok()
}

/// Nothing if it is no sound model of this loopview's.
pub(super) fn read(bytes: &[u8]) -> Option<Model> {
    postcard::from_bytes(bytes).ok()
}
