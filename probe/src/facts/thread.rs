//! An OS thread that has polled a task or run a blocking call.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU8, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use loopview_api::v1::ThreadRole;

use super::{polls::Ring, site::Role};
use crate::clock::Nanos;

/// What a thread is doing. The publisher reads all of them each time: there are few.
#[derive(Debug)]
pub(crate) struct Thread {
    /// Numbered from 1 in the order in which the probe met them.
    pub(crate) id: u32,
    pub(crate) name: Box<str>,
    role: AtomicU8,
    /// What it polls or runs, 0 for nothing, and since when.
    task: AtomicU64,
    since: AtomicU64,
    ended: AtomicU64,
    /// The system's number of it, where that is of use.
    system_id: Option<i32>,
    /// Its polls, once somebody wants to know of them.
    pub(crate) ring: OnceLock<Arc<Ring>>,
}

/// A thread as it was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) role: ThreadRole,
    pub(crate) task: u64,
    pub(crate) since: Nanos,
    pub(crate) ended: Nanos,
}

impl Thread {
    /// The calling thread.
    pub(crate) fn new(id: u32, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            role: AtomicU8::new(ThreadRole::Unspecified as u8),
            task: AtomicU64::new(0),
            since: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            system_id: system_id(),
            ring: OnceLock::new(),
        }
    }

    /// Learns what kind of thread this is by what it runs. A worker polls all kinds.
    pub(crate) fn runs(&self, role: Role) {
        let before = self.role.load(Relaxed);
        let known = before != ThreadRole::Unspecified as u8;
        let role = match role {
            Role::Worker => ThreadRole::Worker,
            Role::Blocking => ThreadRole::Blocking,
            Role::BlockOn if !known => ThreadRole::BlockOn,
            _ => return,
        };
        if before != role as u8 {
            self.role.store(role as u8, Relaxed);
        }
    }

    /// It polls this task from now on; 0 for none.
    pub(crate) fn polls(&self, task: u64, at: Nanos) {
        self.since.store(at, Relaxed);
        self.task.store(task, Release);
    }

    pub(crate) fn end(&self, at: Nanos) {
        self.task.store(0, Relaxed);
        self.ended.store(at, Release);
    }

    pub(crate) fn read(&self) -> State {
        let ended = self.ended.load(Acquire);
        // The task may change meanwhile: then the time would be another one's.
        let mut task = self.task.load(Acquire);
        let mut since = self.since.load(Acquire);
        for _ in 0..4 {
            let again = self.task.load(Acquire);
            if again == task {
                break;
            }
            task = again;
            since = self.since.load(Acquire);
        }
        let role = ThreadRole::try_from(i32::from(self.role.load(Relaxed)));
        State {
            role: role.unwrap_or_default(),
            task,
            since: if task == 0 { 0 } else { since },
            ended,
        }
    }
}

/// The system's account of a thread, for how long it ran others though the thread could run.
/// Linux alone keeps one, and not every kernel.
#[derive(Debug)]
pub(crate) struct KeptOff(Option<File>);

impl KeptOff {
    pub(crate) fn of(thread: &Thread) -> Self {
        let path = |id| format!("/proc/self/task/{id}/schedstat");
        Self(thread.system_id.and_then(|id| File::open(path(id)).ok()))
    }

    /// In all, in nanoseconds.
    pub(crate) fn read(&self) -> Option<u64> {
        // Three numbers: time that it ran, that it waited to run, and how often it ran.
        let mut text = [0; 64];
        let read = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = str::from_utf8(text.get(..read)?).ok()?;
        text.split(' ').nth(1)?.parse().ok()
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "other systems tell of none")]
fn system_id() -> Option<i32> {
    Some(rustix::thread::gettid().as_raw_pid())
}

#[cfg(not(target_os = "linux"))]
fn system_id() -> Option<i32> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_told_for_how_long_it_was_kept_off() {
        // A kernel without the account is no failure of ours.
        if !std::path::Path::new("/proc/self/schedstat").exists() {
            return;
        }
        let thread = Thread::new(1, "test");
        let account = KeptOff::of(&thread);
        let before = account.read().expect("the system tells");
        std::thread::yield_now();
        assert!(account.read() >= Some(before));
    }
}
