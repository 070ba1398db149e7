//! The filter: what of the tasks is shown, and the line in which a person types that.
//!
//! ```text
//!  / busy>10ms !done█                       Enter keep  Ctrl-G search  Esc drop
//!  / bsy>10ms█  ✖ no field is called so; the nearest is busy
//! ```
//!
//! It filters as one types. While what is typed makes no sense, the last that did holds.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{View, ViewState, footer, input::Input, layout::Pane, pen::Pen, state::Asked, text};
use crate::{
    filter::{Filter, FilterError},
    keymap::{Context, Edit},
    model::{Model, TaskId},
};

/// A filter that holds.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// As it was typed.
    pub text: String,
    pub filter: Filter,
    /// Else it is what `n` and `N` go through.
    pub hides: bool,
}

impl Found {
    /// An empty filter is none.
    fn new(text: &str, filter: Filter) -> Option<Self> {
        (!filter.is_empty()).then(|| Self {
            text: text.trim().to_owned(),
            filter,
            hides: true,
        })
    }
}

/// A filter that is being typed.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub input: Input,
    pub error: Option<FilterError>,
}

impl ViewState {
    /// Asks for a filter, or for a change of the one that holds.
    pub(super) fn ask_filter(&mut self, model: &Model) {
        let text = self.found.as_ref().map_or("", |found| &found.text);
        let input = Input::new(text);
        self.asked = Some(Asked::Filter(Finding { input, error: None }));
        self.find(model);
    }

    /// What is typed holds as soon as it makes sense.
    pub(super) fn find(&mut self, model: &Model) {
        let Some(Asked::Filter(finding)) = &mut self.asked else {
            return;
        };
        let text = finding.input.text();
        match text.parse::<Filter>() {
            Ok(filter) => {
                finding.error = None;
                self.found = Found::new(text, filter);
                self.sync(model);
            }
            Err(error) => finding.error = Some(error),
        }
    }

    /// Ends the typing, unless there is something wrong with what was typed.
    pub(super) fn keep_filter(&mut self, hides: bool, model: &Model) {
        if !matches!(&self.asked, Some(Asked::Filter(finding)) if finding.error.is_none()) {
            return;
        }
        self.asked = None;
        if let Some(found) = &mut self.found {
            found.hides = hides;
        }
        self.sync(model);
    }

    /// A filter in words, as a command gives it.
    pub(super) fn set_filter(&mut self, text: &str, model: &Model) -> Result<(), FilterError> {
        self.found = Found::new(text, text.parse()?);
        self.sync(model);
        Ok(())
    }

    /// Shows everything again; tells whether something was hidden or searched for.
    pub(super) fn drop_filter(&mut self, model: &Model) -> bool {
        let dropped = self.found.take().is_some();
        if dropped {
            self.sync(model);
        }
        dropped
    }

    /// Moves to the next row of the focused pane, or the one before, whose task was searched
    /// for or is marked; around the ends.
    pub(super) fn go_to_found(&mut self, by: isize, model: &Model) {
        let moved = self.go_to_row(by, model, |state, task| {
            state.marks.contains(&task) || (state.found.is_some() && state.lists.is_found(task))
        });
        if !moved {
            self.say("nothing is marked, and / searches for nothing");
        }
    }

    pub(super) fn edit(&mut self, edit: Edit, model: &Model) {
        match &mut self.asked {
            Some(Asked::Filter(finding)) => finding.input.edit(edit),
            Some(Asked::Command(palette)) => palette.edit(edit),
            Some(Asked::Columns(_)) | None => {}
        }
        self.find(model);
    }

    /// Takes in text that was typed or pasted.
    pub fn insert(&mut self, text: &str, model: &Model) {
        match &mut self.asked {
            Some(Asked::Filter(finding)) => finding.input.insert(text),
            Some(Asked::Command(palette)) => palette.insert(text),
            Some(Asked::Columns(_)) | None => {}
        }
        self.find(model);
    }
}

impl View<'_> {
    /// The style of a task's name: another one if it is searched for.
    pub(super) fn name_style(self, task: TaskId, usual: Style) -> Style {
        let searched = self.state.found.as_ref().is_some_and(|found| !found.hides);
        if searched && self.state.lists.is_found(task) {
            self.theme.found()
        } else {
            usual
        }
    }

    /// Of a pane that the filter holds for: how many rows it lets through, and of how many.
    pub(super) fn found_of(self, pane: Pane) -> Option<(usize, usize)> {
        let lists = &self.state.lists;
        match pane {
            Pane::Resources if lists.hides() => Some(self.state.resources.found()),
            _ => lists.found_of(pane),
        }
    }

    /// "3 of 120 · filter busy>10ms", for a pane that the filter holds for.
    pub(super) fn found_words(self, pane: Pane) -> Option<String> {
        let found = self.state.found.as_ref()?;
        let (shown, all) = self.found_of(pane)?;
        let word = if found.hides { "filter" } else { "search" };
        let text = self.clean(&found.text);
        Some(format!(
            "{shown} of {all} {} {word} {text}",
            self.glyphs.dot
        ))
    }
}

/// In the place of the footer.
pub struct Line<'a>(pub(super) View<'a>, pub(super) &'a Finding);

impl Widget for &Line<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (view, finding) = (self.0, self.1);
        let theme = view.theme;
        let mut pen = Pen::new(area, 0, buf);
        pen.skip(1).put("/", theme.key()).skip(1);
        let wrong = finding.error.as_ref();
        let typed = text::width(finding.input.text()) + 1;
        if let Some(error) = wrong {
            // What is wrong has the room that it needs, but for half of the line.
            let why = format!("{} {}", view.glyphs.error, error.why);
            let room = pen.room().saturating_sub(text::width(&why) + 2);
            let width = typed.min(room.max(pen.room() / 2));
            finding
                .input
                .draw(Some(&error.at), width, view.theme, view.glyphs, &mut pen);
            pen.skip(2);
            let why = text::fit(&why, pen.room(), view.glyphs);
            pen.put(&why, theme.bad());
        } else {
            let mut keys = footer::entries(view, Context::Find);
            if typed + footer::width(&keys) + 2 > pen.room() {
                keys.clear();
            }
            let width = pen.room().saturating_sub(footer::width(&keys) + 2);
            finding
                .input
                .draw(None, width, view.theme, view.glyphs, &mut pen);
            pen.skip(2);
            footer::draw(&keys, view.theme, &mut pen);
        }
    }
}
