//! What of each kind is kept while it lives, and what once it has ended.

use std::sync::atomic::AtomicBool;

use super::kept::{Entity, Read, State};
use crate::{
    clock::Nanos,
    facts::{
        op,
        op::Op,
        resource,
        resource::Resource,
        samples::{Buckets, Sampled},
        scope,
        scope::Scope,
        task,
        task::Task,
    },
};

/// In the tables of the publisher, for each.
const ROW: usize = size_of::<Read>();

/// A million of these are 200 MB: what makes them larger has to be worth it.
const _: () = assert!(size_of::<(Read, TaskState)>() <= 200);

impl Entity for Task {
    type State = TaskState;

    fn id(&self) -> u64 {
        self.id
    }

    fn is_kept(&self) -> &AtomicBool {
        &self.is_kept
    }

    fn is_closed(&self) -> bool {
        Task::is_closed(self)
    }

    fn read(&self) -> TaskState {
        let now = Task::read(self);
        // While it lives, its samples are read when somebody asks.
        let sampled = if now.closed > 0 {
            self.sampled()
        } else {
            Sampled::default()
        };
        TaskState { now, sampled }
    }

    fn bytes(&self) -> usize {
        Task::bytes(self)
    }
}

/// A task, and once it has ended how long its polls took.
#[derive(Clone, Debug)]
pub(crate) struct TaskState {
    pub(crate) now: task::State,
    sampled: Sampled,
}

impl TaskState {
    /// The durations of an ended task's polls and waits.
    pub(crate) fn samples(&self) -> (Buckets, Buckets) {
        (self.sampled.polls(None), self.sampled.waits())
    }

    pub(crate) fn missed_samples(&self) -> u32 {
        self.sampled.missed()
    }
}

impl State for TaskState {
    fn id(&self) -> u64 {
        self.now.id
    }

    fn closed(&self) -> Nanos {
        self.now.closed
    }

    fn revive(&mut self) {
        self.now.revive();
    }

    fn bytes(&self) -> usize {
        let words = self.now.words.as_ref().map_or(0, |words| words.bytes());
        size_of::<Self>() + ROW + words + self.sampled.bytes()
    }
}

/// What is told by one reading: the entity, its state, and the bytes that a state has beside
/// itself.
macro_rules! told_at_once {
    ($entity:ident, $state:path, $more:expr) => {
        impl Entity for $entity {
            type State = $state;

            fn id(&self) -> u64 {
                self.id
            }

            fn is_kept(&self) -> &AtomicBool {
                &self.is_kept
            }

            fn is_closed(&self) -> bool {
                $entity::is_closed(self)
            }

            fn read(&self) -> $state {
                $entity::read(self)
            }

            fn bytes(&self) -> usize {
                size_of::<Self>()
            }
        }

        impl State for $state {
            fn id(&self) -> u64 {
                self.id
            }

            fn closed(&self) -> Nanos {
                self.closed
            }

            fn revive(&mut self) {
                self.closed = 0;
            }

            fn bytes(&self) -> usize {
                let more: fn(&Self) -> usize = $more;
                size_of::<Self>() + ROW + more(self)
            }
        }
    };
}

told_at_once!(Resource, resource::State, resource::State::bytes);
told_at_once!(Op, op::State, |op| size_of_val(&*op.attributes));
told_at_once!(Scope, scope::State, |scope| scope.kind.len()
    + scope.name.len());
