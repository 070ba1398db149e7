//! The list of lessons, from which a person picks one.
//!
//! ```text
//!  loopview   pick a lesson and watch it run
//!
//!  coroutines  ▸ hello      say hello, wait a second, say goodbye
//!                serial     await one coroutine after another
//!  tasks         tasks      create two tasks and await both
//!
//! ─ What to look for ──────────────────────────────
//!  One task, main, sleeps for the whole second. …
//!
//!  Enter run  / find  L page  q quit
//! ```
//!
//! The marked lesson's page is shown as it is with a running lesson: beside the list, or over it.

mod draw;

use ratatui::layout::{Position, Rect};

use super::{
    Gesture, Mouse, Options, Pane,
    cursor::{Cursor, Motion},
    fuzzy,
    input::Input,
    lesson::Reading,
    mouse::NOTCH,
};
use crate::keymap::{Action, Context};

pub use draw::draw;

/// A lesson as the list shows it.
#[derive(Copy, Clone, Debug)]
pub struct Item {
    pub name: &'static str,
    /// What it is about; lessons of a group are together.
    pub group: &'static str,
    pub summary: &'static str,
    /// What to look for on the screen.
    pub shows: &'static str,
    /// What there is to read about it, as Markdown.
    pub page: &'static str,
}

impl Item {
    fn is_meant_by(&self, typed: &str) -> bool {
        let typed = typed.trim().to_lowercase();
        let words = [self.summary, self.group, self.shows];
        fuzzy::score(&typed, self.name).is_some()
            || words
                .iter()
                .any(|words| words.to_lowercase().contains(&typed))
    }
}

/// What the person has chosen so far.
#[derive(Clone, Debug)]
pub struct Picker {
    pub options: Options,
    items: Vec<Item>,
    /// Which of them are listed.
    listed: Vec<usize>,
    cursor: Cursor<usize>,
    /// What the person types to find a lesson.
    typed: Option<Input>,
    /// The marked lesson's page while it is open.
    reading: Option<Reading>,
    /// The terminal, on which depends how far a page can be scrolled.
    area: Rect,
}

/// What a key came to.
#[derive(Copy, Clone, Debug)]
pub enum Picked {
    Lesson(Item),
    Quit,
}

impl Picker {
    pub fn new(items: Vec<Item>, options: Options) -> Self {
        Self {
            options,
            listed: (0..items.len()).collect(),
            items,
            cursor: Cursor::default(),
            typed: None,
            reading: None,
            area: Rect::ZERO,
        }
    }

    pub fn resize(&mut self, area: Rect) {
        self.area = area;
        self.sync();
    }

    /// Whether the page is open, and is to be open when the lesson runs.
    pub fn is_reading(&self) -> bool {
        self.reading.is_some()
    }

    /// Where the person is, which decides what keys mean.
    pub fn context(&self) -> Context {
        match self.typed {
            Some(_) => Context::Palette,
            None => Context::Pane(Pane::Tasks),
        }
    }

    pub fn act(&mut self, action: Action) -> Option<Picked> {
        let page = self.height().cast_signed();
        let half = isize::from((self.area.height / 2).cast_signed());
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp if self.is_reading() => self.scroll_page(-half),
            Action::PageDown if self.is_reading() => self.scroll_page(half),
            Action::PageUp => self.step(-page),
            Action::PageDown => self.step(page),
            Action::First => self.step(isize::MIN),
            Action::Last => self.step(isize::MAX),
            Action::Find => self.typed = Some(Input::default()),
            Action::Type(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Action::Edit(edit) => {
                if let Some(typed) = &mut self.typed {
                    typed.edit(edit);
                }
                self.list();
            }
            Action::Leave if self.typed.is_some() => {
                // What was found stays marked among all.
                if let Some(number) = self.listed.get(self.cursor.row()) {
                    self.cursor.aim(*number);
                }
                self.typed = None;
                self.list();
            }
            Action::Lesson if !self.is_reading() => self.reading = Some(Reading::NEW),
            Action::Lesson | Action::Leave if self.is_reading() => self.reading = None,
            Action::Enter => return self.marked().map(Picked::Lesson),
            Action::Quit | Action::Leave => return Some(Picked::Quit),
            _ => {}
        }
        None
    }

    /// Takes in what was typed or pasted, where something can be.
    pub fn insert(&mut self, text: &str) {
        if let Some(typed) = &mut self.typed {
            typed.insert(text);
            self.list();
        }
    }

