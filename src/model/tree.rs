//! Who spawned whom, with the scopes between them: a forest, worked out from the model.
//!
//! A task stands under the scope in which it was spawned, or else under the task that spawned
//! it; a scope under the scope around it in the same task, or else under the task that opened
//! it. What has no parent, or one that is forgotten, is a root.

use std::time::Duration;

use super::{
    IdMap, Model,
    scopes::{Scope, ScopeId},
    task::{Kind, Task, TaskId},
};

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    Task(TaskId),
    Scope(ScopeId),
}

/// The sums of a node and all below it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub tasks: usize,
    pub done: usize,
    /// Ended by an error or a panic.
    pub failed: usize,
    /// In polls of the loop: calls on threads of their own are not in it.
    pub busy: Duration,
    pub polls: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.done += other.done;
        self.failed += other.failed;
        self.busy = self.busy.saturating_add(other.busy);
        self.polls = self.polls.saturating_add(other.polls);
    }
}

/// A node in its place.
#[derive(Clone, Debug)]
pub struct Branch {
    pub node: Node,
    pub parent: Option<Node>,
    /// 0 for a root.
    pub depth: usize,
    /// No other child of its parent comes after it.
    pub last: bool,
    /// How many nodes are below it; they come right after it.
    pub below: usize,
    pub totals: Totals,
}

/// All nodes, each before those below it; children in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Tree(Vec<Branch>);

impl Tree {
    /// `shows` says which tasks are wanted. What is above one of them is there, too, and so is
    /// each open scope.
    pub fn new(model: &Model, shows: impl Fn(&Task) -> bool) -> Self {
        let tasks = model.tasks.iter().filter(|t| t.kind != Kind::Worker);
        let tasks = tasks.map(|t| {
            let (node, above) = (Node::Task(t.id), above_task(model, t));
            (Some(t.created), node, above, of_task(model, t))
        });
        let scopes = model.scopes.iter().map(|s| {
            let (node, above) = (Node::Scope(s.id), above_scope(model, s));
            (s.opened, node, above, Totals::default())
        });
        let mut nodes: Vec<_> = scopes.chain(tasks).collect();
        nodes.sort_by_key(|(began, ..)| *began);
        let mut forest = Forest::default();
        for (_, node, _, own) in &nodes {
            forest.insert(*node, *own);
        }
        for (at, (_, _, parent, _)) in nodes.iter().enumerate() {
            if let Some(parent) = parent {
                forest.attach(at, *parent);
            }
        }
        let hidden = |node: Node| match node {
            Node::Task(id) => model.tasks.get(id).is_none_or(|task| !shows(task)),
            Node::Scope(id) => model.scopes.get(id).is_none_or(|s| s.closed.is_some()),
        };
        Self(forest.walk(hidden))
    }

    pub fn branches(&self) -> &[Branch] {
        &self.0
    }
}

fn of_task(model: &Model, task: &Task) -> Totals {
    let failed = task.has_failed();
    let (busy, polls) = if task.kind.is_async() {
        (task.busy(model.now), task.polls())
    } else {
        (Duration::ZERO, 0)
    };
    Totals {
        tasks: 1,
        done: usize::from(task.is_done()),
        failed: usize::from(failed),
        busy,
        polls,
    }
}

fn above_task(model: &Model, task: &Task) -> Option<Node> {
    let scope = task.scope.filter(|id| model.scopes.get(*id).is_some());
    scope.map(Node::Scope).or(task.parent.map(Node::Task))
}

fn above_scope(model: &Model, scope: &Scope) -> Option<Node> {
    let task = |id: u64| model.tasks.by_tokio_id(id).map(|t| Node::Task(t.id));
    around(model, scope)
        .map(|outer| Node::Scope(outer.id))
        .or_else(|| scope.owner.and_then(task))
}

/// The scope around one in the same task. One that was inherited from another task is around
/// the task, too.
fn around<'a>(model: &'a Model, scope: &Scope) -> Option<&'a Scope> {
    let outer = model.scopes.get(scope.parent?)?;
    (outer.owner == scope.owner).then_some(outer)
}

/// Nodes by number, before they are in order.
#[derive(Default)]
struct Forest {
    nodes: Vec<Node>,
    own: Vec<Totals>,
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    numbers: IdMap<Node, usize>,
}

impl Forest {
    fn insert(&mut self, node: Node, own: Totals) {
        self.numbers.insert(node, self.nodes.len());
        self.nodes.push(node);
        self.own.push(own);
        self.parents.push(None);
        self.children.push(Vec::new());
    }

    fn attach(&mut self, at: usize, parent: Node) {
        if let Some(parent) = self.numbers.get(&parent).copied() {
            self.parents[at] = Some(parent);
            self.children[parent].push(at);
        }
    }

