//! Why a task does not go on, in words: "Mutex held by writer, 812 ms · mutex.rs:18".

use std::time::Duration;

use ratatui::style::Style;

use super::{View, glyphs::Glyphs, text, words};
use crate::model::{
    AsyncOp, Cycle, Hold, Holder, Holders, Kind, Resource, ResourceKind, Task, Why, lint::Lints,
};

/// Why a task does not go on, or how it ended.
pub struct Reason {
    pub what: String,
    /// For how long, where the first words do not say so.
    pub long: Option<String>,
    /// Where it waits.
    pub at: Option<String>,
    pub style: Style,
}

impl Reason {
    /// All of it.
    pub fn whole(&self, glyphs: &Glyphs) -> String {
        let [what, rest] = self.within(usize::MAX, glyphs);
        what + &rest
    }

    /// The words, cut to a width, and what of the rest has room behind them: a part of it
    /// would say nothing.
    pub fn within(&self, width: usize, glyphs: &Glyphs) -> [String; 2] {
        let what = text::fit(&self.what, width, glyphs);
        let long = self.long.as_ref().map(|long| format!(", {long}"));
        let at = self.at.as_ref().map(|at| format!(" {} {at}", glyphs.dot));
        let mut room = width.saturating_sub(text::width(&what));
        let mut rest = String::new();
        for part in [long, at].into_iter().flatten() {
            if text::width(&part) > room {
                break;
            }
            room -= text::width(&part);
            rest += &part;
        }
        [what, rest]
    }
}

impl View<'_> {
    pub fn reason(self, task: &Task) -> Reason {
        self.because(task, &self.model.why(task))
    }

    /// In the words of a reason that is known already.
    pub fn because(self, task: &Task, why: &Why<'_>) -> Reason {
        let (model, theme) = (self.model, self.theme);
        let plain = |what: String| Reason {
            what,
            long: None,
            at: None,
            style: theme.text(),
        };
        match *why {
            Why::Running { since } => self.polled(task, model.now.since(since)),
            Why::Ready {
                since,
                is_new,
                blocked_by,
            } => {
                let late = self.duration(model.now.since(since));
                let what = match blocked_by {
                    Some(other) => format!("behind {}, {late}", self.label(other)),
                    None if is_new && task.kind == Kind::Blocking => {
                        format!("no thread for {late}")
                    }
                    None if is_new => format!("spawned {late} ago"),
                    None => format!("woken {late} ago"),
                };
                Reason {
                    style: theme.ready(),
                    ..plain(what)
                }
            }
            Why::Timer(timer) => {
                let late = timer.overdue(model.timers_at());
                Reason {
                    at: self.location(timer.location.as_ref()),
                    style: if late.is_some_and(words::is_late) {
                        theme.warning()
                    } else {
                        theme.text()
                    },
                    ..plain(self.timer(timer))
                }
            }
            Why::Resource {
                op,
                resource,
                since,
            } => {
                let what = resource.map_or_else(
                    || self.clean(&op.source),
                    |resource| self.awaited(op, resource),
                );
                Reason {
                    long: since.map(|since| self.duration(model.now.since(since))),
                    at: self.location(resource.and_then(|r| r.location.as_ref())),
                    ..plain(what)
                }
            }
            Why::Task(other) => plain(self.task_phrase(other)),
            Why::Scope {
                scope,
                child,
                others,
            } => {
                let whole = self.scope(scope);
                let what = match child.filter(|_| others == 0) {
                    Some(last) => format!("{} of {whole}", self.label(last)),
                    None => whole,
                };
                Reason {
                    at: self.location(scope.location.as_ref()),
                    ..plain(what)
                }
            }
            Why::Cycle(ref cycle) => Reason {
                style: theme.bad(),
                ..plain(self.cycle(cycle))
            },
            Why::NoWaker => Reason {
                style: theme.bad(),
                ..plain("nothing: no waker".to_owned())
            },
            Why::Unknown => Reason {
                style: theme.dim(),
                // Without the probe a timer does not tell whose it is.
                ..plain(if model.process.is_some() {
                    "I/O or unknown".to_owned()
                } else {
                    "timer, I/O or other".to_owned()
                })
            },
            Why::Done(_) => Reason {
                style: theme.dim(),
                ..plain(
                    task.error
                        .as_deref()
                        .map_or_else(String::new, |e| self.clean(e)),
                )
            },
        }
    }

    /// Of a task in a poll, or on a thread of its own.
    fn polled(self, task: &Task, lasted: Duration) -> Reason {
        /// A poll as long as this is worth a word.
        const LONG: Duration = Duration::from_millis(10);
        let in_place = self.model.tasks.is_in_place(task);
        let blocks = task.kind.is_async() && lasted >= Lints::BLOCKED && !in_place;
        let long = self.duration(lasted);
        Reason {
            what: if task.kind == Kind::Blocking {
                format!("on a thread {long}")
            } else if in_place {
                format!("blocks in place {long}")
            } else if lasted < LONG {
                String::new()
            } else {
                format!("polled for {long}")
            },
            long: None,
            at: self.location(task.location.as_ref()).filter(|_| blocks),
            style: if blocks {
                self.theme.bad()
            } else {
                self.theme.text()
            },
        }
    }

    /// "Mutex held by writer", "room in channel of reader".
    fn awaited(self, op: &AsyncOp, resource: &Resource) -> String {
        let kind = self.clean(resource.kind_name());
        match resource.kind {
            ResourceKind::Channel => match self.model.resources.receiver(resource.span) {
                Some(task) => format!("room in channel of {}", self.label_of(task)),
                None => "room in channel".to_owned(),
            },
            ResourceKind::Barrier | ResourceKind::Oneshot => kind,
            ResourceKind::Other => self.clean(&op.source),
            _ => match self.model.resources.holders(resource.span) {
                Some(holders) if !holders.is_empty() => {
                    format!("{kind} held by {}", self.holders(holders))
                }
                _ => kind,
            },
        }
    }

    /// "writer", "a and b", "≈a and 3 others".
    pub fn holders(self, holders: &Holders) -> String {
        let about = if holders.is_guess {
            self.glyphs.about
        } else {
            ""
        };
        let names: Vec<String> = holders.list.iter().map(|hold| self.holder(hold)).collect();
        let more = usize::from(holders.other_permits > 0);
        let words = match &names[..] {
            [] if more > 0 => "others".to_owned(),
            [] => return self.glyphs.dash.to_owned(),
            [one] if more == 0 => one.clone(),
            [one, other] if more == 0 => format!("{one} and {other}"),
            [one, rest @ ..] if more == 0 => format!("{one} and {} others", rest.len()),
            [one, ..] => format!("{one} and others"),
        };
        format!("{about}{words}")
    }

    pub fn holder(self, hold: &Hold) -> String {
        match hold.by {
            Holder::Task(task) => {
                let has_ended = self.model.tasks.get(task).is_some_and(Task::is_done);
                let ended = if has_ended { " (ended)" } else { "" };
                self.label_of(task) + ended
            }
            Holder::Outside => "no task".to_owned(),
            Holder::Unknown => "?".to_owned(),
        }
    }

    /// "cycle: A → B → A".
    fn cycle(self, cycle: &Cycle) -> String {
        let first = cycle.tasks.first();
        let names = cycle.tasks.iter().chain(first);
        let names: Vec<String> = names.map(|task| self.label_of(*task)).collect();
        format!(
            "cycle: {}",
            names.join(&format!(" {} ", self.glyphs.leads_to))
        )
    }
}
