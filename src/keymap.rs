//! Keys are data: one table gives the action, the footer and the help.
//!
//! To add a key, add an [`Action`] and a line in [`KEYS`]; the footer, the help and the
//! lookup follow. What an action does is in [`crate::view::state`].

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::{
    model::Sign,
    view::{Jump, Pane, Tab},
};

/// What a key asks for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Quit,
    Help,
    /// Opens or closes the page of the lesson.
    Lesson,
    Leave,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PrevPane,
    /// Shows a view.
    Tab(Tab),
    Zoom,
    /// Opens the details of the selected task.
    Enter,
    NextTask,
    PrevTask,
    SortNext,
    SortReverse,
    /// Folds or unfolds what is below a node of the tree.
    Fold,
    FoldAll,
    /// Shows the source of another file.
    NextFile,
    /// Shows or hides finished tasks.
    ToggleDone,
    /// Each cell of a history stands for less time.
    Finer,
    Coarser,
    /// Moves the timeline's cursor by a cell.
    CursorBack,
    CursorOn,
    /// Moves what the timeline shows by half of its width.
    PanBack,
    PanOn,
    /// Lets the timeline follow what happens, or stay.
    Follow,
    Jump(Jump),
    /// Shows in every view the moment that the timeline's cursor is at.
    ToCursor,
    /// Stops time, or lets it go on.
    Pause,
    RunAgain,
    /// To an earlier moment, by a step or by a great one, ...
    Back,
    FarBack,
    /// ... and to a later one.
    Forth,
    FarForth,
    /// By one thing that was told.
    FrameBack,
    FrameForth,
    /// To where there was one before, or is one next.
    Previous(Sign),
    Next(Sign),
    Slower,
    Faster,
    /// To the newest moment; the last line, where that is shown already.
    Now,
    /// Begins to write a recording, or ends it.
    Record,
}

/// Where the person is, which decides what keys mean.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// A pane that has the focus.
    Pane(Pane),
    Details,
    /// A lesson's page beside the panes.
    Lesson,
    /// Something to read that lies over all else: the help, a page.
    Overlay,
}

/// The heading in the help under which a key stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Group {
    General,
    Move,
    Tasks,
    Time,
    Timeline,
    Views,
}

impl Group {
    pub const ALL: [Self; 6] = [
        Self::General,
        Self::Move,
        Self::Timeline,
        Self::Tasks,
        Self::Time,
        Self::Views,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Move => "Move",
            Self::Tasks => "Tasks",
            Self::Time => "Time",
            Self::Timeline => "Timeline",
            Self::Views => "Views",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// Any of these; the first is the one that the footer names.
    pub keys: &'static [Key],
    pub on: On,
    pub action: Action,
    pub group: Group,
    /// A word for the footer, if it belongs there.
    pub label: Option<&'static str>,
    pub help: &'static str,
}

/// A key, with Control held or not. Shift is in the character, and so told of other keys only.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
    pub shift: bool,
}

const fn key(code: KeyCode) -> Key {
    Key {
        code,
        control: false,
        shift: false,
    }
}

const fn char(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn control(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        control: true,
        shift: false,
    }
}

const fn shift(code: KeyCode) -> Key {
    Key {
        code,
        control: false,
        shift: true,
    }
}

/// Where a key means something.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum On {
    Anywhere,
    /// Unless something lies over all else.
    Screen,
    /// The same, but for the timeline, which has a cursor in time.
    Moments,
    /// Where panes are seen.
    Views,
    /// With one of these panes in focus.
    Panes(&'static [Pane]),
    /// Where something covers the panes, or stands beside them.
    Covers,
    Details,
    Lesson,
    Overlay,
}

