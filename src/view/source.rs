//! The source of what the selected task awaits: at each line, who waits there now and what the
//! polls that start there take.
//!
//! ```text
//! ━ 8 Source  workloads/src/gather.rs  of A ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  WAITING  POLLS     MEAN  LONGEST LINE
//!                                     23 async fn do_work(name: &str, secs: f64) {
//!                                     24     println!("{name} started");
//! ▸z 2          3   310 µs  1.20 ms   25     aio::sleep(secs).await?;
//! ```
//!
//! A line stands for what was made there: a sleep, a lock, a scope, a task.

use std::collections::{BTreeMap, HashMap};

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{View, columns::Align, fmt, layout::Pane, pane, pen::Pen, text};
use crate::model::{Location, Model, Place, State, TaskId};

/// The text of a file, or why there is none.
pub type Text = Result<Vec<String>, String>;

/// What is read, and where.
#[derive(Clone, Debug, Default)]
pub struct SourceState {
    /// The file, and the line that the cursor is on, from 1.
    at: Option<(Box<str>, u32)>,
    top: usize,
    /// Texts that were asked for.
    texts: HashMap<Box<str>, Text>,
    /// Who waits at the lines of the file.
    waiting: BTreeMap<u32, Vec<TaskId>>,
    /// Whose place the cursor was put on; it stays there until another is selected.
    of: Option<TaskId>,
}

impl SourceState {
    /// The file whose text is wanted and was not given yet.
    pub fn wanted(&self) -> Option<&str> {
        let (file, _) = self.at.as_ref()?;
        (!self.texts.contains_key(file)).then_some(file)
    }

    /// Takes in a file's text. Where there is none, another file is read, unless the person has
    /// chosen whose it is.
    pub fn give(&mut self, file: &str, text: Text, chosen: bool, model: &Model, height: usize) {
        let is_missing = text.is_err();
        self.texts.insert(file.into(), text);
        if is_missing && !chosen {
            let files = files(model);
            let is_readable = |file: &&&str| self.texts.get(**file).is_none_or(Result::is_ok);
            if let Some(other) = files.iter().find(is_readable) {
                self.go_to(other, model);
            }
        }
        self.keep_in_sight(height);
    }

    /// Follows the selected task to where it waits.
    pub fn sync(&mut self, model: &Model, selected: Option<TaskId>, height: usize) {
        if self.at.is_none() || selected != self.of {
            if let Some(at) = selected.and_then(|id| place_of(model, id)) {
                self.at = Some((at.file.clone(), at.line));
            }
            self.of = selected;
        }
        let file = self.at.as_ref().map(|(file, _)| &**file);
        self.waiting = file.map_or_else(BTreeMap::new, |file| model.waiting_in(file));
        self.keep_in_sight(height);
    }

    pub fn step(&mut self, by: isize, height: usize) {
        let last = self.lines().map_or(1, <[String]>::len).max(1);
        if let Some((_, line)) = &mut self.at {
            let to = (*line as usize).saturating_add_signed(by).clamp(1, last);
            *line = u32::try_from(to).unwrap_or(u32::MAX);
        }
        self.keep_in_sight(height);
    }

    /// The next file of those in which polls have started or tasks wait.
    pub fn next_file(&mut self, model: &Model, height: usize) {
        let files = files(model);
        let now = self.at.as_ref().map_or("", |(file, _)| file);
        let after = files.iter().find(|file| **file > now).or(files.first());
        if let Some(file) = after {
            self.go_to(file, model);
        }
        self.keep_in_sight(height);
    }

    /// To the first line of a file where somebody waits, or where a poll started.
    fn go_to(&mut self, file: &str, model: &Model) {
        let waiting = model.waiting_in(file);
        let first = waiting.keys().next().copied();
        let first = first.or_else(|| model.places.of_file(file).next().map(|(line, _)| line));
        self.at = Some((file.into(), first.unwrap_or(1)));
        self.waiting = waiting;
    }

    /// The first task that waits at the cursor's line.
    pub fn task(&self) -> Option<TaskId> {
        let (_, line) = self.at.as_ref()?;
        self.waiting.get(line)?.first().copied()
    }

    fn lines(&self) -> Option<&[String]> {
        let (file, _) = self.at.as_ref()?;
        self.texts.get(file)?.as_deref().ok()
    }

    /// With some lines around the cursor, as far as there are any.
    fn keep_in_sight(&mut self, height: usize) {
        let Some((_, line)) = self.at else { return };
        let row = (line as usize).saturating_sub(1);
        let around = (height / 4).min(8);
        let most = self
            .lines()
            .map_or(0, <[String]>::len)
            .saturating_sub(height);
        let lowest = (row + around + 1).saturating_sub(height);
        let highest = row.saturating_sub(around);
        self.top = self.top.max(lowest).min(highest).min(most.max(lowest));
    }
}

/// The files in which polls have started or tasks wait.
fn files(model: &Model) -> Vec<&str> {
    let mut files: Vec<&str> = model.places.files().collect();
    let live = model.tasks.iter().filter(|task| !task.is_done());
    let places = live.filter_map(|task| model.place(task));
    files.extend(places.map(|at| &*at.file));
    files.sort_unstable();
    files.dedup();
    files
}

