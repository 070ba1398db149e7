//! How the list of lessons looks.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    widgets::{Paragraph, Widget, Wrap},
};

use super::Picker;
use crate::{
    keymap::Action,
    view::{
        footer::{self, Entry},
        glyphs::Glyphs,
        lesson::{Page, Place},
        pen::Pen,
        text,
        theme::Theme,
    },
};

/// Lines for what to look for.
const SHOWS: u16 = 4;
/// Where the list is as wide, the groups have a column.
const WITH_GROUPS: u16 = 110;

/// Where its parts lie.
pub(super) struct Regions {
    head: Rect,
    pub list: Rect,
    title: Rect,
    shows: Rect,
    foot: Rect,
    /// Of the page, if it is open.
    pub place: Place,
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, picker: &Picker) {
    let area = frame.area();
    picker.render(area, frame.buffer_mut());
}

impl Picker {
    pub(super) fn regions(&self, area: Rect) -> Regions {
        let [head, body, foot] = Layout::vertical([
            Constraint::Length(2),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(area);
        let column = Place::column(area.width).filter(|_| self.is_reading());
        let [left, column] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(column.unwrap_or(0))])
                .areas(body);
        let [list, title, shows] = Layout::vertical([
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(SHOWS),
        ])
        .areas(left);
        Regions {
            head,
            list,
            title,
            shows,
            foot,
            place: if column.is_empty() {
                Place::Over(body)
            } else {
                Place::Beside(column)
            },
        }
    }

    /// The keys that the last line names.
    fn keys(&self, glyphs: &Glyphs) -> Vec<Entry> {
        let page = if self.is_reading() { "close" } else { "page" };
        let wanted: &[_] = if self.typed.is_some() {
            &[("run", Action::Enter), ("all", Action::Leave)]
        } else {
            &[
                ("run", Action::Enter),
                ("find", Action::Find),
                (page, Action::Lesson),
                ("quit", Action::Quit),
            ]
        };
        let context = self.context();
        let entry = |(label, action): &(&'static str, Action)| {
            let mut lines = self.options.keys.lines(context);
            let line = lines.find(|line| line.binding.action == *action)?;
            Entry::new(line, context, label, glyphs)
        };
        wanted.iter().filter_map(entry).collect()
    }

    /// The key at a place of the screen.
    pub(super) fn key_at(&self, at: Position) -> Option<Action> {
        let foot = self.regions(self.area).foot;
        let keys = self.keys(self.options.glyphs());
        footer::action_at(&keys, foot, at.x).filter(|_| foot.contains(at))
    }

    fn draw_list(&self, area: Rect, theme: Theme, buf: &mut Buffer) {
        let glyphs = self.options.glyphs();
        let width = |of: fn(&super::Item) -> &'static str| {
            let widths = self.items.iter().map(|item| of(item).len());
            widths.max().unwrap_or_default()
        };
        let (names, groups) = (width(|item| item.name), width(|item| item.group));
        if self.listed.is_empty() {
            Pen::new(area, 1, buf)
                .skip(1)
                .put("No lesson is about that: Esc shows all.", theme.dim());
        }
        let first = self.cursor.top(usize::from(area.height));
        let rows = self.listed.iter().enumerate().skip(first);
        let mut above = None;
        for (row, (i, number)) in (0..area.height).zip(rows) {
            let Some(item) = self.items.get(*number) else {
                continue;
            };
            let selected = i == self.cursor.row();
            let mut pen = Pen::new(area, row, buf);
            if area.width >= WITH_GROUPS {
                let is_new = above.replace(item.group) != Some(item.group);
                let group = if is_new { item.group } else { "" };
                pen.skip(1)
                    .put(&text::pad(group, groups, glyphs), theme.label())
                    .skip(2);
            }
            let name = if selected {
                theme.focus()
            } else {
                theme.strong()
            };
            pen.put(if selected { glyphs.cursor } else { " " }, theme.focus())
                .skip(1)
                .put(&text::pad(item.name, names, glyphs), name)
                .skip(2);
            let summary = text::fit(item.summary, pen.room(), glyphs);
            pen.put(&summary, if selected { theme.text() } else { theme.dim() });
        }
    }
}

impl Widget for &Picker {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let theme = self.options.theme();
        let glyphs = self.options.glyphs();
        let Regions {
            head,
            list,
            title,
            shows,
            foot,
            place,
        } = self.regions(area);
        Pen::new(head, 0, buf)
            .skip(1)
            .put("loopview", theme.focus())
            .skip(3)
            .put("pick a lesson and watch it run", theme.dim());
        self.draw_list(list, theme, buf);
        let mut pen = Pen::new(title, 0, buf);
        pen.put(glyphs.rule, theme.line())
            .put(" What to look for ", theme.title());
        let room = pen.room();
        pen.fill(glyphs.rule, room, theme.line());
        if let Some(item) = self.marked() {
            let inside = Rect {
                x: shows.x.saturating_add(1).min(shows.right()),
                width: shows.width.saturating_sub(2),
                ..shows
            };
            Paragraph::new(item.shows)
                .style(theme.text())
                .wrap(Wrap { trim: true })
                .render(inside, buf);
        }
        if let (Some(item), Some(reading)) = (self.marked(), self.reading) {
            Page::new(item.page, theme, glyphs).render(reading, place, buf);
        }
        let mut pen = Pen::new(foot, 0, buf);
        pen.skip(1);
        footer::draw(&self.keys(glyphs), theme, &mut pen);
        if let Some(typed) = &self.typed {
            pen.put("/", theme.key()).skip(1);
            let room = pen.room();
            typed.draw(None, room, theme, glyphs, &mut pen);
        }
    }
}
