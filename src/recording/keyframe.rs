//! A keyframe: the model at a moment, as bytes.

use crate::model::Model;

/// Which model it is: that of another loopview may have other fields, or make something else
/// of a frame.
pub(super) const MODEL: &str = env!("LOOPVIEW_MODEL");

/// Bytes of a keyframe: half a chunk, which is a model of 150,000 tasks. One that somebody made
/// up becomes a model of thirty times as many.
const MOST: usize = 32 << 20;

/// Nothing for a model that cannot be kept.
pub(super) fn write(model: &Model) -> Option<Vec<u8>> {
    let bytes = postcard::to_stdvec(model).ok()?;
    (bytes.len() <= MOST).then_some(bytes)
}

/// Nothing if it is no sound model of this loopview's.
pub(super) fn read(bytes: &[u8]) -> Option<Model> {
    if bytes.len() > MOST {
        return None;
    }
    postcard::from_bytes(bytes).ok()
}
