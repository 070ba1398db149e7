//! What the model says, in words: clean, and short enough for a cell of a table.

use std::time::Duration;

use super::{View, fmt, text};
use crate::model::{Kind, Location, Scope, Task, TaskId, Thread, Timer, TimerKind};

/// No name is worth more than this on one line.
pub const NAME: usize = 60;

/// Nor is a sentence, which may hold names and fill a line or be broken into several.
const SENTENCE: usize = 400;

impl View<'_> {
    pub fn clean(self, text: &str) -> String {
        text::fit(text, NAME, self.glyphs)
    }

    /// What is told in a sentence: whoever draws it cuts or breaks it where the room ends.
    pub fn sentence(self, text: &str) -> String {
        text::fit(text, SENTENCE, self.glyphs)
    }

    pub fn duration(self, d: Duration) -> String {
        fmt::duration(d, self.glyphs)
    }

    /// A duration, or the dash for what is not known.
    pub fn known(self, d: Option<Duration>) -> String {
        d.map_or_else(|| self.glyphs.dash.to_owned(), |d| self.duration(d))
    }

    pub fn location(self, location: Option<&Location>) -> Option<String> {
        location.map(|l| self.clean(&l.short()))
    }

    /// A name, in quotes if nothing of it would be seen.
    pub fn named(self, name: &str) -> String {
        let name = self.clean(name);
        if name.trim().is_empty() {
            format!("\"{name}\"")
        } else {
            name
        }
    }

    /// A task's name, behind a mark if the person has set one.
    pub fn label(self, task: &Task) -> String {
        let name = self.named(&task.label());
        if self.state.marks.contains(&task.id) {
            format!("{} {name}", self.glyphs.marked)
        } else {
            name
        }
    }

    /// Where a task without a name was spawned, for a list in which only its number would tell it
    /// from others: in this many cells behind its label, a gap included.
    pub fn origin(self, task: &Task, room: usize) -> String {
        let place = origin(task).map(|place| self.clean(&place));
        let place = place.unwrap_or_default();
        match as_it_fits(&place, room) {
            Some("") | None => String::new(),
            Some(place) => format!(" {place}"),
        }
    }

    /// A thread's name and its number, which is kept where the name is cut: those of the
    /// pool all have the same name.
    pub fn thread(self, thread: &Thread, width: usize) -> String {
        let number = format!(" {}", thread.id);
        let room = width.saturating_sub(number.len());
        text::fit(&thread.name, room, self.glyphs) + &number
    }

    pub fn label_of(self, id: TaskId) -> String {
        self.model
            .tasks
            .get(id)
            .map_or_else(|| self.glyphs.dash.to_owned(), |task| self.label(task))
    }

    /// A task as a sentence names it: "task B", but not "task task 7".
    pub fn task_phrase(self, task: &Task) -> String {
        match task.name {
            _ if task.kind == Kind::Blocking => format!("call {}", self.label(task)),
            Some(_) => format!("task {}", self.label(task)),
            None => self.label(task),
        }
    }

    pub fn longest(self, task: &Task) -> String {
        let (longest, exact) = task.longest_poll(self.model.now);
        let mark = if exact { "" } else { self.glyphs.at_least };
        if task.polls() == 0 {
            self.glyphs.dash.to_owned()
        } else {
            format!("{mark}{}", self.duration(longest))
        }
    }

    /// "sleep 1.20 s", "timeout late 300 ms", "tick in ≈1.20 s".
    pub fn timer(self, timer: &Timer) -> String {
        let (next, kind) = match timer.kind {
            TimerKind::Interval => ("tick in", "tick"),
            kind => (kind.as_str(), kind.as_str()),
        };
        let about = if timer.exact { "" } else { self.glyphs.about };
        let now = self.model.timers_at();
        if let Some(left) = timer.remaining(now) {
            format!("{next} {about}{}", self.duration(left))
        } else if let Some(late) = timer.overdue(now).filter(|d| is_late(*d)) {
            format!("{kind} late {about}{}", self.duration(late))
        } else {
            timer.kind.as_str().to_owned()
        }
    }

    /// "gather 1/3".
    pub fn scope(self, scope: &Scope) -> String {
        let name = self.scope_name(scope);
        match self.state.lists.scopes.get(&scope.id) {
            Some(progress) if progress.all > 1 => {
                format!("{name} {}/{}", progress.done, progress.all)
            }
            _ => name,
        }
    }

    /// Its kind, and its name if it has one of its own.
    pub fn scope_name(self, scope: &Scope) -> String {
        let kind = self.named(&scope.kind);
        match scope.name.as_deref().filter(|name| **name != *scope.kind) {
            Some(name) => format!("{kind} {}", self.named(name)),
            None => kind,
        }
    }
}

/// Where a task was spawned, if nothing else says what it is.
pub fn origin(task: &Task) -> Option<String> {
    let is_numbered = task.name.is_none() && task.kind.is_async() && task.kind != Kind::BlockOn;
    let place = task.location.as_ref().filter(|_| is_numbered)?;
    Some(place.short())
}

pub fn is_late(late: Duration) -> bool {
    late >= Timer::LATE
}

/// What of a place stands in this many cells, a gap included: the line is worth more than the
/// folder, and the folder more than the crate.
fn as_it_fits(place: &str, room: usize) -> Option<&str> {
    let mut all = std::iter::successors(Some(place), |place| Some(place.split_once('/')?.1));
    all.find(|place| text::width(place) < room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_loses_its_crate_before_its_folder() {
        let place = "axum/serve/mod.rs:389";
        for (room, told) in [
            (22, Some(place)),
            (21, Some("serve/mod.rs:389")),
            (16, Some("mod.rs:389")),
            (10, None),
        ] {
            assert_eq!(as_it_fits(place, room), told, "{room}");
        }
    }
}
