//! What a person does to find their way: filters, marks, columns, commands, the mouse; and
//! that no keys and no clicks, in whatever order, break the screen or cannot be undone.

mod support;

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use loopview::{
    config,
    keymap::{Context, KEYS, On},
    model::Model,
    view::{self, Effect, Gesture, Mouse, Options, Pane, ThemeName, Travel, ViewState},
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Position, style::Modifier};
use support::scenario::Scenario;

/// The same program at several moments.
fn moments(milliseconds: &[u64]) -> Vec<Model> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens/gather.txt");
    let text = std::fs::read_to_string(path).expect("a story");
    let story = Scenario::parse(&text).expect("a story");
    let model = |ms: &u64| story.model_at(Duration::from_millis(*ms));
    milliseconds.iter().map(model).collect()
}

fn gather() -> Model {
    moments(&[1_800]).remove(0)
}

/// A person before a screen.
struct Person {
    model: Model,
    state: ViewState,
    size: (u16, u16),
}

impl Person {
    fn new(size: (u16, u16)) -> Self {
        Self::with(size, Options::default())
    }

    fn with(size: (u16, u16), options: Options) -> Self {
        let model = gather();
        let mut state = ViewState::new(options);
        state.resize(size.0, size.1);
        state.sync(&model);
        Self { model, state, size }
    }

    /// Keys by their names, with blanks between them.
    fn press(&mut self, keys: &str) -> Option<Effect> {
        let mut effect = None;
        for key in keys.split_whitespace() {
            let key: loopview::keymap::Key = key.parse().expect(key);
            let modifiers = if key.control {
                KeyModifiers::CONTROL
            } else {
                KeyModifiers::NONE
            };
            effect = self.key(KeyEvent::new(key.code, modifiers));
        }
        effect
    }

    fn key(&mut self, key: KeyEvent) -> Option<Effect> {
        let action = self.state.action(key)?;
        self.state.act(action, &self.model)
    }

    fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.key(KeyEvent::from(KeyCode::Char(c)));
        }
    }

    fn mouse(&mut self, at: Position, gesture: Gesture) -> Option<Effect> {
        self.state.mouse(Mouse { at, gesture }, &self.model)
    }

    /// Presses where this stands on the screen, `skip` lines of it from the top left out.
    fn click_below(&mut self, skip: usize, text: &str) -> Option<Effect> {
        let at = self.find(skip, text);
        self.mouse(at, Gesture::Press)
    }

    fn click(&mut self, text: &str) -> Option<Effect> {
        self.click_below(0, text)
    }

    fn find(&self, skip: usize, text: &str) -> Position {
        let screen = self.screen();
        let found = screen.lines().enumerate().skip(skip).find_map(|(y, line)| {
            let at = line.find(text)?;
            let x = line[..at].chars().count();
            Some(Position::new(x as u16 + 1, y as u16))
        });
        found.unwrap_or_else(|| panic!("{text} is not on the screen:\n{screen}"))
    }

    fn buffer(&self) -> Buffer {
        let (width, height) = self.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        let drawn = terminal.draw(|frame| view::draw(frame, &self.model, &self.state));
        drawn.expect("a drawn screen");
        terminal.backend().buffer().clone()
    }

    fn screen(&self) -> String {
        let buffer = self.buffer();
        let rows = buffer.content().chunks(usize::from(self.size.0).max(1));
        let line = |row: &[ratatui::buffer::Cell]| {
            let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        };
        rows.map(line).collect::<Vec<_>>().join("\n")
    }

    fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }

    /// The names in the task table, from its first row.
    fn tasks(&self) -> Vec<String> {
        let screen = self.screen();
        let rows = screen.lines().skip(6).map(|row| row.replacen('▸', " ", 1));
        rows.take_while(|row| !row.contains('─'))
            .filter_map(|row| Some(row.split_whitespace().nth(2)?.to_owned()))
            .collect()
    }

    #[track_caller]
    fn assert_shows(&self, text: &str) {
        assert!(self.shows(text), "{text} in\n{}", self.screen());
    }
}

const SIZE: (u16, u16) = (120, 40);
const SIZES: [(u16, u16); 2] = [(80, 24), SIZE];

/// Compares what keys and text lead to with its snapshots.
fn snapshots(name: &str, keys: &str, text: &str) {
    for size in SIZES {
        let mut person = Person::new(size);
        person.press(keys);
        person.types(text);
        assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), person.screen());
    }
}

