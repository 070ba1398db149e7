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

/// The nodes that are wanted, each before those below it; children in the order in which they
/// began.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    branches: Vec<Branch>,
    /// Of all nodes in that order, the hidden ones included: where each one's parent is.
    above: Vec<Option<usize>>,
    /// Which of them the branches are.
    kept: Vec<usize>,
    /// Which of them the tasks are, in the order of their numbers.
    tasks: Vec<usize>,
}

impl Tree {
    /// `shows` says which tasks are wanted. What is above one of them is there, too, and so is
    /// each open scope.
    pub fn new(model: &Model, shows: impl Fn(&Task) -> bool) -> Self {
        let tasks = tasks(model).map(|t| (Some(t.created), Node::Task(t.id), above_task(model, t)));
        let scopes = model.scopes.iter();
        let scopes = scopes.map(|s| (s.opened, Node::Scope(s.id), above_scope(model, s)));
        let mut nodes: Vec<_> = scopes.chain(tasks).collect();
        nodes.sort_by_key(|(began, ..)| *began);
        let mut forest = Forest::default();
        for (_, node, _) in &nodes {
            forest.insert(*node);
        }
        for (at, (.., parent)) in nodes.iter().enumerate() {
            if let Some(parent) = parent {
                forest.attach(at, *parent);
            }
        }
        let mut tree = forest.walk(|node| match node {
            Node::Task(id) => model.tasks.get(id).is_none_or(|task| !shows(task)),
            Node::Scope(id) => model.scopes.get(id).is_none_or(|s| s.closed.is_some()),
        });
        tree.sum(model);
        tree
    }

    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Brings the sums up to date with the same tasks, in the same places.
    pub fn sum(&mut self, model: &Model) {
        let mut own = vec![Totals::default(); self.above.len()];
        for (task, at) in tasks(model).zip(&self.tasks) {
            own[*at] = of_task(model, task);
        }
        self.add_up(own);
    }

    /// Adds what is each node's own to all that are above it.
    fn add_up(&mut self, mut totals: Vec<Totals>) {
        for at in (0..totals.len()).rev() {
            if let Some(above) = self.above[at] {
                let below = totals[at];
                totals[above].add(below);
            }
        }
        for (branch, at) in self.branches.iter_mut().zip(&self.kept) {
            branch.totals = totals[*at];
        }
    }
}

/// Those that have a place in the tree, in the order of their numbers.
fn tasks(model: &Model) -> impl Iterator<Item = &Task> {
    model.tasks.iter().filter(|task| task.kind != Kind::Worker)
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
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    numbers: IdMap<Node, usize>,
}

impl Forest {
    fn insert(&mut self, node: Node) {
        self.numbers.insert(node, self.nodes.len());
        self.nodes.push(node);
        self.parents.push(None);
        self.children.push(Vec::new());
    }

    fn attach(&mut self, at: usize, parent: Node) {
        if let Some(parent) = self.numbers.get(&parent).copied() {
            self.parents[at] = Some(parent);
            self.children[parent].push(at);
        }
    }

    /// All nodes in order, without those that are hidden and have nothing below them that is
    /// not. There are no sums yet.
    fn walk(&self, hidden: impl Fn(Node) -> bool) -> Tree {
        let mut seen = vec![false; self.nodes.len()];
        let mut branches = Vec::with_capacity(self.nodes.len());
        let roots = (0..self.nodes.len()).filter(|at| self.parents[*at].is_none());
        // What is left after them has only itself above it: a target may tell that.
        for at in roots.chain(0..self.nodes.len()) {
            if !seen[at] {
                self.grow(at, &mut seen, &mut branches);
            }
        }
        let mut above = vec![None; branches.len()];
        close(&mut branches, |_, at, parent, _| above[at] = parent);
        let tasks = branches.iter().enumerate();
        let tasks = tasks.filter_map(|(at, branch)| match branch.node {
            Node::Task(id) => Some((id, at)),
            Node::Scope(_) => None,
        });
        let mut tasks: Vec<_> = tasks.collect();
        tasks.sort_unstable();
        let (mut branches, kept) = prune(branches, hidden);
        place(&mut branches);
        Tree {
            branches,
            above,
            kept,
            tasks: tasks.into_iter().map(|(_, at)| at).collect(),
        }
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
                totals: Totals::default(),
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

/// Leaves out what is hidden and has nothing below it that is not, and tells where the others
/// were.
fn prune(branches: Vec<Branch>, hidden: impl Fn(Node) -> bool) -> (Vec<Branch>, Vec<usize>) {
    let mut kept: Vec<Branch> = Vec::with_capacity(branches.len());
    let mut places = Vec::with_capacity(branches.len());
    // From the end, so that what is below a node comes before it.
    for (at, branch) in branches.into_iter().enumerate().rev() {
        let has_child = kept
            .last()
            .is_some_and(|next| next.parent == Some(branch.node));
        if has_child || !hidden(branch.node) {
            kept.push(branch);
            places.push(at);
        }
    }
    kept.reverse();
    places.reverse();
    (kept, places)
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
            forest.insert(node(at));
        }
        for (at, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                forest.attach(at, node(*parent));
            }
        }
        forest
    }

    fn walk(parents: &[Option<usize>], hidden: impl Fn(Node) -> bool) -> Vec<Branch> {
        let one = Totals {
            tasks: 1,
            ..Totals::default()
        };
        let mut tree = forest(parents).walk(hidden);
        tree.add_up(vec![one; parents.len()]);
        tree.branches
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
        let parents = [None, Some(0), None, Some(0), Some(1)];
        let expected = [
            (0, 0, 4, 3, false),
            (1, 1, 2, 1, false),
            (4, 2, 1, 0, true),
            (3, 1, 1, 0, true),
            (2, 0, 1, 0, true),
        ];
        assert_eq!(rows(&walk(&parents, |_| false)), expected);
    }

    #[test]
    fn what_is_hidden_stays_above_what_is_not_and_counts() {
        let parents = [None, Some(0), Some(1), Some(0)];
        let hidden = |node| node != Node::Task(TaskId(2));
        let expected = [(0, 0, 4, 2, true), (1, 1, 2, 1, true), (2, 2, 1, 0, true)];
        assert_eq!(rows(&walk(&parents, hidden)), expected);
    }

    #[test]
    fn parents_that_lead_in_a_circle_lose_nobody() {
        let branches = walk(&[Some(1), Some(0), Some(2), None], |_| false);
        let mut all: Vec<_> = rows(&branches).iter().map(|r| r.0).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let parents: Vec<Option<usize>> = (0..100_000_usize).map(|at| at.checked_sub(1)).collect();
        let branches = walk(&parents, |_| false);
        assert_eq!(branches[0].totals.tasks, 100_000);
        assert_eq!(branches[0].below, 99_999);
    }
}
