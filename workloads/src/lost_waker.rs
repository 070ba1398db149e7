//! Lost waker: a task that nobody can wake.
//!
//! Two guests sleep in the lobby until there is a free table. One left word where to find him; the other
//! did not, and whoever would wake him does not know that he is there. A future that is not ready has to
//! keep its waker where the one who makes it ready finds it.
//!
//! On screen: `careful` is woken after 0.5 s. `careless` has no waker from its first poll on and would
//! be idle for ever; `main` gives it up. It must take 0.5 s and 2 s more, 2.5 s.

use std::{
    future::poll_fn,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
};

use tokio::{
    task::{Builder, JoinHandle},
    time::timeout,
};

use crate::{
    Settings,
    aio::{self, NamedExt},
};

/// A table that becomes free once, and who wants to be woken then.
#[derive(Default)]
struct Table {
    free: AtomicBool,
    word: Mutex<Option<Waker>>,
}

impl Table {
    fn poll_free(&self) -> Poll<()> {
        if self.free.load(Ordering::Acquire) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn leave_word(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut word, waker)
    }
}

async fn careless(table: Arc<Table>) {
    // The mistake: the waker in the context is not kept.
    poll_fn(|_| table.poll_free()).await;
}

async fn careful(table: Arc<Table>) {
    poll_fn(|cx| {
        // Before the look, or a table that becomes free in between would be missed.
        table.leave_word(Some(cx.waker().clone()));
        table.poll_free()
    })
    .await;
}

async fn waiter(table: Arc<Table>) -> aio::Result<()> {
    aio::sleep(0.5).await?;
    println!("the table is free");
    table.free.store(true, Ordering::Release);
    if let Some(waker) = table.leave_word(None) {
        waker.wake();
    }
    Ok(())
}

/// Starts a task of tokio's own: one of aio's can be cancelled at any time, so it keeps a waker itself.
#[track_caller]
fn spawn(
    name: &str,
    guest: impl Future<Output = ()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name).spawn(guest)
}

/// Lets two guests wait for one table, but not for ever.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let limit = aio::scaled(settings.secs("limit"));
    let table = Arc::new(Table::default());
    let careful = spawn("careful", careful(Arc::clone(&table)))?;
    let mut careless = spawn("careless", careless(Arc::clone(&table)))?;
    let waiter = aio::create_task(waiter(table).named("waiter"));
    waiter.await?;
    careful.await?;
    println!("careful sits down");
    if timeout(limit, &mut careless).await.is_err() {
        careless.abort();
        let _cancelled = careless.await;
        println!("careless still sleeps, and is sent home");
    }
    Ok(())
}
