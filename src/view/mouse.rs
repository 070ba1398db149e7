//! What the mouse does. What is under the pointer is asked of those who draw it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{
    View, ViewState,
    chooser::Chooser,
    chosen::Column,
    cursor::Motion,
    footer::Footer,
    layout::Pane,
    palette::Palette,
    popup::Popup,
    state::{Asked, Effect},
    tab::{Tab, Tabs},
    tasks, timeline,
};
use crate::{
    keymap::{Action, Context},
    model::Model,
};

/// Something done with the mouse, and where.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mouse {
    pub at: Position,
    pub gesture: Gesture,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Gesture {
    /// With the left button.
    Press,
    /// With the left button held.
    Drag,
    /// Of the left button.
    Release,
    WheelUp,
    WheelDown,
}

impl Mouse {
    /// `None` for what means nothing here.
    pub fn from_event(event: MouseEvent) -> Option<Self> {
        let gesture = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => Gesture::Press,
            MouseEventKind::Drag(MouseButton::Left) => Gesture::Drag,
            MouseEventKind::Up(MouseButton::Left) => Gesture::Release,
            MouseEventKind::ScrollUp => Gesture::WheelUp,
            MouseEventKind::ScrollDown => Gesture::WheelDown,
            _ => return None,
        };
        Some(Self {
            at: Position::new(event.column, event.row),
            gesture,
        })
    }
}

/// What is under the pointer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Hit {
    Tab(Tab),
    /// A key that the footer names.
    Key(Action),
    /// An entry of the list of commands.
    Command(usize),
    /// A row of the list of columns.
    Column(usize),
    /// Beside what lies over the panes.
    Beside,
    /// A lesson's page beside the panes.
    Lesson,
    /// A pane, but none of its rows or titles.
    Pane(Pane),
    Title(Column),
    Row(Pane, usize),
    /// A lane of the timeline, and a cell of it.
    Lane(usize, Option<usize>),
}

/// Rows that a notch of the wheel moves.
pub(super) const NOTCH: isize = 3;

impl ViewState {
    /// Does what the mouse asks for, and tells what others must do.
    pub fn mouse(&mut self, mouse: Mouse, model: &Model) -> Option<Effect> {
        let hit = View::new(model, self).hit(mouse.at);
        match mouse.gesture {
            Gesture::Press => return self.press(hit?, model),
            Gesture::Drag => self.drag(hit?, model),
            Gesture::Release => self.timeline.finish(model),
            Gesture::WheelUp => self.wheel(hit, -NOTCH, model),
            Gesture::WheelDown => self.wheel(hit, NOTCH, model),
        }
        None
    }

    fn press(&mut self, hit: Hit, model: &Model) -> Option<Effect> {
        match hit {
            Hit::Tab(tab) => return self.act(Action::Tab(tab), model),
            Hit::Key(action) => return self.act(action, model),
            Hit::Beside => return self.act(Action::Leave, model),
            Hit::Command(at) => return self.do_command_at(at, model),
            Hit::Column(at) => {
                self.asked = Some(Asked::Columns(super::chooser::Choosing { at }));
                self.take_column();
            }
            Hit::Lesson => {
                if let Some(reading) = &mut self.reading {
                    reading.focused = true;
                }
            }
            Hit::Pane(pane) => self.focus(pane, model),
            Hit::Title(column) => {
                self.focus(Pane::Tasks, model);
                if let Some(by) = column.sort() {
                    self.sort_by(by, model);
                }
            }
            Hit::Lane(row, cell) => {
                self.focus(Pane::Timeline, model);
                self.step_to(row, model);
                if let Some(cell) = cell {
                    self.timeline.begin(cell, model);
                }
            }
            Hit::Row(pane, row) => {
                let focused = self.context() == Context::Pane(pane);
                let again = focused && self.cursor_row() == row;
                self.focus(pane, model);
                if again {
                    return self.act(Action::Enter, model);
                }
                self.step_to(row, model);
            }
        }
        None
    }

