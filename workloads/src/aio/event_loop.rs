//! What the tasks of one run share.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    control::{Cancel, Control},
    done::Done,
};

/// One run: its speed and the tasks that have not ended.
pub(super) struct EventLoop {
    pub(super) scale: f64,
    next_serial: AtomicU64,
    /// The N of the next `Task-N`; tasks that have a name of their own do not count.
    next_name: AtomicU64,
    tasks: Mutex<BTreeMap<u64, Arc<Control>>>,
}

impl EventLoop {
    pub(super) fn new(scale: f64) -> Arc<Self> {
        Arc::new(Self {
            scale,
            next_serial: AtomicU64::new(1),
            // asyncio's `Task-1` is the main task, which we call `main`.
            next_name: AtomicU64::new(2),
            tasks: Mutex::default(),
        })
    }

    /// Adds a task, which the loop holds until [`forget`](Self::forget).
    pub(super) fn add(self: &Arc<Self>, name: Option<String>) -> Arc<Control> {
        let name = name
            .unwrap_or_else(|| format!("Task-{}", self.next_name.fetch_add(1, Ordering::Relaxed)));
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let control = Control::new(name, serial, Arc::clone(self));
        self.tasks().insert(serial, Arc::clone(&control));
        control
    }

    pub(super) fn forget(&self, task: &Control) {
        self.tasks().remove(&task.serial);
    }

    /// Asks every task that is left to end, once, and waits for their cleanup.
    pub(super) async fn cancel_leftovers(&self) {
        let leftovers: Vec<Arc<Control>> = self.tasks().values().cloned().collect();
        for task in &leftovers {
            task.cancel();
        }
        for task in leftovers {
            Done::of(task).await;
        }
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Control>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
