//! Waiting for a task, whatever it gives.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    control::{Control, Watch},
    error::Error,
    wake::WakeCell,
};

/// Resolves when a task is done; an observer is told that the current task waits for that one.
pub(super) struct Done {
    task: Arc<Control>,
    waiting: Option<Arc<WakeCell>>,
}

impl Done {
    pub(super) fn of(task: Arc<Control>) -> Self {
        Self {
            task,
            waiting: None,
        }
    }
}

impl Future for Done {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(cell) = &self.waiting {
            cell.register(cx.waker());
        }
        if self.task.has_told() {
            return Poll::Ready(());
        }
        if self.waiting.is_none() {
            let cell = Arc::new(WakeCell::default());
            cell.register(cx.waker());
            self.task.watch(&cell);
            tell_awaits(self.task.tokio_id.get().copied().unwrap_or_default());
            self.waiting = Some(cell);
        }
        Poll::Pending
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if self.waiting.is_some() {
            tell_awaits(0);
        }
    }
}

impl Watch for WakeCell {
    fn task_done(&self, _: &Control, _: Option<&Error>) {
        self.wake();
    }
}

/// Tells an observer for which task, by tokio's number, the current one waits; 0 for none.
fn tell_awaits(task: u64) {
    tracing::trace!(target: "loopview::task", awaits = task);
}
