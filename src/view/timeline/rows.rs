//! Which lanes there are, in which order: the loop, the tree of tasks and scopes, the threads.

use std::{collections::HashSet, ops::Range};

use crate::{
    model::{Model, Role, ScopeId, TaskId, tree::Node},
    view::{
        lists::Lists,
        tree::{Grown, grow},
    },
};

/// What a lane is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowId {
    /// All threads that poll the target's tasks.
    Loop,
    Task(TaskId),
    Scope(ScopeId),
    /// By the probe's number.
    Thread(u64),
}

impl From<Node> for RowId {
    fn from(node: Node) -> Self {
        match node {
            Node::Task(id) => Self::Task(id),
            Node::Scope(id) => Self::Scope(id),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: RowId,
    /// How deep it is in the tree.
    pub depth: usize,
    /// What it hides: places among the tree's nodes; empty if it is not folded.
    folded: Range<usize>,
}

impl Row {
    fn new(id: RowId) -> Self {
        Self {
            id,
            depth: 0,
            folded: 0..0,
        }
    }

    pub fn is_folded(&self) -> bool {
        !self.folded.is_empty()
    }
}

/// The rows, and what they were made from: they are made anew only when that has changed.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    all: Vec<Row>,
    /// The tree's nodes, each before those below it.
    nodes: Vec<Node>,
    folded: HashSet<RowId>,
    /// The tree, and how many threads there were.
    of: Option<(Grown, usize)>,
}

impl Rows {
    pub fn all(&self) -> &[Row] {
        &self.all
    }

    pub fn ids(&self) -> impl ExactSizeIterator<Item = RowId> {
        self.all.iter().map(|row| row.id)
    }

    /// Tasks that a row hides.
    pub fn hidden_by(&self, row: &Row) -> impl Iterator<Item = TaskId> {
        let nodes = self.nodes.get(row.folded.clone()).unwrap_or_default();
        nodes.iter().filter_map(|node| match node {
            Node::Task(id) => Some(*id),
            Node::Scope(_) => None,
        })
    }

    pub fn sync(&mut self, model: &Model, show_done: bool, lists: &Lists) {
        let threads = model.timeline.threads().count();
        let of = Grown::of(model, show_done, lists).map(|grown| (grown, threads));
        if of.is_none() || self.of != of {
            self.of = of;
            self.make(model, show_done, lists);
        }
    }

    /// Folds a row that has others below it, or unfolds it.
    pub fn fold(&mut self, id: RowId, model: &Model, show_done: bool, lists: &Lists) {
        if !self.folded.remove(&id) {
            self.folded.insert(id);
        }
        self.make(model, show_done, lists);
    }

    fn make(&mut self, model: &Model, show_done: bool, lists: &Lists) {
        let tree = grow(model, show_done, lists);
        let branches = tree.branches();
        self.nodes = branches.iter().map(|branch| branch.node).collect();
        self.all = vec![Row::new(RowId::Loop)];
        let mut at = 0;
        while let Some(branch) = branches.get(at) {
            let id = RowId::from(branch.node);
            let below = at + 1..at + 1 + branch.below;
            at += 1;
            let is_folded = !below.is_empty() && self.folded.contains(&id);
            let folded = if is_folded { below } else { at..at };
            at = folded.end;
            self.all.push(Row {
                id,
                depth: branch.depth,
                folded,
            });
        }
        let threads = model.timeline.threads().filter(|id| *id > 0);
        self.all
            .extend(threads.map(|id| Row::new(RowId::Thread(id))));
    }
}

/// The threads that poll the target's tasks, not those that only call `block_on` beside them.
pub fn loop_threads(model: &Model) -> Vec<u64> {
    let workers = model.runtimes.worker_ids();
    let thread = |id| model.runtimes.worker(id)?.thread;
    let told: Vec<u64> = workers.filter_map(thread).collect();
    if !told.is_empty() {
        return told;
    }
    let role = |id: &u64| model.threads.get(*id).map(|thread| thread.role);
    let of = |wanted| {
        let threads = model.timeline.threads();
        threads.filter(|id| role(id) == wanted).collect::<Vec<_>>()
    };
    [Some(Role::Worker), Some(Role::BlockOn), None]
        .into_iter()
        .map(of)
        .find(|threads| !threads.is_empty())
        .unwrap_or_default()
}
