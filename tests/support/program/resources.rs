//! What tasks wait for: locks, permits, channels, and the async ops on them.

use loopview::frame::Time;

use super::{
    Program, Result,
    send::{Seen, poll_op},
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
    pub attributes: Vec<(String, u64)>,
    pub created: Time,
    pub seen: Seen,
}

pub struct AsyncOp {
    pub span: u64,
    pub resource: u64,
    pub source: &'static str,
    pub parent: Option<u64>,
    pub task: usize,
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
            created: at,
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

    pub fn resource(&mut self, at: Time, name: &str, of: &str, options: Options) -> Result {
        let (concrete_type, inner) = match of {
            "Mutex" => ("Mutex", true),
            "RwLock" => ("RwLock", true),
            "Semaphore" => ("Semaphore", true),
            "Barrier" => ("Barrier", false),
            "oneshot" => ("Sender|Receiver", false),
            other => return Err(format!("`{other}` is no type of resource")),
        };
        let place = options.location.unwrap_or(("src/main.rs".to_owned(), 1));
        let outer = self.push_resource(at, concrete_type, place.clone(), None);
        if inner {
            let parent = self.resources[outer].span;
            let inner = self.push_resource(at, "Semaphore", place, Some(parent));
            self.resources[outer].inner = Some(inner);
        }
        self.resource_names.insert(name.to_owned(), outer);
        Ok(())
    }

    fn resource_named(&self, name: &str) -> Result<usize> {
        self.resource_names
            .get(name)
            .copied()
            .ok_or_else(|| format!("no resource is called `{name}`"))
    }

    pub fn set_attribute(&mut self, name: &str, attribute: &str, value: u64) -> Result {
        let resource = self.resource_named(name)?;
        let resource = &mut self.resources[resource];
        resource.attributes.retain(|(name, _)| name != attribute);
        resource.attributes.push((attribute.to_owned(), value));
        resource.seen.changed = true;
        Ok(())
    }

    pub fn await_resource(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let Resource {
            span,
            inner,
            concrete_type,
            ..
        } = self.resources[resource];
        let source = match concrete_type {
            "Mutex" => "Mutex::lock",
            "RwLock" => "RwLock::write",
            "Semaphore" => "Semaphore::acquire",
            "Barrier" => "Barrier::wait",
            _ => "Receiver::await",
        };
        let outer = self.push_op(at, span, source, None, task);
        self.poll_op(at, outer, false);
        if let Some(inner) = inner {
            let (parent, span) = (self.ops[outer].span, self.resources[inner].span);
            let inner = self.push_op(at, span, "Acquire::new", Some(parent), task);
            self.poll_op(at, inner, false);
        }
        self.tasks[task].waker_clones += 1;
        Ok(())
    }

    pub fn got_resource(&mut self, at: Time, task: &str, resource: &str) -> Result {
        let (task, resource) = (self.polled_task(at, task)?, self.resource_named(resource)?);
        let resource = &self.resources[resource];
        let inner = resource.inner.map(|i| self.resources[i].span);
        let spans = [Some(resource.span), inner];
        let ops = self.tasks[task].ops.iter().copied();
        let ops: Vec<usize> = ops
            .filter(|op| spans.contains(&Some(self.ops[*op].resource)))
            .collect();
        if ops.is_empty() {
            return Err("it was not awaited".to_owned());
        }
        for op in ops {
            self.poll_op(at, op, true);
            self.drop_op(at, op);
        }
        Ok(())
    }
}