    pub fn mouse(&mut self, mouse: Mouse) -> Option<Picked> {
        match mouse.gesture {
            Gesture::Press => return self.press(mouse.at),
            Gesture::WheelUp => self.wheel(-NOTCH, mouse.at),
            Gesture::WheelDown => self.wheel(NOTCH, mouse.at),
            Gesture::Drag | Gesture::Release => {}
        }
        None
    }

    /// Marks the lesson there, and runs it if it was marked; or does what a key does that the
    /// last line names.
    fn press(&mut self, at: Position) -> Option<Picked> {
        if let Some(action) = self.key_at(at) {
            return self.act(action);
        }
        let list = self.regions(self.area).list;
        let row = usize::from(at.y.checked_sub(list.y)?) + self.cursor.top(self.height());
        if !list.contains(at) || row >= self.listed.len() {
            return None;
        }
        if row == self.cursor.row() {
            return self.act(Action::Enter);
        }
        self.step(row.cast_signed() - self.cursor.row().cast_signed());
        None
    }

    fn wheel(&mut self, by: isize, at: Position) {
        if self.is_reading() && self.regions(self.area).place.area().contains(at) {
            self.scroll_page(by);
        } else {
            self.go(Motion::Scroll(by));
        }
    }

    /// Lists the lessons that are meant by what was typed.
    fn list(&mut self) {
        let typed = self.typed.as_ref().map_or("", Input::text);
        let items = self.items.iter().enumerate();
        let meant = items.filter(|(_, item)| item.is_meant_by(typed));
        self.listed = meant.map(|(number, _)| number).collect();
        self.sync();
    }

    fn sync(&mut self) {
        let height = self.height();
        self.cursor.sync(self.listed.iter().copied(), height);
    }

    fn step(&mut self, by: isize) {
        self.go(Motion::Step(by));
    }

    /// Another lesson's page is read from its beginning.
    fn go(&mut self, how: Motion) {
        let (height, before) = (self.height(), self.cursor.row());
        self.cursor.go(how, self.listed.iter().copied(), height);
        if let Some(reading) = &mut self.reading
            && self.cursor.row() != before
        {
            reading.scroll = 0;
        }
    }

    fn marked(&self) -> Option<Item> {
        let number = self.listed.get(self.cursor.row())?;
        self.items.get(*number).copied()
    }

    /// Rows of lessons in sight.
    fn height(&self) -> usize {
        usize::from(self.regions(self.area).list.height)
    }

