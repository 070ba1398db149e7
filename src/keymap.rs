//! Keys are data: one table gives the action, the footer and the help.
//!
//! To add a key, add an [`Action`] and a line in [`KEYS`]; the footer, the help and the
//! lookup follow. What an action does is in [`crate::view::state`].

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    Help,
    Warnings,
    Leave,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PrevPane,
    /// Focuses the pane of this number, from 1.
    Pane(u8),
    Zoom,
    /// Opens the details of the selected task.
    Enter,
    NextTask,
    PrevTask,
    SortNext,
    SortReverse,
    /// Shows or hides finished tasks.
    ToggleDone,
    /// Each cell of a history stands for less time.
    Finer,
    Coarser,
    Pause,
    RunAgain,
}

/// Where the person is, which decides what keys mean.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// The overview, with the task table in focus.
    Tasks,
    /// The overview, with another pane in focus.
    Pane,
    Details,
    /// Something to read that lies over all else: the help, the warnings.
    Overlay,
}

/// The heading in the help under which a key stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Group {
    General,
    Move,
    Tasks,
    Panes,
}

impl Group {
    pub const ALL: [Self; 4] = [Self::General, Self::Move, Self::Tasks, Self::Panes];

    pub fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Move => "Move",
            Self::Tasks => "Tasks",
            Self::Panes => "Panes",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// Any of these; the first is the one that the footer names.
    pub keys: &'static [Key],
    pub contexts: &'static [Context],
    pub action: Action,
    pub group: Group,
    /// A word for the footer, if it belongs there.
    pub label: Option<&'static str>,
    pub help: &'static str,
}

/// A key, with Control held or not. Shift is in the character.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
}

const fn key(code: KeyCode) -> Key {
    Key {
        code,
        control: false,
    }
}

const fn char(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn control(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        control: true,
    }
}

const ANYWHERE: &[Context] = &[
    Context::Tasks,
    Context::Pane,
    Context::Details,
    Context::Overlay,
];
const NO_OVERLAY: &[Context] = &[Context::Tasks, Context::Pane, Context::Details];
const OVERVIEW: &[Context] = &[Context::Tasks, Context::Pane];
const COVERS: &[Context] = &[Context::Details, Context::Overlay];
const TASKS: &[Context] = &[Context::Tasks];
const DETAILS: &[Context] = &[Context::Details];

const fn pane(keys: &'static [Key], number: u8, help: &'static str) -> Binding {
    Binding {
        keys,
        contexts: OVERVIEW,
        action: Action::Pane(number),
        group: Group::Panes,
        label: None,
        help,
    }
}

