//! Who has what of what can be held: permits go around as tokio gives them, and the probe
//! tells of each.

use console_api::field::Value;
use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Program, Result,
    send::{Sent, number, timestamp},
};

/// More readers than these are not let in; a writer needs them all.
const MAX_READERS: u64 = 1000;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Mutex,
    RwLock,
    Semaphore,
}

pub struct Lock {
    kind: Kind,
    free: u64,
    /// Given to tasks that have not been polled since.
    assigned: Vec<usize>,
    /// Tasks whose guards are never dropped.
    forgotten: Vec<u64>,
    pub wire: Sent<v1::Resource>,
}

impl Lock {
    pub fn new(kind: Kind, permits: u64, span: u64) -> Self {
        Self {
            kind,
            free: match kind {
                Kind::Mutex => 1,
                Kind::RwLock => MAX_READERS,
                Kind::Semaphore => permits,
            },
            assigned: Vec::new(),
            forgotten: Vec::new(),
            wire: Sent::new(v1::Resource {
                span_id: span,
                ..v1::Resource::default()
            }),
        }
    }

    /// How many permits a task asks for.
    pub fn needs(&self, shared: bool) -> u64 {
        match self.kind {
            Kind::RwLock if !shared => MAX_READERS,
            _ => 1,
        }
    }

    /// What tokio says of its state, but for `locked` of a mutex, which is said at other
    /// moments.
    fn attributes(&self) -> Vec<(&'static str, Value)> {
        match self.kind {
            Kind::Mutex => Vec::new(),
            Kind::RwLock => {
                let held = || self.wire.value.holders.iter().map(|hold| hold.permits);
                let is_written = held().any(|permits| permits == MAX_READERS);
                let readers: u64 = held().filter(|permits| *permits < MAX_READERS).sum();
                vec![
                    ("write_locked", Value::BoolVal(is_written)),
                    ("current_readers", number(readers)),
                    ("max_readers", number(MAX_READERS)),
                ]
            }
            Kind::Semaphore => vec![("permits", number(self.free))],
        }
    }

    fn obtained(&mut self, at: Time, task: u64, permits: u64) {
        self.free = self.free.saturating_sub(permits);
        self.wire.changed = true;
        let holders = &mut self.wire.value.holders;
        match holders.iter_mut().find(|hold| hold.task == Some(task)) {
            Some(hold) => hold.permits += permits,
            None => holders.push(v1::Hold {
                task: Some(task),
                permits,
                since: Some(timestamp(at)),
            }),
        }
    }

    /// Gives back a guard of `owner`, or, if that one has none, of the oldest holder, as
    /// the probe sees it.
    fn returned(&mut self, owner: u64) -> Result {
        let told = &mut self.wire.value;
        let own = told.holders.iter().position(|h| h.task == Some(owner));
        let index = own.unwrap_or_default();
        told.guessed |= own.is_none() && told.holders.len() > 1;
        let hold = told.holders.get_mut(index).ok_or("nobody holds it")?;
        let permits = match self.kind {
            Kind::RwLock => hold.permits,
            _ => 1,
        };
        hold.permits -= permits;
        if hold.permits == 0 {
            told.holders.remove(index);
        }
        self.free += permits;
        self.wire.changed = true;
        Ok(())
    }
}

impl Program {
    /// A task gets a guard, unless it was given it before.
    pub fn obtain(&mut self, at: Time, task: usize, resource: usize, permits: u64) {
        let id = self.tasks[task].fact.value.id;
        let Some(lock) = &mut self.resources[resource].lock else {
            return;
        };
        match lock.assigned.iter().position(|t| *t == task) {
            Some(index) => drop(lock.assigned.remove(index)),
            None => lock.obtained(at, id, permits),
        }
        self.say_locked(resource, true);
        self.say_state(resource);
    }

    /// `try_lock`: no operation tells of it.
    pub fn try_resource(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        self.obtain(at, task, resource, 1);
        Ok(())
    }

    /// A task drops a guard, which need not be its own.
    pub fn release(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let id = self.tasks[task].fact.value.id;
        let lock = &mut self.resources[resource].lock;
        lock.as_mut().ok_or("it cannot be held")?.returned(id)?;
        self.let_in(at, resource);
        self.say_locked(resource, false);
        self.say_state(resource);
        Ok(())
    }

    /// A task leaks its guards.
    pub fn forget(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let id = self.tasks[task].fact.value.id;
        let lock = self.resources[resource].lock.as_mut();
        lock.ok_or("it cannot be held")?.forgotten.push(id);
        Ok(())
    }

    /// Guards that a task has when it is dropped are dropped with it.
    pub fn release_all(&mut self, at: Time, task: usize) {
        let id = self.tasks[task].fact.value.id;
        for resource in 0..self.resources.len() {
            let has = |lock: &Lock| {
                let holds = lock.wire.value.holders.iter().any(|h| h.task == Some(id));
                holds && !lock.forgotten.contains(&id)
            };
            while let Some(lock) = self.resources[resource].lock.as_mut().filter(|l| has(l)) {
                lock.returned(id).expect("it has one");
                self.let_in(at, resource);
                self.say_locked(resource, false);
                self.say_state(resource);
            }
        }
    }

    /// Gives what is free to those who have waited the longest.
    fn let_in(&mut self, at: Time, resource: usize) {
        let span = self.resources[resource].span;
        for op in &self.ops {
            let waits = op.resource == span && op.dropped.is_none();
            let Some(lock) = self.resources[resource].lock.as_mut().filter(|_| waits) else {
                continue;
            };
            if lock.assigned.contains(&op.task) {
                continue;
            }
            if op.needs > lock.free {
                break;
            }
            lock.obtained(at, self.tasks[op.task].fact.value.id, op.needs);
            lock.assigned.push(op.task);
        }
    }

    fn say_locked(&mut self, resource: usize, is_locked: bool) {
        let lock = self.resources[resource].lock.as_ref();
        if lock.is_some_and(|lock| lock.kind == Kind::Mutex) {
            self.say(resource, "locked", Value::BoolVal(is_locked));
        }
    }

    pub fn say_state(&mut self, resource: usize) {
        let lock = self.resources[resource].lock.as_ref();
        let attributes = lock.map_or(Vec::new(), Lock::attributes);
        for (name, value) in attributes {
            self.say(resource, name, value);
        }
    }
}
