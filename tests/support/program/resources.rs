//! What tasks wait for: locks, permits, channels, and the async ops on them.

use console_api::field::Value;
use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Program, Result,
    locks::{Kind, Lock},
    send::{Seen, Sent, number, poll_op},
    task::Polls,
};
use crate::support::words::Options;

pub struct Resource {
    pub span: u64,
    pub concrete_type: &'static str,
    pub parent: Option<u64>,
    pub location: (String, u32),
    /// The semaphore inside.
    pub inner: Option<usize>,
    pub attributes: Vec<(String, Value)>,
    pub is_internal: bool,
    /// It can be held.
    pub lock: Option<Lock>,
    /// What the probe says of a channel.
    pub channel: Option<Sent<v1::Resource>>,
    pub created: Time,
    pub dropped: Option<Time>,
    pub seen: Seen,
}

pub struct AsyncOp {
    pub span: u64,
    pub resource: u64,
    pub source: &'static str,
    pub parent: Option<u64>,
    pub task: usize,
    /// Permits that it waits for.
    pub needs: u64,
    pub of_timer: bool,
    pub polls: Polls,
    pub created: Time,
    pub dropped: Option<Time>,
    pub seen: Seen,
}

impl Program {
    pub fn push_resource(
        &mut self,
        at: Time,
        concrete_type: &'static str,
        location: (String, u32),
        parent: Option<u64>,
    ) -> usize {
        let span = self.new_span();
        self.resources.push(Resource {
            span,
            concrete_type,
            parent,
            location,
            inner: None,
            attributes: Vec::new(),
            is_internal: parent.is_some(),
            lock: None,
            channel: None,
            created: at,
            dropped: None,
            seen: Seen::new(),
        });
        self.resources.len() - 1
    }

    pub fn push_op(
        &mut self,
        at: Time,
        resource: u64,
        source: &'static str,
        parent: Option<u64>,
        task: usize,
    ) -> usize {
        let span = self.new_span();
        let mut op = AsyncOp {
            span,
            resource,
            source,
            parent,
            task,
            needs: 1,
            of_timer: source.starts_with("Sleep") || source.starts_with("Interval"),
            polls: Polls::default(),
            created: at,
            dropped: None,
            seen: Seen::new(),
        };
        op.polls.start(at, None);
        op.polls.end(at);
        self.tasks[task].ops.push(self.ops.len());
        self.ops.push(op);
        self.ops.len() - 1
    }

    pub fn drop_op(&mut self, at: Time, index: usize) {
        let op = &mut self.ops[index];
        (op.dropped, op.seen.changed) = (Some(at), true);
        self.tasks[op.task].ops.retain(|op| *op != index);
    }

    /// The polls of a timer's op are told with the timer.
    pub fn poll_op(&mut self, at: Time, index: usize, ready: bool) {
        let op = &mut self.ops[index];
        op.polls.start(at, None);
        op.polls.end(at);
        op.seen.changed = true;
        if !op.of_timer {
            let (resource, task) = (op.resource, self.tasks[op.task].span);
            self.poll_ops
                .push(poll_op(resource, "poll", task, op.span, ready));
        }
    }

    /// `permits` is the number of permits, of places for messages, of tasks at a barrier.
    pub fn resource(
        &mut self,
        at: Time,
        name: &str,
        of: &str,
        permits: u64,
        options: Options,
    ) -> Result {
        let (concrete_type, lock) = match of {
            "Mutex" => ("Mutex", Some(Kind::Mutex)),
            "RwLock" => ("RwLock", Some(Kind::RwLock)),
            "Semaphore" | "OnceCell" => ("Semaphore", Some(Kind::Semaphore)),
            "mpsc" => ("Semaphore", None),
            "Barrier" => ("Barrier", None),
            "oneshot" => ("Sender|Receiver", None),
            other => return Err(format!("`{other}` is no type of resource")),
        };
        let place = match of {
            "OnceCell" => ("/tokio/src/sync/once_cell.rs".to_owned(), 131),
            _ => options.location.unwrap_or(("src/main.rs".to_owned(), 1)),
        };
        let outer = self.push_resource(at, concrete_type, place.clone(), None);
        let span = self.resources[outer].span;
        if let Some(kind) = lock {
            let inner = self.push_resource(at, "Semaphore", place, Some(span));
            self.resources[outer].inner = Some(inner);
            self.resources[outer].lock = Some(Lock::new(kind, permits, span));
        }
        match of {
            "mpsc" => {
                self.resources[outer].is_internal = true;
                self.say(outer, "permits", number(permits));
                self.resources[outer].channel = Some(Sent::new(v1::Resource {
                    span_id: span,
                    ..v1::Resource::default()
                }));
            }
            "Barrier" => self.say(outer, "size", number(permits)),
            "Mutex" => self.say(outer, "locked", Value::BoolVal(false)),
            _ => self.say_state(outer),
        }
        self.names.resources.insert(name.to_owned(), span);
        Ok(())
    }

