//! Asks a filter of a task.

use std::borrow::Cow;

use super::{Count, Filter, Span, Test, Text};
use crate::model::{Model, Outcome, State, Task};

/// Every word for a state. A task that has ended is `done` and, if that is known, also how
/// it ended.
pub(super) const STATES: &[&str] = &[
    "running",
    "ready",
    "waiting",
    "sleeping",
    "idle",
    "done",
    "ok",
    "error",
    "cancelled",
    "panicked",
];

/// No more of a text than this many bytes is looked at: a name may be a megabyte long.
const LOOKED_AT: usize = 4_096;

/// What a word is looked for in.
const WORDS: [Text; 4] = [Text::Name, Text::Location, Text::Kind, Text::State];

impl Filter {
    /// What is not known of a task is neither more nor less than anything.
    pub fn lets_through(&self, task: &Task, model: &Model) -> bool {
        self.terms.iter().all(|term| {
            let asked = Asked { task, model };
            asked.holds(&term.test) != term.negated
        })
    }
}

#[derive(Copy, Clone)]
struct Asked<'a> {
    task: &'a Task,
    model: &'a Model,
}

impl<'a> Asked<'a> {
    fn holds(self, test: &Test) -> bool {
        let (task, now) = (self.task, self.model.now);
        match test {
            Test::Word(word) => {
                let has = |text: &str| folded(text).contains(word.as_str());
                WORDS.into_iter().any(|field| self.any(field, has))
            }
            Test::Pattern(pattern) => {
                let fits = |text: &str| pattern.regex.is_match(beginning(text));
                WORDS.into_iter().any(|field| self.any(field, fits))
            }
            Test::Is(field, value) => self.any(*field, |text| folded(text) == *value),
            Test::Fits(field, pattern) => {
                self.any(*field, |text| pattern.regex.is_match(beginning(text)))
            }
            Test::Span(field, compare, limit) => {
                let figure = match field {
                    Span::Total => Some(task.total(now)),
                    Span::Busy => Some(task.busy(now)),
                    Span::Ready => task.ready(now),
                    Span::Idle => Some(task.idle(now)),
                    Span::Longest => Some(task.longest_poll(now).0),
                };
                figure.is_some_and(|figure| compare.holds(figure, *limit))
            }
            Test::Count(field, compare, limit) => {
                let figure = match field {
                    Count::Polls => task.polls(),
                    Count::Wakes => task.wakes,
                    Count::Id => task.number(),
                };
                compare.holds(figure, *limit)
            }
        }
    }

    /// Whether one of a field's forms is as wanted.
    fn any(self, field: Text, is_wanted: impl Fn(&str) -> bool) -> bool {
        let [first, second] = self.forms(field);
        first.is_some_and(|text| is_wanted(&text)) || second.is_some_and(|text| is_wanted(&text))
    }

    /// In what ways a person may write the field of this task.
    fn forms(self, field: Text) -> [Option<Cow<'a, str>>; 2] {
        let task = self.task;
        match field {
            Text::Name => [Some(task.label()), None],
            Text::Kind => [Some(task.kind.as_str().into()), None],
            Text::Error => [task.error.as_deref().map(Cow::Borrowed), None],
            Text::Location => {
                let location = task.location.as_ref();
                let short = location.map(|l| l.short().into());
                [short, location.map(|l| l.to_string().into())]
            }
            Text::State => {
                let (state, outcome) = state_words(self.model.state(task));
                [Some(state.into()), outcome.map(Cow::Borrowed)]
            }
        }
    }
}

fn state_words(state: State) -> (&'static str, Option<&'static str>) {
    match state {
        State::Running => ("running", None),
        State::Ready => ("ready", None),
        State::Waiting => ("waiting", None),
        State::Sleeping => ("sleeping", None),
        State::Idle => ("idle", None),
        State::Done(outcome) => ("done", outcome.map(Outcome::as_str)),
    }
}

fn beginning(text: &str) -> &str {
    let mut end = LOOKED_AT.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn folded(text: &str) -> String {
    beginning(text).to_lowercase()
}
