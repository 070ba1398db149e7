//! Which pane has the keys, and the way from one to another and back.

use super::{Asked, Reading, ViewState};
use crate::{
    keymap::Context,
    model::{Model, tree::Node},
    view::{layout::Pane, tab::Tab},
};

impl ViewState {
    /// One step towards the overview as it is at first. It never quits.
    pub(super) fn leave(&mut self, model: &Model) {
        if let Some(asked) = self.asked.take() {
            if matches!(asked, Asked::Filter(_)) {
                self.drop_filter(model);
            }
            return;
        }
        if self.help.take().is_some() {
            return;
        }
        if matches!(self.context(), Context::Lesson | Context::Overlay) {
            self.toggle_lesson(model);
            return;
        }
        if self.details.take().is_some() {
            return;
        }
        let first = self.tab.panes()[0];
        if self.zoomed {
            self.zoomed = false;
        } else if self.drop_filter(model) {
            // That was the step.
        } else if self.focus != first {
            self.focus = first;
        } else if self.tab == Tab::Timeline && !self.timeline.is_at_rest() {
            self.timeline.toggle_live(model);
        } else {
            self.show_tab(Tab::Overview, model);
            self.output_end = None;
        }
    }

    pub(in crate::view) fn show_tab(&mut self, tab: Tab, model: &Model) {
        self.details = None;
        self.look_up();
        if tab == self.tab {
            return;
        }
        self.tab = tab;
        self.focus = tab.panes()[0];
        self.zoomed = false;
        self.sync(model);
        if let Some(task) = self.tasks.chosen().filter(|_| tab == Tab::Tree) {
            let rows = self.rows_of(Pane::Tree, model);
            self.tree.choose(Node::Task(task), rows);
        }
        if let Some(task) = self.tasks.chosen().filter(|_| tab == Tab::Timeline) {
            let (_, height) = self.timeline_size(model);
            self.timeline.choose_task(task, height);
        }
    }

    pub(super) fn toggle_lesson(&mut self, model: &Model) {
        if self.reading.take().is_none() {
            self.reading = Some(Reading::NEW);
        }
        // The panes are as many and as high as their width allows.
        self.sync(model);
    }

    /// From the page to what is beside it.
    pub(in crate::view) fn look_up(&mut self) {
        if let Some(reading) = &mut self.reading {
            reading.focused = false;
            reading.zoomed = false;
        }
    }

    /// What has the focus has the whole body.
    pub(in crate::view) fn is_zoomed(&self) -> bool {
        match self.reading {
            Some(reading) if reading.focused => reading.zoomed,
            _ => self.zoomed,
        }
    }

    pub(super) fn zoom(&mut self) {
        match &mut self.reading {
            Some(reading) if reading.focused => reading.zoomed = !reading.zoomed,
            _ => self.zoomed = !self.zoomed,
        }
    }

    /// To the next pane, or the next view where there is no other pane. A page that is open
    /// comes between the last pane and the first.
    pub(super) fn turn(&mut self, by: isize, model: &Model) {
        let panes = self.tab.panes();
        let last = panes.len() - 1;
        let (first, last) = if by > 0 { (0, last) } else { (last, 0) };
        match &mut self.reading {
            Some(reading) if reading.focused => {
                self.look_up();
                self.focus = panes[first];
                self.sync(model);
            }
            Some(reading) if self.focus == panes[last] => reading.focused = true,
            _ if panes.len() > 1 => {
                self.focus = beside(panes, self.focus, by);
                self.sync(model);
            }
            _ => self.show_tab(beside(&Tab::ALL, self.tab, by), model),
        }
    }
}

/// What comes `by` places after this one, around the ends.
fn beside<T: Copy + PartialEq>(all: &[T], this: T, by: isize) -> T {
    let at = all.iter().position(|item| *item == this).unwrap_or(0);
    let len = isize::try_from(all.len()).unwrap_or(1);
    let to = isize::try_from(at).unwrap_or(0).saturating_add(by);
    all[usize::try_from(to.rem_euclid(len)).unwrap_or(0)]
}
