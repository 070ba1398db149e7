//! Every command by its name: those that have a key, from the table of keys, and those that
//! take a word.
//!
//! ```text
//! ╭ Commands ───────────────────────────────╮
//! │ : sobu█                                 │
//! │ ▸ sort busy           sort the tasks    │
//! │   …                                     │
//! ╰─────────────────────────────────────────╯
//! ```

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    widgets::Widget,
};

use super::{
    View, ViewState,
    footer::key_name,
    fuzzy,
    input::Input,
    layout::Pane,
    lists::{Sort, SortBy},
    moment::Travel,
    pen::Pen,
    popup::{Line, Popup},
    state::{Asked, Effect, Open},
    tab::Tab,
    text,
    theme::ThemeName,
};
use crate::{
    frame::Time,
    keymap::{Action, Edit, On},
    model::Model,
};

/// A command that is being typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Typing {
    input: Input,
    /// The entry that Enter does.
    at: usize,
}

impl Typing {
    pub fn edit(&mut self, edit: Edit) {
        self.input.edit(edit);
        self.at = 0;
    }

    pub fn insert(&mut self, text: &str) {
        self.input.insert(text);
        self.at = 0;
    }
}

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    Act(Action),
    Sort(SortBy),
    Theme(ThemeName),
    Filter(String),
    GoTo(String),
    /// To a moment that was remembered.
    Travel(Time),
    /// Begins a command that takes a word.
    Begin(&'static str),
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    keys: String,
    help: String,
    deed: Deed,
}

impl Entry {
    fn new(name: impl Into<String>, help: impl Into<String>, deed: Deed) -> Self {
        Self {
            name: name.into(),
            keys: String::new(),
            help: help.into(),
            deed,
        }
    }
}

const FILTER: &str = "filter ";
const GO_TO: &str = "goto ";

impl ViewState {
    pub(super) fn ask_command(&mut self) {
        self.asked = Some(Asked::Command(Typing::default()));
    }

    pub(super) fn step_command(&mut self, by: isize, model: &Model) {
        let last = self.entries(model).len().saturating_sub(1);
        if let Some(Asked::Command(typing)) = &mut self.asked {
            typing.at = typing.at.saturating_add_signed(by).min(last);
        }
    }

    /// Does the entry that is chosen.
    pub(super) fn do_command(&mut self, model: &Model) -> Option<Effect> {
        let Some(Asked::Command(typing)) = &self.asked else {
            return None;
        };
        let entry = self.entries(model).into_iter().nth(typing.at)?;
        self.asked = None;
        match entry.deed {
            Deed::Act(action) => return self.act(action, model),
            Deed::Sort(by) => self.sort_by(by, model),
            Deed::Theme(theme) => self.options.theme = theme,
            Deed::Filter(text) => {
                if let Err(error) = self.set_filter(&text, model) {
                    self.complain(format!("{text}: {error}"));
                }
            }
            Deed::GoTo(number) => self.go_to(&number, model),
            Deed::Travel(to) => return Some(Effect::Travel(Travel::To(to))),
            Deed::Begin(words) => {
                let input = Input::new(words);
                self.asked = Some(Asked::Command(Typing { input, at: 0 }));
            }
        }
        None
    }

    /// Chooses an entry by its place in the list, and does it.
    pub(super) fn do_command_at(&mut self, at: usize, model: &Model) -> Option<Effect> {
        if let Some(Asked::Command(typing)) = &mut self.asked {
            typing.at = at;
        }
        self.do_command(model)
    }

