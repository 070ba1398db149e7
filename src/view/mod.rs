//! The screen: draws a [`Model`] as a [`ViewState`] asks for it, and changes neither.
//!
//! One file a region: [`header`], [`message`], [`tab`], the panes [`tree`], [`tasks`],
//! [`timeline`], [`timers`], [`lateness`], [`blocking`], [`workers`], [`resources`], [`source`],
//! [`lints`], [`explained`] and [`output`], the [`footer`], and over them [`details`] and
//! [`help`]; beside them or over them a [`lesson`]; where they lie is in
//! [`layout`], and [`mouse`] asks it what is under the pointer. What a person types or chooses
//! from: [`find`], [`palette`], [`chooser`]; whom to watch is in [`marks`].
//! [`picker`] is a screen of its own. [`widget`]s know no model. Text from outside goes through
//! [`text`], figures through [`fmt`], colours are in [`theme`], shapes in [`glyphs`].
//!
//! To add a pane, add its file, a variant of [`layout::Pane`], and a line in
//! [`Whole::render`]; to give it a view of its own, a variant of [`Tab`].

mod blocking;
mod chooser;
mod chosen;
mod columns;
mod cursor;
mod details;
mod explained;
mod find;
pub mod fmt;
mod footer;
mod fuzzy;
pub mod glyphs;
mod header;
mod help;
mod input;
mod lateness;
mod layout;
mod lesson;
mod lints;
mod lists;
mod markdown;
mod marks;
mod message;
mod moment;
mod mouse;
mod name_order;
mod output;
mod palette;
mod pane;
mod pen;
pub mod picker;
mod popup;
mod reason;
mod resources;
mod source;
mod state;
mod tab;
mod tasks;
pub mod text;
pub mod theme;
mod timeline;
mod timers;
mod tree;
mod widget;
mod words;
mod workers;
mod wrap;

use ratatui::{Frame, buffer::Buffer, layout::Rect, widgets::Widget};

use crate::model::Model;

use self::{glyphs::Glyphs, state::Asked, theme::Theme};

pub use chosen::{Column, Columns};
pub use layout::Pane;
pub use lesson::Lesson;
pub use lists::{Sort, SortBy};
pub use moment::{Moment, Past, Stride, Travel};
pub use mouse::{Gesture, Mouse};
pub use state::{CELLS, Effect, Options, ViewState};
pub use tab::Tab;
pub use theme::{ColorLevel, ThemeName};
pub use timeline::Jump;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &Model, state: &ViewState) {
    paint(frame.buffer_mut(), model, state);
}

/// Draws the whole screen where there is no terminal.
pub fn paint(screen: &mut Buffer, model: &Model, state: &ViewState) {
    Whole(View::new(model, state)).render(screen.area, screen);
}

/// What every region draws from.
#[derive(Copy, Clone)]
pub(crate) struct View<'a> {
    model: &'a Model,
    state: &'a ViewState,
    theme: Theme,
    glyphs: &'static Glyphs,
}

impl<'a> View<'a> {
    fn new(model: &'a Model, state: &'a ViewState) -> Self {
        Self {
            model,
            state,
            theme: state.options.theme(),
            glyphs: state.options.glyphs(),
        }
    }
}

/// The screen with all that lies over it.
struct Whole<'a>(View<'a>);

impl Widget for Whole<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let area = area.intersection(buf.area);
        let screen = view.state.screen(area, view.model);
        header::Header(view).render(screen.header, buf);
        message::Message(view).render(screen.message, buf);
        tab::Tabs(view).render(screen.tabs, buf);
        if view.state.details.is_some() {
            details::Details(view).render(screen.body, buf);
        } else {
            for (pane, area) in &screen.panes {
                self.divide(*area, screen.body, buf);
                match pane {
                    Pane::Tree => tree::Tree(view).render(*area, buf),
                    Pane::Tasks => tasks::Tasks(view).render(*area, buf),
                    Pane::Timeline => timeline::Timeline(view).render(*area, buf),
                    Pane::Timers => timers::Timers(view).render(*area, buf),
                    Pane::Lateness => lateness::Lateness(view).render(*area, buf),
                    Pane::Blocking => blocking::Blocking(view).render(*area, buf),
                    Pane::Workers => workers::Workers(view).render(*area, buf),
                    Pane::Resources => resources::Resources(view).render(*area, buf),
                    Pane::Waiters => resources::Waiters(view).render(*area, buf),
                    Pane::Source => source::Source(view).render(*area, buf),
                    Pane::Lints => lints::Lints(view).render(*area, buf),
                    Pane::Explained => explained::Explained(view).render(*area, buf),
                    Pane::Output => output::Output(view).render(*area, buf),
                }
            }
        }
        if let Some(reading) = view.state.reading {
            view.lesson(reading, ViewState::place(&screen), buf);
        }
        match &view.state.asked {
            Some(Asked::Filter(finding)) => find::Line(view, finding).render(screen.footer, buf),
            _ => footer::Footer(view).render(screen.footer, buf),
        }
        if view.state.help.is_some() {
            help::Help(view).render(screen.body, buf);
        }
        match &view.state.asked {
            Some(Asked::Command(typing)) => {
                palette::Palette(view, typing).render(screen.body, buf);
            }
            Some(Asked::Columns(choosing)) => {
                chooser::Chooser(view, *choosing).render(screen.body, buf);
            }
            Some(Asked::Filter(_)) | None => {}
        }
    }
}

impl Whole<'_> {
    /// The line at the left of a pane that has another beside it.
    fn divide(&self, area: Rect, body: Rect, buf: &mut Buffer) {
        let Some(x) = area.x.checked_sub(1).filter(|x| *x >= body.x) else {
            return;
        };
        let line = Rect {
            x,
            width: 1,
            ..area
        };
        for row in 0..area.height {
            let symbol = if row == 0 {
                self.0.glyphs.rule
            } else {
                self.0.glyphs.divider
            };
            pen::Pen::new(line, row, buf).put(symbol, self.0.theme.line());
        }
    }
}
