//! Every shape that is drawn, once in Unicode and once in ASCII.

use crate::model::{Outcome, State};

/// One character for each thing; all of them are one cell wide, where nothing else is said.
#[derive(Debug)]
pub struct Glyphs {
    /// Whether the target's own text may hold more than ASCII.
    pub unicode: bool,
    pub running: &'static str,
    pub ready: &'static str,
    pub sleeping: &'static str,
    pub waiting: &'static str,
    pub idle: &'static str,
    pub ok: &'static str,
    pub error: &'static str,
    pub cancelled: &'static str,
    pub panicked: &'static str,
    pub done: &'static str,

    /// Heights from an eighth to the whole, for strips.
    pub levels: &'static [&'static str],
    /// Some and much scheduling delay in a cell of a strip.
    pub delays: [&'static str; 2],
    /// A cell of a strip in which nothing happened.
    pub rest: &'static str,

    /// What blocks others, in a lane of the timeline; and sleep and waits there, which are
    /// lines.
    pub blocked: &'static str,
    pub lane_sleep: &'static str,
    pub lane_wait: &'static str,
    /// The beginning, the middle and the end of a scope, and one that is all of these.
    pub brackets: [&'static str; 4],
    /// A timer's deadline: of one that waits, that fired late, and that was dropped unused.
    pub deadline: &'static str,
    pub missed: &'static str,
    pub unused: &'static str,
    /// Who woke the chosen poll, and whom it woke; something to look at.
    pub waker: &'static str,
    pub woken: &'static str,
    pub finding: &'static str,
    /// A time on an axis.
    pub tick: &'static str,

    /// Widths from an eighth to the whole, for bars.
    pub parts: &'static [&'static str],
    pub groove: &'static str,

    /// Lines of a tree, each three cells wide: to a node, to the last node, past nodes.
    pub branch: &'static str,
    pub last_branch: &'static str,
    pub trunk: &'static str,

    pub rule: &'static str,
    pub heavy_rule: &'static str,
    pub divider: &'static str,
    /// The corners of a box: top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
    pub cursor: &'static str,
    /// A task that a person has marked.
    pub marked: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub live: &'static str,
    pub paused: &'static str,
    pub connecting: &'static str,
    pub lost: &'static str,
    pub ended: &'static str,
    pub warning: &'static str,
    pub dot: &'static str,
    pub dash: &'static str,
    pub minus: &'static str,
    pub times: &'static str,
    pub ellipsis: &'static str,
    pub at_least: &'static str,
    pub about: &'static str,
    pub micro: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub left: &'static str,
    pub right: &'static str,
    /// From who waits to whom it waits for.
    pub leads_to: &'static str,
}

pub const UNICODE: Glyphs = Glyphs {
    unicode: true,
    running: "▶",
    ready: "◆",
    sleeping: "z",
    waiting: "○",
    idle: "·",
    ok: "✔",
    error: "✖",
    cancelled: "⊘",
    panicked: "!",
    done: "■",
    levels: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    delays: ["░", "▒"],
    rest: "·",
    blocked: "▓",
    lane_sleep: "─",
    lane_wait: "┄",
    brackets: ["╞", "═", "╡", "╪"],
    deadline: "◇",
    missed: "◆",
    unused: "◦",
    waker: "◉",
    woken: "◎",
    finding: "!",
    tick: "┬",
    parts: &["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    groove: "╌",
    branch: "├─ ",
    last_branch: "└─ ",
    trunk: "│  ",
    rule: "─",
    heavy_rule: "━",
    divider: "│",
    corners: ["╭", "╮", "╰", "╯"],
    cursor: "▸",
    marked: "★",
    ascending: "▲",
    descending: "▼",
    live: "●",
    paused: "‖",
    connecting: "○",
    lost: "✖",
    ended: "■",
    warning: "⚠",
    dot: "·",
    dash: "–",
    minus: "−",
    times: "×",
    ellipsis: "…",
    at_least: "≥",
    about: "≈",
    micro: "µ",
    up: "↑",
    down: "↓",
    left: "←",
    right: "→",
    leads_to: "→",
};

pub const ASCII: Glyphs = Glyphs {
    unicode: false,
    running: ">",
    ready: "*",
    sleeping: "z",
    waiting: "o",
    idle: ".",
    ok: "+",
    error: "x",
    cancelled: "/",
    panicked: "!",
    done: "=",
    levels: &["_", "-", "=", "#"],
    delays: ["r", "R"],
    rest: ".",
    blocked: "B",
    lane_sleep: "z",
    lane_wait: "O",
    brackets: ["[", "=", "]", "H"],
    deadline: "v",
    missed: "V",
    unused: ",",
    waker: "@",
    woken: "&",
    finding: "!",
    tick: "|",
    parts: &["#"],
    groove: ".",
    branch: "|- ",
    last_branch: "`- ",
    trunk: "|  ",
    rule: "-",
    heavy_rule: "=",
    divider: "|",
    corners: ["+", "+", "+", "+"],
    cursor: ">",
    marked: "@",
    ascending: "^",
    descending: "v",
    live: "*",
    paused: "=",
    connecting: "o",
    lost: "x",
    ended: "#",
    warning: "!",
    dot: "-",
    dash: "-",
    minus: "-",
    times: "x",
    ellipsis: "~",
    at_least: ">",
    about: "~",
    micro: "u",
    up: "Up",
    down: "Down",
    left: "Left",
    right: "Right",
    leads_to: "->",
};

impl Glyphs {
    /// The shape of a task's state.
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Running => self.running,
            State::Ready => self.ready,
            State::Sleeping => self.sleeping,
            State::Waiting => self.waiting,
            State::Idle => self.idle,
            State::Done(outcome) => self.outcome(outcome),
        }
    }

    /// A state's shape, and what it is in a word.
    pub fn state_words(&self, state: State) -> String {
        format!("{} {}", self.state(state), state_word(state))
    }

    pub fn outcome(&self, outcome: Option<Outcome>) -> &'static str {
        match outcome {
            None => self.done,
            Some(Outcome::Ok) => self.ok,
            Some(Outcome::Error) => self.error,
            Some(Outcome::Cancelled | Outcome::TimedOut) => self.cancelled,
            Some(Outcome::Panicked) => self.panicked,
        }
    }
}

/// A state in a word, of at most nine letters.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Ready => "ready",
        State::Sleeping => "sleeping",
        State::Waiting => "waiting",
        State::Idle => "idle",
        State::Done(None) => "done",
        State::Done(Some(outcome)) => outcome_word(outcome),
    }
}

pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "done",
        Outcome::Error => "error",
        Outcome::Cancelled => "cancelled",
        Outcome::Panicked => "panicked",
        Outcome::TimedOut => "timed out",
    }
}