    /// What the letters that were typed may mean, the likeliest first.
    fn entries(&self, model: &Model) -> Vec<Entry> {
        let Some(Asked::Command(typing)) = &self.asked else {
            return Vec::new();
        };
        let typed = typing.input.text();
        if let Some(filter) = typed.strip_prefix(FILTER) {
            let help = "show the tasks that this lets through; nothing shows all";
            return vec![Entry::new(typed, help, Deed::Filter(filter.to_owned()))];
        }
        if let Some(number) = typed.strip_prefix(GO_TO) {
            let help = "to the task of this number";
            return vec![Entry::new(typed, help, Deed::GoTo(number.to_owned()))];
        }
        let mut scored: Vec<(u32, Entry)> = View::new(model, self)
            .commands()
            .into_iter()
            .filter_map(|entry| {
                let by_name = fuzzy::score(typed, &entry.name).map(|score| score + 1);
                let meant = || entry.help.contains(typed).then_some(0);
                Some((by_name.or_else(meant)?, entry))
            })
            .collect();
        if !typed.is_empty() {
            scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        }
        scored.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Puts the cursor on a task, or opens it where it is not in the table.
    fn go_to(&mut self, number: &str, model: &Model) {
        let wanted = number.trim().parse::<u64>().ok();
        // Numbers of our own, for tasks without one of tokio's, may be another's of tokio's.
        let task = wanted.and_then(|number| {
            let known = model.tasks.by_tokio_id(number);
            known.or_else(|| model.tasks.iter().find(|task| task.number() == number))
        });
        let Some(task) = task else {
            self.complain(format!("no task has the number {}", number.trim()));
            return;
        };
        if !self.tab.panes().contains(&Pane::Tasks) {
            self.show_tab(Tab::Tasks, model);
        }
        self.focus = Pane::Tasks;
        self.details = None;
        if self.lists.tasks.contains(&task.id) {
            self.choose_task(task.id, model);
        } else {
            self.details = Some(Open {
                task: task.id,
                scroll: 0,
            });
        }
    }

    /// Sorts by this, or the other way round if it is sorted by this already.
    pub(super) fn sort_by(&mut self, by: SortBy, model: &Model) {
        self.sort = Sort {
            by,
            reversed: self.sort.by == by && !self.sort.reversed,
        };
        self.reorder(model);
    }
}

impl View<'_> {
    /// All commands.
    fn commands(self) -> Vec<Entry> {
        let mut all = Vec::new();
        // What has a key here comes first.
        let here = self.state.context_below();
        let mut lines: Vec<_> = self.state.options.keys.all().collect();
        lines.sort_by_key(|line| !line.binding.on.holds(here));
        for line in lines {
            let binding = line.binding;
            let listed = matches!(
                binding.on,
                On::Anywhere | On::Screen | On::Views | On::Panes(_) | On::Details
            );
            if !listed || binding.action == Action::Command {
                continue;
            }
            let keys: Vec<String> = line
                .keys
                .iter()
                .map(|k| key_name(*k, self.glyphs))
                .collect();
            all.push(Entry {
                name: binding.name.replace('-', " "),
                keys: keys.join(" "),
                help: binding.help.to_owned(),
                deed: Deed::Act(binding.action),
            });
        }
        all.push(Entry::new(
            format!("{FILTER}TEXT"),
            "show the tasks that it lets through",
            Deed::Begin(FILTER),
        ));
        all.push(Entry::new(
            format!("{GO_TO}NUMBER"),
            "to the task of this number",
            Deed::Begin(GO_TO),
        ));
        for (i, at) in self.state.bookmarks.iter().enumerate() {
            let name = format!("bookmark {}", i + 1);
            let help = format!("back to {}", self.since_start(*at));
            all.push(Entry::new(name, help, Deed::Travel(*at)));
        }
        for by in SortBy::ALL {
            let help = "sort the tasks by it; again: the other way round";
            all.push(Entry::new(
                format!("sort {}", by.word()),
                help,
                Deed::Sort(by),
            ));
        }
        for theme in ThemeName::ALL {
            let name = format!("theme {}", theme.word());
            all.push(Entry::new(name, theme.summary(), Deed::Theme(theme)));
        }
        all
    }
}

pub struct Palette<'a>(pub(super) View<'a>, pub(super) &'a Typing);

/// Cells for a command's name, and for its keys.
const NAME: usize = 18;
const KEYS: usize = 11;
/// Entries that are seen at once.
const ROWS: usize = 16;

impl Widget for &Palette<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let (view, typing) = (self.0, self.1);
        let entries = view.state.entries(view.model);
        let lines = self.lines(&entries, area);
        let popup = Popup {
            title: "Commands",
            lines: &lines,
            scroll: 0,
        };
        popup.render(view.theme, view.glyphs, area, buf);
        let (inner, _) = self.window(area.intersection(buf.area));
        let mut pen = Pen::new(inner, 0, buf);
        pen.put(":", view.theme.key()).skip(1);
        let room = pen.room();
        typing
            .input
            .draw(None, room, view.theme, view.glyphs, &mut pen);
    }
}

impl Palette<'_> {
    /// Where the lines are, the input's being the first, and which entry is the second.
    fn window(&self, area: Rect) -> (Rect, usize) {
        let inner = Popup::inner(Self::area(area));
        let rows = usize::from(inner.height.saturating_sub(1)).max(1);
        (inner, (self.1.at + 1).saturating_sub(rows))
    }

    pub fn area(body: Rect) -> Rect {
        Popup::area(body, ROWS + 1)
    }

    /// The entry at a place of the screen.
    pub fn at(&self, area: Rect, at: Position) -> Option<usize> {
        let (inner, first) = self.window(area);
        let row = usize::from(at.y.checked_sub(inner.y)?.checked_sub(1)?);
        let entry = row + first;
        let count = self.0.state.entries(self.0.model).len();
        (inner.contains(at) && entry < count).then_some(entry)
    }

    /// The input's line, and those of the entries that are seen.
    fn lines(&self, entries: &[Entry], area: Rect) -> Vec<Line> {
        let view = self.0;
        let (theme, glyphs) = (view.theme, view.glyphs);
        let (_, first) = self.window(area);
        let seen = entries.iter().enumerate().skip(first).take(ROWS);
        let lines = seen.map(|(i, entry)| {
            let at_cursor = i == self.1.at;
            let (cursor, name) = if at_cursor {
                (glyphs.cursor, theme.focus())
            } else {
                (" ", theme.text())
            };
            vec![
                (format!("{cursor} "), theme.focus()),
                (text::pad(&entry.name, NAME, glyphs), name),
                (" ".to_owned(), theme.text()),
                (text::pad(&entry.keys, KEYS, glyphs), theme.key()),
                (" ".to_owned(), theme.text()),
                (entry.help.clone(), theme.dim()),
            ]
        });
        let mut lines: Vec<Line> = [Line::new()].into_iter().chain(lines).collect();
        // The box stays where it is while the list grows and shrinks.
        lines.resize(ROWS + 1, Line::new());
        lines
    }
}
