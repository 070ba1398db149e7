//! What a person keeps an eye on: marked tasks, one that is followed, and moments; and what
//! is said to the person of it.

use super::{
    View, ViewState,
    glyphs::state_word,
    state::{Effect, Notice},
};
use crate::{
    frame::Time,
    model::{Model, TaskId},
};

impl ViewState {
    /// Says something until the next key.
    pub fn say(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: false,
        });
    }

    /// Says what went wrong.
    pub fn complain(&mut self, words: impl Into<String>) {
        self.notice = Some(Notice {
            words: words.into(),
            bad: true,
        });
    }

    /// Something is said.
    pub fn is_saying(&self) -> bool {
        self.notice.is_some()
    }

    pub(super) fn mark(&mut self, model: &Model) {
        if let Some(task) = self.selected_or_say(model)
            && !self.marks.remove(&task)
        {
            self.marks.insert(task);
        }
    }

    pub(super) fn go_to_mark(&mut self, model: &Model) {
        if !self.go_to_row(1, model, |state, task| state.marks.contains(&task)) {
            self.say("no task of these is marked: m marks one");
        }
    }

    /// Begins to follow the selected task, or ends it.
    pub(super) fn follow(&mut self, model: &Model) {
        if self.followed.take().is_some() {
            self.say("no task is followed any more");
        } else if let Some(task) = self.selected_or_say(model) {
            self.followed = Some(task);
            let words = format!("{} is followed: F ends that", self.name(task, model));
            self.say(words);
        }
    }

    /// Keeps the cursor on the followed task, and tells when it has ended.
    pub(super) fn keep_following(&mut self, model: &Model) {
        let Some(id) = self.followed else { return };
        match model.tasks.get(id) {
            Some(task) if !task.is_done() => {
                if self.lists.tasks.contains(&id) {
                    self.choose_task(id, model);
                }
            }
            ended => {
                self.followed = None;
                let view = View::new(model, self);
                let words = ended.map_or_else(
                    || "The task that was followed has been forgotten".to_owned(),
                    |task| {
                        let word = state_word(model.state(task));
                        let lived = view.duration(task.total(model.now));
                        format!("{} has ended: {word}, after {lived}", view.label(task))
                    },
                );
                self.say(words);
            }
        }
    }

    /// The task's number, for the clipboard.
    pub(super) fn copy_id(&mut self, model: &Model) -> Option<Effect> {
        let task = self.selected_or_say(model)?;
        let number = model.tasks.get(task)?.number().to_string();
        Some(self.copy(&number))
    }

    /// Where the task was spawned, for the clipboard.
    pub(super) fn copy_place(&mut self, model: &Model) -> Option<Effect> {
        let task = self.selected_or_say(model)?;
        let Some(location) = model.tasks.get(task)?.location.as_ref() else {
            self.say("where this task was spawned is not known");
            return None;
        };
        let location = location.to_string();
        Some(self.copy(&location))
    }

    /// Nothing that is pasted somewhere may press a key there.
    fn copy(&mut self, text: &str) -> Effect {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.say(format!("{text} is copied, if the terminal lets it be"));
        Effect::Copy(text)
    }

    pub(super) fn bookmark(&mut self, model: &Model) {
        self.bookmarks.push(model.now);
        let since = View::new(model, self).since_start(model.now);
        let number = self.bookmarks.len();
        self.say(format!(
            "bookmark {number} is {since}: the commands lead back to it"
        ));
    }

    /// The task that keys are about: the one whose details are open, or the row's.
    pub(super) fn selected(&self, model: &Model) -> Option<TaskId> {
        match self.details {
            Some(open) => Some(open.task),
            None => self.task_at(self.focus, self.cursor_row(), model),
        }
    }

    fn selected_or_say(&mut self, model: &Model) -> Option<TaskId> {
        let selected = self.selected(model);
        if selected.is_none() {
            self.say("no task is selected here");
        }
        selected
    }

    fn name(&self, task: TaskId, model: &Model) -> String {
        View::new(model, self).label_of(task)
    }
}

impl View<'_> {
    /// "1.80 s after the start".
    pub(super) fn since_start(self, at: Time) -> String {
        let started = self.model.started.unwrap_or(at);
        format!("{} after the start", self.duration(at.since(started)))
    }
}
