//! Tells those who watch, from a thread of the probe's own.
//!
//! | part | what it does |
//! |---|---|
//! | `publish` | collects what changed, once an interval |
//! | `horizon` | up to when that is all |
//! | `news` | what of it is told to all who keep up |
//! | `known`, `store`, `kept` | what there is, and for a while what there was |
//! | `dropped` | what was not told |
//! | `clients`, `watcher` | who watches what, and what each still lacks |
//! | `console`, `own`, `wire` | the messages of the two protocols |
//! | `server`, `console_server` | listens and answers |

mod clients;
mod console;
mod console_server;
mod dropped;
mod entities;
mod horizon;
mod kept;
mod known;
mod news;
mod own;
mod publish;
pub(crate) mod server;
mod shared;
mod store;
mod watcher;
mod wire;

use publish::Publisher;
pub(crate) use publish::Settings;
pub(crate) use shared::Shared;

/// The parts of a message stay below this: so the whole is far below gRPC's usual limit of 4 MiB,
/// and little is under way to a client that is slow.
#[cfg(not(test))]
const PART: usize = 256 << 10;
/// So small that a few tasks make several messages.
#[cfg(test)]
const PART: usize = 1 << 9;