/// Places in the tree and rows of the table are kept from one picture to the next as long as they
/// must be the same.
#[test]
fn what_is_kept_is_what_would_be_made_anew() {
    let moments = moments(&(0..40).map(|n| n * 100).collect::<Vec<_>>());
    for keys in ["3", "3 f", "3 X", "4", "4 f", "4 s s s s s", "4 s S"] {
        let mut kept = Person::new((120, 40));
        kept.press(keys);
        for model in &moments {
            kept.model = model.clone();
            kept.state.sync(model);
            let mut new = Person::new((120, 40));
            new.press(keys);
            new.model = model.clone();
            new.state.sync(model);
            assert_eq!(kept.screen(), new.screen(), "{keys}");
        }
    }
}

#[test]
fn a_filter_that_is_typed() {
    snapshots("filter", "/", "state=done busy>100us");
}

#[test]
fn a_filter_that_makes_no_sense() {
    snapshots("filter_error", "/", "worker bsy>1ms");
}

#[test]
fn the_list_of_commands() {
    snapshots("palette", ":", "");
    snapshots("palette_sort", ":", "sobu");
}

#[test]
fn the_list_of_columns() {
    snapshots("columns", "c Down Space Right", "");
}

#[test]
fn a_filter_holds_in_every_list_until_it_is_dropped() {
    let mut person = Person::new(SIZE);
    let all = person.tasks();
    assert_eq!(all.len(), 10);
    person.press("/");
    person.types("name=a");
    assert_eq!(person.tasks(), ["A"]);
    person.assert_shows("1 of 10 · filter name=a");
    // The timer of A has fired; those of others are hidden.
    person.assert_shows("Timers  1 of 4 · filter name=a");
    person.press("Enter");
    assert_eq!(person.state.context(), Context::Pane(Pane::Tasks));
    assert_eq!(person.tasks(), ["A"]);
    person.press("3");
    person.assert_shows("filter name=a");
    assert!(
        person.shows("─ A ") && !person.shows("─ B "),
        "{}",
        person.screen()
    );
    person.press("1 /");
    person.types("x");
    person.assert_shows("The filter lets none of 10 through: / changes it.");
    person.press("Esc");
    assert_eq!(person.tasks(), all);
    // Esc later is the same step.
    person.press("/");
    person.types("b");
    person.press("Enter Esc");
    assert_eq!(person.tasks(), all);
}

#[test]
fn what_makes_no_sense_leaves_the_last_filter_that_did() {
    let mut person = Person::new(SIZE);
    person.press("/");
    person.types("hash");
    assert_eq!(person.tasks(), ["hash", "hash"]);
    person.types(" /sh");
    person.assert_shows("the expression's last slash is missing");
    assert_eq!(person.tasks(), ["hash", "hash"]);
    person.press("Enter");
    assert_eq!(
        person.state.context(),
        Context::Find,
        "Enter waits for sense"
    );
    person.types("/");
    person.press("Enter");
    person.assert_shows("2 of 10 · filter hash /sh/");
}

#[test]
fn a_search_hides_nothing_and_is_gone_through() {
    let mut person = Person::new(SIZE);
    let all = person.tasks();
    person.press("/");
    person.types("hash");
    person.press("Ctrl-G");
    assert_eq!(person.tasks(), all);
    person.assert_shows("2 of 10 · search hash");
    let underlined = |person: &Person, name: &str| {
        let at = person.find(5, name);
        person.buffer()[at].modifier.contains(Modifier::UNDERLINED)
    };
    assert!(underlined(&person, "hash  "));
    assert!(!underlined(&person, "ticker"));
    let row = |person: &Person| {
        person
            .screen()
            .lines()
            .position(|line| line.starts_with('▸'))
    };
    let start = row(&person);
    person.press("n");
    let first = row(&person);
    person.press("n");
    assert_ne!((start, first), (first, row(&person)));
    person.press("n");
    assert_eq!(row(&person), first, "around the end");
    person.press("N N");
    assert_eq!(row(&person), first);
    person.press("Esc");
    assert!(!underlined(&person, "hash  "));
}

#[test]
fn marks_are_in_every_view_and_can_be_gone_to() {
    let mut person = Person::new(SIZE);
    person.press("Down m Down Down m");
    person.assert_shows("★ B");
    person.press("5");
    person.assert_shows("★ B");
    person.press("1 Home '");
    let cursor = |person: &Person| {
        let screen = person.screen();
        let row = screen.lines().find(|line| line.starts_with('▸'));
        row.expect("a cursor").to_owned()
    };
    assert!(cursor(&person).contains("★ B"));
    person.press("'");
    assert!(cursor(&person).contains("★ feed"), "{}", cursor(&person));
    person.press("N");
    assert!(cursor(&person).contains("★ B"));
    person.press("m '");
    assert!(!person.shows("★ B") && cursor(&person).contains("★ feed"));
    person.state.forget_tasks();
    assert!(!person.shows("★"), "a new run has other tasks");
}

