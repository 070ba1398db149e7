//! Keys are data: one table gives the action, the footer and the help.
//!
//! To add a key, add an [`Action`] and a line in [`KEYS`]; the footer, the help, the palette,
//! the configuration and the lookup follow. What an action does is in [`crate::view::state`].

mod key;
mod map;
mod table;

use crate::{
    model::Sign,
    view::{Jump, Pane, Tab},
};

pub use key::{Key, UnknownKey};
pub use map::{Clash, Keymap, Line};
pub use table::KEYS;

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
    /// Tries no longer to connect again.
    GiveUp,
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
