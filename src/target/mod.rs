//! Where frames come from: a program that is launched, or one that runs already.
//!
//! | file | what it does |
//! |---|---|
//! | [`endpoint`] | what a person may write for an address |
//! | [`connect`] | one connection: the console protocol and the probe's, as frames |
//! | [`stream`] | a stream of messages, none of which is too large |
//! | [`attach`] | a source that only connects, and tries again when its connection is lost |
//! | [`launch`] | a source that starts a process, connects, and reaps it |
//! | [`process`] | the process and its children, and that none outlives us |
//! | [`lines`] | a pipe's bytes as lines of bounded length |

mod attach;
mod connect;
mod endpoint;
mod lag;
mod launch;
mod lines;
mod process;
mod stream;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};

use crate::frame::Frame;

pub use attach::attach;
pub use connect::ConnectError;
pub use endpoint::{Endpoint, EndpointError};
pub use launch::{Launch, launch};

/// Frames that may wait to be read: what waits grows old. A full queue slows the reading of the
/// socket down, and nothing else.
const QUEUE: usize = 64;

/// A target at work. Dropping it ends it at once.
#[derive(Debug)]
pub struct Source {
    pub frames: mpsc::Receiver<Frame>,
    details: watch::Sender<Option<u64>>,
    stop: watch::Sender<bool>,
    again: Arc<Notify>,
    give_up: Arc<Notify>,
    driver: JoinHandle<()>,
}

/// What a driver is told by whoever holds its [`Source`].
#[derive(Clone, Debug)]
struct Orders {
    /// Send the histograms of the task with this span.
    details: watch::Receiver<Option<u64>>,
    stop: watch::Receiver<bool>,
    /// Connect again at once.
    again: Arc<Notify>,
    /// Do so no more.
    give_up: Arc<Notify>,
}

impl Orders {
    /// Returns once the source is to end.
    async fn stopped(&mut self) {
        // An error means that the source is gone, which is the same order.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}

impl Source {
    fn start<F>(driver: impl FnOnce(mpsc::Sender<Frame>, Orders) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, frames) = mpsc::channel(QUEUE);
        let (details, details_order) = watch::channel(None);
        let (stop, stop_order) = watch::channel(false);
        let [again, give_up] = [(); 2].map(|()| Arc::new(Notify::new()));
        let orders = Orders {
            details: details_order,
            stop: stop_order,
            again: Arc::clone(&again),
            give_up: Arc::clone(&give_up),
        };
        let driver = tokio::spawn(driver(sender, orders));
        Self {
            frames,
            details,
            stop,
            again,
            give_up,
            driver,
        }
    }

    /// Asks for the histograms of the task with this span id, and no longer for another's.
    pub fn watch_details(&self, span: Option<u64>) {
        self.details
            .send_if_modified(|current| std::mem::replace(current, span) != span);
    }

    /// Of a target that was attached to: connects again at once, whether the connection is lost
    /// or not.
    pub fn connect_again(&self) {
        self.again.notify_waiters();
    }

    /// Tries no longer to connect again, until it is told to.
    pub fn give_up(&self) {
        self.give_up.notify_waiters();
    }

    /// Ends the target: its process and the children of it are asked to end, then made
    /// to. The remaining frames can be read until `frames` ends.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends the target and waits until it has gone.
    pub async fn stopped(mut self) {
        self.stop();
        while self.frames.recv().await.is_some() {}
        let _ = (&mut self.driver).await;
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// How long a program may take to open its endpoint before the person is told.
pub const PATIENCE: Duration = Duration::from_secs(10);