    fn scroll_page(&mut self, lines: isize) {
        let place = self.regions(self.area).place;
        if let (Some(item), Some(reading)) = (self.marked(), &mut self.reading) {
            reading.step(lines, item.page, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{buffer::Buffer, widgets::Widget};

    use super::*;

    fn picker() -> Picker {
        let item = |name| Item {
            name,
            group: "numbers",
            summary: "what it does",
            shows: "what to see",
            page: "# title\n\nwhat to read\n",
        };
        Picker::new(["one", "two", "three"].map(item).into(), Options::default())
    }

    #[test]
    fn keys_move_and_pick() {
        let mut picker = picker();
        assert!(picker.act(Action::Up).is_none());
        assert!(picker.act(Action::Down).is_none());
        assert_eq!(picked(&mut picker), Some("two"));
        for _ in 0..9 {
            picker.act(Action::Down);
        }
        assert_eq!(picked(&mut picker), Some("three"));
        assert!(matches!(picker.act(Action::Quit), Some(Picked::Quit)));
        let nothing = &mut Picker::new(Vec::new(), Options::default());
        assert!(nothing.act(Action::Last).is_none());
        assert_eq!(picked(nothing), None);
    }

    fn picked(picker: &mut Picker) -> Option<&'static str> {
        match picker.act(Action::Enter) {
            Some(Picked::Lesson(item)) => Some(item.name),
            _ => None,
        }
    }

    fn drawn(picker: &Picker, area: Rect) -> String {
        let mut buffer = Buffer::empty(area);
        picker.render(area, &mut buffer);
        let cells = buffer.content().iter();
        cells.map(ratatui::buffer::Cell::symbol).collect()
    }

    fn typed(text: &str) -> Picker {
        let mut picker = picker();
        picker.resize(Rect::new(0, 0, 80, 24));
        picker.act(Action::Find);
        picker.insert(text);
        picker
    }

    #[test]
    fn what_is_typed_finds_by_name_and_by_words() {
        let mut found = typed("tw");
        assert_eq!(found.context(), Context::Palette);
        assert_eq!(picked(&mut found), Some("two"));
        assert_eq!(typed("SEE").listed.len(), 3);
        assert_eq!(typed("number").listed.len(), 3);
        let mut nothing = typed("four");
        assert_eq!(picked(&mut nothing), None);
        let screen = drawn(&nothing, Rect::new(0, 0, 80, 24));
        assert!(screen.contains("No lesson"), "{screen}");
        // All are there again, and the next step back leaves the list.
        assert!(nothing.act(Action::Leave).is_none());
        assert_eq!(picked(&mut nothing), Some("one"));
        assert!(matches!(nothing.act(Action::Leave), Some(Picked::Quit)));
    }

    #[test]
    fn a_lesson_that_is_found_stays_marked_among_all() {
        let mut picker = typed("three");
        picker.act(Action::Leave);
        assert_eq!(picked(&mut picker), Some("three"));
        assert_eq!(picker.listed.len(), 3);
    }

    #[test]
    fn the_mouse_marks_runs_and_presses_keys() {
        let mut picker = picker();
        picker.resize(Rect::new(0, 0, 80, 24));
        let at = |x, y, gesture| Mouse {
            at: Position::new(x, y),
            gesture,
        };
        assert!(picker.mouse(at(4, 3, Gesture::Press)).is_none());
        assert_eq!(picker.marked().map(|item| item.name), Some("two"));
        let again = picker.mouse(at(4, 3, Gesture::Press));
        assert!(matches!(again, Some(Picked::Lesson(item)) if item.name == "two"));
        // Below the list there is nothing, and on the last line there are keys.
        assert!(picker.mouse(at(4, 9, Gesture::Press)).is_none());
        let foot = drawn(&picker, Rect::new(0, 0, 80, 24));
        let quit = foot
            .rfind("quit")
            .map(|byte| foot[..byte].chars().count() % 80);
        let quit = u16::try_from(quit.unwrap_or_default()).unwrap_or_default();
        let pressed = picker.mouse(at(quit, 23, Gesture::Press));
        assert!(matches!(pressed, Some(Picked::Quit)));
    }

    #[test]
    fn a_wide_list_tells_what_lessons_are_about() {
        let mut picker = picker();
        for (width, told) in [(80, 0), (120, 1)] {
            let area = Rect::new(0, 0, width, 24);
            picker.resize(area);
            assert_eq!(drawn(&picker, area).matches("numbers").count(), told);
        }
    }

    #[test]
    fn a_page_is_open_until_it_is_left() {
        for width in [80, 120] {
            let area = Rect::new(0, 0, width, 24);
            let mut picker = picker();
            assert!(!drawn(&picker, area).contains("what to read"));
            picker.act(Action::Lesson);
            assert!(drawn(&picker, area).contains("what to read"));
            // The list goes on.
            picker.act(Action::Down);
            assert_eq!(picked(&mut picker), Some("two"));
            assert!(picker.is_reading());
            assert!(picker.act(Action::Leave).is_none());
            assert!(!picker.is_reading());
            assert!(matches!(picker.act(Action::Leave), Some(Picked::Quit)));
        }
    }

    #[test]
    fn a_page_is_scrolled_to_its_end_and_no_farther() {
        let item = Item {
            page: "# t\n\n- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h\n- i\n- j\n",
            ..picker().items[0]
        };
        let mut picker = Picker::new(vec![item], Options::default());
        let area = Rect::new(0, 0, 80, 12);
        picker.resize(area);
        picker.act(Action::Lesson);
        for _ in 0..5 {
            picker.act(Action::PageDown);
        }
        let end = drawn(&picker, area);
        assert!(end.contains("· j") && !end.contains("more"), "{end}");
        picker.act(Action::PageUp);
        assert!(drawn(&picker, area).contains("· a"));
    }

    #[test]
    fn any_size_is_drawn_and_the_selected_one_is_there() {
        let mut picker = picker();
        picker.act(Action::Last);
        for (width, height) in (1..50).flat_map(|w| (1..14).map(move |h| (w, h))) {
            let area = Rect::new(0, 0, width, height);
            picker.resize(area);
            let text = drawn(&picker, area);
            let mut reading = picker.clone();
            reading.act(Action::Lesson);
            drawn(&reading, area);
            assert!(width < 10 || height < 9 || text.contains("three"), "{area}");
        }
    }
}
