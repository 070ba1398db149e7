//! What a task does now, and what it waits for.

use super::{
    Model,
    resources::AsyncOp,
    scopes::Scope,
    task::{Outcome, Task},
    timer::{Timer, TimerKind},
};

/// A task's state, as a person names it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being polled.
    Running,
    /// It was woken and not polled yet: its wait is scheduling delay.
    Ready,
    /// It awaits a timer.
    Sleeping,
    /// It awaits a lock, a permit, a channel, a task or a thread.
    Waiting,
    /// It awaits what is not instrumented: I/O, or something unknown.
    Idle,
    /// It has ended; how, if the target tells.
    Done(Option<Outcome>),
}

impl State {
    /// In the order in which they matter to a person.
    pub fn rank(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Ready => 1,
            Self::Waiting => 2,
            Self::Sleeping => 3,
            Self::Idle => 4,
            Self::Done(_) => 5,
        }
    }
}

/// What a task that is neither running nor ready waits for.
#[derive(Clone, Copy, Debug)]
pub enum Wait<'a> {
    Timer(&'a Timer),
    Resource(&'a AsyncOp),
    Task(&'a Task),
    Scope(&'a Scope),
}

impl Model {
    pub fn state(&self, task: &Task) -> State {
        if task.is_done() {
            State::Done(task.outcome)
        } else if task.running_since().is_some() {
            State::Running
        } else if task.ready_since().is_some() {
            State::Ready
        } else {
            match self.wait(task) {
                Some(Wait::Timer(_)) => State::Sleeping,
                Some(_) => State::Waiting,
                None => State::Idle,
            }
        }
    }

    /// What a task waits for, the most telling thing first: a lock within a time limit is
    /// a wait for the lock.
    pub fn wait(&self, task: &Task) -> Option<Wait<'_>> {
        if task.is_done() {
            return None;
        }
        if let Some(op) = self.resources.awaited_by(task.id, task.last_poll_started) {
            return Some(Wait::Resource(op));
        }
        if let Some(awaited) = task.awaits.and_then(|id| self.tasks.get(id)) {
            return Some(Wait::Task(awaited));
        }
        if let Some(call) = self.tokios_call(task) {
            return Some(Wait::Task(call));
        }
        // A task that sleeps in the body of a scope, or in a time limit, does not wait for
        // the scope.
        let timer = self.timers.next_of(task.id);
        let scope = task.tokio_id.and_then(|id| self.scopes.open_of(id));
        match (timer, scope) {
            (Some(timer), Some(scope)) if timer.kind == TimerKind::Timeout => {
                Some(Wait::Scope(scope))
            }
            (Some(timer), _) => Some(Wait::Timer(timer)),
            (None, scope) => scope.map(Wait::Scope),
        }
    }

    /// The blocking call by which tokio reads a file or looks up a host's name for the task. tokio
    /// tells of no wait for it, but does nothing else with it; and if the task had given it up, it
    /// would have been polled since.
    fn tokios_call(&self, task: &Task) -> Option<&Task> {
        let call = self.tasks.get(task.called?)?;
        let is_awaited = !call.is_done() && Some(call.created) >= task.last_poll_started;
        let file = &*call.location.as_ref()?.file;
        let is_tokios = file.contains("/tokio-")
            && (file.ends_with("/src/fs/mod.rs") || file.ends_with("/src/net/addr.rs"));
        (is_awaited && is_tokios).then_some(call)
    }
}
