//! Everything that is known, of all kinds together.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use super::kept::{Kept, Reader, Seq};
use crate::{
    clock::Nanos,
    facts::{op::Op, resource::Resource, scope::Scope, site::Role, task::Task},
    metrics::Number,
};

/// Everything that is known.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) tasks: Kept<Task>,
    pub(crate) resources: Kept<Resource>,
    pub(crate) ops: Kept<Op>,
    pub(crate) scopes: Kept<Scope>,
    /// Live tasks that stand for a thread of a runtime: workers, and calls of `block_on`.
    anchors: BTreeMap<u64, Arc<Task>>,
    /// The greatest number of what was forgotten although somebody may believe it alive.
    pub(crate) lacking: Seq,
    /// How many were forgotten before their time.
    pub(crate) forgotten: u64,
}

impl Store {
    /// Nobody watches any more.
    pub(crate) fn let_go(&mut self) {
        self.tasks.let_go();
        self.resources.let_go();
        self.ops.let_go();
        self.scopes.let_go();
    }

    pub(crate) fn anchor(&mut self, task: &Arc<Task>) {
        if matches!(task.site.role, Role::Worker | Role::BlockOn) {
            if task.is_closed() {
                self.anchors.remove(&task.id);
            } else {
                self.anchors.insert(task.id, Arc::clone(task));
            }
        }
    }

    /// A runtime has a thread of its own, or one that is in its `block_on`.
    pub(crate) fn is_used(&self, runtime: Number) -> bool {
        let of = |task: &Arc<Task>| task.runtime.load(Relaxed) == runtime;
        self.anchors.values().any(of)
    }

    /// Clients are being shown what was first read up to here, or nobody is any more.
    pub(super) fn shows_up_to(&mut self, seq: Option<Seq>) {
        self.tasks.shows_up_to(seq);
        self.resources.shows_up_to(seq);
        self.ops.shows_up_to(seq);
        self.scopes.shows_up_to(seq);
    }

    /// Forgets what ended before `before`. What somebody lacks, whose last reading is
    /// `told`, stays. Tells the memory that is free now.
    pub(crate) fn forget(&mut self, before: Nanos, told: Seq) -> usize {
        self.tasks.forget(before, told)
            + self.resources.forget(before, told)
            + self.ops.forget(before, told)
            + self.scopes.forget(before, told)
    }

    /// Forgets what ended first until so much memory is free or nothing has ended; tells how
    /// much that is. What a client never knew of it will never know. Of what it may believe
    /// alive, the end is kept until it is told, up to `most_owed` bytes.
    pub(super) fn make_room(
        &mut self,
        bytes: usize,
        readers: &mut [Reader],
        most_owed: usize,
    ) -> usize {
        let mut forgotten = self.tasks.settle(readers);
        forgotten += self.resources.settle(readers);
        forgotten += self.ops.settle(readers);
        forgotten += self.scopes.settle(readers);
        while forgotten.bytes < bytes {
            let oldest = [
                self.tasks.oldest(),
                self.resources.oldest(),
                self.ops.oldest(),
                self.scopes.oldest(),
            ];
            let first = (0..oldest.len()).filter(|i| oldest[*i].is_some());
            forgotten += match first.min_by_key(|i| oldest[*i]) {
                Some(0) => self
                    .tasks
                    .forget_oldest(readers, |missed| &mut missed.tasks),
                Some(1) => self
                    .resources
                    .forget_oldest(readers, |missed| &mut missed.resources),
                Some(2) => self.ops.forget_oldest(readers, |missed| &mut missed.ops),
                Some(_) => self
                    .scopes
                    .forget_oldest(readers, |missed| &mut missed.scopes),
                None => break,
            };
        }
        while self.owed_bytes() > most_owed {
            let renounced = self.tasks.renounce();
            let renounced = renounced.or_else(|| self.resources.renounce());
            let renounced = renounced.or_else(|| self.ops.renounce());
            let Some((seq, freed)) = renounced.or_else(|| self.scopes.renounce()) else {
                break;
            };
            forgotten += freed;
            self.lacking = self.lacking.max(seq);
        }
        self.forgotten += forgotten.count;
        forgotten.bytes
    }

    fn owed_bytes(&self) -> usize {
        self.tasks.owed_bytes
            + self.resources.owed_bytes
            + self.ops.owed_bytes
            + self.scopes.owed_bytes
    }
}
