//! Keys are data: one table gives the action, the footer and the help.
//!
//! To add a key, add an [`Action`] and a line in [`KEYS`]; the footer, the help, the palette,
//! the configuration and the lookup follow. What an action does is in [`crate::view::state`].

mod key;
mod map;

use crossterm::event::KeyCode;

use crate::{
    model::Sign,
    view::{Jump, Pane, Tab},
};

pub use key::{Key, UnknownKey};
pub use map::{Clash, Keymap, Line};

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
    /// Asks for a filter.
    Find,
    /// The filter hides nothing, and is gone through row by row.
    Search,
    /// To the next row that was searched for or is marked.
    NextFound,
    PrevFound,
    Mark,
    NextMark,
    FollowTask,
    CopyId,
    CopyPlace,
    Bookmark,
    ChooseColumns,
    /// Takes the column at the cursor in or out.
    TakeColumn,
    ColumnEarlier,
    ColumnLater,
    /// Asks for a command.
    Command,
    /// A character, where text is typed.
    Type(char),
    /// A change of the text that is typed.
    Edit(Edit),
}

/// What a key does to a line of text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Left,
    Right,
    Backspace,
    Delete,
    /// Rubs out the word before the cursor.
    Word,
    Clear,
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
    /// The line in which a filter is typed.
    Find,
    /// The list of commands.
    Palette,
    /// The list of the task table's columns.
    Columns,
}

impl Context {
    /// Every context there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let panes = Tab::ALL.into_iter().flat_map(Tab::panes);
        let others = [
            Self::Details,
            Self::Lesson,
            Self::Overlay,
            Self::Find,
            Self::Palette,
            Self::Columns,
        ];
        others
            .into_iter()
            .chain(panes.map(|pane| Self::Pane(*pane)))
    }

    /// A plain character is text.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Find | Self::Palette)
    }
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
#[derive(Debug, PartialEq, Eq)]
pub struct Binding {
    /// Unless the person has others.
    pub keys: &'static [Key],
    pub on: On,
    pub action: Action,
    /// What the configuration and the palette call it; no other has it.
    pub name: &'static str,
    pub group: Group,
    /// A word for the footer, if it belongs there.
    pub label: Option<&'static str>,
    pub help: &'static str,
}

const fn key(code: KeyCode) -> Key {
    Key::new(code)
}

const fn char(c: char) -> Key {
    Key::char(c)
}

const fn control(c: char) -> Key {
    Key::control(c)
}

const fn shift(code: KeyCode) -> Key {
    Key::shift(code)
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
    /// Where text is typed.
    Typing,
    Find,
    Palette,
    Columns,
}

impl On {
    /// Only where text is typed.
    pub fn is_typing(self) -> bool {
        matches!(self, Self::Typing | Self::Find | Self::Palette)
    }

