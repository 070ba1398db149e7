//! All that loopview can show of a model.

use crossterm::event::{KeyCode, KeyEvent};
use loopview::{
    frame::Frame,
    keymap::KEYS,
    model::Model,
    sink::{self, Encoder, Outcome, Prometheus, Report, csv, trace::Trace},
    view::{self, Options, ViewState},
};
use ratatui::{buffer::Buffer, layout::Rect};

use crate::piece;

/// The key that a byte stands for: mostly one that does something.
pub fn key(byte: u8) -> KeyEvent {
    let keys = KEYS.iter().flat_map(|binding| binding.keys);
    match keys.cycle().nth(usize::from(byte)) {
        Some(key) if byte < 224 => KeyEvent::from(key.code),
        _ => KeyEvent::from(KeyCode::Char(char::from(byte))),
    }
}

/// A size that a byte stands for: small ones are where sums go wrong.
pub fn size(byte: u8) -> (u16, u16) {
    let byte = u16::from(byte);
    (1 + byte % 16 * 10, 1 + byte / 16 * 4)
}

/// Writes what an export would, frame by frame.
pub fn export(frames: &[Frame]) {
    let mut encoders: [Box<dyn Encoder>; 4] = [
        Box::new(Trace::default()),
        Box::new(csv::Tasks::default()),
        Box::new(csv::Timers::default()),
        Box::new(csv::Polls::default()),
    ];
    for encoder in &mut encoders {
        let mut model = Model::new(piece::target());
        let mut text = String::new();
        encoder.begin(&model, &mut text);
        for frame in frames {
            model.apply(frame);
            encoder.frame(frame, &model, &mut text);
        }
        encoder.end(&model, &mut text);
    }
}

/// Reports it and draws it, after some keys.
pub fn at(model: &Model, keys: &[u8]) {
    let report = Report::new(model, Outcome::of(model, false));
    sink::json::encode(&report);
    sink::text::encode(&report);
    Prometheus::default().encode(model);

    let (width, height) = size(keys.first().copied().unwrap_or(0x9c));
    let mut state = ViewState::new(Options::default());
    state.resize(width, height);
    state.sync(model);
    for byte in keys {
        if let Some(action) = state.action(key(*byte)) {
            let _ = state.act(action, model);
        }
    }
    let mut screen = Buffer::empty(Rect::new(0, 0, width, height));
    view::paint(&mut screen, model, &state);
}