    fn walk(&self, hidden: impl Fn(Node) -> bool) -> Vec<Branch> {
        let mut seen = vec![false; self.nodes.len()];
        let mut branches = Vec::with_capacity(self.nodes.len());
        let roots = (0..self.nodes.len()).filter(|at| self.parents[*at].is_none());
        // What is left after them has only itself above it: a target may tell that.
        for at in roots.chain(0..self.nodes.len()) {
            if !seen[at] {
                self.grow(at, &mut seen, &mut branches);
            }
        }
        sum(&mut branches);
        let mut kept = prune(branches, hidden);
        place(&mut kept);
        kept
    }

    /// Appends a node and all below it that were not seen yet.
    fn grow(&self, root: usize, seen: &mut [bool], branches: &mut Vec<Branch>) {
        let mut todo = vec![(root, None, 0)];
        while let Some((at, parent, depth)) = todo.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            branches.push(Branch {
                node: self.nodes[at],
                parent,
                depth,
                last: false,
                below: 0,
                totals: self.own[at],
            });
            let children = self.children[at].iter().rev();
            todo.extend(children.map(|child| (*child, Some(self.nodes[at]), depth + 1)));
        }
    }
}

/// Tells of each node, when all below it have been told of: where it is, where its parent is,
/// and where what follows begins.
fn close(
    branches: &mut [Branch],
    mut tell: impl FnMut(&mut [Branch], usize, Option<usize>, usize),
) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..=branches.len() {
        let depth = branches.get(at).map(|b| b.depth);
        while let Some(&above) = open.last()
            && depth.is_none_or(|depth| branches[above].depth >= depth)
        {
            open.pop();
            tell(branches, above, open.last().copied(), at);
        }
        open.push(at);
    }
}

fn sum(branches: &mut [Branch]) {
    close(branches, |branches, at, parent, _| {
        let totals = branches[at].totals;
        if let Some(parent) = parent {
            branches[parent].totals.add(totals);
        }
    });
}

/// Leaves out what is hidden and has nothing below it that is not.
fn prune(branches: Vec<Branch>, hidden: impl Fn(Node) -> bool) -> Vec<Branch> {
    let mut kept: Vec<Branch> = Vec::with_capacity(branches.len());
    // From the end, so that what is below a node comes before it.
    for branch in branches.into_iter().rev() {
        let has_child = kept
            .last()
            .is_some_and(|next| next.parent == Some(branch.node));
        if has_child || !hidden(branch.node) {
            kept.push(branch);
        }
    }
    kept.reverse();
    kept
}

/// Counts what is below each node, and finds the last of each node's children.
fn place(branches: &mut [Branch]) {
    close(branches, |branches, at, _, after| {
        let depth = branches[at].depth;
        branches[at].below = after - at - 1;
        branches[at].last = branches.get(after).is_none_or(|next| next.depth < depth);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forest(parents: &[Option<usize>]) -> Forest {
        let node = |at: usize| Node::Task(TaskId(at as u64));
        let mut forest = Forest::default();
        for at in 0..parents.len() {
            let one = Totals {
                tasks: 1,
                ..Totals::default()
            };
            forest.insert(node(at), one);
        }
        for (at, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                forest.attach(at, node(*parent));
            }
        }
        forest
    }

    /// Number, depth, tasks in all, nodes below, whether it is the last child.
    fn rows(branches: &[Branch]) -> Vec<(u64, usize, usize, usize, bool)> {
        let row = |b: &Branch| match b.node {
            Node::Task(id) => (id.0, b.depth, b.totals.tasks, b.below, b.last),
            Node::Scope(id) => panic!("there is no scope {id:?}"),
        };
        branches.iter().map(row).collect()
    }

    #[test]
    fn children_follow_their_parent() {
        let forest = forest(&[None, Some(0), None, Some(0), Some(1)]);
        let expected = [
            (0, 0, 4, 3, false),
            (1, 1, 2, 1, false),
            (4, 2, 1, 0, true),
            (3, 1, 1, 0, true),
            (2, 0, 1, 0, true),
        ];
        assert_eq!(rows(&forest.walk(|_| false)), expected);
    }

    #[test]
    fn what_is_hidden_stays_above_what_is_not_and_counts() {
        let forest = forest(&[None, Some(0), Some(1), Some(0)]);
        let hidden = |node| node != Node::Task(TaskId(2));
        let expected = [(0, 0, 4, 2, true), (1, 1, 2, 1, true), (2, 2, 1, 0, true)];
        assert_eq!(rows(&forest.walk(hidden)), expected);
    }

    #[test]
    fn parents_that_lead_in_a_circle_lose_nobody() {
        let forest = forest(&[Some(1), Some(0), Some(2), None]);
        let mut all: Vec<_> = rows(&forest.walk(|_| false)).iter().map(|r| r.0).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let parents: Vec<Option<usize>> = (0..100_000_usize).map(|at| at.checked_sub(1)).collect();
        let branches = forest(&parents).walk(|_| false);
        assert_eq!(branches[0].totals.tasks, 100_000);
        assert_eq!(branches[0].below, 99_999);
    }
}