/// All keys, the most useful in each context first: a narrow footer shows those.
pub const KEYS: &[Binding] = &[
    Binding {
        keys: &[char('?'), char('h'), key(KeyCode::F(1))],
        contexts: NO_OVERLAY,
        action: Action::Help,
        group: Group::General,
        label: Some("help"),
        help: "show this help",
    },
    Binding {
        keys: &[key(KeyCode::Esc), key(KeyCode::Backspace)],
        contexts: COVERS,
        action: Action::Leave,
        group: Group::General,
        label: Some("back"),
        help: "go back, one step at a time, to the task table",
    },
    Binding {
        keys: &[char('q'), control('c')],
        contexts: ANYWHERE,
        action: Action::Quit,
        group: Group::General,
        label: Some("quit"),
        help: "quit; a program that loopview started is ended",
    },
    Binding {
        keys: &[char('R')],
        contexts: NO_OVERLAY,
        action: Action::RunAgain,
        group: Group::General,
        label: Some("run again"),
        help: "run the program again; if attached, connect to it again",
    },
    Binding {
        keys: &[key(KeyCode::Enter)],
        contexts: TASKS,
        action: Action::Enter,
        group: Group::Tasks,
        label: Some("details"),
        help: "open the task's details: times, wakers, histograms",
    },
    Binding {
        keys: &[char('p'), char(' ')],
        contexts: NO_OVERLAY,
        action: Action::Pause,
        group: Group::General,
        label: Some("pause"),
        help: "freeze the screen, or go on; the target runs on",
    },
    Binding {
        keys: &[key(KeyCode::Tab), key(KeyCode::Right), char('l')],
        contexts: OVERVIEW,
        action: Action::NextPane,
        group: Group::Panes,
        label: Some("pane"),
        help: "focus the next pane",
    },
    Binding {
        keys: &[char('w')],
        contexts: NO_OVERLAY,
        action: Action::Warnings,
        group: Group::General,
        label: Some("warnings"),
        help: "show all that was found to be wrong",
    },
    Binding {
        keys: &[char('z')],
        contexts: OVERVIEW,
        action: Action::Zoom,
        group: Group::Panes,
        label: Some("zoom"),
        help: "give the focused pane the whole body, or take it back",
    },
    Binding {
        keys: &[char('s')],
        contexts: TASKS,
        action: Action::SortNext,
        group: Group::Tasks,
        label: Some("sort"),
        help: "sort by the next column",
    },
    Binding {
        keys: &[char('S')],
        contexts: TASKS,
        action: Action::SortReverse,
        group: Group::Tasks,
        label: None,
        help: "reverse the order",
    },
    Binding {
        keys: &[char('f')],
        contexts: OVERVIEW,
        action: Action::ToggleDone,
        group: Group::Tasks,
        label: Some("finished"),
        help: "show or hide finished tasks, timers and calls",
    },
    Binding {
        keys: &[char('+'), char('=')],
        contexts: NO_OVERLAY,
        action: Action::Finer,
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for less time",
    },
    Binding {
        keys: &[char('-')],
        contexts: NO_OVERLAY,
        action: Action::Coarser,
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for more time",
    },
    Binding {
        keys: &[key(KeyCode::Right), char('n'), char('l')],
        contexts: DETAILS,
        action: Action::NextTask,
        group: Group::Tasks,
        label: Some("next task"),
        help: "in the details: the next task of the table",
    },
    Binding {
        keys: &[key(KeyCode::Left), char('N')],
        contexts: DETAILS,
        action: Action::PrevTask,
        group: Group::Tasks,
        label: None,
        help: "in the details: the task before",
    },
    Binding {
        keys: &[key(KeyCode::Up), char('k')],
        contexts: ANYWHERE,
        action: Action::Up,
        group: Group::Move,
        label: None,
        help: "one line up",
    },
    Binding {
        keys: &[key(KeyCode::Down), char('j')],
        contexts: ANYWHERE,
        action: Action::Down,
        group: Group::Move,
        label: None,
        help: "one line down",
    },
    Binding {
        keys: &[key(KeyCode::PageUp), control('b')],
        contexts: ANYWHERE,
        action: Action::PageUp,
        group: Group::Move,
        label: None,
        help: "one page up",
    },
    Binding {
        keys: &[key(KeyCode::PageDown), control('f')],
        contexts: ANYWHERE,
        action: Action::PageDown,
        group: Group::Move,
        label: None,
        help: "one page down",
    },
    Binding {
        keys: &[key(KeyCode::Home), char('g')],
        contexts: ANYWHERE,
        action: Action::First,
        group: Group::Move,
        label: None,
        help: "to the first line",
    },
    Binding {
        keys: &[key(KeyCode::End), char('G')],
        contexts: ANYWHERE,
        action: Action::Last,
        group: Group::Move,
        label: None,
        help: "to the last line; output then follows the target",
    },
    Binding {
        keys: &[key(KeyCode::BackTab), key(KeyCode::Left)],
        contexts: OVERVIEW,
        action: Action::PrevPane,
        group: Group::Panes,
        label: None,
        help: "focus the pane before",
    },
    pane(&[char('1')], 1, "tasks"),
    pane(&[char('2')], 2, "timers"),
    pane(&[char('3')], 3, "blocking calls and their threads"),
    pane(&[char('4')], 4, "workers"),
    pane(&[char('5')], 5, "output"),
    Binding {
        keys: &[key(KeyCode::Esc), key(KeyCode::Backspace)],
        contexts: OVERVIEW,
        action: Action::Leave,
        group: Group::Panes,
        label: None,
        help: "undo zoom and scrolling, and focus the tasks",
    },
    // The key that opened an overlay closes it.
    Binding {
        keys: &[
            char('?'),
            char('w'),
            key(KeyCode::F(1)),
            key(KeyCode::Enter),
        ],
        contexts: &[Context::Overlay],
        action: Action::Leave,
        group: Group::General,
        label: None,
        help: "close what lies over the screen",
    },
];

/// What a key means here; `None` for one that means nothing.
pub fn action(event: KeyEvent, context: Context) -> Option<Action> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let key = Key {
        code: event.code,
        control: event.modifiers.contains(KeyModifiers::CONTROL),
    };
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    bindings(context)
        .find(|binding| !alt && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The lines of the table that hold in a context.
pub fn bindings(context: Context) -> impl Iterator<Item = &'static Binding> {
    KEYS.iter()
        .filter(move |binding| binding.contexts.contains(&context))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Context; 4] = [
        Context::Tasks,
        Context::Pane,
        Context::Details,
        Context::Overlay,
    ];

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for context in ALL {
            let mut seen = Vec::new();
            for key in bindings(context).flat_map(|b| b.keys) {
                assert!(!seen.contains(&key), "{key:?} twice in {context:?}");
                seen.push(key);
            }
        }
    }

    #[test]
    fn every_context_can_be_left_and_quit() {
        for context in ALL {
            let leave = action(press(KeyCode::Esc, KeyModifiers::NONE), context);
            assert_eq!(leave, Some(Action::Leave), "{context:?}");
            let quit = action(press(KeyCode::Char('c'), KeyModifiers::CONTROL), context);
            assert_eq!(quit, Some(Action::Quit), "{context:?}");
        }
    }

    #[test]
    fn shift_is_in_the_character() {
        let shifted = press(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert_eq!(action(shifted, Context::Tasks), Some(Action::SortReverse));
        let back = press(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(action(back, Context::Pane), Some(Action::PrevPane));
    }

    #[test]
    fn a_plain_c_is_not_control_c() {
        let plain = press(KeyCode::Char('c'), KeyModifiers::NONE);
        assert_eq!(action(plain, Context::Tasks), None);
    }

    #[test]
    fn a_release_does_nothing() {
        let mut event = press(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(action(event, Context::Tasks), None);
    }
}
