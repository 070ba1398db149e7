//! What the cursor is on, in figures, and what the shapes mean where it is on no poll.

use std::time::Duration;

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{Timeline, deadlines::Deadline, links::Links, rows::RowId, window::start};
use crate::{
    frame::Time,
    model::{
        State, TaskId,
        timeline::{Doing, Poll, Told},
    },
    view::{
        fmt,
        glyphs::state_word,
        pen::Pen,
        text,
        widget::{LaneCell, Load, Side},
    },
};

type Words = Vec<(String, Style)>;

impl Timeline<'_> {
    /// Two lines: what there is at the cursor, and the poll, or the legend.
    pub(super) fn readout(&self, area: Rect, buf: &mut Buffer) {
        self.put(&self.at_cursor(), &mut Pen::new(area, 0, buf));
        let mut second = Pen::new(area, 1, buf);
        match &self.0.state.timeline.links {
            Some(links) => self.put(&self.poll(links), &mut second),
            None => self.legend(&mut second),
        }
    }

    fn put(&self, words: &Words, pen: &mut Pen<'_>) {
        pen.skip(1);
        for (word, style) in words {
            let word = text::fit(word, pen.room(), self.0.glyphs);
            pen.put(&word, *style);
        }
    }

    fn at_cursor(&self) -> Words {
        let view = self.0;
        let (theme, window) = (view.theme, &view.state.timeline);
        let at = window.cursor_time(view.model);
        let mut words = vec![(self.instant(at), theme.strong())];
        let mut say = |word: String, style: Style| {
            words.push((format!("  {word}"), style));
        };
        match window.selected() {
            RowId::Loop => say("the event loop".to_owned(), theme.text()),
            RowId::Thread(id) => {
                let thread = view.model.threads.get(id);
                let name = thread.map(|thread| view.thread(thread, 24));
                say(name.unwrap_or_default(), theme.text());
            }
            RowId::Scope(id) => {
                if let Some(scope) = view.model.scopes.get(id) {
                    say(view.scope(scope), theme.strong());
                    if let Some(opened) = scope.opened {
                        let open = scope.closed.unwrap_or(view.model.now).since(opened);
                        say(format!("open {}", view.duration(open)), theme.text());
                    }
                    if let Some(place) = view.location(scope.location.as_ref()) {
                        say(place, theme.dim());
                    }
                }
            }
            RowId::Task(id) => {
                say(view.label_of(id), theme.strong());
                words.extend(self.task_at(id, at));
            }
        }
        words
    }

    /// The state at a time, since when and until when.
    fn task_at(&self, id: TaskId, at: Time) -> Words {
        let view = self.0;
        let (theme, model) = (view.theme, view.model);
        let Some(task) = model.tasks.get(id) else {
            return Vec::new();
        };
        let known = model.timeline.task_at(id, at, model.now);
        let Some(stretch) = known else {
            let (what, style) = match task.dropped {
                Some(end) if end <= at => {
                    let how = state_word(State::Done(task.outcome));
                    (how.to_owned(), theme.outcome(task.outcome))
                }
                _ if at < task.created => ("not spawned yet".to_owned(), theme.dim()),
                _ => ("not known".to_owned(), theme.dim()),
            };
            return vec![(format!("  {what}"), style)];
        };
        let length = stretch.to.since(stretch.from);
        let mut words = Vec::new();
        match stretch.what {
            Told::Exactly(doing) => {
                let state = doing.state();
                words.push((format!("  {}", state_word(state)), theme.state(state)));
                words.push((format!(" for {}", view.duration(length)), theme.text()));
                words.push((
                    format!(
                        "  {} to {}",
                        self.instant(stretch.from),
                        self.instant(stretch.to)
                    ),
                    theme.dim(),
                ));
            }
            Told::InSum(spent) => {
                words.push((format!("  of {}:", view.duration(length)), theme.dim()));
                for doing in Doing::ALL {
                    let time = spent.time(doing);
                    if !time.is_zero() {
                        let word = state_word(doing.state());
                        let part = format!(" {word} {}", view.duration(time));
                        words.push((part, theme.state(doing.state())));
                    }
                }
                if !stretch.longest.is_zero() {
                    let longest = format!("  longest poll {}", view.duration(stretch.longest));
                    words.push((longest, theme.dim()));
                }
            }
        }
        if stretch.to >= model.now && !task.is_done() {
            let reason = view.reason(task);
            if !reason.what.is_empty() {
                words.push((format!("  {}", reason.what), reason.style));
            }
            let place = reason.at.map(|at| (format!(" {at}"), theme.dim()));
            words.extend(place);
        }
        words
    }

    fn poll(&self, links: &Links) -> Words {
        let view = self.0;
        let (theme, poll) = (view.theme, &links.poll);
        let mut words = vec![(
            format!("poll {}", view.duration(poll.lasted())),
            theme.busy(),
        )];
        let selected = view.state.timeline.task();
        if selected != Some(links.task) {
            words.push((format!(" of {}", view.label_of(links.task)), theme.strong()));
        }
        let thread = poll.thread().and_then(|id| view.model.threads.get(id));
        if let Some(thread) = thread {
            words.push((format!(" on {}", view.thread(thread, 20)), theme.dim()));
        }
        if let Some(woken) = poll.woken() {
            let lead = poll.started().since(woken);
            words.push((format!("  ready {}", view.duration(lead)), theme.ready()));
        }
        words.extend(self.waker(poll, links.task));
        if let Some((first, _)) = links.woken.first() {
            let more = match links.woken.len() - 1 {
                0 => String::new(),
                n => format!(" +{n}"),
            };
            let woke = format!(
                "  {} woke {}{more}",
                view.glyphs.woken,
                view.label_of(*first)
            );
            words.push((woke, theme.text()));
        }
        let summed = view.model.timeline.summed_before();
        if summed.is_some_and(|before| poll.started() < before) {
            // Polls of others may be in sums already.
            words.push(("  not all that it woke is known".to_owned(), theme.dim()));
        }
        words
    }

    fn waker(&self, poll: &Poll, task: TaskId) -> Option<(String, Style)> {
        let view = self.0;
        poll.woken()?;
        let by = match poll.woken_by() {
            Some(by) if by == task => "woken by itself".to_owned(),
            Some(by) => format!("{} woken by {}", view.glyphs.waker, view.label_of(by)),
            None => "woken by no task".to_owned(),
        };
        Some((format!("  {by}"), view.theme.text()))
    }

    /// What the shapes mean.
    fn legend(&self, pen: &mut Pen<'_>) {
        let (glyphs, theme) = (self.0.glyphs, self.0.theme);
        let work = |load| LaneCell::Work {
            share: 0.5,
            at: Side::Throughout,
            load,
        };
        let shapes = [
            (work(Load::Light), "running"),
            (work(Load::Blocking), "blocking"),
            (LaneCell::Delay { share: 1.0 }, "ready"),
            (LaneCell::Wait, "waiting"),
            (LaneCell::Sleep, "sleeping"),
            (LaneCell::Idle, "idle"),
        ];
        pen.skip(1);
        for (cell, word) in shapes {
            if text::width(word) + 2 > pen.room() {
                return;
            }
            let (area, buf) = pen.cells(1);
            self.lane(&[cell], area, buf);
            pen.skip(1).put(word, theme.dim()).skip(2);
        }
        let deadline = |deadline, word| {
            let (shape, style) = self.deadline(deadline);
            (shape, style, word)
        };
        for (shape, style, word) in [
            deadline(Deadline::Ahead, "deadline"),
            (glyphs.finding, theme.bad(), "warning"),
            deadline(Deadline::Missed, "missed"),
            deadline(Deadline::Unused, "unused"),
        ] {
            if text::width(word) + 2 > pen.room() {
                return;
            }
            pen.put(shape, style).skip(1).put(word, theme.dim()).skip(2);
        }
    }

    /// A time since the start, as exact as a tenth of a cell.
    fn instant(&self, at: Time) -> String {
        let view = self.0;
        let step = (view.state.timeline.cell() / 10).max(Duration::from_micros(1));
        let step = if step >= Duration::from_secs(1) {
            Duration::from_secs(1)
        } else {
            step
        };
        fmt::instant(at.since(start(view.model)), step)
    }
}
