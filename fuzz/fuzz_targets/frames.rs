//! The wire: what a target may send becomes frames, a model, lints, a
//! report, a picture and exports.

#![no_main]

use libfuzzer_sys::fuzz_target;
use loopview::{frame::Time, model::Model};
use loopview_fuzz::{look, piece};

/// Keys that are pressed before the picture is drawn.
const KEYS: usize = 4;
/// Some moment of 2023.
const START: u64 = 1_700_000_000_000_000_000;

fuzz_target!(|input: &[u8]| {
    let mut input = input;
    let keys = piece::take(&mut input, KEYS);
    let mut model = Model::new(piece::target());
    let mut at = Time::from_nanos(START);
    let mut frames = Vec::new();
    for piece in piece::pieces(input) {
        if let Some(frame) = piece::frame(piece, at) {
            at = frame.at;
            model.apply(&frame);
            frames.push(frame);
        }
    }
    look::at(&model, keys);
    // It takes as long as all else.
    if keys.first().is_some_and(|key| key % 4 == 0) {
        look::export(&frames);
    }
});
