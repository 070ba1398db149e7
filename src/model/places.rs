//! Lines of source: which tasks wait at each, and what the polls that start there take.
//!
//! A task waits where the timer, the lock or the scope that it awaits was made; one that was
//! never polled, where it was spawned. A poll starts where its task waited before it. Where
//! several polls lie between two updates, nobody tells where each of them started, so those
//! are of no line.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Model,
    kept::{self, Sound, Unsound},
    pages::Pages,
    task::{Task, TaskId},
    wait::Wait,
    wire::Location,
};

/// The polls that started at a line.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub polls: u64,
    #[serde(with = "kept::span")]
    pub busy: Duration,
    #[serde(with = "kept::span")]
    pub longest: Duration,
}

impl Place {
    /// How long such a poll takes, on the average.
    pub fn mean(&self) -> Duration {
        let nanos = self.busy.as_nanos() / u128::from(self.polls.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Places {
    lines: Lines,
    tasks: Pages<TaskId, Before>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Lines {
    files: BTreeMap<Box<str>, BTreeMap<u32, Place>>,
    #[serde(skip)]
    count: usize,
}

impl Sound for Places {
    fn sound(mut self) -> Result<Self, Unsound> {
        let files = &self.lines.files;
        self.lines.count = files.values().map(BTreeMap::len).sum();
        let places = self.lines.files.values().flat_map(BTreeMap::values);
        let polls: Vec<u64> = places.map(|place| place.polls).collect();
        kept::countable(&polls)?;
        Ok(self)
    }
}

/// A task between two polls.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Before {
    polls: u64,
    #[serde(with = "kept::span")]
    busy: Duration,
    /// Where the next poll will start.
    at: Option<Location>,
}

impl Places {
    /// The lines of a file at which polls have started.
    pub fn of_file(&self, file: &str) -> impl Iterator<Item = (u32, &Place)> {
        let lines = self.lines.files.get(file).into_iter().flatten();
        lines.map(|(line, place)| (*line, place))
    }

    /// Files in which polls have started, by name.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.lines.files.keys().map(|file| &**file)
    }

    /// Takes note of a task whose figures have changed, and of where it waits now.
    fn note(&mut self, task: &Task, at: Option<&Location>) {
        let running = task.running_since().is_some();
        let ended = task.polls().saturating_sub(u64::from(running));
        let busy = task.ended_busy();
        let before = self.tasks.get_or_insert_with(task.id, || Before {
            polls: 0,
            busy: Duration::ZERO,
            at: task.location.clone(),
        });
        let new = ended.saturating_sub(before.polls);
        let lasted = busy.saturating_sub(before.busy);
        (before.polls, before.busy) = (ended, busy);
        if let Some(at) = before.at.as_ref().filter(|_| new == 1) {
            self.lines.add(at, lasted);
        }
        match (running, new) {
            // The poll that goes on is the first since then.
            (true, 0) => {}
            (true, _) => before.at = None,
            (false, _) if before.at.as_ref() == at => {}
            (false, _) => before.at = at.cloned(),
        }
        if task.is_done() {
            self.tasks.remove(task.id);
        }
    }
}

impl Lines {
    /// No program has so many lines that await; what more a target tells is left out.
    const MOST: usize = 50_000;

    fn add(&mut self, at: &Location, lasted: Duration) {
        let known = self.files.get_mut(&at.file);
        let known = known.and_then(|lines| lines.get_mut(&at.line));
        let place = match known {
            Some(place) => place,
            None if self.count >= Self::MOST => return,
            None => {
                self.count += 1;
                let lines = self.files.entry(at.file.clone()).or_default();
                lines.entry(at.line).or_default()
            }
        };
        place.polls += 1;
        place.busy = place.busy.saturating_add(lasted);
        place.longest = place.longest.max(lasted);
    }
}

impl Model {
    /// Where a task waits: where what it awaits was made, or where it was spawned if it
    /// was not polled yet.
    pub fn place<'a>(&'a self, task: &'a Task) -> Option<&'a Location> {
        if task.polls() == 0 {
            return task.location.as_ref();
        }
        match self.wait(task)? {
            Wait::Timer(timer) => timer.location.as_ref(),
            Wait::Resource(op) => self.resources.outermost(op.resource)?.location.as_ref(),
            Wait::Scope(scope) => scope.location.as_ref(),
            Wait::Task(_) => None,
        }
    }

    /// The live tasks that wait at the lines of a file, in the order of their numbers.
    pub fn waiting_in(&self, file: &str) -> BTreeMap<u32, Vec<TaskId>> {
        let mut lines: BTreeMap<u32, Vec<TaskId>> = BTreeMap::new();
        for task in self.tasks.iter().filter(|t| !t.is_done()) {
            if let Some(at) = self.place(task).filter(|at| *at.file == *file) {
                lines.entry(at.line).or_default().push(task.id);
            }
        }
        lines
    }

    /// Takes note of the tasks that have changed, once all is told of that moment.
    pub(super) fn place_polls(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        for id in std::mem::take(&mut self.changed) {
            if let Some(task) = self.tasks.get(id) {
                places.note(task, self.place(task));
            }
        }
        self.places = places;
    }
}
