//! `asyncio.Semaphore` and `asyncio.BoundedSemaphore`.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    error::{Error, Misuse, Result},
    promise::Promise,
    suspend::{Suspend, body},
};

/// A number of permits, given to tasks in the order in which they ask (`asyncio.Semaphore`).
///
/// Nobody overtakes: who asks while others wait goes behind them, even if a permit is free by then. A
/// task that is asked to end while it waits loses no permit. tokio's gives a permit as a guard; here,
/// as in asyncio, whoever has one releases it, and any task may.
pub struct Semaphore(Mutex<State>);

struct State {
    permits: usize,
    waiters: VecDeque<Arc<Promise>>,
}

impl Semaphore {
    /// A semaphore with this many permits.
    pub fn new(permits: usize) -> Self {
        Self(Mutex::new(State {
            permits,
            waiters: VecDeque::new(),
        }))
    }

    /// Takes a permit, and waits for one if there is none (`Semaphore.acquire`).
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`].
    pub async fn acquire(&self) -> Result<()> {
        let turn = {
            let mut state = self.lock();
            if !state.is_locked() {
                state.permits -= 1;
                return Ok(());
            }
            let turn = Promise::new();
            state.waiters.push_back(Arc::clone(&turn));
            turn
        };
        let mut waiting = Waiting {
            semaphore: self,
            turn,
            taken: false,
        };
        let result = Suspend::on(Arc::clone(&waiting.turn)).await;
        waiting.taken = result.is_ok();
        result
    }

    /// Gives a permit back, or adds one (`Semaphore.release`).
    pub fn release(&self) {
        self.lock().release();
    }

    /// Whether [`acquire`](Self::acquire) would wait (`Semaphore.locked`).
    pub fn locked(&self) -> bool {
        self.lock().is_locked()
    }

    /// Runs `block` with a permit (`async with semaphore`).
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if the task is asked to end while it waits, or what the block raises.
    pub async fn with<T>(&self, block: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
        self.acquire().await?;
        let _permit = Permit(self);
        body(block()).await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Semaphore")
            .field("permits", &state.permits)
            .field("waiters", &state.waiters.len())
            .finish()
    }
}

impl State {
    fn is_locked(&self) -> bool {
        self.permits == 0 || self.waiters.iter().any(|waiter| !waiter.is_cancelled())
    }

    fn release(&mut self) {
        self.permits += 1;
        self.give();
    }

    /// Gives a permit to the first who waits and has none yet; false if there is no such one.
    fn give(&mut self) -> bool {
        // One that was cancelled at this moment takes none.
        let given = self.waiters.iter().any(|waiter| waiter.set(Ok(())));
        self.permits -= usize::from(given);
        given
    }
}

/// One who waits for a permit, until it has one or leaves.
struct Waiting<'a> {
    semaphore: &'a Semaphore,
    turn: Arc<Promise>,
    taken: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.semaphore.lock();
        state
            .waiters
            .retain(|waiter| !Arc::ptr_eq(waiter, &self.turn));
        // It had been given a permit that it can no longer use.
        if !self.taken && self.turn.is_done() && !self.turn.is_cancelled() {
            state.permits += 1;
        }
        // Those who asked meanwhile had to wait behind it.
        while state.permits > 0 && state.give() {}
    }
}

/// Releases when it is dropped.
struct Permit<'a>(&'a Semaphore);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A [`Semaphore`] that never has more permits than it began with (`asyncio.BoundedSemaphore`).
#[derive(Debug)]
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: usize,
}

impl BoundedSemaphore {
    /// A semaphore with this many permits and never more.
    pub fn new(permits: usize) -> Self {
        Self {
            semaphore: Semaphore::new(permits),
            bound: permits,
        }
    }

    /// As [`Semaphore::acquire`].
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`].
    pub async fn acquire(&self) -> Result<()> {
        self.semaphore.acquire().await
    }

    /// Gives a permit back (`BoundedSemaphore.release`).
    ///
    /// # Errors
    ///
    /// [`Misuse::ReleasedTooOften`] if none is out.
    pub fn release(&self) -> Result<()> {
        let mut state = self.semaphore.lock();
        if state.permits >= self.bound {
            return Err(Misuse::ReleasedTooOften.into());
        }
        state.release();
        Ok(())
    }

    /// As [`Semaphore::locked`].
    pub fn locked(&self) -> bool {
        self.semaphore.locked()
    }

    /// As [`Semaphore::with`].
    ///
    /// # Errors
    ///
    /// As [`Semaphore::with`], or [`Misuse::ReleasedTooOften`] if the block has released its permit.
    pub async fn with<T>(&self, block: impl AsyncFnOnce() -> Result<T>) -> Result<T> {
        self.acquire().await?;
        let permit = BoundedPermit(Some(self));
        let result = body(block()).await;
        permit.release()?;
        result
    }
}

/// Releases when the block ends, or when it is dropped half-way.
struct BoundedPermit<'a>(Option<&'a BoundedSemaphore>);

impl BoundedPermit<'_> {
    fn release(mut self) -> Result<()> {
        self.0.take().map_or(Ok(()), BoundedSemaphore::release)
    }
}

impl Drop for BoundedPermit<'_> {
    fn drop(&mut self) {
        if let Some(semaphore) = self.0 {
            // Nobody is left to be told that the block released too often.
            let _: std::result::Result<(), Error> = semaphore.release();
        }
    }
}