#[test]
fn a_followed_task_keeps_the_cursor_and_its_end_is_told() {
    let [before, after] = &moments(&[950, 1_800])[..] else {
        panic!("two moments")
    };
    let mut person = Person::new(SIZE);
    person.model = before.clone();
    person.state.sync(before);
    person.press("Down F");
    person.assert_shows("A is followed");
    person.press("S");
    person.assert_shows("follows A");
    person.model = after.clone();
    person.state.sync(after);
    person.assert_shows("A has ended: done, after 1.00 s");
    assert!(!person.shows("follows A"));
}

#[test]
fn what_is_copied_is_told() {
    let mut person = Person::new(SIZE);
    let copied = person.press("Down Y");
    assert_eq!(copied, Some(Effect::Copy("gather.rs:23".to_owned())));
    person.assert_shows("gather.rs:23 is copied");
    let number = person.press("y");
    assert!(
        matches!(&number, Some(Effect::Copy(n)) if n.parse::<u64>().is_ok()),
        "{number:?}"
    );
    assert_eq!(person.press("0 y"), None);
    person.assert_shows("no task is selected here");
}

#[test]
fn moments_are_remembered_and_listed() {
    let mut person = Person::new(SIZE);
    person.press("B");
    person.assert_shows("bookmark 1 is 1.80 s after the start");
    person.press(":");
    person.types("bookmark 1");
    person.assert_shows("back to 1.80 s after the start");
    let travel = person.press("Enter");
    let to = Travel::To(person.model.now);
    assert_eq!(travel, Some(Effect::Travel(to)));
}

#[test]
fn commands_are_done_by_name() {
    let mut person = Person::new(SIZE);
    person.press(":");
    person.types("sort busy");
    person.press("Enter");
    person.assert_shows("BUSY▼");
    person.press(":");
    person.types("filter feed");
    person.press("Enter");
    assert_eq!(person.tasks(), ["feed"]);
    person.press(":");
    person.types("filter bsy>1");
    person.press("Enter");
    person.assert_shows("bsy>1: no field is called so");
    person.press(":");
    person.types("filter ");
    person.press("Enter");
    assert_eq!(person.tasks().len(), 10);
    person.press(":");
    person.types("goto 999999");
    person.press("Enter");
    person.assert_shows("no task has the number 999999");
    let number = person
        .model
        .tasks
        .iter()
        .find(|task| task.label() == "feed");
    let number = number.expect("a task").number();
    person.press(":");
    person.types(&format!("goto {number}"));
    person.press("Enter Enter");
    person.assert_shows("━ feed ");
    person.press("Esc :");
    person.types("zoom");
    person.press("Enter");
    person.assert_shows("unzoom");
    person.press(":");
    person.types("quit");
    assert_eq!(person.press("Enter"), Some(Effect::Quit));
}

#[test]
fn every_key_of_the_screen_is_a_command_that_its_name_finds() {
    let mut person = Person::new(SIZE);
    person.press(":");
    let screen = |on| matches!(on, On::Anywhere | On::Screen | On::Views | On::Panes(_));
    for binding in KEYS.iter().filter(|b| screen(b.on) && b.name != "command") {
        let name = binding.name.replace('-', " ");
        person.types(&name);
        person.assert_shows(&format!("▸ {name} "));
        person.press("Ctrl-U");
    }
}

