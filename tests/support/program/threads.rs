//! Threads, and the scopes that a program opens.

use std::time::Duration;

use loopview::frame::Time;
use loopview_api::v1;

use super::{
    Kind, Program, Result,
    send::{Sent, duration, known, timestamp},
};
use crate::support::words::Options;

pub struct Thread {
    pub name: String,
    pub wire: Sent<v1::Thread>,
    /// The tasks that it polls, one within the other.
    pub polling: Vec<usize>,
}

impl Thread {
    /// Of a worker's thread: which one.
    pub fn worker(&self) -> Option<usize> {
        let number: usize = self.name.strip_prefix("worker-")?.parse().ok()?;
        number.checked_sub(1)
    }

    pub fn is_blocking(&self) -> bool {
        self.name.starts_with("blocking-")
    }
}

impl Program {
    pub fn scope(&self, name: &str) -> Result<usize> {
        let id = self.names.scopes.get(name);
        id.map(|id| *id as usize - 1)
            .ok_or_else(|| format!("no scope is called `{name}`"))
    }

    pub fn open(&mut self, at: Time, name: &str, kind: &str, options: Options) -> Result {
        let task = options.by.map(|by| self.task(&by)).transpose()?;
        let parent = options.within.map(|name| self.scope(&name)).transpose()?;
        let id = self.scopes.len() as u64 + 1;
        self.names.scopes.insert(name.to_owned(), id);
        let value = v1::Scope {
            id,
            kind: kind.to_owned(),
            name: options.named.unwrap_or_default(),
            parent: parent.map(|p| self.scopes[p].value.id),
            task: task.map(|t| self.tasks[t].fact.value.id),
            opened_at: Some(timestamp(at)),
            location: options.location.map(|(file, line)| v1::Location {
                file,
                line,
                column: 5,
            }),
            ..v1::Scope::default()
        };
        self.scopes.push(Sent::new(value));
        Ok(())
    }

    pub fn close(&mut self, at: Time, name: &str, outcome: v1::Outcome) -> Result {
        let scope = self.scope(name)?;
        let scope = &mut self.scopes[scope];
        scope.value.closed_at = Some(timestamp(at));
        scope.value.set_outcome(outcome);
        scope.changed = true;
        Ok(())
    }

    pub fn usual_thread(&mut self, kind: Kind) -> usize {
        match kind {
            Kind::BlockOn | Kind::Local => self.thread("main"),
            Kind::Task | Kind::Worker if self.workers.is_empty() => self.thread("main"),
            Kind::Task | Kind::Worker => self.thread("worker-1"),
            Kind::Blocking | Kind::StandIn => {
                let pool = || self.threads.iter().filter(|t| t.is_blocking());
                let free = pool()
                    .find(|t| t.polling.is_empty())
                    .map(|t| t.name.clone());
                let name = free.unwrap_or_else(|| format!("blocking-{}", pool().count() + 1));
                self.thread(&name)
            }
        }
    }

    pub fn thread(&mut self, name: &str) -> usize {
        if let Some(known) = self.threads.iter().position(|t| t.name == name) {
            return known;
        }
        let role = match name.split_once('-') {
            Some(("worker", _)) => v1::ThreadRole::Worker,
            Some(("blocking", _)) => v1::ThreadRole::Blocking,
            _ => v1::ThreadRole::BlockOn,
        };
        let wire = v1::Thread {
            id: self.threads.len() as u64 + 1,
            name: if role == v1::ThreadRole::BlockOn {
                name.to_owned()
            } else {
                "tokio-rt-worker".to_owned()
            },
            role: role.into(),
            ..v1::Thread::default()
        };
        self.threads.push(Thread {
            name: name.to_owned(),
            wire: Sent::new(wire),
            polling: Vec::new(),
        });
        self.threads.len() - 1
    }

    /// The system runs others on a thread's processor for so long.
    pub fn keep_off(&mut self, thread: &str, time: Duration) {
        let thread = self.thread(thread);
        let sum = &mut self.threads[thread].wire.value.kept_off;
        *sum = Some(duration(known(*sum) + time));
        self.threads[thread].wire.changed = true;
    }

    /// Notes what a thread polls now.
    pub fn look_at_thread(&mut self, thread: usize, at: Time) {
        let tasks = &self.tasks;
        let thread = &mut self.threads[thread];
        let mut polling = thread.polling.iter().rev().map(|t| &tasks[*t]);
        let innermost = polling.find(|t| !matches!(t.kind, Kind::Worker | Kind::StandIn));
        thread.wire.value.task = innermost.map(|t| t.fact.value.id);
        thread.wire.value.since = innermost.map(|_| timestamp(at));
        thread.wire.changed = true;
    }
}
