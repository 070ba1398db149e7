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
    theme::Theme,
};
use crate::{
    frame::TargetKind,
    keymap::{Action, Binding, Context, Key, Line},
    model::Phase,
};

pub struct Footer<'a>(pub(super) View<'a>);

/// A key and what it does, in words.
pub(super) struct Entry {
    pub action: Action,
    key: String,
    label: &'static str,
}

impl Entry {
    /// Under the first key that the line has in a context; nothing if it has none there.
    pub fn new(
        line: &Line,
        context: Context,
        label: &'static str,
        glyphs: &Glyphs,
    ) -> Option<Self> {
        Some(Self {
            action: line.binding.action,
            key: key_name(line.keys_in(context).next()?, glyphs),
            label,
        })
    }

    fn width(&self) -> usize {
        text::width(&self.key) + 1 + text::width(self.label)
    }
}

/// Cells between two entries.
const GAP: usize = 2;

impl Widget for &Footer<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let mut pen = Pen::new(area, 0, buf);
        pen.skip(1);
        draw(&entries(view, view.state.context()), view.theme, &mut pen);
    }
}

impl Footer<'_> {
    /// What the key does that is named at a place of the line.
    pub fn at(&self, area: Rect, x: u16) -> Option<Action> {
        action_at(&entries(self.0, self.0.state.context()), area, x)
    }
}

/// What the key does that is named there, by entries that begin a cell from the left.
pub(super) fn action_at(entries: &[Entry], area: Rect, x: u16) -> Option<Action> {
    let mut from = usize::from(area.x) + 1;
    for entry in entries {
        let to = from + entry.width();
        if to > usize::from(area.right()) {
            return None;
        }
        if (from..to).contains(&usize::from(x)) {
            return Some(entry.action);
        }
        from = to + GAP;
    }
    None
}

/// The keys that matter, the most useful first.
pub(super) fn entries(view: View<'_>, context: Context) -> Vec<Entry> {
    let lines = view.state.options.keys.lines(context);
    let entry = |line: &Line| {
        let binding = line.binding;
        let label = binding.label.filter(|_| matters(view, binding))?;
        Entry::new(
            line,
            context,
            self::label(view, binding, label),
            view.glyphs,
        )
    };
    lines.filter_map(entry).collect()
}

/// Cells that these need.
pub(super) fn width(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.width() + GAP).sum()
}

/// As many as there is room for.
pub(super) fn draw(entries: &[Entry], theme: Theme, pen: &mut Pen<'_>) {
    for entry in entries {
        if entry.width() > pen.room() {
            break;
        }
        pen.put(&entry.key, theme.key())
            .skip(1)
            .put(entry.label, theme.dim())
            .skip(GAP);
    }
}

/// Some keys matter only at times.
fn matters(view: View<'_>, binding: &Binding) -> bool {
    let model = view.model;
    match binding.action {
        Action::RunAgain if model.target.kind == TargetKind::Attached => {
            matches!(model.phase, Phase::Disconnected { .. }) && view.state.moment == Moment::Live
        }
        Action::RunAgain => matches!(model.phase, Phase::Ended(_)),
        Action::GiveUp => is_tried(view),
        Action::Now => view.state.moment != Moment::Live,
        Action::Lesson => view.state.lesson.is_some(),
        _ => true,
    }
}

/// A lost connection is to be made again.
fn is_tried(view: View<'_>) -> bool {
    let trying = matches!(
        view.model.phase,
        Phase::Disconnected {
            trying: Some(_),
            ..
        }
    );
    trying && view.state.moment == Moment::Live
}

fn label(view: View<'_>, binding: &Binding, label: &'static str) -> &'static str {
    match binding.action {
        Action::Pause => match view.state.moment {
            Moment::Past(Past { speed: None, .. }) => "go on",
            _ => label,
        },
        Action::RunAgain if is_tried(view) => "try now",
        Action::RunAgain if view.model.target.kind == TargetKind::Attached => "connect",
        Action::Zoom if view.state.is_zoomed() => "unzoom",
        _ => label,
    }
}

/// A key as it is written on it.
pub fn key_name(key: Key, glyphs: &Glyphs) -> String {
    let arrow = match key.code {
        _ if key.control => None,
        KeyCode::Up => Some(glyphs.up),
        KeyCode::Down => Some(glyphs.down),
        KeyCode::Left => Some(glyphs.left),
        KeyCode::Right => Some(glyphs.right),
        _ => None,
    };
    match arrow {
        Some(arrow) if key.shift => format!("Shift-{arrow}"),
        Some(arrow) => arrow.to_owned(),
        None => key.to_string(),
    }
}
