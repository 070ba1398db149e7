//! The tree: who spawned whom, and the scopes between them.
//!
//! ```text
//! ━ 3 Tree  4 live  6 spawned ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
//!  TASK OR SCOPE             STATE        TASKS     BUSY  POLLS WAITS FOR
//! ▸- main                    ○ waiting      4/6  1.20 ms      9 gather 1/3
//!  ├─ - gather all           3 open, 1 failed
//!  │  ├─ A                   ✔ done                 300 µs      2
//!  │  └─ B                   z sleeping             300 µs      1 sleep 204 ms
//!  └─ + ticker               z sleeping     0/2   185 ms      4 tick in 208 ms
//! ```
//!
//! The figures of a task are of it and all below it. `-` is open, `+` is folded.

use std::{collections::HashSet, rc::Rc};

use ratatui::{buffer::Buffer, layout::Rect, style::Style, widgets::Widget};

use super::{
    View,
    columns::{self, Align, Step, step, whole},
    cursor::{Cursor, Motion},
    fmt, glyphs,
    layout::Pane,
    lists::Lists,
    pane,
    pen::Pen,
    tasks, text,
};
use crate::{
    frame::Time,
    model::{
        Model, Scope, Task, TaskId,
        tree::{Branch, Node, Tree as Forest},
    },
};

/// What the person has folded, and where the cursor is.
#[derive(Clone, Debug, Default)]
pub struct TreeState {
    pub cursor: Cursor<Node>,
    folded: HashSet<Node>,
    forest: Forest,
    /// The branches that are not below something folded.
    rows: Vec<Row>,
    /// What both were made of, if they need not be made again for the same.
    grown: Option<Grown>,
}

/// All that the places in the tree depend on, but for what a person has folded.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    tasks: u64,
    scopes: u64,
    /// Tells one run from the next.
    started: Option<Time>,
    show_done: bool,
}

impl Grown {
    /// None while a filter hides tasks: what it lets through may be others with each figure.
    pub fn of(model: &Model, show_done: bool, lists: &Lists) -> Option<Self> {
        (!lists.hides()).then(|| Self {
            tasks: model.tasks.revision(),
            scopes: model.scopes.revision(),
            started: model.started,
            show_done,
        })
    }
}

/// The tree of what is to be seen.
pub fn grow(model: &Model, show_done: bool, lists: &Lists) -> Forest {
    Forest::new(model, |task| {
        (show_done || !task.is_done()) && lists.is_shown(Some(task.id))
    })
}

#[derive(Clone, Debug)]
struct Row {
    /// The number of its branch.
    branch: usize,
    node: Node,
    /// For each step from the root: whether a sibling comes after it. Siblings share it.
    guides: Rc<[bool]>,
    folded: bool,
}

impl TreeState {
    pub fn sync(&mut self, model: &Model, show_done: bool, lists: &Lists, height: usize) {
        let grown = Grown::of(model, show_done, lists);
        if grown.is_some() && self.grown == grown {
            self.forest.sum(model);
        } else {
            self.grown = grown;
            self.grow(model, show_done, lists);
        }
        let nodes = self.rows.iter().map(|row| row.node);
        self.cursor.sync(nodes, height);
    }

    fn grow(&mut self, model: &Model, show_done: bool, lists: &Lists) {
        self.forest = grow(model, show_done, lists);
        // What has gone can never be unfolded again.
        self.folded.retain(|node| match node {
            Node::Task(id) => model.tasks.get(*id).is_some(),
            Node::Scope(id) => model.scopes.get(*id).is_some(),
        });
        self.rows = rows(self.forest.branches(), &self.folded);
    }

    fn branch(&self, row: &Row) -> &Branch {
        &self.forest.branches()[row.branch]
    }