impl On {
    pub fn holds(self, context: Context) -> bool {
        match (self, context) {
            (Self::Anywhere, _)
            | (Self::Views, Context::Pane(_))
            | (Self::Screen, Context::Pane(_) | Context::Details | Context::Lesson)
            | (Self::Moments, Context::Details | Context::Lesson)
            | (Self::Covers, Context::Details | Context::Lesson | Context::Overlay)
            | (Self::Details, Context::Details)
            | (Self::Lesson, Context::Lesson)
            | (Self::Overlay, Context::Overlay) => true,
            (Self::Moments, Context::Pane(pane)) => pane != Pane::Timeline,
            (Self::Panes(panes), Context::Pane(pane)) => panes.contains(&pane),
            _ => false,
        }
    }
}

const TASKS: On = On::Panes(&[Pane::Tasks]);
/// Panes whose rows belong to a task.
const ROWS: On = On::Panes(&[
    Pane::Tree,
    Pane::Tasks,
    Pane::Timeline,
    Pane::Timers,
    Pane::Blocking,
    Pane::Workers,
    Pane::Resources,
    Pane::Waiters,
    Pane::Source,
    Pane::Lints,
    Pane::Explained,
]);
const TREE: On = On::Panes(&[Pane::Tree]);
const TIMELINE: On = On::Panes(&[Pane::Timeline]);

/// A key of the timeline.
const fn lane(
    keys: &'static [Key],
    action: Action,
    label: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        on: TIMELINE,
        action,
        group: Group::Timeline,
        label,
        help,
    }
}

const fn tab(keys: &'static [Key], tab: Tab, help: &'static str) -> Binding {
    Binding {
        keys,
        on: On::Screen,
        action: Action::Tab(tab),
        group: Group::Views,
        label: None,
        help,
    }
}

/// A key that moves through time, which in the timeline is what its cursor does.
const fn time(keys: &'static [Key], action: Action, help: &'static str) -> Binding {
    Binding {
        keys,
        on: On::Moments,
        action,
        group: Group::Time,
        label: None,
        help,
    }
}