#[test]
fn columns_are_chosen_and_ordered() {
    let mut person = Person::new(SIZE);
    let titles = |person: &Person| {
        let screen = person.screen();
        let line = screen.lines().nth(5).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let before = titles(&person);
    assert!(before.starts_with("STATE NAME KIND"), "{before}");
    person.press("c Down Down Space Up Left Enter");
    assert!(
        titles(&person).starts_with("NAME STATE TOTAL"),
        "{}",
        titles(&person)
    );
}

#[test]
fn keys_of_the_configuration_are_those_that_work_and_are_shown() {
    let settings = config::read(b"[keys]\nzoom = [\"Z\"]\nhelp = [\"h\"]\n").expect("a file");
    let options = Options {
        keys: settings.keys,
        ..Options::default()
    };
    let mut person = Person::with(SIZE, options);
    person.assert_shows("Z zoom");
    person.press("z");
    assert!(!person.shows("unzoom"));
    person.press("Z");
    person.assert_shows("Z unzoom");
    person.press("Z h");
    person.assert_shows("show this help");
}

#[test]
fn the_mouse_does_what_is_under_it() {
    let mut person = Person::new(SIZE);
    person.click("5 Timers");
    assert_eq!(person.state.context(), Context::Pane(Pane::Timers));
    person.click("1 Overview");
    // A row, then the same again.
    person.click_below(6, "feed");
    assert_eq!(person.state.context(), Context::Pane(Pane::Tasks));
    person.click_below(6, "feed");
    assert_eq!(person.state.context(), Context::Details);
    person.assert_shows("━ feed ");
    person.press("Esc");
    person.click("BUSY");
    person.assert_shows("BUSY▼");
    person.click("BUSY");
    person.assert_shows("BUSY▲");
    person.click("─ 6 Workers");
    assert_eq!(person.state.context(), Context::Pane(Pane::Workers));
    assert_eq!(person.click("q quit"), Some(Effect::Quit));
    person.click("? help");
    assert_eq!(person.state.context(), Context::Overlay);
    person.mouse(Position::new(0, 10), Gesture::Press);
    assert_eq!(person.state.context(), Context::Pane(Pane::Workers));
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut person = Person::new((80, 24));
    let at = person.find(0, "Output");
    let before = person.screen();
    person.mouse(Position::new(at.x, at.y + 1), Gesture::WheelUp);
    assert_eq!(
        person.state.context(),
        Context::Pane(Pane::Tasks),
        "no focus is lost"
    );
    person.mouse(Position::new(10, 8), Gesture::WheelDown);
    assert_ne!(person.screen(), before);
    person.press("?");
    person.assert_shows("show this help");
    person.mouse(Position::new(40, 10), Gesture::WheelDown);
    assert!(!person.shows("show this help"));
}

/// A pane is scrolled by its own height, whichever has the focus.
#[test]
fn the_wheel_reaches_the_first_line_of_the_output() {
    let mut story = vec!["target any program".to_owned()];
    story.push("0ms block_on main at main.rs:3".to_owned());
    story.extend((1..=60).map(|n| format!("{n}ms output \"line {n} of them\"")));
    story.push("until 200ms".to_owned());
    let story = story.join("\n");
    let story = Scenario::parse(&story).expect("a story");
    let mut person = Person::new((120, 40));
    person.model = story.model();
    person.press("1");
    let at = person.find(0, "60 lines");
    person.assert_shows("line 60 of them");
    for _ in 0..60 {
        person.mouse(Position::new(at.x, at.y + 1), Gesture::WheelUp);
    }
    person.assert_shows("line 1 of them");
    let shown = person.screen().matches("of them").count();
    assert!(shown > 3, "it is full: {shown} lines");
}

#[test]
fn a_filter_that_hides_every_resource_says_so() {
    let story = "
target any program
0ms     block_on main at main.rs:3
0ms     poll main 1ms
0.1ms   resource stock Mutex
0.2ms   await main stock
until   100ms
";
    let story = Scenario::parse(story).expect("a story");
    let mut person = Person::new((120, 40));
    person.model = story.model();
    person.press("7");
    person.assert_shows("Mutex");
    person.press("/");
    person.types("state=done");
    person.press("Enter");
    person.assert_shows("The filter lets none of 1 through");
    assert!(!person.shows("No locks, semaphores or channels."));
}

/// A timer that fired late, one that was dropped before it was due, and one that waits.
#[test]
fn deadlines_stay_where_they_were_once_their_timers_have_ended() {
    let story = "
target any program
publish 50ms
0ms     block_on main at main.rs:3
0ms     poll main 1ms
0.2ms   spawn late by main
0.4ms   spawn quick by main
10ms    poll late 1ms
10.5ms  sleep late 500ms as nap
20ms    poll quick 2ms
21ms    sleep quick 1s as limit
300ms   wake main
300ms   poll main 600ms
905ms   fire nap
905ms   poll late 1ms
905.5ms sleep late 1s
950ms   wake quick
950ms   poll quick 1ms
950.5ms drop limit
1300ms  end
";
    let story = Scenario::parse(story).expect("a story");
    for (unicode, late, unused, ahead) in [
        (true, "─◆▒▒▒▒▒▒▒▁─", "◦", "◇"),
        (false, "zVRRRRRRR_z", ",", "v"),
    ] {
        let options = Options {
            unicode,
            ..Options::default()
        };
        let mut person = Person::with(SIZE, options);
        person.model = story.model_at(Duration::from_millis(1_250));
        person.press("2");
        person.state.sync(&person.model);
        let screen = person.screen();
        let row = |name: &str| {
            let row = screen.lines().find(|row| row.contains(name));
            row.unwrap_or_else(|| panic!("{name} in\n{screen}"))
                .to_owned()
        };
        assert!(row(" late ").contains(late), "{screen}");
        assert!(row(" late ").ends_with(ahead), "{screen}");
        assert!(row(" quick ").contains(unused), "{screen}");
    }
}

#[test]
fn time_is_chosen_in_the_timeline_with_the_mouse() {
    let mut person = Person::new((120, 40));
    person.press("2");
    person.assert_shows("50.0 ms a cell");
    let lane = person.find(4, " B ");
    let x = 60;
    person.mouse(Position::new(x, lane.y), Gesture::Press);
    let cursor = person.screen();
    let named = |screen: &str| {
        screen
            .lines()
            .any(|l| l.starts_with('▸') && l.contains(" B "))
    };
    assert!(named(&cursor), "{cursor}");
    person.mouse(Position::new(x + 8, lane.y), Gesture::Drag);
    person.mouse(Position::new(x + 8, lane.y), Gesture::Release);
    // Nine cells of 50 ms now have the whole width.
    person.assert_shows("5.00 ms a cell");
    // A click alone chooses nothing.
    person.mouse(Position::new(x, lane.y), Gesture::Press);
    person.mouse(Position::new(x, lane.y), Gesture::Release);
    person.assert_shows("5.00 ms a cell");
}

#[test]
fn lists_to_choose_from_are_clicked() {
    let mut person = Person::new(SIZE);
    person.press(":");
    person.types("theme");
    person.click("theme light");
    assert_eq!(person.state.context(), Context::Pane(Pane::Tasks));
    person.press("c");
    person.click("how long it has lived");
    person.press("Enter");
    assert!(!person.shows("TOTAL"));
    person.press("c");
    person.mouse(Position::new(0, 5), Gesture::Press);
    assert_eq!(person.state.context(), Context::Pane(Pane::Tasks));
}

#[test]
fn every_theme_shows_the_same_text() {
    let plain = Person::new(SIZE).screen();
    for theme in ThemeName::ALL {
        let options = Options {
            theme,
            ..Options::default()
        };
        let person = Person::with(SIZE, options);
        assert_eq!(person.screen(), plain);
    }
}

/// Numbers that look like chance, and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// Keys that mean something somewhere, but for those that end the screen, and text.
fn keys() -> Vec<KeyEvent> {
    let bound = KEYS.iter().flat_map(|binding| binding.keys);
    let bound = bound.map(|key| {
        let modifiers = if key.control {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        KeyEvent::new(key.code, modifiers)
    });
    let text = "abz =~<>!/\"\\.µ任:019".chars().map(KeyCode::Char);
    bound.chain(text.map(KeyEvent::from)).collect()
}

#[test]
fn ten_thousand_keys_never_break_it_and_can_be_left() {
    /// Steps from the deepest place to the overview.
    const STEPS: usize = 8;
    let keys = keys();
    let moments = moments(&[0, 300, 950, 1_100, 1_800]);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut person = Person::new((80, 24));
    for step in 0..10_000 {
        let key = keys[chance.below(keys.len())];
        person.key(key);
        match chance.below(20) {
            0 => {
                person.size = (chance.below(140) as u16, chance.below(45) as u16);
                person.state.resize(person.size.0, person.size.1);
            }
            1 => {
                person.model = moments[chance.below(moments.len())].clone();
                person.state.sync(&person.model);
            }
            2..6 => {
                let at = Position::new(chance.below(140) as u16, chance.below(45) as u16);
                let gestures = [
                    Gesture::Press,
                    Gesture::Drag,
                    Gesture::Release,
                    Gesture::WheelUp,
                    Gesture::WheelDown,
                ];
                person.mouse(at, gestures[chance.below(4)]);
            }
            6 => {
                person.buffer();
            }
            _ => {}
        }
        if step % 50 == 0 {
            let mut lost = person.state.clone();
            for _ in 0..STEPS {
                if let Some(action) = lost.action(KeyEvent::from(KeyCode::Esc)) {
                    assert_eq!(lost.act(action, &person.model), None);
                }
            }
            assert_eq!(lost.context(), Context::Pane(Pane::Tasks), "step {step}");
        }
    }
}