    pub fn go(&mut self, how: Motion, height: usize) {
        let nodes = self.rows.iter().map(|row| row.node);
        self.cursor.go(how, nodes, height);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The task of a row; none if it is a scope's.
    pub fn task_at(&self, row: usize) -> Option<TaskId> {
        match self.rows.get(row)?.node {
            Node::Task(task) => Some(task),
            Node::Scope(_) => None,
        }
    }

    /// The node that the cursor is on.
    pub fn at(&self) -> Option<Node> {
        self.rows.get(self.cursor.row()).map(|row| row.node)
    }

    /// Puts the cursor on a node, or on what hides it.
    pub fn choose(&mut self, node: Node, height: usize) {
        let nodes = || self.rows.iter().map(|row| row.node);
        if nodes().any(|n| n == node) {
            self.cursor.choose(node, nodes(), height);
        }
    }

    /// Folds what the cursor is on, or unfolds it; a leaf folds its parent.
    pub fn fold(&mut self) {
        let Some(row) = self.rows.get(self.cursor.row()) else {
            return;
        };
        let branch = self.branch(row);
        let node = match branch.parent {
            Some(parent) if branch.below == 0 => parent,
            _ => branch.node,
        };
        if !self.folded.remove(&node) {
            self.folded.insert(node);
        }
        self.cursor.aim(node);
        self.grown = None;
    }

    /// Folds every node that has others below it, or unfolds all if any is folded.
    pub fn fold_all(&mut self) {
        if self.folded.is_empty() {
            let inner = self.rows.iter().filter(|row| self.branch(row).below > 0);
            self.folded = inner.map(|row| row.node).collect();
        } else {
            self.folded.clear();
        }
        self.grown = None;
    }
}

fn rows(branches: &[Branch], folded: &HashSet<Node>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(branches.len());
    let mut guides: Vec<bool> = Vec::new();
    let mut shared: Rc<[bool]> = Rc::default();
    let mut at = 0;
    while let Some(branch) = branches.get(at) {
        guides.truncate(branch.depth.saturating_sub(1));
        if branch.depth > 0 {
            guides.push(!branch.last);
        }
        if *shared != *guides {
            shared = Rc::from(&*guides);
        }
        let is_folded = folded.contains(&branch.node);
        rows.push(Row {
            branch: at,
            node: branch.node,
            guides: shared.clone(),
            folded: is_folded,
        });
        at += 1 + if is_folded { branch.below } else { 0 };
    }
    rows
}

pub struct Tree<'a>(pub(super) View<'a>);

const NAME: usize = 0;
const STATE: usize = 1;
const TASKS: usize = 2;
const BUSY: usize = 3;
const POLLS: usize = 4;
const WAITS: usize = 5;
const TITLES: [&str; 6] = [
    "TASK OR SCOPE",
    "STATE",
    "DONE",
    "BUSY",
    "POLLS",
    "WAITS FOR",
];

/// Cells for "999/999".
const SHORT_DONE: usize = 7;

const GROWTH: &[Step] = &[
    step(NAME, 18),
    step(STATE, 1),
    step(WAITS, 12),
    whole(STATE, 11),
    step(TASKS, SHORT_DONE),
    step(NAME, 26),
    step(BUSY, fmt::DURATION),
    step(WAITS, 20),
    step(POLLS, fmt::COUNT),
    step(TASKS, 15),
    step(NAME, 40),
    step(WAITS, 30),
    step(NAME, 60),
    step(WAITS, 60),
];

fn align(column: usize) -> Align {
    match column {
        TASKS | BUSY | POLLS => Align::Right,
        _ => Align::Left,
    }
}

fn progress_words(done: usize, all: usize) -> String {
    [done, all].map(|n| fmt::count(n as u64)).join("/")
}

impl Widget for &Tree<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let view = self.0;
        let area = pane::heading(view, Pane::Tree, &tasks::counts(view), area, buf);
        let tree = &view.state.tree;
        if tree.rows.is_empty() {
            pane::empty(view, Pane::Tree, &["", "No tasks are known."], area, buf);
            return;
        }
        let room = usize::from(area.width.saturating_sub(1));
        let all = fmt::count(view.state.lists.spawned).len() * 2 + 1;
        let growth = columns::fitted(GROWTH, TASKS, all.max(SHORT_DONE));
        let widths = columns::widths(&growth, TITLES.len(), room);
        // A lone shape needs no title.
        let titles = TITLES.iter().zip(&widths);
        let titles: Vec<&str> = titles.map(|(t, w)| if *w < 3 { "" } else { *t }).collect();
        let area = pane::titles(view, &titles, &widths, align, 1, area, buf);
        let (rows, cursor) = (&tree.rows, &tree.cursor);
        pane::rows(view, Pane::Tree, rows, cursor, area, buf, |row, pen| {
            self.row(row, &widths, pen);
            Some(())
        });
    }
}