/// Where a task waits, or where it was spawned.
fn place_of(model: &Model, task: TaskId) -> Option<&Location> {
    let task = model.tasks.get(task)?;
    model.place(task).or(task.location.as_ref())
}

pub struct Source<'a>(pub(super) View<'a>);

/// Cells of the figures at the left of a line.
const WAITING: usize = 7;
const NUMBER: usize = 5;

impl Widget for &Source<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let source = &view.state.source;
        let area = pane::heading(view, Pane::Source, &self.facts(), area, buf);
        let Some((file, line)) = &source.at else {
            let lines = [
                "",
                "Nobody tells where the selected task was spawned or waits.",
            ];
            pane::say(view, &lines, area, buf);
            return;
        };
        let lines = match source.texts.get(file) {
            Some(Ok(lines)) => lines,
            Some(Err(why)) => {
                pane::say(view, &["", &view.sentence(why)], area, buf);
                return;
            }
            None => return,
        };
        let figures = usize::from(area.width) >= 70;
        self.titles(figures, &mut Pen::new(area, 0, buf));
        let area = pane::below(area);
        let places: HashMap<u32, &Place> = view.model.places.of_file(file).collect();
        let visible = (1..).zip(lines).skip(source.top);
        for (row, (number, code)) in (0..area.height).zip(visible) {
            let mut pen = Pen::new(area, row, buf);
            self.line(
                number,
                code,
                places.get(&number).copied(),
                figures,
                &mut pen,
            );
            pane::mark(
                view,
                Pane::Source,
                number == *line,
                pane::line(area, row),
                buf,
            );
        }
    }
}

impl Source<'_> {
    fn facts(&self) -> Vec<(String, Style)> {
        let view = self.0;
        let source = &view.state.source;
        let mut facts = Vec::new();
        if let Some((file, _)) = &source.at {
            facts.push((view.clean(file), view.theme.text()));
            let is_there = |task: &TaskId| {
                place_of(view.model, *task).is_some_and(|place| *place.file == **file)
            };
            if let Some(of) = source.of.filter(is_there) {
                facts.push((format!("of {}", view.label_of(of)), view.theme.dim()));
            }
        }
        facts
    }

    fn titles(&self, figures: bool, pen: &mut Pen<'_>) {
        let view = self.0;
        let right = |title: &str, width| Align::Right.pad(title, width, view.glyphs) + " ";
        let mut titles = Align::Left.pad(" WAITING", WAITING + 1, view.glyphs) + " ";
        if figures {
            titles += &right("POLLS", fmt::COUNT);
            titles += &right("MEAN", fmt::DURATION);
            titles += &right("LONGEST", fmt::DURATION);
        }
        titles += &right("LINE", NUMBER);
        pen.put(&titles, view.theme.label());
    }

    fn line(
        &self,
        number: u32,
        code: &str,
        place: Option<&Place>,
        figures: bool,
        pen: &mut Pen<'_>,
    ) {
        let view = self.0;
        let theme = view.theme;
        pen.skip(1);
        let waiting = view.state.source.waiting.get(&number);
        let (words, style) = waiting.map_or_else(Default::default, |ids| self.waiting(ids));
        pen.put(&text::pad(&words, WAITING, view.glyphs), style)
            .skip(1);
        if figures {
            let figure = |of: &dyn Fn(&Place) -> String| place.map(of).unwrap_or_default();
            let polls = figure(&|p| fmt::count(p.polls));
            let mean = figure(&|p| view.duration(p.mean()));
            let longest = figure(&|p| view.duration(p.longest));
            let long = place.is_some_and(|p| p.longest >= crate::model::lint::Lints::BLOCKED);
            let loud = if long { theme.bad() } else { theme.text() };
            pen.put(
                &text::pad_left(&polls, fmt::COUNT, view.glyphs),
                theme.text(),
            )
            .skip(1)
            .put(
                &text::pad_left(&mean, fmt::DURATION, view.glyphs),
                theme.text(),
            )
            .skip(1)
            .put(&text::pad_left(&longest, fmt::DURATION, view.glyphs), loud)
            .skip(1);
        }
        let busy = waiting.is_some() || place.is_some();
        let style = if busy { theme.text() } else { theme.dim() };
        pen.put(
            &text::pad_left(&number.to_string(), NUMBER, view.glyphs),
            theme.line(),
        )
        .skip(1);
        let code = text::fit(code, pen.room(), view.glyphs);
        pen.put(&code, style);
    }

    /// The shape of the state that matters most, and how many there are.
    fn waiting(&self, ids: &[TaskId]) -> (String, Style) {
        let view = self.0;
        let tasks = ids.iter().filter_map(|id| view.model.tasks.get(*id));
        let states = tasks.map(|task| view.model.state(task));
        let worst = states
            .min_by_key(|state| state.rank())
            .unwrap_or(State::Idle);
        let words = format!(
            "{} {}",
            view.glyphs.state(worst),
            fmt::count(ids.len() as u64)
        );
        (words, view.theme.state(worst))
    }
}
