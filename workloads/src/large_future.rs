//! Large future: who waits keeps hold of everything.
//!
//! Guests wait at the door with what they carry. One holds a suitcase, one a piano, and whoever shows them
//! to another place has to carry it, too. What lives across an await is part of the future, and a future
//! is copied when it is moved.
//!
//! On screen: `suitcase` has a future of over 4 KiB. That of `piano`, 64 KiB, is too large for tokio, which
//! puts it on the heap. The same coroutine, pinned there where it is made, is small for everyone who
//! moves it; `unpacked` needs its suitcase no more when it begins to wait. It must take 2 s.

use crate::{
    Settings,
    aio::{self, NamedExt},
};

const SUITCASE: usize = 4 * 1024;
const PIANO: usize = 64 * 1024;

fn weigh(load: &[u8]) -> usize {
    load.iter().map(|byte| usize::from(*byte)).sum()
}

async fn hold<const BYTES: usize>() -> aio::Result<()> {
    let load = [1; BYTES];
    aio::sleep(2.0).await?; // with all of it in hand
    println!("{} bytes were held all the time", weigh(&load));
    Ok(())
}

async fn unpack() -> aio::Result<()> {
    let bytes = {
        let load = [1; SUITCASE];
        weigh(&load)
    };
    aio::sleep(2.0).await?; // with a number in hand
    println!("{bytes} bytes were unpacked at once");
    Ok(())
}

/// Starts a guest by this name, and tells how large a future that is.
#[track_caller]
fn start(
    name: &str,
    guest: impl Future<Output = aio::Result<()>> + Send + 'static,
) -> aio::Task<()> {
    println!("{name}: a future of {} bytes", size_of_val(&guest));
    aio::create_task(guest.named(name))
}

/// Lets four guests wait, two of whom travel light.
pub async fn main(_: Settings) -> aio::Result<()> {
    let guests = [
        start("suitcase", hold::<SUITCASE>()),
        start("piano", hold::<PIANO>()),
        start("piano-pinned", Box::pin(hold::<PIANO>())),
        start("unpacked", unpack()),
    ];
    aio::gather(guests).await?;
    Ok(())
}