    pub fn holds(self, context: Context) -> bool {
        match (self, context) {
            (Self::Anywhere, _)
            | (Self::Views, Context::Pane(_))
            | (Self::Screen, Context::Pane(_) | Context::Details | Context::Lesson)
            | (Self::Moments, Context::Details | Context::Lesson)
            | (Self::Covers, Context::Details | Context::Lesson | Context::Overlay)
            | (Self::Details, Context::Details)
            | (Self::Lesson, Context::Lesson)
            | (Self::Overlay, Context::Overlay)
            | (Self::Find, Context::Find)
            | (Self::Palette, Context::Palette)
            | (Self::Columns, Context::Columns) => true,
            (Self::Moments, Context::Pane(pane)) => pane != Pane::Timeline,
            (Self::Panes(panes), Context::Pane(pane)) => panes.contains(&pane),
            (Self::Typing, context) => context.takes_text(),
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
/// Those of them that are lists: in the timeline one goes from poll to poll.
const LISTS: On = On::Panes(&[
    Pane::Tree,
    Pane::Tasks,
    Pane::Timers,
    Pane::Blocking,
    Pane::Workers,
    Pane::Resources,
    Pane::Waiters,
    Pane::Lints,
]);
const TREE: On = On::Panes(&[Pane::Tree]);
const TIMELINE: On = On::Panes(&[Pane::Timeline]);

/// A key of the timeline.
const fn lane(
    keys: &'static [Key],
    action: Action,
    name: &'static str,
    label: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        on: TIMELINE,
        action,
        name,
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
        name: tab.word(),
        group: Group::Views,
        label: None,
        help,
    }
}

/// A key that moves through time, which in the timeline is what its cursor does.
const fn time(
    keys: &'static [Key],
    action: Action,
    name: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        on: On::Moments,
        action,
        name,
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
        name: "help",
        group: Group::General,
        label: Some("help"),
        help: "show this help",
    },
    Binding {
        keys: &[key(KeyCode::Esc), key(KeyCode::Backspace)],
        on: On::Covers,
        action: Action::Leave,
        name: "back",
        group: Group::General,
        label: Some("back"),
        help: "go back, one step at a time, to the overview",
    },
    Binding {
        keys: &[char('q'), control('c')],
        on: On::Anywhere,
        action: Action::Quit,
        name: "quit",
        group: Group::General,
        label: Some("quit"),
        help: "quit; a program that loopview started is ended",
    },
    Binding {
        keys: &[char('R')],
        on: On::Screen,
        action: Action::RunAgain,
        name: "run-again",
        group: Group::General,
        label: Some("run again"),
        help: "run the program again; if attached, connect to it again",
    },
    Binding {
        keys: &[key(KeyCode::Enter)],
        on: ROWS,
        action: Action::Enter,
        name: "details",
        group: Group::Tasks,
        label: Some("details"),
        help: "open the details of the row's task: times, wakers, histograms",
    },
    lane(
        &[key(KeyCode::Left)],
        Action::CursorBack,
        "lane-earlier",
        Some("earlier"),
        "move the cursor back by a cell; the picture then stays",
    ),
    lane(
        &[key(KeyCode::Right)],
        Action::CursorOn,
        "lane-later",
        Some("later"),
        "move the cursor on by a cell",
    ),
    lane(
        &[char('i')],
        Action::Finer,
        "zoom-in",
        Some("in"),
        "zoom in around the cursor, as + does",
    ),
    lane(
        &[char('o')],
        Action::Coarser,
        "zoom-out",
        Some("out"),
        "zoom out around the cursor, as - does",
    ),
    lane(
        &[char('l')],
        Action::Follow,
        "live",
        Some("live"),
        "follow what happens, or stay with what is seen",
    ),
    lane(
        &[char('n')],
        Action::Jump(Jump::NextLong),
        "next-long-poll",
        Some("long poll"),
        "to the next poll of 10 ms or more",
    ),
    lane(
        &[char('N')],
        Action::Jump(Jump::PrevLong),
        "previous-long-poll",
        None,
        "to the one before",
    ),
    lane(
        &[char('e')],
        Action::Jump(Jump::NextWake),
        "next-wake-here",
        Some("wake"),
        "to the next wake and poll of this task",
    ),
    lane(
        &[char('E')],
        Action::Jump(Jump::PrevWake),
        "previous-wake-here",
        None,
        "to the one before",
    ),
    lane(
        &[char('u')],
        Action::Jump(Jump::Waker),
        "woken-by",
        Some("woken by"),
        "to what woke the task for the poll under the cursor",
    ),
    lane(
        &[char('d')],
        Action::Jump(Jump::Woken),
        "woke",
        Some("woke"),
        "to what the poll under the cursor woke",
    ),
    lane(
        &[char('v')],
        Action::Jump(Jump::NextFinding),
        "next-finding",
        None,
        "to the next warning",
    ),
    lane(
        &[char('V')],
        Action::Jump(Jump::PrevFinding),
        "previous-finding",
        None,
        "to the one before",
    ),
    lane(
        &[char('t')],
        Action::ToCursor,
        "go-there",
        Some("go there"),
        "back in time to the cursor: every view then shows that moment",
    ),
    lane(
        &[char('a')],
        Action::PanBack,
        "pan-back",
        None,
        "half a screen back",
    ),
    lane(
        &[char('s')],
        Action::PanOn,
        "pan-on",
        None,
        "half a screen on",
    ),
    Binding {
        keys: &[char('p'), char(' ')],
        on: On::Screen,
        action: Action::Pause,
        name: "pause",
        group: Group::General,
        label: Some("pause"),
        help: "stop time, or let it go on; the target runs on",
    },
    Binding {
        keys: &[key(KeyCode::Tab)],
        on: On::Views,
        action: Action::NextPane,
        name: "next-pane",
        group: Group::Views,
        label: Some("next"),
        help: "focus the next pane; where there is one alone, show the next view",
    },
    Binding {
        keys: &[char('L')],
        on: On::Screen,
        action: Action::Lesson,
        name: "lesson",
        group: Group::General,
        label: Some("lesson"),
        help: "read the lesson's page beside the screen, or close it",
    },
    Binding {
        keys: &[key(KeyCode::Tab), key(KeyCode::BackTab)],
        on: On::Lesson,
        action: Action::NextPane,
        name: "leave-lesson",
        group: Group::Views,
        label: Some("panes"),
        help: "from the lesson to the panes",
    },
    Binding {
        keys: &[char('z')],
        on: On::Lesson,
        action: Action::Zoom,
        name: "zoom-lesson",
        group: Group::Views,
        label: Some("zoom"),
        help: "give the lesson the whole body, or take it back",
    },
    Binding {
        keys: &[char('/')],
        on: On::Views,
        action: Action::Find,
        name: "find",
        group: Group::Tasks,
        label: Some("find"),
        help: "find tasks as you type, and hide the others; see below",
    },
    Binding {
        keys: &[char(':')],
        on: On::Screen,
        action: Action::Command,
        name: "command",
        group: Group::General,
        label: None,
        help: "do anything that has a key, or a command, by its name",
    },
    Binding {
        keys: &[char('z')],
        on: On::Views,
        action: Action::Zoom,
        name: "zoom",
        group: Group::Views,
        label: Some("zoom"),
        help: "give the focused pane the whole body, or take it back",
    },
    Binding {
        keys: &[char('x')],
        on: On::Panes(&[Pane::Tree, Pane::Timeline]),
        action: Action::Fold,
        name: "fold",
        group: Group::Tasks,
        label: Some("fold"),
        help: "fold what is below, or unfold it",
    },
    Binding {
        keys: &[char('X')],
        on: TREE,
        action: Action::FoldAll,
        name: "fold-all",
        group: Group::Tasks,
        label: None,
        help: "fold all, or unfold all",
    },
    Binding {
        keys: &[char('o')],
        on: On::Panes(&[Pane::Source]),
        action: Action::NextFile,
        name: "next-file",
        group: Group::Tasks,
        label: Some("other file"),
        help: "the next file in which tasks wait",
    },
    Binding {
        keys: &[char('s')],
        on: TASKS,
        action: Action::SortNext,
        name: "sort",
        group: Group::Tasks,
        label: Some("sort"),
        help: "sort by the next column",
    },
    Binding {
        keys: &[char('S')],
        on: TASKS,
        action: Action::SortReverse,
        name: "reverse",
        group: Group::Tasks,
        label: None,
        help: "reverse the order",
    },
    Binding {
        keys: &[char('f')],
        on: On::Views,
        action: Action::ToggleDone,
        name: "finished",
        group: Group::Tasks,
        label: Some("finished"),
        help: "show or hide finished tasks, timers and calls",
    },
    Binding {
        keys: &[char('+'), char('=')],
        on: On::Screen,
        action: Action::Finer,
        name: "finer",
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for less time",
    },
    Binding {
        keys: &[char('-')],
        on: On::Screen,
        action: Action::Coarser,
        name: "coarser",
        group: Group::Tasks,
        label: None,
        help: "each cell of a history stands for more time",
    },
    Binding {
        keys: &[char('n'), char('l')],
        on: On::Details,
        action: Action::NextTask,
        name: "next-task",
        group: Group::Tasks,
        label: Some("next task"),
        help: "in the details: the next task of the table",
    },
    Binding {
        keys: &[char('N')],
        on: On::Details,
        action: Action::PrevTask,
        name: "previous-task",
        group: Group::Tasks,
        label: None,
        help: "in the details: the task before",
    },
    Binding {
        keys: &[key(KeyCode::Up), char('k')],
        on: On::Anywhere,
        action: Action::Up,
        name: "up",
        group: Group::Move,
        label: None,
        help: "one line up",
    },
    Binding {
        keys: &[key(KeyCode::Down), char('j')],
        on: On::Anywhere,
        action: Action::Down,
        name: "down",
        group: Group::Move,
        label: None,
        help: "one line down",
    },
    Binding {
        keys: &[key(KeyCode::PageUp), control('b')],
        on: On::Anywhere,
        action: Action::PageUp,
        name: "page-up",
        group: Group::Move,
        label: None,
        help: "one page up",
    },
    Binding {
        keys: &[key(KeyCode::PageDown), control('f')],
        on: On::Anywhere,
        action: Action::PageDown,
        name: "page-down",
        group: Group::Move,
        label: None,
        help: "one page down",
    },
    Binding {
        keys: &[key(KeyCode::Home), char('g')],
        on: On::Anywhere,
        action: Action::First,
        name: "first",
        group: Group::Move,
        label: None,
        help: "to the first line",
    },
    Binding {
        keys: &[char('G')],
        on: On::Anywhere,
        action: Action::Last,
        name: "last",
        group: Group::Move,
        label: None,
        help: "to the last line; output then follows the target",
    },
    Binding {
        keys: &[key(KeyCode::BackTab)],
        on: On::Views,
        action: Action::PrevPane,
        name: "previous-pane",
        group: Group::Views,
        label: None,
        help: "focus the pane before, or show the view before",
    },
    Binding {
        keys: &[key(KeyCode::Left)],
        on: On::Moments,
        action: Action::Back,
        name: "back-in-time",
        group: Group::Time,
        label: Some("back in time"),
        help: "back in time by a cell of the histories",
    },
    time(
        &[key(KeyCode::Right)],
        Action::Forth,
        "forth-in-time",
        "forth in time by a cell",
    ),
    time(
        &[shift(KeyCode::Left)],
        Action::FarBack,
        "far-back",
        "back by ten cells",
    ),
    time(
        &[shift(KeyCode::Right)],
        Action::FarForth,
        "far-forth",
        "forth by ten cells",
    ),
    Binding {
        keys: &[key(KeyCode::End)],
        on: On::Screen,
        action: Action::Now,
        name: "now",
        group: Group::Time,
        label: Some("now"),
        help: "to the newest moment; there, to the last line",
    },
    time(
        &[char(',')],
        Action::FrameBack,
        "update-back",
        "back by one update",
    ),
    time(
        &[char('.')],
        Action::FrameForth,
        "update-forth",
        "forth by one update",
    ),
    time(
        &[char('[')],
        Action::Previous(Sign::Poll),
        "previous-poll",
        "back to a poll of the selected task",
    ),
    time(
        &[char(']')],
        Action::Next(Sign::Poll),
        "next-poll",
        "forth to a poll of the selected task",
    ),
    time(
        &[char('(')],
        Action::Previous(Sign::Wake),
        "previous-wake",
        "back to a wake of the selected task",
    ),
    time(
        &[char(')')],
        Action::Next(Sign::Wake),
        "next-wake",
        "forth to a wake of the selected task",
    ),
    time(
        &[char('{')],
        Action::Previous(Sign::Lint),
        "previous-warning",
        "back to a warning",
    ),
    time(
        &[char('}')],
        Action::Next(Sign::Lint),
        "next-warning",
        "forth to a warning",
    ),
    time(&[char('<')], Action::Slower, "slower", "play more slowly"),
    time(&[char('>')], Action::Faster, "faster", "play faster"),
    Binding {
        keys: &[char('W')],
        on: On::Screen,
        action: Action::Record,
        name: "record",
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
        name: "leave",
        group: Group::Views,
        label: None,
        help: "back, one step at a time: zoom, focus, and to the overview",
    },
    Binding {
        keys: &[key(KeyCode::End)],
        on: On::Overlay,
        action: Action::Last,
        name: "end",
        group: Group::Move,
        label: None,
        help: "to the last line",
    },
    Binding {
        keys: &[char('n')],
        on: LISTS,
        action: Action::NextFound,
        name: "next-found",
        group: Group::Tasks,
        label: None,
        help: "to the next row that was searched for or is marked",
    },
    Binding {
        keys: &[char('N')],
        on: LISTS,
        action: Action::PrevFound,
        name: "previous-found",
        group: Group::Tasks,
        label: None,
        help: "to the one before",
    },
    Binding {
        keys: &[char('m')],
        on: On::Screen,
        action: Action::Mark,
        name: "mark",
        group: Group::Tasks,
        label: None,
        help: "mark the task, in every view; or take the mark away",
    },
    Binding {
        keys: &[char('\'')],
        on: LISTS,
        action: Action::NextMark,
        name: "next-mark",
        group: Group::Tasks,
        label: None,
        help: "to the next task that is marked",
    },
    Binding {
        keys: &[char('F')],
        on: On::Screen,
        action: Action::FollowTask,
        name: "follow",
        group: Group::Tasks,
        label: None,
        help: "stay on the task, and tell when it ends; or stop that",
    },
    Binding {
        keys: &[char('y')],
        on: On::Screen,
        action: Action::CopyId,
        name: "copy-id",
        group: Group::Tasks,
        label: None,
        help: "copy the task's number to the clipboard",
    },
    Binding {
        keys: &[char('Y')],
        on: On::Screen,
        action: Action::CopyPlace,
        name: "copy-location",
        group: Group::Tasks,
        label: None,
        help: "copy where it was spawned",
    },
    Binding {
        keys: &[char('B')],
        on: On::Screen,
        action: Action::Bookmark,
        name: "bookmark",
        group: Group::General,
        label: None,
        help: "remember this moment; the commands lead back to it",
    },
    Binding {
        keys: &[char('c')],
        on: TASKS,
        action: Action::ChooseColumns,
        name: "columns",
        group: Group::Tasks,
        label: None,
        help: "choose the columns, and their order",
    },
    Binding {
        keys: &[char(' ')],
        on: On::Columns,
        action: Action::TakeColumn,
        name: "take-column",
        group: Group::Tasks,
        label: Some("take or leave"),
        help: "show the column, or hide it",
    },
    Binding {
        keys: &[key(KeyCode::Left)],
        on: On::Columns,
        action: Action::ColumnEarlier,
        name: "column-earlier",
        group: Group::Tasks,
        label: Some("earlier"),
        help: "move the column to the left",
    },
    Binding {
        keys: &[key(KeyCode::Right)],
        on: On::Columns,
        action: Action::ColumnLater,
        name: "column-later",
        group: Group::Tasks,
        label: Some("later"),
        help: "move the column to the right",
    },
    Binding {
        keys: &[key(KeyCode::Enter), key(KeyCode::Esc), char('c')],
        on: On::Columns,
        action: Action::Leave,
        name: "close-columns",
        group: Group::Tasks,
        label: Some("done"),
        help: "close the list of columns",
    },
    Binding {
        keys: &[key(KeyCode::Enter)],
        on: On::Find,
        action: Action::Enter,
        name: "keep-filter",
        group: Group::Tasks,
        label: Some("keep"),
        help: "keep the filter",
    },
    Binding {
        keys: &[control('g')],
        on: On::Find,
        action: Action::Search,
        name: "search",
        group: Group::Tasks,
        label: Some("search"),
        help: "hide nothing; n and N go through what it finds",
    },
    Binding {
        keys: &[key(KeyCode::Esc)],
        on: On::Find,
        action: Action::Leave,
        name: "drop-filter",
        group: Group::Tasks,
        label: Some("drop"),
        help: "drop the filter",
    },
    Binding {
        keys: &[key(KeyCode::Enter)],
        on: On::Palette,
        action: Action::Enter,
        name: "do-command",
        group: Group::General,
        label: Some("do it"),
        help: "do the command",
    },
    Binding {
        keys: &[key(KeyCode::Esc)],
        on: On::Palette,
        action: Action::Leave,
        name: "close-commands",
        group: Group::General,
        label: Some("back"),
        help: "close the list of commands",
    },
    Binding {
        keys: &[key(KeyCode::Left)],
        on: On::Typing,
        action: Action::Edit(Edit::Left),
        name: "text-left",
        group: Group::Move,
        label: None,
        help: "one character to the left",
    },
    Binding {
        keys: &[key(KeyCode::Right)],
        on: On::Typing,
        action: Action::Edit(Edit::Right),
        name: "text-right",
        group: Group::Move,
        label: None,
        help: "one character to the right",
    },
    Binding {
        keys: &[key(KeyCode::Backspace)],
        on: On::Typing,
        action: Action::Edit(Edit::Backspace),
        name: "rub-out",
        group: Group::Move,
        label: None,
        help: "rub out the character before the cursor",
    },
    Binding {
        keys: &[key(KeyCode::Delete)],
        on: On::Typing,
        action: Action::Edit(Edit::Delete),
        name: "delete",
        group: Group::Move,
        label: None,
        help: "rub out the one at the cursor",
    },
    Binding {
        keys: &[key(KeyCode::End)],
        on: On::Typing,
        action: Action::Last,
        name: "text-end",
        group: Group::Move,
        label: None,
        help: "to the end of the text",
    },
    Binding {
        keys: &[control('w')],
        on: On::Typing,
        action: Action::Edit(Edit::Word),
        name: "rub-out-word",
        group: Group::Move,
        label: None,
        help: "rub out the word before the cursor",
    },
    Binding {
        keys: &[control('u')],
        on: On::Typing,
        action: Action::Edit(Edit::Clear),
        name: "clear-text",
        group: Group::Move,
        label: None,
        help: "rub out all",
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
        name: "close",
        group: Group::General,
        label: None,
        help: "close what lies over the screen",
    },
];