    pub fn resource_named(&self, name: &str) -> Result<usize> {
        let span = self.names.resources.get(name);
        let span = span.ok_or_else(|| format!("no resource is called `{name}`"))?;
        let index = self.resources.iter().position(|r| r.span == *span);
        index.ok_or_else(|| format!("`{name}` is not there"))
    }

    /// A task takes a message out of a channel.
    pub fn receive(&mut self, at: Time, task: &str, name: &str) -> Result {
        let (task, channel) = (self.polled_task(at, task)?, self.resource_named(name)?);
        let id = self.tasks[task].fact.value.id;
        let told = self.resources[channel].channel.as_mut();
        let told = told.ok_or_else(|| format!("`{name}` is no channel"))?;
        (told.value.receiver, told.changed) = (Some(id), true);
        Ok(())
    }

    pub fn say(&mut self, resource: usize, attribute: &str, value: Value) {
        let resource = &mut self.resources[resource];
        resource.attributes.retain(|(name, _)| name != attribute);
        resource.attributes.push((attribute.to_owned(), value));
        resource.seen.changed = true;
    }

    pub fn set_attribute(&mut self, name: &str, attribute: &str, value: u64) -> Result {
        let resource = self.resource_named(name)?;
        self.say(resource, attribute, number(value));
        Ok(())
    }

    pub fn drop_resource(&mut self, at: Time, name: &str) -> Result {
        let outer = self.resource_named(name)?;
        for index in [Some(outer), self.resources[outer].inner]
            .into_iter()
            .flatten()
        {
            let resource = &mut self.resources[index];
            (resource.dropped, resource.seen.changed) = (Some(at), true);
        }
        Ok(())
    }

    /// `shared`: to read, of an `RwLock`.
    pub fn await_resource(&mut self, at: Time, task: &str, resource: &str, shared: bool) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        self.begin_op(at, task, resource, shared);
        for op in self.ops_on(task, resource) {
            self.poll_op(at, op, false);
        }
        self.tasks[task].keep_a_waker();
        Ok(())
    }

    fn begin_op(&mut self, at: Time, task: usize, resource: usize, shared: bool) {
        let Resource {
            span,
            inner,
            concrete_type,
            is_internal,
            ..
        } = self.resources[resource];
        let source = match concrete_type {
            "Mutex" => "Mutex::lock",
            "RwLock" if shared => "RwLock::read",
            "RwLock" => "RwLock::write",
            "Semaphore" if is_internal => "Acquire::new",
            "Semaphore" => "Semaphore::acquire",
            "Barrier" => "Barrier::wait",
            _ => "Receiver::await",
        };
        let outer = self.push_op(at, span, source, None, task);
        let lock = self.resources[resource].lock.as_ref();
        self.ops[outer].needs = lock.map_or(1, |lock| lock.needs(shared));
        if let Some(inner) = inner {
            let (parent, span) = (self.ops[outer].span, self.resources[inner].span);
            self.push_op(at, span, "Acquire::new", Some(parent), task);
        }
    }

    fn ops_on(&self, task: usize, resource: usize) -> Vec<usize> {
        let resource = &self.resources[resource];
        let inner = resource.inner.map(|i| self.resources[i].span);
        let spans = [Some(resource.span), inner];
        let ops = self.tasks[task].ops.iter().copied();
        ops.filter(|op| spans.contains(&Some(self.ops[*op].resource)))
            .collect()
    }

    /// It need not have been awaited: then it was to be had at once.
    pub fn got_resource(&mut self, at: Time, task: &str, resource: &str, shared: bool) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        if self.ops_on(task, resource).is_empty() {
            self.begin_op(at, task, resource, shared);
        }
        let ops = self.ops_on(task, resource);
        let needs = ops.first().map_or(1, |op| self.ops[*op].needs);
        // What is inside is had first.
        for op in ops.into_iter().rev() {
            self.poll_op(at, op, true);
            self.drop_op(at, op);
        }
        self.obtain(at, task, resource, needs);
        Ok(())
    }
}