    /// Within the pane that has the focus the cursor goes along; in the timeline, time is chosen.
    fn drag(&mut self, hit: Hit, model: &Model) {
        if let Hit::Lane(_, Some(cell)) = hit {
            self.timeline.stretch(cell, model);
        } else if let Hit::Row(pane, row) = hit
            && self.context() == Context::Pane(pane)
        {
            self.step_to(row, model);
        }
    }

    fn focus(&mut self, pane: Pane, model: &Model) {
        self.notice = None;
        self.look_up();
        if self.focus != pane {
            self.focus = pane;
            self.sync(model);
        }
    }

    /// Over a pane it scrolls that, and elsewhere what lies over the panes.
    fn wheel(&mut self, hit: Option<Hit>, by: isize, model: &Model) {
        let pane = match hit {
            Some(Hit::Pane(pane) | Hit::Row(pane, _)) => pane,
            Some(Hit::Lane(..)) => Pane::Timeline,
            Some(Hit::Title(_)) => Pane::Tasks,
            Some(Hit::Lesson) => return self.read(by, model),
            _ if matches!(self.context(), Context::Pane(_)) => return,
            _ => return self.step(by, model),
        };
        self.move_cursor(pane, Motion::Scroll(by), model);
    }
}

impl View<'_> {
    fn hit(self, at: Position) -> Option<Hit> {
        let state = self.state;
        let screen = state.screen(state.area(), self.model);
        if screen.tabs.contains(at) && state.asked.is_none() && state.help.is_none() {
            return Tabs(self).at(screen.tabs, at.x).map(Hit::Tab);
        }
        if screen.footer.contains(at) && !matches!(state.asked, Some(Asked::Filter(_))) {
            return Footer(self).at(screen.footer, at.x).map(Hit::Key);
        }
        match &state.asked {
            Some(Asked::Command(typing)) => {
                let palette = Palette(self, typing);
                let entry = palette.at(screen.body, at).map(Hit::Command);
                return entry.or_else(|| beside(Palette::area(screen.body), at));
            }
            Some(Asked::Columns(choosing)) => {
                let chooser = Chooser(self, *choosing);
                let row = chooser.at(screen.body, at).map(Hit::Column);
                return row.or_else(|| beside(chooser.area(screen.body), at));
            }
            Some(Asked::Filter(_)) | None => {}
        }
        if screen.beside.contains(at) && state.help.is_none() {
            return Some(Hit::Lesson);
        }
        if state.context() == Context::Overlay {
            // How many lines it has is not known here, but it is never wider than this.
            let widest = Popup::area(screen.body, usize::MAX);
            return beside(widest, at);
        }
        if state.details.is_some() {
            return None;
        }
        let (pane, area) = screen.panes.iter().find(|(_, area)| area.contains(at))?;
        Some(self.hit_pane(*pane, *area, at))
    }

    fn hit_pane(self, pane: Pane, area: Rect, at: Position) -> Hit {
        let state = self.state;
        if pane == Pane::Timeline {
            let plan = timeline::Plan::new(area);
            let (_, height) = plan.size();
            let top = state.sight(pane).top(height);
            let lane = plan.at(at).map(|(row, cell)| Hit::Lane(top + row, cell));
            return lane.unwrap_or(Hit::Pane(pane));
        }
        let line = at.y - area.y;
        let count = state.row_count(pane);
        if line < pane.head() || count == 0 {
            let title = line == 1 && pane == Pane::Tasks && count > 0;
            let column = title.then(|| tasks::column_at(state, area, at.x)).flatten();
            return column.map_or(Hit::Pane(pane), Hit::Title);
        }
        let rows = usize::from(area.height.saturating_sub(pane.head()));
        let top = state.sight(pane).top(rows);
        let row = top + usize::from(line - pane.head());
        if row < count {
            Hit::Row(pane, row)
        } else {
            Hit::Pane(pane)
        }
    }
}

fn beside(area: Rect, at: Position) -> Option<Hit> {
    (!area.contains(at)).then_some(Hit::Beside)
}
