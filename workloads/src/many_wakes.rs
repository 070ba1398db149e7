//! Many wakes: a bell for every plate.
//!
//! Two cooks put two hundred plates on the counter, round after round. One rings for every plate, the other
//! when all are there; the waiter comes once, whichever it is. A task that was woken and had no turn yet
//! cannot be woken more, so the other wakes are for nothing.
//!
//! On screen: both waiters are polled about as often, but `waiter-plate` has two hundred times as many
//! wakes as `waiter-tray`. It must take 10 rounds of 0.25 s, 2.5 s.

use std::{
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use crate::{
    Settings,
    aio::{self, NamedExt},
};

const ROUNDS: usize = 10;
const PLATES: usize = 200;

/// What stands on the counter, and who wants to know.
#[derive(Default)]
struct Counter {
    plates: usize,
    rings: usize,
    waiter: Option<Waker>,
}

type Shared = Arc<Mutex<Counter>>;

fn look_at(counter: &Shared) -> MutexGuard<'_, Counter> {
    counter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts out each round's plates by `tray` at a time, and rings for every tray.
async fn cook(counter: Shared, tray: usize) -> aio::Result<()> {
    for _ in 0..ROUNDS {
        let mut left = PLATES;
        while left > 0 {
            let plates = tray.clamp(1, left);
            left -= plates;
            let mut counter = look_at(&counter);
            counter.plates += plates;
            counter.rings += 1;
            if let Some(waiter) = &counter.waiter {
                waiter.wake_by_ref();
            }
        }
        aio::sleep(0.25).await?;
    }
    Ok(())
}

/// Takes whatever there is each time that it is woken, until all is served.
async fn waiter(name: &str, counter: Shared) -> aio::Result<()> {
    let mut served = 0;
    while served < ROUNDS * PLATES {
        let (plates, rings) = poll_fn(|cx| {
            let mut counter = look_at(&counter);
            counter.waiter = Some(cx.waker().clone());
            let rings = mem::take(&mut counter.rings);
            match mem::take(&mut counter.plates) {
                0 => Poll::Pending,
                plates => Poll::Ready((plates, rings)),
            }
        })
        .await;
        served += plates;
        println!("{name} serves {plates} plates, rings: {rings}");
    }
    Ok(())
}

/// Runs a cook and a waiter with small trays, and two more with one large tray a round.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let mut staff = Vec::new();
    let staff_of = [
        ("waiter-plate", "cook-plate", settings.count("tray")),
        ("waiter-tray", "cook-tray", PLATES),
    ];
    for (waits, cooks, tray) in staff_of {
        let counter = Shared::default();
        let waiter = waiter(waits, Arc::clone(&counter)).named(waits);
        let cook = cook(counter, tray).named(cooks);
        staff.extend([aio::create_task(waiter), aio::create_task(cook)]);
    }
    aio::gather(staff).await?;
    Ok(())
}
