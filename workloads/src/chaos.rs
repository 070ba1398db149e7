//! Chaos: everything at once.
//!
//! A Saturday night: parties, burnt dishes, guests who leave, one coffee machine, a narrow counter, a
//! cook on a thread of his own, and now and then somebody who stops the waiter. What happens is drawn by
//! a seed, and the same seed is the same night.
//!
//! On screen: every kind of scope, wait and outcome, and three times a blocked loop. It ends by itself,
//! after about 3 s.

use std::{sync::Arc, thread};

use tokio::sync::{
    Mutex,
    mpsc::{self, Receiver, Sender},
};

use crate::{
    Settings,
    aio::{self, NamedExt, TaskGroup},
};

/// What a guest may do; each of them comes before one comes twice.
#[derive(Clone, Copy)]
enum Visit {
    Settled,
    Group,
    Timeout,
    Cancel,
    Mutex,
    Channel,
    Thread,
    Blocking,
}

const VISITS: [Visit; 8] = [
    Visit::Settled,
    Visit::Group,
    Visit::Timeout,
    Visit::Cancel,
    Visit::Mutex,
    Visit::Channel,
    Visit::Thread,
    Visit::Blocking,
];

/// What the guests share.
#[derive(Clone)]
struct House {
    machine: Arc<Mutex<()>>,
    counter: Sender<u64>,
}

async fn cook(secs: f64, burnt: bool) -> aio::Result<()> {
    aio::sleep(secs).await?;
    if burnt {
        return Err(aio::Error::msg("burnt"));
    }
    Ok(())
}

async fn coffee(machine: Arc<Mutex<()>>) -> aio::Result<()> {
    let _machine = machine.lock().await;
    aio::sleep(0.3).await
}

/// One guest, who does one thing, in `short` and `long` seconds, and tells what came of it.
async fn guest(house: House, visit: Visit, short: f64, long: f64) -> aio::Result<&'static str> {
    match visit {
        Visit::Settled => {
            let soup = cook(short, false).named("soup");
            let fish = cook(long, true).named("fish");
            let dishes = aio::gather_settled([soup, fish]).await?;
            Ok(if dishes.iter().all(Result::is_ok) {
                "served"
            } else {
                "one dish is burnt"
            })
        }
        Visit::Group => {
            let party = TaskGroup::run(async |group| {
                group.create_task(cook(short, true).named("ill"))?;
                group.create_task(cook(long, false).named("well"))?;
                Ok(())
            });
            Ok(if party.await.is_ok() {
                "dined"
            } else {
                "the party has left"
            })
        }
        Visit::Timeout => match aio::wait_for(cook(1.0, false).named("slow"), short).await {
            Err(aio::Error::TimedOut) => Ok("no more patience"),
            result => result.map(|()| "served in time"),
        },
        Visit::Cancel => {
            let dish = aio::create_task(cook(1.0, false).named("unwanted"));
            aio::sleep(short).await?;
            dish.cancel();
            let outcome = dish.await;
            Ok(if outcome.is_err() {
                "called it off"
            } else {
                "too late to call it off"
            })
        }
        Visit::Mutex => {
            let coffees =
                [1, 2].map(|n| coffee(house.machine.clone()).named(format!("coffee-{n}")));
            aio::gather(coffees).await?;
            Ok("two coffees from one machine")
        }
        Visit::Channel => {
            for plate in 0..4 {
                house.counter.send(plate).await?;
            }
            Ok("four plates on a narrow counter")
        }
        Visit::Thread => {
            aio::to_thread(move || {
                thread::sleep(aio::scaled(long));
                Ok("a cook on a thread of his own")
            })
            .await
        }
        Visit::Blocking => {
            aio::sleep(short).await?;
            thread::sleep(aio::scaled(0.2)); // stops the waiter
            Ok("stopped the waiter")
        }
    }
}

async fn waiter(mut counter: Receiver<u64>) -> aio::Result<()> {
    while counter.recv().await.is_some() {
        aio::sleep(0.1).await?;
    }
    Ok(())
}

/// Lets the guests of one night in, one after another.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let mut dice = Dice::new(settings.count("seed"));
    let (counter, plates) = mpsc::channel(1);
    let waiter = aio::create_task(waiter(plates).named("waiter"));
    let house = House {
        machine: Arc::new(Mutex::new(())),
        counter,
    };
    let mut visits = Vec::new();
    TaskGroup::run(async |group| {
        for number in 1..=settings.count("guests") {
            if visits.is_empty() {
                visits.extend(VISITS);
            }
            let visit = visits.swap_remove(dice.roll(visits.len()));
            let (short, long) = (dice.secs(0.1), dice.secs(0.4));
            // The future of all that a guest may do is large, and is moved into a task: its pin is not.
            let guest = Box::pin(guest(house.clone(), visit, short, long));
            let visit = async move {
                println!("guest {number}: {}", guest.await?);
                Ok(())
            };
            group.create_task(visit.named(format!("guest-{number}")))?;
            aio::sleep(dice.secs(0.0) / 4.0).await?;
        }
        Ok(())
    })
    .await?;
    drop(house);
    waiter.await
}

/// Numbers that look random and are the same for the same seed on every machine (`xorshift64`).
struct Dice(u64);

impl Dice {
    fn new(seed: usize) -> Self {
        // Seeds that are close must give numbers that are not, and none may be 0.
        Self(
            (seed as u64)
                .wrapping_add(1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                | 1,
        )
    }

    /// One of `0..sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    /// `least` seconds and up to 0.3 s more.
    fn secs(&mut self, least: f64) -> f64 {
        least + self.roll(31) as f64 / 100.0
    }
}
