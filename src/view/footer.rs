//! The keys that matter here, from the table of keys.
//!
//! ```text
//!  ? help  q quit  Enter details  p pause  Tab pane  z zoom  s sort
//! ```

use crossterm::event::KeyCode;
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

use super::{
    View,
    glyphs::Glyphs,
    moment::{Moment, Past},
    pen::Pen,
    text,
};
use crate::{
    frame::TargetKind,
    keymap::{self, Action, Binding, Key},
    model::Phase,
};

pub struct Footer<'a>(pub(super) View<'a>);

impl Widget for &Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let mut pen = Pen::new(area, 0, buf);
        pen.skip(1);
        for binding in keymap::bindings(view.state.context()) {
            let (Some(label), Some(key)) = (binding.label, binding.keys.first()) else {
                continue;
            };
            if !self.matters(binding) {
                continue;
            }
            let key = key_name(*key, view.glyphs);
            let label = self.label(binding, label);
            if text::width(&key) + 1 + text::width(label) > pen.room() {
                break;
            }
            pen.put(&key, view.theme.key())
                .skip(1)
                .put(label, view.theme.dim())
                .skip(2);
        }
    }
}

impl Footer<'_> {
    /// Some keys matter only at times.
    fn matters(&self, binding: &Binding) -> bool {
        let model = self.0.model;
        match binding.action {
            Action::RunAgain => {
                matches!(model.phase, Phase::Ended(_)) && model.target.kind != TargetKind::Attached
            }
            Action::Now => self.0.state.moment != Moment::Live,
            Action::Lesson => self.0.state.lesson.is_some(),
            _ => true,
        }
    }

    fn label<'a>(&self, binding: &Binding, label: &'a str) -> &'a str {
        match binding.action {
            Action::Pause => match self.0.state.moment {
                Moment::Past(Past { speed: None, .. }) => "go on",
                _ => label,
            },
            Action::Zoom if self.0.state.is_zoomed() => "unzoom",
            _ => label,
        }
    }
}

/// A key as it is written on it.
pub fn key_name(key: Key, glyphs: &Glyphs) -> String {
    let name = match key.code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if key.control => c.to_ascii_uppercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::Up => glyphs.up.to_owned(),
        KeyCode::Down => glyphs.down.to_owned(),
        KeyCode::Left => glyphs.left.to_owned(),
        KeyCode::Right => glyphs.right.to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        code => format!("{code:?}"),
    };
    if key.shift {
        format!("Shift-{name}")
    } else if key.control {
        format!("Ctrl-{name}")
    } else {
        name
    }
}
