//! What each action does.

use super::{Asked, CELLS, Effect, Open, ViewState};
use crate::{
    keymap::{Action, Context},
    model::{Model, tree::Node},
    view::{
        chooser::Choosing,
        cursor::Motion,
        layout::Pane,
        moment::{Moment, Stride, Travel},
        tree::TreeState,
    },
};

impl ViewState {
    /// Does what a key asked for, and tells what others must do.
    pub fn act(&mut self, action: Action, model: &Model) -> Option<Effect> {
        self.notice = None;
        match action {
            Action::Quit => return Some(Effect::Quit),
            Action::RunAgain => return Some(Effect::RunAgain),
            Action::GiveUp => return Some(Effect::GiveUp),
            Action::Pause => return Some(Effect::Pause),
            Action::Record => return Some(Effect::Record),
            Action::Now if self.moment == Moment::Live => self.step(isize::MAX, model),
            Action::Back
            | Action::FarBack
            | Action::Forth
            | Action::FarForth
            | Action::FrameBack
            | Action::FrameForth
            | Action::Previous(_)
            | Action::Next(_)
            | Action::Slower
            | Action::Faster
            | Action::Now => return self.travel(action).map(Effect::Travel),
            Action::Help => self.help = Some(0),
            Action::Lesson => self.toggle_lesson(model),
            Action::Leave => self.leave(model),
            Action::Up => self.step(-1, model),
            Action::Down => self.step(1, model),
            Action::PageUp => self.step(-self.page(model), model),
            Action::PageDown => self.step(self.page(model), model),
            Action::First => self.step(isize::MIN, model),
            Action::Last => self.step(isize::MAX, model),
            Action::NextPane => self.turn(1, model),
            Action::PrevPane => self.turn(-1, model),
            Action::Tab(tab) => self.show_tab(tab, model),
            Action::CursorBack => self.timeline.move_cursor(-1, model),
            Action::CursorOn => self.timeline.move_cursor(1, model),
            Action::PanBack => self.timeline.pan(-1, model),
            Action::PanOn => self.timeline.pan(1, model),
            Action::Follow => self.timeline.toggle_live(model),
            Action::Jump(to) => {
                let (_, height) = self.timeline_size(model);
                self.timeline.jump(to, height, model);
            }
            Action::Zoom => self.zoom(),
            Action::Enter => return self.enter(model),
            Action::NextTask => self.open_beside(1, model),
            Action::PrevTask => self.open_beside(-1, model),
            Action::SortNext => self.sort_by(self.sort.by.next(), model),
            Action::SortReverse => self.sort_by(self.sort.by, model),
            Action::Fold if self.sees_timeline() => {
                let (_, height) = self.timeline_size(model);
                self.timeline
                    .fold(model, self.show_done, &self.lists, height);
            }
            Action::Fold => self.fold(model, TreeState::fold),
            Action::FoldAll => self.fold(model, TreeState::fold_all),
            Action::NextFile => {
                let rows = self.rows_of(Pane::Source, model);
                self.source.next_file(model, rows);
            }
            Action::ToggleDone => {
                self.show_done = !self.show_done;
                self.sync(model);
            }
            Action::ToCursor => {
                let step = model.now.since(self.cursor_time(model));
                let (by, back) = (Stride::Time(step), true);
                return Some(Effect::Travel(Travel::Step { by, back }));
            }
            Action::Finer | Action::Coarser if self.sees_timeline() => {
                self.timeline.zoom(action == Action::Finer, model);
            }
            Action::Find => self.ask_filter(model),
            Action::Search => self.keep_filter(false, model),
            Action::NextFound => self.go_to_found(1, model),
            Action::PrevFound => self.go_to_found(-1, model),
            Action::Mark => self.mark(model),
            Action::NextMark => self.go_to_mark(model),
            Action::FollowTask => self.follow(model),
            Action::CopyId => return self.copy_id(model),
            Action::CopyPlace => return self.copy_place(model),
            Action::Bookmark => self.bookmark(model),
            Action::ChooseColumns => self.asked = Some(Asked::Columns(Choosing::default())),
            Action::TakeColumn => self.take_column(),
            Action::ColumnEarlier => self.shift_column(-1),
            Action::ColumnLater => self.shift_column(1),
            Action::Command => self.ask_command(),
            Action::Type(c) => self.insert(c.encode_utf8(&mut [0; 4]), model),
            Action::Edit(edit) => self.edit(edit, model),
            Action::Finer => self.cell = self.cell.saturating_sub(1),
            Action::Coarser => self.cell = (self.cell + 1).min(CELLS.len() - 1),
        }
        None
    }

    /// Where in time an action leads.
    fn travel(&self, action: Action) -> Option<Travel> {
        /// Cells of a history that make a great step.
        const FAR: u32 = 10;
        let step = |by, back| Travel::Step { by, back };
        let time = |cells, back| step(Stride::Time(self.cell() * cells), back);
        let sign = |sign, back| {
            let task = self.watched().or(self.tasks.chosen());
            step(Stride::Sign { sign, task }, back)
        };
        Some(match action {
            Action::Back => time(1, true),
            Action::FarBack => time(FAR, true),
            Action::Forth => time(1, false),
            Action::FarForth => time(FAR, false),
            Action::FrameBack => step(Stride::Frame, true),
            Action::FrameForth => step(Stride::Frame, false),
            Action::Previous(found) => sign(found, true),
            Action::Next(found) => sign(found, false),
            Action::Slower => Travel::Slower,
            Action::Faster => Travel::Faster,
            Action::Now => Travel::Now,
            _ => return None,
        })
    }

    fn sees_timeline(&self) -> bool {
        self.context() == Context::Pane(Pane::Timeline)
    }

    /// What Enter does, by what there is to do.
    fn enter(&mut self, model: &Model) -> Option<Effect> {
        match self.asked {
            Some(Asked::Filter(_)) => self.keep_filter(true, model),
            Some(Asked::Command(_)) => return self.do_command(model),
            Some(Asked::Columns(_)) => self.asked = None,
            None => self.open(model),
        }
        None
    }

    /// Opens the task of the row that the cursor is on.
    fn open(&mut self, model: &Model) {
        if self.focus == Pane::Tree && matches!(self.tree.at(), Some(Node::Scope(_))) {
            self.fold(model, TreeState::fold);
        } else if self.focus == Pane::Resources {
            self.focus = Pane::Waiters;
        } else if let Some(task) = self.task_at(self.focus, self.cursor_row(), model) {
            self.details = Some(Open { task, scroll: 0 });
        }
    }

    fn open_beside(&mut self, by: isize, model: &Model) {
        if let Some(open) = self.details {
            self.choose_task(open.task, model);
        }
        self.move_cursor(Pane::Tasks, Motion::Step(by), model);
        let task = self.lists.tasks.get(self.tasks.row());
        self.details = task.map(|id| Open {
            task: *id,
            scroll: 0,
        });
    }

    fn fold(&mut self, model: &Model, fold: impl FnOnce(&mut TreeState)) {
        fold(&mut self.tree);
        self.sync(model);
    }
}
