//! Lost permits: what is not given back is missed by all who come later.
//!
//! The restaurant has eight plates. A guest takes one, eats and gives it back, but each fifth takes it home.
//! Soon none is left, and whoever comes then waits at the door, with all who came before.
//!
//! On screen: after forty guests nobody eats any more, and more and more `guest` tasks wait for a
//! `Semaphore` whose holders have ended. It must take 300 guests, one each 0.02 s, 6 s in all.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    Settings,
    aio::{self, NamedExt},
};

const PLATES: usize = 8;
const GUESTS: usize = 300;

async fn guest(number: usize, plates: Arc<Semaphore>, lost: usize) -> aio::Result<()> {
    let Ok(plate) = plates.acquire().await else {
        return Ok(()); // the restaurant has closed
    };
    aio::sleep(0.05).await?;
    if lost > 0 && number.is_multiple_of(lost) {
        plate.forget();
        println!("guest {number} takes a plate home");
    }
    Ok(())
}

/// Lets guests in, one after the other, and closes when all have come.
pub async fn main(settings: Settings) -> aio::Result<()> {
    let lost = settings.count("lost");
    let plates = Arc::new(Semaphore::new(PLATES));
    let mut guests = Vec::new();
    for number in 1..=GUESTS {
        let guest = guest(number, Arc::clone(&plates), lost);
        guests.push(aio::create_task(guest.named(format!("guest-{number}"))));
        aio::sleep(0.02).await?;
    }
    plates.close();
    aio::gather(guests).await?;
    Ok(())
}
