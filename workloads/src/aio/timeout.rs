//! `asyncio.timeout` and `asyncio.timeout_at`.

use std::{
    fmt,
    future::poll_fn,
    panic::Location,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

use tokio::time::Sleep;

use super::{
    control::Control,
    error::{Error, Misuse, Result},
    event_loop::Due,
    scope::Scope,
    suspend::body,
    timer::{Alarm, Call, time},
};

/// Runs `block` for at most `secs` seconds, scaled; `None` is no limit for now
/// (`async with asyncio.timeout(…)`).
///
/// When the time is up, the *task* is asked to end, so the request reaches whatever it awaits; when it
/// leaves the block it becomes [`Error::TimedOut`]. A block that swallows it ends as if nothing had
/// been, and [`Timeout::expired`] tells. With a limit of 0 or less the block runs to its first await,
/// where [`wait_for`](super::wait_for()) would not start. The time starts to run at the await.
///
/// ```
/// # use loopview_workloads::aio;
/// # async fn cook(dish: &str) -> aio::Result<()> { Ok(()) }
/// # async fn order() -> aio::Result<()> {
/// aio::timeout(10.0, async |limit| {
///     cook("soup").await?;
///     limit.reschedule(aio::time() + 20.0)?;
///     cook("roast").await
/// })
/// .await
/// # }
/// ```
///
/// `tokio::time::timeout` is a race of two futures instead: it drops the block in the middle, cannot be
/// moved, and leaves alone the tasks that the block awaits.
///
/// # Errors
///
/// [`Error::TimedOut`] when the time is up, or what the block raises.
#[track_caller]
pub fn timeout<T, B>(secs: impl Into<Option<f64>>, block: B) -> impl Future<Output = Result<T>>
where
    B: AsyncFnOnce(Timeout) -> Result<T>,
{
    let scope = Scope::open("timeout", Location::caller());
    let deadline = {
        let _timer = scope.enter();
        Deadline::after(secs.into())
    };
    scoped(scope, deadline, block)
}

/// As [`timeout`], until [`time`] is `when` (`async with asyncio.timeout_at(…)`).
///
/// # Errors
///
/// [`Error::TimedOut`] when the time is up, or what the block raises.
#[track_caller]
pub fn timeout_at<T, B>(when: impl Into<Option<f64>>, block: B) -> impl Future<Output = Result<T>>
where
    B: AsyncFnOnce(Timeout) -> Result<T>,
{
    let scope = Scope::open("timeout", Location::caller());
    let deadline = {
        let _timer = scope.enter();
        Deadline::at(when.into())
    };
    scoped(scope, deadline, block)
}

async fn scoped<T, B>(scope: Scope, deadline: Deadline, block: B) -> Result<T>
where
    B: AsyncFnOnce(Timeout) -> Result<T>,
{
    let result = Timeout::enter(deadline, block).await;
    scope.close(&result);
    result
}

/// When a block is to end, and tokio's timer for it, made at the user's line.
pub(super) struct Deadline {
    limit: Limit,
    timer: Option<(Alarm, Sleep)>,
}

#[derive(Clone, Copy)]
enum Limit {
    Never,
    After(f64),
    At(f64),
}

impl Deadline {
    #[track_caller]
    pub(super) fn after(secs: Option<f64>) -> Self {
        match secs {
            None => Self::never(),
            Some(secs) => Self {
                limit: Limit::After(secs),
                timer: Some(Alarm::new(secs)),
            },
        }
    }

    #[track_caller]
    fn at(when: Option<f64>) -> Self {
        match when {
            None => Self::never(),
            Some(when) => Self {
                limit: Limit::At(when),
                timer: Some(Alarm::new(when - time())),
            },
        }
    }

    fn never() -> Self {
        Self {
            limit: Limit::Never,
            timer: None,
        }
    }

    /// By the loop's time.
    fn when(&self, now: f64) -> Option<f64> {
        match self.limit {
            Limit::Never => None,
            Limit::After(secs) => Some(now + secs),
            Limit::At(when) => Some(when),
        }
    }
}

/// A handle to a limit (`asyncio.Timeout`). A clone is the same limit.
#[derive(Clone)]
pub struct Timeout {
    shared: Arc<Shared>,
}

struct Shared {
    task: Arc<Control>,
    /// How many requests were pending when the block began: those are not answered by its end.
    before: usize,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    when: Option<f64>,
    call: Option<Call>,
    /// The call was moved, and tokio's timer has to follow.
    moved: bool,
    /// Wakes the task to let the timer follow.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Active,
    /// The time was up and the task has been asked.
    Expiring,
    /// That, and the block has ended.
    Expired,
    Finished,
}

impl Timeout {
    /// Runs `block` until the deadline.
    pub(super) async fn enter<T, B>(deadline: Deadline, block: B) -> Result<T>
    where
        B: AsyncFnOnce(Timeout) -> Result<T>,
    {
        let task = Control::current();
        let event_loop = Arc::clone(&task.event_loop);
        let when = deadline.when(event_loop.time());
        let timeout = Self {
            shared: Arc::new(Shared {
                before: task.requests(),
                task,
                state: Mutex::new(State {
                    phase: Phase::Active,
                    when: None,
                    call: None,
                    moved: false,
                    waker: None,
                }),
            }),
        };
        timeout.reschedule(when)?;
        let left = Left(&timeout.shared);
        let (mut alarm, sleep) = deadline.timer.unzip();
        let mut sleep = pin!(sleep);
        let mut block = pin!(body(block(timeout.clone())));
        let result = poll_fn(|cx| {
            timeout.shared.poll_timer(&mut alarm, sleep.as_mut(), cx);
            block.as_mut().poll(cx)
        })
        .await;
        drop(left);
        timeout.shared.exit(result)
    }

    /// The loop's [`time`] at which it expires (`Timeout.when`); none if never.
    pub fn when(&self) -> Option<f64> {
        self.shared.lock().when
    }

    /// Whether it has expired, whatever the block made of it (`Timeout.expired`).
    pub fn expired(&self) -> bool {
        matches!(self.shared.lock().phase, Phase::Expiring | Phase::Expired)
    }

    /// Moves it to another [`time`] of the loop, or to never (`Timeout.reschedule`). One that has
    /// passed expires it at the block's next await.
    ///
    /// # Errors
    ///
    /// [`Misuse::TimeoutOver`] if it has expired or its block has ended.
    pub fn reschedule(&self, when: impl Into<Option<f64>>) -> Result<()> {
        let when = when.into();
        let shared = &self.shared;
        let event_loop = &shared.task.event_loop;
        let (before, waker) = {
            let mut state = shared.lock();
            if state.phase != Phase::Active {
                return Err(Misuse::TimeoutOver.into());
            }
            state.when = when;
            state.moved = true;
            (state.call.take(), state.waker.take())
        };
        drop(before);
        let due = || Arc::clone(shared) as Arc<dyn Due>;
        let call = when.map(|when| {
            if when <= event_loop.time() {
                Call::soon(event_loop, due())
            } else {
                Call::at(event_loop, when, due())
            }
        });
        shared.lock().call = call;
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("when", &self.when())
            .field("expired", &self.expired())
            .finish()
    }
}

impl Shared {
    /// Has tokio's timer follow the call, and looks whether it has fired.
    fn poll_timer(
        self: &Arc<Self>,
        alarm: &mut Option<Alarm>,
        mut sleep: Pin<&mut Option<Sleep>>,
        cx: &mut Context<'_>,
    ) {
        let event_loop = &self.task.event_loop;
        let (moved, when) = {
            let mut state = self.lock();
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => state.waker = Some(cx.waker().clone()),
            }
            let when = state.call.as_ref().and_then(Call::when);
            (std::mem::take(&mut state.moved), when)
        };
        match when {
            _ if !moved => {}
            None => sleep.set(None),
            Some(when) => {
                let secs = when - event_loop.time();
                if sleep.is_none() {
                    let (made, timer) = Alarm::new(secs);
                    *alarm = Some(made);
                    sleep.set(Some(timer));
                }
                if let (Some(alarm), Some(sleep)) = (alarm.as_mut(), sleep.as_mut().as_pin_mut()) {
                    alarm.set(sleep, event_loop, secs, when);
                }
            }
        }
        if let (Some(alarm), Some(sleep)) = (alarm.as_mut(), sleep.as_pin_mut()) {
            alarm.poll(sleep, event_loop, cx);
        }
    }

    /// Leaves the block: a request that was ours becomes the error.
    fn exit<T>(&self, result: Result<T>) -> Result<T> {
        let expiring = {
            let mut state = self.lock();
            let expiring = state.phase == Phase::Expiring;
            if expiring {
                state.phase = Phase::Expired;
            }
            expiring
        };
        if expiring
            && self.task.uncancel() <= self.before
            && matches!(result, Err(Error::Cancelled))
        {
            return Err(Error::TimedOut);
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time is up.
impl Due for Shared {
    fn due(&self) {
        {
            let mut state = self.lock();
            if state.phase != Phase::Active {
                return;
            }
            state.phase = Phase::Expiring;
        }
        Arc::clone(&self.task).cancel();
    }
}

/// Stops the clock when the block has ended or was dropped half-way.
struct Left<'a>(&'a Shared);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        let call = {
            let mut state = self.0.lock();
            if state.phase == Phase::Active {
                state.phase = Phase::Finished;
            }
            state.call.take()
        };
        drop(call);
    }
}