impl Tree<'_> {
    fn row(&self, row: &Row, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let branch = view.state.tree.branch(row);
        self.indent(row, branch, widths[NAME], pen);
        match row.node {
            Node::Task(id) => {
                if let Some(task) = view.model.tasks.get(id) {
                    self.task(task, branch, widths, pen);
                }
            }
            Node::Scope(id) => {
                if let Some(scope) = view.model.scopes.get(id) {
                    self.scope(scope, branch, widths, pen);
                }
            }
        }
    }

    /// The lines from the parent, the fold mark and the name, in exactly `width` cells.
    fn indent(&self, row: &Row, branch: &Branch, width: usize, pen: &mut Pen<'_>) {
        let view = self.0;
        let glyphs = view.glyphs;
        let mut lines = String::new();
        for (step, more) in row.guides.iter().enumerate() {
            let own = step + 1 == row.guides.len();
            lines.push_str(match (own, more) {
                (true, true) => glyphs.branch,
                (true, false) => glyphs.last_branch,
                (false, true) => glyphs.trunk,
                (false, false) => "   ",
            });
        }
        // Deep down the name is worth more than the lines.
        let lines = text::fit(&lines, width.saturating_sub(NAME_ROOM), glyphs);
        let fold = match (branch.below, row.folded) {
            (0, _) => "",
            (_, true) => "+ ",
            (_, false) => "- ",
        };
        let (name, style) = match row.node {
            Node::Task(id) => (view.label_of(id), view.name_style(id, view.theme.strong())),
            Node::Scope(id) => {
                let scope = view.model.scopes.get(id);
                let name = scope.map(|scope| view.scope_name(scope));
                (name.unwrap_or_default(), view.theme.label())
            }
        };
        let room = width.saturating_sub(text::width(&lines) + text::width(fold));
        let name = text::fit(&name, room, glyphs);
        let room = room - text::width(&name);
        let task = match row.node {
            Node::Task(id) => view.model.tasks.get(id),
            Node::Scope(_) => None,
        };
        let origin = task.map_or_else(String::new, |task| view.origin(task, room));
        pen.put(&lines, view.theme.line())
            .put(fold, view.theme.key())
            .put(&name, style)
            .put(&text::pad(&origin, room, glyphs), view.theme.dim())
            .skip(1);
    }

    fn task(&self, task: &Task, branch: &Branch, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let (theme, totals) = (view.theme, branch.totals);
        let state = view.model.state(task);
        let reason = view.reason(task);
        let text = if task.is_done() {
            theme.dim()
        } else {
            theme.text()
        };
        let several = if totals.tasks > 1 {
            progress_words(totals.done, totals.tasks)
        } else {
            String::new()
        };
        // A call on a thread of its own keeps no loop busy, so it is in no sum.
        let on_thread = !task.kind.is_async();
        for column in [STATE, TASKS, BUSY, POLLS, WAITS] {
            let (figure, style) = match column {
                STATE if widths[STATE] < 3 => {
                    let shape = view.glyphs.state(state).to_owned();
                    (shape, theme.state(state))
                }
                STATE => (view.glyphs.state_words(state), theme.state(state)),
                TASKS => (several.clone(), theme.dim()),
                BUSY if on_thread => (view.duration(task.busy(view.model.now)), theme.dim()),
                POLLS if on_thread => (view.glyphs.dash.to_owned(), theme.dim()),
                BUSY => (view.duration(totals.busy), text),
                POLLS => (fmt::count(totals.polls), text),
                _ => (reason.what.clone(), reason.style),
            };
            self.put(column, &figure, style, widths, pen);
        }
    }

    fn scope(&self, scope: &Scope, branch: &Branch, widths: &[usize], pen: &mut Pen<'_>) {
        let view = self.0;
        let (theme, totals) = (view.theme, branch.totals);
        let progress = view.state.lists.scopes.get(&scope.id);
        let (state, style) = match (scope.closed, scope.outcome) {
            (None, _) => ("open".to_owned(), theme.text()),
            (Some(_), None) => ("closed".to_owned(), theme.dim()),
            (Some(_), Some(outcome)) => {
                let word = glyphs::outcome_word(outcome);
                let shape = view.glyphs.outcome(Some(outcome));
                (format!("{shape} {word}"), theme.outcome(Some(outcome)))
            }
        };
        let failed = progress.map_or(0, |p| p.failed);
        let since = match (scope.opened, scope.closed) {
            (Some(from), to) => {
                let lasted = to.unwrap_or(view.model.now).since(from);
                let word = if to.is_some() { "took" } else { "for" };
                format!("{word} {}", view.duration(lasted))
            }
            (None, _) => String::new(),
        };
        let (notes, notes_style) = match failed {
            0 => (since, theme.dim()),
            n => (format!("{n} failed, {since}"), theme.bad()),
        };
        let done = progress.map_or_else(String::new, |p| progress_words(p.done, p.all));
        for column in [STATE, TASKS, BUSY, POLLS, WAITS] {
            let (figure, style) = match column {
                STATE if widths[STATE] < 3 => (String::new(), style),
                STATE => (state.clone(), style),
                TASKS => (done.clone(), theme.text()),
                BUSY if totals.tasks > 0 => (view.duration(totals.busy), theme.dim()),
                POLLS if totals.tasks > 0 => (fmt::count(totals.polls), theme.dim()),
                BUSY | POLLS => (String::new(), theme.dim()),
                _ => (notes.clone(), notes_style),
            };
            self.put(column, &figure, style, widths, pen);
        }
    }

    fn put(&self, column: usize, figure: &str, style: Style, widths: &[usize], pen: &mut Pen<'_>) {
        if widths[column] > 0 {
            let look = (style, self.0.glyphs);
            columns::put(pen, figure, widths[column], align(column), look);
        }
    }
}

/// Cells that a name keeps, however deep it stands.
const NAME_ROOM: usize = 12;