/// All keys, the most useful in each context first: a narrow footer shows those.
pub const KEYS: &[Binding] = &[
    Binding {
        keys: &[char('?'), key(KeyCode::F(1))],
        on: On::Screen,
        action: Action::Help,
        group: Group::General,
        label: Some("help"),
        help: "show this help",
    },
    Binding {
        keys: &[key(KeyCode::Esc), key(KeyCode::Backspace)],
        on: On::Covers,
        action: Action::Leave,
        group: Group::General,
        label: Some("back"),
        help: "go back, one step at a time, to the overview",
    },
    Binding {
        keys: &[char('q'), control('c')],
        on: On::Anywhere,
        action: Action::Quit,
        group: Group::General,
        label: Some("quit"),
        help: "quit; a program that loopview started is ended",
    },
    Binding {
        keys: &[char('R')],
        on: On::Screen,
        action: Action::RunAgain,
        group: Group::General,
        label: Some("run again"),
        help: "run the program again; if attached, connect to it again",
    },
    Binding {
        keys: &[key(KeyCode::Enter)],
        on: ROWS,
        action: Action::Enter,
        group: Group::Tasks,
        label: Some("details"),
        help: "open the details of the row's task: times, wakers, histograms",
    },
    lane(
        &[key(KeyCode::Left)],
        Action::CursorBack,
        Some("earlier"),
        "move the cursor back by a cell; the picture then stays",
    ),
    lane(
        &[key(KeyCode::Right)],
        Action::CursorOn,
        Some("later"),
        "move the cursor on by a cell",
    ),
    lane(
        &[char('i')],
        Action::Finer,
        Some("in"),
        "zoom in around the cursor, as + does",
    ),
    lane(
        &[char('o')],
        Action::Coarser,
        Some("out"),
        "zoom out around the cursor, as - does",
    ),
    lane(
        &[char('l')],
        Action::Follow,
        Some("live"),
        "follow what happens, or stay with what is seen",
    ),
    lane(
        &[char('n')],
        Action::Jump(Jump::NextLong),
        Some("long poll"),
        "to the next poll of 10 ms or more",
    ),
    lane(
        &[char('N')],
        Action::Jump(Jump::PrevLong),
        None,
        "to the one before",
    ),
    lane(
        &[char('e')],
        Action::Jump(Jump::NextWake),
        Some("wake"),
        "to the next wake and poll of this task",
    ),
    lane(
        &[char('E')],
        Action::Jump(Jump::PrevWake),
        None,
        "to the one before",
    ),
    lane(
        &[char('u')],
        Action::Jump(Jump::Waker),
        Some("woken by"),
        "to what woke the task for the poll under the cursor",
    ),
    lane(
        &[char('d')],
        Action::Jump(Jump::Woken),
        Some("woke"),
        "to what the poll under the cursor woke",
    ),
    lane(
        &[char('v')],
        Action::Jump(Jump::NextFinding),
        None,
        "to the next warning",
    ),
    lane(
        &[char('V')],
        Action::Jump(Jump::PrevFinding),
        None,
        "to the one before",
    ),
    lane(
        &[char('t')],
        Action::ToCursor,
        Some("go there"),
        "back in time to the cursor: every view then shows that moment",
    ),
    lane(&[char('a')], Action::PanBack, None, "half a screen back"),
    lane(&[char('s')], Action::PanOn, None, "half a screen on"),
    Binding {
        keys: &[char('p'), char(' ')],
        on: On::Screen,
        action: Action::Pause,
        group: Group::General,
        label: Some("pause"),
        help: "stop time, or let it go on; the target runs on",
    },
    Binding {
        keys: &[key(KeyCode::Tab)],
        on: On::Views,
        action: Action::NextPane,
        group: Group::Views,
        label: Some("next"),
        help: "focus the next pane; where there is one alone, show the next view",
    },
    Binding {
        keys: &[char('L')],
        on: On::Screen,
        action: Action::Lesson,
        group: Group::General,
        label: Some("lesson"),
        help: "read the lesson's page beside the screen, or close it",
    },
    Binding {
        keys: &[key(KeyCode::Tab), key(KeyCode::BackTab)],
        on: On::Lesson,
        action: Action::NextPane,
        group: Group::Views,
        label: Some("panes"),
        help: "from the lesson to the panes",
    },
    Binding {
        keys: &[char('z')],
        on: On::Lesson,
        action: Action::Zoom,
        group: Group::Views,
        label: Some("zoom"),
        help: "give the lesson the whole body, or take it back",
    },
    Binding {
        keys: &[char('z')],
        on: On::Views,
        action: Action::Zoom,
        group: Group::Views,
        label: Some("zoom"),
        help: "give the focused pane the whole body, or take it back",
    },
    Binding {
        keys: &[char('x')],
        on: On::Panes(&[Pane::Tree, Pane::Timeline]),
        action: Action::Fold,
        group: Group::Tasks,
        label: Some("fold"),
        help: "fold what is below, or unfold it",
    },
    Binding {
        keys: &[char('X')],
        on: TREE,
        action: Action::FoldAll,
        group: Group::Tasks,
        label: None,
        help: "fold all, or unfold all",
    },
    Binding {
        keys: &[char('o')],
        on: On::Panes(&[Pane::Source]),
        action: Action::NextFile,
        group: Group::Tasks,
        label: Some("other file"),
        help: "the next file in which tasks wait",
    },
    Binding {
        keys: &[char('s')],
        on: TASKS,
        action: Action::SortNext,
        group: Group::Tasks,
        label: Some("sort"),
        help: "sort by the next column",
    },
    Binding {
        keys: &[char('S')],
        on: TASKS,
        action: Action::SortReverse,
        group: Group::Tasks,
        label: None,
        help: "reverse the order",
    },
    Binding {
        keys: &[char('f')],
        on: On::Views,
        action: Action::ToggleDone,
        group: Group::Tasks,
        label: Some("finished"),
        help: "show or hide finished tasks, timers and calls",
    },
    Binding {
        keys: &[char('+'), char('=')],
        on: On::Screen,
        action: Action::Finer,
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for less time",
    },
    Binding {
        keys: &[char('-')],
        on: On::Screen,
        action: Action::Coarser,
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for more time",
    },
    Binding {
        keys: &[char('n'), char('l')],
        on: On::Details,
        action: Action::NextTask,
        group: Group::Tasks,
        label: Some("next task"),
        help: "in the details: the next task of the table",
    },
    Binding {
        keys: &[char('N')],
        on: On::Details,
        action: Action::PrevTask,
        group: Group::Tasks,
        label: None,
        help: "in the details: the task before",
    },
    Binding {
        keys: &[key(KeyCode::Up), char('k')],
        on: On::Anywhere,
        action: Action::Up,
        group: Group::Move,
        label: None,
        help: "one line up",
    },
    Binding {
        keys: &[key(KeyCode::Down), char('j')],
        on: On::Anywhere,
        action: Action::Down,
        group: Group::Move,
        label: None,
        help: "one line down",
    },
    Binding {
        keys: &[key(KeyCode::PageUp), control('b')],
        on: On::Anywhere,
        action: Action::PageUp,
        group: Group::Move,
        label: None,
        help: "one page up",
    },
    Binding {
        keys: &[key(KeyCode::PageDown), control('f')],
        on: On::Anywhere,
        action: Action::PageDown,
        group: Group::Move,
        label: None,
        help: "one page down",
    },
    Binding {
        keys: &[key(KeyCode::Home), char('g')],
        on: On::Anywhere,
        action: Action::First,
        group: Group::Move,
        label: None,
        help: "to the first line",
    },
    Binding {
        keys: &[char('G')],
        on: On::Anywhere,
        action: Action::Last,
        group: Group::Move,
        label: None,
        help: "to the last line; output then follows the target",
    },
    Binding {
        keys: &[key(KeyCode::BackTab)],
        on: On::Views,
        action: Action::PrevPane,
        group: Group::Views,
        label: None,
        help: "focus the pane before, or show the view before",
    },
    Binding {
        keys: &[key(KeyCode::Left)],
        on: On::Moments,
        action: Action::Back,
        group: Group::Time,
        label: Some("back in time"),
        help: "back in time by a cell of the histories",
    },
    time(
        &[key(KeyCode::Right)],
        Action::Forth,
        "forth in time by a cell",
    ),
    time(
        &[shift(KeyCode::Left)],
        Action::FarBack,
        "back by ten cells",
    ),
    time(
        &[shift(KeyCode::Right)],
        Action::FarForth,
        "forth by ten cells",
    ),
    Binding {
        keys: &[key(KeyCode::End)],
        on: On::Screen,
        action: Action::Now,
        group: Group::Time,
        label: Some("now"),
        help: "to the newest moment; there, to the last line",
    },
    time(&[char(',')], Action::FrameBack, "back by one update"),
    time(&[char('.')], Action::FrameForth, "forth by one update"),
    time(
        &[char('[')],
        Action::Previous(Sign::Poll),
        "back to a poll of the selected task",
    ),
    time(
        &[char(']')],
        Action::Next(Sign::Poll),
        "forth to a poll of the selected task",
    ),
    time(
        &[char('(')],
        Action::Previous(Sign::Wake),
        "back to a wake of the selected task",
    ),
    time(
        &[char(')')],
        Action::Next(Sign::Wake),
        "forth to a wake of the selected task",
    ),
    time(
        &[char('{')],
        Action::Previous(Sign::Lint),
        "back to a warning",
    ),
    time(&[char('}')], Action::Next(Sign::Lint), "forth to a warning"),
    time(&[char('<')], Action::Slower, "play more slowly"),
    time(&[char('>')], Action::Faster, "play faster"),
    Binding {
        keys: &[char('W')],
        on: On::Screen,
        action: Action::Record,
        group: Group::General,
        label: None,
        help: "write a recording from here on, or end it",
    },
    tab(&[char('1')], Tab::Overview, "overview: all of it at once"),
    tab(
        &[char('2')],
        Tab::Timeline,
        "timeline: what each task did when",
    ),
    tab(&[char('3')], Tab::Tree, "tree: who spawned whom"),
    tab(&[char('4')], Tab::Tasks, "tasks"),
    tab(&[char('5')], Tab::Timers, "timers"),
    tab(
        &[char('6')],
        Tab::Threads,
        "threads: the workers, and the blocking pool",
    ),
    tab(
        &[char('7')],
        Tab::Resources,
        "resources: locks and channels, who holds them and who waits",
    ),
    tab(&[char('8')], Tab::Source, "source: who waits at which line"),
    tab(
        &[char('9')],
        Tab::Lints,
        "lints: what is wrong, and how to mend it",
    ),
    tab(&[char('0')], Tab::Output, "output of the program"),
    Binding {
        keys: &[key(KeyCode::Esc), key(KeyCode::Backspace)],
        on: On::Views,
        action: Action::Leave,
        group: Group::Views,
        label: None,
        help: "back, one step at a time: zoom, focus, and to the overview",
    },
    Binding {
        keys: &[key(KeyCode::End)],
        on: On::Overlay,
        action: Action::Last,
        group: Group::Move,
        label: None,
        help: "to the last line",
    },
    // The key that opened an overlay closes it.
    Binding {
        keys: &[
            char('?'),
            char('L'),
            key(KeyCode::F(1)),
            key(KeyCode::Enter),
        ],
        on: On::Overlay,
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
    let told = matches!(event.code, KeyCode::Left | KeyCode::Right);
    let key = Key {
        code: event.code,
        control: event.modifiers.contains(KeyModifiers::CONTROL),
        shift: told && event.modifiers.contains(KeyModifiers::SHIFT),
    };
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    bindings(context)
        .find(|binding| !alt && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The lines of the table that hold in a context.
pub fn bindings(context: Context) -> impl Iterator<Item = &'static Binding> {
    KEYS.iter().filter(move |binding| binding.on.holds(context))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every context there is.
    fn all() -> Vec<Context> {
        let panes = Tab::ALL.into_iter().flat_map(Tab::panes);
        let mut all = vec![Context::Details, Context::Lesson, Context::Overlay];
        all.extend(panes.map(|pane| Context::Pane(*pane)));
        all
    }

    const TASKS: Context = Context::Pane(Pane::Tasks);

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for context in all() {
            let mut seen = Vec::new();
            for key in bindings(context).flat_map(|b| b.keys) {
                assert!(!seen.contains(&key), "{key:?} twice in {context:?}");
                seen.push(key);
            }
        }
    }

    #[test]
    fn every_context_can_be_left_and_quit() {
        for context in all() {
            let leave = action(press(KeyCode::Esc, KeyModifiers::NONE), context);
            assert_eq!(leave, Some(Action::Leave), "{context:?}");
            let quit = action(press(KeyCode::Char('c'), KeyModifiers::CONTROL), context);
            assert_eq!(quit, Some(Action::Quit), "{context:?}");
        }
    }

    #[test]
    fn shift_is_in_the_character() {
        let shifted = press(KeyCode::Char('S'), KeyModifiers::SHIFT);
        assert_eq!(action(shifted, TASKS), Some(Action::SortReverse));
        let back = press(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(action(back, TASKS), Some(Action::PrevPane));
    }

    #[test]
    fn a_plain_c_is_not_control_c() {
        let plain = press(KeyCode::Char('c'), KeyModifiers::NONE);
        assert_eq!(action(plain, TASKS), None);
    }

    #[test]
    fn a_release_does_nothing() {
        let mut event = press(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(action(event, TASKS), None);
    }
}
